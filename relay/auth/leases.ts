import type { Clock } from '../../protocol/clock.ts';

/** A right that has ended is of use for ten seconds at most, the asking and the ending included. */
const RECHECK_MS = 8_000;

/** Ends what a request left open (a stream, a download) soon after the right that opened it. */
export class Leases {
  readonly #clock: Clock;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Asks `check` every 8 s, one at a time; the first time that it rejects, `end` is called. Returns the release. */
  hold(check: () => Promise<unknown>, end: () => void): () => void {
    let held = true;
    let asking = false;
    const release = this.#clock.every(RECHECK_MS, () => {
      if (asking) return;
      asking = true;
      check()
        .catch(() => {
          if (!held) return;
          stop();
          end();
        })
        .finally(() => {
          asking = false;
        });
    });
    const stop = () => {
      held = false;
      release();
    };
    return stop;
  }
}
