import type { Clock } from '../../protocol/clock.ts';
import type { PulledMessages } from '../../protocol/wire/receiver.ts';
import type { Db } from '../db/database.ts';
import { toMessage } from './message.ts';
import type { OutputRow } from './outputs/outputs.ts';

export const MAX_WAIT_S = 30;
/** At once waiting, of one owner. */
const MAX_WAITERS = 20;

/**
 * Messages fetched by the automation software: it reads after its committed cursor, makes them safe, and commits. Without
 * the commit the same come again.
 */
export class Pull {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Set<() => void>>();

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Messages of these owners were stored. */
  stored(owners: Iterable<string>): void {
    for (const owner of owners) for (const wake of this.#waiters.get(owner) ?? []) wake();
  }

  stop(): void {
    this.stored([...this.#waiters.keys()]);
  }

  /**
   * Oldest first. `after`: from another place than the committed one; that does not move it. With nothing there it waits
   * up to `waitMs`; null: too many wait already.
   */
  async read(
    output: OutputRow,
    o: { limit: number; waitMs: number; after: number | null; signal: AbortSignal },
  ): Promise<PulledMessages | null> {
    // Listened for before the first look: what comes between is not missed.
    const news = o.waitMs > 0 ? this.#listen(output.owner, o.waitMs, o.signal) : null;
    if (o.waitMs > 0 && !news) return null;
    try {
      const first = await this.#rows(output, o);
      if (first.items.length > 0 || !news) return first;
      await news.heard;
      return await this.#rows(output, o);
    } finally {
      news?.end();
    }
  }

  async #rows(output: OutputRow, o: { limit: number; after: number | null }): Promise<PulledMessages> {
    const rows = await this.#db
      .selectFrom('receiver_messages')
      .selectAll()
      .where('owner', '=', output.owner)
      .where('rowId', '>', o.after ?? Number(output.cursor))
      .$if(output.repeats === 0, (q) => q.where('repeatOf', 'is', null))
      .orderBy('rowId')
      .limit(o.limit)
      .execute();
    const last = rows.at(-1);
    return { items: rows.map(toMessage), cursor: last ? String(last.rowId) : null };
  }

  #listen(owner: string, waitMs: number, signal: AbortSignal): { heard: Promise<void>; end: () => void } | null {
    const waiters = this.#waiters.get(owner) ?? new Set();
    if (waiters.size >= MAX_WAITERS) return null;
    this.#waiters.set(owner, waiters);
    let wake = () => {};
    const heard = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const cancel = this.#clock.after(waitMs, wake);
    signal.addEventListener('abort', wake);
    waiters.add(wake);
    const end = () => {
      cancel();
      signal.removeEventListener('abort', wake);
      waiters.delete(wake);
      if (waiters.size === 0) this.#waiters.delete(owner);
    };
    return { heard, end };
  }

  /** Everything up to there is safe. Going back changes nothing; a place that was never given is refused: false. */
  async commit(output: OutputRow, cursor: number): Promise<boolean> {
    const row = await this.#db
      .selectFrom('receiver_messages')
      .select('rowId')
      .where('owner', '=', output.owner)
      .where('rowId', '=', cursor)
      .executeTakeFirst();
    if (!row && cursor > Number(output.cursor)) return false;
    await this.#db
      .updateTable('receiver_outputs')
      .set({ cursor, acknowledgedMs: this.#clock.now() })
      .where('id', '=', output.id)
      .where('cursor', '<', cursor)
      .execute();
    return true;
  }
}
