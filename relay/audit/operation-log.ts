import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { entryHash, flaw, GENESIS, newSalt, operatorHash, searchText, subjectHash } from './chain.ts';
import type { AuditTables } from './schema.ts';

export const KEEP_MS = 90 * 86_400_000;
/** An operation that began so long ago and has not ended was cut off. */
const CUT_OFF_MS = 10 * 60_000;
/** Rows of one transaction of the sweep, and of one read of a check. */
const BATCH = 500;

/** One operation, as it is written down. */
export interface Operation {
  atMs: number;
  operatorCompanyId: string;
  userId: string | null;
  name: string | null;
  email: string | null;
  address: string | null;
  action: string;
  client: string;
  clientName: string | null;
  siteId: string | null;
  siteName: string | null;
  targetKind: string | null;
  targetId: string | null;
  targetName: string | null;
  detail: string | null;
  result: string;
}

/** An operator who was erased. */
const NOBODY = { userId: null, name: null, email: null, address: null };

export interface Verdict {
  companyId: string;
  /** Entries looked at. */
  entries: number;
  /** Of these, entries whose words about a person were erased. */
  erased: number;
  /** The newest entry: who keeps this outside can tell later that nothing before it was rewritten. */
  head: { seq: number; hash: string };
  /** Where the chain breaks, and how; null: it holds. */
  broken: { seq: number; reason: string } | null;
}

/**
 * Who did what, when, where, with what result: a hash chain for each company, of the last 90 days. An operation is noted
 * before it begins and written when it has ended, so that one cut off by a crash is in the log too (`interrupted`).
 */
export class OperationLog {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  #stop: (() => void) | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  readonly #writing = new Set<Promise<unknown>>();

  constructor({ db, clock, log }: { db: Db; clock: Clock; log: Logger }) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    const sweep = () => {
      this.#sweeping = this.#sweeping
        .then(() => this.sweep())
        .catch((error) => this.#log.error({ err: error }, 'the operation log could not be swept'));
    };
    sweep();
    this.#stop = this.#clock.every(CUT_OFF_MS, sweep);
  }

  async stop(): Promise<void> {
    this.#stop?.();
    await Promise.all([this.#sweeping, ...this.#writing]);
  }

  /** Something that nobody waits for, but the end. */
  meanwhile(written: Promise<unknown>): void {
    this.#writing.add(written);
    written.finally(() => this.#writing.delete(written));
  }

  /** Notes that an operation begins. */
  async begin(operation: Operation): Promise<string> {
    const id = uuidv7(operation.atMs);
    const row = { id, atMs: operation.atMs, entry: JSON.stringify(operation) };
    await this.#db.insertInto('audit_pending').values(row).execute();
    return id;
  }

  /** Writes an operation that has ended; `companies` are the tenants who see it. Nothing when it was given up before. */
  async finish(id: string, operation: Operation, companies: Iterable<string>): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      const row = await trx.selectFrom('audit_pending').select('entry').where('id', '=', id).executeTakeFirst();
      if (!row) return;
      await trx.deleteFrom('audit_pending').where('id', '=', id).execute();
      // It was the erasure of the operator's own data.
      const erased = (JSON.parse(row.entry) as Operation).userId === null;
      await append(trx, erased ? { ...operation, ...NOBODY } : operation, companies);
    });
  }

  /** Writes an operation that was not noted at its begin. */
  async write(operation: Operation, companies: Iterable<string>): Promise<void> {
    await this.#db.transaction().execute((trx) => append(trx, operation, companies));
  }

