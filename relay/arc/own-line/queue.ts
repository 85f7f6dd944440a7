import { randomInt } from 'node:crypto';
import type { Insertable, Selectable } from 'kysely';
import { type Clock, iso } from '../../../protocol/clock.ts';
import type { AlarmReport, ArcTry } from '../../../protocol/wire/event.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import type { Database } from '../../db/schema.ts';
import { ALL_PATHS, codeOf } from './frame.ts';

const KEPT_TRIES = 8;
const BACK_FIRST = 'the box was back before the receiver could be reached';

/** An account of a box at a receiver where the relay has a line of its own. */
export interface LineAccount {
  accountId: string;
  siteId: string;
  boxSerial: string;
  receiverId: string;
  account: string;
  /** The `L` that the relay's own messages carry. */
  line: string;
  protocol: AlarmReport['protocol'];
  /** The receiver is the relay itself, and boxes poll it often enough that silence there says something. */
  polled: boolean;
}

export type LineRow = Selectable<Database['alarms']>;
export interface OpenLoss {
  accountId: string;
  eventId: string;
  sinceMs: number;
}

/**
 * What the relay itself has to say to receivers: rows among the alarms, so that lists, history and audit show them, in the
 * database before anything leaves and until it is acknowledged. The sequence numbers are the line's own.
 */
export class LineQueue {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #wrote: (db: DbOrTrx, alarmId: string) => Promise<void>;

