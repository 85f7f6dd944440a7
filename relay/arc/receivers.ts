import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import { parseDc09Key } from '../../protocol/codec/dc09-cipher.ts';
import { seal } from '../../protocol/codec/sealed.ts';
import {
  type ArcReceiver,
  type KeyFormat,
  type ReceiverEnd,
  type ReceiverProfile,
  ReceiverSettings,
  type ReceiverTest,
  type SaveArcReceiver,
  type TestReceiver,
} from '../../protocol/wire/arc-receiver.ts';
import type { DesiredArcAccount } from '../../protocol/wire/desired.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ProblemError } from '../api/problem.ts';
import { Limiter, retryAfter } from '../auth/limiter.ts';
import type { Scope } from '../auth/scope.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import type { DesiredStates } from '../desired/desired.ts';
import { type DialGuard, mustBeDialable } from './dial-guard.ts';
import { testReceiver } from './receiver-test.ts';

type Row = Selectable<Database['arc_receivers']>;
/** Of one centre: each of them dials out. */
const TESTS = 30;
const TESTS_MS = 10 * 60_000;
/** What an account takes over from its receiver. */
export type ReceiverFields = Pick<
  DesiredArcAccount,
  | 'receiverId'
  | 'protocol'
  | 'key'
  | 'keyFormat'
  | 'direct'
  | 'transport'
  | 'partition'
  | 'ackTimeoutMs'
  | 'attempts'
  | 'codes'
  | 'extended'
  | 'periodicTest'
  | 'supervision'
>;

/**
 * Receivers of centres that are on the platform (ARC-32): what boxes and the relay dial, how they speak there, and the key.
 * The key lies in the vault, because the relay seals it to each box and speaks on its own line; nothing gives it back.
 */
