import type { Socket } from 'node:net';
import { DrawnPictures, type Picture } from './drawn-pictures.ts';
import { bye, interleaved, packets, packets265, SOUND_SAMPLES, splitAnnexB, TONE } from './recorded-packets.ts';
import { type Break, type RecordedOptions, teardown } from './recorded-session.ts';
import { encode, header, type RtspMessage } from './rtsp-messages.ts';

/** How a recorder replays by ONVIF; tests switch these. */
export interface ReplayOdd {
  /** Its clock, in stamps and ranges. */
  aheadMs: number;
  /** A time on every packet, in whole seconds, or none. */
  stamps: 'exact' | 'seconds' | 'none';
  /** `Require: onvif-replay` is wanted, not looked at, or answered 551. */
  require: 'wanted' | 'ignored' | 'unknown';
  /** Scale is taken, refused (457), taken without a word, or answered and not done. */
  scale: 'taken' | 'refused' | 'silent' | 'claimed';
  /** How the end is said. */
  end: 'terminal' | 'bye' | 'silence';
  /** More at once are answered 453. */
  maxSessions: number;
  breaks: Break | null;
}
export const plainReplay: ReplayOdd = {
  aheadMs: 0,
  stamps: 'exact',
  require: 'wanted',
  scale: 'taken',
  end: 'terminal',
  maxSessions: 4,
  breaks: null,
};

export const isReplay = (uri: string): boolean => /^rtsp:\/\/[^/]+\/onvif\/replay\//i.test(uri);

const NTP_EPOCH_S = 2_208_988_800;
const REASONS: Record<string, string> = {
  '200': 'OK',
  '404': 'Not Found',
  '453': 'Not Enough Bandwidth',
  '457': 'Invalid Range',
  '551': 'Option not supported',
};
/** How many play now, by the recorder's recordings. */
const PLAYING = new WeakMap<object, Set<ReplaySession>>();

/** Replay over one RTSP connection as the ONVIF streaming specification has it (§6). */
export class ReplaySession {
  readonly #o: RecordedOptions;
  readonly #client: Socket;
  readonly #session = String(1_000_000 + Math.floor(Math.random() * 9_000_000));
  readonly #ssrc = Math.floor(Math.random() * 2 ** 31);
  #sequence = Math.floor(Math.random() * 65_536);
  #soundSequence = 0;
  readonly #rtpBase = Math.floor(Math.random() * 2 ** 31);
  #drawing: DrawnPictures | null = null;
  #timer: NodeJS.Timeout | null = null;
  #scale = 1;
  #paced = true;
  #keysOnly = false;
  #cseq = 0;
  #startedAt: number | null = null;
  #shownMs = 0;
  #last: Picture | null = null;
  /** Something is missing before the next picture. */
  #broken = false;
  #channels = 0;
  #soundChannel: number | null = null;
  #soundSent = 0;

