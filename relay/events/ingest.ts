import { sql } from 'kysely';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { JournalRecord } from '../../protocol/wire/event.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import { type Hello, JournalBatch } from '../../protocol/wire/uplink.ts';
import type { AuthenticatedBox } from '../boxes/authenticate.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { isPostgres } from '../db/dialect.ts';
import { isDatabaseFailure } from '../db/failure.ts';
import { SharedCommits } from '../db/shared-commits.ts';
import type { Quarantine } from './quarantine.ts';
import { Turns } from './turns.ts';

type RecordOf<K extends JournalRecord['kind']> = Extract<JournalRecord, { kind: K }>;
/** Writes one record; idempotent by the record's id, because boxes send again what was not acknowledged. */
export type Apply<K extends JournalRecord['kind']> = (
  trx: DbOrTrx,
  box: AuthenticatedBox,
  record: RecordOf<K>,
) => Promise<unknown>;

/** How far one connection of a box got; a new one for each connection. */
export interface JournalSession {
  lastSeq: number | null;
}

const Position = z.object({ seq: z.int().min(1) });
const MAX_REASON = 300;
/** Batches that SQLite takes in one transaction: more would let an alarm on its way through the relay wait. */
const TOGETHER = 8;
/** Transactions that PostgreSQL has at a time; the rest of the connections are for people and alarms. */
const SIDE_BY_SIDE = 4;

/**
 * Takes the journals of boxes: one transaction a batch, committed before the PUBACK. Records are validated one by one; a
 * bad one is quarantined alone. Rejects only when the database fails, and then nothing of the batch is stored.
 */
