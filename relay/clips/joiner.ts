import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';
import { type ClipRow, openClip } from './clip-file.ts';
import type { Clips } from './clips.ts';
import { fragmentKey, type ObjectStore } from './object-store.ts';
import { JOINED } from './schema.ts';

const HOUR_MS = 3_600_000;

/**
 * Writes complete clips as one object, then deletes their fragments, whose rows would be millions otherwise. One at a time,
 * and each step can be repeated after a crash: object, then row, then deletion.
 */
export class Joiner {
  readonly #db: Db;
  readonly #store: ObjectStore;
  readonly #clips: Clips;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #due = new Set<string>();
  #running: Promise<void> | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = true;
  #release: (() => void)[] = [];

  constructor(deps: { db: Db; store: ObjectStore; clips: Clips; clock: Clock; log: Logger }) {
    this.#db = deps.db;
    this.#store = deps.store;
    this.#clips = deps.clips;
    this.#clock = deps.clock;
    this.#log = deps.log.child({ module: 'clips' });
  }

  start(): void {
    this.#stopped = false;
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
    if (!clip || clip.swept === JOINED || clip.boxState !== 'ended' || clip.deletedMs !== null) return;
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

  async #sweep(): Promise<void> {
    const due = this.#db
      .selectFrom('clips')
      .select('id')
      // Those of an earlier version have rows yet.
      .where('swept', '<', JOINED)
      .where('boxState', '=', 'ended')
      .where('deletedMs', 'is', null);
    for (const { id } of await due.execute()) if (!this.#stopped) this.#add(id);
  }

  async #guard(what: string, fn: () => Promise<void>, clipId?: string): Promise<void> {
    try {
      await fn();
    } catch (error) {
      this.#log.error({ err: error, clipId }, `could not ${what}; tried again within the hour`);
    }
  }
}
