import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { sameSerial } from '../../protocol/wire/serial.ts';
import type { Warnables } from '../warnables.ts';
import { Pinger } from './icmp.ts';
import { type Interface, isLoopback, onLink, searchedInterfaces } from './interfaces.ts';
import { Inventory, type Protocol, type Told } from './inventory.ts';
import { neighbours } from './neighbours.ts';
import { macOf } from './sadp.ts';
import { Searches, type SearchPorts } from './searches.ts';

const PERIOD_MS = 15_000;
const GONE_AFTER_MS = 45_000;
/** UDP gets lost on Wi-Fi, so each inquiry goes out so often. */
const REPEATS = 3;
const REPEAT_MS = 300;
const SCAN_MS = 2_000;
const PING_EVERY_MS = 10_000;
const PINGS_A_SECOND = 16;
const NEIGHBOURS_MS = 1_000;
const TELL_EVERY_MS = 500;
const MAX_DEVICES = 2_000;
const MANY_MALFORMED = 50;

/**
 * Finds the devices of the LAN, without a break (DISC-03): asks every 15 s by SADP, ONVIF's WS-Discovery, multicast DNS and SSDP,
 * hears the answers to others too, and drops what was silent for 45 s. On `lo` it hears, lists and pings addresses in
 * 127.0.0.0/8 only, so that a demo never touches a real device.
 */
export class Discovery {
  readonly #interface: string | undefined;
  readonly #loopbackOnly: boolean;
  readonly #targets: string[];
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnables: Pick<Warnables, 'raise' | 'clear'>;
  readonly #inventory: Inventory;
  readonly #searches: Searches;
  readonly #pinger: Pinger;
  readonly #arpFile: string | undefined;
  readonly #listeners = new Set<() => void>();
  #interfaces: Interface[] = [];
  #neighbours: { mono: number; table: Promise<Map<string, string>> } | null = null;
  #cancels: (() => void)[] = [];
  #cancelRepeat: () => void = () => {};
  #telling = false;
  #cancelTelling: () => void = () => {};
  #inquiring: Promise<void> = Promise.resolve();
  #stopped = true;
  #reported = 0;

