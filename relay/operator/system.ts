import { type Clock, iso } from '../../protocol/clock.ts';
import { BOX_STATES, type SystemState } from '../../protocol/wire/operator.ts';
import type { Db } from '../db/database.ts';
import { databaseBytes, isPostgres } from '../db/dialect.ts';
import { VERSION } from '../version.ts';

const NEWEST = 10;

/** What runs in this process beside the database. */
export interface Counters {
  boxesOnline: () => number;
  tunnels: () => number;
  arcPaths: () => number;
  clips: () => SystemState['clips'];
}

/** How the relay itself is doing, for the operator. */
export class SystemView {
  readonly #db: Db;
  readonly #counters: Counters;
  readonly #startedAt: string;

  constructor({ db, clock, counters }: { db: Db; clock: Clock; counters: Counters }) {
    this.#db = db;
    this.#counters = counters;
    this.#startedAt = iso(clock.now());
  }

  async get(): Promise<SystemState> {
    const db = this.#db;
    const counts = await db
      .selectNoFrom((e) => [
        e
          .selectFrom('companies')
          .select((f) => f.fn.countAll<number>().as('n'))
          .where('type', 'not in', ['customer', 'operator'])
          .as('companies'),
        e
          .selectFrom('companies')
          .select((f) => f.fn.countAll<number>().as('n'))
          .where('authentication', '=', 'submitted')
          .as('waiting'),
        e
          .selectFrom('sites')
          .select((f) => f.fn.countAll<number>().as('n'))
          .where('deletedAt', 'is', null)
          .as('sites'),
        e
          .selectFrom('devices')
          .select((f) => f.fn.countAll<number>().as('n'))
          .where('deletedAt', 'is', null)
          .as('devices'),
        e
          .selectFrom('quarantine')
          .select((f) => f.fn.countAll<number>().as('n'))
          .as('kept'),
      ])
      .executeTakeFirstOrThrow();
    const boxes = await db
      .selectFrom('boxes')
      .select(['state', (e) => e.fn.countAll<number>().as('count')])
      .groupBy('state')
      .execute();
    const outbox = await db
      .selectFrom('outbox')
      .select(['state', (e) => e.fn.countAll<number>().as('count'), (e) => e.fn.min('createdMs').as('oldestMs')])
      .where('state', 'in', ['waiting', 'failed'])
      .groupBy('state')
      .execute();
    const waiting = outbox.find((row) => row.state === 'waiting');
    const newest = await db
      .selectFrom('quarantine')
      .select(['serial', 'reason', 'topic', 'receivedAt'])
      .orderBy('rowId', 'desc')
      .limit(NEWEST)
      .execute();
    return {
      version: VERSION,
      startedAt: this.#startedAt,
      database: { kind: isPostgres(db) ? 'postgres' : 'sqlite', bytes: await databaseBytes(db) },
      memoryBytes: process.memoryUsage.rss(),
      companies: Number(counts.companies),
      waiting: Number(counts.waiting),
      sites: Number(counts.sites),
      devices: Number(counts.devices),
      boxes: BOX_STATES.map((state) => ({ state, count: boxes.find((row) => row.state === state)?.count ?? 0 })),
      boxesOnline: this.#counters.boxesOnline(),
      tunnels: this.#counters.tunnels(),
      arcPaths: this.#counters.arcPaths(),
      clips: this.#counters.clips(),
      outbox: {
        waiting: waiting?.count ?? 0,
        failed: outbox.find((row) => row.state === 'failed')?.count ?? 0,
        oldestAt: waiting ? iso(waiting.oldestMs) : null,
      },
      quarantine: { kept: Number(counts.kept), newest },
    };
  }
}
