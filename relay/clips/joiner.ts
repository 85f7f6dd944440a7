import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';
import { type ClipRow, etagOf, openClip } from './clip-file.ts';
import { listOf } from './clip-list.ts';
import type { Clips } from './clips.ts';
import { fragmentKey, type ObjectStore } from './object-store.ts';
import { JOINED, LISTED } from './schema.ts';

const HOUR_MS = 3_600_000;
const AT_ONCE = 500;
/** Between two clips of those that wait: the database has other work. */
const REST_MS = 5;
/** So many in a row: it is not the clips. */
const MOST_FAILURES = 5;

/**
 * A row for each fragment of every clip would be millions. In a folder a complete clip is written as one object, then its
 * fragments are deleted; in an object store, where that would send all of it twice, the fragments stay and one row lists
 * them. One clip at a time, and each step can be repeated after a crash: object, then row, then deletion.
 */
export class Joiner {
  readonly #db: Db;
  readonly #store: ObjectStore;
  readonly #clips: Clips;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lists: boolean;
  readonly #due = new Set<string>();
  #failures = 0;
  #running: Promise<void> | null = null;
  #sweeping: Promise<unknown> = Promise.resolve();
  #stopping = AbortSignal.abort();
  #abort = () => {};
  #release: (() => void)[] = [];

  /** `lists`: fragments are left where they are. */
  constructor(deps: { db: Db; store: ObjectStore; clips: Clips; clock: Clock; log: Logger; lists: boolean }) {
    this.#db = deps.db;
    this.#store = deps.store;
    this.#clips = deps.clips;
    this.#clock = deps.clock;
    this.#log = deps.log.child({ module: 'clips' });
    this.#lists = deps.lists;
  }

  start(): void {
    const stopping = new AbortController();
    this.#stopping = stopping.signal;
    this.#abort = () => stopping.abort();
    const sweep = () => {
      this.#sweeping = this.#guard('look for clips to join', () => this.#sweep());
    };
    this.#release = [
      this.#clips.onChange((clip) => clip.state === 'complete' && this.#add(clip.id)),
      this.#clock.every(HOUR_MS, sweep),
    ];
    sweep();
  }

  /** Waits for the clip in hand. */
  async stop(): Promise<void> {
    this.#abort();
    for (const release of this.#release) release();
    this.#due.clear();
    await this.#sweeping;
    await this.#running;
  }

  #add(id: string): void {
    this.#due.add(id);
    this.#running ??= this.#work();
  }

  async #work(): Promise<void> {
    for (const id of this.#due) {
      const done = await this.#guard('join a clip', () => this.#join(id), id);
      this.#failures = done ? 0 : this.#failures + 1;
      this.#due.delete(id);
    }
    this.#running = null;
  }

  async #join(id: string): Promise<void> {
    const clip = await this.#db.selectFrom('clips').selectAll().where('id', '=', id).executeTakeFirst();
    if (!clip || clip.swept >= JOINED || clip.boxState !== 'ended' || clip.deletedMs !== null) return;
    // One that was written already lacks the last step only.
    if (this.#lists && clip.joinedSize === null) return this.#list(clip);
    const fragments = await this.#clips.fragments(id);
    const content = await this.#clips.content(clip);
    const file = content && (await openClip(content, clip, fragments));
    if (!file) return;
    if (clip.joinedSize === null) {
      const media = fragments.filter((f) => f.n > 0).length;
      if (clip.fragments === null || media < clip.fragments) return;
      await content.join(file.read(0, file.size - 1), file.size);
      await this.#db.updateTable('clips').set({ joinedSize: file.size }).where('id', '=', id).execute();
    }
    if (clip.swept === 0) for (const { n } of fragments) await this.#store.delete(fragmentKey(id, n));
    const was = fragments.reduce((sum, f) => sum + Number(f.size), 0);
    await this.#forgetRows(clip, file.etag, content.stored(file.size) - was);
  }

  /** From here on the clip stands for its fragments: a box that offers them again is told that they are stored. */
  async #forgetRows({ id, siteId }: Pick<ClipRow, 'id' | 'siteId'>, etag: string, grown: number): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('clips')
        .set({ swept: JOINED, etag })
        .where('id', '=', id)
        .where('deletedMs', 'is', null)
        .executeTakeFirst();
      // Somebody deleted it meanwhile, and with it what it took.
      if (numUpdatedRows === 0n) return;
      await trx.deleteFrom('clip_fragments').where('clipId', '=', id).execute();
      await trx
        .updateTable('site_storage')
        .set((e) => ({ bytes: e('bytes', '+', grown) }))
        .where('siteId', '=', siteId)
        .execute();
    });
  }

  /** All rows or none: what a box offers of it from here on is stored already. */
  async #list(clip: ClipRow): Promise<void> {
    const { id } = clip;
    const content = await this.#clips.content(clip);
    if (!content || clip.fragments === null) return;
    await this.#db.transaction().execute(async (trx) => {
      const rows = await trx.selectFrom('clip_fragments').selectAll().where('clipId', '=', id).orderBy('n').execute();
      if (rows[0]?.n !== 0 || rows.length - 1 < clip.fragments!) return;
      const joinedSize = rows.reduce((sum, { size }) => sum + content.size(Number(size)), 0);
      const { numUpdatedRows } = await trx
        .updateTable('clips')
        .set({ swept: LISTED, etag: etagOf(clip, rows), joinedSize })
        .where('id', '=', id)
        .where('deletedMs', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return;
      await trx
        .insertInto('clip_lists')
        .values({ clipId: id, parts: listOf(rows) })
        .execute();
      await trx.deleteFrom('clip_grants').where('clipId', '=', id).execute();
      const { numDeletedRows } = await trx.deleteFrom('clip_fragments').where('clipId', '=', id).executeTakeFirst();
      if (numDeletedRows !== BigInt(rows.length)) throw new Error('parts of the clip came or went meanwhile');
    });
  }

  async #sweep(): Promise<void> {
    this.#failures = 0;
    for (let last = ''; ; ) {
      const due = await this.#db
        .selectFrom('clips')
        .select('id')
        // Those of an earlier version have rows yet.
        .where('swept', '<', JOINED)
        .where('boxState', '=', 'ended')
        .where('deletedMs', 'is', null)
        .where('id', '>', last)
        .orderBy('id')
        .limit(AT_ONCE)
        .execute();
      for (const { id } of due) {
        if (this.#stopping.aborted || this.#failures >= MOST_FAILURES) return;
        this.#add(id);
        await this.#running;
        if (this.#lists) await this.#clock.sleep(REST_MS, this.#stopping);
        last = id;
      }
      if (due.length < AT_ONCE) return;
    }
  }

  async #guard(what: string, fn: () => Promise<void>, clipId?: string): Promise<boolean> {
    try {
      await fn();
      return true;
    } catch (error) {
      this.#log.error({ err: error, clipId }, `could not ${what}; tried again within the hour`);
      return false;
    }
  }
}
