import { connect, type Socket } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { asksForSound, type KeepAliveMemory, PullError, type PullHandlers } from './pull.ts';
import { Authorizer, chooseChallenge } from './rtsp-auth.ts';
import { formatRequest, header, type RtspMessage, RtspReader } from './rtsp-message.ts';
import { expectOk, movedTo, readSession, saysBye } from './rtsp-replies.ts';
import { baseUrl, resolveControl, rtspHost, spellings } from './rtsp-url.ts';
import { connectSecurely } from './rtsps.ts';
import { findSound, findVideo, offeredSound, offeredVideo, parseSdp, type SoundTrack } from './sdp.ts';

export interface RtspSessionOptions {
  /** Without credentials. */
  url: string;
  username: string;
  password: string;
  /** For `rtsps:`. */
  tls?: DeviceTls;
  keepAlive: KeepAliveMemory;
  clock: Clock;
  handlers: PullHandlers;
  /** No video packet for this long: the session is given up. */
  stallMs?: number;
  /** To play what was recorded; without it, what happens now. */
  play?: PlayRequest;
  /** Nothing is played: called when the camera describes pictures that can be taken, and that was all. */
  onDescribed?: () => void;
}

export interface PlayRequest {
  /** Of PLAY, best first: where a camera refuses the first ones, the next ones are tried. */
  headers: Record<string, string>[];
  /** What it must understand (`onvif-replay`); one that does not plays without. */
  require?: string;
  /** What it was answered: from where, and how fast. */
  started(reply: RtspMessage): void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REPLY_TIMEOUT_MS = 10_000;
const TEARDOWN_TIMEOUT_MS = 500;
/** After a goodbye the stream is over, unless another source begins. */
const BYE_MS = 2_000;
const MAX_PENDING_WRITE = 64 * 1024;
/** Of PLAY: no other headers change that. Every other refusal may be of one of them. */
const REFUSED_ANYWAY: readonly number[] = [401, 403, 404, 453, 454, 503];
const REQUIRING = ['DESCRIBE', 'SETUP', 'PLAY'];
// A few cameras answer 401 to whoever has no name.
const USER_AGENT = 'Gatepost';

/**
 * One RTSP session, interleaved over TCP (RFC 2326 §10.12): DESCRIBE, SETUP of pictures and sound, PLAY, keep-alive,
 * TEARDOWN. Credentials are sent only in answer to a challenge, and a refused login is tried once.
 */
export class RtspSession {
  readonly #o: RtspSessionOptions & { stallMs: number };
  #socket: Socket | null = null;
  readonly #dialling = new AbortController();
  #reader: RtspReader;
  #auth: Authorizer | null = null;
  #cseq = 0;
  readonly #pending = new Map<number, (reply: RtspMessage | PullError) => void>();
  #session: { id: string; timeoutMs: number } | null = null;
  #control = '';
  #videoChannel = 0;
  /** -1: none. */
  #soundChannel = -1;
  #soundType = -1;
  #keptAlive = false;
  #switched = false;
  #held = false;
  #requires: string | null;
  #playingSinceMs = 0;
  #lastPacketMs = 0;
  /** The camera said goodbye: what comes after it would be another source of it. */
  #byeMs = Number.POSITIVE_INFINITY;
  #fail: (error: PullError) => void = () => {};
  #stopped = false;

