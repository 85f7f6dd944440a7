import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { isPostgres } from '../db/dialect.ts';
import type { MessageRow, NewMessage } from './message.ts';

/** Messages of one transaction: enough for a storm, few enough that nobody waits long. */
const MAX_AT_ONCE = 200;
/** More wait in memory only when the database has stopped; then senders are better off without an answer. */
const MAX_WAITING = 5_000;
/** One writer at a time over all processes on one PostgreSQL database: rows become visible in their order. */
const WRITER = 0x6761_7465;

export interface Stored {
  rowId: number;
  id: string;
  repeatOf: string | null;
}

interface Waiting {
  message: NewMessage;
  resolve(stored: Stored): void;
  reject(error: unknown): void;
}

/**
 * Where every message goes first. `add` resolves when it is committed, together with a row for each output that must hand
 * it on; only then the sender may be answered. What comes at the same time shares a commit. The same account, number and
 * content within the window is a repeat: taken, marked, and kept from outputs that cannot carry the mark.
 */
export class Inbox {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #repeatWindowMs: number;
  readonly #stored: (outputIds: Set<string>, owners: Set<string>, ids: string[]) => void;
  readonly #within: (trx: DbOrTrx, message: NewMessage & { id: string; repeat: boolean }) => Promise<void>;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  /** Since the start, for metrics. */
  taken = 0;
  repeats = 0;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    repeatWindowMs: number;
    /** After a commit: the outputs that have something to do, whose messages came, and their ids. */
    stored: (outputIds: Set<string>, owners: Set<string>, ids: string[]) => void;
    /** In the transaction that stores it. */
    within: (trx: DbOrTrx, message: NewMessage & { id: string; repeat: boolean }) => Promise<void>;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#repeatWindowMs = deps.repeatWindowMs;
    this.#stored = deps.stored;
    this.#within = deps.within;
  }

  /** Rejects when it could not be stored: the sender must not get an acknowledgement. */
  add(message: NewMessage): Promise<Stored> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(new Error('too much waits to be stored'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** What was taken is stored. */
  async stop(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What else this turn of the event loop brings shares the first commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_AT_ONCE);
      try {
        const outputs = new Set<string>();
        const stored = await this.#db.transaction().execute(async (trx) => {
          if (isPostgres(trx)) await sql`select pg_advisory_xact_lock(${sql.lit(WRITER)})`.execute(trx);
          const done: Stored[] = [];
          for (const { message } of batch) done.push(await this.#store(trx, message, outputs));
          return done;
        });
        this.taken += stored.length;
        this.repeats += stored.filter((one) => one.repeatOf).length;
        for (const [i, one] of batch.entries()) one.resolve(stored[i]!);
        const owners = new Set(batch.map(({ message }) => message.owner));
        this.#stored(
          outputs,
          owners,
          stored.map(({ id }) => id),
        );
      } catch (error) {
        this.#log.error({ err: error, messages: batch.length }, 'messages could not be stored; not acknowledged');
        for (const one of batch) one.reject(error);
      }
    }
    // In the same step as the last look: what comes now begins anew.
    this.#running = null;
  }

  async #store(trx: DbOrTrx, { only, ...message }: NewMessage, outputs: Set<string>): Promise<Stored> {
    const repeatOf = await this.#repeatOf(trx, message);
    const row: Omit<MessageRow, 'rowId'> = {
      ...message,
      id: message.id ?? uuidv7(this.#clock.now()),
      encrypted: message.encrypted ? 1 : 0,
      events: JSON.stringify(message.events),
      xdata: JSON.stringify(message.xdata),
      pictures: JSON.stringify(message.pictures),
      repeatOf,
    };
    const inserted = await trx.insertInto('receiver_messages').values(row).returning('rowId').executeTakeFirstOrThrow();
    const rowId = Number(inserted.rowId);
    const takers = await trx
      .selectFrom('receiver_outputs')
      .select('id')
      .where('owner', '=', message.owner)
      .where('kind', '<>', 'pull')
      .where('enabled', '=', 1)
      .$if(repeatOf !== null, (q) => q.where('repeats', '=', 1))
      .$if(only !== undefined, (q) => q.where('id', '=', only ?? ''))
      .execute();
    for (const { id } of takers) {
      outputs.add(id);
      await addDelivery(trx, id, rowId, message.account);
    }
    await this.#within(trx, { ...message, id: row.id, repeat: repeatOf !== null });
    return { rowId, id: row.id, repeatOf };
  }

  /**
   * Compared with the newest message of this number alone, so that a sender that does not count, and sends alarm, restore,
   * alarm under one number, loses nothing. Extended data is left out: a repeat carries the time of occurrence that its
   * first try did not have.
   */
  async #repeatOf(trx: DbOrTrx, m: NewMessage): Promise<string | null> {
    if (m.source !== 'device' || m.sequence === 0) return null;
    const last = await trx
      .selectFrom('receiver_messages')
      .select(['id', 'data', 'protocol', 'line', 'receivedMs', 'repeatOf'])
      .where('receiverId', '=', m.receiverId)
      .where('account', '=', m.account)
      .where('sequence', '=', m.sequence)
      .where('source', '=', 'device')
      .orderBy('rowId', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (!last || m.receivedMs - Number(last.receivedMs) > this.#repeatWindowMs) return null;
    const same = last.data === m.data && last.protocol === m.protocol && last.line === m.line;
    return same ? (last.repeatOf ?? last.id) : null;
  }
}

/** In the transaction of the message. */
export async function addDelivery(trx: DbOrTrx, outputId: string, rowId: number, account: string): Promise<void> {
  const fresh = { state: 'waiting' as const, tries: 0, sequence: null, endedMs: null, reason: null };
  await trx
    .insertInto('receiver_deliveries')
    .values({ outputId, messageRowId: rowId, account, ...fresh })
    .execute();
}
