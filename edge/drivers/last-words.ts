import type { Clock } from '../../protocol/clock.ts';

/** Closing waits no longer than this for a device to take them. */
export const LAST_WORDS_MS = 2_000;

/** What must still be said to a device when its connection is closed, like a stop to a camera that moves. */
export class LastWords {
  readonly #due = new Set<() => Promise<unknown>>();

  /** `say` is called at the close and puts its request on its way at once. Returns what makes it needless. */
  due(say: () => Promise<unknown>): () => void {
    this.#due.add(say);
    return () => this.#due.delete(say);
  }

  /** Resolves when all is said, or after {@link LAST_WORDS_MS}. */
  async say(clock: Clock): Promise<void> {
    const said = [...this.#due].map((say) => say());
    this.#due.clear();
    if (said.length === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(LAST_WORDS_MS, resolve);
      void Promise.allSettled(said).then(() => {
        cancel();
        resolve();
      });
    });
  }
}
