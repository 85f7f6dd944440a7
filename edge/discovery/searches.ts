import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { Descriptions } from './descriptions.ts';
import { type Interface, isLoopback, onLink } from './interfaces.ts';
import { type Protocol, type Told, UNTOLD } from './inventory.ts';
import { MDNS_GROUP, MDNS_PORT, mdnsQuery, readMdns } from './mdns.ts';
import { inquiry, readDatagram, SADP_PORT } from './sadp.ts';
import { SearchSockets } from './sockets.ts';
import { readSsdp, SSDP_PORT, ssdpSearch } from './ssdp.ts';
import { probes, readWsd, WSD_PORT } from './ws-discovery.ts';

const MAX_DATAGRAMS_A_SECOND = 2_000;
/** An answer has about 1 KB; reading costs by the byte, and a flood must leave time for alarms. */
const MAX_BYTES_A_SECOND = 2_000_000;
/** SADP commands under way at a time. */
const MAX_WAITING = 64;
const COMMAND_REPEAT_MS = 500;

export interface SearchPorts {
  sadp?: number;
  /** Of the others 0 means: no such search. */
  wsd?: number;
  mdns?: number;
  ssdp?: number;
}
/** `id`: by which the protocol names the device; `via`: the interface it was heard on, where that is known. */
type Tell = (protocol: Protocol, device: Told, more: { id?: string | null; via: string | null }) => void;

interface Search {
  sockets: SearchSockets;
  /** What is asked, anew each time. */
  questions: () => Buffer[];
  /** Single devices that are asked by unicast. */
  targets: string[];
}

/** The four ways of searching, each with sockets of its own. What they hear goes to `tell` and `left`. */
export class Searches {
  readonly #loopbackOnly: boolean;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #tell: Tell;
  readonly #left: (protocol: Protocol, id: string) => void;
  readonly #sadp: SearchSockets;
  readonly #all: Search[] = [];
  readonly #descriptions: Descriptions;
  readonly #waiting = new Set<(reply: Buffer, source: string) => void>();
  #interfaces: Interface[] = [];
  #closed = true;
  #thisSecond = { datagrams: 0, bytes: 0 };
  /** Unreadable datagrams since the start. */
  malformed = 0;

