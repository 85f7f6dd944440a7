import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Logger } from 'pino';
import { AAC_SAMPLES, type AudioCodec, type AudioFrame, fitsMp4 } from './audio.ts';

export interface AacEncoderOptions {
  ffmpeg?: string;
  log: Logger;
  out: (frame: AudioFrame) => void;
}

/** AAC-LC of 16 kHz mono: what every player takes. G.711 has half of it. */
export const ENCODED_AAC: AudioCodec = {
  kind: 'aac',
  clockRate: 16_000,
  channels: 1,
  config: Buffer.from('1408', 'hex'),
  codec: 'mp4a.40.2',
};
/** Samples that ffmpeg's encoder puts before the first one that it was given. */
const PRIMING = AAC_SAMPLES;
/** A shorter hole is filled with silence, so that what comes out stays one piece. */
const FILL_MS = 1_000;
const TOUCHING_MS = 20;
const MAX_WAITING_BYTES = 256 * 1024;
const END_TIMEOUT_MS = 5_000;
const ADTS_HEADER = 7;

/** Where the samples from `at` on (in those of the encoder's output) stand in time. */
interface Stretch {
  at: number;
  first: AudioFrame;
}

/**
 * Makes AAC of G.711, by one ffmpeg for as long as it runs. Frames come out with the times of what went in: the encoder's
 * own delay is taken off, holes are silence, and after a larger one times go on where the sound does.
 */
export class AacEncoder {
  readonly #o: Required<AacEncoderOptions>;
  #child: ChildProcessWithoutNullStreams | null = null;
  #closed: Promise<void> = Promise.resolve();
  #law: AudioFrame['codec'] | null = null;
  #stretches: Stretch[] = [];
  /** Samples given to the encoder, in those of its output. */
  #given = 0;
  #made = 0;
  #last: { time: number; ticks: number; epoch: number } | null = null;
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(options: AacEncoderOptions) {
    this.#o = { ffmpeg: 'ffmpeg', ...options };
  }

  /** Nothing more comes out: it was ended, or ended by itself. */
  get ended(): boolean {
    return this.#ended;
  }

  /** How much of what was pushed has not come out yet; 0 when nothing more comes. */
  get behindMs(): number {
    return this.#ended ? 0 : Math.max(0, ((this.#given - this.#made) * 1000) / ENCODED_AAC.clockRate);
  }

  /** Takes G.711 of one law; anything else is left out. */
  push(frame: AudioFrame): void {
    const { codec, data } = frame;
    if (this.#ended || fitsMp4(codec) || codec.channels !== 1 || data.length === 0) return;
    this.#law ??= codec;
    if (codec.kind !== this.#law.kind || codec.clockRate !== this.#law.clockRate) return;
    const child = this.#start();
    // A process that does not read: sound is lost, memory is not.
    if (child.stdin.writableLength > MAX_WAITING_BYTES) return;
    const last = this.#last;
    const hole = last?.epoch === frame.epoch ? frame.time - (last.time + last.ticks) : Number.POSITIVE_INFINITY;
    const ms = (hole * 1000) / codec.clockRate;
    if (ms > TOUCHING_MS && ms <= FILL_MS) this.#give(Buffer.alloc(hole, codec.kind === 'pcmu' ? 0xff : 0xd5));
    else if (Math.abs(ms) > TOUCHING_MS) this.#stretches.push({ at: this.#given, first: frame });
    this.#last = { time: frame.time, ticks: data.length, epoch: frame.epoch };
    this.#give(data);
  }

  /** Resolves when all that was pushed has come out, or cannot any more. */
  async end(): Promise<void> {
    this.#ended = true;
    const child = this.#child;
    if (!child) return;
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  #give(data: Buffer): void {
    this.#child!.stdin.write(data);
    this.#given += (data.length * ENCODED_AAC.clockRate) / this.#law!.clockRate;
  }

  #start(): ChildProcessWithoutNullStreams {
    if (this.#child) return this.#child;
    const { kind, clockRate } = this.#law!;
    const from = ['-f', kind === 'pcmu' ? 'mulaw' : 'alaw', '-ar', `${clockRate}`, '-ac', '1'];
    // The default probing of raw sound waits for seconds of it.
    const quick = ['-probesize', '32', '-analyzeduration', '0', '-fflags', 'nobuffer', '-blocksize', '160'];
    const to = ['-c:a', 'aac', '-b:a', '32k', '-ar', `${ENCODED_AAC.clockRate}`, '-flush_packets', '1', '-f', 'adts'];
    const arguments_ = ['-nostdin', '-hide_banner', '-loglevel', 'error', ...quick, ...from, '-i', 'pipe:0', ...to];
    const child = spawn(this.#o.ffmpeg, [...arguments_, 'pipe:1'], { stdio: 'pipe' });
    this.#child = child;
    child.stdin.on('error', () => {});
    child.stderr.resume();
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#closed = new Promise((resolve) => {
      child.once('error', (err) => {
        this.#o.log.warn({ err }, 'ffmpeg, which encodes the sound of clips, cannot be started');
        this.#ended = true;
        resolve();
      });
      child.once('close', () => {
        this.#ended = true;
        resolve();
      });
    });
    return child;
  }

  /** ADTS (ISO/IEC 13818-7 §6.2): a header of 7 bytes, in it the length of the frame with it. */
  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    while (this.#rest.length >= ADTS_HEADER) {
      const length = ((this.#rest.readUInt32BE(2) >> 5) & 0x1fff) | 0;
      if (length <= ADTS_HEADER || this.#rest.length < length) return;
      this.#frame(Buffer.from(this.#rest.subarray(ADTS_HEADER, length)));
      this.#rest = this.#rest.subarray(length);
    }
  }

  #frame(data: Buffer): void {
    const at = this.#made - PRIMING;
    this.#made += AAC_SAMPLES;
    // The rest of the last frame is nothing that was heard.
    if (at < 0 || at >= this.#given) return;
    while (this.#stretches.length > 1 && this.#stretches[1]!.at <= at) this.#stretches.shift();
    const { first, at: from } = this.#stretches[0]!;
    const { clockRate } = ENCODED_AAC;
    const afterMs = ((at - from) * 1000) / clockRate;
    const time = Math.round((first.time * clockRate) / first.codec.clockRate) + at - from;
    const wallMs = Math.round(first.wallMs + afterMs);
    this.#o.out({ codec: ENCODED_AAC, data, time, wallMs, monoMs: first.monoMs + afterMs, epoch: first.epoch });
  }
}
