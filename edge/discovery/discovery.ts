import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { sameSerial } from '../../protocol/wire/serial.ts';
import type { Warnables } from '../warnables.ts';
import { isLoopback, searchedInterfaces } from './interfaces.ts';
import { Inventory } from './inventory.ts';
import { macOfNeighbour } from './neighbours.ts';
import { tcpPing } from './ping.ts';
import { inquiry, macOf, readDatagram, SADP_PORT } from './sadp.ts';
import { SearchSockets } from './sockets.ts';
import { type OnvifDevice, probes, readWsd, WSD_PORT } from './ws-discovery.ts';

const PERIOD_MS = 15_000;
const GONE_AFTER_MS = 45_000;
/** UDP gets lost on Wi-Fi, so each inquiry goes out so often. */
const REPEATS = 3;
const REPEAT_MS = 300;
const SCAN_MS = 2_000;
const PING_EVERY_MS = 10_000;
const PING_TIMEOUT_MS = 1_000;
const PINGS_A_SECOND = 16;
const TELL_EVERY_MS = 500;
const MAX_DEVICES = 2_000;
const MAX_DATAGRAMS_A_SECOND = 2_000;
/** An answer has about 1 KB; reading costs by the byte, and a flood must leave time for alarms. */
const MAX_BYTES_A_SECOND = 2_000_000;
const MANY_MALFORMED = 50;

/**
 * Finds the devices of the LAN, without a break (DISC-03): asks every 15 s by SADP and by ONVIF's WS-Discovery, hears the answers to
 * others too, and drops what was silent for 45 s. On `lo` it hears, lists and pings addresses in 127.0.0.0/8 only, so that a demo never touches a real device.
 */
export class Discovery {
  readonly #interface: string | undefined;
  readonly #loopbackOnly: boolean;
  readonly #unicastTargets: string[];
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnables: Pick<Warnables, 'raise' | 'clear'>;
  readonly #inventory: Inventory;
  readonly #sadp: SearchSockets;
  readonly #wsd: SearchSockets | null;
  readonly #listeners = new Set<() => void>();
  #cancels: (() => void)[] = [];
  #cancelRepeat: () => void = () => {};
  #telling = false;
  #cancelTelling: () => void = () => {};
  #inquiring: Promise<void> = Promise.resolve();
  #stopped = true;
  #thisSecond = { datagrams: 0, bytes: 0 };
  #malformed = 0;
  #malformedThisPeriod = 0;

