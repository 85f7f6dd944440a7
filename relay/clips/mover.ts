import type { Logger } from 'pino';
import { Backoff } from '../../protocol/backoff.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { MoveWay } from './move-ways.ts';
import type { TwoPlaces } from './two-places.ts';

const RETRY_MS = [10_000, 600_000] as const;
/** So many in a row: it is not the objects. */
const MOST_FAILURES = 5;

/**
 * Takes the clips of one place over into the other, one object after the other, while they are served from wherever they are.
 * What is interrupted is done again from its start.
 */
export class Mover {
  readonly #way: MoveWay;
  readonly #places: TwoPlaces;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff(...RETRY_MS);
  #running: Promise<void> = Promise.resolve();

  constructor(deps: { way: MoveWay; places: TwoPlaces; clock: Clock; log: Logger }) {
    this.#way = deps.way;
    this.#places = deps.places;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { says } = this.#way;
    for (let moved = 0; !signal.aborted; ) {
      try {
        let found = 0;
        const failed: unknown[] = [];
        let inRow = 0;
        for await (const key of this.#way.keys()) {
          if (found++ === 0 && moved === 0) this.#log.info(says.begins);
          try {
            await this.#places.whileKept(key, signal, (kept) => this.#way.move(key, kept));
            if (signal.aborted) return;
            moved++;
            inRow = 0;
            this.#backoff.reset();
          } catch (error) {
            // One that cannot be read, or is refused, does not keep those behind it here.
            failed.push(error);
            if (signal.aborted || ++inRow >= MOST_FAILURES) break;
          }
        }
        if (failed.length > 0) throw failed[0];
        if (found > 0) continue;
        const againMs = await this.#way.done();
        if (againMs === 0) {
          if (moved > 0) this.#log.info({ objects: moved }, says.ended);
          return;
        }
        await this.#clock.sleep(againMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        // Told once for as long as it lasts.
        if (this.#backoff.tries === 0) this.#log.error({ err: error }, says.waits);
        await this.#clock.sleep(this.#backoff.next(), signal);
      }
    }
  }
}
