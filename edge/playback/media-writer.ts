import { type MediaMessage, type MediaNote, writeMedia } from '../../protocol/wire/media.ts';
import { type FragmentSound, initSegment, mediaFragment, TIMESCALE } from '../clips/fmp4.ts';
import { type Cut, Fragmenter } from '../clips/fragmenter.ts';
import type { AacEncoder } from '../video/aac.ts';
import { type AudioCodec, type AudioFrame, audioTicks, fitsMp4 } from '../video/audio.ts';
import type { CodecInfo } from '../video/codec.ts';
import type { RecordedPicture } from './span-pull.ts';

/** What goes out, and in which form. */
export interface MediaSink {
  /** What comes beside the pictures. */
  expect(sound: AudioCodec['kind'] | null): void;
  init(codec: CodecInfo, audio: AudioCodec | null, transcoded: boolean): void;
  fragment(at: { recordedMs: number; keyFrame: boolean }, bytes: Buffer): void;
  /** G.711, which no MP4 takes. */
  sound(frame: AudioFrame, recordedMs: number): void;
}

/** Small pieces, so that little is waited for. */
const PIECE_TICKS = TIMESCALE / 5;
/** Sound that a device announces comes by then, or not at all: a track without sound would stop the player. */
const SOUND_WITHIN_TICKS = TIMESCALE / 2;
/** An encoder has to start first. */
const ENCODED_WITHIN_TICKS = 4 * TIMESCALE;
/** Seconds of the largest pictures, whatever their times say. */
const MAX_EARLY_BYTES = 32 * 1024 * 1024;
/** Sound that waits for pictures beside it; more than that stands beside none. */
const MAX_WAITING = 2_000;

/** Turns recorded pictures and their sound into one row of MP4 fragments, on the time line of what is shown. */
export class MediaWriter {
  readonly #sink: MediaSink;
  readonly #encoder: AacEncoder | null;
  /** The pictures are others than were recorded. */
  transcoded = false;
  #codec: CodecInfo | null = null;
  #fragmenter: Fragmenter | null = null;
  #number = 0;
  /** Recorded times of the pictures that are in the fragmenter. */
  #times: number[] = [];
  #flushed = 0;
  /** Shown time of what stands at 0 in this row of fragments. */
  #zero = 0;
  #audio: AudioCodec | null = null;
  #waiting: AudioFrame[] = [];
  /** Cuts before it is known whether there is sound. */
  #early: Cut[] | null = null;
  #earlyBytes = 0;
  /** From the last picture's own time line to the one that is shown: sound beside it goes the same way. */
  #beside = 0;
  #lastMs = 0;

  /** `encoder`: to have G.711 in the MP4 as well. */
  constructor(sink: MediaSink, encoder: ((out: (frame: AudioFrame) => void) => AacEncoder) | null = null) {
    this.#sink = sink;
    this.#encoder = encoder?.((frame) => this.#placed(frame)) ?? null;
  }

  /** How much sound the encoder has not given back yet. */
  get soundBehindMs(): number {
    return this.#encoder?.behindMs ?? 0;
  }

