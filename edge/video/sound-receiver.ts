import type { Clock } from '../../protocol/clock.ts';
import { AAC_SAMPLES, type AudioFrame, audioTicks } from './audio.ts';
import { latmFrames } from './latm.ts';
import type { SoundMoment } from './lip-sync.ts';
import type { AccessUnit } from './receiver.ts';
import { parseRtp, Sequence } from './rtp.ts';
import type { SoundTrack } from './sdp.ts';
import { SpeechDecoder } from './speech.ts';
import { CaptureClock } from './timeline.ts';

export interface SoundReceiverOptions {
  track: SoundTrack;
  clock: Clock;
  /** The last picture of this session: sound is placed beside it. null: there is none yet. */
  anchor: () => AccessUnit | null;
  /** Where the camera itself says that sound of this RTP timestamp belongs, on the pictures' time line; null: it does not. */
  place?: (sound: SoundMoment) => { epoch: number; time: number } | null;
  emit: (frame: AudioFrame) => void;
}

/** Sound and pictures may be this far apart before the sound is placed anew. */
const APART_MS = 120;
/** The same where the camera says where it belongs. */
const SAID_APART_MS = 40;
/** Sound never comes so much later than its pictures, nor they than it: what a camera says beyond that is wrong. */
const MAX_SAID_MS = 2_000;
/** A step of timestamps beyond this, or back by more than sound may be apart, is a new base. */
const MAX_STEP_MS = 10_000;
/** An AAC access unit of 8 channels at its highest rate; in LATM several may stand together. */
const MAX_UNIT_BYTES = 8192;
/** Of LATM in pieces. */
const MAX_PIECES = 64;
/** Access units in one packet (RFC 3640 §3.3.6: two or three at usual rates). */
const MAX_UNITS = 64;
/** What is rounded from one clock rate to another is off by less, and is no hole. */
const ROUNDED_MS = 5;

/**
 * RTP packets of a sound track in, frames on the pictures' time line out. Both tracks have timestamps of their own with
 * bases of their own. Where the camera's reports say what belongs together, that counts. Else what they have in common is
 * when they arrive, of which the least delayed packets count, as with pictures. Before the first picture there is no time
 * line, and no sound.
 */
export class SoundReceiver {
  readonly #o: SoundReceiverOptions;
  readonly #sequence = new Sequence();
  #capture = new CaptureClock();
  #ssrc = -1;
  #epoch = -1;
  #lastRtp = 0;
  /** Ticks of RTP since the first packet of this source, without the wrap. */
  #rtpTicks = -1;
  /** Where tick 0 of the media stands on the pictures' time line, in ticks; not a number: to be found anew. */
  #zero = 0;
  #nextTime = 0;
  #partial: Buffer[] = [];
  #partialSize = 0;
  readonly #speech: SpeechDecoder | null;

  constructor(options: SoundReceiverOptions) {
    this.#o = options;
    const { speech } = options.track;
    this.#speech = speech ? new SpeechDecoder(speech) : null;
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
    const { clockRate } = track;
    const step = (packet.timestamp - this.#lastRtp) | 0;
    const stepMs = (step * 1000) / clockRate;
    if (this.#rtpTicks < 0 || stepMs > MAX_STEP_MS || stepMs < -APART_MS) {
      this.#capture = new CaptureClock();
      this.#rtpTicks = 0;
      this.#zero = Number.NaN;
    } else this.#rtpTicks = Math.max(0, this.#rtpTicks + step);
    this.#lastRtp = packet.timestamp;
    const monoMs = this.#capture.capture((this.#rtpTicks * 1000) / clockRate, this.#o.clock.mono());
    if (track.latm) this.#latm(packet.payload, packet.marker, monoMs);
    else if (this.#speech) this.#frame(this.#speech.decode(packet.payload), 0, monoMs);
    else if (track.codec.kind === 'aac') this.#aac(packet.payload, packet.marker, monoMs);
    else this.#frame(Buffer.from(packet.payload), 0, monoMs);
  }

  /** RFC 6416 §6.1: an element, or a piece of one; the marker stands on its last. */
  #latm(payload: Buffer, marker: boolean, monoMs: number): void {
    if (this.#partial.length >= MAX_PIECES) this.#partial = [];
    this.#partial.push(Buffer.from(payload));
    if (!marker) return;
    const { mux, inBand } = this.#o.track.latm!;
    const frames = latmFrames(Buffer.concat(this.#partial), mux, inBand);
    this.#partial = [];
    for (const [i, frame] of frames.entries()) this.#frame(frame, i * AAC_SAMPLES, monoMs);
  }

  /** RFC 3640 §3.2: lengths of the access units in bits, then the units; or a piece of one unit. */
  #aac(payload: Buffer, marker: boolean, monoMs: number): void {
    if (payload.length < 2) return;
    const { sizeLength, indexLength } = this.#o.track;
    const headerBits = payload.readUInt16BE(0);
    const each = sizeLength + indexLength;
    const count = Math.min(MAX_UNITS, Math.floor(headerBits / each));
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
    if (!anchor || data.length === 0) return;
    const { codec, clockRate } = this.#o.track;
    const { clock } = this.#o;
    const perMs = codec.clockRate / 1000;
    const media = Math.round((this.#rtpTicks * codec.clockRate) / clockRate) + offset;
    const besideMs = shownMs(anchor) + (receivedMonoMs + offset / perMs - anchor.monoMs);
    const said = this.#said(anchor, offset / perMs, besideMs);
    const wanted = Math.round((said ?? besideMs) * perMs) - media;
    if (anchor.epoch !== this.#epoch) {
      this.#epoch = anchor.epoch;
      this.#zero = wanted;
      this.#nextTime = 0;
    } else if (!(Math.abs(wanted - this.#zero) <= (said === null ? APART_MS : SAID_APART_MS) * perMs))
      this.#zero = wanted;
    const placed = media + this.#zero;
    const time = this.#speech && Math.abs(placed - this.#nextTime) <= ROUNDED_MS * perMs ? this.#nextTime : placed;
    // Placed anew and earlier, what overlaps is left out.
    if (time < this.#nextTime) return;
    this.#nextTime = time + audioTicks({ codec, data });
    // Heard when the picture beside it was taken, however late it came.
    const monoMs = anchor.monoMs + time / perMs - shownMs(anchor);
    const wallMs = Math.round(clock.now() - (clock.mono() - monoMs));
    this.#o.emit({ codec, data, time, wallMs, monoMs, epoch: anchor.epoch });
  }

  /** Milliseconds on the pictures' time line by what the camera says; null: nothing, or nothing that can be true. */
  #said(anchor: AccessUnit, offsetMs: number, besideMs: number): number | null {
    const { clockRate } = this.#o.track;
    const place = this.#o.place?.({ ssrc: this.#ssrc, timestamp: this.#lastRtp, clockRate });
    if (!place || place.epoch !== anchor.epoch) return null;
    const ms = place.time / 90 + offsetMs;
    return Math.abs(ms - besideMs) <= MAX_SAID_MS ? ms : null;
  }

  #restart(ssrc: number): void {
    this.#ssrc = ssrc;
    this.#sequence.reset();
    this.#rtpTicks = -1;
    this.#partial = [];
  }
}

/** When it is shown, on its time line. */
const shownMs = ({ time, compositionOffset = 0 }: AccessUnit): number => (time + compositionOffset) / 90;

function bitsAt(data: Buffer, at: number, length: number): number {
  let value = 0;
  for (let i = at; i < at + length; i++) value = value * 2 + (((data[i >> 3] ?? 0) >> (7 - (i & 7))) & 1);
  return value;
}
