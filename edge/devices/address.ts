import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { sameSerial } from '../../protocol/wire/serial.ts';

export interface Address {
  host: string;
  port: number;
}
/** Who a device is, as far as known. */
export interface Identity {
  mac: string | null;
  serial: string | null;
}
/** What address finding needs of the discovery. */
export interface Lan {
  byMac(mac: string): DiscoveredDevice | undefined;
  bySerial(serial: string): DiscoveredDevice | undefined;
  at(address: string): DiscoveredDevice[];
  permits(host: string): boolean;
}

/** Whether what answered is the device meant: by serial where both are known (a device has several MACs), else by MAC. */
export function isSame(answered: { mac: string | null; serial: string | null }, meant: Identity): boolean {
  if (answered.serial && meant.serial) return sameSerial(answered.serial, meant.serial);
  if (answered.mac && meant.mac) return answered.mac === meant.mac;
  return true;
}

export const sameAddress = (a: Address | null, b: Address | null): boolean =>
  a?.host === b?.host && a?.port === b?.port;
const keyOf = (a: Address): string => `${a.host}:${a.port}`;

/**
 * Where a device may be, the likeliest first: where it answers the search, then where it was set up. Left out is what
 * belongs to another device (no credentials go there), and what this box may not touch.
 */
export class Places {
  readonly #lan: Lan;
  readonly #configured: Address;
  readonly #tls: boolean;
  readonly #foreign = new Map<string, string>();
  #likeliest: Address | null = null;
  #failed: Address | null = null;

  /** `tls`: its port is one of HTTPS, which no search announces. */
  constructor(lan: Lan, configured: Address, tls = false) {
    this.#lan = lan;
    this.#configured = configured;
    this.#tls = tls;
  }

  /** Where to try next; they take turns as long as none answers. Null: nowhere. */
  next(who: Identity): Address | null {
    const places = this.#candidates(who);
    this.#likeliest = places[0] ?? null;
    return places.find((a) => !sameAddress(a, this.#failed)) ?? this.#likeliest;
  }

  /** The likeliest place, when that is news since it was last asked for. */
  moved(who: Identity): Address | null {
    const likeliest = this.#candidates(who)[0] ?? null;
    if (sameAddress(likeliest, this.#likeliest)) return null;
    this.#likeliest = likeliest;
    return likeliest;
  }

  answered(): void {
    this.#failed = null;
  }

  failed(place: Address): void {
    this.#failed = place;
  }

  /** Another device answered there: not tried again until the search sees the right one there. */
  isForeign(place: Address, other: string): void {
    this.#foreign.set(keyOf(place), other);
  }

  /** What stands in the device's place, as far as known. */
  other(): string | null {
    const [seen] = this.#lan.at(this.#configured.host);
    return [...this.#foreign.values()][0] ?? (seen ? seen.serial || seen.model : null);
  }

  #candidates(who: Identity): Address[] {
    const seen =
      (who.mac ? this.#lan.byMac(who.mac) : undefined) ?? (who.serial ? this.#lan.bySerial(who.serial) : undefined);
    const { host, port } = this.#configured;
    const found: Address[] = [];
    // At its configured address the configured port holds, because it may be forwarded.
    if (seen && seen.address !== host)
      found.push({ host: seen.address, port: this.#tls ? port : (seen.httpPort ?? port) });
    const others = who.mac || who.serial ? this.#lan.at(host) : [];
    if (others.length === 0 || others.some((d) => isSame(d, who))) found.push(this.#configured);
    return found.filter((a) => {
      if (this.#lan.at(a.host).some((d) => isSame(d, who))) this.#foreign.delete(keyOf(a));
      return this.#lan.permits(a.host) && !this.#foreign.has(keyOf(a));
    });
  }
}
