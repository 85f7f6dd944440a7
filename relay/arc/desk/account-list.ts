import { type SqlBool, sql } from 'kysely';
import { type Clock, iso } from '../../../protocol/clock.ts';
import type { Page } from '../../../protocol/wire/api.ts';
import type { DeskAccount } from '../../../protocol/wire/arc-desk.ts';
import type { Health } from '../../../protocol/wire/uplink.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import { beginsWith, contains } from '../../db/text-search.ts';
import { seesAll } from './alarm-list.ts';
import { toTest } from './test-row.ts';

const select = (db: DbOrTrx) =>
  db
    .selectFrom('arc_accounts as a')
    .innerJoin('arc_receivers as r', 'r.id', 'a.receiverId')
    .innerJoin('sites as s', 's.id', 'a.siteId')
    .leftJoin('boxes as b', 'b.serial', 'a.boxSerial')
    .select(['a.id', 'a.account', 'a.receiverId', 'a.protocol', 'a.encrypted', 'a.mode', 'a.boxSerial', 'a.siteId'])
    .select(['a.deletedAt', 'r.name as receiverName', 'r.companyId', 's.name as siteName', 's.timeZone', 'b.seenMs'])
    .select('a.endedSiteName');
type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number];

/** Accounts at a company's receivers, with what is known of their paths now. */
export class Accounts {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #online: (serial: string) => boolean;
  readonly #health: (serial: string) => Health | null;

  constructor(deps: {
    db: Db;
    clock: Clock;
    online: (serial: string) => boolean;
    health: (serial: string) => Health | null;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#online = deps.online;
    this.#health = deps.health;
  }

  /** By account number; `q`: the beginning of one, or part of a site's name. */
  async list(
    scope: Scope,
    { limit, cursor, q }: { limit: number; cursor?: string; q?: string },
  ): Promise<Page<DeskAccount>> {
    const after = cursor === undefined ? null : positionOf(cursor);
    const rows = await this.#inReach(scope)
      .where('a.deletedAt', 'is', null)
      .$if(q !== undefined && q !== '', (b) =>
        b.where((e) => e.or([beginsWith('a.account', (q as string).toUpperCase()), contains('s.name', q as string)])),
      )
      .$if(after !== null, (b) =>
        b.where((e) =>
          e.or([
            e('a.account', '>', after?.account ?? ''),
            e.and([e('a.account', '=', after?.account ?? ''), e('a.id', '>', after?.id ?? '')]),
          ]),
        ),
      )
      .orderBy('a.account')
      .orderBy('a.id')
      .limit(limit + 1)
      .execute();
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: await this.#toAccounts(shown),
      nextCursor: rows.length > limit && last ? `${last.account}.${last.id}` : null,
    };
  }

  /** Also one that was taken away; throws `not-found`. */
  async get(scope: Scope, id: string): Promise<DeskAccount> {
    const row = await this.#inReach(scope).where('a.id', '=', id).executeTakeFirst();
    const [found] = row ? await this.#toAccounts([row]) : [];
    if (!found) throw new ProblemError('not-found');
    return found;
  }

  /** One that is in use and that the caller may do something about. */
  async toUse(scope: Scope, id: string): Promise<DeskAccount> {
    const account = await this.get(scope, id);
    scope.must('manage-all-sites', 'manage-assigned-sites');
    if (account.ended) throw new ProblemError('conflict', `Account ${account.account} is no longer in use.`);
    return account;
  }

  async companyOf(id: string): Promise<string | null> {
    const row = await select(this.#db).where('a.id', '=', id).executeTakeFirst();
    return row?.companyId ?? null;
  }

  /** Accounts of a box that are in use. */
  async ofBox(serial: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('arc_accounts')
      .select('id')
      .where('boxSerial', '=', serial)
      .where('deletedAt', 'is', null)
      .execute();
    return rows.map((row) => row.id);
  }

  #inReach(scope: Scope) {
    const of = select(this.#db).where('r.companyId', '=', scope.companyId);
    if (seesAll(scope)) return of;
    const site = scope.siteIds('view').where('grants.siteId', '=', sql.ref<string>('a.siteId'));
    return of.where(sql<SqlBool>`exists ${site}`);
  }

  async #toAccounts(rows: Row[]): Promise<DeskAccount[]> {
    if (rows.length === 0) return [];
    const tests = await this.#db
      .selectFrom('desk_tests')
      .selectAll()
      .where(
        'accountId',
        'in',
        rows.map((row) => row.id),
      )
      .where('endedMs', 'is', null)
      .where('untilMs', '>', this.#clock.now())
      .execute();
    return rows.map(({ siteId, siteName, endedSiteName, timeZone, companyId: _, deletedAt, seenMs, ...row }) => {
      const ended = deletedAt !== null;
      // What becomes of box and site after its end is no business of the centre.
      const health = ended ? null : this.#health(row.boxSerial);
      const test = tests.find((one) => one.accountId === row.id);
      return {
        ...row,
        encrypted: row.encrypted === 1,
        site: { id: siteId, name: ended ? (endedSiteName ?? '') : siteName, timeZone },
        ended,
        online: !ended && this.#online(row.boxSerial),
        heardAt: health?.at ?? (ended || seenMs === null ? null : iso(Number(seenMs))),
        paths: health?.arc.find((one) => one.accountId === row.id) ?? null,
        test: test ? toTest(test) : null,
      };
    });
  }
}

function positionOf(cursor: string): { account: string; id: string } {
  const [, account, id] = /^([0-9A-F]{1,16})\.([0-9a-f-]{36})$/.exec(cursor) ?? [];
  if (!account || !id) throw new ProblemError('invalid-request', 'cursor: take it from nextCursor');
  return { account, id };
}
