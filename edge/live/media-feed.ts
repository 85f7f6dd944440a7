import type { Clock } from '../../protocol/clock.ts';
import { type MediaMessage, writeMedia } from '../../protocol/wire/media.ts';
import type { StreamName, VideoKind } from '../../protocol/wire/video.ts';
import { initSegment, mediaFragment, type Sample, type SoundSample, TIMESCALE } from '../clips/fmp4.ts';
import { AAC_SAMPLES, type AudioCodec, type AudioFrame, audioTicks, fitsMp4 } from '../video/audio.ts';
import type { AccessUnit } from '../video/receiver.ts';
import type { AacSounds } from './aac-sounds.ts';
import { type PictureSource, type PictureSources, Pictures } from './pictures.ts';

const USUAL_TICKS = TIMESCALE / 25;
/**
 * Players take a decode time that is more than twice the last duration away for a hole, and show nothing up to the next key
 * frame (Media Source Extensions §3.5.8), although nothing is missing: a camera in the dark sends fewer pictures at once.
 */
const MAX_STEP = 1.9;
const LEAST_TICKS = USUAL_TICKS / 4;
/** Sound that is late by more holds up the pictures beside it in a player: silence stands in. */
const SOUND_LATE_MS = 400;
const SOUND_BEHIND_MS = 100;
/** That is made here comes through a process, and nobody waits for it. */
const MADE_LATE_MS = 2_000;
const MADE_BEHIND_MS = 1_000;
/** Sound that always comes so much later than its pictures is waited for. */
const MAX_BEHIND_MS = 2_000;
/** Sound that waits for the next picture; more than that stands beside none. */
const MAX_WAITING = 2_000;
/** Of one frame to the next: what is remembered of how late sound was. */
const FORGETTING = 0.995;
/** 20 ms of an Opus decoder that hears nothing (RFC 6716 §3.1). */
const OPUS_SILENCE = Buffer.from('f8fffe', 'hex');
/** Access units of AAC LC that are silent, by channels (ISO/IEC 14496-3 raw_data_block). */
const SILENCE: Record<number, Buffer> = {
  1: Buffer.from('00c800802380', 'hex'),
  2: Buffer.from('210049900219002380', 'hex'),
};

/**
 * Live pictures as media messages (protocol/wire/media.ts): a fragment for each picture, the group that runs already in one
 * piece. Times grow over reconnects of the camera.
 */
export class MediaFeed {
  readonly #pictures: Pictures;
  readonly #send: (message: Uint8Array) => void;
  readonly #end: () => void;
  readonly #clock: Clock;
  #sequence = 0;
  #codec: AccessUnit['codec'] | null = null;
  #epoch = -1;
  #transcoded = false;
  /** Stream time of the media's time 0, and the picture before. */
  #base = 0;
  #last: { time: number; monoMs: number; duration: number; decodeTime: number } | null = null;
  /** AAC or Opus that goes into the MP4; null: none, or G.711 beside it. */
  #sound: AudioCodec | null = null;
  #law: 'pcmu' | 'pcma' | null = null;
  #waiting: SoundSample[] = [];
  #soundStart = 0;
  /** Where the next access unit of sound belongs, in its ticks of media time; null before the first. */
  #soundNext: number | null = null;
  readonly #sounds: AacSounds | null;
  /** AAC that is made of the source's G.711. */
  #made: { source: PictureSource; release: () => void } | null = null;
  /** How much later than its pictures sound comes. */
  #soundBehindMs = 0;

