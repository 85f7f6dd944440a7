import { type Clock, systemClock } from '../../../protocol/clock.ts';

/** Timers run `factor` times as fast, over real sockets; the time of day is the true one. */
export function fastClock(factor: number): Clock {
  return {
    now: () => systemClock.now(),
    mono: () => systemClock.mono() * factor,
    after: (ms, fn) => systemClock.after(ms / factor, fn),
    every: (ms, fn) => systemClock.every(ms / factor, fn),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
