import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { type Dc09Message, decodeDc09, openDc09, replyDc09 } from '../codec/dc09.ts';
import type { Dc09Content } from '../codec/dc09-content.ts';
import { parseDc09Content } from '../codec/dc09-parse.ts';
import { Dc09Stream } from '../codec/dc09-stream.ts';

export interface Dc09Peer {
  address: string;
  port: number;
  transport: 'tcp' | 'udp';
}

export interface Dc09Known {
  /** null: it sends in clear. */
  key: Buffer | null;
  /** Its clock shows local time, not UTC: any quarter of an hour off is taken. */
  localTime?: boolean;
}

/** `none`: no reply; the sender will try again. */
export type Dc09Answer = 'ack' | 'nak' | 'duh' | 'none';

export interface Dc09Received {
  message: Dc09Message;
  /** Never empty; null: link supervision (NULL). */
  content: Dc09Content | null;
  peer: Dc09Peer;
  /** As it came; kept or shown only through `printDc09`, which masks keys. */
  raw: Buffer;
}

export interface Dc09Problem {
  peer: Dc09Peer;
  account: string | null;
  code: 'format' | 'length' | 'crc' | 'key' | 'unknown-account' | 'time' | 'plain-refused';
}

export interface Dc09ListenerOptions {
  host: string;
  /** 0: any. */
  port: number;
  transports: ('tcp' | 'udp')[];
  clock: Clock;
  log: Logger;
  /** What is known of an account number (leading zeros significant); null: nothing. */
  known(account: string, peer: Dc09Peer): Dc09Known | null | Promise<Dc09Known | null>;
  /** Resolves when the message is on disk: only then it may say `ack`. */
  received(received: Dc09Received): Promise<Dc09Answer>;
  problem?(problem: Dc09Problem): void;
  /** Over TCP; one more makes the one that was silent longest go. */
  maxConnections?: number;
  /** A connection silent for this long is closed; at least twice the longest supervision interval kept open. */
  idleMs?: number;
}

/** §5.5.1.8–9: a message may be this far ahead of the receiver's clock … */
const MAX_AHEAD_MS = 20_000;
/** … or behind it. */
const MAX_BEHIND_MS = 40_000;
const QUARTER_HOUR_MS = 900_000;
const MAX_ZONE_MS = 57 * QUARTER_HOUR_MS;
/** Frames of one connection or datagram source that wait for their turn; more are not read (TCP) or dropped (UDP). */
const MAX_WAITING = 64;
const MAX_UDP_PEERS = 4096;
const MAX_PORT_TRIES = 5;
/** How long what is being kept may take when the listener stops. */
const LAST_WORDS_MS = 2_000;

/**
 * The receiving end of DC-09 over TCP and UDP on one port: checks, decrypts, hands the content over and acknowledges what
 * was kept. Frames of one peer are answered one by one and in order. Never acknowledges what it could not read, or what
 * `received` did not say `ack` to.
 */
export class Dc09Listener {
  readonly #o: Dc09ListenerOptions;
  readonly #sockets = new Map<Socket, number>();
  /** What each source of datagrams still waits for. */
  readonly #datagrams = new Map<string, { waiting: number; turn: Promise<unknown> }>();
  readonly #busy = new Set<Promise<unknown>>();
  #server: Server | null = null;
  #udp: UdpSocket | null = null;
  #cancelIdle: () => void = () => {};

  constructor(options: Dc09ListenerOptions) {
    this.#o = options;
  }

