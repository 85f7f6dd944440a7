import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { IceOptions } from './ice-servers.ts';

/** Options of the relay: STUN and TURN servers for live view directly from boxes. */
export function addIceOptions(command: Command): Command {
  const option = (flags: string, text: string, env: string) => new Option(flags, text).env(`GATEPOST_${env}`);
  return command
    .addOption(
      option(
        '--stun <urls...>',
        'STUN servers for direct live view, as stun:stun.example.org:3478 (default: none)',
        'STUN',
      ),
    )
    .addOption(
      option(
        '--turn <urls...>',
        'TURN servers, as turn:turn.example.org:3478 or turns:…, with a shared secret (default: none)',
        'TURN',
      ),
    )
    .addOption(
      option(
        '--turn-secret-file <path>',
        'file with the secret shared with them (coturn: static-auth-secret); or the variable GATEPOST_TURN_SECRET',
        'TURN_SECRET_FILE',
      ),
    );
}

/** Throws for what is missing or wrong, and says what to do. */
export function iceOptions(given: object, env: Record<string, string | undefined>): IceOptions {
  const o = new Map<string, unknown>(Object.entries(given));
  // From the environment they come as one text.
  const list = (name: 'stun' | 'turn', scheme: RegExp): string[] => {
    const urls = [o.get(name) ?? []]
      .flat()
      .flatMap((part) => String(part).split(/[\s,]+/))
      .filter(Boolean);
    for (const url of urls)
      if (!scheme.test(url))
        throw new Error(`--${name} ${url}: an address is needed, as ${name}:${name}.example.org:3478`);
    return urls;
  };
  const stun = list('stun', /^stun:[\w.-]+(:\d{1,5})?$|^stun:\[[0-9a-f:]+\](:\d{1,5})?$/i);
  const turn = list('turn', /^turns?:([\w.-]+|\[[0-9a-f:]+\])(:\d{1,5})?(\?transport=(udp|tcp))?$/i);
  const file = o.get('turnSecretFile');
  const turnSecret = typeof file === 'string' ? readFileSync(file, 'utf8').trim() : env.GATEPOST_TURN_SECRET;
  if (turn.length > 0 && !turnSecret)
    throw new Error('--turn needs the shared secret: --turn-secret-file, or GATEPOST_TURN_SECRET');
  return { stun, turn, turnSecret };
}
