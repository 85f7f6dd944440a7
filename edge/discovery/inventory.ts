import { type Clock, iso } from '../../protocol/clock.ts';
import { batchIssues } from '../../protocol/wire/batch-issues.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { shortSerial } from '../../protocol/wire/serial.ts';
import { pingLevel } from './ping.ts';
import type { SadpDevice } from './sadp.ts';

/** What each tells of a device, the one that tells most first: its word counts where they differ. */
const PROTOCOLS = ['sadp', 'onvif', 'mdns', 'ssdp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** What a device says by one protocol. With a serial alone it is known, too; with neither by its address only. */
export type Told = Omit<SadpDevice, 'mac'> & { mac: string | null };
/** Of protocols that tell less. */
export const UNTOLD = {
  mac: null,
  serial: '',
  model: '',
  firmware: null,
  subnetMask: null,
  gateway: null,
  httpPort: null,
  dhcp: null,
  activated: null,
  locked: false,
} as const;

interface Said {
  device: Told;
  /** By which that protocol names it: an endpoint's UUID, a service's name. */
  id: string | null;
  mono: number;
}
interface Entry {
  /** What it said by each protocol, and when. */
  said: Map<Protocol, Said>;
  /** All that together. */
  device: Told;
  /** Its short serial; '' without one. */
  short: string;
  /** The interface it was heard on, where that was told. */
  via: string | null;
  firstSeen: number;
  lastSeen: number;
  ping: { ms: number | null; method: 'icmp' | 'tcp' } | null;
  pingedMono: number;
  /** MACs that answered at its address, and when. */
  neighbours: Map<string, number>;
}

const NEVER = Number.NEGATIVE_INFINITY;
const NEIGHBOUR_MS = 5 * 60_000;

/**
 * The devices seen on the LAN, by MAC and, for those that tell none, by serial; never by address. Bounded: a flood of invented
 * devices does not grow it.
 */
export class Inventory {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #entries = new Set<Entry>();
  readonly #byMac = new Map<string, Entry>();
  /** Those of no known MAC. */
  readonly #unnamed = new Set<Entry>();
  /** Devices left out because the list was full. */
  refused = 0;

  constructor(o: { clock: Clock; max: number }) {
    this.#clock = o.clock;
    this.#max = o.max;
  }

  /** True when something about it is new. `id`: by which that protocol names it; `via`: the interface, if known. */
  seen(protocol: Protocol, device: Told, { id = null, via = null }: { id?: string | null; via?: string | null } = {}) {
    const said: Said = { device, id, mono: this.#clock.mono() };
    const now = this.#clock.now();
    let entry = this.#find(protocol, device, id);
    const isNew = !entry;
    if (!entry) {
      if (this.#entries.size >= this.#max) {
        this.refused++;
        return false;
      }
      entry = {
        said: new Map(),
        device,
        short: shortSerial(device.serial),
        via,
        firstSeen: now,
        lastSeen: now,
        ping: null,
        pingedMono: NEVER,
        neighbours: new Map(),
      };
      this.#entries.add(entry);
      this.#unnamed.add(entry);
    }
    const fresh = !entry.said.has(protocol);
    entry.said.set(protocol, said);
    entry.lastSeen = now;
    entry.via = via ?? entry.via;
    this.#adopt(entry);
    return this.#merge(entry) || fresh || isNew;
  }

  /** A device said by that protocol that it goes; true when something went. */
  left(protocol: Protocol, id: string): boolean {
    return this.#forget((by, said) => by === protocol && said.id === id);
  }

  /** Drops what was silent for `ms`; true when something went. */
  forgetSilent(ms: number): boolean {
    const now = this.#clock.mono();
    return this.#forget((_, said) => now - said.mono >= ms);
  }

  /** The MAC of the device that this protocol names so, or else of the only one at that address; null: not known. */
  macOf(protocol: Protocol, id: string, address: string): string | null {
    const entries = [...this.#entries];
    const same = entries.find((e) => e.said.get(protocol)?.id === id);
    if (same) return same.device.mac;
    const there = entries.filter((e) => e.device.address === address);
    return there.length === 1 ? there[0]!.device.mac : null;
  }

  /**
   * By MAC, else by serial. A serial that several MACs share names the one at that address, or none: a second device that
   * claims it must not become the first one.
   */
  #find(protocol: Protocol, device: Told, id: string | null): Entry | undefined {
    const byMac = device.mac ? this.#byMac.get(device.mac) : undefined;
    if (byMac) return byMac;
    const short = shortSerial(device.serial);
    const unnamed = [...this.#unnamed];
    if (!short) return device.mac ? undefined : unnamed.find((e) => id !== null && e.said.get(protocol)?.id === id);
    if (device.mac) return unnamed.find((e) => e.short === short);
    const same = [...this.#entries].filter((e) => e.short === short);
    return same.length > 1 ? same.find((e) => e.device.address === device.address) : same[0];
  }

  /** Takes in what was listed by the serial, or by that name, before the MAC was known. */
  #adopt(entry: Entry): void {
    const devices = [...entry.said.values()].map((s) => s.device);
    const mac = devices.find((d) => d.mac)?.mac;
    if (!mac || this.#byMac.get(mac) === entry) return;
    this.#byMac.set(mac, entry);
    this.#unnamed.delete(entry);
    const short = shortSerial(devices.find((d) => d.serial)?.serial ?? '');
    for (const other of this.#unnamed) {
      const named = [...other.said].some(([protocol, s]) => s.id !== null && entry.said.get(protocol)?.id === s.id);
      if (!named && (short === '' || other.short !== short)) continue;
      for (const [protocol, said] of other.said) if (!entry.said.has(protocol)) entry.said.set(protocol, said);
      entry.firstSeen = Math.min(entry.firstSeen, other.firstSeen);
      this.#entries.delete(other);
      this.#unnamed.delete(other);
    }
  }

  #forget(gone: (protocol: Protocol, said: Said) => boolean): boolean {
    let changed = false;
    for (const entry of this.#entries) {
      const { mac } = entry.device;
      for (const [protocol, said] of entry.said) {
        if (!gone(protocol, said)) continue;
        entry.said.delete(protocol);
        changed = true;
      }
      if (entry.said.size > 0) this.#merge(entry);
      else {
        this.#entries.delete(entry);
        this.#unnamed.delete(entry);
        if (mac) this.#byMac.delete(mac);
      }
    }
    return changed;
  }

  /** True when the device looks different now. Its identity stays once it is known. A new address is pinged anew. */
  #merge(entry: Entry): boolean {
    const said = PROTOCOLS.flatMap((protocol) => entry.said.get(protocol)?.device ?? []);
    const [first] = said as [Told, ...Told[]];
    const there = said.filter((d) => d.address === first.address);
    const device: Told = {
      ...first,
      mac: said.find((d) => d.mac)?.mac ?? entry.device.mac,
      serial: said.find((d) => d.serial)?.serial ?? entry.device.serial,
      model: said.find((d) => d.model)?.model ?? '',
      firmware: said.find((d) => d.firmware)?.firmware ?? null,
      httpPort: there.find((d) => d.httpPort)?.httpPort ?? null,
    };
    const old = entry.device;
    entry.device = device;
    entry.short = shortSerial(device.serial);
    if (old.address !== device.address || old.httpPort !== device.httpPort)
      Object.assign(entry, { ping: null, pingedMono: NEVER });
    if (old.address !== device.address) entry.neighbours.clear();
    return JSON.stringify(old) !== JSON.stringify(device);
  }

  /** The devices whose ping is older than `ms`, the oldest first, and marks them as being pinged. */
  duePings(ms: number, max: number, may: (address: string) => boolean = () => true): PingTarget[] {
    const mono = this.#clock.mono();
    const due = [...this.#entries].filter((e) => mono - e.pingedMono >= ms && may(e.device.address));
    const taken = due.sort((a, b) => a.pingedMono - b.pingedMono).slice(0, max);
    for (const e of taken) e.pingedMono = mono;
    return taken.map((e) => ({ key: e, address: e.device.address, port: e.device.httpPort ?? 80 }));
  }

  /** True when the value or its level changed. `key` as `duePings` gave it. */
  pinged(key: object, address: string, { ms, method }: { ms: number | null; method: 'icmp' | 'tcp' }): boolean {
    const entry = key as Entry;
    if (!this.#entries.has(entry) || entry.device.address !== address) return false;
    const rounded = ms === null ? null : Math.round(ms * 10) / 10;
    const changed = entry.ping?.ms !== rounded || entry.ping.method !== method;
    entry.ping = { ms: rounded, method };
    return changed;
  }

  /** Which MAC answers at which address now; true when a conflict came or went. */
  answering(macs: Map<string, string>): boolean {
    const mono = this.#clock.mono();
    const before = this.list().filter((d) => d.addressConflict).length;
    for (const entry of this.#entries) {
      for (const [mac, at] of entry.neighbours) if (mono - at >= NEIGHBOUR_MS) entry.neighbours.delete(mac);
      const mac = macs.get(entry.device.address);
      if (mac && entry.neighbours.size < 8) entry.neighbours.set(mac, mono);
    }
    return this.list().filter((d) => d.addressConflict).length !== before;
  }

  /**
   * Whether somebody else has its address: a listed device says so, or answers there, or two take turns at answering. One other
   * MAC alone proves nothing: a repeater answers for the devices behind it.
   */
  #conflict({ device, neighbours }: Entry, users: Map<string, number>): boolean {
    if (users.get(device.address)! > 1 || neighbours.size > 1) return true;
    return [...neighbours.keys()].some((mac) => mac !== device.mac && this.#byMac.has(mac));
  }

  /** In the order of their finding. */
  list(
    filter: (device: { mac: string | null; serial: string; address: string }) => boolean = () => true,
    where: (address: string, via: string | null) => { reachable: boolean; interface: string | null } = (_, via) => ({
      reachable: true,
      interface: via,
    }),
  ): DiscoveredDevice[] {
    const users = new Map<string, number>();
    for (const { device } of this.#entries) users.set(device.address, (users.get(device.address) ?? 0) + 1);
    const wanted = [...this.#entries].filter((e) => filter(e.device));
    return wanted.map((e) => {
      const { mac, serial, model, firmware, address, subnetMask, gateway, httpPort, dhcp, activated, locked } =
        e.device;
      return {
        mac: mac ?? '',
        serial,
        model,
        firmware,
        address,
        subnetMask,
        gateway,
        httpPort,
        dhcp,
        activated,
        locked,
        protocols: PROTOCOLS.filter((protocol) => e.said.has(protocol)),
        pingMs: e.ping?.ms ?? null,
        pingMethod: e.ping?.method ?? null,
        pingLevel: e.ping ? pingLevel(e.ping.ms) : null,
        firstSeenAt: iso(e.firstSeen),
        lastSeenAt: iso(e.lastSeen),
        addressConflict: this.#conflict(e, users),
        ...where(address, e.via),
      };
    });
  }

  /** The whole list, with what is wrong with each (INIT-06). */
  checked(...args: Parameters<Inventory['list']>): DiscoveredDevice[] {
    const all = this.list(...args);
    const issues = batchIssues(all);
    return all.map((device, i) => ({ ...device, issues: issues[i]! }));
  }
}

export interface PingTarget {
  key: object;
  address: string;
  port: number;
}
