import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { type Dc09Message, decodeDc09, openDc09, replyDc09 } from '../codec/dc09.ts';
import type { Dc09Content } from '../codec/dc09-content.ts';
import { parseDc09Content } from '../codec/dc09-parse.ts';
import { Dc09Stream } from '../codec/dc09-stream.ts';
import { Connections } from './connections.ts';
import { Refusals } from './refusals.ts';
import { Zones } from './zones.ts';

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

export interface Dc09Received<K extends Dc09Known = Dc09Known> {
  message: Dc09Message;
  /** What `known` said of the account. */
  known: K;
  /** Never empty; null: link supervision (NULL). */
  content: Dc09Content | null;
  peer: Dc09Peer;
  /** As it came; kept or shown only through `printDc09`, which masks keys. */
  raw: Buffer;
}

export interface Dc09Problem {
  peer: Dc09Peer;
  account: string | null;
  /** `account`: the data of an encrypted message names another account than its header. */
  code: 'format' | 'length' | 'crc' | 'key' | 'unknown-account' | 'account' | 'time' | 'plain-refused';
}

export interface Dc09ListenerOptions<K extends Dc09Known = Dc09Known> {
  host: string;
  /** 0: any. */
  port: number;
  transports: ('tcp' | 'udp')[];
  clock: Clock;
  log: Logger;
  /** What is known of an account number (leading zeros significant); null: nothing. */
  known(account: string, peer: Dc09Peer): K | null | Promise<K | null>;
  /** Resolves when the message is on disk: only then it may say `ack`. */
  received(received: Dc09Received<K>): Promise<Dc09Answer>;
  problem?(problem: Dc09Problem): void;
  /** Over TCP; one more makes the one that was silent longest go, of those first from which nothing was ever taken. */
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
/** Datagrams of one source that wait for their turn; more are dropped. */
const MAX_WAITING = 64;
/** … and of all sources. */
const MAX_UDP_WAITING = 4096;
/** Refusals in a row on one connection: then it is closed. */
const MAX_REFUSED = 8;
/** What comes from an address with too many refusals on a connection without any message taken waits this long, … */
const SLOWLY_MS = 500;
/** … and it has no more such connections than these. */
const MAX_UNPROVEN = 16;
/** Replies that nobody reads are waited for so long; nothing is read meanwhile. */
const UNREAD_MS = 10_000;
const UNKEPT_LOG_MS = 10_000;
const MAX_PORT_TRIES = 5;
/** How long what is being kept may take when the listener stops. */
const LAST_WORDS_MS = 2_000;

/**
 * The receiving end of DC-09 over TCP and UDP on one port: checks, decrypts, hands the content over and acknowledges what
 * was kept. Frames of one peer are answered one by one and in order. Never acknowledges what it could not read, or what
 * `received` did not say `ack` to.
 */
export class Dc09Listener<K extends Dc09Known = Dc09Known> {
  readonly #o: Dc09ListenerOptions<K>;
  readonly #connections: Connections;
  /** By transport: the source of a datagram may be forged, and must not slow down who really is there. */
  readonly #refusals: Record<'tcp' | 'udp', Refusals>;
  /** What each source of datagrams still waits for. */
  readonly #datagrams = new Map<string, { waiting: number; turn: Promise<unknown> }>();
  readonly #zones: Zones;
  #udpWaiting = 0;
  #unkept = { at: Number.NEGATIVE_INFINITY, count: 0 };
  readonly #busy = new Set<Promise<unknown>>();
  #server: Server | null = null;
  #udp: UdpSocket | null = null;
  #cancelIdle: () => void = () => {};

  constructor(options: Dc09ListenerOptions<K>) {
    this.#o = options;
    const { clock } = options;
    this.#connections = new Connections({ clock, max: options.maxConnections ?? 512 });
    this.#zones = new Zones({ clock });
    this.#refusals = { tcp: new Refusals({ clock }), udp: new Refusals({ clock }) };
  }

