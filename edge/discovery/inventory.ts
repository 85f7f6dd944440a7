import { type Clock, iso } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { pingLevel } from './ping.ts';
import type { SadpDevice } from './sadp.ts';

interface Entry {
  device: SadpDevice;
  firstSeen: number;
  lastSeen: number;
  lastSeenMono: number;
  pingMs: number | null;
  pingedMono: number;
}

/** The devices seen on the LAN, by MAC. Bounded: a flood of invented devices does not grow it. */
export class Inventory {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #entries = new Map<string, Entry>();
  /** Devices left out because the list was full. */
  refused = 0;

  constructor(o: { clock: Clock; max: number }) {
    this.#clock = o.clock;
    this.#max = o.max;
  }

  /** True when something about it is new. */
  seen(device: SadpDevice): boolean {
    const now = this.#clock.now();
    const mono = this.#clock.mono();
    const known = this.#entries.get(device.mac);
    if (!known) {
      if (this.#entries.size >= this.#max) {
        this.refused++;
        return false;
      }
      const entry = { device, firstSeen: now, lastSeen: now, lastSeenMono: mono, pingMs: null };
      this.#entries.set(device.mac, { ...entry, pingedMono: Number.NEGATIVE_INFINITY });
      return true;
    }
    const changed = JSON.stringify(known.device) !== JSON.stringify(device);
    const moved = known.device.address !== device.address || known.device.httpPort !== device.httpPort;
    Object.assign(known, { device, lastSeen: now, lastSeenMono: mono });
    if (moved) Object.assign(known, { pingMs: null, pingedMono: Number.NEGATIVE_INFINITY });
    return changed;
  }

  /** Drops what was silent for `ms`; true when something went. */
  forgetSilent(ms: number): boolean {
    const before = this.#entries.size;
    for (const [mac, entry] of this.#entries) {
      if (this.#clock.mono() - entry.lastSeenMono >= ms) this.#entries.delete(mac);
    }
    return this.#entries.size !== before;
  }

  /** The devices whose ping is older than `ms`, the oldest first, and marks them as being pinged. */
  duePings(ms: number, max: number): { mac: string; address: string; port: number }[] {
    const mono = this.#clock.mono();
    const due = [...this.#entries.values()].filter((e) => mono - e.pingedMono >= ms);
    const taken = due.sort((a, b) => a.pingedMono - b.pingedMono).slice(0, max);
    for (const e of taken) e.pingedMono = mono;
    return taken.map(({ device: d }) => ({ mac: d.mac, address: d.address, port: d.httpPort ?? 80 }));
  }

  /** True when the value or its level changed. */
  pinged(mac: string, address: string, ms: number | null): boolean {
    const entry = this.#entries.get(mac);
    if (!entry || entry.device.address !== address) return false;
    const rounded = ms === null ? null : Math.round(ms * 10) / 10;
    const changed = entry.pingMs !== rounded;
    entry.pingMs = rounded;
    return changed;
  }

  /** In the order of their finding. */
  list(filter: (device: SadpDevice) => boolean = () => true): DiscoveredDevice[] {
    const users = new Map<string, number>();
    for (const { device } of this.#entries.values()) users.set(device.address, (users.get(device.address) ?? 0) + 1);
    return [...this.#entries.values()]
      .filter((e) => filter(e.device))
      .map((e) => {
        const pinged = e.pingedMono !== Number.NEGATIVE_INFINITY;
        return {
          ...e.device,
          protocols: ['sadp'],
          pingMs: e.pingMs,
          pingMethod: pinged ? 'tcp' : null,
          pingLevel: pinged ? pingLevel(e.pingMs) : null,
          firstSeenAt: iso(e.firstSeen),
          lastSeenAt: iso(e.lastSeen),
          addressConflict: users.get(e.device.address)! > 1,
        };
      });
  }
}