  /**
   * Erases every word about a person, as who did something and as whom it was done to. The chains still hold: they have
   * only salted hashes of these words, and the salt goes with them.
   */
  async erase(trx: DbOrTrx, userId: string): Promise<void> {
    await trx
      .updateTable('audit_people')
      .set({ operatorSalt: null, userId: null, name: null, email: null, address: null, search: '' })
      .where('userId', '=', userId)
      .execute();
    await trx
      .updateTable('audit_people')
      .set({ subjectSalt: null, siteName: null, targetName: null, detail: null, search: '' })
      .where((e) =>
        e.exists(
          e
            .selectFrom('audit_entries as a')
            .select('a.seq')
            .whereRef('a.companyId', '=', 'audit_people.companyId')
            .whereRef('a.seq', '=', 'audit_people.seq')
            .where('a.targetId', '=', userId),
        ),
      )
      .execute();
    const pending = await trx.selectFrom('audit_pending').select(['id', 'entry']).execute();
    for (const { id, entry } of pending) {
      const operation = JSON.parse(entry) as Operation;
      if (operation.userId !== userId) continue;
      const set = { entry: JSON.stringify({ ...operation, ...NOBODY }) };
      await trx.updateTable('audit_pending').set(set).where('id', '=', id).execute();
    }
  }

  /** Writes down what was cut off, and takes away what is older than 90 days; what is left still verifies. */
  async sweep(): Promise<void> {
    const cutOff = await this.#db
      .selectFrom('audit_pending')
      .selectAll()
      .where('atMs', '<=', this.#clock.now() - CUT_OFF_MS)
      .orderBy('id')
      .limit(BATCH)
      .execute();
    for (const { id, entry } of cutOff) {
      const operation = { ...(JSON.parse(entry) as Operation), result: 'interrupted' };
      await this.finish(id, operation, [operation.operatorCompanyId]);
    }
    const old = await this.#db
      .selectFrom('audit_entries')
      .select('companyId')
      .distinct()
      .where('atMs', '<=', this.#clock.now() - KEEP_MS)
      .execute();
    for (const { companyId } of old) while (await this.#cut(companyId)) {}
  }

  /** Cuts one batch off the old end of a chain; false when there was none. */
  #cut(companyId: string): Promise<boolean> {
    const cutoff = this.#clock.now() - KEEP_MS;
    return this.#db.transaction().execute(async (trx) => {
      const oldest = await trx
        .selectFrom('audit_entries')
        .select(['seq', 'hash', 'atMs'])
        .where('companyId', '=', companyId)
        .orderBy('seq')
        .limit(BATCH)
        .execute();
      // A clock that was set back leaves younger entries before older ones: only a whole piece of the chain goes.
      const kept = oldest.findIndex((entry) => entry.atMs > cutoff);
      const last = oldest.at(kept === -1 ? -1 : kept - 1);
      if (!last || kept === 0) return false;
      await trx
        .updateTable('audit_chains')
        .set({ checkpointSeq: last.seq, checkpointHash: last.hash })
        .where('companyId', '=', companyId)
        .execute();
      for (const table of ['audit_entries', 'audit_people'] as const)
        await trx.deleteFrom(table).where('companyId', '=', companyId).where('seq', '<=', last.seq).execute();
      return kept === -1;
    });
  }

  /** Follows a company's chain from its checkpoint to its end. */
  async verify(companyId: string): Promise<Verdict> {
    for (let tries = 0; ; tries++) {
      const before = await this.#chain(companyId);
      const verdict = await this.#follow(companyId, before);
      // The old end was cut off, or the first entry written, while this read: what it saw is of two moments.
      const moved = (await this.#chain(companyId))?.checkpointSeq !== before?.checkpointSeq;
      if (!verdict.broken || !moved || tries === 3) return verdict;
    }
  }

  #chain(companyId: string) {
    return this.#db.selectFrom('audit_chains').selectAll().where('companyId', '=', companyId).executeTakeFirst();
  }

