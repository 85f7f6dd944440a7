import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { initSegment, mediaFragment } from '../clips/fmp4.ts';
import type { AudioCodec, AudioFrame } from './audio.ts';
import type { ChannelSource, ChannelState, Consumer } from './channel-source.ts';
import type { CodecInfo, VideoKind } from './codec.ts';
import { Mp4Reader } from './mp4-reader.ts';
import type { AccessUnit } from './receiver.ts';
import { Ring } from './ring.ts';

export interface TranscodedSourceOptions {
  base: Pick<ChannelSource, 'acquire' | 'ring' | 'state' | 'sound'>;
  /** Of the picture that comes out, at most. */
  height: number;
  clock: Clock;
  log: Logger;
  ffmpeg: string;
  /** Somebody holds it; and nobody does any more. */
  onHeld: (held: boolean) => void;
}

const RING_BYTES = 16 * 1024 * 1024;
const LINGER_MS = 5_000;
/** What the encoder has not taken. Above the first it gets no more until it is below the second, and a key frame comes. */
const FULL_BYTES = 4 * 1024 * 1024;
const LOW_BYTES = 512 * 1024;
/** An encoder that ends by itself is not started again at once. */
const PAUSE_MS = 3_000;
/** Pictures on their way through the encoder whose time of day is kept. */
const MAX_UNDER_WAY = 250;

/**
 * H.264 made of a stream's pictures for viewers that cannot decode them, by one ffmpeg, however many hold it. It takes the
 * pictures that were pulled anyway, and keeps their times: 85 ms later than they came. Sound goes by untouched.
 *
 * Pictures go to ffmpeg as fragmented MP4 and come back as such, so that each is known by its time.
 */
export class TranscodedSource implements Consumer {
  readonly ring = new Ring(RING_BYTES);
  readonly preRollMs = 0;
  readonly #o: TranscodedSourceOptions;
  readonly #consumers = new Set<Consumer>();
  #release: (() => void) | null = null;
  #cancelLinger: (() => void) | null = null;
  #child: ChildProcessWithoutNullStreams | null = null;
  #input: { codec: CodecInfo; epoch: number; first: AccessUnit; last: AccessUnit; count: number } | null = null;
  #underWay: AccessUnit[] = [];
  #codec: CodecInfo | null = null;
  #full = false;
  #notBeforeMs = 0;

  constructor(options: TranscodedSourceOptions) {
    this.#o = options;
  }

