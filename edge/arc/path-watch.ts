import { type Clock, iso } from '../../protocol/clock.ts';
import type { ArcPathName } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { PRIORITY } from './codes.ts';
import type { Link } from './link.ts';
import type { Paths } from './paths.ts';
import type { ArcQueue } from './queue.ts';
import type { Transmitter } from './transmit.ts';
import type { ArcAccountConfig, ArcTimings, LinkFailure } from './types.ts';

/** A path that answers now and then is told to be lost after this many times the limit. */
const FLAPPING = 4;
const MIN_PAUSE_MS = 50;
/** How the receiving centre is told which path: the zone of the message. */
export const PATH_ZONES: Record<ArcPathName, string> = { direct: '001', relay: '002', second: '003' };

/** Monotonic; null: it is not so. */
interface Watched {
  /** Since when nothing has answered. */
  lostSince: number | null;
  /** Since when it cannot be used. */
  uselessSince: number | null;
  trafficAt: number;
}

/**
 * Watches the paths of an account while nothing goes over them: the direct one every 20 s, the others now and then, and as
 * often as the direct one while that is lost (EN 50136, DP4: 90 s, 5 h, and 90 s). A path that stays lost is told to the
 * receiving centre over another one, once, with its return (E350/R350, YS/YK). What was told is on disk: a restart
 * neither repeats it nor forgets the return.
 */
export class PathWatch {
  readonly #config: ArcAccountConfig;
  readonly #deps: ConstructorParameters<typeof PathWatch>[1];
  readonly #watched = new Map<ArcPathName, Watched>();

  constructor(
    config: ArcAccountConfig,
    deps: {
      transmitter: Pick<Transmitter, 'poll'>;
      /** Of their own, so that a poll never waits behind an alarm. */
      probes: Record<ArcPathName, Link | null>;
      paths: Pick<Paths, 'names' | 'state' | 'current'>;
      queue: Pick<ArcQueue, 'openFault' | 'addFault' | 'endFault'>;
      clock: Clock;
      timings: ArcTimings;
      relayConnected: () => boolean;
      worked: (path: ArcPathName, otherKey: boolean) => void;
      failed: (path: ArcPathName, failure: LinkFailure) => void;
      /** Writes to disk; false when that failed. */
      durable: (write: () => void) => boolean;
      /** A message was queued. */
      queued: () => void;
    },
  ) {
    this.#config = config;
    this.#deps = deps;
    for (const path of deps.paths.names) {
      // Whether the receiver is reached is to be known at once; that the box reaches the relay is known anyway.
      const trafficAt = path === 'relay' ? deps.clock.mono() : Number.NEGATIVE_INFINITY;
      this.#watched.set(path, { lostSince: null, uselessSince: null, trafficAt });
    }
  }

  /** Something went over the path just now: no poll is needed. */
  traffic(path: ArcPathName): void {
    this.#watched.get(path)!.trafficAt = this.#deps.clock.mono();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, timings, paths } = this.#deps;
    while (!signal.aborted) {
      for (const path of paths.names) if (this.#isDue(path) && !signal.aborted) await this.#poll(path, signal);
      if (signal.aborted) return;
      for (const path of paths.names) this.#tell(path);
      await clock.sleep(this.#pauseMs(timings.probeIntervalMs), signal);
    }
  }

  /** To the next time that something is due: a loss is to be told in time, whenever it began. */
  #pauseMs(atMost: number): number {
    const { clock, paths, timings } = this.#deps;
    const mono = clock.mono();
    const waits = paths.names.map((path) => {
      const { lostSince, trafficAt } = this.#watched.get(path)!;
      const toTell =
        lostSince !== null && this.#reported(path) === null ? lostSince + this.#limitMs(path) - mono : atMost;
      const toPoll = path === 'direct' && paths.state(path) === 'up' ? trafficAt + timings.idlePollMs - mono : atMost;
      return Math.min(toTell > 0 ? toTell : atMost, toPoll > 0 ? toPoll : atMost);
    });
    return Math.max(MIN_PAUSE_MS, Math.min(atMost, ...waits));
  }

  #isDue(path: ArcPathName): boolean {
    const { clock, paths, relayConnected, timings } = this.#deps;
    const idleMs = clock.mono() - this.#watched.get(path)!.trafficAt;
    const state = paths.state(path);
    if (path === 'direct') return state !== 'up' || idleMs >= timings.idlePollMs;
    if (path === 'relay' && !relayConnected()) return false;
    // A path that was told to be lost is told to be back only when the receiver has answered over it.
    const returning = state !== 'up' && (path === 'second' || this.#reported(path) !== null);
    const often = returning || paths.state('direct') !== 'up';
    return idleMs >= (often ? timings.idlePollMs : timings.relayPollMs);
  }

  async #poll(path: ArcPathName, signal: AbortSignal): Promise<void> {
    const { transmitter, probes, worked, failed } = this.#deps;
    const polled = await transmitter.poll(path, probes[path]);
    probes[path]?.close();
    if (signal.aborted) return;
    this.traffic(path);
    if (polled.result === 'failed') failed(path, polled);
    else worked(path, polled.otherKey);
  }

  #reported(path: ArcPathName): string | null {
    return this.#deps.queue.openFault(this.#config.id, path);
  }

  #tell(path: ArcPathName): void {
    const { clock, paths, queue, durable, queued } = this.#deps;
    const now = clock.now();
    const is = paths.state(path);
    const mono = clock.mono();
    const watched = this.#watched.get(path)!;
    watched.lostSince = is === 'down' ? (watched.lostSince ?? mono) : null;
    watched.uselessSince = is === 'down' || is === 'recovering' ? (watched.uselessSince ?? mono) : null;
    const lostMs = mono - (watched.lostSince ?? mono);
    const uselessMs = mono - (watched.uselessSince ?? mono);
    const limitMs = this.#limitMs(path);
    const eventId = this.#reported(path);
    if (eventId === null && (lostMs >= limitMs || uselessMs >= FLAPPING * limitMs)) {
      const message = this.#message(path, uuidv7(now), 'alarm', now - uselessMs);
      if (durable(() => queue.addFault(message, path))) queued();
    } else if (is === 'up' && eventId !== null) {
      const message = this.#message(path, eventId, 'restore', now);
      if (durable(() => queue.endFault(message, path))) queued();
    }
  }

  /** Shorter for the direct path, and for what stands in for it. */
  #limitMs(path: ArcPathName): number {
    const { paths, timings } = this.#deps;
    const carries = path === 'direct' || paths.state('direct') === 'down';
    return carries ? timings.directFaultAfterMs : timings.relayFaultAfterMs;
  }

  #message(path: ArcPathName, eventId: string, kind: 'alarm' | 'restore', occurredMs: number) {
    const { id: accountId, account, receiverId } = this.#config;
    const queuedAt = iso(this.#deps.clock.now());
    return {
      eventId,
      accountId,
      kind,
      account,
      receiverId,
      queuedAt,
      type: 'pathFault' as const,
      priority: PRIORITY.fault,
      zone: PATH_ZONES[path],
      text: null,
      occurredAt: iso(occurredMs),
    };
  }
}
