import type { StreamMessage } from '../../protocol/wire/api.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';

/** What of a site somebody may watch: all of it, or some devices. */
export interface Reach {
  whole: boolean;
  devices: ReadonlySet<string>;
}

export async function reachOf(db: Db, scope: Scope, siteId: string): Promise<Reach> {
  if (await scope.holds(siteId, null, 'view')) return { whole: true, devices: new Set() };
  const rows = await db
    .selectFrom('devices')
    .select('id')
    .where('siteId', '=', siteId)
    .where(scope.reaches('devices.siteId', 'devices.id', 'view'))
    .execute();
  return { whole: false, devices: new Set(rows.map((row) => row.id)) };
}

/** Whether a message is about what may be watched. */
export function within({ whole, devices }: Reach, message: StreamMessage): boolean {
  if (whole || message.event === 'hello') return true;
  if (message.event === 'box') return false;
  const deviceId = message.event === 'device' ? message.data.id : message.data.deviceId;
  return deviceId !== null && devices.has(deviceId);
}
