import type { ReceiverOutput } from '../../client/api.gen.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { say } from '../../components/say.ts';

export const LIST = '/arc/outputs';
export const SENDERS = '/arc/senders';

const LEVEL: Record<ReceiverOutput['state'], Level> = {
  connected: 'well',
  ready: 'well',
  connecting: 'attention',
  failing: 'problem',
  off: 'unknown',
};

/** How an output does, in a word, and what is wrong. */
export function OutputState({ output }: { output: ReceiverOutput }) {
  return (
    <>
      <State level={LEVEL[output.state]}>{t(`outputs.state.${output.state}`)}</State>
      {output.reason && <span class="muted small block">{say(output.reason)}</span>}
    </>
  );
}

/** Where it goes. */
export function whereWords({ config, listeningPort }: ReceiverOutput): string {
  if (config.kind === 'dc09') return `${config.host}:${config.port} ${config.transport.toUpperCase()}`;
  if (config.kind === 'webhook') return config.url;
  if (config.kind === 'pull') return t('outputs.pullWhere');
  if (config.mode === 'client') return `${config.host}:${config.port}`;
  return t('outputs.serverWhere', { port: listeningPort ?? '–', peers: config.peers.join(', ') });
}

/** One account to another a line: `12345678 A001`. */
export const mapText = (accounts: { from: string; to: string }[]): string =>
  accounts.map(({ from, to }) => `${from} ${to}`).join('\n');

export function readMap(text: string): { from: string; to: string }[] {
  return text
    .split('\n')
    .map((line) => line.trim().toUpperCase().split(/\s+/))
    .filter(([from]) => from)
    .map(([from = '', to = '']) => ({ from, to }));
}
