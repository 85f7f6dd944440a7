import { randomInt } from 'node:crypto';
import type { Selectable } from 'kysely';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import { SERIAL_ALPHABET, uuidv7 } from '../../protocol/wire/ids.ts';
import type {
  IssuedKeys,
  IssueKeys,
  Redeemed,
  RedeemedKey,
  ServiceKey,
  ServiceKeyQuery,
  ServiceKeyState,
} from '../../protocol/wire/operator.ts';
import { ProblemError } from '../api/problem.ts';
import { Limiter, retryAfter } from '../auth/limiter.ts';
import type { Identity } from '../auth/scope.ts';
import { hashToken } from '../auth/sessions.ts';
import { CloudRegions } from '../cloud/regions.ts';
import { addToStock } from '../cloud/stock.ts';
import type { Db } from '../db/database.ts';
import { contains } from '../db/text-search.ts';
import { slotsUsed } from '../people/employees.ts';
import { lockCompany } from '../people/users.ts';
import type { OperatorTables } from './schema.ts';

const DAY_MS = 86_400_000;
const GROUPS = 4;
const GROUP = 5;
const MAX_AT_ONCE = 20;

/**
 * Keys that the operator issues and a company redeems, each once. Only hashes are kept; a key has 92 random bits, and a
 * company that tries wrong ones has to wait.
 */
export class ServiceKeys {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #regions: CloudRegions;
  readonly #wrong: Limiter;

  constructor({ db, clock, regions = new CloudRegions() }: { db: Db; clock: Clock; regions?: CloudRegions }) {
    this.#db = db;
    this.#regions = regions;
    this.#clock = clock;
    this.#wrong = new Limiter({ clock, limit: 10, windowMs: 3_600_000 });
  }

  async issue(wanted: IssueKeys): Promise<IssuedKeys['keys']> {
    const { content, quantity, count = 1, note = '', validDays = 365 } = wanted;
    if ((content === 'cloud-storage') !== (wanted.package !== undefined))
      throw new ProblemError('invalid-request', 'package: to be given for cloud storage, and for nothing else.');
    const { retentionDays = null, term = null } = wanted.package ?? {};
    const now = this.#clock.now();
    const keys = Array.from({ length: count }, () => ({ id: uuidv7(now), key: newKey() }));
    await this.#db
      .insertInto('service_keys')
      .values(
        keys.map(({ id, key }) => ({
          id,
          content,
          retentionDays,
          term,
          quantity,
          note,
          keyHash: hashToken(plain(key)),
          ending: key.slice(-GROUP),
          issuedMs: now,
          expiresMs: now + validDays * DAY_MS,
        })),
      )
      .execute();
    return keys;
  }

