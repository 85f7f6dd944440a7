import type { Alarm, Page } from '../../protocol/wire/api.ts';
import { AlarmReport, type JournalRecord } from '../../protocol/wire/event.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { AuthenticatedBox } from '../boxes/authenticate.ts';
import type { Db, DbOrTrx } from '../db/database.ts';

/**
 * Writes what a box says became of a message to a receiver; idempotent, and the end of a message is not taken back by an
 * older report. Throws for a message of another box.
 */
export async function applyAlarmReport(
  trx: DbOrTrx,
  box: Pick<AuthenticatedBox, 'serial' | 'siteId'>,
  { body }: Extract<JournalRecord, { kind: 'alarm' }>,
): Promise<void> {
  const { id, possibleRepeat, log, linkId, ...rest } = AlarmReport.parse(body);
  const held = await trx
    .selectFrom('alarms')
    .select(['boxSerial', 'state', 'origin'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (held && (held.boxSerial !== box.serial || held.origin !== 'box'))
    throw new Error('this alarm belongs to another box');
  if (held && held.state !== 'waiting' && rest.state === 'waiting') return;
  const values = { ...rest, possibleRepeat: possibleRepeat ? 1 : 0, log: JSON.stringify(log) };
  await trx
    .insertInto('alarms')
    .values({ id, siteId: box.siteId, boxSerial: box.serial, ...values })
    .onConflict((c) => c.column('id').doUpdateSet(values))
    .execute();
  // The address that went along was made before the event: now it is known what it shows.
  if (linkId) {
    await trx
      .updateTable('desk_links')
      .set({ eventId: rest.eventId })
      .where('eventId', '=', linkId)
      .where('boxSerial', '=', box.serial)
      .execute();
  }
}

// The receiver's name comes by way of the box's own account: what a report says is not asked for other companies' names.
const select = (db: Db) =>
  db
    .selectFrom('alarms as m')
    .leftJoin('events as e', (j) => j.onRef('e.id', '=', 'm.eventId').onRef('e.boxSerial', '=', 'm.boxSerial'))
    .leftJoin('arc_accounts as a', (j) => j.onRef('a.id', '=', 'm.accountId').onRef('a.boxSerial', '=', 'm.boxSerial'))
    .leftJoin('arc_receivers as r', 'r.id', 'a.receiverId')
    .selectAll('m')
    .select(['e.deviceId', 'r.name as receiverName']);
type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number];

/** Lists of alarms: what the boxes sent to receivers, by which path, and when it was acknowledged. */
export class Alarms {
  readonly #db: Db;

  constructor({ db }: { db: Db }) {
    this.#db = db;
  }

  /** Newest first in the relay's own order; the cursor is the row id of the last item. */
  async list(scope: Scope, siteId: string, page: { limit: number; cursor?: string }): Promise<Page<Alarm>> {
    const site = await scope.site(siteId);
    if (page.cursor !== undefined && !/^[0-9]{1,15}$/.test(page.cursor)) {
      throw new ProblemError('invalid-request', 'cursor: take it from nextCursor');
    }
    const rows = await select(this.#db)
      .where('m.siteId', '=', site.id)
      .where(scope.reaches('m.siteId', 'e.deviceId', 'view'))
      .$if(page.cursor !== undefined, (q) => q.where('m.rowId', '<', Number(page.cursor)))
      .orderBy('m.rowId', 'desc')
      .limit(page.limit + 1)
      .execute();
    const shown = rows.slice(0, page.limit);
    const last = shown.at(-1);
    return {
      items: shown.map(toAlarm),
      nextCursor: rows.length > page.limit && last ? String(last.rowId) : null,
    };
  }

  /** Alarms of each event, oldest first; not limited by a scope, because the events are. */
  async forEvents(eventIds: string[]): Promise<Map<string, Alarm[]>> {
    if (eventIds.length === 0) return new Map();
    const rows = await select(this.#db).where('m.eventId', 'in', eventIds).orderBy('m.rowId').execute();
    return Map.groupBy(rows.map(toAlarm), (alarm) => alarm.eventId);
  }
}

function toAlarm({ rowId: _, boxSerial: _serial, possibleRepeat, log, receiverName, ...row }: Row): Alarm {
  return { ...row, log: JSON.parse(log), possibleRepeat: possibleRepeat === 1, receiverName: receiverName ?? '' };
}