export class JournalIngest {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #quarantine: Quarantine;
  readonly #apply: { clip: Apply<'clip'>; alarm: Apply<'alarm'> };
  readonly #stored: (box: AuthenticatedBox, records: JournalRecord[]) => void;
  readonly #write: (batch: (trx: DbOrTrx) => Promise<void>) => Promise<void>;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    quarantine: Quarantine;
    apply: { clip: Apply<'clip'>; alarm: Apply<'alarm'> };
    /** After the commit, with what the batch told. */
    stored: (box: AuthenticatedBox, records: JournalRecord[]) => void;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#quarantine = deps.quarantine;
    this.#apply = deps.apply;
    this.#stored = deps.stored;
    const alone = (batch: (trx: DbOrTrx) => Promise<void>) => this.#db.transaction().execute(batch);
    if (isPostgres(deps.db)) {
      const turns = new Turns(SIDE_BY_SIDE);
      this.#write = (batch) => turns.run(() => alone(batch));
    } else {
      // Each commit waits for the disk, and everybody else with it. A batch that fails fails alone.
      const commits = new SharedCommits({ db: deps.db, atOnce: TOGETHER });
      this.#write = (batch) =>
        commits.run(batch).catch((error) => {
          if (isDatabaseFailure(error)) throw error;
          return alone(batch);
        });
    }
  }

  /** What the relay holds of a box's journal, for {@link Hello}. */
  async position(serial: string): Promise<Pick<Hello, 'journalId' | 'seq'>> {
    const row = await this.#db
      .selectFrom('box_journals')
      .select(['journalId', 'seq'])
      .where('serial', '=', serial)
      .executeTakeFirst();
    return row ? { journalId: row.journalId, seq: Number(row.seq) } : { journalId: null, seq: 0 };
  }

  async ingest(box: AuthenticatedBox, topic: string, payload: string, session: JournalSession): Promise<void> {
    const batch = JournalBatch.safeParse(parseJson(payload));
    if (!batch.success) {
      const reason = `not a batch: ${z.prettifyError(batch.error)}`.slice(0, MAX_REASON);
      await this.#quarantine.put(this.#db, box.serial, { topic, reason, payload });
      await this.#quarantine.warn(box.siteId, box.serial, reason);
      return;
    }
    const { journalId, records } = batch.data;
    const stored: JournalRecord[] = [];
    const refused: string[] = [];
    const span = spanOf(records);
    await this.#write(async (trx) => {
      stored.length = refused.length = 0;
      for (const raw of records) {
        const reason = await this.#record(trx, box, raw, stored);
        if (reason === null) continue;
        refused.push(reason);
        await this.#quarantine.put(trx, box.serial, { topic, reason, payload: written(raw) });
      }
      await this.#advance(trx, box.serial, journalId, span, session);
    });
    if (span) session.lastSeq = Math.max(session.lastSeq ?? 0, span.last);
    if (stored.length > 0) this.#stored(box, stored);
    if (refused[0]) {
      this.#log.warn({ serial: box.serial, refused: refused.length, reason: refused[0] }, 'records quarantined');
      await this.#quarantine.warn(box.siteId, box.serial, refused[0]);
    }
  }

  /** Stores one record; returns why it could not be used, or null. */
  async #record(trx: DbOrTrx, box: AuthenticatedBox, raw: unknown, stored: JournalRecord[]): Promise<string | null> {
    const parsed = JournalRecord.safeParse(raw);
    if (!parsed.success) return z.prettifyError(parsed.error).slice(0, MAX_REASON);
    await sql`savepoint record`.execute(trx);
    try {
      await this.#dispatch(trx, box, parsed.data);
      await sql`release savepoint record`.execute(trx);
      stored.push(parsed.data);
      return null;
    } catch (error) {
      if (isDatabaseFailure(error)) throw error;
      this.#log.error({ err: error, serial: box.serial, id: parsed.data.id }, 'a record could not be stored');
      await sql`rollback to savepoint record`.execute(trx);
      await sql`release savepoint record`.execute(trx);
      return `could not be stored: ${String(error)}`.slice(0, MAX_REASON);
    }
  }

  async #dispatch(trx: DbOrTrx, box: AuthenticatedBox, record: JournalRecord): Promise<void> {
    switch (record.kind) {
      case 'event': {
        const { id, type, deviceId, channel, occurredAt, seenAt, deviceTime, sourceRef, text } = record.body;
        const values = { id, type, deviceId, channel, occurredAt, seenAt, deviceTime, sourceRef, text };
        const receivedAt = iso(this.#clock.now());
        await trx
          .insertInto('events')
          .values({ ...values, siteId: box.siteId, boxSerial: box.serial, receivedAt })
          .onConflict((c) => c.column('id').doNothing())
          .execute();
        return;
      }
      case 'eventEnd':
        await trx
          .updateTable('events')
          .set({ endedAt: record.body.endedAt })
          .where('id', '=', record.body.eventId)
          .where('boxSerial', '=', box.serial)
          .execute();
        return;
      case 'clip':
        await this.#apply.clip(trx, box, record);
        return;
      case 'alarm':
        await this.#apply.alarm(trx, box, record);
    }
  }

  /**
   * Moves what {@link Hello} tells forward. The first batch of a connection may begin anywhere: it follows a Hello, and
   * what lies between is no longer in the box's journal. After that a gap means that a batch before failed: what came is
   * stored, but the box has to send again from the gap.
   */
  async #advance(
    trx: DbOrTrx,
    serial: string,
    journalId: string,
    span: { first: number; last: number } | null,
    session: JournalSession,
  ): Promise<void> {
    if (!span || !Uuid.safeParse(journalId).success) return;
    const held = await trx
      .selectFrom('box_journals')
      .select(['journalId', 'seq'])
      .where('serial', '=', serial)
      .executeTakeFirst();
    const heldSeq = held?.journalId === journalId ? Number(held.seq) : 0;
    if (span.first > heldSeq + 1) {
      if (session.lastSeq !== null) {
        this.#log.warn({ serial, heldSeq, first: span.first }, 'a batch is missing: the box will send it again');
        return;
      }
      this.#log.warn(
        { serial, heldSeq, first: span.first },
        'the journal of the box begins later than the relay holds',
      );
    }
    const seq = Math.max(heldSeq, span.last);
    await trx
      .insertInto('box_journals')
      .values({ serial, journalId, seq })
      .onConflict((c) => c.column('serial').doUpdateSet({ journalId, seq }))
      .execute();
  }
}

/** What nests deeper than the stack can be read, but not written. */
function written(raw: unknown): string {
  try {
    return JSON.stringify(raw);
  } catch {
    return 'a record that nests too deeply';
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** First and last sequence of a batch without gaps; a record too broken to say stands where it stands. Null otherwise. */
function spanOf(records: unknown[]): { first: number; last: number } | null {
  const positions = records.map((record) => Position.safeParse(record).data?.seq);
  const anchor = positions.findIndex((seq) => seq !== undefined);
  if (anchor < 0) return null;
  const first = positions[anchor]! - anchor;
  if (first < 1 || positions.some((seq, i) => seq !== undefined && seq !== first + i)) return null;
  return { first, last: first + records.length - 1 };
}