  constructor(client: Socket, options: RecordedOptions) {
    this.#client = client;
    this.#o = options;
    client.on('drain', () => this.#next());
  }

  get #odd(): ReplayOdd {
    return this.#o.recordings.replay;
  }
  get #playing(): Set<ReplaySession> {
    const { recordings } = this.#o;
    const known = PLAYING.get(recordings) ?? new Set<ReplaySession>();
    PLAYING.set(recordings, known);
    return known;
  }

  request(message: RtspMessage): void {
    const [method = '', uri = ''] = message.first.split(' ');
    const cseq = header(message, 'cseq') ?? '0';
    const say = (status: string, headers: [string, string][] = [], body = '') => {
      const length: [string, string][] = body ? [['Content-Length', String(Buffer.byteLength(body))]] : [];
      const first = `RTSP/1.0 ${status} ${REASONS[status]}`;
      this.#client.write(encode({ first, headers: [['CSeq', cseq], ...headers, ...length], body: Buffer.from(body) }));
    };
    const session: [string, string] = ['Session', `${this.#session};timeout=60`];
    const required = /onvif-replay/i.test(header(message, 'require') ?? '');
    if (required && this.#odd.require === 'unknown') return void say('551', [['Unsupported', 'onvif-replay']]);
    if (method === 'OPTIONS') return void say('200', [['Public', 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN']]);
    if (method === 'DESCRIBE') {
      if (this.#playing.size >= this.#odd.maxSessions) return void say('453');
      const codec = this.#o.recordings.codec.toUpperCase();
      const lines = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=replay', 'c=IN IP4 0.0.0.0', 't=0 0', 'a=control:*'];
      lines.push('m=video 0 RTP/AVP 96', `a=rtpmap:96 ${codec}/90000`);
      if (codec === 'H264') lines.push('a=fmtp:96 packetization-mode=1');
      lines.push('a=control:video', 'a=x-onvif-track:Video_1', 'm=audio 0 RTP/AVP 0', 'a=control:audio');
      lines.push('a=x-onvif-track:Audio_1', 'm=application 0 RTP/AVP 107', 'a=rtpmap:107 vnd.onvif.metadata/90000');
      lines.push('a=control:metadata');
      const type: [string, string][] = [['Content-Type', 'application/sdp']];
      return void say('200', [...type, ['Content-Base', `${uri}/`]], `${lines.join('\r\n')}\r\n`);
    }
    // A recorder that is strict about it plays nothing to those that may not know what they ask for.
    if (['SETUP', 'PLAY'].includes(method) && !required && this.#odd.require === 'wanted') return void say('457');
    if (method === 'SETUP') {
      const channels = Number(/interleaved=(\d+)/.exec(header(message, 'transport') ?? '')?.[1] ?? 0);
      if (uri.endsWith('/audio')) this.#soundChannel = channels;
      else this.#channels = channels;
      return void say('200', [session, ['Transport', `RTP/AVP/TCP;unicast;interleaved=${channels}-${channels + 1}`]]);
    }
    if (method === 'PLAY') return void this.#asked(message, Number(cseq), say, session);
    if (method === 'PAUSE' || method === 'TEARDOWN') this.#halt();
    say('200', [session]);
  }

  close(): void {
    this.#halt();
  }

  #asked(
    message: RtspMessage,
    cseq: number,
    say: (status: string, headers?: [string, string][]) => void,
    session: [string, string],
  ): void {
    const { recordings } = this.#o;
    const { aheadMs, scale: takes } = this.#odd;
    const range = /clock=([\dTZ.]+)-([\dTZ.]*)/.exec(header(message, 'range') ?? '');
    const [fromMs, toMs] = [readClock(range?.[1]) - aheadMs, range?.[2] ? readClock(range[2]) - aheadMs : Date.now()];
    recordings.played = Object.fromEntries(message.headers.map(([name, value]) => [name.toLowerCase(), value]));
    const scale = Number(header(message, 'scale') ?? 1);
    if (!(fromMs < toMs) || !(scale > 0) || (scale !== 1 && takes === 'refused')) return void say('457');
    const spans = recordings.spans(fromMs, toMs);
    this.#scale = takes === 'claimed' ? 1 : scale;
    this.#paced = !/no/i.test(header(message, 'rate-control') ?? 'yes');
    this.#keysOnly = /intra/i.test(header(message, 'frames') ?? '');
    const headers: [string, string][] = [session];
    if (range) headers.push(['Range', range[0]]);
    if (scale !== 1 && takes !== 'silent') headers.push(['Scale', scale.toFixed(2)]);
    say('200', headers);
    this.#cseq = cseq;
    this.#play(spans);
  }

  #play(spans: [number, number][]): void {
    this.#halt();
    this.#startedAt = this.#last = null;
    this.#shownMs = this.#soundSent = 0;
    const { recordings, python } = this.#o;
    const { name, fps, keyFrameMs, kbps } = recordings.profile;
    const config = { name, fps, keyFrameMs, kbps, codec: recordings.codec, spans, keysOnly: this.#keysOnly };
    this.#drawing = new DrawnPictures({
      python,
      config,
      more: () => this.#next(),
      failed: () => this.#client.destroy(),
    });
    this.#playing.add(this);
    this.#o.onPlay(true);
  }

  /** Sends what is due. A picture waits for the one behind it: its stamp says whether there is one. */
  #next(): void {
    const drawing = this.#drawing;
    if (this.#timer || this.#client.writableNeedDrain || !drawing) return;
    const [picture, following] = drawing.queue;
    if (!picture || (!following && !drawing.drawn)) {
      if (!drawing.drawn) drawing.wait();
      else {
        if (this.#odd.end === 'bye') this.#frame(this.#channels + 1, bye(this.#ssrc));
        this.#stop();
      }
      return;
    }
    const { fps, keyFrameMs } = this.#o.recordings.profile;
    const usual = this.#keysOnly ? keyFrameMs : 1000 / fps;
    const step = this.#last === null ? 0 : Math.min(picture.ms - this.#last.ms, usual);
    const now = performance.now();
    this.#startedAt ??= now;
    const due = this.#paced ? this.#startedAt + this.#shownMs + step / this.#scale : now;
    if (due > now) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#next();
      }, due - now);
      return;
    }
    this.#shownMs += step / this.#scale;
    this.#last = picture;
    const end = !following || following.ms - picture.ms > usual * 1.5 + 100;
    this.#send(picture, end, !following);
    if (this.#scale === 1) this.#sendSound(picture);
    drawing.shift();
    const { breaks } = this.#odd;
    if (breaks && this.#shownMs * this.#scale >= breaks.afterMs) this.#break(breaks.how);
    else setImmediate(() => this.#next());
  }

  #break(how: Break['how']): void {
    if (how === 'bye') this.#frame(this.#channels + 1, bye(this.#ssrc));
    if (how === 'teardown') this.#client.write(teardown(this.#session));
    this.#halt();
    if (how === 'reset') this.#client.resetAndDestroy();
  }

  #send(picture: Picture, end: boolean, last: boolean): void {
    const cut = this.#o.recordings.codec === 'h264' ? packets : packets265;
    const nals = splitAnnexB(picture.data).flatMap((nal) => cut(nal));
    const terminal = last && this.#odd.end === 'terminal';
    const key = picture.data
      .subarray(0, 64)
      .includes(Buffer.from([0, 0, 1, this.#o.recordings.codec === 'h264' ? 0x67 : 0x40]));
    const flags = (key ? 0x80 : 0) | (end ? 0x40 : 0) | (this.#broken ? 0x20 : 0) | (terminal ? 0x10 : 0);
    this.#broken = end;
    for (const [i, payload] of nals.entries()) {
      const timestamp = (this.#rtpBase + Math.round(this.#shownMs * 90)) >>> 0;
      const head = this.#head(picture.ms, flags, 96 | (i === nals.length - 1 ? 0x80 : 0), timestamp);
      head.writeUInt16BE(this.#sequence++ & 0xffff, 2);
      this.#frame(this.#channels, Buffer.concat([head, payload]));
    }
  }

  /** A tone of 400 Hz in G.711, up to the picture that is shown. */
  #sendSound(picture: Picture): void {
    if (this.#soundChannel === null) return;
    for (; this.#soundSent + SOUND_SAMPLES <= this.#shownMs * 8; this.#soundSent += SOUND_SAMPLES) {
      const ms = picture.ms - (this.#shownMs - this.#soundSent / 8);
      const head = this.#head(ms, 0, 0, this.#soundSent);
      head.writeUInt16BE(this.#soundSequence++ & 0xffff, 2);
      head.writeUInt32BE((this.#ssrc + 1) >>> 0, 8);
      this.#frame(this.#soundChannel, Buffer.concat([head, TONE]));
    }
  }

  /** RFC 3550 §5.1 with the extension 0xABAC: NTP time, flags, the PLAY's CSeq. */
  #head(ms: number, flags: number, type: number, timestamp: number): Buffer {
    const { stamps, aheadMs } = this.#odd;
    const head = Buffer.alloc(stamps === 'none' ? 12 : 28);
    head[0] = stamps === 'none' ? 0x80 : 0x90;
    head[1] = type;
    head.writeUInt32BE(timestamp, 4);
    head.writeUInt32BE(this.#ssrc, 8);
    if (stamps === 'none') return head;
    const told = ms + aheadMs;
    const seconds = Math.floor(told / 1000);
    head.writeUInt16BE(0xabac, 12);
    head.writeUInt16BE(3, 14);
    head.writeUInt32BE((seconds + NTP_EPOCH_S) >>> 0, 16);
    if (stamps === 'exact') head.writeUInt32BE(Math.floor(((told - seconds * 1000) / 1000) * 2 ** 32), 20);
    head[24] = flags;
    head[25] = this.#cseq & 255;
    return head;
  }

  #frame(channel: number, payload: Buffer): void {
    if (this.#client.destroyed) return;
    this.#client.write(interleaved(channel, payload));
  }

  #stop(): void {
    if (this.#drawing) this.#o.onPlay(false);
    this.#drawing?.close();
    this.#drawing = null;
    this.#playing.delete(this);
  }

  #halt(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stop();
  }
}

/** `20261122T101500.250Z` */
function readClock(label = ''): number {
  const [, y, mo, d, h, mi, s, f] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(label) ?? [];
  return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s)) + Number(f ?? 0) * 1000;
}
