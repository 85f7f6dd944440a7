import type { Clock } from '../../protocol/clock.ts';
import type { ShownTls } from '../../protocol/wire/device-tls.ts';
import { findWay } from '../https/way.ts';
import type { IsapiFailure } from '../isapi/answer.ts';
import type { DeviceConfig } from './types.ts';

/** Of failures of plain HTTP: the port was closed, is one of TLS, or sends elsewhere. */
const TURNED_AWAY: ReadonlySet<string | number | undefined> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET'],
  ...[301, 302, 303, 307, 308, 400, 403, 426],
]);

/**
 * What a device shows instead of what it was added with: another certificate, or HTTPS where it took HTTP. Null: nothing. Asked
 * for without credentials.
 */
export async function shownInstead(
  f: IsapiFailure,
  o: { config: DeviceConfig; host: string; port: number; clock: Clock; signal: AbortSignal },
): Promise<ShownTls | null> {
  const { config, host, port, clock, signal } = o;
  const { tls, kind } = config;
  if (tls) return f.shown ? { certificate: f.shown, old: tls.old, httpPort: port } : null;
  const turnedAway = f.errno?.startsWith('HPE_') || TURNED_AWAY.has(f.errno ?? f.status);
  if (kind === 'snmp' || !turnedAway) return null;
  const way = await findWay({ host, port, kind, clock, signal });
  return way.tls ? { ...way.tls, httpPort: way.port } : null;
}