  constructor(deps: {
    db: Db;
    clock: Clock;
    /** A message was written, or what became of it; within the same transaction where there is one. */
    wrote: (db: DbOrTrx, alarmId: string) => Promise<void>;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#wrote = deps.wrote;
  }

  /** Queues "no path is left" and remembers it until {@link end}. Does nothing when it was told already. */
  begin(account: LineAccount, sinceMs: number): Promise<OpenLoss> {
    const { accountId } = account;
    return this.#db.transaction().execute(async (trx) => {
      const open = await trx.selectFrom('arc_losses').selectAll().where('accountId', '=', accountId).executeTakeFirst();
      if (open) return { ...open, sinceMs: Number(open.sinceMs) };
      const loss = { accountId, eventId: uuidv7(this.#clock.now()), sinceMs };
      await trx.insertInto('arc_losses').values(loss).execute();
      await this.#add(trx, account, 'alarm', loss.eventId, sinceMs);
      return loss;
    });
  }

  /**
   * Queues the restore. Where the loss has not left yet nothing is told at all: returns false then, and the message says why
   * it was not sent.
   */
  end(account: LineAccount, nowMs: number): Promise<boolean> {
    const { accountId } = account;
    return this.#db.transaction().execute(async (trx) => {
      const open = await trx.selectFrom('arc_losses').selectAll().where('accountId', '=', accountId).executeTakeFirst();
      if (!open) return false;
      await trx.deleteFrom('arc_losses').where('accountId', '=', accountId).execute();
      const unsent = await trx
        .updateTable('alarms')
        .set({ state: 'failed', reason: BACK_FIRST })
        .where('origin', '=', 'relay')
        .where('eventId', '=', open.eventId)
        .where('state', '=', 'waiting')
        .where('possibleRepeat', '=', 0)
        .returning('id')
        .execute();
      for (const { id } of unsent) await this.#wrote(trx, id);
      if (unsent.length > 0) return false;
      await this.#add(trx, account, 'restore', open.eventId, nowMs);
      return true;
    });
  }

  /** For accounts that are there no longer: nothing more is said. */
  async drop(accountIds: string[]): Promise<void> {
    if (accountIds.length === 0) return;
    await this.#db.transaction().execute(async (trx) => {
      await trx.deleteFrom('arc_losses').where('accountId', 'in', accountIds).execute();
      const unsent = await trx
        .updateTable('alarms')
        .set({ state: 'failed', reason: 'the account, or the relay’s own line, is there no longer' })
        .where('origin', '=', 'relay')
        .where('state', '=', 'waiting')
        .where('accountId', 'in', accountIds)
        .returning('id')
        .execute();
      for (const { id } of unsent) await this.#wrote(trx, id);
    });
  }

  /** The account has another number: what waits goes out under that, on numbers of its line. */
  async renumber(account: LineAccount): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      const rows = await trx
        .selectFrom('alarms')
        .select('id')
        .where('origin', '=', 'relay')
        .where('state', '=', 'waiting')
        .where('accountId', '=', account.accountId)
        .where('account', '<>', account.account)
        .orderBy('rowId')
        .execute();
      for (const { id } of rows) {
        const sequence = await this.#number(trx, account);
        await trx.updateTable('alarms').set({ account: account.account, sequence }).where('id', '=', id).execute();
        await this.#wrote(trx, id);
      }
    });
  }

  async losses(): Promise<OpenLoss[]> {
    const rows = await this.#db.selectFrom('arc_losses').selectAll().execute();
    return rows.map((row) => ({ ...row, sinceMs: Number(row.sinceMs) }));
  }

  /** Accounts with something to send. */
  async waiting(): Promise<{ accountId: string; receiverId: string; account: string }[]> {
    return this.#waiting().select(['accountId', 'receiverId', 'account']).distinct().execute();
  }

  /** The oldest message that waits for an account: a restore never passes its loss. */
  async head(accountId: string): Promise<LineRow | null> {
    const row = await this.#waiting()
      .selectAll()
      .where('accountId', '=', accountId)
      .orderBy('rowId')
      .limit(1)
      .executeTakeFirst();
    return row ?? null;
  }

  /** How often this account was told of losses since. */
  async told(accountId: string, sinceMs: number): Promise<number> {
    const { n } = await this.#db
      .selectFrom('alarms')
      .select((e) => e.fn.countAll<number>().as('n'))
      .where('origin', '=', 'relay')
      .where('kind', '=', 'alarm')
      .where('accountId', '=', accountId)
      .where('queuedAt', '>=', iso(sinceMs))
      .executeTakeFirstOrThrow();
    return Number(n);
  }

  /**
   * On disk before a try leaves: whoever reads it after a crash must take it for one that may have arrived. false: it waits
   * no longer ({@link end} or {@link drop} has given it up), or not under this account number.
   */
  async trying(row: LineRow): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('alarms')
      .set({ tries: row.tries + 1, possibleRepeat: 1 })
      .where('id', '=', row.id)
      .where('origin', '=', 'relay')
      .where('state', '=', 'waiting')
      .where('account', '=', row.account)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await this.#wrote(this.#db, row.id);
    return true;
  }

  /** What came of it. `possibleRepeat`: this try or one before it may have reached the receiver unacknowledged. */
  async tried(row: LineRow, entry: ArcTry, end: Partial<Insertable<Database['alarms']>> & { possibleRepeat: number }) {
    const log = [...(JSON.parse(row.log) as ArcTry[]), entry].slice(-KEPT_TRIES);
    await this.#db.transaction().execute(async (trx) => {
      await trx
        .updateTable('alarms')
        .set({ ...end, log: JSON.stringify(log) })
        .where('id', '=', row.id)
        .where('origin', '=', 'relay')
        .execute();
      await this.#wrote(trx, row.id);
      if (row.kind === 'alarm' && end.state === undefined && end.possibleRepeat === 0) await this.#forgotten(trx, row);
    });
  }

  /** It never left, and its box came back during this try: neither the loss nor its restore is told. */
  async #forgotten(trx: DbOrTrx, { eventId }: LineRow): Promise<void> {
    const open = await trx.selectFrom('arc_losses').select('eventId').where('eventId', '=', eventId).executeTakeFirst();
    if (open) return;
    const unsent = await trx
      .updateTable('alarms')
      .set({ state: 'failed', reason: BACK_FIRST })
      .where('origin', '=', 'relay')
      .where('eventId', '=', eventId)
      .where('state', '=', 'waiting')
      .returning('id')
      .execute();
    for (const { id } of unsent) await this.#wrote(trx, id);
  }

  #waiting() {
    return this.#db.selectFrom('alarms').where('origin', '=', 'relay').where('state', '=', 'waiting');
  }

  async #add(trx: DbOrTrx, of: LineAccount, kind: 'alarm' | 'restore', eventId: string, atMs: number): Promise<void> {
    const { siteId, boxSerial, accountId, receiverId, account, protocol } = of;
    const sequence = await this.#number(trx, of);
    const now = this.#clock.now();
    const id = uuidv7(now);
    await trx
      .insertInto('alarms')
      .values({
        id,
        siteId,
        boxSerial,
        eventId,
        kind,
        accountId,
        receiverId,
        account,
        protocol,
        code: codeOf(kind, protocol),
        zone: ALL_PATHS,
        sequence,
        state: 'waiting',
        path: null,
        tries: 0,
        origin: 'relay',
        occurredAt: iso(atMs),
        queuedAt: iso(now),
        acknowledgedAt: null,
        possibleRepeat: 0,
        reason: null,
      })
      .execute();
    await this.#wrote(trx, id);
  }

  async #number(trx: DbOrTrx, { receiverId, account, line }: LineAccount): Promise<number> {
    const key = { receiverId, account, line };
    const known = await trx
      .selectFrom('arc_lines')
      .select('last')
      .where('receiverId', '=', receiverId)
      .where('account', '=', account)
      .where('line', '=', line)
      .executeTakeFirst();
    // A line begins anywhere: what was said on it before is not known.
    const last = ((known?.last ?? randomInt(9999)) % 9999) + 1;
    await trx
      .insertInto('arc_lines')
      .values({ ...key, last })
      .onConflict((c) => c.columns(['receiverId', 'account', 'line']).doUpdateSet({ last }))
      .execute();
    return last;
  }
}
