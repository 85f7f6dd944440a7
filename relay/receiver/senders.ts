import type { Selectable } from 'kysely';
import { type Clock, iso } from '../../protocol/clock.ts';
import { parseDc09Key } from '../../protocol/codec/dc09-cipher.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { ReceiverSender, SaveSender } from '../../protocol/wire/receiver.ts';
import { ProblemError } from '../api/problem.ts';
import { userOfNumber } from '../arc/number.ts';
import { keyForm } from '../arc/receivers.ts';
import type { Scope } from '../auth/scope.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db } from '../db/database.ts';
import type { Directory, KnownAccount } from './directory.ts';
import { Lookups } from './lookups.ts';
import { mustBeCentre } from './rights.ts';
import type { ReceiverTables } from './schema.ts';

type Row = Selectable<ReceiverTables['receiver_senders']>;
const MAX_SENDERS = 20_000;

/**
 * Who may send to a hosted receiver: accounts of boxes, with the receiver's key; and devices that the centre entered itself,
 * each with its own.
 */
export class Senders implements Directory {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #vault: Vault;
  readonly #receiverKey: (receiverId: string) => Promise<Buffer | null>;
  readonly #lookups: Lookups;

  constructor(deps: {
    db: Db;
    clock: Clock;
    vault: Vault;
    receiverKey: (receiverId: string) => Promise<Buffer | null>;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#vault = deps.vault;
    this.#receiverKey = deps.receiverKey;
    this.#lookups = new Lookups(deps);
  }

  find(receiverId: string, account: string): Promise<KnownAccount | null> {
    return this.#lookups.find(`${receiverId} ${account}`, () => this.#find(receiverId, account));
  }

  async #find(receiverId: string, account: string): Promise<KnownAccount | null> {
    const box = await this.#db
      .selectFrom('arc_accounts as a')
      .innerJoin('arc_receivers as r', 'r.id', 'a.receiverId')
      .select(['a.id', 'a.encrypted', 'r.companyId'])
      .where('a.receiverId', '=', receiverId)
      .where('a.account', '=', account)
      .where('a.deletedAt', 'is', null)
      .executeTakeFirst();
    if (box) {
      const key = box.encrypted === 1 ? await this.#receiverKey(receiverId) : null;
      // A key that only box and installer know: nothing could be read here.
      if (box.encrypted === 1 && !key) return null;
      // The relay watches boxes itself, over all their paths, and says so on its own line.
      const rest = { accountId: box.id, key, localTime: false, supervisionMs: null };
      return { owner: box.companyId, receiverId, account, ...rest };
    }
    const row = await this.#db
      .selectFrom('receiver_senders')
      .selectAll()
      .where('receiverId', '=', receiverId)
      .where('account', '=', account)
      .executeTakeFirst();
    return row ? this.#known(row) : null;
  }

