import type { SettingField } from '../../protocol/wire/operations.ts';
import type { DbOrTrx } from '../db/database.ts';

/** What a device said last of its motion detection that keeps a channel from making clips (CLOUD-09); null: nothing. */
export type Silence = 'notify' | 'enabled';

/** Notes what was read of a channel's motion detection; a device that does not say whether it tells is not silent. */
export async function noteMotion(
  db: DbOrTrx,
  { deviceId, channel, fields }: { deviceId: string; channel: number; fields: readonly SettingField[] },
): Promise<void> {
  const off = (name: Silence) =>
    fields.some((one) => one.name === name && one.kind === 'boolean' && one.value === false);
  const silent: Silence | null = off('notify') ? 'notify' : off('enabled') ? 'enabled' : null;
  await db
    .updateTable('cloud_channels')
    .set({ silent })
    .where('deviceId', '=', deviceId)
    .where('channel', '=', channel)
    .execute();
}