  /** `expectsSound`: sound that goes into the MP4 was announced. */
  picture({ unit, recordedMs, shown }: RecordedPicture, expectsSound: boolean): void {
    if (unit.keyFrame && !isSame(unit.codec, this.#codec)) this.#begin(unit.codec, shown, expectsSound);
    const fragmenter = this.#fragmenter;
    if (!fragmenter) return;
    this.#beside = shown - unit.time;
    this.#times.push(recordedMs);
    fragmenter.add({ ...unit, time: shown, epoch: 0 });
    if (shown - this.#flushed < PIECE_TICKS) return;
    this.#flushed = shown;
    fragmenter.flush();
  }

  sound(frame: AudioFrame, recordedMs: number): void {
    const fits = fitsMp4(frame.codec);
    if (!fits && !this.#encoder) {
      this.#sink.sound(frame, recordedMs);
      return;
    }
    if (!this.#fragmenter) return;
    const time = frame.time + Math.round((this.#beside * frame.codec.clockRate) / TIMESCALE);
    if (fits) this.#placed({ ...frame, time });
    else this.#encoder?.push({ ...frame, time, epoch: 0 });
  }

  /** Everything is written, also what an encoder still had. */
  async end(): Promise<void> {
    await this.#encoder?.end();
    this.#finish();
  }

  #placed(frame: AudioFrame): void {
    if (!this.#fragmenter || (!this.#early && this.#audio === null) || this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push(frame);
    if (this.#early) this.#open(frame.codec);
  }

  #finish(): void {
    this.#fragmenter?.end();
    if (this.#early) this.#open(null);
    const left = this.#soundUntil(Number.POSITIVE_INFINITY);
    if (left && this.#codec) {
      const bytes = mediaFragment(++this.#number, 0, [], left);
      this.#sink.fragment({ recordedMs: this.#lastMs, keyFrame: false }, bytes);
    }
    this.#fragmenter = null;
    this.#codec = null;
  }

  #begin(codec: CodecInfo, shown: number, expectsSound: boolean): void {
    this.#finish();
    this.#codec = codec;
    this.#zero = this.#flushed = shown;
    this.#times = [];
    this.#waiting = [];
    this.#audio = null;
    this.#early = [];
    this.#earlyBytes = 0;
    this.#fragmenter = new Fragmenter((cut) => this.#cut(cut));
    if (!expectsSound) this.#open(null);
  }

  /** It is known now whether sound comes with it. */
  #open(audio: AudioCodec | null): void {
    const early = this.#early ?? [];
    this.#early = null;
    this.#audio = audio;
    this.#sink.init(this.#codec!, audio, this.transcoded);
    for (const cut of early) this.#write(cut);
  }

  #cut(cut: Cut): void {
    if (!this.#early) {
      this.#write(cut);
      return;
    }
    this.#early.push(cut);
    this.#earlyBytes += cut.bytes;
    const late = cut.decodeTime > (this.#encoder ? ENCODED_WITHIN_TICKS : SOUND_WITHIN_TICKS);
    if (late || this.#earlyBytes > MAX_EARLY_BYTES) this.#open(null);
  }

  #write(cut: Cut): void {
    const [recordedMs = 0] = this.#times.splice(0, cut.samples.length);
    this.#lastMs = recordedMs;
    const bytes = mediaFragment(++this.#number, cut.decodeTime, cut.samples, this.#soundFor(cut));
    this.#sink.fragment({ recordedMs, keyFrame: cut.keyFrame }, bytes);
  }

  /** What is to be heard up to the end of these pictures. */
  #soundFor(cut: Cut): FragmentSound | null {
    const ticks = cut.samples.reduce((sum, sample) => sum + sample.duration, 0);
    return this.#soundUntil(this.#zero + cut.decodeTime + ticks);
  }

  /** `shown`: in 90 kHz. */
  #soundUntil(shown: number): FragmentSound | null {
    if (!this.#audio || this.#waiting.length === 0) return null;
    const rate = this.#audio.clockRate;
    const zero = Math.round((this.#zero * rate) / TIMESCALE);
    const end = Math.round((shown * rate) / TIMESCALE);
    const ready = this.#waiting.filter((frame) => frame.time < end && frame.time >= zero);
    this.#waiting = this.#waiting.filter((frame) => frame.time >= end);
    const [first] = ready;
    if (!first) return null;
    // A hole is filled by the frame before it lasting longer.
    const samples = ready.map((frame, i) => ({
      data: frame.data,
      duration: Math.max(1, (ready[i + 1]?.time ?? frame.time + audioTicks(frame)) - frame.time),
    }));
    return { decodeTime: first.time - zero, samples };
  }
}

const isSame = (a: CodecInfo, b: CodecInfo | null): boolean =>
  a === b || (b !== null && a.kind === b.kind && a.prefix.equals(b.prefix));

/** Media messages, each behind its length (protocol/wire/media.ts). */
export class MessageSink implements MediaSink {
  readonly #push: (bytes: Uint8Array) => void;
  /** Of G.711 beside the pictures. */
  #law: 'pcmu' | 'pcma' | null = null;
  #begun = false;
  constructor(push: (bytes: Uint8Array) => void) {
    this.#push = push;
  }

  expect(sound: AudioCodec['kind'] | null): void {
    this.#law = sound === 'pcmu' || sound === 'pcma' ? sound : null;
  }

  init(codec: CodecInfo, audio: AudioCodec | null, transcoded: boolean): void {
    this.#begun = true;
    const codecs = audio ? `${codec.codec}, ${audio.codec}` : codec.codec;
    const { width, height } = codec;
    const init = { codecs, width, height, audio: this.#law, transcoded };
    this.#send({ type: 'init', init, data: initSegment(codec, audio ?? undefined) });
  }

  fragment({ recordedMs, keyFrame }: { recordedMs: number; keyFrame: boolean }, data: Buffer): void {
    this.#send({ type: keyFrame ? 'key' : 'delta', wallMs: recordedMs, data });
  }

  sound(frame: AudioFrame, recordedMs: number): void {
    // `init` comes first.
    if (this.#law && this.#begun) this.#send({ type: 'audio', wallMs: recordedMs, data: frame.data });
  }

  note(note: MediaNote): void {
    this.#send({ type: 'note', note });
  }

  #send(message: MediaMessage): void {
    const bytes = writeMedia(message);
    const out = new Uint8Array(4 + bytes.length);
    new DataView(out.buffer).setUint32(0, bytes.length);
    out.set(bytes, 4);
    this.#push(out);
  }
}