  async #follow(companyId: string, chain: Selectable<AuditTables['audit_chains']> | undefined): Promise<Verdict> {
    const head = { seq: chain?.seq ?? 0, hash: chain?.hash ?? GENESIS };
    let { checkpointSeq: seq, checkpointHash: hash } = chain ?? { checkpointSeq: 0, checkpointHash: GENESIS };
    let entries = 0;
    let erased = 0;
    const verdict = (reason: string | null) => ({
      companyId,
      entries,
      erased,
      head,
      broken: reason === null ? null : { seq: seq + 1, reason },
    });
    const before = await this.#db
      .selectFrom('audit_entries')
      .select('seq')
      .where('companyId', '=', companyId)
      .where('seq', '<=', seq)
      .executeTakeFirst();
    if (before) return verdict('there are entries before the checkpoint');
    for (;;) {
      const rows = await this.#db
        .selectFrom('audit_entries')
        .selectAll()
        .where('companyId', '=', companyId)
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(BATCH)
        .execute();
      const people = await this.#db
        .selectFrom('audit_people')
        .selectAll()
        .where('companyId', '=', companyId)
        .where('seq', '>', seq)
        .where('seq', '<=', rows.at(-1)?.seq ?? seq)
        .execute();
      const bySeq = new Map(people.map((row) => [row.seq, row]));
      for (const row of rows) {
        // What is written while this reads stands behind the end that it began with.
        if (row.seq > head.seq && chain) break;
        if (row.seq !== seq + 1) return verdict('an entry is missing');
        const words = bySeq.get(row.seq);
        const reason = flaw(hash, row, words);
        if (reason) return verdict(reason);
        if (words?.operatorSalt === null || words?.subjectSalt === null) erased++;
        entries++;
        ({ seq, hash } = row);
      }
      if (rows.length < BATCH || seq >= head.seq) break;
    }
    if (seq !== head.seq || hash !== head.hash) return verdict('the newest entries are missing');
    return verdict(null);
  }

  /** Every company's chain; for whoever runs the relay. */
  async *verifyAll(): AsyncGenerator<Verdict> {
    const withEntries = await this.#db.selectFrom('audit_entries').select('companyId').distinct().execute();
    const chains = await this.#db.selectFrom('audit_chains').select('companyId').execute();
    const ids = new Set([...chains, ...withEntries].map((row) => row.companyId));
    for (const companyId of ids) yield await this.verify(companyId);
  }
}

/** Adds an operation to the end of each company's chain, inside the caller's transaction: it is in all of them or in none. */
export async function append(trx: DbOrTrx, operation: Operation, companies: Iterable<string>): Promise<void> {
  for (const companyId of [...new Set(companies)].sort()) {
    await trx
      .insertInto('audit_chains')
      .values({ companyId, seq: 0, hash: GENESIS, checkpointSeq: 0, checkpointHash: GENESIS })
      .onConflict((o) => o.column('companyId').doNothing())
      .execute();
    // Locks the chain's row: who adds at the same moment waits for this entry's hash.
    const chain = await trx
      .updateTable('audit_chains')
      .set((e) => ({ seq: e('seq', '+', 1) }))
      .where('companyId', '=', companyId)
      .returning(['seq', 'hash'])
      .executeTakeFirstOrThrow();
    const { userId, name, email, siteName, targetName, detail } = operation;
    // Where somebody worked from is their own company's business.
    const address = companyId === operation.operatorCompanyId ? operation.address : null;
    const salts = { operatorSalt: newSalt(), subjectSalt: newSalt() };
    const words = { userId, name, email, address, siteName, targetName, detail };
    const entry = {
      companyId,
      seq: chain.seq,
      id: uuidv7(operation.atMs),
      atMs: operation.atMs,
      operatorCompanyId: operation.operatorCompanyId,
      action: operation.action,
      client: operation.client,
      clientName: operation.clientName,
      siteId: operation.siteId,
      targetKind: operation.targetKind,
      targetId: operation.targetId,
      result: operation.result,
      operatorHash: operatorHash(salts.operatorSalt, words),
      subjectHash: subjectHash(salts.subjectSalt, words),
    };
    const hash = entryHash(chain.hash, entry);
    await trx
      .insertInto('audit_entries')
      .values({ ...entry, hash })
      .execute();
    await trx
      .insertInto('audit_people')
      .values({ companyId, seq: chain.seq, ...salts, ...words, search: searchText(entry, words) })
      .execute();
    await trx.updateTable('audit_chains').set({ hash }).where('companyId', '=', companyId).execute();
  }
}
