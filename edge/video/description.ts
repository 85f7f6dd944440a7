import type { VideoKind } from './codec.ts';

/** What a camera says that it sends, for those who must know before the first picture comes. */
export class Description {
  #kind: VideoKind | null = null;
  #asked: PromiseWithResolvers<void> | null = null;

  /** The camera is being asked. */
  ask(): void {
    this.#asked ??= Promise.withResolvers<void>();
  }

  /** null: it cannot be reached, or does not say. */
  said(kind: VideoKind | null): void {
    this.#kind = kind ?? this.#kind;
    this.#asked?.resolve();
    this.#asked = null;
  }

  /** What it said last, now if it never did; null: it says nothing now. */
  async kind(): Promise<VideoKind | null> {
    if (this.#kind === null) await this.#asked?.promise;
    return this.#kind;
  }
}
