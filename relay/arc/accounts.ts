import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { parseDc09Key } from '../../protocol/codec/dc09-cipher.ts';
import { seal } from '../../protocol/codec/sealed.ts';
import type { ArcAccount, CreateArcAccount, CreateReceiver, Receiver } from '../../protocol/wire/api.ts';
import type { DesiredArcAccount } from '../../protocol/wire/desired.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { ArcPathHealth, Health } from '../../protocol/wire/uplink.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import type { DesiredStates } from '../desired/desired.ts';
import { type DialGuard, mustBeDialable } from './dial-guard.ts';
import { endAccounts } from './end-accounts.ts';
import { userOfNumber } from './number.ts';

type ReceiverRow = Selectable<Database['arc_receivers']>;
type AccountRow = Selectable<Database['arc_accounts']>;
type NewAccount = z.output<typeof CreateArcAccount>;

/**
 * Receivers of a company and the accounts that its boxes have there. An account lives twice: here, for people and for the
 * relay path, and in the box's desired state, with its key sealed to the box. The relay cannot read the key.
 */
export class ArcAccounts {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #desired: DesiredStates;
  readonly #guard: DialGuard;
  readonly #health: (serial: string) => Health | null;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    desired: DesiredStates;
    guard: DialGuard;
    /** What a connected box last said of itself. */
    health: (serial: string) => Health | null;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log.child({ module: 'arc' });
    this.#desired = deps.desired;
    this.#guard = deps.guard;
    this.#health = deps.health;
  }

  async receivers(scope: Scope): Promise<Receiver[]> {
    const rows = await this.#db
      .selectFrom('arc_receivers')
      .selectAll()
      .where('companyId', '=', scope.companyId)
      .orderBy('name')
      .limit(1000)
      .execute();
    return rows.map(toReceiver);
  }

  async addReceiver(scope: Scope, wanted: z.output<typeof CreateReceiver>): Promise<Receiver> {
    await mustBeDialable(this.#guard, wanted.relay.host);
    const id = uuidv7(this.#clock.now());
    const row = { id, companyId: scope.companyId, createdAt: iso(this.#clock.now()), ...columnsOf(wanted) };
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('arc_receivers')
      .values(row)
      .onConflict((c) => c.columns(['companyId', 'name']).doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 0n) {
      throw new ProblemError('conflict', `There is a receiver “${wanted.name}” already.`);
    }
    this.#log.info({ receiverId: id, userId: scope.userId }, 'receiver added');
    return toReceiver(row);
  }

  /**
   * Every box with an account at the receiver hears of its new addresses. Not while sites use it that the company no longer
   * manages: their alarms stay where their owner knows them to go.
   */
  async changeReceiver(scope: Scope, id: string, wanted: z.output<typeof CreateReceiver>): Promise<Receiver> {
    const old = await this.#receiver(this.#db, scope.companyId, id);
    await mustBeDialable(this.#guard, wanted.relay.host);
    const row = { ...old, ...columnsOf(wanted) };
    const serials = await this.#db.transaction().execute(async (trx) => {
      const same = await trx
        .selectFrom('arc_receivers')
        .select('id')
        .where('companyId', '=', scope.companyId)
        .where('name', '=', wanted.name)
        .where('id', '<>', id)
        .executeTakeFirst();
      if (same) throw new ProblemError('conflict', `There is a receiver “${wanted.name}” already.`);
      const foreign = await trx
        .selectFrom('arc_accounts')
        .select('id')
        .where('receiverId', '=', id)
        .where('deletedAt', 'is', null)
        .where('siteId', 'not in', scope.siteIds('manage'))
        .executeTakeFirst();
      if (foreign)
        throw new ProblemError(
          'conflict',
          'Sites use this receiver that you do not manage (any more). Add the new addresses as another receiver.',
        );
      await trx.updateTable('arc_receivers').set(columnsOf(wanted)).where('id', '=', id).execute();
      const accounts = await trx
        .selectFrom('arc_accounts')
        .select('boxSerial')
        .distinct()
        .where('receiverId', '=', id)
        .where('deletedAt', 'is', null)
        .execute();
      const { direct, transport } = wanted;
      for (const { boxSerial } of accounts) {
        const update = (items: DesiredArcAccount[]) =>
          items.map((item) => (item.receiverId === id ? { ...item, direct, transport } : item));
        await this.#desired.change(boxSerial, 'arc', update, trx);
      }
      return accounts.map((account) => account.boxSerial);
    });
    for (const serial of serials) this.#desired.announce(serial);
    this.#log.info({ receiverId: id, userId: scope.userId }, 'receiver changed');
    return toReceiver(row);
  }

  async accounts(scope: Scope, siteId: string): Promise<ArcAccount[]> {
    const site = await scope.site(siteId);
    if (!(await scope.holds(siteId, null, 'view'))) throw new ProblemError('permission-needed');
    const rows = await this.#db
      .selectFrom('arc_accounts as a')
      .innerJoin('arc_receivers as r', 'r.id', 'a.receiverId')
      .selectAll('a')
      .select('r.name as receiverName')
      .where('a.siteId', '=', site.id)
      .where('a.deletedAt', 'is', null)
      .orderBy('a.createdAt')
      .limit(1000)
      .execute();
    return rows.map((row) => this.#toAccount(row, row.receiverName));
  }

  async addAccount(scope: Scope, siteId: string, wanted: NewAccount): Promise<ArcAccount> {
    const site = await scope.site(siteId, 'manage');
    scope.must('manage-devices');
    const id = uuidv7(this.#clock.now());
    return this.#save(scope, site, wanted, { id, createdAt: iso(this.#clock.now()) }, null);
  }

  /** Without a key the one that is there stays; another box cannot be named, because no key can be sealed anew for it. */
  async changeAccount(scope: Scope, id: string, wanted: NewAccount): Promise<ArcAccount> {
    const old = await this.#account(scope, id);
    await scope.site(old.siteId, 'manage');
    scope.must('manage-devices');
    mustBeByHand(old);
    if (wanted.boxSerial !== old.boxSerial) {
      throw new ProblemError(
        'conflict',
        'An account stays with its box: add one for the other box and remove this one.',
      );
    }
    return this.#save(scope, await scope.site(old.siteId, 'manage'), wanted, old, old);
  }

  /** The box stops sending for it; its alarms stay listed. The owner of the site may, and who manages it. */
  async removeAccount(scope: Scope, id: string): Promise<void> {
    const account = await this.#account(scope, id);
    const { boxSerial, siteId } = account;
    if (!(await scope.holds(siteId, null, 'own'))) {
      await scope.site(siteId, 'manage');
      scope.must('manage-devices');
    }
    mustBeByHand(account);
    await this.#db.transaction().execute(async (trx) => {
      await endAccounts(trx, 'id', id, iso(this.#clock.now()));
      await this.#desired.change(boxSerial, 'arc', (items) => items.filter((item) => item.id !== id), trx);
    });
    this.#desired.announce(boxSerial);
    this.#log.info({ accountId: id, userId: scope.userId }, 'account removed');
  }

  async #save(
    scope: Scope,
    site: { id: string; companyId: string },
    wanted: NewAccount,
    kept: { id: string; createdAt: string },
    old: AccountRow | null,
  ): Promise<ArcAccount> {
    const { key, keyFormat, boxSerial, receiverId, account, protocol, mode, events, zones, supervision } = wanted;
    if (key !== null && !parseDc09Key(key, keyFormat)) {
      const text = keyFormat === 'hex' ? '32, 48 or 64 hex digits' : '16, 24 or 32 characters without accents';
      throw new ProblemError('invalid-request', `key: it has ${text}`, {
        errors: [{ path: 'key', message: `it has ${text}` }],
      });
    }
    const { id, createdAt } = kept;
    const row: AccountRow = {
      id,
      createdAt,
      siteId: site.id,
      boxSerial,
      receiverId,
      account,
      protocol,
      mode,
      encrypted: key !== null || old?.encrypted ? 1 : 0,
      events: JSON.stringify(events),
      zones: JSON.stringify(zones),
      supervisionKind: supervision.kind,
      supervisionIntervalMs: supervision.intervalMs,
      deletedAt: null,
      endedSiteName: null,
      arcId: null,
    };
    const receiver = await this.#db.transaction().execute(async (trx) => {
      const found = await this.#receiver(trx, site.companyId, receiverId);
      const box = await trx
        .selectFrom('boxes')
        .select(['sealKey', 'state'])
        .where('serial', '=', boxSerial)
        .where('siteId', '=', site.id)
        .executeTakeFirst();
      if (!box) throw new ProblemError('not-found', `Box ${boxSerial} is not at this site.`);
      if (box.state === 'revoked') throw new ProblemError('box-revoked');
      if (await userOfNumber(trx, row))
        throw new ProblemError('conflict', `Account ${account} at this receiver is in use.`);
      if (old) await trx.updateTable('arc_accounts').set(row).where('id', '=', id).execute();
      else await trx.insertInto('arc_accounts').values(row).execute();
      const { direct, transport } = toReceiver(found);
      await this.#desired.change(
        boxSerial,
        'arc',
        (items) => {
          const before = items.find((item) => item.id === id);
          const item: DesiredArcAccount = {
            id,
            receiverId,
            account,
            protocol,
            mode,
            direct,
            transport,
            events,
            zones,
            supervision,
            key: key === null ? (before?.key ?? null) : seal(key, box.sealKey, `arc:${id}`),
            keyFormat: key === null ? (before?.keyFormat ?? keyFormat) : keyFormat,
            partition: before?.partition ?? 1,
            ...USUAL,
          };
          return before ? items.map((other) => (other.id === id ? item : other)) : [...items, item];
        },
        trx,
      );
      return found;
    });
    this.#desired.announce(boxSerial);
    this.#log.info({ accountId: id, boxSerial, userId: scope.userId }, old ? 'account changed' : 'account added');
    return this.#toAccount(row, receiver.name);
  }

  async #receiver(db: DbOrTrx, companyId: string, id: string): Promise<ReceiverRow> {
    const row = await db
      .selectFrom('arc_receivers')
      .selectAll()
      .where('id', '=', id)
      .where('companyId', '=', companyId)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found', 'There is no such receiver.');
    return row;
  }

  async #account(scope: Scope, id: string): Promise<AccountRow> {
    const row = await this.#db
      .selectFrom('arc_accounts')
      .selectAll()
      .where('id', '=', id)
      .where('deletedAt', 'is', null)
      .where('siteId', 'in', scope.siteIds('view'))
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return row;
  }

  #toAccount(row: AccountRow, receiverName: string): ArcAccount {
    const { id, siteId, boxSerial, receiverId, account, protocol, mode, arcId } = row;
    const health: ArcPathHealth | null = this.#health(boxSerial)?.arc.find((a) => a.accountId === id) ?? null;
    return {
      id,
      siteId,
      boxSerial,
      receiverId,
      receiverName,
      account,
      protocol,
      mode,
      arcId,
      health,
      encrypted: row.encrypted === 1,
      events: JSON.parse(row.events),
      zones: JSON.parse(row.zones),
      supervision: { kind: row.supervisionKind, intervalMs: Number(row.supervisionIntervalMs) },
    };
  }
}

/** What a centre on the platform has accepted is changed where it was enabled. */
function mustBeByHand({ arcId, account }: AccountRow): void {
  if (arcId === null) return;
  throw new ProblemError(
    'conflict',
    `Account ${account} belongs to devices that a centre has accepted: turn its devices off, or withdraw the site.`,
  );
}

/** How every account is set up until its receiver asks for something else. */
const USUAL = {
  devices: null,
  ackTimeoutMs: 5_000,
  attempts: 2,
  codes: [],
  extended: { blocks: 1, text: false, picture: false, path: false },
  periodicTest: null,
} satisfies Partial<DesiredArcAccount>;

function columnsOf({ name, direct, relay, transport }: z.output<typeof CreateReceiver>) {
  const relayEnd = { relayHost: relay.host, relayPort: relay.port };
  return { name, directHost: direct.host, directPort: direct.port, ...relayEnd, transport };
}

function toReceiver(row: Pick<ReceiverRow, keyof ReturnType<typeof columnsOf> | 'id'>): Receiver {
  const { id, name, transport } = row;
  const direct = { host: row.directHost, port: row.directPort };
  return { id, name, direct, relay: { host: row.relayHost, port: row.relayPort }, transport };
}
