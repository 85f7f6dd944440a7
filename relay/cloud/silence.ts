import { CLOUD_TRIGGERS, type CloudChannel, CloudTrigger } from '../../protocol/wire/cloud.ts';
import type { Section, SettingField } from '../../protocol/wire/operations.ts';
import { SILENCES, type Silence, silenceOf } from '../../protocol/wire/silence.ts';
import type { DbOrTrx } from '../db/database.ts';

/** Sections of one channel may be read side by side. */
const MAX_TRIES = 8;

/** `motion:notify lineCrossing:area`, motion first, whichever was read first; of motion alone in rows of an earlier release. */
export function readSilent(kept: string | null): CloudChannel['silent'] {
  const found = (kept ?? '').split(' ').flatMap((part) => {
    const [trigger, why] = part.includes(':') ? part.split(':') : ['motion', part];
    const known = CloudTrigger.safeParse(trigger);
    return known.success && SILENCES.includes(why as Silence) ? [{ trigger: known.data, why: why as Silence }] : [];
  });
  return CLOUD_TRIGGERS.flatMap((trigger) => found.filter((one) => one.trigger === trigger));
}

/** Notes what was read of an event that makes clips of a channel; a device that does not say whether it tells is not silent. */
export async function noteEvent(
  db: DbOrTrx,
  of: { deviceId: string; channel: number; section: Section; fields: readonly SettingField[] },
): Promise<void> {
  const { deviceId, channel, fields } = of;
  const trigger = CloudTrigger.safeParse(of.section);
  if (!trigger.success) return;
  const why = silenceOf(fields);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const row = await db
      .selectFrom('cloud_channels')
      .select('silent')
      .where('deviceId', '=', deviceId)
      .where('channel', '=', channel)
      .executeTakeFirst();
    if (!row) return;
    const others = readSilent(row.silent).filter((one) => one.trigger !== trigger.data);
    const all = why === null ? others : [...others, { trigger: trigger.data, why }];
    const silent = all.length === 0 ? null : all.map((one) => `${one.trigger}:${one.why}`).join(' ');
    if (silent === row.silent) return;
    const done = await db
      .updateTable('cloud_channels')
      .set({ silent })
      .where('deviceId', '=', deviceId)
      .where('channel', '=', channel)
      .where('silent', row.silent === null ? 'is' : '=', row.silent)
      .executeTakeFirst();
    if (done.numUpdatedRows > 0n) return;
  }
}
