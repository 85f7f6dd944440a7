import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import { type CapOptions, InFlightCap } from './cap.ts';
import { Channel, type ChannelOwner } from './channel.ts';
import { TunnelError, type TunnelErrorCode } from './errors.ts';
import type { Framing, FramingSink } from './framing.ts';
import {
  CREDIT_WINDOW_BYTES,
  dataHeader,
  encode,
  HEADER_BYTES,
  MAX_CHANNELS,
  MAX_PAYLOAD_BYTES,
  MessageDecoder,
  type MessageSink,
  protocolError,
  type TrafficClass,
  TYPE,
} from './messages.ts';
import { Pulse } from './pulse.ts';
import { Receipts } from './receipts.ts';
import { Scheduler } from './scheduler.ts';

/** An empty pipe is made this often while the cap is the limit, because only it shows the true round trip. */
const DRAIN_EVERY_MS = 5000;
const GOODBYE_MS = 1000;
/** One write to the connection. */
const BATCH_BYTES = 256 * 1024;
const QUANTUM_BYTES = 4096;
/** A peer that acknowledges or pings without reading makes us hold bytes: more than this ends the connection. */
const MAX_BACKLOG_BYTES = 32 * 1024 * 1024;

export interface TransportArguments {
  /** The open connection, after the upgrade. */
  socket: Duplex;
  framing: Framing;
  /** The box dials and pings; the relay opens channels. */
  role: 'box' | 'relay';
  clock: Clock;
  cap?: Partial<CapOptions>;
  /** Box: the relay opened a channel. */
  onChannel?: (channel: Channel) => void;
  /** Once: the connection is over; every channel has been destroyed with this error. */
  onClose: (error: TunnelError) => void;
  onRtt?: (ms: number, minRttMs: number) => void;
  onRestart?: (afterMs: number, spreadMs: number) => void;
}

/**
 * The thin transport of messages.ts over one connection. `start(head)` begins to read; `close(code, text)` says goodbye;
 * `onClose` tells the end, whatever it was.
 */
export class Transport {
  readonly #a: TransportArguments;
  readonly #clock: Clock;
  readonly #socket: Duplex;
  readonly #decoder: MessageDecoder;
  readonly #framingSink: FramingSink;
  readonly #owner: ChannelOwner;
  readonly #cap: InFlightCap;
  readonly #channels = new Map<number, Channel>();
  #lastChannel = 0;
  /** Set when the end has begun; nothing is read or sent after that. */
  #ended: TunnelError | null = null;

  #control: Buffer[] = [];
  #flushAsked = false;
  #sent = 0;
  #acknowledged = 0;
  #limited = false;
  readonly #scheduler = new Scheduler();

  readonly #receipts: Receipts;
  readonly #pulse: Pulse;
  /** Holding back until the pipe is empty. */
  #draining = false;

