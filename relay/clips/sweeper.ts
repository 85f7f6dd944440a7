import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { sealedSize } from '../../protocol/codec/object-cipher.ts';
import type { Db } from '../db/database.ts';
import type { AwaitedObjects } from './awaited-objects.ts';
import type { Clips } from './clips.ts';
import { fragmentKey, type ObjectStore, videoKey } from './object-store.ts';
import { JOINED, LISTED } from './schema.ts';

const EVERY_MS = 10 * 60_000;
const AT_ONCE = 200;
/** An address of before its deletion is good for ten minutes yet; between both there is a sweep, and seldom a second one. */
const LATE_MS = [11 * 60_000, 25 * 60_000] as const;
/** Fragments of which no clip was ever heard. */
const ORPHANS_MS = 30 * 86_400_000;
/** More are not looked for without a row that names them. */
const MOST_PARTS = 2000;

/** Deletes footage: whose time is over, and what somebody deletes. Objects first, so that none is forgotten after a crash. */
export class Sweeper {
  readonly #db: Db;
  readonly #store: ObjectStore;
  readonly #clips: Clips;
  readonly #awaited: AwaitedObjects;
  readonly #clock: Clock;
  readonly #log: Logger;
  #running: Promise<void> = Promise.resolve();
  #stopped = true;
  #cancel: (() => void) | null = null;