export class Receivers {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #desired: DesiredStates;
  readonly #guard: DialGuard;
  readonly #vault: Vault;
  readonly #hosted: (id: string | null) => ReceiverEnd | null;
  readonly #hostedChanged: () => Promise<void>;
  readonly #tests: Limiter;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    desired: DesiredStates;
    guard: DialGuard;
    vault: Vault;
    /** Where boxes reach a receiver that is the relay itself; null: the relay has none. Asked for null: one still to be made. */
    hosted: (id: string | null) => ReceiverEnd | null;
    /** One was added, changed or taken away. */
    hostedChanged: () => Promise<void>;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#desired = deps.desired;
    this.#guard = deps.guard;
    this.#vault = deps.vault;
    this.#hosted = deps.hosted;
    this.#hostedChanged = deps.hostedChanged;
    this.#tests = new Limiter({ clock: deps.clock, limit: TESTS, windowMs: TESTS_MS });
  }

  /** Of the company that asks, by name. */
  async list(scope: Scope): Promise<ArcReceiver[]> {
    const rows = await this.#db
      .selectFrom('arc_receivers')
      .selectAll()
      .where('companyId', '=', scope.companyId)
      .orderBy('name')
      .limit(1000)
      .execute();
    const counts = await this.#db
      .selectFrom('arc_accounts')
      .select((e) => ['receiverId', e.fn.countAll<number>().as('n')])
      .where('deletedAt', 'is', null)
      .where('receiverId', 'in', [...rows.map((row) => row.id), ''])
      .groupBy('receiverId')
      .execute();
    const used = new Map(counts.map(({ receiverId, n }) => [receiverId, Number(n)]));
    return rows.map((row) => ({
      ...this.#toProfile(row),
      accounts: used.get(row.id) ?? 0,
      createdAt: row.createdAt,
    }));
  }

  async get(scope: Scope, id: string): Promise<ArcReceiver> {
    const found = (await this.list(scope)).find((receiver) => receiver.id === id);
    if (!found) throw new ProblemError('not-found', 'There is no such receiver.');
    return found;
  }

  async add(scope: Scope, wanted: SaveArcReceiver): Promise<ArcReceiver> {
    const columns = await this.#columns(scope, wanted, null);
    const id = uuidv7(this.#clock.now());
    const key = this.#sealed(id, wanted.key ?? null);
    const values = { id, companyId: scope.companyId, createdAt: iso(this.#clock.now()), ...columns, key };
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('arc_receivers')
      .values(values)
      .onConflict((c) => c.columns(['companyId', 'name']).doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 0n) throw taken(wanted.name);
    this.#log.info({ receiverId: id, userId: scope.userId }, 'receiver added');
    await this.#hostedChanged();
    return this.get(scope, id);
  }

  /** Every account at the receiver follows, on every box. Without a key the one that is there stays; null takes it away. */
  async change(scope: Scope, id: string, wanted: SaveArcReceiver): Promise<ArcReceiver> {
    const old = await this.get(scope, id);
    const columns = await this.#columns(scope, wanted, id);
    // The same text read the other way is another key: who changes how it is read, enters it.
    if (wanted.key === undefined && old.encrypted && wanted.keyFormat !== old.keyFormat)
      throw invalid('key', 'enter the key again: read the other way it is another one');
    const serials = await this.#db.transaction().execute(async (trx) => {
      const same = await trx
        .selectFrom('arc_receivers')
        .select('id')
        .where('companyId', '=', scope.companyId)
        .where('name', '=', wanted.name)
        .where('id', '<>', id)
        .executeTakeFirst();
      if (same) throw taken(wanted.name);
      await trx
        .updateTable('arc_receivers')
        .set({ ...columns, ...(wanted.key === undefined ? {} : { key: this.#sealed(id, wanted.key) }) })
        .where('id', '=', id)
        .execute();
      return this.reapply(trx, id, wanted.key === null);
    });
    for (const serial of serials) this.#desired.announce(serial);
    this.#log.info({ receiverId: id, userId: scope.userId, boxes: serials.length }, 'receiver changed');
    await this.#hostedChanged();
    return this.get(scope, id);
  }

  /** Not one that accounts use or used: their alarms keep its name. */
  async remove(scope: Scope, id: string): Promise<string> {
    const { name } = await this.get(scope, id);
    mustBeCentre(scope);
    scope.must('manage-all-sites');
    await this.#db.transaction().execute(async (trx) => {
      const used = await trx
        .selectFrom('arc_accounts')
        .select('id')
        .where('receiverId', '=', id)
        .limit(1)
        .executeTakeFirst();
      if (used)
        throw new ProblemError('conflict', `Accounts use “${name}”, or did: it stays, because alarms were sent there.`);
      await trx.deleteFrom('arc_receivers').where('id', '=', id).execute();
    });
    this.#log.info({ receiverId: id, userId: scope.userId }, 'receiver removed');
    await this.#hostedChanged();
    return name;
  }

  /** Sends one message from here, also with a key that is not saved yet. */
  async test(scope: Scope, id: string, wanted: TestReceiver): Promise<ReceiverTest> {
    const { keyFormat, kind, name } = await this.get(scope, id);
    mustBeCentre(scope);
    scope.must('manage-all-sites');
    if (kind === 'hosted')
      throw new ProblemError('conflict', `“${name}” is the relay itself: there is nothing to dial.`);
    const format = wanted.keyFormat ?? keyFormat;
    const text = wanted.key === undefined ? this.#keyText(await this.#row(this.#db, id)) : wanted.key;
    if (text !== null && !parseDc09Key(text, format)) throw invalid('key', keyForm(format));
    const waitMs = this.#tests.take(scope.companyId);
    if (waitMs > 0)
      throw new ProblemError('too-many-requests', `You have tested ${TESTS} times in ten minutes: wait.`, {
        headers: retryAfter(waitMs),
      });
    const profile = await this.profile(this.#db, id);
    const deps = { guard: this.#guard, clock: this.#clock };
    return testReceiver(deps, profile, text === null ? null : { text, format }, wanted);
  }

  /** One that is the relay itself is reached elsewhere now: every account there hears of it. */
  async moved(receiverId: string): Promise<void> {
    const serials = await this.#db.transaction().execute((trx) => this.reapply(trx, receiverId));
    for (const serial of serials) this.#desired.announce(serial);
  }

  /** Of any company's receiver: the caller has checked who asks. */
  async profile(db: DbOrTrx, receiverId: string): Promise<ReceiverProfile> {
    return this.#toProfile(await this.#row(db, receiverId));
  }

  /** The bytes of the key; null: in clear. Never to be shown or logged. */
  async key(receiverId: string, db: DbOrTrx = this.#db): Promise<Buffer | null> {
    const row = await this.#row(db, receiverId);
    const text = this.#keyText(row);
    return text === null ? null : parseDc09Key(text, row.keyFormat);
  }

  /** What an account at this receiver has of it, the key sealed to its box (`sealKey`). */
  async fields(db: DbOrTrx, receiverId: string, account: { id: string; sealKey: string }): Promise<ReceiverFields> {
    return this.#fields(await this.#row(db, receiverId), account);
  }

  /**
   * Every account there takes over what the receiver wants now; the caller announces the boxes returned after its commit.
   * An account with a key of its own keeps it where the receiver has none, unless `clear`.
   */
  async reapply(trx: DbOrTrx, receiverId: string, clear = false): Promise<string[]> {
    const row = await this.#row(trx, receiverId);
    const accounts = await trx
      .selectFrom('arc_accounts as a')
      .innerJoin('boxes as b', 'b.serial', 'a.boxSerial')
      .select(['a.id', 'a.boxSerial', 'a.encrypted', 'b.sealKey'])
      .where('a.receiverId', '=', receiverId)
      .where('a.deletedAt', 'is', null)
      .execute();
    const keepsOwn = row.key === null && !clear;
    for (const [serial, own] of Map.groupBy(accounts, (account) => account.boxSerial)) {
      const fields = new Map(own.map((account) => [account.id, this.#fields(row, account)]));
      await this.#desired.change(
        serial,
        'arc',
        (items) =>
          items.map((item) => {
            const now = fields.get(item.id);
            if (!now) return item;
            return keepsOwn ? { ...item, ...now, key: item.key, keyFormat: item.keyFormat } : { ...item, ...now };
          }),
        trx,
      );
    }
    const { protocol, supervision } = this.#toProfile(row);
    await trx
      .updateTable('arc_accounts')
      .set({
        protocol,
        supervisionKind: supervision.kind,
        supervisionIntervalMs: supervision.intervalMs,
        ...(keepsOwn ? {} : { encrypted: row.key === null ? 0 : 1 }),
      })
      .where('receiverId', '=', receiverId)
      .where('deletedAt', 'is', null)
      .execute();
    return [...new Set(accounts.map((account) => account.boxSerial))];
  }

  async #columns(scope: Scope, wanted: SaveArcReceiver, id: string | null) {
    mustBeCentre(scope);
    scope.must('manage-all-sites');
    const { name, kind, key, keyFormat, direct, relay, ...settings } = wanted;
    if (typeof key === 'string' && !parseDc09Key(key, keyFormat)) throw invalid('key', keyForm(keyFormat));
    const own = kind === 'hosted' ? (this.#hosted(id) ?? this.#hosted(null)) : null;
    if (kind === 'hosted' && !own)
      throw new ProblemError('conflict', 'This relay receives no alarms itself: enter where your receiver is reached.');
    const ends = own ? { direct: own, relay: own } : { direct: direct!, relay: relay! };
    if (!own) await mustBeDialable(this.#guard, ends.relay.host);
    const { transport } = settings;
    return {
      name,
      kind,
      keyFormat,
      transport,
      settings: JSON.stringify(settings),
      directHost: ends.direct.host,
      directPort: ends.direct.port,
      relayHost: ends.relay.host,
      relayPort: ends.relay.port,
    };
  }

  #toProfile(row: Row): ReceiverProfile {
    const { id, name, kind, transport, keyFormat } = row;
    const own = kind === 'hosted' ? this.#hosted(id) : null;
    return {
      ...ReceiverSettings.parse(JSON.parse(row.settings)),
      id,
      name,
      kind,
      transport,
      keyFormat,
      encrypted: row.key !== null,
      direct: own ?? { host: row.directHost, port: row.directPort },
      relay: own ?? { host: row.relayHost, port: row.relayPort },
    };
  }

  #fields(row: Row, account: { id: string; sealKey: string }): ReceiverFields {
    const {
      direct,
      transport,
      protocol,
      partition,
      ackTimeoutMs,
      attempts,
      codes,
      extended,
      periodicTest,
      supervision,
    } = this.#toProfile(row);
    const text = this.#keyText(row);
    return {
      receiverId: row.id,
      direct,
      transport,
      protocol,
      partition,
      ackTimeoutMs,
      attempts,
      codes,
      extended,
      periodicTest,
      supervision,
      keyFormat: row.keyFormat,
      key: text === null ? null : seal(text, account.sealKey, `arc:${account.id}`),
    };
  }

  #sealed(id: string, key: string | null): string | null {
    return key === null ? null : this.#vault.seal(purpose(id), key);
  }

  #keyText({ id, key }: Row): string | null {
    return key === null ? null : this.#vault.open(purpose(id), key);
  }

  async #row(db: DbOrTrx, id: string): Promise<Row> {
    const row = await db.selectFrom('arc_receivers').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw new ProblemError('not-found', 'There is no such receiver.');
    return row;
  }
}

const purpose = (receiverId: string) => `arc-receiver:${receiverId}`;
const taken = (name: string) => new ProblemError('conflict', `There is a receiver “${name}” already.`);
const invalid = (path: string, message: string) =>
  new ProblemError('invalid-request', `${path}: ${message}`, { errors: [{ path, message }] });

/** What a key of each kind must be. */
export const keyForm = (format: KeyFormat): string =>
  format === 'hex' ? 'it has 32, 48 or 64 hex digits' : 'it has 16, 24 or 32 characters without accents';

function mustBeCentre(scope: Scope): void {
  if (scope.companyType !== 'arc') throw new ProblemError('not-allowed', 'This is for alarm receiving centres.');
}
