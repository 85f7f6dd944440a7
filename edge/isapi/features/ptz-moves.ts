import type { Result } from '../answer.ts';
import type { IsapiClient } from '../client.ts';
import type { IsapiDevice } from '../isapi-device.ts';

/** However long somebody wants it to move: a lost connection must not leave a camera turning for ever. */
export const LONGEST_MOVE_MS = 10_000;
const STOP_TRIES = 3;
const BETWEEN_TRIES_MS = 300;

export interface SendOptions {
  signal?: AbortSignal;
  /** Said while the connection is being closed. */
  last?: boolean;
}
type Send = (o: SendOptions) => Promise<Result<unknown>>;
/** The last word about one axis group. */
interface Turn {
  moving: boolean;
  cancel: () => void;
  /** Nothing is left to say when the connection closes: it has stopped, or somebody spoke after it. */
  over: () => void;
}

/**
 * What is moving now, by device and axis group. Each move is followed by a stop: when its time is up, when whoever asked for
 * it is gone, when the connection is closed, or at once when the device did not answer (it may move all the same).
 */
export class Moves {
  readonly #turns = new WeakMap<IsapiClient, Map<string, Turn>>();

  /** `ms` undefined: until {@link stop}, for at most 10 s; then the answer comes at once, else when it has stopped. */
  async start(
    device: IsapiDevice,
    key: string,
    o: { move: Send; stop: Send; ms: number | undefined; signal: AbortSignal | undefined },
  ): Promise<Result<unknown>> {
    const turn = this.#begin(device, key, true);
    turn.over = device.client.lastWords.due(() => {
      turn.cancel();
      return o.stop({ last: true });
    });
    const moved = await o.move({ signal: o.signal });
    if (!moved.ok) {
      if (moved.code === 'device-unreachable') await stopSurely(device, o.stop);
      turn.over();
      return moved;
    }
    const last = this.#last(device, key);
    if (last !== turn) {
      // Somebody spoke meanwhile; a stop may have reached the device before this move did.
      return last.moving ? moved : stopSurely(device, o.stop);
    }
    if (o.ms === undefined && !o.signal?.aborted) {
      turn.cancel = device.clock.after(LONGEST_MOVE_MS, () => {
        void stopSurely(device, o.stop).then((stopped) => {
          turn.over();
          if (!stopped.ok) device.log.warn({ key, error: stopped.text }, 'a move could not be stopped');
        });
      });
      return moved;
    }
    // Ends early when the caller goes away; the stop itself is not his any more.
    if (o.ms !== undefined) await device.clock.sleep(Math.min(o.ms, LONGEST_MOVE_MS), o.signal).catch(() => {});
    if (this.#last(device, key) !== turn) return moved;
    const stopped = await stopSurely(device, o.stop);
    turn.over();
    return stopped;
  }

  async stop(device: IsapiDevice, key: string, stop: Send): Promise<Result<unknown>> {
    this.#begin(device, key, false);
    return stopSurely(device, stop);
  }

  #begin(device: IsapiDevice, key: string, moving: boolean): Turn {
    const turns = this.#turns.get(device.client) ?? new Map<string, Turn>();
    this.#turns.set(device.client, turns);
    const former = turns.get(key);
    former?.cancel();
    former?.over();
    const turn = { moving, cancel: () => {}, over: () => {} };
    turns.set(key, turn);
    return turn;
  }

  #last(device: IsapiDevice, key: string): Turn {
    return this.#turns.get(device.client)!.get(key)!;
  }
}

async function stopSurely(device: IsapiDevice, stop: Send): Promise<Result<unknown>> {
  for (let left = STOP_TRIES; ; left--) {
    const stopped = await stop({});
    const again = !stopped.ok && (stopped.code === 'device-unreachable' || stopped.code === 'device-error');
    if (!again || left <= 1) return stopped;
    await device.clock.sleep(BETWEEN_TRIES_MS);
  }
}
