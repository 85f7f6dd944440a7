import type { StreamMessage } from '../../protocol/wire/api.ts';

/** Tells open portal pages what changed at a site. Nothing is kept: who connects later reads the lists. */
export class Live {
  readonly #subscribers = new Map<string, Set<(message: StreamMessage) => void>>();

  publish(siteId: string, message: StreamMessage): void {
    for (const fn of this.#subscribers.get(siteId) ?? []) fn(message);
  }

  /** Whether anyone looks: spares building messages for nobody. */
  watched(siteId: string): boolean {
    return this.#subscribers.has(siteId);
  }

  subscribe(siteId: string, fn: (message: StreamMessage) => void): () => void {
    const all = this.#subscribers.get(siteId) ?? new Set();
    this.#subscribers.set(siteId, all.add(fn));
    return () => {
      all.delete(fn);
      if (all.size === 0 && this.#subscribers.get(siteId) === all) this.#subscribers.delete(siteId);
    };
  }
}
