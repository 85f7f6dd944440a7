import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { failure, type IsapiFailure, type Result } from '../isapi/answer.ts';
import type { PullError } from '../video/pull.ts';
import { Authorizer, chooseChallenge } from '../video/rtsp-auth.ts';
import { formatRequest, header, type RtspMessage, RtspReader } from '../video/rtsp-message.ts';
import { movedTo, readSession } from '../video/rtsp-replies.ts';
import { baseUrl, resolveControl, rtspHost } from '../video/rtsp-url.ts';
import { connectSecurely } from '../video/rtsps.ts';
import { parseSdp, type Sdp, type SdpMedia } from '../video/sdp.ts';
import { canEncode, encoderFor, type SoundEncoder, type SoundFormat } from './encoder.ts';
import { MAX_UNSENT_BYTES, type Speaker } from './speaker.ts';

/** ONVIF streaming specification §5.3: what a client must say in every request that is about the way back. */
export const BACKCHANNEL = 'www.onvif.org/ver20/backchannel';
const REQUIRING = ['DESCRIBE', 'SETUP', 'PLAY', 'RECORD', 'TEARDOWN'];
const CONNECT_MS = 4_000;
const REPLY_MS = 5_000;
const TEARDOWN_MS = 500;
const USER_AGENT = 'Gatepost';
/** RTP counts on while nothing is said. */
const SAMPLES_A_MS = 8;

/** Where a device is told about, with its RTSP login. */
export interface BackchannelTarget {
  /** Of the stream, without credentials. */
  url: string;
  username: string;
  password: string;
  /** For `rtsps:`. */
  tls?: DeviceTls;
}
interface Track {
  control: string | null;
  payloadType: number;
  format: SoundFormat;
  /** As the device calls it. */
  codec: string;
}
/** What a device says of its way back: a track to speak on, what it would take instead, or that there is none. */
export type Described = { track: Track } | { codec: string } | null;

/** Whether a stream has a way back; nothing is opened. */
export async function describeBackchannel(
  target: BackchannelTarget,
  clock: Clock,
  signal?: AbortSignal,
): Promise<Result<Described>> {
  const session = new Backchannel(target, clock);
  try {
    const told = await session.describe(signal);
    return told.ok ? { ok: true, value: told.value.described } : told;
  } finally {
    await session.close();
  }
}

/** Opens the way back of a stream, in a session of its own: pictures are not asked for. */
export async function openBackchannel(
  target: BackchannelTarget,
  o: { clock: Clock; signal?: AbortSignal },
): Promise<Result<Speaker>> {
  const session = new Backchannel(target, o.clock);
  const opened = await session.open(o.signal);
  if (!opened.ok) await session.close();
  return opened.ok ? { ok: true, value: session } : opened;
}

/** The audio that the device wants to hear: `sendonly`, as it describes the client's side (§5.3.1). */
function findWayBack(sdp: Sdp): Described {
  // Who marks everything as `sendonly` speaks of itself.
  if (sdp.media.some(({ kind, sendOnly }) => kind === 'video' && sendOnly)) return null;
  const media = sdp.media.filter(({ kind, sendOnly }) => kind === 'audio' && sendOnly);
  for (const one of media)
    for (const payloadType of one.payloadTypes) {
      const track = trackOf(one, payloadType);
      if (track) return { track };
    }
  const [first] = media;
  if (!first) return null;
  const named = [...first.rtpmap.values()].map(({ encoding, clockRate }) => `${encoding}/${clockRate}`);
  return { codec: (named.join(', ') || first.payloadTypes.join(', ')).slice(0, 32) };
}

function trackOf(media: SdpMedia, payloadType: number): Track | null {
  const usual = { 0: { encoding: 'PCMU', clockRate: 8_000 }, 8: { encoding: 'PCMA', clockRate: 8_000 } }[payloadType];
  const map = media.rtpmap.get(payloadType) ?? usual;
  const kind = ({ PCMU: 'pcmu', PCMA: 'pcma', L16: 'pcmBig' } as const)[map?.encoding ?? ''];
  if (!map || !kind) return null;
  const format: SoundFormat = { kind, rate: map.clockRate || 8_000 };
  return canEncode(format) ? { control: media.control, payloadType, format, codec: map.encoding } : null;
}

class Backchannel implements Speaker {
  codec = '';
  readonly ended: Promise<IsapiFailure>;
  readonly #target: BackchannelTarget;
  readonly #clock: Clock;
  readonly #reader: RtspReader;
  readonly #pending = new Map<number, (reply: RtspMessage | null) => void>();
  #end!: (why: IsapiFailure) => void;
  #socket: Socket | null = null;
  #auth: Authorizer | null = null;
  #cseq = 0;
  #session: string | null = null;
  #control = '';
  #channel = 0;
  #encoder: SoundEncoder | null = null;
  #head = Buffer.alloc(12);
  #scale = 1;
  #startMs = 0;
  #lastMs = 0;
  #samples = 0;
  #stopKeepAlive = () => {};
  /** Whoever opened it may break off until it is open; then they close it, and the device is told. */
  #opened = () => {};
  #closing: Promise<void> | null = null;

