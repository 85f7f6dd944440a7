import type { Clock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import type { Discovery } from '../discovery/discovery.ts';
import { tcpPing } from '../discovery/ping.ts';

const PINGS = 4;
const PING_TIMEOUT_MS = 1_000;
const BETWEEN_MS = 250;

/** Finds devices again by their MAC, wherever their address went; many may wait at once, and one search serves all. */
export class Finder {
  readonly #discovery: Pick<Discovery, 'byMac' | 'at' | 'scan' | 'permits'>;
  readonly #clock: Clock;
  readonly #ping: typeof tcpPing;
  #scanning: Promise<void> | null = null;

  constructor(o: {
    discovery: Pick<Discovery, 'byMac' | 'at' | 'scan' | 'permits'>;
    clock: Clock;
    ping?: typeof tcpPing;
  }) {
    this.#discovery = o.discovery;
    this.#clock = o.clock;
    this.#ping = o.ping ?? tcpPing;
  }

  /** As it is listed now; after a search when it is not. */
  async find(mac: string): Promise<DiscoveredDevice | null> {
    const known = this.#discovery.byMac(mac);
    if (known) return known;
    await this.scan();
    return this.#discovery.byMac(mac) ?? null;
  }

  /** Another device at the same address. */
  rivals(device: DiscoveredDevice): DiscoveredDevice[] {
    return this.#discovery.at(device.address).filter((other) => other.mac !== device.mac);
  }

  permits(host: string): boolean {
    return this.#discovery.permits(host);
  }

  scan(): Promise<void> {
    this.#scanning ??= this.#discovery.scan().finally(() => {
      this.#scanning = null;
    });
    return this.#scanning;
  }

  /**
   * Where it answers now: searched for until it is listed at an address at which every one of some pings is answered.
   * null: it was not found again within `withinMs`.
   */
  async again(
    mac: string,
    withinMs: number,
    signal: AbortSignal,
  ): Promise<{ device: DiscoveredDevice; pingMs: number } | null> {
    const end = this.#clock.mono() + withinMs;
    for (;;) {
      await this.scan();
      if (signal.aborted) return null;
      const device = this.#discovery.byMac(mac);
      const pingMs = device ? await this.#answers(device, signal) : null;
      const late = this.#clock.mono() >= end;
      // Who shares the address may have left it already: it stays listed for a while.
      if (device && pingMs !== null && (late || this.rivals(device).length === 0)) return { device, pingMs };
      if (signal.aborted || late) return null;
      await this.#clock.sleep(1_000, signal);
    }
  }

  /** The slowest of some pings; null when one of them stays without an answer. */
  async #answers({ address, httpPort }: DiscoveredDevice, signal: AbortSignal): Promise<number | null> {
    let slowest = 0;
    for (let i = 0; i < PINGS && !signal.aborted; i++) {
      if (i > 0) await this.#clock.sleep(BETWEEN_MS, signal);
      const ms = await this.#ping(address, httpPort ?? 80, PING_TIMEOUT_MS, this.#clock);
      if (ms === null) return null;
      slowest = Math.max(slowest, ms);
    }
    return slowest;
  }
}
