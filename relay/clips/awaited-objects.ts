import type { Clock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';
import { fragmentKey, type ObjectStore } from './object-store.ts';
import { LISTED } from './schema.ts';

/** An address is good for ten minutes; a box says within seconds what it has put there. */
const WAIT_MS = 3_600_000;
const AT_ONCE = 500;

/** Objects for which boxes have an address of an object store, until they say that they put them there. */
export class AwaitedObjects {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  async add(clipId: string, n: number): Promise<void> {
    const grantedMs = this.#clock.now();
    await this.#db
      .insertInto('clip_grants')
      .values({ clipId, n, grantedMs })
      .onConflict((c) => c.columns(['clipId', 'n']).doUpdateSet({ grantedMs }))
      .execute();
  }

  /** Waits for it for another while; false: nobody does. */
  async again(clipId: string, n: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('clip_grants')
      .set({ grantedMs: this.#clock.now() })
      .where('clipId', '=', clipId)
      .where('n', '=', n)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async arrived(clipId: string, n: number): Promise<void> {
    await this.#db.deleteFrom('clip_grants').where('clipId', '=', clipId).where('n', '=', n).execute();
  }

  /** Deletes what was never said to be there; how many objects that may have been. */
  async sweep(store: ObjectStore, stopped: () => boolean): Promise<number> {
    const before = this.#clock.now() - WAIT_MS;
    for (let count = 0; ; ) {
      const due = await this.#db
        .selectFrom('clip_grants')
        .select(['clipId', 'n'])
        .where('grantedMs', '<', before)
        .orderBy('grantedMs')
        .limit(AT_ONCE)
        .execute();
      for (const { clipId, n } of due) {
        if (stopped()) return count;
        const { numDeletedRows } = await this.#db
          .deleteFrom('clip_grants')
          .where('clipId', '=', clipId)
          .where('n', '=', n)
          .where('grantedMs', '<', before)
          .executeTakeFirst();
        // Its box came back meanwhile, or broke off between the row of its arrival and this one.
        if (numDeletedRows === 0n || (await this.#stored(clipId, n))) continue;
        await store.delete(fragmentKey(clipId, n));
        count++;
      }
      if (due.length < AT_ONCE) return count;
    }
  }

  async #stored(clipId: string, n: number): Promise<boolean> {
    const row = await this.#db
      .selectFrom('clip_fragments')
      .select('n')
      .where('clipId', '=', clipId)
      .where('n', '=', n)
      .executeTakeFirst();
    if (row) return true;
    const clip = await this.#db.selectFrom('clips').select('swept').where('id', '=', clipId).executeTakeFirst();
    return clip?.swept === LISTED;
  }
}