  constructor(target: BackchannelTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    // What the device sends on its side (RTCP) is read and forgotten.
    this.#reader = new RtspReader({ frame: () => {}, message: (message) => this.#message(message) });
  }

  get taking(): boolean {
    return this.#session !== null && !this.#closing;
  }

  async describe(signal?: AbortSignal): Promise<Result<{ described: Described; base: string }>> {
    const unreachable = await this.#connect(signal);
    if (unreachable) return unreachable;
    let { url } = this.#target;
    const accept = { Accept: 'application/sdp' };
    let reply = await this.#answered('DESCRIBE', url, accept);
    if (reply.ok) {
      const elsewhere = movedTo(url, reply.value);
      if (elsewhere) {
        url = elsewhere;
        reply = await this.#answered('DESCRIBE', url, accept);
      }
    }
    if (!reply.ok) return reply;
    const { status, body, headers } = reply.value;
    // It does not know what is required: then it has no way back (RFC 2326 §12.32).
    if (status === 551 || status === 501) return { ok: true, value: { described: null, base: url } };
    if (status !== 200) return refusedBy('DESCRIBE', reply.value);
    const sdp = parseSdp(body.toString('utf8'));
    const first = (name: string) => headers.get(name)?.[0] ?? null;
    this.#control = resolveControl(baseUrl(url, first('content-base'), first('content-location')), sdp.control);
    return { ok: true, value: { described: findWayBack(sdp), base: this.#control } };
  }

  async open(signal?: AbortSignal): Promise<Result<Speaker>> {
    const told = await this.describe(signal);
    if (!told.ok) return told;
    const { described } = told.value;
    if (!described) return failure('no-speaker', 'It says that nobody can be heard there.');
    if ('codec' in described) return failure('speaker-codec', `It takes sound as ${described.codec} only.`);
    const { track } = described;
    const setup = await this.#answered('SETUP', resolveControl(this.#control, track.control), {
      Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1',
    });
    if (!setup.ok) return setup;
    if (setup.value.status !== 200) return refusedBy('SETUP', setup.value);
    const { id, timeoutMs } = readSession(setup.value);
    this.#session = id;
    this.#channel = Number(/interleaved\s*=\s*(\d{1,3})/i.exec(header(setup.value, 'transport') ?? '')?.[1] ?? 0);
    this.#reader.channels.add(this.#channel).add(this.#channel + 1);
    let play = await this.#answered('PLAY', this.#control, { Range: 'npt=0.000-' });
    // A few take RECORD for what is sent to them.
    if (play.ok && [400, 405, 455, 457, 501].includes(play.value.status))
      play = await this.#answered('RECORD', this.#control, {});
    if (!play.ok) return play;
    if (play.value.status !== 200) return refusedBy('PLAY', play.value);
    this.#opened();
    this.#begin(track, timeoutMs);
    return { ok: true, value: this };
  }

