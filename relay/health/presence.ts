import type { Clock } from '../../protocol/clock.ts';

/** `heardMono`: when it was last heard of. */
type PresenceListener = (serial: string, online: boolean, heardMono: number) => void;

/** Which boxes are connected over MQTT, and since when they are or are not. */
export class Presence {
  readonly #clock: Clock;
  readonly #states = new Map<string, { online: boolean; sinceMs: number }>();
  readonly #listeners = new Set<PresenceListener>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  set(serial: string, online: boolean, heardMono = this.#clock.mono()): void {
    if (this.online(serial) === online && this.#states.has(serial)) return;
    this.#states.set(serial, { online, sinceMs: this.#clock.now() });
    for (const fn of this.#listeners) fn(serial, online, heardMono);
  }

  online(serial: string): boolean {
    return this.#states.get(serial)?.online ?? false;
  }

  /** Null: not connected since this relay started. */
  sinceMs(serial: string): number | null {
    return this.#states.get(serial)?.sinceMs ?? null;
  }

  count(): number {
    let online = 0;
    for (const state of this.#states.values()) if (state.online) online++;
    return online;
  }

  onChange(fn: PresenceListener): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }
}