  constructor(o: {
    /** Name; all but loopback without it. */
    interface?: string;
    sadpPort?: number;
    /** Of ONVIF's WS-Discovery; 0: no such search. */
    wsdPort?: number;
    /** Of multicast DNS and SSDP; 0: no such search. On `lo` they are off unless given. */
    mdnsPort?: number;
    ssdpPort?: number;
    /** Devices in other subnets, where multicast does not reach. */
    unicastTargets?: string[];
    pinger?: Pinger;
    /** The kernel's table of neighbours. */
    arpFile?: string;
    clock: Clock;
    log: Logger;
    warnables: Pick<Warnables, 'raise' | 'clear'>;
  }) {
    this.#interface = o.interface;
    this.#loopbackOnly = o.interface === 'lo';
    this.#targets = o.unicastTargets ?? [];
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'discovery' });
    this.#warnables = o.warnables;
    this.#arpFile = o.arpFile;
    this.#inventory = new Inventory({ clock: o.clock, max: MAX_DEVICES });
    this.#pinger = o.pinger ?? new Pinger({ clock: o.clock, log: this.#log, tcpOnly: this.#loopbackOnly });
    const ports: SearchPorts = { sadp: o.sadpPort, wsd: o.wsdPort, mdns: o.mdnsPort, ssdp: o.ssdpPort };
    this.#searches = new Searches({
      ports,
      loopbackOnly: this.#loopbackOnly,
      targets: this.#targets,
      tell: (protocol, device, more) => this.#told(protocol, device, more),
      left: (protocol, id) => {
        if (this.#inventory.left(protocol, id)) this.#changed();
      },
      clock: o.clock,
      log: this.#log,
    });
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
    this.#pinger.start().catch((error) => this.#log.warn({ err: error }, 'ICMP could not be tried'));
    this.#period();
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#pinger.stop();
    this.#searches.close();
  }

  list(): DiscoveredDevice[] {
    return this.#inventory.checked(undefined, this.#where);
  }

  byMac(mac: string): DiscoveredDevice | undefined {
    const wanted = macOf(mac);
    return wanted ? this.#inventory.list((d) => d.mac === wanted, this.#where)[0] : undefined;
  }

  bySerial(serial: string): DiscoveredDevice | undefined {
    return this.#inventory.list((d) => sameSerial(d.serial, serial), this.#where)[0];
  }

  /** Every device listed at that address; more than one is a conflict. */
  at(address: string): DiscoveredDevice[] {
    return this.#inventory.list((d) => d.address === address, this.#where);
  }

  /** Whether this box may talk to that host at all: on loopback nothing but loopback. */
  permits(host: string): boolean {
    return !this.#loopbackOnly || isLoopback(host) || host === 'localhost';
  }

  /** The interfaces that are searched now. */
  interfaces(): Interface[] {
    return this.#interfaces;
  }

  /** Asks again now; resolves after 2 s, when the answers are in the list. */
  async scan(): Promise<void> {
    this.#period();
    await this.#clock.sleep(SCAN_MS);
  }

  /** A SADP command and its answer; see SadpChannel. */
  request: Searches['request'] = (...args) => this.#searches.request(...args);

  stats(): { devices: number; malformed: number } {
    return { devices: this.list().length, malformed: this.#searches.malformed };
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** Whether an address can be talked to, and on which interface; `via`: where the device was heard. */
  #where = (address: string, via: string | null): { reachable: boolean; interface: string | null } => {
    const links = onLink(address, this.#interfaces);
    const names = new Set((links.length > 0 ? links : this.#interfaces).map((i) => i.name));
    const known = via !== null && (links.length === 0 || names.has(via)) ? via : null;
    return {
      reachable: links.length > 0 || this.#targets.includes(address) || this.#interfaces.length === 0,
      interface: known ?? (names.size === 1 ? [...names][0]! : null),
    };
  };

  #period(): void {
    if (this.#inventory.forgetSilent(GONE_AFTER_MS)) this.#changed();
    this.#report();
    this.#inquiring = this.#inquiring
      .then(() => this.#inquire())
      .catch((error) => this.#log.warn({ err: error }, 'the search could not be sent'));
  }

  async #inquire(): Promise<void> {
    if (this.#stopped) return;
    this.#interfaces = searchedInterfaces(this.#interface);
    const error = await this.#searches.follow(this.#interfaces);
    if (this.#stopped) return this.#searches.close();
    this.#reportSockets(error);
    const again = this.#searches.ask();
    const repeat = (left: number) => {
      if (left === 0) return;
      this.#cancelRepeat = this.#clock.after(REPEAT_MS, () => {
        again();
        repeat(left - 1);
      });
    };
    this.#cancelRepeat();
    repeat(REPEATS - 1);
    if (!this.#loopbackOnly && this.#inventory.answering(await this.#answering())) this.#changed();
  }

  #second(): void {
    this.#searches.second();
    // What has an address of another network would be looked for, and perhaps found, at somebody else's.
    const may = (address: string) => this.#where(address, null).reachable;
    const due = this.#inventory.duePings(PING_EVERY_MS, PINGS_A_SECOND, may);
    this.#pinger
      .measure(due, ({ key, address }, measured) => {
        if (!this.#stopped && this.#inventory.pinged(key, address, measured)) this.#changed();
      })
      .catch((error) => this.#log.warn({ err: error }, 'a ping failed'));
  }

  /**
   * Identity is the MAC. Where the device does not tell it, it is the one that SADP named at that address, or that the
   * kernel knows; else the serial. A device that has none of these cannot be told from its neighbours and is not listed.
   */
  #told(protocol: Protocol, device: Told, more: { id?: string | null; via: string | null }): void {
    const take = (mac: string | null) => {
      if (this.#stopped || (!mac && !device.serial)) return;
      if (this.#inventory.seen(protocol, { ...device, mac }, more)) this.#changed();
    };
    const known = device.mac ?? (more.id ? this.#inventory.macOf(protocol, more.id, device.address) : null);
    if (known) take(known);
    else
      this.#answering().then(
        (macs) => take(macs.get(device.address) ?? null),
        (error) => this.#log.debug({ err: error }, 'no table of neighbours'),
      );
  }

  /** Read once a second at most: whoever floods the LAN must not make the box read files. */
  #answering(): Promise<Map<string, string>> {
    const mono = this.#clock.mono();
    if (!this.#neighbours || mono - this.#neighbours.mono >= NEIGHBOURS_MS)
      this.#neighbours = { mono, table: neighbours(this.#arpFile) };
    return this.#neighbours.table;
  }

  #report(): void {
    const count = this.#searches.malformed - this.#reported;
    this.#reported += count;
    // One line a period tells enough: whoever floods the LAN must not fill the log.
    if (count > 0) this.#log.debug({ count }, 'malformed discovery datagrams');
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

  #reportSockets(error: string | null): void {
    if (this.#interfaces.length === 0) {
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
