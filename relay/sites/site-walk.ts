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

/** As many matches of a word are looked up one by one; more of them are read in the order of the list. */
const FEW = 1500;
/** Of words with more matches than this it no longer matters which has fewer. */
const MANY = 20_000;
/** A word that begins so many others is read by each of them; one that begins more is found everywhere in the list. */
const MAX_TERMS = 16;
/** Places read of each of these at a time, and how often. */
const READ = [64, 192, 512];
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
    const search = only || assigned ? null : await this.#search(scope, filter.words);
    const matches = only ?? assigned ?? search?.few ?? null;
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
    if (search?.terms) {
      yield* this.#byTerms(scope, search.terms, guests.filter(started), start);
      return;
    }
    let { after, inclusive } = start;
    for (const window of windows) {
      const upTo = await this.#later(scope, filter, after, window);
      const ids = within(guests.filter(started), after, inclusive, upTo);
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

  /**
   * How to find what has the words: `few` sites that have the rarest of them; or the `terms` that it begins, each of which
   * is kept in the order of the list; neither, when it begins so many that it is found everywhere.
   */
  async #search(scope: Scope, words: string[]): Promise<{ few?: SiteKey[]; terms?: string[] }> {
    const most = words.length === 1 ? FEW + 1 : MANY;
    const counted = await Promise.all(
      words.map(async (word) => ({ word, count: await this.#count(scope, word, most) })),
    );
    const [rarest, ...others] = counted.sort((a, b) => a.count - b.count);
    if (!rarest) return {};
    if (rarest.count <= FEW) {
      const found = await Promise.all(
        termRanges(rarest.word).map(({ from, to }) =>
          this.#terms(scope, from, to).select(['t.siteId as id', 't.sortName']).distinct().execute(),
        ),
      );
      return { few: found.flat() };
    }
    for (const { word } of [rarest, ...others]) {
      const terms = await Promise.all(termRanges(word).map(({ from, to }) => this.#distinct(scope, from, to)));
      if (terms.flat().length <= MAX_TERMS) return { terms: terms.flat() };
    }
    return {};
  }

  /** How many places have it, counted as far as `most`. */
  async #count(scope: Scope, word: string, most: number): Promise<number> {
    let count = 0;
    for (const { from, to } of termRanges(word)) {
      const row = await this.#db
        .selectFrom(this.#terms(scope, from, to).select('t.term').limit(most).as('found'))
        .select((e) => e.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      count += Number(row.count);
    }
    return count;
  }

  /** The terms of a range, by jumping from one to the next. */
  async #distinct(scope: Scope, from: string, to: string): Promise<string[]> {
    const { companyId } = scope;
    const next = (after: Expression<unknown>) => sql`(select min(term) from search_terms
      where "companyId" = ${companyId} and term ${after} and term < ${to})`;
    const { rows } = await sql<{ term: string | null }>`with recursive jump(term) as (
        select ${next(sql`>= ${from}`)}
        union all select ${next(sql`> jump.term`)} from jump where jump.term is not null
      ) select term from jump limit ${sql.lit(MAX_TERMS + 1)}`.execute(this.#db);
    return rows.flatMap((row) => row.term ?? []);
  }

  /** The sites of each term come in the order of the list; they are merged as far as every one of them was read. */
  async *#byTerms(
    scope: Scope,
    terms: string[],
    guests: SiteKey[],
    start: { after: SiteKey | null; inclusive: boolean },
  ): AsyncGenerator<Step> {
    let { after, inclusive } = start;
    for (const count of READ) {
      const keys = new Map<string, SiteKey>();
      let upTo: SiteKey | null = null;
      for (const term of terms) {
        const query = this.#db
          .selectFrom('search_terms as t')
          .select(['t.sortName', 't.siteId as id'])
          .distinct()
          .where('t.companyId', '=', scope.companyId)
          .where('t.term', '=', term);
        const rows = (await between(query, after, inclusive, null, ['t.sortName', 't.siteId'])
          .orderBy('t.sortName')
          .orderBy('t.siteId')
          .limit(count)
          .execute()) as SiteKey[];
        for (const key of rows) keys.set(key.id, key);
        const last = rows.length === count ? rows.at(-1)! : null;
        if (last && (!upTo || compareKeys(last, upTo) < 0)) upTo = last;
      }
      const ids = within(
        [...new Map([...keys, ...guests.map((key) => [key.id, key] as const)]).values()],
        after,
        inclusive,
        upTo,
      );
      yield { ids, own: null, end: upTo };
      if (!upTo) return;
      after = upTo;
      inclusive = false;
    }
  }

  #terms(scope: Scope, from: string, to: string) {
    return this.#db
      .selectFrom('search_terms as t')
      .where('t.companyId', '=', scope.companyId)
      .where('t.term', '>=', from)
      .where('t.term', '<', to);
  }
}

/** Those of the sites that lie in a part of the list. */
const within = (keys: SiteKey[], after: SiteKey | null, inclusive: boolean, upTo: SiteKey | null): string[] =>
  keys
    .filter((key) => !after || compareKeys(key, after) >= (inclusive ? 0 : 1))
    .filter((key) => !upTo || compareKeys(key, upTo) <= 0)
    .map((key) => key.id);

/**
 * Whether a word is one of the site `s` or of its devices; of another company's site, only of what is shown of it. Each
 * range of terms is a look-up of its own, or databases would read all words of the site.
 */
export function hasWord(db: Db, scope: Scope, word: string, guests: boolean, device?: string): Expression<SqlBool> {
  const found = (shownOnly: boolean) =>
    sql.join(
      termRanges(word).map(
        ({ from, to }) =>
          sql`exists ${db
            .selectFrom('search_terms as t')
            .select('t.siteId')
            .where('t.siteId', '=', sql.ref<string>('s.id'))
            .where('t.term', '>=', from)
            .where('t.term', '<', to)
            .$if(device !== undefined, (q) => q.where('t.deviceId', 'in', ['', sql.ref<string>(device!)]))
            .$if(shownOnly, (q) =>
              q
                .where('t.private', '=', 0)
                .where((e) => e.or([e('t.deviceId', '=', ''), scope.reaches('t.siteId', 't.deviceId', 'list')])),
            )}`,
      ),
      sql` or `,
    );
  if (!guests) return sql<SqlBool>`(${found(false)})`;
  const own = sql`${sql.ref('s.companyId')} = ${scope.companyId}`;
  return sql<SqlBool>`case when ${own} then (${found(false)}) else (${found(true)}) end`;
}

function between(
  query: OfSites,
  after: SiteKey | null,
  inclusive: boolean,
  upTo: SiteKey | null,
  [name, id]: [string, string] = ['s.sortName', 's.id'],
): OfSites {
  const place = (key: SiteKey) => sql`(${key.sortName}, ${key.id})`;
  const here = sql`(${sql.ref(name)}, ${sql.ref(id)})`;
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