  get state(): ChannelState {
    const state = this.#o.base.state;
    if (state.video !== 'streaming') return state;
    return { ...state, video: this.#codec ? 'streaming' : 'connecting', codec: this.#codec?.codec ?? null };
  }
  get codec(): CodecInfo | null {
    return this.#codec;
  }
  get sound(): AudioCodec | null {
    return this.#o.base.sound;
  }
  async described(): Promise<VideoKind> {
    return 'h264';
  }

  /** Starts the encoder when this is the first consumer. The returned function releases it. */
  acquire(consumer: Consumer): () => void {
    this.#consumers.add(consumer);
    this.ring.holdMs = Math.max(0, ...[...this.#consumers].map((c) => c.preRollMs));
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    if (!this.#release) {
      this.#o.onHeld(true);
      this.#release = this.#o.base.acquire(this);
      // What there is of the group that runs: the viewer need not wait for the next one.
      for (const unit of this.#o.base.ring.from(this.#o.clock.mono())) this.accessUnit(unit);
    }
    return () => {
      if (!this.#consumers.delete(consumer) || this.#consumers.size > 0) return;
      this.#cancelLinger = this.#o.clock.after(LINGER_MS, () => this.stop());
    };
  }

  /** Ends the encoder. */
  stop(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    if (!this.#release) return;
    this.#release();
    this.#release = null;
    this.#end();
    this.ring.clear();
    this.#o.onHeld(false);
    for (const consumer of [...this.#consumers]) consumer.lost('the conversion ended');
  }

  accessUnit(unit: AccessUnit): void {
    const input = this.#input;
    if (input && (unit.codec !== input.codec || unit.epoch !== input.epoch)) this.#end();
    if (!this.#input && !this.#begin(unit)) return;
    const { stdin } = this.#child!;
    if (this.#full) {
      if (!unit.keyFrame || stdin.writableLength > LOW_BYTES) return;
      this.#full = false;
    } else if (stdin.writableLength > FULL_BYTES) {
      this.#full = true;
      return;
    }
    const { first, last, count } = this.#input!;
    this.#underWay.push(unit);
    if (this.#underWay.length > MAX_UNDER_WAY) this.#underWay.shift();
    const data = unit.keyFrame ? unit.data.subarray(unit.codec.prefix.length) : unit.data;
    const duration = Math.max(1, Math.min(unit.time - last.time || 3600, 90_000));
    const sample = { data, duration, compositionOffset: unit.compositionOffset, keyFrame: unit.keyFrame };
    stdin.write(mediaFragment(count + 1, unit.time - first.time, [sample]));
    Object.assign(this.#input!, { last: unit, count: count + 1 });
  }

  audio(frame: AudioFrame): void {
    this.ring.pushAudio(frame);
    for (const consumer of this.#consumers) consumer.audio?.(frame);
  }

  lost(reason: string): void {
    this.#end();
    for (const consumer of [...this.#consumers]) consumer.lost(reason);
  }

  #begin(unit: AccessUnit): boolean {
    if (!unit.keyFrame || this.#o.clock.mono() < this.#notBeforeMs) return false;
    const child = spawn(this.#o.ffmpeg, argumentsFor(Math.min(this.#o.height, unit.codec.height)), { stdio: 'pipe' });
    this.#child = child;
    this.#input = { codec: unit.codec, epoch: unit.epoch, first: unit, last: unit, count: 0 };
    this.#full = false;
    child.stdin.on('error', () => {});
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-1000);
    });
    const reader = new Mp4Reader((picture) => this.#made(picture));
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#child !== child) return;
      try {
        if (!reader.push(chunk)) child.kill('SIGKILL');
      } catch (err) {
        this.#o.log.warn({ err }, 'what the conversion of a picture made could not be read');
        child.kill('SIGKILL');
      }
    });
    const over = (err?: Error) => {
      if (this.#child !== child) return;
      this.#o.log.warn({ err, stderr }, 'the conversion of a picture ended; it is tried again');
      this.#notBeforeMs = this.#o.clock.mono() + PAUSE_MS;
      this.#end();
      for (const consumer of [...this.#consumers]) consumer.lost('the conversion broke off');
    };
    child.once('error', over);
    child.once('close', () => over());
    child.stdin.write(initSegment(unit.codec));
    return true;
  }

  #made({ codec, time, keyFrame, data }: { codec: CodecInfo; time: number; keyFrame: boolean; data: Buffer }): void {
    const { first, epoch } = this.#input!;
    const shown = time + first.time;
    // Those before it will not come any more.
    const at = this.#underWay.findIndex((u) => u.time + u.compositionOffset === shown);
    const from = at < 0 ? (this.#underWay[0] ?? first) : this.#underWay[at]!;
    if (at >= 0) this.#underWay.splice(0, at + 1);
    const apartMs = (shown - from.time - from.compositionOffset) / 90;
    this.#codec = codec;
    const unit: AccessUnit = {
      data,
      keyFrame,
      time: shown,
      compositionOffset: 0,
      epoch,
      codec,
      monoMs: from.monoMs + apartMs,
      wallMs: Math.round(from.wallMs + apartMs),
    };
    this.ring.push(unit);
    for (const consumer of this.#consumers) consumer.accessUnit(unit);
  }

  #end(): void {
    const child = this.#child;
    this.#child = null;
    this.#input = null;
    this.#underWay = [];
    child?.kill('SIGKILL');
  }
}

/** One core at most; constrained baseline, which every viewer decodes; a key frame every 2 s. */
const argumentsFor = (height: number): string[] => [
  ...['-nostdin', '-hide_banner', '-loglevel', 'error'],
  // Without "nobuffer", which throws away what was probed: the first key frame, and with it the group.
  ...['-probesize', '32', '-analyzeduration', '0', '-flags', 'low_delay', '-threads', '1'],
  ...['-f', 'mp4', '-i', 'pipe:0', '-map', '0:v:0', '-vf', `scale=-2:${height & ~1}:flags=fast_bilinear`],
  ...H264_FOR_VIEWERS,
  ...['-fps_mode', 'passthrough', '-enc_time_base', '1:90000', '-video_track_timescale', '90000'],
  ...['-flush_packets', '1', '-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', 'pipe:1'],
];

/** How pictures are coded anew, wherever they must be. */
export const H264_FOR_VIEWERS = [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-bf', '0'],
  ...['-pix_fmt', 'yuv420p', '-threads', '1', '-crf', '26', '-maxrate', '2500k', '-bufsize', '1250k'],
  ...['-force_key_frames', 'expr:gte(t,n_forced*2)', '-g', '250'],
];
