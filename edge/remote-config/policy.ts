import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import {
  ADDRESS_HEADER,
  parseDeviceAuthority,
  REFUSAL_HEADER,
  type RemoteRefusal,
  TLS_HEADER,
} from '../../protocol/wire/remote-config.ts';
import { isSame } from '../devices/address.ts';
import type { DeviceConfig } from '../devices/types.ts';
import { macOfNeighbour } from '../discovery/neighbours.ts';
import { writePrivateFile } from '../identity/identity.ts';
import type { ConnectHeaders, Refused, Target } from '../tunnel/connect.ts';
import { isOtherService, type Networks } from './networks.ts';
import type { CertificatePins } from './pins.ts';

/** Cameras take 8–16 connections, and events and video want some of them. */
const MAX_PER_DEVICE = 12;
/** Of 64 streams that the relay opens to a box at once (relay/tunnel/session.ts): the rest is the portal's. */
const MAX_CONNECTIONS = 40;
/** A device that nobody has looked at for so long: that was a visit, and it is over. */
const VISIT_ENDS_MS = 60_000;
const HTTPS_PORT = 443;

/** What is needed of the discovery. */
export interface Seen {
  byMac(mac: string): DiscoveredDevice | undefined;
  bySerial(serial: string): DiscoveredDevice | undefined;
  at(address: string): DiscoveredDevice[];
}
type Device = Pick<DeviceConfig, 'id' | 'name' | 'mac' | 'serial' | 'host' | 'httpPort' | 'tls'>;
interface Visit {
  name: string;
  open: Set<() => void>;
  connections: number;
  bytesIn: number;
  bytesOut: number;
  cancelEnd: () => void;
}

/**
 * What the relay may reach through this box, decided by the box alone: the web page of a device that it looks after, at the
 * address at which that device was recognised. The relay names a device and a port, and never a host.
 */
export class RemotePolicy {
  readonly #networks: Pick<Networks, 'permits'>;
  readonly #seen: Seen;
  readonly #isOnline: (deviceId: string) => boolean;
  readonly #pins: Pick<CertificatePins, 'trusts' | 'keepOnly'>;
  readonly #ownPorts: ReadonlySet<number>;
  readonly #loopback: boolean;
  readonly #relayHost: string;
  readonly #httpsPorts: (deviceId: string) => readonly number[];
  readonly #neighbour: (address: string) => Promise<string | null>;
  readonly #offFile: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #visits = new Map<string, Visit>();
  #devices = new Map<string, Device>();
  #allowed: boolean;

