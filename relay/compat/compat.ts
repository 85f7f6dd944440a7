import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import {
  COMPAT_LISTS,
  type CompatEntry,
  CompatFeature,
  type CompatFilter,
  type CompatQuery,
  type CompatRow,
  type CompatSummary,
  type ImportedCompat,
} from '../../protocol/wire/compat.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Db } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import { contains } from '../db/text-search.ts';
import { parseCursor } from '../sites/site-walk.ts';
import { readCompatCsv } from './csv.ts';
import { baseKey, modelKey } from './limits.ts';

const MAX_WORDS = 6;
const INSERT_ROWS = 100;
type E = ExpressionBuilder<Database, 'compatibility'>;

/** The compatibility list: read by everybody, kept by the operator. */
export class Compatibility {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /** By model; a model that begins with what is searched comes first. */
  async page({ cursor, limit, ...filter }: CompatQuery): Promise<Page<CompatRow>> {
    const [afterKey, afterId] = parseCursor(cursor, 2) ?? [];
    const rows = await this.#db
      .selectFrom('compatibility')
      .selectAll()
      .where((e) => matches(e, filter))
      .$if(afterKey !== undefined, (q) =>
        q.where((e) => e(e.refTuple('modelKey', 'id'), '>', e.tuple(afterKey as string, afterId as string))),
      )
      .orderBy('modelKey')
      .orderBy('id')
      .limit(limit + 1)
      .execute();
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { items: rows.slice(0, limit).map(view), nextCursor: last ? cursorAfter(last) : null };
  }

  async summary(): Promise<CompatSummary> {
    const counted = await this.#db
      .selectFrom('compatibility')
      .select((e) => ['list', e.fn.countAll<number>().as('rows')])
      .groupBy('list')
      .execute();
    const types = await this.#db
      .selectFrom('compatibility')
      .select('deviceType')
      .distinct()
      .orderBy('deviceType')
      .execute();
    const { changed } = await this.#db
      .selectFrom('compatibility')
      .select((e) => e.fn.max('importedMs').as('changed'))
      .executeTakeFirstOrThrow();
    const of = (list: string) => Number(counted.find((row) => row.list === list)?.rows ?? 0);
    return {
      counts: Object.fromEntries(COMPAT_LISTS.map((list) => [list, of(list)])) as CompatSummary['counts'],
      deviceTypes: types.map((row) => row.deviceType),
      changedAt: changed === null ? null : iso(Number(changed)),
    };
  }

  /** Puts the rows of a CSV file in the place of all that is there, or changes nothing. */
  async import(csv: string): Promise<ImportedCompat> {
    const entries = readCompatCsv(csv);
    const now = this.#clock.now();
    return this.#db.transaction().execute(async (trx) => {
      const before = await trx.selectFrom('compatibility').select(['list', 'modelKey', 'firmware']).execute();
      await trx.deleteFrom('compatibility').execute();
      const rows = entries.map((entry) => ({
        ...entry,
        id: uuidv7(now),
        modelKey: modelKey(entry.model),
        baseKey: baseKey(entry.model),
        importedMs: now,
        features: JSON.stringify(entry.features),
        words: wordsOf(entry),
      }));
      for (let i = 0; i < rows.length; i += INSERT_ROWS)
        await trx
          .insertInto('compatibility')
          .values(rows.slice(i, i + INSERT_ROWS))
          .execute();
      const key = (row: { list: string; modelKey: string; firmware: string }) =>
        JSON.stringify([row.list, row.modelKey, row.firmware]);
      const [had, has] = [new Set(before.map(key)), new Set(rows.map(key))];
      return { rows: rows.length, added: without(has, had), removed: without(had, has) };
    });
  }
}

const without = (all: Set<string>, others: Set<string>) => [...all].filter((one) => !others.has(one)).length;

function matches(e: E, filter: CompatFilter): ExpressionWrapper<Database, 'compatibility', SqlBool> {
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean).slice(0, MAX_WORDS);
  return e.and([
    ...(filter.list ? [e('list', '=', filter.list)] : []),
    ...(filter.deviceType ? [e('deviceType', '=', filter.deviceType)] : []),
    ...(filter.channels !== undefined ? [e('maxChannels', '>=', filter.channels)] : []),
    ...(filter.height !== undefined ? [e('maxHeight', '>=', filter.height)] : []),
    ...(filter.kbps !== undefined ? [e('maxKbps', '>=', filter.kbps)] : []),
    ...words.map((word) => contains('words', word)),
  ]);
}

const cursorAfter = (row: { modelKey: string; id: string }) =>
  Buffer.from(JSON.stringify([row.modelKey, row.id])).toString('base64url');

const wordsOf = (o: CompatEntry) => [o.model, o.series, o.deviceType, o.remarks].join(' ').toLowerCase();

const view = (row: Database['compatibility']): CompatRow => ({
  id: row.id,
  list: row.list,
  deviceType: row.deviceType,
  series: row.series,
  model: row.model,
  firmware: row.firmware,
  maxChannels: row.maxChannels,
  maxWidth: row.maxWidth,
  maxHeight: row.maxHeight,
  maxKbps: row.maxKbps,
  remarks: row.remarks,
  features: featuresOf(row.features),
});

function featuresOf(text: string): CompatRow['features'] {
  const known = Object.entries(JSON.parse(text) as Record<string, boolean>);
  return Object.fromEntries(known.filter(([name]) => CompatFeature.safeParse(name).success));
}
