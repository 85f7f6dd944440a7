import type { ArcAccount, Box, Device } from '../../../protocol/wire/api.ts';
import { Diagram } from '../../components/diagram.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { Copyable } from '../../components/serial.tsx';
import { formatBytes, formatDuration } from '../../components/time.ts';
import { Since } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { useSite } from './context.ts';
import { sitePaths } from './paths.ts';

interface BoxPanelProps {
  box: Box;
  devices: Device[] | undefined;
  accounts: ArcAccount[] | undefined;
}

/** One box: the way that its alarms take, and its own state. */
export function BoxPanel({ box, devices, accounts }: BoxPanelProps) {
  return (
    <Panel title={t('box.title', { serial: box.serial })} id={`box-${box.serial}`}>
      <div class="grid items-start gap-x-12 gap-y-6 xl:grid-cols-[2fr_1fr]">
        <div>
          <h3>{t('path.title')}</h3>
          {devices && accounts ? <Ways box={box} devices={devices} accounts={accounts} /> : <Skeleton />}
        </div>
        <BoxFacts box={box} />
      </div>
    </Panel>
  );
}

function Ways({ box, devices, accounts }: { box: Box; devices: Device[]; accounts: ArcAccount[] }) {
  const { base } = useSite();
  return (
    <ul class="flex flex-col gap-6">
      {(accounts.length ? accounts : [null]).map((account) => (
        <li key={account?.id ?? ''}>
          <Diagram model={sitePaths(box, devices, account)} />
          {account?.health && account.health.waiting > 0 && (
            <State level="working">{t('path.waiting', { count: account.health.waiting })}</State>
          )}
          {!account && (
            <p>
              {t('path.noArc')}{' '}
              <a class="link" href={`${base}/arc`}>
                {t('path.setUpArc')}
              </a>
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function BoxFacts({ box }: { box: Box }) {
  const { base, boxes } = useSite();
  const both = useAction(async () => {
    await api.post('/boxes/{serial}/clear-duplicate', {}, { params: { serial: box.serial } });
    boxes.reload();
  });
  const revoke = () => {
    boxes.set((list) => ({
      items: list.items.map((b) => (b.serial === box.serial ? { ...b, state: 'revoked', online: false } : b)),
    }));
    withUndo({
      text: t('box.revoked', { serial: box.serial }),
      failed: t('box.revokeFailed', { serial: box.serial }),
      run: (keepalive) =>
        api.post('/boxes/{serial}/revoke', {}, { params: { serial: box.serial }, keepalive }).then(boxes.reload),
      back: boxes.reload,
    });
  };
  const health = box.online ? box.health : null;
  return (
    <div>
      {box.state === 'duplicate' && (
        <div class="mb-4 flex flex-col items-start gap-2">
          <State level="problem">{t('box.duplicateNext')}</State>
          <ProblemPanel error={both.error} what={t('box.clearFailed', { serial: box.serial })} />
          <button type="button" class="btn" onClick={both.run} aria-disabled={both.busy}>
            {t('box.clearDuplicate')}
          </button>
        </div>
      )}
      <Facts
        items={[
          [t('box.state'), <BoxState key="state" box={box} />],
          [t('box.serial'), <Copyable key="serial" text={box.serial} label={t('box.serial')} />],
          [t('box.version'), box.version ?? t('state.unknown')],
          box.state === 'claimed' && [t('box.tunnel'), <TunnelState key="tunnel" box={box} />],
          health && [t('box.uptime'), formatDuration(health.uptimeMs)],
          health && [
            t('box.disk'),
            t('box.diskFree', { free: formatBytes(health.diskFreeBytes), total: formatBytes(health.diskTotalBytes) }),
          ],
          health && [t('box.memory'), formatBytes(health.rssBytes)],
          health && [
            t('box.queues'),
            health.queues.uplink + health.queues.upload + health.queues.arc === 0
              ? t('box.queuesNone')
              : t('box.queuesText', { ...health.queues, bytes: formatBytes(health.queues.uploadBytes) }),
          ],
        ]}
      />
      {box.state === 'claimed' && (
        <p class="mt-4">
          <a class="link" href={`${base}/boxes/${box.serial}/uplink`}>
            {t('box.uplink')}
          </a>{' '}
          <a class="link ml-4" href={`${base}/cloud/setup?box=${box.serial}`}>
            {t('box.cloud')}
          </a>
        </p>
      )}
      {box.state !== 'revoked' && (
        <details class="mt-4">
          <summary class="link">{t('box.revokeAsk')}</summary>
          <p class="my-2 max-w-prose">{t('box.revokeText')}</p>
          <button type="button" class="btn" onClick={revoke}>
            {t('box.revoke')}
          </button>
        </details>
      )}
    </div>
  );
}

function BoxState({ box }: { box: Box }) {
  if (box.state === 'revoked') return <State level="info">{t('box.isRevoked')}</State>;
  if (box.state === 'duplicate') return <State level="problem">{t('box.isDuplicate')}</State>;
  return (
    <State level={box.online ? 'well' : 'problem'}>
      {t(box.online ? 'box.online' : 'box.offline')} {box.since && <Since at={box.since} />}
    </State>
  );
}

function TunnelState({ box }: { box: Box }) {
  const rtt = box.health?.tunnelRttMs;
  if (!box.tunnel) return <State level={box.online ? 'attention' : 'unknown'}>{t('box.tunnelDown')}</State>;
  return <State level="well">{rtt ? t('box.tunnelRtt', { time: formatDuration(rtt) }) : t('box.tunnelUp')}</State>;
}
