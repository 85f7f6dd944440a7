import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';
import type { AudioCodec, AudioFrame } from '../video/audio.ts';
import type { ChannelSource, Consumer } from '../video/channel-source.ts';
import type { CodecInfo } from '../video/codec.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { header, type RtspMessage, RtspReader } from '../video/rtsp-message.ts';
import { describe, soundType, VIDEO_TYPE } from './description.ts';
import { DigestLogin } from './digest.ts';
import { aacParts, pictureParts, RtpWriter } from './packetizer.ts';
import { Track, type Way } from './track.ts';
import { UdpPair } from './udp-pair.ts';

export type Restreamed = Pick<ChannelSource, 'ring' | 'acquire' | 'codec' | 'sound'>;

export interface ViewerOptions {
  socket: Socket;
  login: { username: string; password: string };
  /** The stream behind a path, without its track; null: there is none. */
  find: (path: string) => { name: string; source: Restreamed } | null;
  /** Takes a viewer's place; false: all are taken. */
  admit: () => boolean;
  clock: Clock;
}

const METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN';
const TIMEOUT_S = 60;
/** Until it has logged in. */
const LOGIN_MS = 10_000;
/** A camera that is not pulled yet answers and sends a key frame in this time. */
const FIRST_PICTURE_MS = 12_000;
/** What the viewer's connection has not taken. Above it pictures are left out up to a key frame. */
const FULL_BYTES = 4 * 1024 * 1024;
const LOW_BYTES = 256 * 1024;
const STUCK_MS = 15_000;
const STATUS: Record<number, string> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  461: 'Unsupported Transport',
  503: 'Service Unavailable',
};

/** One connection of a viewer on the LAN (RFC 2326): one stream, its pictures and its sound. */
export class Viewer implements Consumer {
  readonly preRollMs = 0;
  readonly #o: ViewerOptions;
  readonly #login: DigestLogin;
  readonly #session = randomBytes(8).toString('hex');
  readonly #reader: RtspReader;
  readonly #tracks: (Track | undefined)[] = [];
  #loggedIn = false;
  #path: string | null = null;
  #source: Restreamed | null = null;
  #release: (() => void) | null = null;
  #codec: CodecInfo | null = null;
  #sound: AudioCodec | null = null;
  #onPicture: () => void = () => {};
  #playing = false;
  #needKey = true;
  #stuckSinceMs: number | null = null;
  #heardMs: number;
  /** Requests are answered one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  readonly #cancels: (() => void)[] = [];
  #closed = false;

  constructor(options: ViewerOptions) {
    this.#o = options;
    this.#login = new DigestLogin(options.login);
    this.#heardMs = options.clock.mono();
    this.#reader = new RtspReader({ frame: () => {}, message: (message) => this.#take(message) });
  }

  start(): void {
    const { socket, clock } = this.#o;
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.close());
    socket.on('data', (chunk) => {
      this.#heardMs = clock.mono();
      this.#reader.push(chunk);
    });
    this.#cancels.push(
      clock.after(LOGIN_MS, () => !this.#loggedIn && this.close()),
      clock.every(5_000, () => this.#watch()),
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.stop();
    for (const cancel of this.#cancels) cancel();
    this.#release?.();
    this.#onPicture();
    for (const track of this.#tracks) track?.close();
    this.#o.socket.destroy();
  }

  accessUnit(unit: AccessUnit): void {
    if (this.#codec === null) {
      this.#codec = unit.codec;
      this.#onPicture();
    }
    const track = this.#tracks[0];
    if (!this.#playing || !track) return;
    // What was described is another thing: the viewer asks anew.
    if (unit.codec.kind !== this.#codec.kind) {
      this.close();
      return;
    }
    if (this.#full(track.way)) this.#needKey = true;
    if (this.#needKey && (!unit.keyFrame || this.#full(track.way, LOW_BYTES))) return;
    this.#needKey = false;
    const presented = { ...unit, time: unit.time + unit.compositionOffset };
    this.#send(track, pictureParts(unit.codec.kind, unit.data), presented, true);
  }

  audio(frame: AudioFrame): void {
    const track = this.#tracks[1];
    if (!this.#playing || !track || frame.codec.kind !== this.#sound?.kind || this.#full(track.way)) return;
    const aac = frame.codec.kind === 'aac';
    this.#send(track, aac ? aacParts(frame.data) : [[frame.data]], frame, aac);
  }

  /** The stream goes on by itself. */
  lost(): void {
    this.#needKey = true;
  }

