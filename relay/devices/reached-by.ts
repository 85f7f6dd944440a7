import type { DesiredDevice } from '../../protocol/wire/desired.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import type { DeviceRow } from '../db/schema.ts';

/** Of a row, as boxes want it; undefined: plain HTTP. */
export const tlsOf = ({ certificate, oldTls }: Pick<DeviceRow, 'certificate' | 'oldTls'>): DeviceTls | undefined =>
  certificate === null ? undefined : { certificate, old: oldTls === 1 };

/** Who a device is for its box, and how it is reached; without its password. */
export function reachedBy(row: DeviceRow): Omit<DesiredDevice, 'password' | 'credentialVersion'> {
  const { id, kind, name, mac, serial, host, httpPort, username } = row;
  return { id, kind, name, mac, serial, host, httpPort, tls: tlsOf(row), username };
}