  constructor(o: {
    ports: SearchPorts;
    loopbackOnly: boolean;
    targets: string[];
    tell: Tell;
    left: (protocol: Protocol, id: string) => void;
    clock: Clock;
    log: Logger;
  }) {
    this.#loopbackOnly = o.loopbackOnly;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#tell = o.tell;
    this.#left = o.left;
    this.#descriptions = new Descriptions({ clock: o.clock });
    const { sadp = SADP_PORT, wsd = WSD_PORT } = o.ports;
    // Loopback is for demos and tests, which must not hear each other by the common ports.
    const { mdns = o.loopbackOnly ? 0 : MDNS_PORT, ssdp = o.loopbackOnly ? 0 : SSDP_PORT } = o.ports;
    const open = (
      port: number,
      read: (datagram: Buffer, source: string, via: string | null) => boolean,
      options: Partial<ConstructorParameters<typeof SearchSockets>[0]> = {},
    ) =>
      new SearchSockets({
        port,
        sendFrom: 0,
        loopbackOnly: o.loopbackOnly,
        log: o.log,
        ...options,
        receive: (datagram, source, via) => this.#receive(datagram, () => read(datagram, source, via)),
      });
    // Some devices answer to the port that asked, others to the group: one socket hears both.
    this.#sadp = open(sadp, (...heard) => this.#readSadp(...heard), { sendFrom: sadp });
    this.#all.push({ sockets: this.#sadp, questions: () => [inquiry(randomUUID())], targets: o.targets });
    if (wsd !== 0) {
      const sockets = open(wsd, (...heard) => this.#readWsd(...heard));
      this.#all.push({ sockets, questions: () => probes(randomUUID), targets: o.targets });
    }
    // Other programs of this host may answer on these two, so that unicast to the port is left to them.
    const shared = { hearsAll: false, broadcasts: false };
    if (mdns !== 0) {
      const sockets = open(mdns, (...heard) => this.#readMdns(...heard), { ...shared, group: MDNS_GROUP, ttl: 255 });
      this.#all.push({ sockets, questions: () => [mdnsQuery()], targets: [] });
    }
    if (ssdp !== 0) {
      const sockets = open(ssdp, (...heard) => this.#readSsdp(...heard), { ...shared, ttl: 2 });
      this.#all.push({ sockets, questions: () => [ssdpSearch()], targets: [] });
    }
  }

  /** Opens and closes sockets as interfaces come and go; why the main search may find nothing, null: it may. */
  async follow(interfaces: Interface[]): Promise<string | null> {
    this.#closed = false;
    this.#interfaces = interfaces;
    for (const { sockets } of this.#all) await sockets.follow(interfaces);
    return this.#sadp.lastError;
  }

  /** A round of questions; calling what it gives sends the same ones again. */
  ask(): () => void {
    const asked = this.#all.map(({ sockets, questions, targets }) => ({ sockets, targets, datagrams: questions() }));
    const send = () => {
      for (const { sockets, targets, datagrams } of asked) {
        for (const datagram of datagrams) sockets.send(datagram, targets);
      }
    };
    send();
    return send;
  }

  close(): void {
    this.#closed = true;
    this.#descriptions.stop();
    for (const { sockets } of this.#all) sockets.close();
  }

  /** To be called each second. */
  second(): void {
    this.#thisSecond = { datagrams: 0, bytes: 0 };
  }

  /** A SADP command and its answer; see SadpChannel. */
  request<T>(
    datagram: Buffer,
    read: (reply: Buffer, source: string) => T | null,
    o: { timeoutMs: number; repeat?: boolean; signal?: AbortSignal },
  ): Promise<T | null> {
    return new Promise((resolve) => {
      const cancels: (() => void)[] = [];
      const end = (value: T | null) => {
        for (const cancel of cancels) cancel();
        this.#waiting.delete(hear);
        o.signal?.removeEventListener('abort', abort);
        resolve(value);
      };
      const abort = () => end(null);
      const hear = (reply: Buffer, source: string) => {
        const value = read(reply, source);
        if (value !== null) end(value);
      };
      if (this.#closed || o.signal?.aborted || this.#waiting.size >= MAX_WAITING) return resolve(null);
      o.signal?.addEventListener('abort', abort);
      this.#waiting.add(hear);
      cancels.push(this.#clock.after(o.timeoutMs, abort));
      if (o.repeat) cancels.push(this.#clock.every(COMMAND_REPEAT_MS, () => this.#sadp.sendToGroup(datagram)));
      this.#sadp.sendToGroup(datagram);
    });
  }

  /** `read` is false for what cannot be read; it is not called at all in a flood. */
  #receive(datagram: Buffer, read: () => boolean): void {
    if (this.#closed) return;
    const now = this.#thisSecond;
    now.bytes += datagram.length;
    const flood = ++now.datagrams > MAX_DATAGRAMS_A_SECOND || now.bytes > MAX_BYTES_A_SECOND;
    if (!flood && read()) return;
    this.malformed++;
  }

  #readSadp(datagram: Buffer, source: string, via: string | null): boolean {
    for (const hear of this.#waiting) hear(datagram, source);
    const read = readDatagram(datagram, source);
    if (read === 'malformed') return false;
    if (read === 'ignore' || (this.#loopbackOnly && !isLoopback(read.address))) return true;
    this.#tell('sadp', read, { via });
    return true;
  }

  #readWsd(datagram: Buffer, source: string, via: string | null): boolean {
    const read = readWsd(datagram, source);
    if (read === 'malformed') return false;
    if (read === 'ignore') return true;
    if ('gone' in read) this.#left('onvif', read.gone);
    else for (const { uuid, ...device } of read.found) this.#tell('onvif', { ...UNTOLD, ...device }, { id: uuid, via });
    return true;
  }

  #readMdns(datagram: Buffer, source: string, via: string | null): boolean {
    const read = readMdns(datagram, source);
    if (read === 'malformed') return false;
    if (read === 'ignore') return true;
    for (const id of read.gone) this.#left('mdns', id);
    for (const { instance, ...device } of read.found)
      this.#tell('mdns', { ...UNTOLD, ...device, address: source }, { id: instance, via });
    return true;
  }

  #readSsdp(datagram: Buffer, source: string, via: string | null): boolean {
    const read = readSsdp(datagram, source);
    if (read === 'malformed') return false;
    if (read === 'ignore') return true;
    if ('gone' in read) this.#left('ssdp', read.gone);
    // Only who is on our own networks is asked, and not this box itself.
    else if (onLink(source, this.#interfaces).length > 0 && !this.#interfaces.some((i) => i.address === source)) {
      const { uuid } = read;
      this.#descriptions.of(source, uuid, read.described).then(
        (device) => device && this.#tell('ssdp', { ...UNTOLD, ...device, address: source }, { id: uuid, via }),
        (error) => this.#log.debug({ err: error, source }, 'a description could not be read'),
      );
    }
    return true;
  }
}
