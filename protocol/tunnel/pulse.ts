import type { Clock } from '../clock.ts';
import { WindowedMin } from './cap.ts';

export const PING_EVERY_MS = 5000;
/** Found dead before 12 s have passed, with room for the timers of a busy machine. */
const DEAD_AFTER_MS = 11_000;
/** Round trips further back are another path (RFC 6817 §4.2 keeps ten minutes). */
const BASE_RTT_WINDOW_MS = 10 * 60_000;
const MAX_PINGS = 64;

export interface PulseArguments {
  clock: Clock;
  /** The box pings on its own; the relay only listens, which halves what idle boxes cost it. */
  pings: boolean;
  ping: () => void;
  dead: (silentMs: number) => void;
}

/** Pings, round trips and the death of the other side. One timer. */
export class Pulse {
  readonly #a: PulseArguments;
  readonly #baseRtt = new WindowedMin(BASE_RTT_WINDOW_MS);
  /** Made when first needed: an idle relay holds thousands of these. */
  #pings: Map<number, { at: number; empty: boolean }> | null = null;
  #id = 0;
  #everyMs = PING_EVERY_MS;
  #aliveAt = 0;
  #cancel: (() => void) | null = null;
  lastPingAt = Number.NEGATIVE_INFINITY;

  constructor(args: PulseArguments) {
    this.#a = args;
  }

  start(): void {
    this.alive();
    this.#watch();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** The other side has proved that it is there. */
  alive(): void {
    this.#aliveAt = this.#a.clock.mono();
  }

  /** Asks for a round trip every `ms`, at most every {@link PING_EVERY_MS}. */
  every(ms: number): void {
    this.#everyMs = Math.min(ms, PING_EVERY_MS);
    if (this.#cancel) this.#watch();
  }

  /** Notes a ping that is sent now and returns its id. `empty`: nothing else was on its way. */
  note(empty: boolean): number {
    this.#id = (this.#id + 1) >>> 0;
    this.#pings ??= new Map();
    if (this.#pings.size >= MAX_PINGS) this.#pings.delete(this.#pings.keys().next().value!);
    this.lastPingAt = this.#a.clock.mono();
    this.#pings.set(this.#id, { at: this.lastPingAt, empty });
    return this.#id;
  }

  /** The round trip of this answer, or null for one that was never asked for. */
  answered(id: number): { ms: number; minMs: number; empty: boolean } | null {
    const ping = this.#pings?.get(id);
    if (!ping) return null;
    this.#pings?.delete(id);
    const now = this.#a.clock.mono();
    const ms = now - ping.at;
    this.#baseRtt.add(ms, now);
    return { ms, minMs: this.#baseRtt.value ?? ms, empty: ping.empty };
  }

  #watch(): void {
    this.#cancel?.();
    const now = this.#a.clock.mono();
    const silentMs = now - this.#aliveAt;
    if (silentMs >= DEAD_AFTER_MS) {
      this.#cancel = null;
      this.#a.dead(silentMs);
      return;
    }
    let wait = DEAD_AFTER_MS - silentMs;
    if (this.#a.pings) {
      if (now - this.lastPingAt >= this.#everyMs) this.#a.ping();
      wait = Math.min(wait, this.lastPingAt + this.#everyMs - now);
    }
    this.#cancel = this.#a.clock.after(Math.max(1, wait), () => this.#watch());
  }
}
