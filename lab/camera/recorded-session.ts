import type { Socket } from 'node:net';
import { DrawnPictures, type Picture } from './drawn-pictures.ts';
import { bye, interleaved, packets, packets265, SOUND_SAMPLES, splitAnnexB, TONE } from './recorded-packets.ts';
import type { Recordings } from './recordings.ts';
import { encode, header, type RtspMessage } from './rtsp-messages.ts';

/** The recorder ends each session after so much of it. */
export interface Break {
  afterMs: number;
  how: 'bye' | 'teardown' | 'reset' | 'silence';
}
/** How a recorder plays its tracks; tests switch these. */
export interface TrackOdd {
  /** Scale is taken up to 16 or up to 4, refused (457) beyond; or answered and not done. */
  scale: 'taken' | 'some' | 'refused';
  /** Speed is not looked at; taken; answered with timestamps that run faster; answered with key frames only; answered and not done. */
  speed: 'ignored' | 'taken' | 'squeezed' | 'thinned' | 'claimed';
  breaks: Break | null;
}
export const plainTracks: TrackOdd = { scale: 'taken', speed: 'ignored', breaks: null };

export interface RecordedOptions {
  recordings: Recordings;
  python: string;
  /** Sessions that play now, and ever. */
  onPlay: (now: boolean) => void;
}

export const isRecorded = (uri: string): boolean => /^rtsp:\/\/[^/]+(\/isapi)?\/streaming\/tracks\/\d+/i.test(uri);

const RTP_CLOCK = 90;
/** From this speed on it sends key frames only. */
const KEYS_ONLY_FROM = 4;
const SCALES = [0.25, 0.5, 1, 2, 4, 8, 16];
const ANSWERS: Record<string, string> = {
  '200': 'OK',
  '404': 'Not Found',
  '454': 'Session Not Found',
  '457': 'Invalid Range',
};

/**
 * Playback over one RTSP connection, as these devices do it: the time stands in the address or in the Range of PLAY, speed in
 * Scale; what was not recorded is left out; the end is an RTCP BYE, or on older firmware silence.
 */
export class RecordedSession {
  readonly #o: RecordedOptions;
  readonly #client: Socket;
  readonly #session = String(1_000_000 + Math.floor(Math.random() * 9_000_000));
  readonly #ssrc = Math.floor(Math.random() * 2 ** 32);
  #sequence = Math.floor(Math.random() * 65_536);
  #rtpBase = Math.floor(Math.random() * 2 ** 31);
  #drawing: DrawnPictures | null = null;
  #timer: NodeJS.Timeout | null = null;
  #scale = 1;
  /** Everything comes so much sooner. */
  #speed = 1;
  #startedAt: number | null = null;
  /** What the pictures so far are on the line of what is shown, in ms. */
  #shownMs = 0;
  #last: number | null = null;
  #channels = 0;
  /** Null: nobody asked for it. */
  #soundChannel: number | null = null;
  #soundSequence = 0;
  #soundSent = 0;

