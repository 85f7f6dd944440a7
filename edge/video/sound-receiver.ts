import type { Clock } from '../../protocol/clock.ts';
import { AAC_SAMPLES, type AudioFrame } from './audio.ts';
import type { AccessUnit } from './receiver.ts';
import { parseRtp, Sequence } from './rtp.ts';
import type { SoundTrack } from './sdp.ts';
import { CaptureClock } from './timeline.ts';

export interface SoundReceiverOptions {
  track: SoundTrack;
  clock: Clock;
  /** The last picture of this session: sound is placed beside it. null: there is none yet. */
  anchor: () => AccessUnit | null;
  emit: (frame: AudioFrame) => void;
}

/** Sound and pictures may be this far apart before the sound is placed anew. */
const APART_MS = 120;
/** A step of timestamps beyond this, or back by more than sound may be apart, is a new base. */
const MAX_STEP_MS = 10_000;
/** An AAC access unit of 8 channels at its highest rate. */
const MAX_UNIT_BYTES = 8192;

/**
 * RTP packets of a sound track in, frames on the pictures' time line out. Both tracks have timestamps of their own with
 * bases of their own; what they have in common is when they arrive, of which the least delayed packets count, as with
 * pictures. Before the first picture there is no time line, and no sound.
 */
export class SoundReceiver {
  readonly #o: SoundReceiverOptions;
  readonly #sequence = new Sequence();
  #capture = new CaptureClock();
  #ssrc = -1;
  #epoch = -1;
  #lastRtp = 0;
  /** Milliseconds of media since the first packet of this source, without the wrap. */
  #mediaTicks = -1;
  /** Where media tick 0 stands on the pictures' time line, in ticks; not a number: to be found anew. */
  #zero = 0;
  #nextTime = 0;
  #partial: Buffer[] = [];
  #partialSize = 0;

  constructor(options: SoundReceiverOptions) {
    this.#o = options;
  }

  /** Takes one RTP packet; `data` is not kept. */
  push(data: Buffer): void {
    const packet = parseRtp(data);
    const { track } = this.#o;
    if (!packet || packet.payloadType !== track.payloadType || packet.payload.length === 0) return;
    if (packet.ssrc !== this.#ssrc) this.#restart(packet.ssrc);
    const arrival = this.#sequence.arrival(packet.sequence);
    if (arrival === 'old') return;
    if (arrival !== 'next') this.#partial = [];
    const { clockRate } = track.codec;
    const step = (packet.timestamp - this.#lastRtp) | 0;
    const stepMs = (step * 1000) / clockRate;
    if (this.#mediaTicks < 0 || stepMs > MAX_STEP_MS || stepMs < -APART_MS) {
      this.#capture = new CaptureClock();
      this.#mediaTicks = 0;
      this.#zero = Number.NaN;
    } else this.#mediaTicks = Math.max(0, this.#mediaTicks + step);
    this.#lastRtp = packet.timestamp;
    const monoMs = this.#capture.capture((this.#mediaTicks * 1000) / clockRate, this.#o.clock.mono());
    if (track.codec.kind === 'aac') this.#aac(packet.payload, packet.marker, monoMs);
    else this.#frame(Buffer.from(packet.payload), 0, monoMs);
  }

  /** RFC 3640 §3.2: lengths of the access units in bits, then the units; or a piece of one unit. */
  #aac(payload: Buffer, marker: boolean, monoMs: number): void {
    if (payload.length < 2) return;
    const { sizeLength, indexLength } = this.#o.track;
    const headerBits = payload.readUInt16BE(0);
    const each = sizeLength + indexLength;
    const count = Math.floor(headerBits / each);
    let at = 2 + Math.ceil(headerBits / 8);
    for (let i = 0; i < count && at < payload.length; i++) {
      const size = bitsAt(payload, 16 + i * each, sizeLength);
      const piece = payload.subarray(at, at + size);
      at += size;
      if (count === 1 && (size > piece.length || this.#partial.length > 0)) {
        this.#piece(piece, size, marker, monoMs);
        return;
      }
      if (size === 0 || piece.length < size) return;
      this.#frame(Buffer.from(piece), i * AAC_SAMPLES, monoMs);
    }
  }

  /** One unit over several packets; the marker stands on the last one. */
  #piece(piece: Buffer, size: number, marker: boolean, monoMs: number): void {
    if (size > MAX_UNIT_BYTES || (this.#partial.length > 0 && size !== this.#partialSize)) this.#partial = [];
    if (size > MAX_UNIT_BYTES) return;
    this.#partialSize = size;
    this.#partial.push(Buffer.from(piece));
    const bytes = this.#partial.reduce((sum, p) => sum + p.length, 0);
    if (!marker && bytes < size) return;
    const unit = Buffer.concat(this.#partial);
    this.#partial = [];
    if (unit.length === size) this.#frame(unit, 0, monoMs);
  }

  #frame(data: Buffer, offset: number, receivedMonoMs: number): void {
    const anchor = this.#o.anchor();
    if (!anchor) return;
    const { codec } = this.#o.track;
    const { clock } = this.#o;
    const monoMs = receivedMonoMs + (offset * 1000) / codec.clockRate;
    const media = this.#mediaTicks + offset;
    const besideMs = anchor.time / 90 + (monoMs - anchor.monoMs);
    const wanted = Math.round((besideMs * codec.clockRate) / 1000) - media;
    if (anchor.epoch !== this.#epoch) {
      this.#epoch = anchor.epoch;
      this.#zero = wanted;
      this.#nextTime = 0;
    } else if (!(Math.abs(wanted - this.#zero) <= (APART_MS * codec.clockRate) / 1000)) this.#zero = wanted;
    const time = media + this.#zero;
    // Placed anew and earlier, what overlaps is left out.
    if (time < this.#nextTime) return;
    this.#nextTime = time + (codec.kind === 'aac' ? AAC_SAMPLES : Math.floor(data.length / codec.channels));
    const wallMs = Math.round(clock.now() - (clock.mono() - monoMs));
    this.#o.emit({ codec, data, time, wallMs, monoMs, epoch: anchor.epoch });
  }

  #restart(ssrc: number): void {
    this.#ssrc = ssrc;
    this.#sequence.reset();
    this.#mediaTicks = -1;
    this.#partial = [];
  }
}

function bitsAt(data: Buffer, at: number, length: number): number {
  let value = 0;
  for (let i = at; i < at + length; i++) value = value * 2 + (((data[i >> 3] ?? 0) >> (7 - (i & 7))) & 1);
  return value;
}