  constructor(o: {
    sources: PictureSources;
    clock: Clock;
    deviceId: string;
    channel: number;
    stream: StreamName;
    accept: readonly VideoKind[];
    /** Makes AAC of G.711; null: that goes beside the pictures, as it is. */
    sounds?: AacSounds | null;
    send: (message: Uint8Array) => void;
    end: () => void;
  }) {
    this.#send = o.send;
    this.#end = o.end;
    this.#clock = o.clock;
    this.#sounds = o.sounds ?? null;
    this.#pictures = new Pictures({
      sources: o.sources,
      clock: o.clock,
      deviceId: o.deviceId,
      channel: o.channel,
      stream: o.stream,
      accept: o.accept,
      sink: {
        unit: (unit) => this.#unit(unit),
        audio: (frame) => this.#audio(frame),
        note: (code, text) => this.#note(code, text),
        ended: (code, text) => {
          this.#note(code, text);
          this.#end();
        },
      },
    });
  }

  /** False: there is no such channel. */
  start(): boolean {
    return this.#pictures.start();
  }

  stop(): void {
    this.#made?.release();
    this.#made = null;
    this.#pictures.stop();
  }

  #unit(unit: AccessUnit): void {
    const anew =
      unit.codec !== this.#codec || unit.epoch !== this.#epoch || this.#transcoded !== this.#pictures.transcoded;
    if (anew) {
      if (!unit.keyFrame) return;
      this.#begin(unit);
    }
    const time = Math.max(unit.time - this.#base, (this.#last?.time ?? -1) + 1);
    const step = this.#last ? time - this.#last.time : USUAL_TICKS;
    const most = Math.floor((this.#last?.duration ?? USUAL_TICKS) * MAX_STEP);
    const duration = anew ? (this.#last?.duration ?? USUAL_TICKS) : Math.max(Math.min(step, most), LEAST_TICKS);
    // Decoded a little early, shown when it belongs. Behind a hole a key frame is taken.
    const decodeTime = unit.keyFrame || !this.#last ? time : Math.min(time, this.#last.decodeTime + most);
    this.#last = { time, monoMs: unit.monoMs, duration, decodeTime };
    // The init segment has the parameter sets.
    const data = unit.keyFrame ? unit.data.subarray(unit.codec.prefix.length) : unit.data;
    const compositionOffset = unit.compositionOffset + time - decodeTime;
    const sample: Sample = { data, duration, compositionOffset, keyFrame: unit.keyFrame };
    const fragment = mediaFragment(++this.#sequence, decodeTime, [sample], this.#takeSound(time));
    this.#say({ type: unit.keyFrame ? 'key' : 'delta', wallMs: unit.wallMs, data: fragment });
  }

  #begin(unit: AccessUnit): void {
    const { codec } = unit;
    // What our own clock saw pass fills the hole.
    const gap = this.#last ? Math.round((unit.monoMs - this.#last.monoMs) * (TIMESCALE / 1000)) : 0;
    const next = this.#last ? this.#last.time + Math.max(gap, this.#last.duration) : 0;
    this.#base = unit.time - next;
    this.#codec = codec;
    this.#epoch = unit.epoch;
    this.#transcoded = this.#pictures.transcoded;
    const sound = this.#soundOf(this.#pictures.source);
    this.#sound = sound && fitsMp4(sound) ? sound : null;
    this.#law = sound?.kind === 'pcmu' || sound?.kind === 'pcma' ? sound.kind : null;
    this.#waiting = [];
    this.#soundNext = null;
    const codecs = this.#sound ? `${codec.codec}, ${this.#sound.codec}` : codec.codec;
    const { width, height } = codec;
    this.#say({
      type: 'init',
      init: { codecs, width, height, audio: this.#law, transcoded: this.#transcoded },
      data: initSegment(codec, this.#sound ?? undefined),
    });
  }

  /** As it comes, or as it is made; what is made no more is let go of. */
  #soundOf(source: PictureSource | null): AudioCodec | null {
    const sound = source?.sound ?? null;
    const wanted = this.#sounds && source && sound && !fitsMp4(sound) ? source : null;
    if (this.#made && this.#made.source !== wanted) {
      this.#made.release();
      this.#made = null;
    }
    if (wanted && !this.#made) {
      const release = this.#sounds!.take(wanted, (frame) => this.#audio(frame));
      if (release) this.#made = { source: wanted, release };
    }
    return this.#made ? this.#sounds!.codec : sound;
  }

  #audio(frame: AudioFrame): void {
    if (this.#last === null || frame.epoch !== this.#epoch) return;
    const { kind, clockRate } = frame.codec;
    if (kind === this.#law) this.#say({ type: 'audio', wallMs: frame.wallMs, data: frame.data });
    if (!this.#sound || kind !== this.#sound.kind) return;
    const time = frame.time - Math.round((this.#base / TIMESCALE) * clockRate);
    const behindMs = (this.#last.time * 1000) / TIMESCALE - (time * 1000) / clockRate;
    this.#soundBehindMs = Math.min(MAX_BEHIND_MS, Math.max(behindMs, this.#soundBehindMs * FORGETTING, 0));
    if (time < (this.#soundNext ?? 0) - AAC_SAMPLES / 2 || this.#waiting.length >= MAX_WAITING) return;
    this.#append(time, frame.data);
  }

  #append(time: number, data: Buffer): void {
    if (this.#waiting.length === 0) this.#soundStart = Math.max(time, this.#soundNext ?? 0);
    const duration = audioTicks({ codec: this.#sound!, data });
    this.#waiting.push({ data, duration });
    this.#soundNext = Math.max(time, this.#soundNext ?? 0) + duration;
  }

  /** The sound that has come since the picture before. */
  #takeSound(pictureTime: number) {
    if (!this.#sound) return null;
    const { kind, clockRate, channels } = this.#sound;
    const now = Math.round((pictureTime / TIMESCALE) * clockRate);
    const silence = kind === 'opus' ? OPUS_SILENCE : SILENCE[channels];
    const late = now - (this.#soundNext ?? 0);
    const usual = this.#soundBehindMs;
    this.#soundNext ??= Math.max(0, now - Math.round((usual * clockRate) / 1000));
    const [lateMs, behindMs] = this.#made
      ? [MADE_LATE_MS, MADE_BEHIND_MS]
      : [SOUND_LATE_MS + usual, SOUND_BEHIND_MS + usual];
    if (silence && late > (lateMs * clockRate) / 1000)
      while (now - this.#soundNext > (behindMs * clockRate) / 1000) this.#append(this.#soundNext, silence);
    if (this.#waiting.length === 0) return null;
    const sound = { decodeTime: this.#soundStart, samples: this.#waiting };
    this.#waiting = [];
    return sound;
  }

  #note(code: string, text: string): void {
    this.#say({ type: 'note', note: { code, text } });
  }

  #say(message: MediaMessage): void {
    this.#send(writeMedia(message));
  }
}
