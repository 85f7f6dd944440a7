/** At most `width` holders at a time and `maxWaiting` in line, served in order. */
export class Slots {
  #free: number;
  readonly #maxWaiting: number;
  readonly #line = new Set<(granted: boolean) => void>();

  constructor(width: number, maxWaiting: number) {
    this.#free = width;
    this.#maxWaiting = maxWaiting;
  }

  /** Resolves with the function that gives the place back; null when the line is full or `signal` aborts. */
  async take(signal?: AbortSignal): Promise<(() => void) | null> {
    if (signal?.aborted) return null;
    if (this.#free > 0) this.#free--;
    else if (this.#line.size >= this.#maxWaiting) return null;
    else if (!(await this.#wait(signal))) return null;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const [next] = this.#line;
      if (next) next(true);
      else this.#free++;
    };
  }

  #wait(signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (granted: boolean) => {
        this.#line.delete(settle);
        signal?.removeEventListener('abort', abort);
        resolve(granted);
      };
      const abort = () => settle(false);
      this.#line.add(settle);
      signal?.addEventListener('abort', abort);
    });
  }
}