  async supervised(): Promise<KnownAccount[]> {
    const rows = await this.#db
      .selectFrom('receiver_senders')
      .selectAll()
      .where('supervisionMs', 'is not', null)
      .execute();
    // Watching needs no keys.
    return rows.map((row) => ({ ...this.#known({ ...row, sealed: null }) }));
  }

  #known(row: Row): KnownAccount {
    const { id, owner, receiverId, account } = row;
    return {
      owner,
      receiverId,
      account,
      accountId: null,
      localTime: row.localTime === 1,
      key: row.sealed === null ? null : parseDc09Key(this.#vault.open(purpose(id), row.sealed), row.keyFormat),
      supervisionMs: row.supervisionMs === null ? null : Number(row.supervisionMs),
    };
  }

  async list(
    scope: Scope,
    heard: (receiverId: string, account: string) => { lastMs: number | null; silentMs: number | null },
  ): Promise<ReceiverSender[]> {
    mustBeCentre(scope);
    const rows = await this.#db
      .selectFrom('receiver_senders')
      .selectAll()
      .where('owner', '=', scope.companyId)
      .orderBy('account')
      .limit(MAX_SENDERS)
      .execute();
    return rows.map((row) => {
      const { lastMs, silentMs } = heard(row.receiverId, row.account);
      const at = (ms: number | null) => (ms === null ? null : iso(ms));
      return { ...toSender(row), lastHeardAt: at(lastMs), silentSince: at(silentMs) };
    });
  }

  async add(scope: Scope, wanted: SaveSender): Promise<ReceiverSender> {
    return this.#save(scope, wanted, null);
  }

  /** Without a key the one that is there stays. */
  async change(scope: Scope, id: string, wanted: SaveSender): Promise<ReceiverSender> {
    return this.#save(scope, wanted, await this.#row(scope, id));
  }

  async remove(scope: Scope, id: string): Promise<Row> {
    const row = await this.#row(scope, id);
    await this.#db.deleteFrom('receiver_senders').where('id', '=', id).execute();
    this.#lookups.forget();
    await this.#db
      .deleteFrom('receiver_heard')
      .where('receiverId', '=', row.receiverId)
      .where('account', '=', row.account)
      .execute();
    return row;
  }

  async #save(scope: Scope, wanted: SaveSender, old: Row | null): Promise<ReceiverSender> {
    mustBeCentre(scope);
    const { receiverId, account, name, key, keyFormat } = wanted;
    if (key !== null && !parseDc09Key(key, keyFormat)) {
      const message = keyForm(keyFormat);
      throw new ProblemError('invalid-request', `key: ${message}`, { errors: [{ path: 'key', message }] });
    }
    const now = this.#clock.now();
    const id = old?.id ?? uuidv7(now);
    const row: Row = {
      id,
      owner: scope.companyId,
      receiverId,
      account,
      name,
      createdMs: old ? Number(old.createdMs) : now,
      sealed: key === null ? (old?.sealed ?? null) : this.#vault.seal(purpose(id), key),
      keyFormat: key === null ? (old?.keyFormat ?? keyFormat) : keyFormat,
      localTime: wanted.localTime ? 1 : 0,
      supervisionMs: wanted.supervisionS === null ? null : wanted.supervisionS * 1000,
    };
    await this.#db.transaction().execute(async (trx) => {
      const receiver = await trx
        .selectFrom('arc_receivers')
        .select('id')
        .where('id', '=', receiverId)
        .where('companyId', '=', scope.companyId)
        .where('kind', '=', 'hosted')
        .executeTakeFirst();
      if (!receiver) throw new ProblemError('not-found', 'There is no such receiver on this relay.');
      if (await userOfNumber(trx, row))
        throw new ProblemError('conflict', `Account ${account} at this receiver is in use.`);
      const { count } = await trx
        .selectFrom('receiver_senders')
        .select((e) => e.fn.countAll<number>().as('count'))
        .where('owner', '=', scope.companyId)
        .executeTakeFirstOrThrow();
      if (!old && Number(count) >= MAX_SENDERS)
        throw new ProblemError('limit-reached', `There are ${MAX_SENDERS} senders, as many as there may be.`);
      if (old) await trx.updateTable('receiver_senders').set(row).where('id', '=', id).execute();
      else await trx.insertInto('receiver_senders').values(row).execute();
    });
    this.#lookups.forget();
    return { ...toSender(row), lastHeardAt: null, silentSince: null };
  }

  async #row(scope: Scope, id: string): Promise<Row> {
    mustBeCentre(scope);
    const row = await this.#db
      .selectFrom('receiver_senders')
      .selectAll()
      .where('id', '=', id)
      .where('owner', '=', scope.companyId)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found', 'There is no such sender.');
    return row;
  }
}

const purpose = (id: string) => `receiver-sender:${id}`;

function toSender(row: Row): Omit<ReceiverSender, 'lastHeardAt' | 'silentSince'> {
  const { id, receiverId, account, name } = row;
  const supervisionS = row.supervisionMs === null ? null : Number(row.supervisionMs) / 1000;
  return {
    id,
    receiverId,
    account,
    name,
    encrypted: row.sealed !== null,
    localTime: row.localTime === 1,
    supervisionS,
  };
}