  constructor(o: {
    /** Name; all but loopback without it. */
    interface?: string;
    sadpPort?: number;
    /** Of ONVIF's WS-Discovery; 0: no such search. */
    wsdPort?: number;
    /** Devices in other subnets, where multicast does not reach. */
    unicastTargets?: string[];
    clock: Clock;
    log: Logger;
    warnables: Pick<Warnables, 'raise' | 'clear'>;
  }) {
    this.#interface = o.interface;
    this.#loopbackOnly = o.interface === 'lo';
    this.#unicastTargets = o.unicastTargets ?? [];
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'discovery' });
    this.#warnables = o.warnables;
    this.#inventory = new Inventory({ clock: o.clock, max: MAX_DEVICES });
    const sadpPort = o.sadpPort ?? SADP_PORT;
    const shared = { loopbackOnly: this.#loopbackOnly, log: this.#log };
    this.#sadp = new SearchSockets({
      ...shared,
      port: sadpPort,
      // Some devices answer to the port that asked, others to the group: one socket hears both.
      sendFrom: sadpPort,
      receive: (datagram, source) => this.#receive(datagram, () => this.#readSadp(datagram, source)),
    });
    const wsdPort = o.wsdPort ?? WSD_PORT;
    const wsd = {
      ...shared,
      port: wsdPort,
      sendFrom: 0,
      receive: (datagram: Buffer, source: string) => this.#receive(datagram, () => this.#readWsd(datagram, source)),
    };
    this.#wsd = wsdPort === 0 ? null : new SearchSockets(wsd);
  }

  start(signal?: AbortSignal): void {
    this.#stopped = false;
    signal?.addEventListener('abort', () => this.stop());
    this.#cancels = [
      this.#clock.every(PERIOD_MS, () => this.#period()),
      this.#clock.every(1_000, () => this.#second()),
      () => this.#cancelRepeat(),
      () => this.#cancelTelling(),
    ];
    this.#period();
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#closeSockets();
  }

  #closeSockets(): void {
    this.#sadp.close();
    this.#wsd?.close();
  }

  list(): DiscoveredDevice[] {
    return this.#inventory.list();
  }

  byMac(mac: string): DiscoveredDevice | undefined {
    const wanted = macOf(mac);
    return wanted ? this.#inventory.list((d) => d.mac === wanted)[0] : undefined;
  }

  bySerial(serial: string): DiscoveredDevice | undefined {
    return this.#inventory.list((d) => sameSerial(d.serial, serial))[0];
  }

  /** Every device listed at that address; more than one is a conflict. */
  at(address: string): DiscoveredDevice[] {
    return this.#inventory.list((d) => d.address === address);
  }

  /** Whether this box may talk to that host at all: on loopback nothing but loopback. */
  permits(host: string): boolean {
    return !this.#loopbackOnly || isLoopback(host) || host === 'localhost';
  }

  /** Asks again now; resolves after 2 s, when the answers are in the list. */
  async scan(): Promise<void> {
    this.#period();
    await this.#clock.sleep(SCAN_MS);
  }

  stats(): { devices: number; malformed: number } {
    return { devices: this.list().length, malformed: this.#malformed };
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  #period(): void {
    if (this.#inventory.forgetSilent(GONE_AFTER_MS)) this.#changed();
    this.#report();
    this.#inquiring = this.#inquiring
      .then(() => this.#inquire())
      .catch((error) => this.#log.warn({ err: error }, 'the search could not be sent'));
  }

  async #inquire(): Promise<void> {
    if (this.#stopped) return;
    const interfaces = searchedInterfaces(this.#interface);
    await this.#sadp.follow(interfaces);
    await this.#wsd?.follow(interfaces);
    if (this.#stopped) return this.#closeSockets();
    this.#reportSockets(interfaces.length);
    const datagram = inquiry(randomUUID());
    const asked = probes(randomUUID);
    const send = (left: number) => {
      this.#sadp.send(datagram, this.#unicastTargets);
      for (const probe of asked) this.#wsd?.send(probe, this.#unicastTargets);
      if (left > 1) this.#cancelRepeat = this.#clock.after(REPEAT_MS, () => send(left - 1));
    };
    this.#cancelRepeat();
    send(REPEATS);
  }

  #second(): void {
    this.#thisSecond = { datagrams: 0, bytes: 0 };
    for (const { mac, address, port } of this.#inventory.duePings(PING_EVERY_MS, PINGS_A_SECOND)) {
      tcpPing(address, port, PING_TIMEOUT_MS, this.#clock).then((ms) => {
        if (!this.#stopped && this.#inventory.pinged(mac, address, ms)) this.#changed();
      });
    }
  }

  /** `read` is false for what cannot be read; it is not called at all in a flood. */
  #receive(datagram: Buffer, read: () => boolean): void {
    if (this.#stopped) return;
    const now = this.#thisSecond;
    now.bytes += datagram.length;
    const flood = ++now.datagrams > MAX_DATAGRAMS_A_SECOND || now.bytes > MAX_BYTES_A_SECOND;
    if (!flood && read()) return;
    // One line a period tells enough: whoever floods the LAN must not fill the log.
    if (this.#malformedThisPeriod++ === 0) this.#log.debug({ bytes: datagram.length }, 'malformed discovery datagram');
    this.#malformed++;
  }

  #readSadp(datagram: Buffer, source: string): boolean {
    const read = readDatagram(datagram, source);
    if (read === 'malformed') return false;
    if (read === 'ignore' || (this.#loopbackOnly && !isLoopback(read.address))) return true;
    if (this.#inventory.seen('sadp', read)) this.#changed();
    return true;
  }

  #readWsd(datagram: Buffer, source: string): boolean {
    const read = readWsd(datagram, source);
    if (read === 'malformed') return false;
    if (read === 'ignore') return true;
    if ('gone' in read) {
      if (this.#inventory.left(read.gone)) this.#changed();
    } else for (const device of read.found) this.#foundOnvif(device);
    return true;
  }

  /**
   * Identity is the MAC. Where the device does not tell it, it is the one that SADP named at that address, or that the
   * kernel knows. A device in another subnet that names none cannot be told from its neighbours and is not listed.
   */
  #foundOnvif(device: OnvifDevice): void {
    const take = (mac: string | null) => {
      if (!mac || this.#stopped) return;
      const { uuid, model, address, httpPort } = device;
      const unknown = { serial: '', firmware: null, subnetMask: null, gateway: null, dhcp: null, activated: null };
      if (this.#inventory.seen('onvif', { ...unknown, mac, model, address, httpPort, locked: false }, uuid))
        this.#changed();
    };
    const known = device.mac ?? this.#inventory.macOf(device.uuid, device.address);
    if (known) take(known);
    else
      macOfNeighbour(device.address).then(take, (error) => this.#log.debug({ err: error }, 'no table of neighbours'));
  }

  #report(): void {
    const count = this.#malformedThisPeriod;
    this.#malformedThisPeriod = 0;
    if (count >= MANY_MALFORMED) {
      this.#warnables.raise(
        'sadp-malformed',
        'box',
        'info',
        `${count} unreadable discovery messages came in within ${PERIOD_MS / 1000} s. Something on the LAN sends what no device should; devices are still found.`,
      );
    } else this.#warnables.clear('sadp-malformed', 'box');
    const refused = this.#inventory.refused;
    this.#inventory.refused = 0;
    if (refused > 0) {
      this.#warnables.raise(
        'discovery-full',
        'box',
        'warning',
        `More than ${MAX_DEVICES} devices answered; the others are not listed. Search a smaller network with --interface.`,
      );
    } else this.#warnables.clear('discovery-full', 'box');
  }

  #reportSockets(interfaces: number): void {
    const error = this.#sadp.lastError;
    if (interfaces === 0) {
      const which = this.#interface ? `The interface ${this.#interface} has` : 'No network interface has';
      this.#warnables.raise(
        'discovery-off',
        'box',
        'warning',
        `${which} no IPv4 address: devices cannot be found. Check the network cable.`,
      );
    } else if (error) {
      this.#warnables.raise(
        'discovery-off',
        'box',
        'warning',
        `Devices may not be found, the search could not be sent: ${error}`,
      );
    } else this.#warnables.clear('discovery-off', 'box');
  }

  /** Tells at most twice a second, whatever the LAN sends. */
  #changed(): void {
    if (this.#telling) return;
    this.#telling = true;
    this.#cancelTelling = this.#clock.after(TELL_EVERY_MS, () => {
      this.#telling = false;
      for (const fn of this.#listeners) fn();
    });
  }
}