  constructor(client: Socket, options: RecordedOptions) {
    this.#client = client;
    this.#o = options;
    client.on('drain', () => this.#next());
  }

  request(message: RtspMessage): void {
    const [method = '', uri = ''] = message.first.split(' ');
    const cseq = header(message, 'cseq') ?? '0';
    const say = (status: string, headers: [string, string][] = [], body = '') =>
      this.#client.write(
        encode({
          first: `RTSP/1.0 ${status} ${ANSWERS[status]}`,
          headers: [
            ['CSeq', cseq],
            ...headers,
            ...(body ? [['Content-Length', String(Buffer.byteLength(body))] as [string, string]] : []),
          ],
          body: Buffer.from(body),
        }),
      );
    const session: [string, string] = ['Session', `${this.#session};timeout=60`];
    const asked = this.#asked(uri);
    if (method === 'DESCRIBE') {
      if (!asked || this.#o.recordings.spans(asked.fromMs, asked.toMs).length === 0) return void say('404');
      // The control of the track is absolute, behind the query.
      const lines = [
        'v=0',
        'o=- 1 1 IN IP4 0.0.0.0',
        's=Media Presentation',
        'c=IN IP4 0.0.0.0',
        't=0 0',
        'a=control:*',
      ];
      lines.push('m=video 0 RTP/AVP 96', `a=rtpmap:96 ${this.#o.recordings.codec.toUpperCase()}/90000`);
      if (this.#o.recordings.codec === 'h264') lines.push('a=fmtp:96 packetization-mode=1');
      lines.push(`a=control:${uri}/trackID=1`, 'm=audio 0 RTP/AVP 0', `a=control:${uri}/trackID=2`);
      const type: [string, string][] = [
        ['Content-Type', 'application/sdp'],
        ['Content-Base', uri],
      ];
      return void say('200', type, `${lines.join('\r\n')}\r\n`);
    }
    if (method === 'SETUP') {
      const channels = Number(/interleaved=(\d+)/.exec(header(message, 'transport') ?? '')?.[1] ?? 0);
      if (uri.endsWith('/trackID=2')) this.#soundChannel = channels;
      else this.#channels = channels;
      const transport = `RTP/AVP/TCP;unicast;interleaved=${channels}-${channels + 1};mode="play"`;
      return void say('200', [session, ['Transport', transport]]);
    }
    if (method === 'PLAY') {
      const range = /clock=([\dTZ]+)-([\dTZ]*)/.exec(header(message, 'range') ?? '');
      const { recordings } = this.#o;
      const from = range ? recordings.read(range[1]!) : asked?.fromMs;
      const to = range?.[2] ? recordings.read(range[2]) : asked?.toMs;
      const scale = Number(header(message, 'scale') ?? 1);
      const nearest = SCALES.reduce((a, b) => (Math.abs(b - scale) < Math.abs(a - scale) ? b : a));
      if (from === undefined || to === undefined || !(from < to)) return void say('457');
      const { tracks } = recordings;
      if (scale !== 1 && (tracks.scale === 'refused' || (tracks.scale === 'some' && scale > 4))) return void say('457');
      const sooner = tracks.speed === 'ignored' ? 1 : Math.min(8, Number(header(message, 'speed') ?? 1));
      this.#speed = tracks.speed === 'claimed' ? 1 : sooner;
      const spans = recordings.spans(from, to);
      const headers: [string, string][] = [
        session,
        ['Range', `clock=${short(recordings.label(spans[0]?.[0] ?? from))}-`],
      ];
      if (header(message, 'scale')) headers.push(['Scale', nearest.toFixed(2)]);
      if (sooner !== 1) headers.push(['Speed', sooner.toFixed(1)]);
      headers.push(['RTP-Info', `url=${uri};seq=${this.#sequence & 0xffff};rtptime=${this.#rtpBase >>> 0}`]);
      say('200', headers);
      this.#play(spans, nearest);
      return;
    }
    if (method === 'OPTIONS') {
      say('200', [['Public', 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN']]);
      return;
    }
    if (method === 'PAUSE' || method === 'TEARDOWN') this.#halt();
    say('200', [session]);
  }

  close(): void {
    this.#halt();
  }

  #asked(uri: string): { fromMs: number; toMs: number } | null {
    const query = new URLSearchParams(uri.split('?')[1]?.split('/trackID')[0] ?? '');
    const [from, to] = [query.get('starttime'), query.get('endtime')];
    const { recordings } = this.#o;
    const range = { fromMs: recordings.read(from ?? ''), toMs: recordings.read(to ?? '') };
    return Number.isNaN(range.fromMs) || Number.isNaN(range.toMs) ? null : range;
  }

  #play(spans: [number, number][], scale: number): void {
    this.#halt();
    this.#scale = scale;
    this.#startedAt = this.#last = null;
    this.#shownMs = this.#soundSent = 0;
    const { profile } = this.#o.recordings;
    const { name, fps, keyFrameMs, kbps } = profile;
    const { codec } = this.#o.recordings;
    const config = { name, fps, keyFrameMs, kbps, codec, spans, keysOnly: this.#keysOnly };
    this.#drawing = new DrawnPictures({
      python: this.#o.python,
      config,
      more: () => this.#next(),
      failed: () => this.#client.destroy(),
    });
    this.#o.onPlay(true);
  }

  /** Sends what is due, and comes back when the next picture is. */
  #next(): void {
    const drawing = this.#drawing;
    if (this.#timer || this.#client.writableNeedDrain || !drawing) return;
    const picture = drawing.queue[0];
    if (!picture) {
      if (!drawing.drawn) {
        drawing.wait();
        return;
      }
      if (this.#o.recordings.profile.odd.time === 'offset') this.#frame(this.#channels + 1, bye(this.#ssrc));
      this.#halt();
      return;
    }
    const now = performance.now();
    const { fps, keyFrameMs } = this.#o.recordings.profile;
    // A gap takes no time.
    const usual = this.#keysOnly ? keyFrameMs : 1000 / fps;
    const step = this.#last === null ? 0 : Math.min(picture.ms - this.#last, usual);
    this.#startedAt ??= now;
    const due = this.#startedAt + (this.#shownMs + step / this.#scale) / this.#speed;
    if (due > now) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#next();
      }, due - now);
      return;
    }
    this.#shownMs += step / this.#scale;
    this.#last = picture.ms;
    if (this.#scale === 1) this.#sendSound();
    drawing.shift();
    this.#send(picture);
    const { breaks } = this.#o.recordings.tracks;
    if (breaks && this.#shownMs * this.#scale >= breaks.afterMs) this.#break(breaks.how);
    else setImmediate(() => this.#next());
  }

  get #keysOnly(): boolean {
    return this.#scale >= KEYS_ONLY_FROM || (this.#speed > 1 && this.#o.recordings.tracks.speed === 'thinned');
  }

  #break(how: Break['how']): void {
    if (how === 'bye') this.#frame(this.#channels + 1, bye(this.#ssrc));
    if (how === 'teardown') this.#client.write(teardown(this.#session));
    this.#halt();
    if (how === 'reset') this.#client.resetAndDestroy();
  }

  #send(picture: Picture): void {
    const squeezed = this.#o.recordings.tracks.speed === 'squeezed' ? this.#speed : 1;
    const timestamp = (this.#rtpBase + Math.round((this.#shownMs / squeezed) * RTP_CLOCK)) >>> 0;
    const cut = this.#o.recordings.codec === 'h264' ? packets : packets265;
    const nals = splitAnnexB(picture.data).flatMap((nal) => cut(nal));
    for (const [i, payload] of nals.entries()) {
      const head = Buffer.alloc(12);
      head[0] = 0x80;
      head[1] = 96 | (i === nals.length - 1 ? 0x80 : 0);
      head.writeUInt16BE(this.#sequence++ & 0xffff, 2);
      head.writeUInt32BE(timestamp, 4);
      head.writeUInt32BE(this.#ssrc, 8);
      this.#frame(this.#channels, Buffer.concat([head, payload]));
    }
  }

  /** A tone of 400 Hz in G.711, up to the picture that is shown. */
  #sendSound(): void {
    if (this.#soundChannel === null) return;
    for (; this.#soundSent + SOUND_SAMPLES <= this.#shownMs * 8; this.#soundSent += SOUND_SAMPLES) {
      const head = Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      head.writeUInt16BE(this.#soundSequence++ & 0xffff, 2);
      head.writeUInt32BE(this.#soundSent, 4);
      head.writeUInt32BE((this.#ssrc + 1) >>> 0, 8);
      this.#frame(this.#soundChannel, Buffer.concat([head, TONE]));
    }
  }

  #frame(channel: number, payload: Buffer): void {
    if (this.#client.destroyed) return;
    this.#client.write(interleaved(channel, payload));
  }

  #halt(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    // Timestamps of the next PLAY go on from here.
    this.#rtpBase = (this.#rtpBase + Math.round(this.#shownMs * RTP_CLOCK) + 3600) >>> 0;
    this.#shownMs = 0;
    if (!this.#drawing) return;
    this.#drawing.close();
    this.#drawing = null;
    this.#o.onPlay(false);
  }
}

/** A recorder that wants its place back. */
export const teardown = (session: string): Buffer =>
  Buffer.from(`TEARDOWN * RTSP/1.0\r\nCSeq: 1\r\nSession: ${session}\r\n\r\n`);
const short = (label: string) => label.replace(/[-:]/g, '');
