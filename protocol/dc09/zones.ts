import type { Clock } from '../clock.ts';

/** Daylight saving time. */
const HOUR_MS = 3_600_000;
/** After a day without any message a clock may have been set anew. */
const KEEP_MS = 24 * HOUR_MS;
const MAX_ACCOUNTS = 50_000;

/**
 * By how much the clocks of senders with local time are ahead of UTC. A message that was held back or sent again looks as if
 * its sender were further west; nobody without the key can make one that looks further east. So the most eastern zone
 * seen counts, less an hour for daylight saving time.
 */
export class Zones {
  readonly #clock: Clock;
  readonly #zones = new Map<string, { zoneMs: number; at: number }>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  fits(account: string, zoneMs: number): boolean {
    const zone = this.#of(account);
    return zone === null || zoneMs >= zone - HOUR_MS;
  }

  /** A message with this zone was taken. */
  learn(account: string, zoneMs: number): void {
    const highest = Math.max(zoneMs, this.#of(account) ?? zoneMs);
    this.#zones.delete(account);
    this.#zones.set(account, { zoneMs: highest, at: this.#clock.mono() });
    if (this.#zones.size > MAX_ACCOUNTS) this.#zones.delete(this.#zones.keys().next().value!);
  }

  #of(account: string): number | null {
    const entry = this.#zones.get(account);
    return entry && this.#clock.mono() - entry.at < KEEP_MS ? entry.zoneMs : null;
  }
}
