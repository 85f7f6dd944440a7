import type { Insertable } from 'kysely';
import type { Clock } from '../../../protocol/clock.ts';
import type { AlarmReport } from '../../../protocol/wire/event.ts';
import type { DbOrTrx } from '../../db/database.ts';
import { urgencyOf } from './codes.ts';
import type { DeskTables } from './schema.ts';

/** A message of a sender that is no box, as a receiver of the relay's own took it; it is acknowledged by then. */
export interface ForeignMessage
  extends Pick<AlarmReport, 'id' | 'kind' | 'account' | 'receiverId' | 'protocol' | 'code' | 'zone' | 'sequence'> {
  companyId: string;
  /** Of the event; the time it came, where the sender does not say. */
  occurredAt: string;
  receivedAt: string;
  text: string | null;
  possibleRepeat: boolean;
}

type Row = Insertable<DeskTables['desk_alarms']>;

/** Puts messages on the desk of the centre they are for; within the transaction that stores them. */
export class Intake {
  readonly #clock: Clock;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /**
   * A message in `alarms` is new or has changed. Whose desk it is on follows from the box's own account, never from what
   * the report says of its receiver.
   */
  async take(trx: DbOrTrx, alarmId: string): Promise<void> {
    const row = await trx
      .selectFrom('alarms as m')
      .innerJoin('arc_accounts as a', (j) =>
        j.onRef('a.id', '=', 'm.accountId').onRef('a.boxSerial', '=', 'm.boxSerial'),
      )
      .innerJoin('arc_receivers as r', 'r.id', 'a.receiverId')
      .leftJoin('events as e', (j) => j.onRef('e.id', '=', 'm.eventId').onRef('e.boxSerial', '=', 'm.boxSerial'))
      .select(['m.id', 'm.siteId', 'm.boxSerial', 'm.accountId', 'm.eventId', 'm.kind', 'm.account', 'm.protocol'])
      .select(['m.code', 'm.zone', 'm.sequence', 'm.state', 'm.path', 'm.tries', 'm.log', 'm.possibleRepeat'])
      .select(['m.reason', 'm.occurredAt', 'm.queuedAt', 'm.acknowledgedAt', 'm.origin'])
      .select(['a.receiverId', 'r.companyId', 'e.deviceId', 'e.channel', 'e.type', 'e.text', 'e.id as known'])
      .where('m.id', '=', alarmId)
      .executeTakeFirst();
    if (!row) return;
    const { origin, type, known, id, eventId, ...rest } = row;
    await this.#put(trx, {
      ...rest,
      id,
      source: origin,
      eventId,
      eventType: known === null ? null : (type as Row['eventType']),
    });
    if (row.kind === 'restore') {
      await trx
        .updateTable('desk_alarms')
        .set({ restoredAt: row.occurredAt })
        .where('eventId', '=', eventId)
        .where('accountId', '=', row.accountId)
        .where('kind', '=', 'alarm')
        .execute();
    }
  }

  async takeForeign(trx: DbOrTrx, { receivedAt, possibleRepeat, ...message }: ForeignMessage): Promise<void> {
    await this.#put(trx, {
      ...message,
      source: 'foreign',
      state: 'acknowledged',
      path: 'direct',
      tries: 1,
      log: '[]',
      reason: null,
      accountId: null,
      siteId: null,
      boxSerial: null,
      deviceId: null,
      channel: null,
      eventId: null,
      eventType: null,
      possibleRepeat: possibleRepeat ? 1 : 0,
      queuedAt: receivedAt,
      acknowledgedAt: receivedAt,
    });
  }

  async #put(
    trx: DbOrTrx,
    row: Omit<Row, 'urgency' | 'open' | 'test' | 'takenMs' | 'notes' | 'handledMs' | 'handledBy' | 'handledName'>,
  ): Promise<void> {
    const { state, path, tries, log, possibleRepeat, reason, acknowledgedAt, queuedAt, code, protocol, sequence } = row;
    const told = {
      state,
      path,
      tries,
      log,
      possibleRepeat,
      reason,
      acknowledgedAt,
      queuedAt,
      code,
      protocol,
      sequence,
    };
    const { numUpdatedRows } = await trx
      .updateTable('desk_alarms')
      .set(told)
      .where('id', '=', row.id)
      .executeTakeFirst();
    if (numUpdatedRows > 0n) return;
    const urgency = urgencyOf(row);
    const test = row.kind === 'test' || (await this.#inTest(trx, row.accountId ?? null, row.occurredAt));
    await trx
      .insertInto('desk_alarms')
      .values({
        ...row,
        urgency,
        test: test ? 1 : 0,
        open: !test && urgency < 3 ? 1 : 0,
        takenMs: this.#clock.now(),
        notes: 0,
      })
      .execute();
  }

  /**
   * Whether the account is in test mode now and was when it happened. What happened before is no test because it comes
   * late, and what comes after the test's end is none whatever the box's clock says: in doubt it sounds.
   */
  async #inTest(trx: DbOrTrx, accountId: string | null, occurredAt: string): Promise<boolean> {
    if (accountId === null) return false;
    const found = await trx
      .selectFrom('desk_tests')
      .select('id')
      .where('accountId', '=', accountId)
      .where('endedMs', 'is', null)
      .where('untilMs', '>', this.#clock.now())
      .where('startedMs', '<=', Date.parse(occurredAt))
      .executeTakeFirst();
    return found !== undefined;
  }
}