  constructor(deps: { db: Db; store: ObjectStore; clips: Clips; awaited: AwaitedObjects; clock: Clock; log: Logger }) {
    this.#db = deps.db;
    this.#store = deps.store;
    this.#clips = deps.clips;
    this.#awaited = deps.awaited;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  start(): void {
    this.#stopped = false;
    const sweep = () => {
      this.#running = this.#running
        .then(() => this.#sweep())
        .catch((error) => this.#log.error({ err: error }, 'footage could not be deleted; tried again in ten minutes'));
    };
    this.#cancel = this.#clock.every(EVERY_MS, sweep);
    sweep();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  /**
   * Deletes what is stored of a clip. Its row stays, marked, until it would have expired: what its box sends of it yet
   * is not taken.
   */
  async delete(clipId: string): Promise<void> {
    const deletedMs = this.#clock.now();
    await this.#db.updateTable('clips').set({ deletedMs }).where('id', '=', clipId).execute();
    await this.#db.deleteFrom('clip_shares').where('clipId', '=', clipId).execute();
    await this.forget(clipId);
  }

  async #sweep(): Promise<void> {
    await this.#dateOldOnes();
    const now = this.#clock.now();
    const some = () => this.#db.selectFrom('clips').select('clips.id').limit(AT_ONCE);
    const deleted =
      (await this.#drain(() => some().where('expiresMs', '<=', now).orderBy('expiresMs').execute())) +
      // Of a site that was deleted nothing is kept.
      (await this.#drain(() =>
        some().innerJoin('sites', 'sites.id', 'clips.siteId').where('sites.deletedAt', 'is not', null).execute(),
      ));
    // What a box put into an object store after its clip was deleted, with an address of before.
    const late = await this.#db
      .selectFrom('clips')
      .select('id')
      .where('deletedMs', '>', now - LATE_MS[1])
      .where('deletedMs', '<=', now - LATE_MS[0])
      .execute();
    for (const { id } of late) if (!this.#stopped) await this.forget(id);
    const never = await this.#awaited.sweep(this.#store, () => this.#stopped);
    if (never > 0) this.#log.info({ objects: never }, 'what boxes never said to be stored was deleted');
    const orphans = await this.#db
      .selectFrom('clip_fragments as f')
      .leftJoin('clips as c', 'c.id', 'f.clipId')
      .select('f.clipId as id')
      .distinct()
      .where('c.id', 'is', null)
      .where('f.storedMs', '<', now - ORPHANS_MS)
      .limit(AT_ONCE)
      .execute();
    for (const { id } of orphans) if (!this.#stopped) await this.forget(id);
    await this.#db
      .deleteFrom('clip_shares')
      .where('untilMs', '<', now - ORPHANS_MS)
      .execute();
    if (deleted > 0) this.#log.info({ clips: deleted }, 'footage whose time is over was deleted');
  }

  /** Deletes what is found until nothing is; how many that were. */
  async #drain(find: () => Promise<{ id: string }[]>): Promise<number> {
    for (let deleted = 0; ; ) {
      const due = await find();
      for (const { id } of due) {
        if (this.#stopped) return deleted;
        await this.forget(id);
        await this.#db.deleteFrom('clip_shares').where('clipId', '=', id).execute();
        await this.#db.deleteFrom('clips').where('id', '=', id).execute();
        deleted++;
      }
      if (due.length < AT_ONCE) return deleted;
    }
  }

  /** Clips of an earlier version, which did not say when they expire. */
  async #dateOldOnes(): Promise<void> {
    const rows = await this.#db
      .selectFrom('clips')
      .select(['id', 'siteId', 'deviceId', 'channel', 'startedAt'])
      .where('expiresMs', 'is', null)
      .limit(AT_ONCE)
      .execute();
    for (const { id, siteId, ...clip } of rows) {
      const expiresMs = await this.#clips.expiry(this.#db, siteId, clip);
      await this.#db.updateTable('clips').set({ expiresMs }).where('id', '=', id).execute();
    }
  }

  /** Deletes what is stored of a clip, and gives back what it took. */
  async forget(clipId: string): Promise<void> {
    const clip = await this.#db.selectFrom('clips').selectAll().where('id', '=', clipId).executeTakeFirst();
    const rows = await this.#clips.fragments(clipId);
    const listed = clip?.swept === LISTED ? await this.#clips.parts(clip) : [];
    // Also those that were put into an object store and never said to be there.
    const numbers = new Set([...rows, ...listed].map((part) => part.n));
    for (let n = 0; clip && clip.swept !== JOINED && n <= Math.min(clip.fragments ?? 0, MOST_PARTS); n++)
      numbers.add(n);
    for (const n of numbers) await this.#store.delete(fragmentKey(clipId, n));
    await this.#store.delete(videoKey(clipId));
    const bytesOf = (parts: { size: number }[]) => parts.reduce((sum, { size }) => sum + Number(size), 0);
    const size = Number(clip?.joinedSize ?? 0);
    const ofWhole = listed.length > 0 ? bytesOf(listed) : clip?.keyId ? sealedSize(size) : size;
    const siteId = clip?.siteId ?? (await this.#siteOf(rows[0]?.boxSerial));
    await this.#db.transaction().execute(async (trx) => {
      await trx.deleteFrom('clip_events').where('clipId', '=', clipId).execute();
      await trx.deleteFrom('clip_fragments').where('clipId', '=', clipId).execute();
      await trx.deleteFrom('clip_lists').where('clipId', '=', clipId).execute();
      // Its row may stay, and what it took is given back once.
      const { numUpdatedRows } = await trx
        .updateTable('clips')
        .set({ swept: 0, joinedSize: null, etag: null })
        .where('id', '=', clipId)
        .where('swept', '>=', JOINED)
        .executeTakeFirst();
      const bytes = bytesOf(rows) + (numUpdatedRows > 0n ? ofWhole : 0);
      if (!siteId || bytes === 0) return;
      await trx
        .updateTable('site_storage')
        .set((e) => ({ bytes: e('bytes', '-', bytes) }))
        .where('siteId', '=', siteId)
        .execute();
    });
  }

  async #siteOf(serial: string | undefined): Promise<string | null> {
    if (!serial) return null;
    const box = await this.#db.selectFrom('boxes').select('siteId').where('serial', '=', serial).executeTakeFirst();
    return box?.siteId ?? null;
  }
}
