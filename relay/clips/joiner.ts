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
/** Nothing came of it for so long: of one that its box calls incomplete, and of one that should be whole. */
const CLOSED_MS = 24 * HOUR_MS;
const CUT_OFF_MS = 14 * 24 * HOUR_MS;
/** So many in a row: it is not the clips. */
const MOST_FAILURES = 5;

/**
 * A row for each fragment of every clip would be millions. In a folder a complete clip is written as one object, then its
 * fragments are deleted; in an object store, where that would send all of it twice, the fragments stay and one row lists
 * them. One clip at a time, and each step can be repeated after a crash: object, then row, then deletion. An incomplete clip is
 * closed in the same way once nothing comes of it any more: with what it has, or dropped where that cannot be played.
 */
export class Joiner {
  readonly #db: Db;
  readonly #store: ObjectStore;
  readonly #clips: Clips;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lists: boolean;
  readonly #forget: (clipId: string) => Promise<void>;
  readonly #due = new Set<string>();
  #failures = 0;
  #running: Promise<void> | null = null;
  #sweeping: Promise<unknown> = Promise.resolve();
  #stopping = AbortSignal.abort();
  #abort = () => {};
  #release: (() => void)[] = [];

  /** `lists`: fragments are left where they are; `forget` deletes what is stored of a clip. */
  constructor(deps: {
    db: Db;
    store: ObjectStore;
    clips: Clips;
    clock: Clock;
    log: Logger;
    lists: boolean;
    forget: (clipId: string) => Promise<void>;
  }) {
    this.#db = deps.db;
    this.#store = deps.store;
    this.#clips = deps.clips;
    this.#clock = deps.clock;
    this.#log = deps.log.child({ module: 'clips' });
    this.#lists = deps.lists;
    this.#forget = deps.forget;
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
    if (!clip || clip.swept >= JOINED || clip.deletedMs !== null) return;
    const closed = clip.boxState === 'incomplete';
    if (closed ? !(await this.#isOver(clip)) : clip.boxState !== 'ended') return;
    const fragments = await this.#clips.fragments(id);
    const content = await this.#clips.content(clip);
    const file = content && (await openClip(content, clip, fragments));
    if (closed) {
      const parts = fragments.filter((f) => f.n > 0).length;
      this.#log.info(
        { clipId: id, parts, of: clip.fragments },
        file ? 'an incomplete clip is closed' : 'of an incomplete clip nothing can be played: it is dropped',
      );
      if (!file) return this.#forget(id);
    }
    // One that was written already lacks the last step only.
    if (this.#lists && clip.joinedSize === null) return this.#list(clip);
    if (!file) return;
    if (clip.joinedSize === null) {
      const media = fragments.filter((f) => f.n > 0).length;
      if (!closed && (clip.fragments === null || media < clip.fragments)) return;
      await content.join(file.read(0, file.size - 1), file.size);
      await this.#db.updateTable('clips').set({ joinedSize: file.size }).where('id', '=', id).execute();
    }
    if (clip.swept === 0) for (const { n } of fragments) await this.#store.delete(fragmentKey(id, n));
    const was = fragments.reduce((sum, f) => sum + Number(f.size), 0);
    await this.#forgetRows(clip, file.etag, content.stored(file.size) - was, closed ? listOf(fragments) : null);
  }

  /** Nothing comes of it any more. */
  async #isOver({ id, reportedMs }: Pick<ClipRow, 'id' | 'reportedMs'>): Promise<boolean> {
    const before = this.#clock.now() - CLOSED_MS;
    const late = await this.#db
      .selectFrom('clip_fragments')
      .select('n')
      .where('clipId', '=', id)
      .where('storedMs', '>', before)
      .limit(1)
      .executeTakeFirst();
    return Number(reportedMs) <= before && late === undefined;
  }

  /** Boxes are offline for days, and some never come back: what they should have sent yet is given up. */
  async #giveUp(): Promise<void> {
    const before = this.#clock.now() - CUT_OFF_MS;
    const { numUpdatedRows } = await this.#db
      .updateTable('clips')
      .set({ boxState: 'incomplete' })
      .where('boxState', 'in', ['ended', 'recording'])
      .where('swept', '=', 0)
      .where('joinedSize', 'is', null)
      .where('deletedMs', 'is', null)
      .where('reportedMs', '<=', before)
      .where((e) =>
        e.not(
          e.exists(
            e
              .selectFrom('clip_fragments as f')
              .select('f.n')
              .whereRef('f.clipId', '=', 'clips.id')
              .where('f.storedMs', '>', before),
          ),
        ),
      )
      .executeTakeFirst();
    if (numUpdatedRows > 0n)
      this.#log.warn(
        { clips: Number(numUpdatedRows) },
        'the rest of clips did not come for 14 days: they stay incomplete',
      );
  }

  /** From here on the clip stands for its fragments: a box that offers them again is told that they are stored. */
  async #forgetRows(
    { id, siteId }: Pick<ClipRow, 'id' | 'siteId'>,
    etag: string,
    grown: number,
    parts: string | null,
  ): Promise<void> {
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
      // How much of an incomplete one there is is told from this.
      if (parts !== null) await trx.insertInto('clip_lists').values({ clipId: id, parts }).execute();
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
    const closed = clip.boxState === 'incomplete';
    if (!content || (clip.fragments === null && !closed)) return;
    await this.#db.transaction().execute(async (trx) => {
      const rows = await trx.selectFrom('clip_fragments').selectAll().where('clipId', '=', id).orderBy('n').execute();
      if (rows[0]?.n !== 0 || (!closed && rows.length - 1 < clip.fragments!)) return;
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
    await this.#giveUp();
    for (let last = ''; ; ) {
      const due = await this.#db
        .selectFrom('clips')
        .select('id')
        // Those of an earlier version have rows yet.
        .where('swept', '<', JOINED)
        .where('boxState', 'in', ['ended', 'incomplete'])
        .where('deletedMs', 'is', null)
        .where((e) => e.exists(e.selectFrom('clip_fragments as f').select('f.n').whereRef('f.clipId', '=', 'clips.id')))
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
