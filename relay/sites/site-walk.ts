import { type Expression, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { Clock } from '../../protocol/clock.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import { termRanges } from './search-terms.ts';

/** The place of a site in lists. */
export interface SiteKey {
  sortName: string;
  id: string;
}
/** Sites to look at next: those named, and the own ones between two places of the list. */
export interface Step {
  ids: string[];
  own: { after: SiteKey | null; inclusive: boolean; upTo: SiteKey | null } | null;
  /** Everything up to here has been looked at after this step; null: everything. */
  end: SiteKey | null;
}
export interface SiteFilter {
  words: string[];
  status?: SiteRow['status'];
  type?: SiteRow['type'];
  group?: string;
}
/** A query over `sites as s`, perhaps with more tables. */
// biome-ignore lint/suspicious/noExplicitAny: whatever else the query joins and selects
type OfSites = SelectQueryBuilder<any, any, any>;

/** As many matches of a word are looked up one by one; with more of them the list is read in its order. */
const FEW = 1500;
const CHUNKS = [64, 256];

/** How databases order text: by code point, which is not how JavaScript compares. */
export const compareText = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
export const compareKeys = (a: SiteKey, b: SiteKey): number =>
  compareText(a.sortName, b.sortName) || compareText(a.id, b.id);

/**
 * Goes through the sites in reach in the order of their names, in steps whose cost is bounded however many sites there
 * are. A company's own sites come by the index of that order, or, when few can match (a rare word, few assigned sites),
 * one by one; those that others let it see are few and come one by one. A list may therefore end a page early, with a
 * cursor behind what it has looked at.
 */
export class SiteWalk {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /**
   * @param only sites among which all that match are, if the caller knows them
   * @param windows how many own sites each step looks at, when they are read in their order
   */
  async *steps(
    scope: Scope,
    filter: SiteFilter,
    start: { after: SiteKey | null; inclusive: boolean },
    { windows, only }: { windows: number[]; only?: SiteKey[] },
  ): AsyncGenerator<Step> {
    const everywhere = scope.may('manage-all-sites');
    if (!everywhere && !scope.sites && !scope.may('manage-assigned-sites')) return;
    const started = (key: SiteKey) => {
      const order = start.after ? compareKeys(key, start.after) : 1;
      return order > 0 || (order === 0 && start.inclusive);
    };
    const assigned = everywhere ? null : await this.#assigned(scope);
    const matches = only ?? assigned ?? (await this.#matches(scope, filter.words));
    const guests = assigned || only || filter.group ? [] : await this.#guests(scope);
    if (matches) {
      const all = [...new Map([...matches, ...guests].map((key) => [key.id, key])).values()]
        .filter(started)
        .sort(compareKeys);
      for (let i = 0, chunk = 0; i < all.length; chunk++) {
        const part = all.slice(i, i + CHUNKS[Math.min(chunk, CHUNKS.length - 1)]!);
        i += part.length;
        yield { ids: part.map((key) => key.id), own: null, end: i < all.length ? part.at(-1)! : null };
      }
      return;
    }
    let { after, inclusive } = start;
    for (const window of windows) {
      const upTo = await this.#later(scope, filter, after, window);
      const from = { after, inclusive };
      const within = (key: SiteKey) =>
        started(key) && (!from.after || compareKeys(key, from.after) >= (from.inclusive ? 0 : 1));
      const ids = guests.filter((key) => within(key) && (!upTo || compareKeys(key, upTo) <= 0)).map((key) => key.id);
      yield { ids, own: { after, inclusive, upTo }, end: upTo };
      if (!upTo) return;
      after = upTo;
      inclusive = false;
    }
  }

  /** The sites of a step that are in reach and pass the filter: the own ones and the named ones, each as a condition. */
  queries<Q extends OfSites>(scope: Scope, filter: SiteFilter, step: Step, query: () => Q): Q[] {
    const list: Q[] = [];
    const base = () =>
      this.#filtered(scope, filter, query()).where('s.deletedAt', 'is', null).where(this.#reached(scope)) as Q;
    if (step.own) {
      const { after, inclusive, upTo } = step.own;
      const own = base().where('s.companyId', '=', scope.companyId);
      list.push(this.#words(scope, filter, between(own, after, inclusive, upTo), false) as Q);
    }
    if (step.ids.length > 0) list.push(this.#words(scope, filter, base().where('s.id', 'in', step.ids), true) as Q);
    return list;
  }

  #filtered(scope: Scope, filter: SiteFilter, query: OfSites): OfSites {
    let q = query;
    if (filter.status) q = q.where('s.status', '=', filter.status);
    if (filter.type) q = q.where('s.type', '=', filter.type);
    if (filter.group) {
      q = q.where('s.companyId', '=', scope.companyId);
      q = filter.group === 'none' ? q.where('s.groupId', 'is', null) : q.where('s.groupId', '=', filter.group);
    }
    return q;
  }

  /** Correlated, so that it costs a look-up for each site and not a list of all that is in reach. */
  #reached(scope: Scope): Expression<SqlBool> {
    return sql<SqlBool>`exists ${scope.siteIds().where('grants.siteId', '=', sql.ref<string>('s.id'))}`;
  }

  #words(scope: Scope, filter: SiteFilter, query: OfSites, guests: boolean): OfSites {
    return filter.words.reduce<OfSites>((q, word) => q.where(hasWord(this.#db, scope, word, guests)), query);
  }

  /** The place so many own sites later; null when there are not so many. */
  async #later(scope: Scope, filter: SiteFilter, after: SiteKey | null, count: number): Promise<SiteKey | null> {
    const query = this.#db.selectFrom('sites as s').select(['s.sortName', 's.id']);
    const own = this.#filtered(scope, filter, query)
      .where('s.companyId', '=', scope.companyId)
      .where('s.deletedAt', 'is', null);
    const row = await between(own, after, false, null)
      .orderBy('s.sortName')
      .orderBy('s.id')
      .limit(1)
      .offset(count - 1)
      .executeTakeFirst();
    return (row as SiteKey | undefined) ?? null;
  }

  /** Null when there are too many to name. */
  async #assigned(scope: Scope): Promise<SiteKey[] | null> {
    if (scope.sites) {
      const named = this.#db.selectFrom('sites').select(['id', 'sortName']).where('id', 'in', scope.sites);
      return named.where('deletedAt', 'is', null).execute();
    }
    const rows = await this.#db
      .selectFrom('site_managers as m')
      .innerJoin('sites as s', 's.id', 'm.siteId')
      .select(['s.id', 's.sortName'])
      .where('m.userId', '=', scope.userId)
      .where((e) => e.or([e('m.untilMs', 'is', null), e('m.untilMs', '>', this.#clock.now())]))
      .where('s.deletedAt', 'is', null)
      .limit(FEW + 1)
      .execute();
    return rows.length > FEW ? null : rows;
  }

  async #guests(scope: Scope): Promise<SiteKey[]> {
    return (
      this.#db
        .selectFrom('grants as g')
        .innerJoin('sites as s', 's.id', 'g.siteId')
        .select(['s.id', 's.sortName'])
        .distinct()
        .where('g.companyId', '=', scope.companyId)
        // Written out, or the index of just these is not used.
        .where('g.guest', '=', sql.lit(1))
        .where('s.deletedAt', 'is', null)
        .execute()
    );
  }

  /** Own sites that have the rarest of the words; null when every word is a frequent one. */
  async #matches(scope: Scope, words: string[]): Promise<SiteKey[] | null> {
    let best: { word: string; count: number } | null = null;
    for (const word of words) {
      const found = await this.#terms(scope, word)
        .select('t.siteId')
        .limit(FEW + 1)
        .execute();
      if (found.length <= FEW && (!best || found.length < best.count)) best = { word, count: found.length };
    }
    if (!best) return null;
    return this.#terms(scope, best.word)
      .innerJoin('sites as s', 's.id', 't.siteId')
      .select(['s.id', 's.sortName'])
      .distinct()
      .execute();
  }

  #terms(scope: Scope, word: string) {
    return this.#db
      .selectFrom('search_terms as t')
      .where('t.companyId', '=', scope.companyId)
      .where((e) =>
        e.or(termRanges(word).map(({ from, to }) => e.and([e('t.term', '>=', from), e('t.term', '<', to)]))),
      );
  }
}

/** Whether a word is one of the site `s` or of its devices; of another company's site, only of what is shown of it. */
export function hasWord(db: Db, scope: Scope, word: string, guests: boolean, device?: string): Expression<SqlBool> {
  const terms = db
    .selectFrom('search_terms as t')
    .select('t.siteId')
    .where('t.siteId', '=', sql.ref<string>('s.id'))
    .where((e) => e.or(termRanges(word).map(({ from, to }) => e.and([e('t.term', '>=', from), e('t.term', '<', to)]))))
    .$if(device !== undefined, (q) =>
      q.where((e) => e.or([e('t.deviceId', '=', ''), e('t.deviceId', '=', sql.ref<string>(device!))])),
    )
    .$if(guests, (q) =>
      q.where((e) =>
        e.or([
          e('t.companyId', '=', scope.companyId),
          e.and([
            e('t.private', '=', 0),
            e.or([e('t.deviceId', '=', ''), scope.reaches('t.siteId', 't.deviceId', 'list')]),
          ]),
        ]),
      ),
    );
  return sql<SqlBool>`exists ${terms}`;
}

function between(query: OfSites, after: SiteKey | null, inclusive: boolean, upTo: SiteKey | null): OfSites {
  const place = (key: SiteKey) => sql`(${key.sortName}, ${key.id})`;
  const here = sql`(${sql.ref('s.sortName')}, ${sql.ref<string>('s.id')})`;
  let q = query;
  if (after) q = q.where(sql<SqlBool>`${here} ${sql.raw(inclusive ? '>=' : '>')} ${place(after)}`);
  if (upTo) q = q.where(sql<SqlBool>`${here} <= ${place(upTo)}`);
  return q;
}

/** Cursors say nothing that a client could rely on: the last item's place, as text. */
export const formatCursor = (...parts: string[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

/** Throws `invalid-request` for what was not given out. */
export function parseCursor(cursor: string | undefined, length: number): string[] | null {
  if (cursor === undefined) return null;
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts) && parts.length === length && parts.every((part) => typeof part === 'string'))
      return parts;
  } catch {
    // Said below.
  }
  throw new ProblemError('invalid-request', 'cursor: use the nextCursor of an answer, unchanged.');
}