  /** The ports that are open; throws when one cannot be. TCP and UDP have the same number, also when any will do. */
  async start(): Promise<{ tcp: number | null; udp: number | null }> {
    const { port, transports, clock, idleMs = 900_000 } = this.#o;
    for (let tries = 1; ; tries++) {
      try {
        const tcp = transports.includes('tcp') ? await this.#listen(port) : null;
        const udp = transports.includes('udp') ? await this.#bind(tcp ?? port) : null;
        this.#cancelIdle = clock.every(Math.min(idleMs / 2, 60_000), () => {
          for (const [socket, at] of this.#sockets) if (clock.mono() - at > idleMs) socket.destroy();
        });
        return { tcp, udp };
      } catch (error) {
        await this.stop();
        // Any port will do, but the one that TCP got is taken over UDP.
        if (port !== 0 || tries === MAX_PORT_TRIES) throw error;
      }
    }
  }

  /** Lets what was being kept get its answer. */
  async stop(): Promise<void> {
    this.#cancelIdle();
    const server = this.#server;
    this.#server = null;
    const closed = server?.listening ? once(server, 'close') : null;
    server?.close();
    const enough = new AbortController();
    await Promise.race([Promise.allSettled(this.#busy), this.#o.clock.sleep(LAST_WORDS_MS, enough.signal)]);
    enough.abort();
    this.#busy.clear();
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
    const udp = this.#udp;
    this.#udp = null;
    if (udp) await new Promise<void>((resolve) => udp.close(resolve));
  }

  /** The reply to one frame, LF to CR; null: none. For frames that came another way, too. */
  async answer(frame: Buffer, peer: Dc09Peer): Promise<Buffer | null> {
    const { clock, log } = this.#o;
    const opened = openDc09(frame);
    const binaryCrc = opened.ok ? opened.binaryCrc : frame[3] === 0x30 && frame[7] === 0x22 && frame[9] !== 0x22;
    const nak = (code: Dc09Problem['code'] | null, account: string | null = null): Buffer => {
      if (code) this.#o.problem?.({ peer, account, code });
      return replyDc09({ id: 'NAK' }, clock.now(), { binaryCrc });
    };
    if (!opened.ok) return nak(opened.code);
    const { header, prefix } = opened;
    const { id, account } = header;
    // Replies get none: two receivers that answer each other would never end.
    if (['ACK', 'NAK', 'DUH', 'RSP'].includes(id)) return null;
    const duh = () => replyDc09({ id: 'DUH', prefix }, clock.now(), { binaryCrc });
    try {
      const known = account === null ? null : await this.#o.known(account, peer);
      if (!known) return nak('unknown-account', account);
      if (known.key && !header.encrypted) {
        this.#o.problem?.({ peer, account, code: 'plain-refused' });
        return duh();
      }
      const decoded = decodeDc09(frame, known.key);
      if (!decoded.ok) return nak(decoded.code, account);
      const { message } = decoded;
      const zoneMs = timeZone(message.timestamp, clock.now(), known.localTime === true);
      if (zoneMs === null) return nak('time', account);
      const content = id === 'NULL' ? null : parseDc09Content(message, zoneMs);
      if (content?.length === 0) {
        this.#o.problem?.({ peer, account, code: 'format' });
        return duh();
      }
      const answer = await this.#o.received({ message, content, peer, raw: frame });
      if (answer === 'none') return null;
      if (answer === 'nak') return nak(null);
      if (answer === 'duh') return duh();
      return replyDc09({ id: 'ACK', prefix, key: known.key }, clock.now(), { binaryCrc });
    } catch (error) {
      log.error({ err: error, account, peer: peer.address }, 'an alarm message was not kept, and gets no answer');
      return null;
    }
  }

  async #listen(port: number): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) =>
      this.#connected(socket),
    );
    this.#server = server;
    server.listen(port, this.#o.host);
    await once(server, 'listening');
    server.on('error', (error) => this.#o.log.warn({ err: error }, 'DC-09 over TCP'));
    return (server.address() as AddressInfo).port;
  }

  #connected(socket: Socket): void {
    const { clock, maxConnections = 512 } = this.#o;
    if (this.#sockets.size >= maxConnections) {
      const [oldest] = [...this.#sockets].sort((a, b) => a[1] - b[1])[0]!;
      oldest.destroy();
    }
    this.#sockets.set(socket, clock.mono());
    const peer: Dc09Peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0, transport: 'tcp' };
    const stream = new Dc09Stream();
    let turn: Promise<unknown> = Promise.resolve();
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      this.#sockets.set(socket, clock.mono());
      const frames = stream.push(chunk);
      if (!frames.length) return;
      // Nothing more is read until these have their answers.
      socket.pause();
      turn = this.#inTurn(turn, async () => {
        for (const frame of frames) {
          const reply = await this.answer(frame, peer);
          if (reply && socket.writable) socket.write(reply);
        }
        socket.resume();
      });
    });
    // Whoever has said all still gets the answers.
    socket.on('end', () => this.#inTurn(turn, async () => socket.end()));
  }

  async #bind(port: number): Promise<number> {
    const udp = createSocket({ type: this.#o.host.includes(':') ? 'udp6' : 'udp4' });
    this.#udp = udp;
    udp.bind(port, this.#o.host);
    await once(udp, 'listening');
    udp.on('error', (error) => this.#o.log.warn({ err: error }, 'DC-09 over UDP'));
    udp.on('message', (datagram, from) => this.#datagram(datagram, from));
    return udp.address().port;
  }

  #datagram(datagram: Buffer, from: RemoteInfo): void {
    const peer: Dc09Peer = { address: from.address, port: from.port, transport: 'udp' };
    const key = `${from.address} ${from.port}`;
    const frames = new Dc09Stream().push(datagram);
    // What is no frame at all gets no answer: its source may be forged.
    if (!frames.length) {
      this.#o.problem?.({ peer, account: null, code: 'format' });
      return;
    }
    const now = this.#datagrams.get(key) ?? { waiting: 0, turn: Promise.resolve() };
    if (now.waiting >= MAX_WAITING || (now.waiting === 0 && this.#datagrams.size >= MAX_UDP_PEERS)) return;
    now.waiting++;
    this.#datagrams.set(key, now);
    now.turn = this.#inTurn(now.turn, async () => {
      for (const frame of frames) {
        const reply = await this.answer(frame, peer);
        if (reply) this.#udp?.send(reply, from.port, from.address);
      }
      if (--now.waiting === 0) this.#datagrams.delete(key);
    });
  }

  #inTurn(before: Promise<unknown>, work: () => Promise<unknown>): Promise<unknown> {
    const done = before.then(work).catch((error) => this.#o.log.error({ err: error }, 'DC-09'));
    this.#busy.add(done);
    void done.finally(() => this.#busy.delete(done));
    return done;
  }
}

/** By how much the sender's clock is ahead for its time zone; null: the time is out of the window. */
function timeZone(sentMs: number | null, nowMs: number, localTime: boolean): number | null {
  if (sentMs === null) return 0;
  const aheadMs = sentMs - nowMs;
  const zoneMs = localTime ? Math.round(aheadMs / QUARTER_HOUR_MS) * QUARTER_HOUR_MS : 0;
  if (Math.abs(zoneMs) > MAX_ZONE_MS) return null;
  const offMs = aheadMs - zoneMs;
  return offMs <= MAX_AHEAD_MS && offMs >= -MAX_BEHIND_MS ? zoneMs : null;
}