  #send(
    track: Track,
    payloads: Buffer[][],
    at: { time: number; epoch: number; monoMs: number; wallMs: number },
    mark: boolean,
  ): void {
    const timestamp = track.timestamp(at);
    const { way } = track;
    const room = 'channel' in way ? 4 : 0;
    const packets = payloads.map((parts, i) =>
      track.rtp.packet(parts, timestamp, mark && i === payloads.length - 1, room),
    );
    const report = track.report(at, timestamp);
    if ('udp' in way) {
      for (const packet of packets) way.udp.send(packet);
      if (report) way.udp.report(report);
      return;
    }
    const frames = packets.map((packet) => framed(packet, way.channel));
    if (report) frames.push(framed(Buffer.concat([Buffer.alloc(4), report]), way.channel + 1));
    // One system call, without a further copy of the picture.
    this.#o.socket.cork();
    for (const frame of frames) this.#o.socket.write(frame);
    this.#o.socket.uncork();
  }

  #full(way: Way, bytes = FULL_BYTES): boolean {
    return 'channel' in way && this.#o.socket.writableLength > bytes;
  }

  #watch(): void {
    const now = this.#o.clock.mono();
    const stuck = this.#o.socket.writableLength > LOW_BYTES;
    this.#stuckSinceMs = stuck ? (this.#stuckSinceMs ?? now) : null;
    // Over TCP it is there as long as it reads; over UDP it must be heard of. Who only describes has no session.
    const silent = now - this.#heardMs > TIMEOUT_S * 1000;
    const reading = this.#playing && this.#tracks.some((t) => t && 'channel' in t.way);
    if ((silent && !reading) || (stuck && now - this.#stuckSinceMs! > STUCK_MS)) this.close();
  }

  #take(message: RtspMessage): void {
    if (message.method === null) return;
    if (++this.#waiting > 16) {
      this.close();
      return;
    }
    this.#turn = this.#turn
      .then(async () => {
        this.#waiting--;
        if (!this.#closed) await this.#request(message);
      })
      // One odd viewer must not take the box with it.
      .catch(() => this.close());
  }

  async #request(message: RtspMessage): Promise<void> {
    const method = message.method!;
    const cseq = header(message, 'cseq') ?? '0';
    const answer = (status: number, headers: Record<string, string> = {}, body = '') => {
      const all: Record<string, string> = { CSeq: cseq.replace(/[^\d]/g, '').slice(0, 10), ...headers };
      if (body !== '') all['Content-Length'] = String(Buffer.byteLength(body));
      const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
      this.#o.socket.write(`RTSP/1.0 ${status} ${STATUS[status]}\r\n${lines.join('')}\r\n${body}`);
    };
    if (method === 'OPTIONS') return answer(200, { Public: METHODS });
    if (!this.#login.check(method, header(message, 'authorization'))) {
      answer(401, { 'WWW-Authenticate': this.#login.challenge });
      if (this.#login.exhausted) this.#o.socket.end();
      return;
    }
    this.#loggedIn = true;
    const session = { Session: `${this.#session};timeout=${TIMEOUT_S}` };
    switch (method) {
      case 'DESCRIBE':
        if (!takesSdp(header(message, 'accept'))) return answer(406);
        return this.#describe(message.uri, answer);
      case 'SETUP':
        return this.#setup(message, (status, headers) => answer(status, { ...session, ...headers }));
      case 'PLAY':
        if (!this.#tracks.some(Boolean)) return answer(455);
        answer(200, { ...session, Range: 'npt=now-' });
        return this.#play();
      case 'PAUSE':
        // Players that get nothing over UDP pause, and set up anew over TCP.
        this.#playing = false;
        return answer(200, session);
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        // Signs of life. There is nothing to set.
        return answer(200, session);
      case 'TEARDOWN':
        answer(200);
        this.#o.socket.end();
        return;
      default:
        return answer(405, { Allow: METHODS });
    }
  }

  async #describe(
    uri: string,
    answer: (status: number, headers?: Record<string, string>, body?: string) => void,
  ): Promise<void> {
    const path = pathOf(uri);
    const found = path === null ? null : this.#o.find(path);
    if (!found) return answer(404);
    if (this.#path !== null && this.#path !== path) return answer(455);
    if (this.#path === null) {
      if (!this.#o.admit()) return answer(453);
      this.#path = path;
      this.#source = found.source;
      this.#release = found.source.acquire(this);
      this.#codec ??= found.source.ring.newest?.codec ?? null;
    }
    if (!this.#codec) await this.#firstPicture();
    const codec = this.#codec;
    if (!codec) return answer(503);
    this.#sound = found.source.sound;
    const body = describe({ name: found.name, codec, sound: this.#sound, id: `${Date.now()}` });
    answer(200, { 'Content-Type': 'application/sdp', 'Content-Base': `${uri.replace(/\/*$/, '')}/` }, body);
  }

  async #firstPicture(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onPicture = resolve;
    const cancel = this.#o.clock.after(FIRST_PICTURE_MS, resolve);
    await promise;
    cancel();
    this.#onPicture = () => {};
  }

  async #setup(message: RtspMessage, answer: (status: number, headers?: Record<string, string>) => void) {
    const n = Number(/\/trackID=([01])$/.exec(message.uri)?.[1] ?? Number.NaN);
    const clockRate = n === 0 ? 90_000 : this.#sound?.clockRate;
    if (!this.#codec || pathOf(message.uri) !== this.#path) return answer(455);
    if (Number.isNaN(n) || !clockRate) return answer(404);
    if (this.#playing) return answer(455);
    this.#tracks[n]?.close();
    this.#tracks[n] = undefined;
    const opened = await this.#way(header(message, 'transport') ?? '', n);
    if (!opened) return answer(461);
    const payloadType = n === 0 ? VIDEO_TYPE : soundType(this.#sound!);
    const [ssrc, sequence] = [randomBytes(4).readUInt32BE(0), randomBytes(2).readUInt16BE(0)];
    const track = new Track({ way: opened.way, rtp: new RtpWriter({ payloadType, ssrc, sequence }), clockRate });
    if (this.#closed) return track.close();
    this.#tracks[n] = track;
    answer(200, { Transport: `${opened.transport};ssrc=${ssrc.toString(16).padStart(8, '0').toUpperCase()}` });
  }

  /** The first transport of the list that is spoken here: never to another address than the viewer's. */
  async #way(wanted: string, n: number): Promise<{ way: Way; transport: string } | null> {
    const { localAddress: local = '', remoteAddress: address = '' } = this.#o.socket;
    for (const transport of wanted.split(',').map((text) => text.trim())) {
      if (/^RTP\/AVP\/TCP(;|$)/i.test(transport)) {
        const channel = Number(/interleaved=(\d{1,3})/i.exec(transport)?.[1] ?? n * 2);
        const taken = this.#tracks.some((t) => t && 'channel' in t.way && Math.abs(t.way.channel - channel) < 2);
        if (channel > 254 || taken) continue;
        this.#reader.channels.add(channel).add(channel + 1);
        return { way: { channel }, transport: `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}` };
      }
      const ports = /client_port=(\d{1,5})(?:-(\d{1,5}))?/i.exec(transport);
      if (!/^RTP\/AVP(\/UDP)?(;|$)/i.test(transport) || /multicast/i.test(transport) || !ports) continue;
      const [rtp, rtcp] = [Number(ports[1]), Number(ports[2] ?? Number(ports[1]) + 1)];
      if (rtp < 1024 || rtcp < 1024 || rtp > 65_535 || rtcp > 65_535) continue;
      const onReport = () => {
        this.#heardMs = this.#o.clock.mono();
      };
      const udp = await UdpPair.open({ local, to: { address, rtp, rtcp }, onReport });
      if (!udp) continue;
      const mine = `client_port=${rtp}-${rtcp};server_port=${udp.port}-${udp.port + 1}`;
      return { way: { udp }, transport: `RTP/AVP;unicast;${mine}` };
    }
    return null;
  }

  /** What there is of the group of pictures that runs goes first: the viewer need not wait for the next key frame. */
  #play(): void {
    if (this.#playing || !this.#source) return;
    this.#playing = true;
    this.#needKey = true;
    const units = this.#source.ring.from(this.#o.clock.mono());
    for (const unit of units) this.accessUnit(unit);
    if (units.length > 0) for (const frame of this.#source.ring.audioFrom(units[0]!.monoMs)) this.audio(frame);
  }
}

function framed(packet: Buffer, channel: number): Buffer {
  packet[0] = 0x24;
  packet[1] = channel;
  packet.writeUInt16BE(packet.length - 4, 2);
  return packet;
}

/** Whether a session description is among what a viewer takes; without a word everything is. */
const takesSdp = (accept: string | null): boolean =>
  accept === null || accept.trim() === '' || /application\/(sdp|\*)|\*\/\*/i.test(accept);

/** Path of an address, without the track; null: this is no address of ours. */
function pathOf(uri: string): string | null {
  const path = /^rtsp:\/\/[^/]*(\/[^?#]*)/i.exec(uri)?.[1];
  return path?.replace(/\/trackID=\d+$/, '').replace(/\/+$/, '') ?? null;
}