  constructor(o: {
    dir: string;
    networks: Pick<Networks, 'permits'>;
    seen: Seen;
    /** Whether the box is logged in at the device, which has told who it is. */
    isOnline: (deviceId: string) => boolean;
    pins: Pick<CertificatePins, 'trusts' | 'keepOnly'>;
    /** Ports of this box and of its relay: on loopback they are at every address. */
    ownPorts: number[];
    /** The box runs on loopback. */
    loopback: boolean;
    relayUrl: URL;
    /** Ports of TLS that a device has announced, beside 443. */
    httpsPorts?: (deviceId: string) => readonly number[];
    neighbour?: (address: string) => Promise<string | null>;
    clock: Clock;
    log: Logger;
  }) {
    this.#networks = o.networks;
    this.#seen = o.seen;
    this.#isOnline = o.isOnline;
    this.#pins = o.pins;
    this.#ownPorts = new Set(o.ownPorts);
    this.#loopback = o.loopback;
    this.#relayHost = o.relayUrl.hostname;
    this.#httpsPorts = o.httpsPorts ?? (() => []);
    this.#neighbour = o.neighbour ?? macOfNeighbour;
    this.#offFile = join(o.dir, 'remote-configuration-off');
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'remote-config' });
    this.#allowed = !existsSync(this.#offFile);
  }

  /** The switch of the set-up page; it holds over restarts. Off ends what is open. */
  get allowed(): boolean {
    return this.#allowed;
  }

  allow(allowed: boolean): void {
    if (allowed) rmSync(this.#offFile, { force: true });
    else writePrivateFile(this.#offFile, '');
    this.#allowed = allowed;
    this.#log.info({ allowed }, 'remote configuration switched at the set-up page');
    if (!allowed) for (const visit of this.#visits.values()) for (const cut of [...visit.open]) cut();
  }

  /** The devices of the desired state. What is open to one that went, or is said to be elsewhere, ends. */
  apply(devices: Device[]): void {
    const before = this.#devices;
    this.#devices = new Map(devices.map((device) => [device.id, device]));
    this.#pins.keepOnly(new Set(this.#devices.keys()));
    for (const [id, visit] of this.#visits) {
      const [old, now] = [before.get(id), this.#devices.get(id)];
      if (
        now &&
        old &&
        now.host === old.host &&
        now.mac === old.mac &&
        now.serial === old.serial &&
        now.tls?.certificate === old.tls?.certificate
      )
        continue;
      for (const cut of [...visit.open]) cut();
    }
  }

  /** Where a CONNECT of the relay goes, or why nowhere. */
  async resolve(authority: string | undefined, headers: ConnectHeaders): Promise<Target | Refused> {
    const asked = parseDeviceAuthority(authority);
    const tls = headers[TLS_HEADER];
    if (!asked || (tls !== undefined && tls !== '1')) return this.#refuse(authority, 'malformed', 400);
    if (!this.#allowed) return this.#refuse(authority, 'switched-off');
    const device = this.#devices.get(asked.deviceId);
    if (!device) return this.#refuse(authority, 'unknown-device');
    const place = await this.#place(device);
    if (typeof place === 'string') return this.#refuse(authority, place);
    const { host, httpPorts } = place;
    const own = device.tls ? [device.httpPort] : [];
    const ports = tls ? [HTTPS_PORT, ...own, ...this.#httpsPorts(device.id)] : httpPorts;
    // A device that was added over HTTPS is never led back to HTTP, where anybody could answer; one whose one port is 443 speaks TLS.
    const plainToTls = !tls && (asked.port === HTTPS_PORT || device.tls !== undefined);
    if (!ports.includes(asked.port) || isOtherService(asked.port) || plainToTls) return this.#refuse(authority, 'port');
    if ((this.#loopback && this.#ownPorts.has(asked.port)) || host === this.#relayHost)
      return this.#refuse(authority, 'address');
    // Looked up while something was awaited: it may be another answer now.
    if (!this.#allowed || this.#devices.get(asked.deviceId) !== device)
      return this.#refuse(authority, 'unknown-device');
    const visit = this.#visit(device);
    const open = [...this.#visits.values()].reduce((sum, one) => sum + one.open.size, 0);
    if (visit.open.size >= MAX_PER_DEVICE || open >= MAX_CONNECTIONS) return this.#refuse(authority, 'busy');
    return {
      host,
      port: asked.port,
      headers: { [ADDRESS_HEADER]: `${host}:${asked.port}` },
      ...(tls && {
        trusts: (fingerprint: string) => this.#trusts(device, fingerprint),
        modern: device.tls?.old === false,
      }),
      opened: (cut) => this.#opened(visit, cut),
    };
  }

  /** Where the device is: where it was recognised, not where somebody says. */
  async #place(device: Device): Promise<{ host: string; httpPorts: number[] } | RemoteRefusal> {
    const { mac, serial } = device;
    const seen = (mac ? this.#seen.byMac(mac) : undefined) ?? (serial ? this.#seen.bySerial(serial) : undefined);
    const host = seen?.address ?? device.host;
    if (!this.#networks.permits(host)) return 'address';
    if (this.#seen.at(host).some((other) => !isSame(other, device))) return 'replaced';
    const configured = host === device.host ? [device.httpPort] : [];
    if (seen) {
      // Anybody may answer the search in its name; the kernel has learnt by itself who is at that address.
      const neighbour = await this.#neighbour(host);
      const expected = mac ?? (seen.mac || null);
      // With several network sockets it may be heard by another one.
      const other = neighbour === seen.mac && this.#isOnline(device.id);
      if (neighbour !== null && expected !== null && neighbour !== expected && !other) return 'replaced';
      // What SADP announces is the page's port; ONVIF's may be another than the page's.
      const announced = seen.httpPort === null ? [] : [seen.httpPort];
      const known = announced.length > 0 && seen.protocols.includes('sadp');
      return { host, httpPorts: known ? announced : [...announced, ...configured] };
    }
    if (mac === null && serial === null) return 'not-seen';
    // Not heard by the search: then it must be logged in to, or be known to the kernel by its MAC.
    const neighbour = await this.#neighbour(host);
    if (neighbour !== null && mac !== null && neighbour !== mac && !this.#isOnline(device.id)) return 'replaced';
    if (this.#isOnline(device.id) || (neighbour !== null && neighbour === mac)) return { host, httpPorts: configured };
    return 'not-seen';
  }

  #trusts(device: Device, fingerprint: string): boolean {
    const added = device.tls?.certificate;
    const trusted = added ? fingerprint === added : this.#pins.trusts(device.id, fingerprint);
    if (!trusted) this.#log.warn({ device: device.id }, 'the device shows another certificate than before');
    return trusted;
  }

  #visit(device: Device): Visit {
    const known = this.#visits.get(device.id);
    if (known) return known;
    const visit = { name: device.name, open: new Set<() => void>(), connections: 0, bytesIn: 0, bytesOut: 0 };
    const made = { ...visit, cancelEnd: () => {} };
    this.#visits.set(device.id, made);
    this.#endLater(device.id, made);
    return made;
  }

  #opened(visit: Visit, cut: () => void): (bytesIn: number, bytesOut: number) => void {
    const [id] = [...this.#visits].find(([, one]) => one === visit) ?? [];
    visit.cancelEnd();
    if (visit.connections++ === 0) this.#log.info({ device: id, name: visit.name }, 'remote configuration begins');
    visit.open.add(cut);
    return (bytesIn, bytesOut) => {
      visit.open.delete(cut);
      visit.bytesIn += bytesIn;
      visit.bytesOut += bytesOut;
      if (visit.open.size === 0 && id !== undefined) this.#endLater(id, visit);
    };
  }

  #endLater(id: string, visit: Visit): void {
    visit.cancelEnd();
    visit.cancelEnd = this.#clock.after(VISIT_ENDS_MS, () => {
      if (visit.open.size > 0 || this.#visits.get(id) !== visit) return;
      this.#visits.delete(id);
      const { connections, bytesIn, bytesOut } = visit;
      if (connections > 0) this.#log.info({ device: id, connections, bytesIn, bytesOut }, 'remote configuration ended');
    });
  }

  #refuse(authority: string | undefined, reason: RemoteRefusal, status = 403): Refused {
    this.#log.warn({ asked: authority?.slice(0, 100), reason }, 'remote configuration refused');
    return { refused: status, headers: { [REFUSAL_HEADER]: reason } };
  }
}
