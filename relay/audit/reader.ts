import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import type { LogClient, LogEntry, LogFilter, LogOperator } from '../../protocol/wire/audit.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import { contains } from '../db/text-search.ts';
import { KEEP_MS } from './operation-log.ts';

type Tables = Database & { a: Database['audit_entries']; p: Database['audit_people'] };

/** How an entry is seen by who may see it. */
export class LogReader {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Newest first; the cursor is the number of the last entry. */
  async list(scope: Scope, filter: LogFilter & { limit: number; cursor?: string }): Promise<Page<LogEntry>> {
    await this.mustHaveLog(scope);
    const { limit, cursor, userId, siteId, from, to, text } = filter;
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
      throw new ProblemError('invalid-request', 'cursor: unknown');
    const rows = await this.#db
      .selectFrom('audit_entries as a')
      .innerJoin('audit_people as p', (join) =>
        join.onRef('p.companyId', '=', 'a.companyId').onRef('p.seq', '=', 'a.seq'),
      )
      .innerJoin('companies as c', 'c.id', 'a.operatorCompanyId')
      .selectAll('a')
      .select(['p.userId', 'p.name', 'p.email', 'p.address', 'p.siteName', 'p.targetName', 'p.detail'])
      .select('c.name as companyName')
      .where('a.companyId', '=', scope.companyId)
      .where('a.atMs', '>', this.#clock.now() - KEEP_MS)
      .where((e) => this.#visible(e as unknown as ExpressionBuilder<Tables, 'a' | 'p'>, scope))
      .$if(cursor !== undefined, (q) => q.where('a.seq', '<', Number(cursor)))
      .$if(userId !== undefined, (q) => q.where('p.userId', '=', userId as string))
      .$if(siteId !== undefined, (q) => q.where('a.siteId', '=', siteId as string))
      .$if(from !== undefined, (q) => q.where('a.atMs', '>=', Date.parse(from as string)))
      .$if(to !== undefined, (q) => q.where('a.atMs', '<', Date.parse(to as string)))
      .$if(text !== undefined, (q) => q.where(contains('p.search', text as string)))
      .orderBy('a.seq', 'desc')
      .limit(limit + 1)
      .execute();
    const shown = rows.slice(0, limit);
    const items = shown.map(
      (row): LogEntry => ({
        id: row.id,
        seq: row.seq,
        at: iso(row.atMs),
        operator: {
          userId: row.userId,
          name: row.name,
          email: row.email,
          companyId: row.operatorCompanyId,
          companyName: row.companyName,
        },
        client: row.client as LogClient,
        clientName: row.clientName,
        address: row.address,
        site: row.siteId === null ? null : { id: row.siteId, name: row.siteName },
        target: row.targetKind === null ? null : { kind: row.targetKind, id: row.targetId, name: row.targetName },
        action: row.action,
        detail: row.detail,
        result: row.result,
        hash: row.hash,
      }),
    );
    return { items, nextCursor: rows.length > limit ? String(shown.at(-1)?.seq) : null };
  }

  /** Whose operations can be asked for: everybody’s, or only one’s own. */
  async operators(scope: Scope): Promise<LogOperator[]> {
    await this.mustHaveLog(scope);
    return this.#db
      .selectFrom('users')
      .select(['id as userId', 'name', 'email'])
      .where('companyId', '=', scope.companyId)
      .where('deletedAt', 'is', null)
      .$if(!scope.may('manage-accounts'), (q) => q.where('id', '=', scope.userId))
      .orderBy('name')
      .orderBy('id')
      .limit(1000)
      .execute();
  }

  /** Channel partners have no operation log. */
  async mustHaveLog(scope: Scope): Promise<void> {
    const company = await this.#db
      .selectFrom('companies')
      .select('channelPartner')
      .where('id', '=', scope.companyId)
      .executeTakeFirst();
    if (!company || company.channelPartner === 1) throw new ProblemError('not-found');
  }

  /**
   * Who manages accounts sees what others did, else only their own; who does not manage all sites sees of what others did
   * only what they did at the sites assigned to them. A key for certain sites reads of these alone, whoever did it.
   */
  #visible(e: ExpressionBuilder<Tables, 'a' | 'p'>, scope: Scope): Expression<SqlBool> {
    const visible = this.#visibleTo(e, scope);
    return scope.sites ? e.and([visible, e('a.siteId', 'in', ['', ...scope.sites])]) : visible;
  }

  #visibleTo(e: ExpressionBuilder<Tables, 'a' | 'p'>, scope: Scope): Expression<SqlBool> {
    const own = e('p.userId', '=', scope.userId);
    if (!scope.may('manage-accounts')) return own;
    if (scope.may('manage-all-sites')) return e.lit(true);
    return e.or([own, e('a.siteId', 'in', scope.siteIds())]);
  }
}
