import { iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import type { OperatorBox, OperatorBoxQuery } from '../../protocol/wire/operator.ts';
import { ProblemError } from '../api/problem.ts';
import type { Db } from '../db/database.ts';
import { beginsWith, contains } from '../db/text-search.ts';

/** Rows looked at for one page when only boxes that are online, or offline, are asked for. */
const CHUNK = 500;
const MAX_CHUNKS = 20;

const select = (db: Db) =>
  db
    .selectFrom('boxes as b')
    .leftJoin('sites as s', 's.id', 'b.siteId')
    .leftJoin('companies as c', 'c.id', 'b.companyId')
    .select(['b.serial', 'b.state', 'b.version', 'b.enrolledMs', 'b.seenMs', 'b.siteId', 'b.companyId'])
    .select(['s.name as siteName', 'c.name as companyName']);
type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number];

/** Every box that enrolled here, whosever it is. */
export class OperatorBoxes {
  readonly #db: Db;
  readonly #online: (serial: string) => boolean;

  constructor({ db, online }: { db: Db; online: (serial: string) => boolean }) {
    this.#db = db;
    this.#online = online;
  }

  /** By serial. A page may be short of its limit although more follow: the cursor says so. */
  async list({ q, state, companyId, online, cursor, limit }: OperatorBoxQuery): Promise<Page<OperatorBox>> {
    const from = (after: string | undefined, count: number) =>
      select(this.#db)
        .$if(after !== undefined, (b) => b.where('b.serial', '>', after as string))
        .$if(state !== undefined, (b) => b.where('b.state', '=', state!))
        .$if(companyId !== undefined, (b) => b.where('b.companyId', '=', companyId!))
        .$if(Boolean(q), (b) =>
          b.where((e) =>
            e.or([
              beginsWith('b.serial', (q as string).toUpperCase()),
              contains('s.name', q as string),
              contains('c.name', q as string),
            ]),
          ),
        )
        .orderBy('b.serial')
        .limit(count)
        .execute();
    const items: OperatorBox[] = [];
    let after = cursor;
    for (let chunk = 0; chunk < MAX_CHUNKS; chunk++) {
      const count = online === undefined ? limit + 1 : CHUNK;
      const rows = await from(after, count);
      for (const row of rows) {
        const box = this.#view(row);
        if (online !== undefined && box.online !== (online === 'true')) continue;
        if (items.length === limit) return { items, nextCursor: items.at(-1)!.serial };
        items.push(box);
      }
      if (rows.length < count) return { items, nextCursor: null };
      after = rows.at(-1)!.serial;
    }
    return { items, nextCursor: after ?? null };
  }

  async get(serial: string): Promise<OperatorBox> {
    const row = await select(this.#db).where('b.serial', '=', serial).executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return this.#view(row);
  }

  #view(row: Row): OperatorBox {
    const { serial, state, version, enrolledMs, seenMs, siteId, siteName, companyId, companyName } = row;
    const named = (id: string | null, name: string | null) => (id !== null && name !== null ? { id, name } : null);
    return {
      serial,
      state,
      version,
      online: this.#online(serial),
      enrolledAt: iso(enrolledMs),
      seenAt: seenMs === null ? null : iso(seenMs),
      site: named(siteId, siteName),
      company: named(companyId, companyName),
    };
  }
}
