import { type Expression, type SqlBool, sql } from 'kysely';
import type { DeviceItem, Page } from '../../protocol/wire/api.ts';
import type { DeviceQuery } from '../../protocol/wire/sites.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import { words } from '../sites/search-terms.ts';
import {
  compareKeys,
  compareText,
  formatCursor,
  hasWord,
  parseCursor,
  type SiteKey,
  type SiteWalk,
  type Step,
} from '../sites/site-walk.ts';
import type { DeviceStates } from './device-states.ts';

/** How many own sites a request looks at in the order of the list before it gives what it found. */
const WINDOWS = [64, 1024];
/** Devices read at a time. */
const READ = 256;
/** Offline devices of all tenants together, up to which they are looked up by name. */
const FEW_OFFLINE = 500;

type Row = DeviceRow & { siteName: string; timeZone: string; sortName: string };

/** Every device in reach, by the name of its site and its own: the device mode of the sites page (SITE-10). */
export class DeviceList {
  readonly #db: Db;
  readonly #walk: SiteWalk;
  readonly #states: DeviceStates;

  constructor({ db, walk, states }: { db: Db; walk: SiteWalk; states: DeviceStates }) {
    this.#db = db;
    this.#walk = walk;
    this.#states = states;
  }

  async page(scope: Scope, { limit, cursor, q, ...filter }: DeviceQuery): Promise<Page<DeviceItem>> {
    const searched = words(q ?? '');
    const parts = parseCursor(cursor, 4);
    let place: Place | null = parts && { sortName: parts[0]!, id: parts[1]!, name: parts[2]!, deviceId: parts[3]! };
    // A cursor without a device stands behind its whole site.
    const start = { after: place, inclusive: place !== null && place.deviceId !== '' };
    const offline = filter.state === 'offline' ? this.#states.offline() : null;
    const named = offline && offline.length <= FEW_OFFLINE ? offline : null;
    const only = named ? await this.#sitesOf(named) : undefined;
    const found: Row[] = [];
    let end: SiteKey | null = null;
    for await (const step of this.#walk.steps(scope, { words: searched }, start, { windows: WINDOWS, only })) {
      for (;;) {
        const rows = await this.#read(scope, step, { ...filter, words: searched, named }, place);
        const shown = rows.filter((row) => !filter.state || this.#states.of(row) === filter.state);
        found.push(...shown);
        if (rows.length < READ || found.length > limit) break;
        place = placeOf(rows.at(-1)!);
      }
      end = step.end;
      if (found.length > limit) break;
    }
    const items = found.slice(0, limit);
    const last = found.length > limit ? placeOf(items.at(-1)!) : end && { ...end, name: '', deviceId: '' };
    return {
      items: items.map(({ sortName: _, createdAt: __, deletedAt: ___, certificate: ____, oldTls: _____, ...row }) => ({
        ...row,
        state: this.#states.of(row),
      })),
      nextCursor: last ? formatCursor(last.sortName, last.id, last.name, last.deviceId) : null,
    };
  }

  async #read(
    scope: Scope,
    step: Step,
    filter: Pick<DeviceQuery, 'type' | 'accessMode'> & { words: string[]; named: string[] | null },
    after: Place | null,
  ): Promise<Row[]> {
    const base = () =>
      this.#db
        .selectFrom('sites as s')
        .innerJoin('devices as d', 'd.siteId', 's.id')
        .selectAll('d')
        .select(['s.name as siteName', 's.timeZone', 's.sortName'])
        .where('d.deletedAt', 'is', null)
        .where(scope.reaches('d.siteId', 'd.id', 'list'))
        .$if(filter.type !== undefined, (q) => q.where('d.type', '=', filter.type!))
        .$if(filter.accessMode !== undefined, (q) => q.where('d.accessMode', '=', filter.accessMode!))
        .$if(filter.named !== null, (q) => q.where('d.id', 'in', filter.named!))
        .$if(after !== null, (q) => q.where(laterThan(after!)));
    const rows: Row[] = [];
    // The words are looked for in the site's and the device's own; another device of the site does not count.
    for (const query of this.#walk.queries(scope, { words: [] }, step, base)) {
      const guests = step.ids.length > 0;
      const matching = filter.words.reduce((q, word) => q.where(hasWord(this.#db, scope, word, guests, 'd.id')), query);
      rows.push(
        ...((await matching
          .orderBy('s.sortName')
          .orderBy('s.id')
          .orderBy('d.name')
          .orderBy('d.id')
          .limit(READ)
          .execute()) as Row[]),
      );
    }
    return rows.sort(compareRows).slice(0, READ);
  }

  async #sitesOf(deviceIds: string[]): Promise<SiteKey[]> {
    return this.#db
      .selectFrom('devices as d')
      .innerJoin('sites as s', 's.id', 'd.siteId')
      .select(['s.id', 's.sortName'])
      .distinct()
      .where('d.id', 'in', [...deviceIds, ''])
      .where('s.deletedAt', 'is', null)
      .execute();
  }
}

interface Place extends SiteKey {
  name: string;
  deviceId: string;
}
const placeOf = (row: Row): Place => ({ sortName: row.sortName, id: row.siteId, name: row.name, deviceId: row.id });
const compareRows = (a: Row, b: Row) =>
  compareKeys({ sortName: a.sortName, id: a.siteId }, { sortName: b.sortName, id: b.siteId }) ||
  compareText(a.name, b.name) ||
  compareText(a.id, b.id);

/** Behind a place of the list: in a later site, or later in the same one. */
function laterThan(after: Place): Expression<SqlBool> {
  const site = sql<SqlBool>`("s"."sortName", "s"."id") > (${after.sortName}, ${after.id})`;
  if (after.deviceId === '') return site;
  const device = sql`("d"."name", "d"."id") > (${after.name}, ${after.deviceId})`;
  return sql<SqlBool>`(${site} or ("s"."id" = ${after.id} and ${device}))`;
}
