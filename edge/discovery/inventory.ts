import { type Clock, iso } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { pingLevel } from './ping.ts';
import type { SadpDevice } from './sadp.ts';

export type Protocol = 'sadp' | 'onvif';

interface Entry {
  /** What it said by each protocol, and when. */
  said: Map<Protocol, { device: SadpDevice; uuid: string | null; mono: number }>;
  /** All that together: SADP tells more. */
  device: SadpDevice;
  firstSeen: number;
  lastSeen: number;
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

  /** True when something about it is new. `uuid`: its ONVIF endpoint. */
  seen(protocol: Protocol, device: SadpDevice, uuid: string | null = null): boolean {
    const now = this.#clock.now();
    const said = { device, uuid, mono: this.#clock.mono() };
    const known = this.#entries.get(device.mac);
    if (!known) {
      if (this.#entries.size >= this.#max) {
        this.refused++;
        return false;
      }
      const entry = { said: new Map([[protocol, said]]), device, firstSeen: now, lastSeen: now, pingMs: null };
      this.#entries.set(device.mac, { ...entry, pingedMono: Number.NEGATIVE_INFINITY });
      return true;
    }
    const fresh = !known.said.has(protocol);
    known.said.set(protocol, said);
    known.lastSeen = now;
    return this.#merge(known) || fresh;
  }

  /** A device said by WS-Discovery that it goes; true when something went. */
  left(uuid: string): boolean {
    return this.#forget((protocol, said) => protocol === 'onvif' && said.uuid === uuid);
  }

  /** Drops what was silent for `ms`; true when something went. */
  forgetSilent(ms: number): boolean {
    const now = this.#clock.mono();
    return this.#forget((_, said) => now - said.mono >= ms);
  }

  /** The MAC of the device with that endpoint, or else of the only one at that address. */
  macOf(uuid: string, address: string): string | null {
    const entries = [...this.#entries.values()];
    const same = entries.find((e) => e.said.get('onvif')?.uuid === uuid);
    if (same) return same.device.mac;
    const there = entries.filter((e) => e.device.address === address);
    return there.length === 1 ? there[0]!.device.mac : null;
  }

  #forget(gone: (protocol: Protocol, said: { uuid: string | null; mono: number }) => boolean): boolean {
    let changed = false;
    for (const [mac, entry] of this.#entries) {
      for (const [protocol, said] of entry.said) {
        if (!gone(protocol, said)) continue;
        entry.said.delete(protocol);
        changed = true;
      }
      if (entry.said.size === 0) this.#entries.delete(mac);
      else this.#merge(entry);
    }
    return changed;
  }

  /** True when the device looks different now. A new address is pinged anew. */
  #merge(entry: Entry): boolean {
    const [sadp, onvif] = [entry.said.get('sadp')?.device, entry.said.get('onvif')?.device];
    const device = sadp ? { ...sadp, model: sadp.model || onvif?.model || '' } : (onvif as SadpDevice);
    const old = entry.device;
    entry.device = device;
    if (old.address !== device.address || old.httpPort !== device.httpPort)
      Object.assign(entry, { pingMs: null, pingedMono: Number.NEGATIVE_INFINITY });
    return JSON.stringify(old) !== JSON.stringify(device);
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
          protocols: [...e.said.keys()].sort().reverse(),
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