  constructor(args: TransportArguments) {
    this.#a = args;
    this.#clock = args.clock;
    this.#socket = args.socket;
    this.#cap = new InFlightCap(args.cap);
    this.#decoder = new MessageDecoder(this.#sink());
    this.#receipts = new Receipts(args.clock, () => this.#flushSoon());
    this.#pulse = new Pulse({
      clock: args.clock,
      pings: args.role === 'box',
      ping: () => this.#ping(),
      dead: (ms) => this.#end(new TunnelError('dead-peer', `Nothing came back for ${Math.round(ms / 1000)} s`)),
    });
    this.#framingSink = {
      payload: (bytes) => this.#decoder.push(bytes),
      reply: (bytes) => this.#socket.write(bytes),
      closed: (code, reason) =>
        this.#end(new TunnelError('connection-lost', `WebSocket closed: ${code} ${reason}`.trim())),
    };
    this.#owner = {
      wake: () => this.#flushSoon(),
      consumed: (channel, bytes) => this.#consumed(channel, bytes),
      end: (channel) => {
        this.#send(encode.end(channel.id));
        this.#forgetIfFinished(channel);
      },
      reset: (channel, reason) => {
        this.#send(encode.reset(channel.id, reason));
        this.#forgetIfFinished(channel);
      },
    };
  }

  /** `head`: bytes that came together with the upgrade. */
  start(head?: Buffer): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (cause: Error) =>
      this.#end(new TunnelError('connection-lost', `The connection broke: ${cause.message}`, { cause })),
    );
    const lost = () => this.#end(new TunnelError('connection-lost', 'The connection was closed without a goodbye'));
    socket.on('end', lost);
    socket.on('close', lost);
    this.#pulse.start();
    if (head && head.length > 0) this.#receive(head);
  }

  /** Bytes sent and not yet acknowledged; at most the cap and one quantum of urgent bytes. */
  get inFlight(): number {
    return this.#sent - this.#acknowledged;
  }
  get capBytes(): number {
    return this.#cap.bytes;
  }
  get bytesSent(): number {
    return this.#sent;
  }
  get bytesReceived(): number {
    return this.#receipts.received;
  }
  get ended(): TunnelError | null {
    return this.#ended;
  }

  /** Relay: opens a channel of this class. @throws TunnelError busy when all are in use, or why the connection ended. */
  open(trafficClass: TrafficClass): Channel {
    if (this.#ended) throw this.#ended;
    if (this.#channels.size >= MAX_CHANNELS) throw new TunnelError('busy', `All ${MAX_CHANNELS} channels are in use`);
    do this.#lastChannel = (this.#lastChannel % 255) + 1;
    while (this.#channels.has(this.#lastChannel));
    const channel = this.#add(this.#lastChannel, trafficClass);
    this.#send(encode.open(channel.id, trafficClass));
    return channel;
  }

  /** Box: asks for a round-trip sample every `ms`; at most every 5 s. */
  pingEvery(ms: number): void {
    this.#pulse.every(ms);
  }

  announceRestart(afterMs: number, spreadMs: number): void {
    this.#send(encode.restart(afterMs, spreadMs));
  }

  /** Says goodbye and ends the connection; channels are destroyed at once. */
  close(code: TunnelErrorCode, text: string): void {
    this.#end(new TunnelError(code, text), true);
  }

  // Sending.

  #send(message: Buffer): void {
    if (this.#ended) return;
    this.#control.push(message);
    this.#flushSoon();
  }

  /** At the end of the current turn, so that what several channels and acknowledgements have to say goes in one write. */
  #flushSoon(): void {
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    process.nextTick(() => {
      this.#flushAsked = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#ended) {
      const out = this.#control;
      this.#control = [];
      const ack = this.#receipts.takeAck();
      if (ack) out.push(ack);
      let bytes = 0;
      for (const b of out) bytes += b.length;
      bytes += this.#takeData(out);
      if (bytes === 0) return;
      this.#write(out, bytes);
    }
  }

  /** Moves what the cap allows, up to one batch, to `out`; returns the bytes. */
  #takeData(out: Buffer[]): number {
    let total = 0;
    let header: Buffer | null = null;
    while (total < BATCH_BYTES) {
      const channel = this.#scheduler.next(this.#channels.values());
      if (!channel) break;
      const cap = this.#cap.bytes;
      const urgent = channel.trafficClass === 'urgent';
      const quantum = Math.min(MAX_PAYLOAD_BYTES, Math.max(QUANTUM_BYTES, cap >> 5));
      const n = Math.min(channel.queued, channel.credit, quantum);
      const inFlight = this.inFlight;
      // Urgent bytes wait neither for an acknowledgement (one quantum over the cap) nor for a round-trip sample.
      if (urgent) this.#draining = false;
      if (this.#draining || (inFlight > 0 && inFlight + n > (urgent ? cap + QUANTUM_BYTES : cap))) {
        this.#limited = true;
        break;
      }
      if (inFlight === 0) total += this.#resume(out);
      header = dataHeader(channel.id, n);
      out.push(header);
      this.#scheduler.charge(channel, n);
      this.#sent += n;
      channel.takeOut(n, out);
      total += HEADER_BYTES + n;
    }
    // Nothing else waits: the other side need not either.
    if (header && !this.#scheduler.next(this.#channels.values())) header[0] = TYPE.dataPush;
    return total;
  }

  /** The pipe is empty: the moment for a round-trip sample without a queue of our own. Returns the bytes added. */
  #resume(out: Buffer[]): number {
    const now = this.#clock.mono();
    this.#cap.resume(now);
    if (now - this.#cap.lastEmptyRttAt < 1000 || now - this.#pulse.lastPingAt < 100) return 0;
    const ping = encode.ping(this.#pulse.note(true));
    out.push(ping);
    return ping.length;
  }

  #write(buffers: Buffer[], bytes: number): void {
    const socket = this.#socket;
    const head = this.#a.framing.header(bytes);
    socket.cork();
    if (head) socket.write(head);
    for (const b of buffers) socket.write(b);
    socket.uncork();
  }

  // Receiving.

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    if (this.#a.role === 'relay') this.#pulse.alive();
    try {
      this.#a.framing.receive(chunk, this.#framingSink);
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error;
      this.#end(error, true);
      return;
    }
    this.#receipts.settle();
    if (this.#socket.writableLength > MAX_BACKLOG_BYTES) {
      this.#end(new TunnelError('dead-peer', `The other side has not read ${this.#socket.writableLength} bytes`));
    }
  }

  #sink(): MessageSink {
    return {
      open: (id, trafficClass) => {
        if (this.#a.role === 'relay') throw protocolError('the box opened a channel');
        if (this.#channels.has(id)) throw protocolError(`channel ${id} opened twice`);
        if (this.#channels.size >= MAX_CHANNELS) throw protocolError(`more than ${MAX_CHANNELS} channels`);
        this.#a.onChannel?.(this.#add(id, trafficClass));
      },
      data: (id, bytes, push) => {
        this.#receipts.received += bytes.length;
        if (push) this.#receipts.want();
        this.#known(id).receive(bytes);
      },
      end: (id) => {
        const channel = this.#known(id);
        channel.receiveEnd();
        this.#forgetIfFinished(channel);
      },
      reset: (id, reason) => {
        const channel = this.#channels.get(id);
        channel?.fail(new TunnelError('channel-reset', `The other side cut the channel: ${reason}`));
        if (channel) this.#forgetIfFinished(channel);
      },
      credit: (id, bytes) => {
        const channel = this.#channels.get(id);
        if (!channel) return;
        channel.credit += bytes;
        if (channel.credit > CREDIT_WINDOW_BYTES) throw protocolError(`credit beyond the window of channel ${id}`);
        this.#flushSoon();
      },
      ack: (total) => this.#acked(total),
      ping: (id) => {
        this.#receipts.want();
        this.#send(encode.pong(id));
      },
      pong: (id) => this.#ponged(id),
      restart: (afterMs, spreadMs) => {
        if (this.#a.role === 'relay') throw protocolError('the box announced a restart');
        this.#a.onRestart?.(afterMs, spreadMs);
      },
      bye: (code, reason) => this.#end(new TunnelError(code, reason)),
    };
  }

  #acked(total: number): void {
    const bytes = total - this.#acknowledged;
    if (bytes < 0 || total > this.#sent) throw protocolError(`acknowledged ${total} of ${this.#sent} bytes`);
    this.#acknowledged = total;
    const now = this.#clock.mono();
    if (this.#a.role === 'box') this.#pulse.alive();
    this.#cap.acked(bytes, this.#limited, now);
    if (this.#draining) {
      if (this.inFlight === 0) this.#ping();
    } else if (this.#limited && now - this.#cap.lastEmptyRttAt > DRAIN_EVERY_MS) {
      // This ping asks for the acknowledgement of all that is on its way; the one after it, through an empty pipe, counts.
      this.#draining = true;
      this.#ping();
    }
    this.#limited = false;
    this.#flushSoon();
  }

  #consumed(channel: Channel, bytes: number): void {
    if (channel.inEnded) return;
    const credit = this.#receipts.read(channel.id, bytes);
    if (credit) this.#send(credit);
  }

  #add(id: number, trafficClass: TrafficClass): Channel {
    const channel = new Channel(this.#owner, id, trafficClass);
    this.#channels.set(id, channel);
    this.#receipts.forget(id);
    return channel;
  }

  #known(id: number): Channel {
    const channel = this.#channels.get(id);
    if (!channel) throw protocolError(`unknown channel ${id}`);
    return channel;
  }

  #forgetIfFinished(channel: Channel): void {
    if (channel.finished && this.#channels.get(channel.id) === channel) this.#channels.delete(channel.id);
  }

  #ping(): void {
    this.#send(encode.ping(this.#pulse.note(this.inFlight === 0)));
  }

  #ponged(id: number): void {
    const rtt = this.#pulse.answered(id);
    if (!rtt) return;
    if (this.#a.role === 'box') this.#pulse.alive();
    if (rtt.empty) {
      this.#cap.emptyRtt(rtt.ms, this.#clock.mono());
      this.#draining = false;
      this.#flushSoon();
    }
    this.#a.onRtt?.(rtt.ms, rtt.minMs);
  }

  /** `polite`: the other side still listens and is told why. */
  #end(error: TunnelError, polite = false): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#pulse.stop();
    this.#receipts.stop();
    const socket = this.#socket;
    if (polite && !socket.destroyed) {
      const last = Buffer.concat([...this.#control, encode.bye(error.code, error.message)]);
      this.#write([last], last.length);
      const closing = this.#a.framing.closing();
      socket.end(closing ?? undefined);
      // What still comes is read and dropped, or the end would turn into a reset that overtakes the goodbye.
      const cancel = this.#clock.after(GOODBYE_MS, () => socket.destroy());
      socket.once('close', cancel);
    } else {
      socket.destroy();
    }
    for (const channel of this.#channels.values()) channel.fail(error);
    this.#channels.clear();
    this.#control = [];
    this.#a.onClose(error);
  }
}