  /** Newest first. */
  async list({ q, state, companyId, cursor, limit }: ServiceKeyQuery): Promise<Page<ServiceKey>> {
    const now = this.#clock.now();
    const rows = await this.#db
      .selectFrom('service_keys as k')
      .leftJoin('companies as c', 'c.id', 'k.companyId')
      .selectAll('k')
      .select('c.name as companyName')
      .$if(cursor !== undefined, (b) => b.where('k.id', '<', cursor as string))
      .$if(companyId !== undefined, (b) => b.where('k.companyId', '=', companyId as string))
      .$if(Boolean(q), (b) =>
        b.where((e) => e.or([e('k.ending', '=', plain(q as string).slice(-GROUP)), contains('k.note', q as string)])),
      )
      .$if(state === 'redeemed', (b) => b.where('k.redeemedMs', 'is not', null))
      .$if(state === 'withdrawn', (b) => b.where('k.withdrawnMs', 'is not', null))
      .$if(state === 'open' || state === 'expired', (b) =>
        b
          .where('k.redeemedMs', 'is', null)
          .where('k.withdrawnMs', 'is', null)
          .where('k.expiresMs', state === 'open' ? '>' : '<=', now),
      )
      .orderBy('k.id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map((row) => view(row, now));
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  async get(id: string): Promise<ServiceKey> {
    const row = await this.#db
      .selectFrom('service_keys as k')
      .leftJoin('companies as c', 'c.id', 'k.companyId')
      .selectAll('k')
      .select('c.name as companyName')
      .where('k.id', '=', id)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return view(row, this.#clock.now());
  }

  /** Nobody can redeem it any more. What was redeemed stays with the company. */
  async withdraw(id: string): Promise<ServiceKey> {
    const key = await this.get(id);
    const { numUpdatedRows } = await this.#db
      .updateTable('service_keys')
      .set({ withdrawnMs: this.#clock.now() })
      .where('id', '=', id)
      .where('redeemedMs', 'is', null)
      .where('withdrawnMs', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new ProblemError('conflict', `The key …${key.ending} is ${key.state} already.`);
    return this.get(id);
  }

  /** Redeems all of the keys, or none when one of them is wrong. */
  async redeem(who: Identity, text: string): Promise<Redeemed> {
    if (!who.admin || who.companyType === 'customer' || who.companyType === 'operator')
      throw new ProblemError('not-allowed', 'Only the administrator of a company redeems service keys.');
    const keys = [
      ...new Set(
        text
          .split(/[,;\s]+/)
          .map(plain)
          .filter(Boolean),
      ),
    ];
    if (keys.length > MAX_AT_ONCE) throw new ProblemError('invalid-request', `keys: at most ${MAX_AT_ONCE} at once`);
    const wait = this.#wrong.take(who.companyId);
    if (wait > 0) throw new ProblemError('too-many-tries', 'Wait before you try again.', { headers: retryAfter(wait) });
    const redeemed = await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const now = this.#clock.now();
      const rows: Selectable<OperatorTables['service_keys']>[] = [];
      for (const key of keys) {
        const row = await trx
          .selectFrom('service_keys')
          .selectAll()
          .where('keyHash', '=', hashToken(key))
          .where('redeemedMs', 'is', null)
          .where('withdrawnMs', 'is', null)
          .where('expiresMs', '>', now)
          .executeTakeFirst();
        if (!row)
          throw new ProblemError(
            'service-key-invalid',
            `The key …${key.slice(-GROUP)} is unknown, used already or no longer valid. Nothing was redeemed.`,
          );
        rows.push(row);
      }
      // Of no use where it is not offered: it stays good for who can use it.
      if (rows.some((row) => row.content === 'cloud-storage')) await this.#regions.must(trx, { companyId: company.id });
      const ids = rows.map((row) => row.id);
      await trx
        .updateTable('service_keys')
        .set({ redeemedMs: now, companyId: company.id, userId: who.userId })
        .where('id', 'in', ids)
        .execute();
      const added = [
        ...Map.groupBy(rows, ({ content, retentionDays, term }) => `${content} ${retentionDays} ${term}`),
      ].map(([, same]) => ({
        content: same[0]!.content,
        package: packageOf(same[0]!),
        quantity: same.reduce((sum, row) => sum + row.quantity, 0),
      }));
      let slots = company.slots;
      for (const one of added) {
        if (one.package) await addToStock(trx, company.id, one.package, one.quantity);
        else slots += one.quantity;
      }
      await trx.updateTable('companies').set({ slots }).where('id', '=', company.id).execute();
      return { added, slots, slotsUsed: await slotsUsed(trx, company.id) };
    });
    this.#wrong.forgive(who.companyId);
    return redeemed;
  }

  /** What a company redeemed, newest first. */
  async redeemedBy(companyId: string, page: { cursor?: string; limit: number }): Promise<Page<RedeemedKey>> {
    const { items, nextCursor } = await this.list({ ...page, companyId });
    const own = items.map(({ id, content, quantity, ending, redeemedAt, ...rest }) => ({
      id,
      content,
      package: rest.package,
      quantity,
      ending,
      redeemedAt: redeemedAt as string,
    }));
    return { items: own, nextCursor };
  }
}

type Row = Selectable<OperatorTables['service_keys']> & { companyName: string | null };

function view(row: Row, now: number): ServiceKey {
  const { id, content, quantity, ending, note, companyId, companyName } = row;
  const at = (ms: number | null) => (ms === null ? null : iso(ms));
  return {
    id,
    content,
    package: packageOf(row),
    quantity,
    ending,
    note,
    state: stateOf(row, now),
    issuedAt: iso(row.issuedMs),
    expiresAt: iso(row.expiresMs),
    redeemedAt: at(row.redeemedMs),
    withdrawnAt: at(row.withdrawnMs),
    company: companyId && companyName !== null ? { id: companyId, name: companyName } : null,
  };
}

const packageOf = ({ retentionDays, term }: Pick<Row, 'retentionDays' | 'term'>): ServiceKey['package'] =>
  retentionDays === null || term === null ? null : { retentionDays, term };

function stateOf(row: Row, now: number): ServiceKeyState {
  if (row.redeemedMs !== null) return 'redeemed';
  if (row.withdrawnMs !== null) return 'withdrawn';
  return row.expiresMs <= now ? 'expired' : 'open';
}

function newKey(): string {
  const group = () => Array.from({ length: GROUP }, () => SERIAL_ALPHABET[randomInt(SERIAL_ALPHABET.length)]).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}

const plain = (key: string) => key.toUpperCase().replace(/[^0-9A-Z]/g, '');
