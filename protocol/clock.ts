/** Time is passed in, so that tests move it. `now` is wall time in ms (for people), `mono` monotonic ms (for time-outs). */
export interface Clock {
  now(): number;
  mono(): number;
  /** Calls `fn` once after `ms`; the returned function cancels it. */
  after(ms: number, fn: () => void): () => void;
  /** Calls `fn` every `ms` until cancelled. */
  every(ms: number, fn: () => void): () => void;
  /** Resolves after `ms`, at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }
  mono(): number {
    return performance.now();
  }
  after(ms: number, fn: () => void): () => void {
    // Node fires at once what is further away than this.
    const next = (left: number) =>
      setTimeout(
        () => {
          if (left <= MAX_TIMEOUT_MS) return fn();
          timer = next(left - MAX_TIMEOUT_MS);
        },
        Math.min(left, MAX_TIMEOUT_MS),
      );
    let timer = next(ms);
    return () => clearTimeout(timer);
  }
  every(ms: number, fn: () => void): () => void {
    const timer = setInterval(fn, ms);
    return () => clearInterval(timer);
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done);
    });
  }
}

export const systemClock: Clock = new SystemClock();

/** ISO 8601 UTC with milliseconds, as everything on the wire. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** A clock that stands still until {@link ManualClock.advance}. */
export class ManualClock implements Clock {
  #wall: number;
  #mono = 0;
  #timers: { at: number; fn: () => void; every: number | null }[] = [];

  constructor(startWallMs = Date.UTC(2026, 0, 1)) {
    this.#wall = startWallMs;
  }
  now(): number {
    return this.#wall;
  }
  mono(): number {
    return this.#mono;
  }
  after(ms: number, fn: () => void): () => void {
    return this.#add({ at: this.#mono + ms, fn, every: null });
  }
  every(ms: number, fn: () => void): () => void {
    return this.#add({ at: this.#mono + ms, fn, every: ms });
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.after(ms, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        resolve();
      });
      if (signal?.aborted) resolve();
    });
  }
  /** Steps the wall clock alone, as NTP does. */
  step(ms: number): void {
    this.#wall += ms;
  }
  /** Lets `ms` pass, firing timers in order and letting promises settle between them. */
  async advance(ms: number): Promise<void> {
    const end = this.#mono + ms;
    for (;;) {
      await new Promise((r) => setImmediate(r));
      const next = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#move(next.at);
      if (next.every === null) this.#timers.splice(this.#timers.indexOf(next), 1);
      else next.at += next.every;
      next.fn();
    }
    this.#move(end);
    await new Promise((r) => setImmediate(r));
  }
  /** Lets `ms` pass at once, as for a machine that slept: what became due is fired once, however often it would have been. */
  async jump(ms: number): Promise<void> {
    await new Promise((r) => setImmediate(r));
    this.#move(this.#mono + ms);
    for (const timer of this.#timers.filter((t) => t.at <= this.#mono).sort((a, b) => a.at - b.at)) {
      if (timer.every === null) this.#timers.splice(this.#timers.indexOf(timer), 1);
      else timer.at = this.#mono + timer.every;
      timer.fn();
      await new Promise((r) => setImmediate(r));
    }
  }
  #add(timer: { at: number; fn: () => void; every: number | null }): () => void {
    this.#timers.push(timer);
    return () => {
      const i = this.#timers.indexOf(timer);
      if (i >= 0) this.#timers.splice(i, 1);
    };
  }
  #move(to: number): void {
    this.#wall += to - this.#mono;
    this.#mono = to;
  }
}