  write(mu: Buffer): boolean {
    const socket = this.#socket;
    if (this.#closing || !socket?.writable || socket.writableLength > MAX_UNSENT_BYTES) return false;
    const now = this.#clock.mono();
    // Nothing was said for a while: time went on (RFC 3551 §4.1).
    const passed = Math.floor((now - this.#startMs) * SAMPLES_A_MS);
    const silent = this.#samples === 0 || now - this.#lastMs > 200;
    if (silent) this.#samples = Math.max(this.#samples, passed);
    this.#lastMs = now;
    this.#head[1] = (this.#head[1]! & 0x7f) | (silent ? 0x80 : 0);
    this.#encoder!.push(mu);
    this.#samples += mu.length;
    return true;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #begin({ payloadType, format, codec }: Track, timeoutMs: number): void {
    this.codec = codec;
    this.#scale = format.rate / 8_000;
    this.#head[0] = 0x80;
    this.#head[1] = payloadType;
    randomBytes(10).copy(this.#head, 2);
    const first = this.#head.readUInt32BE(4);
    this.#startMs = this.#lastMs = this.#clock.mono();
    const out = (sound: Buffer) => {
      this.#head.writeUInt32BE((first + Math.round(this.#samples * this.#scale)) >>> 0, 4);
      const size = this.#head.length + sound.length;
      const frame = Buffer.from([0x24, this.#channel, size >> 8, size & 0xff]);
      this.#socket?.write(Buffer.concat([frame, this.#head, sound]));
      this.#head.writeUInt16BE((this.#head.readUInt16BE(2) + 1) & 0xffff, 2);
    };
    const failed = (why: string) => this.#end(failure('speaker-codec', why));
    this.#encoder = encoderFor(format, { out, failed });
    this.#stopKeepAlive = this.#clock.every(Math.min(30_000, timeoutMs / 2), () => {
      void this.#answered('OPTIONS', this.#control, {}).then((reply) => reply.ok || this.#end(reply));
    });
  }

  async #connect(signal?: AbortSignal): Promise<IsapiFailure | null> {
    const target = rtspHost(this.#target.url);
    if (!target) return failure('device-error', 'Its address of video is none.');
    if (signal?.aborted) return AWAY;
    const socket = target.secure ? await this.#handshake(target, signal) : connect({ ...target, noDelay: true });
    if ('ok' in socket) return socket;
    this.#socket = socket;
    const unanswered = () => {
      for (const settle of [...this.#pending.values()]) settle(null);
    };
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#reader.push(chunk));
    // A session that is there already is to be ended with TEARDOWN.
    const abort = () => (this.#session === null ? void socket.destroy() : unanswered());
    this.#opened = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('close', () => {
      this.#opened();
      this.#end(failure('device-unreachable', 'It closed the connection.'));
      unanswered();
    });
    if (target.secure) return null;
    const cancel = this.#clock.after(CONNECT_MS, () => socket.destroy());
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve);
      socket.once('close', () => resolve());
    });
    cancel();
    return socket.destroyed ? AWAY : null;
  }

  async #handshake(target: { host: string; port: number }, signal?: AbortSignal): Promise<Socket | IsapiFailure> {
    const soon = AbortSignal.any([AbortSignal.timeout(CONNECT_MS), ...(signal ? [signal] : [])]);
    const o = { tls: this.#target.tls, clock: this.#clock };
    return connectSecurely(target, o, soon).catch((error: PullError) =>
      error.code === 'forbidden'
        ? failure('device-error', 'Its video shows no certificate that it was added with.')
        : AWAY,
    );
  }

  /** A reply, after a challenge was answered once: each wrong password counts towards the device's lock-out. */
  async #answered(method: string, uri: string, headers: Record<string, string>): Promise<Result<RtspMessage>> {
    const first = await this.#request(method, uri, headers);
    if (!first.ok || first.value.status !== 401) return first;
    const fresh = this.#auth === null;
    const challenge = chooseChallenge(first.value.headers.get('www-authenticate') ?? []);
    if (!challenge) return failure('device-error', 'It offers no digest login for video.');
    if (!fresh && !challenge.stale) return failure('device-refused-login', REFUSED);
    this.#auth = new Authorizer(challenge, this.#target.username, this.#target.password);
    const again = await this.#request(method, uri, headers);
    return again.ok && again.value.status === 401 ? failure('device-refused-login', REFUSED) : again;
  }

  #request(method: string, uri: string, headers: Record<string, string>): Promise<Result<RtspMessage>> {
    const socket = this.#socket;
    if (!socket || socket.destroyed) return Promise.resolve(failure('device-unreachable', 'It closed the connection.'));
    const cseq = ++this.#cseq;
    const all: Record<string, string> = { ...headers, 'User-Agent': USER_AGENT };
    if (this.#session) all.Session = this.#session;
    if (REQUIRING.includes(method)) all.Require = BACKCHANNEL;
    if (this.#auth) all.Authorization = this.#auth.header(method, uri);
    socket.write(formatRequest(method, uri, cseq, all));
    return new Promise((resolve) => {
      const cancel = this.#clock.after(REPLY_MS, () => settle(null));
      const settle = (reply: RtspMessage | null) => {
        cancel();
        this.#pending.delete(cseq);
        resolve(reply ? { ok: true, value: reply } : failure('device-unreachable', `It did not answer ${method}.`));
      };
      this.#pending.set(cseq, settle);
    });
  }

  #message(message: RtspMessage): void {
    const cseq = Number(header(message, 'cseq') ?? Number.NaN);
    if (message.method !== null) {
      if ((this.#socket?.writableLength ?? 0) < MAX_UNSENT_BYTES)
        this.#socket?.write(`RTSP/1.0 200 OK\r\nCSeq: ${Number.isNaN(cseq) ? 0 : cseq}\r\n\r\n`);
      return;
    }
    const key = Number.isNaN(cseq) ? this.#pending.keys().next().value : cseq;
    if (key !== undefined) this.#pending.get(key)?.(message);
  }

  async #close(): Promise<void> {
    this.#stopKeepAlive();
    this.#encoder?.end();
    const socket = this.#socket;
    if (!socket) return;
    // Without it many devices keep the session, and let nobody else speak for a minute.
    if (this.#session && socket.writable)
      await Promise.race([this.#request('TEARDOWN', this.#control, {}), this.#clock.sleep(TEARDOWN_MS)]);
    socket.destroy();
  }
}

const AWAY = failure('device-unreachable', 'It does not answer on its port of video.');
const REFUSED = 'It refused user name or password for video.';

function refusedBy(method: string, { status, reason }: RtspMessage): IsapiFailure {
  const text = `It answered ${method} with ${status} ${reason.slice(0, 80)}.`;
  // 453 Not Enough Bandwidth, 455 and 5xx: somebody else has it.
  return status === 453 || status === 503
    ? failure('speaker-busy', 'Its loudspeaker is in use.')
    : failure('device-error', text);
}
