import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';
import { openClip } from './clip-file.ts';
import type { Clips } from './clips.ts';
import { fragmentKey, type ObjectStore, videoKey } from './object-store.ts';

const HOUR_MS = 3_600_000;

/**
 * Writes complete clips as one object, then deletes their fragments; expires clips. One at a time, and each step can be
 * repeated after a crash: object, then row, then deletion.
 */
export class Joiner {
  readonly #db: Db;
  readonly #store: ObjectStore;
  readonly #clips: Clips;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #retainMs: number;
  readonly #due = new Set<string>();
  #running: Promise<void> | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = true;
  #release: (() => void)[] = [];

  /** `retainMs`: how long a clip is kept after the box's last word on it. */
  constructor(deps: { db: Db; store: ObjectStore; clips: Clips; clock: Clock; log: Logger; retainMs?: number }) {
    this.#db = deps.db;
    this.#store = deps.store;
    this.#clips = deps.clips;
    this.#clock = deps.clock;
    this.#log = deps.log.child({ module: 'clips' });
    this.#retainMs = deps.retainMs ?? 30 * 24 * HOUR_MS;
  }

  start(): void {
    this.#stopped = false;
    const sweep = () => {
      this.#sweeping = this.#guard('look for clips to join or expire', () => this.#sweep());
    };
    this.#release = [
      this.#clips.onChange((clip) => clip.state === 'complete' && this.#add(clip.id)),
      this.#clock.every(HOUR_MS, sweep),
    ];
    sweep();
  }

  /** Waits for the clip in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
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
      await this.#guard('join a clip', () => this.#join(id), id);
      this.#due.delete(id);
    }
    this.#running = null;
  }

  async #join(id: string): Promise<void> {
    const clip = await this.#db.selectFrom('clips').selectAll().where('id', '=', id).executeTakeFirst();
    if (!clip || clip.swept || clip.boxState !== 'ended') return;
    const fragments = await this.#clips.fragments(id);
    if (clip.joinedSize === null) {
      const media = fragments.filter((f) => f.n > 0).length;
      if (clip.fragments === null || media < clip.fragments) return;
      const file = await openClip(this.#store, clip, fragments);
      if (!file) return;
      await this.#store.put(videoKey(id), file.read(0, file.size - 1), { size: file.size });
      await this.#db.updateTable('clips').set({ joinedSize: file.size }).where('id', '=', id).execute();
    }
    for (const { n } of fragments) await this.#store.delete(fragmentKey(id, n));
    await this.#db.updateTable('clips').set({ swept: 1 }).where('id', '=', id).execute();
  }

  async #sweep(): Promise<void> {
    const due = this.#db.selectFrom('clips').select('id').where('swept', '=', 0).where('boxState', '=', 'ended');
    for (const { id } of await due.execute()) if (!this.#stopped) this.#add(id);
    const before = this.#clock.now() - this.#retainMs;
    const expired = await this.#db
      .selectFrom('clip_fragments as f')
      .leftJoin('clips as c', 'c.id', 'f.clipId')
      .select('f.clipId as id')
      .distinct()
      .where((e) => e(e.fn.coalesce('c.reportedMs', 'f.storedMs'), '<', before))
      .limit(1000)
      .execute();
    for (const { id } of expired) if (!this.#stopped) await this.#expire(id);
    await this.#db.deleteFrom('clips').where('reportedMs', '<', before).execute();
  }

  async #expire(id: string): Promise<void> {
    for (const { n } of await this.#clips.fragments(id)) await this.#store.delete(fragmentKey(id, n));
    await this.#store.delete(videoKey(id));
    await this.#db.deleteFrom('clips').where('id', '=', id).execute();
    await this.#db.deleteFrom('clip_fragments').where('clipId', '=', id).execute();
  }

  async #guard(what: string, fn: () => Promise<void>, clipId?: string): Promise<void> {
    try {
      await fn();
    } catch (error) {
      this.#log.error({ err: error, clipId }, `could not ${what}; tried again within the hour`);
    }
  }
}
