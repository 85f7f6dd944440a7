import type { Clock } from '../../protocol/clock.ts';
import { AAC_SAMPLES, type AudioCodec, type AudioFrame, parseAudioConfig } from '../video/audio.ts';
import { type AccessUnit, RtpReceiver } from '../video/receiver.ts';
import { PsReader, type PsSink, type PsSound, type PsVideo } from './mpeg-ps.ts';
import { UnitCutter } from './unit-cutter.ts';

export interface PsMediaOptions {
  clock: Clock;
  /** `ticks`: when it is to be shown, in 90 kHz from the first picture on; growing but for pictures out of order. */
  picture: (unit: AccessUnit, ticks: number) => void;
  sound: (frame: AudioFrame, ticks: number) => void;
  /** What comes beside the pictures; before the first of them. */
  track: (sound: AudioCodec['kind'] | null) => void;
}

const CLOCK = 90_000;
/** Sound whose times are off by less goes on where the last of it ended. */
const TOUCHING_S = 0.06;
/** A step of times beyond this is a new time line. */
const MAX_HOLE_TICKS = 3_600 * CLOCK;
const MAX_BACK_TICKS = CLOCK;
const USUAL_TICKS = 3_600;
const ADTS_HEADER = 7;
const MAX_ADTS_BYTES = 8_192;
const G711_RATE = 8_000;

/** Pictures and sound of a recorded file (MPEG-PS) as they come from the network otherwise, on one row of times. */
export class PsMedia implements PsSink {
  readonly #o: PsMediaOptions;
  readonly #reader: PsReader;
  #cutter: UnitCutter | null = null;
  #receiver: RtpReceiver | null = null;
  #kind: PsVideo | null = null;
  #sound: PsSound | null = null;
  #told = false;
  #epoch = 0;
  #packetPts = 0;
  /** The last picture, with what its time was in the file and is from the beginning on. */
  #last: { unit: AccessUnit; pts: number; ticks: number } | null = null;
  #codec: AudioCodec | null = null;
  #adts: Buffer = Buffer.alloc(0);
  #soundNext: { time: number; epoch: number } | null = null;

  constructor(options: PsMediaOptions) {
    this.#o = options;
    this.#reader = new PsReader(this);
  }

  /** The pictures are in something that nobody here takes. */
  get unknown(): boolean {
    return this.#kind === 'other';
  }

  /** False: this is no program stream. */
  push(chunk: Buffer): boolean {
    return this.#reader.push(chunk);
  }

  /** Nothing follows. */
  end(): void {
    this.#cutter?.end();
  }

  map(video: PsVideo | null, sound: PsSound | null): void {
    if (video !== null && video !== this.#kind) {
      this.#cutter?.end();
      this.#kind = video;
      this.#cutter = null;
      this.#epoch = this.#receiver?.nextEpoch ?? 0;
      this.#receiver = null;
    }
    if (!this.#told) this.#sound = sound;
  }

  video(data: Buffer, pts: number | null): void {
    if (this.#kind === 'other') return;
    this.#cutter ??= new UnitCutter(this.#kind, (rtp, at) => this.#packet(rtp, at));
    this.#cutter.push(data, pts);
  }

  sound(data: Buffer, pts: number | null): void {
    const kind = this.#sound;
    if (kind === 'aac') this.#aac(data, pts);
    else if ((kind === 'pcmu' || kind === 'pcma') && pts !== null && data.length > 0) {
      this.#codec ??= { kind, clockRate: G711_RATE, channels: 1, config: null, codec: kind.toUpperCase() };
      this.#frame(this.#codec, Buffer.from(data), pts, data.length);
    }
  }

  #packet(rtp: Buffer, pts: number): void {
    this.#receiver ??= this.#receive();
    this.#packetPts = pts;
    this.#receiver.push(rtp);
  }

  #receive(): RtpReceiver {
    const track = { payloadType: 96, clockRate: CLOCK, control: null, parameterSets: [], donl: false };
    const kind = this.#cutter!.kind!;
    // A picture is complete with its last packet, which has the marker.
    const emit = (unit: AccessUnit) => this.#picture(unit, this.#packetPts);
    return new RtpReceiver({ track: { ...track, kind }, clock: this.#o.clock, epoch: this.#epoch, emit });
  }

  #picture(unit: AccessUnit, pts: number): void {
    if (!this.#told) {
      this.#told = true;
      const sound = this.#sound;
      this.#o.track(sound === 'other' ? null : sound);
    }
    const last = this.#last;
    const step = last ? (pts - last.pts) | 0 : 0;
    const sane = step > -MAX_BACK_TICKS && step < MAX_HOLE_TICKS;
    const ticks = (last?.ticks ?? 0) + (sane ? step : USUAL_TICKS);
    this.#last = { unit, pts, ticks };
    this.#o.picture(unit, ticks);
  }

  /** ADTS frames (ISO/IEC 13818-7 §6.2), wherever packets cut them. */
  #aac(data: Buffer, pts: number | null): void {
    this.#adts = this.#adts.length > 0 ? Buffer.concat([this.#adts, data]) : Buffer.from(data);
    // The time is of the first frame that begins in this packet.
    let time = pts;
    let at = 0;
    while (this.#adts.length - at >= ADTS_HEADER) {
      const head = this.#adts.subarray(at);
      const length = (head.readUInt32BE(2) >> 5) & 0x1fff;
      const start = head[1]! & 1 ? ADTS_HEADER : ADTS_HEADER + 2;
      if (head[0] !== 0xff || (head[1]! & 0xf6) !== 0xf0 || length <= start || length > MAX_ADTS_BYTES) {
        at++;
        continue;
      }
      if (head.length < length) break;
      const codec = this.#aacCodec(head);
      if (codec) this.#frame(codec, Buffer.from(head.subarray(start, length)), time, AAC_SAMPLES);
      time = null;
      at += length;
    }
    this.#adts = this.#adts.subarray(at);
  }

  #aacCodec(head: Buffer): AudioCodec | null {
    const type = (head[2]! >> 6) + 1;
    const config = Buffer.alloc(2);
    config.writeUInt16BE(
      (type << 11) | (((head[2]! >> 2) & 15) << 7) | ((((head[2]! & 1) << 2) | (head[3]! >> 6)) << 3),
    );
    if (this.#codec?.config?.equals(config)) return this.#codec;
    const read = parseAudioConfig(config);
    if (!read) return null;
    this.#codec = { kind: 'aac', clockRate: read.rate, channels: read.channels, config, codec: `mp4a.40.${type}` };
    return this.#codec;
  }

  /** Beside the last picture; `pts` null: it follows the last of it. */
  #frame(codec: AudioCodec, data: Buffer, pts: number | null, samples: number): void {
    const last = this.#last;
    if (!last) return;
    const { unit } = last;
    const next = this.#soundNext?.epoch === unit.epoch ? this.#soundNext.time : null;
    if (pts === null && next === null) return;
    const shown = unit.time + unit.compositionOffset;
    const said = pts === null ? next! : Math.round(((shown + ((pts - last.pts) | 0)) * codec.clockRate) / CLOCK);
    const time = next !== null && Math.abs(said - next) <= TOUCHING_S * codec.clockRate ? next : said;
    if (next !== null && time < next) return;
    this.#soundNext = { time: time + samples, epoch: unit.epoch };
    const ticks = last.ticks + Math.round((time * CLOCK) / codec.clockRate) - shown;
    const { wallMs, monoMs, epoch } = unit;
    this.#o.sound({ codec, data, time, wallMs, monoMs, epoch }, ticks);
  }
}
