import type { NotifyMessage } from '../../protocol/wire/notify.ts';

type Listener = (message: NotifyMessage) => void;

/** Who watches their messages now. */
export class NotifyLive {
  readonly #listeners = new Map<string, Set<Listener>>();

  subscribe(userId: string, fn: Listener): () => void {
    const own = this.#listeners.get(userId) ?? new Set();
    this.#listeners.set(userId, own.add(fn));
    return () => {
      own.delete(fn);
      if (own.size === 0 && this.#listeners.get(userId) === own) this.#listeners.delete(userId);
    };
  }

  watched(userId: string): boolean {
    return this.#listeners.has(userId);
  }

  publish(userId: string, message: NotifyMessage): void {
    for (const fn of this.#listeners.get(userId) ?? []) fn(message);
  }
}
