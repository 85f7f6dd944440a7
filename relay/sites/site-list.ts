import type { Page, Site } from '../../protocol/wire/api.ts';
import type { SiteQuery } from '../../protocol/wire/sites.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import { words } from './search-terms.ts';
import { compareKeys, formatCursor, parseCursor, type SiteKey, type SiteWalk } from './site-walk.ts';
import type { Views } from './views.ts';

/** How many own sites a request looks at in the order of the list before it gives what it found. */
const WINDOWS = [256, 4096];

/** The list of sites, by name, searched and filtered. */
export class SiteList {
  readonly #db: Db;
  readonly #walk: SiteWalk;
  readonly #views: Views;

  constructor({ db, walk, views }: { db: Db; walk: SiteWalk; views: Views }) {
    this.#db = db;
    this.#walk = walk;
    this.#views = views;
  }

  async page(scope: Scope, { limit, cursor, q, ...rest }: SiteQuery): Promise<Page<Site>> {
    const filter = { ...rest, words: words(q ?? '') };
    const [sortName, id] = parseCursor(cursor, 2) ?? [];
    const after = sortName !== undefined && id !== undefined ? { sortName, id } : null;
    const found: SiteRow[] = [];
    let end: SiteKey | null = null;
    for await (const step of this.#walk.steps(scope, filter, { after, inclusive: false }, { windows: WINDOWS })) {
      const rows: SiteRow[] = [];
      for (const query of this.#walk.queries(scope, filter, step, () => this.#db.selectFrom('sites as s')))
        rows.push(
          ...((await query
            .selectAll('s')
            .orderBy('s.sortName')
            .orderBy('s.id')
            .limit(limit + 1)
            .execute()) as SiteRow[]),
        );
      found.push(...rows.sort(compareKeys));
      end = step.end;
      if (found.length > limit) break;
    }
    const shown = found.slice(0, limit);
    const last = found.length > limit ? shown.at(-1)! : end;
    return {
      items: await this.#views.sites(scope, shown),
      nextCursor: last ? formatCursor(last.sortName, last.id) : null,
    };
  }
}