  /** The ports that are open; throws when one cannot be. TCP and UDP have the same number, also when any will do. */
  async start(): Promise<{ tcp: number | null; udp: number | null }> {
    const { port, transports, clock, idleMs = 900_000 } = this.#o;
    for (let tries = 1; ; tries++) {
      try {
        const tcp = transports.includes('tcp') ? await this.#listen(port) : null;
        const udp = transports.includes('udp') ? await this.#bind(tcp ?? port) : null;
        this.#cancelIdle = clock.every(Math.min(idleMs / 2, 60_000), () => this.#connections.closeIdle(idleMs));
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
    this.#connections.closeAll();
    await closed;
    const udp = this.#udp;
    this.#udp = null;
    if (udp) await new Promise<void>((resolve) => udp.close(resolve));
  }

  /** The reply to one frame, LF to CR; null: none. For frames that came another way, too. */
  async answer(frame: Buffer, peer: Dc09Peer): Promise<Buffer | null> {
    return (await this.#judge(frame, peer)).reply;
  }

  async #judge(frame: Buffer, peer: Dc09Peer): Promise<Judged> {
    const { clock } = this.#o;
    const opened = openDc09(frame);
    const binaryCrc = opened.ok ? opened.binaryCrc : frame[3] === 0x30 && frame[7] === 0x22 && frame[9] !== 0x22;
    const nak = (code: Dc09Problem['code'] | null, account: string | null = null): Judged => {
      if (code) this.#o.problem?.({ peer, account, code });
      return { reply: replyDc09({ id: 'NAK' }, clock.now(), { binaryCrc }), refused: code !== null };
    };
    if (!opened.ok) {
      const judged = nak(opened.code);
      // The source of a datagram may be forged: whoever sends no DC-09 gets none sent.
      return peer.transport === 'udp' ? { ...judged, reply: null } : judged;
    }
    const { header, prefix } = opened;
    const { id, account } = header;
    // Replies get none: two receivers that answer each other would never end.
    if (['ACK', 'NAK', 'DUH', 'RSP'].includes(id)) return { reply: null, refused: true };
    const duh = (code: Dc09Problem['code'] | null): Judged => {
      if (code) this.#o.problem?.({ peer, account, code });
      return { reply: replyDc09({ id: 'DUH', prefix }, clock.now(), { binaryCrc }), refused: code !== null };
    };
    try {
      const known = account === null ? null : await this.#o.known(account, peer);
      if (!known || account === null) return nak('unknown-account', account);
      if (known.key && !header.encrypted) return duh('plain-refused');
      const decoded = decodeDc09(frame, known.key);
      if (!decoded.ok) return nak(decoded.code, account);
      const { message } = decoded;
      const zoneMs = timeZone(message.timestamp, clock.now(), known.localTime === true);
      if (zoneMs === null) return nak('time', account);
      // In clear anybody could write any time.
      const pinned = known.localTime === true && message.encrypted;
      if (pinned && !this.#zones.fits(account, zoneMs)) return nak('time', account);
      if (message.encrypted && namesAnother(message.data, account)) return nak('account', account);
      if (!fitForPrint(message) || (id === 'NULL' && message.encrypted && !isSupervision(message)))
        return duh('format');
      const content = id === 'NULL' ? null : parseDc09Content(message, zoneMs);
      if (content?.length === 0) return duh('format');
      const answer = await this.#o.received({ message, known, content, peer, raw: frame });
      if (answer === 'none') return { reply: null, refused: false };
      if (answer === 'nak') return nak(null);
      if (answer === 'duh') return duh(null);
      if (pinned) this.#zones.learn(account, zoneMs);
      const reply = replyDc09({ id: 'ACK', prefix, key: known.key }, clock.now(), { binaryCrc });
      return { reply, refused: false, taken: true };
    } catch (error) {
      this.#logUnkept(error, account, peer);
      return { reply: null, refused: false };
    }
  }

  /** Now and then only: a full disk has every message told by its sender, again and again. */
  #logUnkept(error: unknown, account: string | null, peer: Dc09Peer): void {
    const { clock, log } = this.#o;
    this.#unkept.count++;
    if (clock.mono() - this.#unkept.at < UNKEPT_LOG_MS) return;
    const messages = this.#unkept.count;
    this.#unkept = { at: clock.mono(), count: 0 };
    log.error(
      { err: error, account, peer: peer.address, messages },
      'an alarm message was not kept, and gets no answer',
    );
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
    const peer: Dc09Peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0, transport: 'tcp' };
    const connections = this.#connections;
    if (this.#refusals.tcp.spent(peer.address) && connections.unproven(peer.address) >= MAX_UNPROVEN) {
      socket.destroy();
      return;
    }
    connections.add(socket, peer.address);
    const stream = new Dc09Stream();
    let turn: Promise<unknown> = Promise.resolve();
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      connections.heard(socket);
      const frames = stream.push(chunk);
      if (!frames.length) return;
      // Nothing more is read until these have their answers.
      socket.pause();
      turn = this.#inTurn(turn, () => this.#serve(socket, peer, frames));
    });
    // Whoever has said all still gets the answers.
    socket.on('end', () => this.#inTurn(turn, async () => socket.end()));
  }

  /** Frames of one connection, one by one; others get their turn in between. */
  async #serve(socket: Socket, peer: Dc09Peer, frames: Buffer[]): Promise<void> {
    const refusals = this.#refusals.tcp;
    for (const frame of frames) {
      const slowly = !this.#connections.proven(socket) && refusals.spent(peer.address);
      if (slowly) await this.#o.clock.sleep(SLOWLY_MS);
      else await nextTurn();
      if (socket.destroyed) return;
      const { reply, refused, taken } = await this.#judge(frame, peer);
      if (reply && socket.writable && !socket.write(reply)) await this.#drained(socket);
      if (taken) this.#connections.taken(socket);
      if (!refused) continue;
      refusals.add(peer.address);
      if (this.#connections.refused(socket) < (slowly ? 1 : MAX_REFUSED)) continue;
      // What was said last still goes out; what it sends now is not read any more.
      socket.end(() => socket.destroy());
      return;
    }
    socket.resume();
  }

  /** Whoever does not read its answers is not read either, and goes when that lasts. */
  async #drained(socket: Socket): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        cancel();
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      const cancel = this.#o.clock.after(UNREAD_MS, () => socket.destroy());
      socket.once('drain', done);
      socket.once('close', done);
      if (socket.destroyed || !socket.writableNeedDrain) done();
    });
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
    // One to a datagram, and what is no frame at all gets no answer: its source may be forged.
    const [frame] = new Dc09Stream().push(datagram);
    if (!frame) {
      this.#o.problem?.({ peer, account: null, code: 'format' });
      return;
    }
    const now = this.#datagrams.get(key) ?? { waiting: 0, turn: Promise.resolve() };
    if (now.waiting >= MAX_WAITING || this.#udpWaiting >= MAX_UDP_WAITING) return;
    now.waiting++;
    this.#udpWaiting++;
    this.#datagrams.set(key, now);
    now.turn = this.#inTurn(now.turn, async () => {
      await nextTurn();
      const { reply, refused } = await this.#judge(frame, peer).finally(() => {
        this.#udpWaiting--;
        if (--now.waiting === 0) this.#datagrams.delete(key);
      });
      const quiet = refused && this.#refusals.udp.spent(peer.address);
      if (refused) this.#refusals.udp.add(peer.address);
      if (reply && !quiet) this.#udp?.send(reply, from.port, from.address);
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

interface Judged {
  reply: Buffer | null;
  /** It is not what a sender that is set up here sends. */
  refused: boolean;
  /** It was kept. */
  taken?: boolean;
}

/** Nothing authenticates the header of an encrypted message; the account in its data, where given, is bound to the key. */
function namesAnother(data: string, account: string): boolean {
  const named = /^\s*#([0-9a-f]{1,16})(?:\||$)/i.exec(data)?.[1]?.toUpperCase();
  return named !== undefined && !/^0+$/.test(named) && named !== account;
}

/** What outputs could not hand on, and nobody could read. */
const fitForPrint = ({ data, xdata }: Dc09Message): boolean =>
  ![data, ...xdata].some((text) => /[^ -~\x80-\xff]/.test(text));

/**
 * Empty, or as a Hikvision panel has it. An alarm whose header somebody on the way changed to NULL is none: acknowledged as
 * supervision it would be lost.
 */
const isSupervision = ({ data, xdata }: Dc09Message): boolean =>
  xdata.length === 0 && /^\s*(?:#[0-9a-f]{1,16}(?:\|(?:0000 00 000)?)?)?\s*$/i.test(data);
