import type { Clock } from '../../../protocol/clock.ts';

/** Real time, or a multiple of it: what is set goes off at its moment by this clock, also when the speed changes. */
export class SpeedClock implements Clock {
  readonly #startWallMs: number;
  #factor = 1;
  #monoMs = 0;
  #sinceReal = performance.now();
  readonly #timers = new Set<{ at: number; fire: () => void; timer: NodeJS.Timeout }>();

  /** `offsetMs`: how far it is ahead of the real time. */
  constructor(offsetMs: number) {
    this.#startWallMs = Date.now() + offsetMs;
  }

  now(): number {
    return Math.round(this.#startWallMs + this.mono());
  }

  mono(): number {
    return this.#monoMs + (performance.now() - this.#sinceReal) * this.#factor;
  }

  setSpeed(factor: number): void {
    this.#monoMs = this.mono();
    this.#sinceReal = performance.now();
    this.#factor = factor;
    for (const t of this.#timers) {
      clearTimeout(t.timer);
      t.timer = this.#arm(t.at, t.fire);
    }
  }

  after(ms: number, fn: () => void): () => void {
    const at = this.mono() + ms;
    const fire = (): void => {
      this.#timers.delete(entry);
      fn();
    };
    const entry = { at, fire, timer: this.#arm(at, fire) };
    this.#timers.add(entry);
    return () => {
      clearTimeout(entry.timer);
      this.#timers.delete(entry);
    };
  }

  every(ms: number, fn: () => void): () => void {
    let cancelled = false;
    const again = (): void => {
      if (cancelled) return;
      cancel = this.after(ms, again);
      fn();
    };
    let cancel = this.after(ms, again);
    return () => {
      cancelled = true;
      cancel();
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.after(ms, done);
      signal?.addEventListener('abort', done);
    });
  }

  #arm(at: number, fire: () => void): NodeJS.Timeout {
    return setTimeout(fire, Math.max(0, Math.min((at - this.mono()) / this.#factor, 2 ** 31 - 1)));
  }
}