  constructor(options: RtspSessionOptions) {
    this.#o = { stallMs: 10_000, ...options };
    this.#requires = options.play?.require ?? null;
    this.#reader = new RtspReader({
      frame: (channel, payload) => {
        // Where both were given one channel, the payload type tells them apart.
        const sound = channel === this.#soundChannel && (payload[1]! & 0x7f) === this.#soundType;
        if (sound) this.#o.handlers.sound?.(payload);
        const report = !sound && (channel === this.#videoChannel + 1 || channel === this.#soundChannel + 1);
        if (report) this.#o.handlers.report?.(channel === this.#videoChannel + 1 ? 'picture' : 'sound', payload);
        if (channel === this.#videoChannel + 1 && saysBye(payload)) {
          if (this.#o.play) this.#fail(new PullError('ended', 'that was all'));
          this.#byeMs = this.#o.clock.mono();
        }
        if (sound || channel !== this.#videoChannel) return;
        this.#lastPacketMs = this.#o.clock.mono();
        this.#o.handlers.packet(payload);
      },
      message: (message) => this.#message(message),
    });
  }

  /** Runs until `signal` aborts or something ends it; never rejects. The connection is closed when it resolves. */
  async run(signal: AbortSignal): Promise<PullError> {
    const cancels: (() => void)[] = [];
    const ended = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    ended.catch(() => {});
    const onAbort = () => {
      this.#stopped = true;
      this.#fail(new PullError('stopped', 'the box ended it'));
    };
    signal.addEventListener('abort', onAbort);
    try {
      if (signal.aborted) throw new PullError('stopped', 'the box ended it');
      await Promise.race([this.#connect(), ended]);
      await Promise.race([this.#open(), ended]);
      cancels.push(...this.#watch());
      return await ended;
    } catch (error) {
      if (!(error instanceof PullError)) throw error;
      if (this.#session) error.sessionTimeoutMs = this.#session.timeoutMs;
      this.#judgeKeepAlive(error);
      return error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      for (const cancel of cancels) cancel();
      await this.#close();
    }
  }

  async #connect(): Promise<void> {
    const target = rtspHost(this.#o.url);
    if (!target) throw new PullError('protocol', 'this is no RTSP address');
    const onread = {
      buffer: () => this.#reader.space,
      callback: (bytes: number) => this.#received(bytes),
    };
    const { host, port, secure } = target;
    const socket = secure
      ? await connectSecurely(target, this.#o, this.#dialling.signal)
      : connect({ host, port, noDelay: true, onread });
    this.#socket = socket;
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#fail(new PullError(socket.bytesRead > 0 ? 'closed' : 'unreachable', `connection: ${error.code}`)),
    );
    socket.on('close', () => this.#fail(new PullError('closed', 'the camera closed the connection')));
    if (secure) return void socket.on('data', (chunk: Buffer) => this.#received(chunk));
    const cancel = this.#o.clock.after(CONNECT_TIMEOUT_MS, () =>
      this.#fail(new PullError('unreachable', 'the camera does not answer')),
    );
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve);
      socket.once('close', resolve);
    });
    cancel();
  }

  #received(bytes: number | Buffer): boolean {
    try {
      if (typeof bytes === 'number') this.#reader.received(bytes);
      else this.#reader.push(bytes);
      return true;
    } catch (error) {
      // One odd camera must not take the box with it: the session ends, the cause is in the log.
      this.#fail(new PullError('protocol', 'what the camera sent could not be read', { cause: error }));
      this.#socket?.destroy();
      return false;
    }
  }

  /** From OPTIONS to PLAY. */
  async #open(): Promise<void> {
    const { keepAlive } = this.#o;
    const known = spellings(this.#o.url);
    let url = known[keepAlive.spelling ?? 0] ?? this.#o.url;
    const options = await this.#request('OPTIONS', url);
    keepAlive.method ??= /\bGET_PARAMETER\b/.test(header(options, 'public') ?? '') ? 'GET_PARAMETER' : 'OPTIONS';

    let described = await this.#authorized('DESCRIBE', url, { Accept: 'application/sdp' });
    for (const [i, other] of known.entries()) {
      if (described.status !== 404) break;
      if (other === url) continue;
      described = await this.#authorized('DESCRIBE', other, { Accept: 'application/sdp' });
      if (described.status !== 404) [url, keepAlive.spelling] = [other, i];
    }
    const elsewhere = movedTo(url, described);
    if (elsewhere) {
      url = elsewhere;
      described = await this.#authorized('DESCRIBE', url, { Accept: 'application/sdp' });
    }
    expectOk('DESCRIBE', described);
    const sdp = parseSdp(described.body.toString('utf8'));
    const track = findVideo(sdp);
    if (!track) throw new PullError('unsupported-codec', `the camera sends ${offeredVideo(sdp)}, not H.264 or H.265`);
    if (this.#o.onDescribed) {
      this.#o.onDescribed();
      throw new PullError('stopped', 'its description was all that was asked for');
    }
    const offered = asksForSound(keepAlive) ? findSound(sdp) : null;
    this.#o.handlers.described?.(track, offered);
    const base = baseUrl(url, header(described, 'content-base'), header(described, 'content-location'));
    this.#control = resolveControl(base, sdp.control);

    const setup = await this.#authorized('SETUP', resolveControl(this.#control, track.control), {
      Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1',
    });
    // 461, or 400 of servers that look for UDP ports in it (RTSP::Server).
    if (setup.status === 461 || setup.status === 400)
      throw new PullError('unsupported-transport', 'the camera refuses video over TCP');
    expectOk('SETUP', setup);
    this.#session = readSession(setup);
    // Some answer with other numbers than asked for, with one number, or with none.
    this.#videoChannel = Number(/interleaved\s*=\s*(\d{1,3})/i.exec(header(setup, 'transport') ?? '')?.[1] ?? 0);
    this.#reader.channels.add(this.#videoChannel).add(this.#videoChannel + 1);

    const sound = await this.#openSound(offered);

    // Packets may come before the answer to PLAY.
    this.#o.handlers.track(track, sound, findSound(sdp) ? null : offeredSound(sdp));
    let play: RtspMessage | null = null;
    for (const headers of this.#o.play?.headers ?? [{ Range: 'npt=0.000-' }, {}]) {
      play = await this.#authorized('PLAY', this.#control, headers);
      if (play.status < 400 || REFUSED_ANYWAY.includes(play.status)) break;
    }
    expectOk('PLAY', play!);
    this.#o.play?.started(play!);
    this.#playingSinceMs = this.#lastPacketMs = this.#o.clock.mono();
  }

  /** Nothing is read until it is released: the camera waits. What comes meanwhile is neither lost nor missed. */
  hold(): void {
    this.#held = true;
    this.#socket?.pause();
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#lastPacketMs = this.#o.clock.mono();
    this.#socket?.resume();
  }

  /** null: the camera keeps its sound to itself, which is no reason to go without its pictures. */
  async #openSound(sound: SoundTrack | null): Promise<SoundTrack | null> {
    if (!sound) return null;
    const uri = resolveControl(this.#control, sound.control);
    const transport = { Transport: 'RTP/AVP/TCP;unicast;interleaved=2-3' };
    const { keepAlive } = this.#o;
    const setup = await this.#authorized('SETUP', uri, transport).catch((error) => {
      if (!this.#stopped) keepAlive.soundFailures = (keepAlive.soundFailures ?? 0) + 1;
      throw error;
    });
    keepAlive.soundFailures = 0;
    if (setup.status < 200 || setup.status >= 300) return null;
    this.#soundChannel = Number(/interleaved\s*=\s*(\d{1,3})/i.exec(header(setup, 'transport') ?? '')?.[1] ?? 2);
    this.#soundType = sound.payloadType;
    this.#reader.channels.add(this.#soundChannel).add(this.#soundChannel + 1);
    return sound;
  }

  #watch(): (() => void)[] {
    const { clock, stallMs } = this.#o;
    const everyMs = Math.min(30_000, (this.#session?.timeoutMs ?? 60_000) / 2);
    return [
      clock.every(1_000, () => {
        if (this.#held) return;
        const silentMs = clock.mono() - this.#lastPacketMs;
        if (silentMs > stallMs) this.#fail(new PullError('stalled', `no video for ${Math.round(stallMs / 1000)} s`));
        if (this.#lastPacketMs > this.#byeMs) this.#byeMs = Number.POSITIVE_INFINITY;
        else if (clock.mono() - this.#byeMs > BYE_MS)
          this.#fail(new PullError('closed', 'the camera ended the stream'));
      }),
      clock.every(everyMs, () => void this.#keepAlive()),
    ];
  }

  /**
   * Which method counts differs by camera, whatever `Public` says. One that is refused or not answered makes us use the
   * other one, once; a missing answer alone is no reason to end a session whose video flows.
   */
  async #keepAlive(): Promise<void> {
    try {
      const { status } = await this.#authorized(this.#o.keepAlive.method ?? 'OPTIONS', this.#control, {});
      this.#keptAlive = true;
      if (status === 405 || status === 454 || status === 501) this.#switchKeepAlive();
    } catch (error) {
      if (!(error instanceof PullError)) throw error;
      // Held, nobody reads answers.
      if (error.code === 'timeout' && !this.#held) this.#switchKeepAlive();
    }
  }

  /** A session that ends when it would have expired, although its keep-alive was answered, wanted the other method. */
  #judgeKeepAlive(end: PullError): void {
    if (!this.#session || !this.#keptAlive || (end.code !== 'closed' && end.code !== 'stalled')) return;
    const played = (this.#o.clock.mono() - this.#playingSinceMs) / this.#session.timeoutMs;
    if (played > 0.9 && played < 2.2) this.#switchKeepAlive();
  }

  #switchKeepAlive(): void {
    if (this.#switched) return;
    this.#switched = true;
    this.#o.keepAlive.method = this.#o.keepAlive.method === 'GET_PARAMETER' ? 'OPTIONS' : 'GET_PARAMETER';
  }

  /**
   * Sends a request and answers a challenge once. A second 401 to fresh credentials is a refused login; later in the
   * session a 401 with a new nonce only means that the old one has expired.
   */
  async #answered(method: string, uri: string, headers: Record<string, string>): Promise<RtspMessage> {
    const proven = this.#auth !== null;
    const first = await this.#request(method, uri, headers);
    if (first.status !== 401) return first;
    const challenge = chooseChallenge(first.headers.get('www-authenticate') ?? []);
    if (!challenge) {
      // Not for ffmpeg to try either, which would answer Basic.
      throw new PullError(
        'forbidden',
        'the camera offers no digest login for video: set its RTSP authentication to digest',
      );
    }
    this.#auth = new Authorizer(challenge, this.#o.username, this.#o.password);
    let reply = await this.#request(method, uri, headers);
    if (reply.status === 401) {
      const again = chooseChallenge(reply.headers.get('www-authenticate') ?? []);
      // "stale" says that the credentials were right and the nonce too old (RFC 7616 §3.3).
      if (again?.stale) {
        this.#auth = new Authorizer(again, this.#o.username, this.#o.password);
        reply = await this.#request(method, uri, headers);
      }
    }
    if (reply.status === 401) {
      if (proven) throw new PullError('protocol', `${method} was refused within a session`);
      throw new PullError('refused', 'the camera refused user name or password');
    }
    return reply;
  }

  async #authorized(method: string, uri: string, headers: Record<string, string>): Promise<RtspMessage> {
    const reply = await this.#answered(method, uri, headers);
    if (reply.status !== 551 || this.#requires === null) return reply;
    // What is required is not known there.
    this.#requires = null;
    return this.#answered(method, uri, headers);
  }

  #request(method: string, uri: string, headers: Record<string, string> = {}): Promise<RtspMessage> {
    const socket = this.#socket;
    if (!socket || socket.destroyed) return Promise.reject(new PullError('closed', 'the connection is closed'));
    const cseq = ++this.#cseq;
    const all: Record<string, string> = { ...headers, 'User-Agent': USER_AGENT };
    if (this.#session) all.Session = this.#session.id;
    if (this.#requires !== null && REQUIRING.includes(method)) all.Require = this.#requires;
    if (this.#auth) all.Authorization = this.#auth.header(method, uri);
    socket.write(formatRequest(method, uri, cseq, all));
    return new Promise((resolve, reject) => {
      const settle = (reply: RtspMessage | PullError) => {
        cancel();
        this.#pending.delete(cseq);
        if (reply instanceof PullError) reject(reply);
        else resolve(reply);
      };
      const cancel = this.#o.clock.after(REPLY_TIMEOUT_MS, () =>
        settle(new PullError('timeout', `no answer to ${method}`)),
      );
      this.#pending.set(cseq, settle);
    });
  }

  #message(message: RtspMessage): void {
    const cseq = Number(header(message, 'cseq') ?? Number.NaN);
    if (message.method !== null) {
      // The camera asks whether we are still there. One that asks without reading answers is cut off.
      if ((this.#socket?.writableLength ?? 0) > MAX_PENDING_WRITE) {
        this.#fail(new PullError('protocol', 'the camera asks and does not read'));
      }
      this.#socket?.write(`RTSP/1.0 200 OK\r\nCSeq: ${Number.isNaN(cseq) ? 0 : cseq}\r\n\r\n`);
      // No standard has it, and recorders do so when they want their place back.
      if (message.method === 'TEARDOWN') this.#fail(new PullError('closed', 'the device ended the session'));
      return;
    }
    const key = Number.isNaN(cseq) ? this.#pending.keys().next().value : cseq;
    if (key !== undefined) this.#pending.get(key)?.(message);
  }

  async #close(): Promise<void> {
    this.#dialling.abort();
    const socket = this.#socket;
    if (!socket) return;
    if (this.#session && !socket.destroyed && socket.writable) {
      // Without it many cameras keep the session, and its place, for a minute.
      await Promise.race([
        this.#request('TEARDOWN', this.#control).catch(() => {}),
        this.#o.clock.sleep(TEARDOWN_TIMEOUT_MS),
      ]);
    }
    socket.destroy();
    for (const settle of [...this.#pending.values()]) settle(new PullError('closed', 'the connection is closed'));
  }
}
