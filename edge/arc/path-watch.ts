import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { PRIORITY } from './codes.ts';
import type { Link } from './link.ts';
import type { ArcQueue } from './queue.ts';
import type { Path, Transmitter } from './transmit.ts';
import type { ArcAccountConfig, ArcTimings, LinkFailure } from './types.ts';

/** `recovering`: it answers again, but is not trusted yet. */
export type PathState = 'up' | 'down' | 'recovering' | 'unknown';
const PATHS = ['direct', 'relay'] as const;
/** A path that answers now and then is told to be lost after this many times the limit. */
const FLAPPING = 4;
/** How the receiving centre is told which one: the zone of the message. */
const ZONES: Record<Path, string> = { direct: '001', relay: '002' };

/**
 * Watches both paths of an account while nothing goes over them: the direct one every 20 s, and the relay's now and then
 * (EN 50136, DP4: 90 s and 5 h). A path that stays lost is told to the receiving centre over the other one, once, with
 * its return (E350/R350, YS/YK). What was told is on disk: a restart neither repeats it nor forgets the return.
 */
export class PathWatch {
  readonly #config: ArcAccountConfig;
  readonly #deps: ConstructorParameters<typeof PathWatch>[1];
  /** Monotonic: since when nothing has answered, and since when it cannot be used. */
  readonly #lostSince: Record<Path, number | null> = { direct: null, relay: null };
  readonly #uselessSince: Record<Path, number | null> = { direct: null, relay: null };
  readonly #trafficAt: Record<Path, number>;

  constructor(
    config: ArcAccountConfig,
    deps: {
      transmitter: Pick<Transmitter, 'poll'>;
      /** Of its own, so that a poll never waits behind an alarm. */
      probe: Link;
      queue: Pick<ArcQueue, 'openFault' | 'addFault' | 'endFault'>;
      clock: Clock;
      timings: ArcTimings;
      state: (path: Path) => PathState;
      relayConnected: () => boolean;
      worked: (path: Path) => void;
      failed: (path: Path, failure: LinkFailure) => void;
      /** Writes to disk; false when that failed. */
      durable: (write: () => void) => boolean;
      /** A message was queued. */
      queued: () => void;
    },
  ) {
    this.#config = config;
    this.#deps = deps;
    // The direct path is to be known at once; that the box reaches the relay is known anyway.
    this.#trafficAt = { direct: Number.NEGATIVE_INFINITY, relay: deps.clock.mono() };
  }

  /** Something went over the path just now: no poll is needed. */
  traffic(path: Path): void {
    this.#trafficAt[path] = this.#deps.clock.mono();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, timings, state } = this.#deps;
    while (!signal.aborted) {
      if (state('direct') !== 'up' || this.#idleFor('direct') >= timings.idlePollMs) await this.#poll('direct', signal);
      if (this.#relayIsDue() && !signal.aborted) await this.#poll('relay', signal);
      if (signal.aborted) return;
      for (const path of PATHS) this.#tell(path);
      await clock.sleep(timings.probeIntervalMs, signal);
    }
  }

  #idleFor(path: Path): number {
    return this.#deps.clock.mono() - this.#trafficAt[path];
  }

  #relayIsDue(): boolean {
    const { relayConnected, state, timings } = this.#deps;
    if (!relayConnected()) return false;
    // A path that was told to be lost is told to be back only when the receiver has answered over it.
    const returned = state('relay') !== 'up' && this.#reported('relay') !== null;
    return this.#idleFor('relay') >= (returned ? timings.idlePollMs : timings.relayPollMs);
  }

  async #poll(path: Path, signal: AbortSignal): Promise<void> {
    const { transmitter, probe, worked, failed } = this.#deps;
    const failure = await transmitter.poll(path, probe);
    probe.close();
    if (signal.aborted) return;
    this.traffic(path);
    if (failure) failed(path, failure);
    else worked(path);
  }

  #reported(path: Path): string | null {
    return this.#deps.queue.openFault(this.#config.id, path);
  }

  #tell(path: Path): void {
    const { clock, timings, state, queue, durable, queued } = this.#deps;
    const now = clock.now();
    const is = state(path);
    const mono = clock.mono();
    this.#lostSince[path] = is === 'down' ? (this.#lostSince[path] ?? mono) : null;
    this.#uselessSince[path] = is === 'down' || is === 'recovering' ? (this.#uselessSince[path] ?? mono) : null;
    const lostMs = mono - (this.#lostSince[path] ?? mono);
    const uselessMs = mono - (this.#uselessSince[path] ?? mono);
    const limitMs = path === 'direct' ? timings.directFaultAfterMs : timings.relayFaultAfterMs;
    const eventId = this.#reported(path);
    if (eventId === null && (lostMs >= limitMs || uselessMs >= FLAPPING * limitMs)) {
      const message = this.#message(path, uuidv7(now), 'alarm', now - uselessMs);
      if (durable(() => queue.addFault(message, path))) queued();
    } else if (is === 'up' && eventId !== null) {
      const message = this.#message(path, eventId, 'restore', now);
      if (durable(() => queue.endFault(message, path))) queued();
    }
  }

  #message(path: Path, eventId: string, kind: 'alarm' | 'restore', occurredMs: number) {
    const { id: accountId, account, receiverId } = this.#config;
    const queuedAt = iso(this.#deps.clock.now());
    return {
      ...{ eventId, accountId, kind, account, receiverId, queuedAt },
      type: 'pathFault' as const,
      priority: PRIORITY.fault,
      zone: ZONES[path],
      text: null,
      occurredAt: iso(occurredMs),
    };
  }
}
