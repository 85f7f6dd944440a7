import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Logger } from 'pino';
import { TALK_RATE } from '../../protocol/wire/talk.ts';
import { decodeG711 } from '../video/g711.ts';

/** What a device wants to hear: coded so, at so many samples a second. */
export interface SoundFormat {
  kind: 'pcmu' | 'pcma' | 'pcm' | 'pcmBig' | 'aac' | 'mp2';
  rate: number;
}

/** Makes what a device takes of µ-law. Nothing comes out after `end`. */
export interface SoundEncoder {
  push(mu: Buffer): void;
  end(): void;
}

export interface EncoderOptions {
  /** Samples of the formats without frames; of AAC and MP2 one frame at a time. */
  out: (sound: Buffer) => void;
  /** Nothing more can be made of it. */
  failed: (why: string) => void;
  log?: Logger;
  ffmpeg?: string;
}

/** A process that does not read: sound is lost, memory is not. */
const MAX_WAITING_BYTES = TALK_RATE;
const AAC_RATES: readonly number[] = [8_000, 16_000, 22_050, 32_000, 44_100, 48_000];
const MP2_RATES: readonly number[] = [16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
const ADTS_HEADER = 7;

export function encoderFor({ kind, rate }: SoundFormat, o: EncoderOptions): SoundEncoder {
  if (kind === 'aac' || kind === 'mp2') return new FramedEncoder(kind, rate, o);
  const made = kind === 'pcmu' ? (mu: Buffer) => mu : kind === 'pcma' ? aLaw : linear(rate, kind === 'pcmBig');
  let ended = false;
  return {
    push: (mu) => ended || o.out(made(mu)),
    end: () => {
      ended = true;
    },
  };
}

/** Whether something can be made at that rate. */
export const canEncode = ({ kind, rate }: SoundFormat): boolean => {
  if (kind === 'aac') return AAC_RATES.includes(rate);
  if (kind === 'mp2') return MP2_RATES.includes(rate);
  if (kind === 'pcm' || kind === 'pcmBig') return rate % TALK_RATE === 0 && rate <= 48_000;
  return rate === TALK_RATE;
};

const ALL = Buffer.from(Array.from({ length: 256 }, (_, code) => code));
/** The A-law code that is nearest to each code of µ-law. */
const A_OF_MU = (() => {
  const [mu, a] = [decodeG711('pcmu', ALL), decodeG711('pcma', ALL)];
  const nearest = (sample: number) => {
    let best = 0;
    for (let code = 1; code < 256; code++) if (Math.abs(a[code]! - sample) < Math.abs(a[best]! - sample)) best = code;
    return best;
  };
  return Buffer.from(Array.from(mu, nearest));
})();
const aLaw = (mu: Buffer): Buffer => Buffer.from(mu.map((code) => A_OF_MU[code]!));

/** 16 bits, low byte first or high byte first, with samples between those that there are. */
function linear(rate: number, highFirst: boolean): (mu: Buffer) => Buffer {
  const times = Math.max(1, Math.round(rate / TALK_RATE));
  let last = 0;
  return (mu) => {
    const out = Buffer.alloc(mu.length * times * 2);
    let at = 0;
    for (const sample of decodeG711('pcmu', mu)) {
      for (let n = 1; n <= times; n++) {
        const value = Math.round(last + ((sample - last) * n) / times);
        at = highFirst ? out.writeInt16BE(value, at) : out.writeInt16LE(value, at);
      }
      last = sample;
    }
    return out;
  };
}

/** AAC-LC in ADTS, or MPEG audio layer II, by one ffmpeg for as long as somebody speaks. */
class FramedEncoder implements SoundEncoder {
  readonly #o: EncoderOptions;
  readonly #kind: 'aac' | 'mp2';
  readonly #child: ChildProcessWithoutNullStreams;
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(kind: 'aac' | 'mp2', rate: number, o: EncoderOptions) {
    this.#o = o;
    this.#kind = kind;
    // The default probing of raw sound waits for seconds of it.
    const quick = ['-probesize', '32', '-analyzeduration', '0', '-fflags', 'nobuffer', '-blocksize', '160'];
    const from = ['-f', 'mulaw', '-ar', `${TALK_RATE}`, '-ac', '1', '-i', 'pipe:0'];
    const codec = kind === 'aac' ? ['-c:a', 'aac', '-b:a', '32k'] : ['-c:a', 'mp2', '-b:a', '64k'];
    const to = ['-ar', `${rate}`, '-flush_packets', '1', '-f', kind === 'aac' ? 'adts' : 'mp2', 'pipe:1'];
    const all = ['-nostdin', '-hide_banner', '-loglevel', 'error', ...quick, ...from, ...codec, ...to];
    this.#child = spawn(o.ffmpeg ?? 'ffmpeg', all, { stdio: 'pipe' });
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.resume();
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    const over = (err?: Error) => {
      if (this.#ended) return;
      this.#ended = true;
      o.log?.warn({ err }, 'ffmpeg, which makes the sound for a loudspeaker, ended');
      o.failed('The box could not make the sound that it takes: ffmpeg is missing or broken there.');
    };
    this.#child.once('error', over);
    this.#child.once('close', () => over());
  }

  push(mu: Buffer): void {
    if (!this.#ended && this.#child.stdin.writableLength < MAX_WAITING_BYTES) this.#child.stdin.write(mu);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    // Nobody hears what is still in it.
    this.#child.kill('SIGKILL');
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    while (!this.#ended && this.#rest.length >= ADTS_HEADER) {
      const length = this.#kind === 'aac' ? adtsLength(this.#rest) : mp2Length(this.#rest);
      if (length === null || this.#rest.length < length) return;
      this.#o.out(Buffer.from(this.#rest.subarray(0, length)));
      this.#rest = this.#rest.subarray(length);
    }
  }
}

/** Of the frame, its header included (ISO/IEC 13818-7 §6.2). */
function adtsLength(data: Buffer): number | null {
  const length = (data.readUInt32BE(2) >> 5) & 0x1fff;
  return length > ADTS_HEADER ? length : null;
}

const MP2_KBPS = {
  1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
const MP2_HZ = { 1: [44_100, 48_000, 32_000], 2: [22_050, 24_000, 16_000] } as const;

/** Of a frame of layer II (ISO/IEC 11172-3 §2.4.3.1, 13818-3): 1152 samples. */
function mp2Length(data: Buffer): number | null {
  const version = data[1]! & 0x08 ? 1 : 2;
  const kbps = MP2_KBPS[version][data[2]! >> 4];
  const hz = MP2_HZ[version][(data[2]! >> 2) & 3];
  return kbps && hz ? Math.floor((144_000 * kbps) / hz) + ((data[2]! >> 1) & 1) : null;
}
