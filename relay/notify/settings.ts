import { NotifySettings } from '../../protocol/wire/notify.ts';
import type { DbOrTrx } from '../db/database.ts';

const everything = { business: true, arc: true, site: true };
export const DEFAULTS: NotifySettings = { email: everything, push: everything, quiet: null };

/** The wishes of people, the defaults for who has said none. */
export async function settingsOf(db: DbOrTrx, userIds: string[]): Promise<Map<string, NotifySettings>> {
  if (userIds.length === 0) return new Map();
  const rows = await db.selectFrom('notification_settings').selectAll().where('userId', 'in', userIds).execute();
  const read = (document: string) => NotifySettings.catch(DEFAULTS).parse(JSON.parse(document));
  const found = new Map(rows.map((row) => [row.userId, read(row.document)]));
  return new Map(userIds.map((id) => [id, found.get(id) ?? DEFAULTS]));
}

export async function saveSettings(db: DbOrTrx, userId: string, settings: NotifySettings): Promise<void> {
  const document = JSON.stringify(settings);
  await db
    .insertInto('notification_settings')
    .values({ userId, document })
    .onConflict((c) => c.column('userId').doUpdateSet({ document }))
    .execute();
}

/** When a message may go out: now, or at the end of the quiet hours that it falls into. */
export function notBefore(quiet: NotifySettings['quiet'], nowMs: number): number {
  if (!quiet || quiet.from === quiet.until) return nowMs;
  const now = minutes(localTime(nowMs, quiet.timeZone));
  const from = minutes(quiet.from);
  const until = minutes(quiet.until);
  const inside = from < until ? now >= from && now < until : now >= from || now < until;
  if (!inside) return nowMs;
  const left = (until - now + 1440) % 1440;
  return nowMs - (nowMs % 60_000) + left * 60_000;
}

const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

function localTime(ms: number, timeZone: string): string {
  const format = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone } as const;
  return new Intl.DateTimeFormat('en-GB', format).format(ms);
}
