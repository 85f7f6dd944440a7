import { createSocket, type Socket } from 'node:dgram';
import type { Logger } from 'pino';
import { type Interface, isLoopback } from './interfaces.ts';

/** SADP, WS-Discovery and SSDP use this group, on ports of their own. */
export const SEARCH_GROUP = '239.255.255.250';

/** `via`: the interface it came in by, where that is known: datagrams to the group do not tell. */
type Receive = (datagram: Buffer, source: string, via: string | null) => void;

/**
 * UDP sockets of one search: one that hears the group on every interface, and one bound to each interface's own
 * address, which sends there (the kernel would send everything out of the default route) and hears unicast answers.
 */
export class SearchSockets {
  readonly #address: string;
  readonly #hears: string;
  readonly #port: number;
  readonly #sendFrom: number;
  readonly #ttl: number;
  readonly #broadcasts: boolean;
  readonly #loopbackOnly: boolean;
  readonly #receive: Receive;
  readonly #log: Logger;
  #group: Socket | null = null;
  readonly #members = new Set<string>();
  readonly #senders = new Map<string, { socket: Socket; broadcast: string | null }>();
  lastError: string | null = null;

  constructor(o: {
    /** The multicast address. */
    group?: string;
    /**
     * Whether what was sent to one of our own addresses, or to all of them, is heard on the port as well. False where
     * another program of this host may use the port: answers to it are not taken away.
     */
    hearsAll?: boolean;
    /** Of the group. */
    port: number;
    /** Where answers come back to; 0: any free one. */
    sendFrom: number;
    ttl?: number;
    /** Whether questions go to the subnet's broadcast, too. */
    broadcasts?: boolean;
    loopbackOnly: boolean;
    receive: Receive;
    log: Logger;
  }) {
    this.#address = o.group ?? SEARCH_GROUP;
    this.#hears = (o.hearsAll ?? true) ? '0.0.0.0' : this.#address;
    this.#port = o.port;
    this.#sendFrom = o.sendFrom;
    this.#ttl = o.ttl ?? 1;
    this.#broadcasts = o.broadcasts ?? true;
    this.#loopbackOnly = o.loopbackOnly;
    this.#receive = o.receive;
    this.#log = o.log;
  }

  /** Opens what is missing and closes what is gone: interfaces come and go. */
  async follow(interfaces: Interface[]): Promise<void> {
    this.lastError = null;
    this.#group ??= await this.#open(this.#hears, this.#port, null);
    for (const address of new Set([...this.#members, ...this.#senders.keys()])) {
      if (!interfaces.some((i) => i.address === address)) this.#drop(address);
    }
    for (const { name, address, broadcast } of interfaces) {
      if (
        this.#group &&
        !this.#members.has(address) &&
        this.#try(() => this.#group?.addMembership(this.#address, address))
      ) {
        this.#members.add(address);
      }
      if (this.#senders.has(address)) continue;
      const socket = await this.#open(address, this.#sendFrom, name);
      if (!socket) continue;
      this.#try(() => {
        socket.setMulticastInterface(address);
        socket.setMulticastTTL(this.#ttl);
        if (broadcast) socket.setBroadcast(true);
      });
      this.#senders.set(address, { socket, broadcast });
    }
  }

  /** Sends once per interface to the group and the subnet's broadcast, and to each of `targets`. */
  send(datagram: Buffer, targets: string[] = []): void {
    for (const { socket, broadcast } of this.#senders.values()) {
      for (const to of [this.#address, ...(broadcast && this.#broadcasts ? [broadcast] : []), ...targets]) {
        socket.send(datagram, this.#port, to, (error) => {
          if (error) this.#log.debug({ err: error, to }, 'an inquiry could not be sent');
        });
      }
    }
  }

  /** Once per interface to the group alone: commands that must not come twice. */
  sendToGroup(datagram: Buffer): void {
    for (const { socket } of this.#senders.values())
      socket.send(datagram, this.#port, this.#address, (error) => {
        if (error) this.#log.debug({ err: error }, 'a command could not be sent');
      });
  }

  close(): void {
    this.#group?.close();
    this.#group = null;
    this.#members.clear();
    for (const { socket } of this.#senders.values()) socket.close();
    this.#senders.clear();
  }

  async #open(address: string, port: number, via: string | null): Promise<Socket | null> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ port, address }, resolve);
      });
    } catch (error) {
      this.lastError = `${address}:${port}: ${(error as Error).message}`;
      this.#log.debug({ err: error, address }, 'a socket of the search could not be opened');
      return null;
    }
    socket.removeAllListeners('error');
    socket.on('error', (error) => this.#log.debug({ err: error, address }, 'a socket of the search failed'));
    socket.on('message', (datagram, from) => {
      // A search on loopback must not even hear of real devices.
      if (!this.#loopbackOnly || isLoopback(from.address)) this.#receive(datagram, from.address, via);
    });
    return socket;
  }

  #drop(address: string): void {
    if (this.#members.delete(address)) this.#try(() => this.#group?.dropMembership(this.#address, address));
    this.#senders.get(address)?.socket.close();
    this.#senders.delete(address);
  }

  /** Whether it worked; an interface can vanish between two calls. */
  #try(fn: () => void): boolean {
    try {
      fn();
      return true;
    } catch (error) {
      this.lastError = (error as Error).message;
      return false;
    }
  }
}
