import type { Clock } from '../../protocol/clock.ts';
import { type CodecInfo, isFirstSlice, isRecoveryPoint, nalRole, ParameterSets } from './codec.ts';
import { type Depacketizer, H264Depacketizer, H265Depacketizer, type NalSink } from './depacketize.ts';
import { parseRtp, type RtpPacket, Sequence } from './rtp.ts';
import type { VideoTrack } from './sdp.ts';
import { Timeline } from './timeline.ts';
import { UnitBuffer } from './unit-buffer.ts';

/** One picture, ready for a clip, WebRTC or Media Source Extensions alike. */
export interface AccessUnit {
  /** NAL units, each behind its 32-bit length; parameter sets before every key frame. */
  data: Buffer;
  keyFrame: boolean;
  /** A key frame that is no IDR picture of H.264: decoders begin there, and browsers do not. */
  recovery?: boolean;
  /** Decoding time, 90 kHz, growing within an epoch. */
  time: number;
  /** Presentation minus decoding time, 90 kHz; 0 unless the camera reorders pictures. */
  compositionOffset: number;
  /** Grows when times start anew (reconnect, encoder restart). */
  epoch: number;
  /** When the picture was taken, by the wall clock at that moment. */
  wallMs: number;
  /** The same on the monotonic clock: compare with this one, the wall clock may step. */
  monoMs: number;
  /** The same object while nothing changes. */
  codec: CodecInfo;
}

/** A stream that had no IDR picture for so long has none, or one in a long time: its recovery points are its key frames. */
const NO_IDR_MS = 4_000;
/** Key frames of 4K H.265 reach 1–2 MB. */
export const MAX_ACCESS_UNIT_BYTES = 8 * 1024 * 1024;

export interface ReceiverStats {
  packets: number;
  lostPackets: number;
  /** Pictures not passed on: damaged, or waiting for a key frame. */
  droppedUnits: number;
}

/** RTP packets of one session in, access units out. After any loss it waits for the next key frame. */
export class RtpReceiver {
  readonly stats: ReceiverStats = { packets: 0, lostPackets: 0, droppedUnits: 0 };
  readonly #kind: VideoTrack['kind'];
  readonly #clock: Clock;
  readonly #emit: (unit: AccessUnit, timestamp: number) => void;
  readonly #sets: ParameterSets;
  readonly #depacketizer: Depacketizer;
  readonly #timeline: Timeline;
  readonly #sequence = new Sequence();
  readonly #epochBase: number;
  #ssrc: number | null = null;
  #formerSsrc: number | null = null;
  #needKey = true;
  /** False once the camera was seen to set the marker in the middle of a picture. */
  #markerEnds = true;
  /** Timestamp of the unit that the marker ended; null when none was. */
  #endedBy: number | null = null;
  readonly #unit = new UnitBuffer(MAX_ACCESS_UNIT_BYTES);
  #timestamp = -1;
  #receivedMs = 0;
  #hasPicture = false;
  #isKey = false;
  #isRecovery = false;
  #idrMs: number;
  /** Shown before what was begun with, and made of what was before that (H.264 §3.69, H.265 RASL): not to be decoded. */
  #begunAt: number | null = null;
  #spoiled = false;
  #current: CodecInfo | null = null;

  /** `emit` is given the picture's RTP timestamp as well. */
  constructor(options: {
    track: VideoTrack;
    clock: Clock;
    epoch: number;
    emit: (unit: AccessUnit, timestamp: number) => void;
  }) {
    this.#kind = options.track.kind;
    this.#clock = options.clock;
    this.#emit = options.emit;
    this.#epochBase = options.epoch;
    this.#sets = new ParameterSets(this.#kind, options.track.parameterSets);
    this.#timeline = new Timeline(options.track.clockRate);
    this.#idrMs = options.clock.mono();
    const sink: NalSink = {
      nal: (nal) => this.#nal(nal),
      begin: (header) => {
        this.#unit.begin();
        this.#unit.append(header);
      },
      append: (data) => this.#unit.append(data),
      end: () => {
        this.#picture(this.#unit.head(3));
        this.#unit.end();
      },
    };
    this.#depacketizer =
      this.#kind === 'h264' ? new H264Depacketizer(sink) : new H265Depacketizer(sink, options.track.donl);
  }

  /** The epoch that the next session of this channel begins with. */
  get nextEpoch(): number {
    return this.#epochBase + this.#timeline.epoch + 1;
  }

  /** Source of the packets; null before the first. */
  get ssrc(): number | null {
    return this.#ssrc;
  }

  /** Where a picture of this RTP timestamp stands, on the time line of those handed over; null: it is not known. */
  shownAt(timestamp: number): { epoch: number; time: number } | null {
    const time = this.#timeline.shownAt(timestamp);
    return time === null ? null : { epoch: this.#epochBase + this.#timeline.epoch, time };
  }

  /** Takes one RTP packet; `data` is not kept. */
  push(data: Buffer): void {
    const packet = parseRtp(data);
    if (!packet || packet.ssrc === this.#formerSsrc) return;
    this.stats.packets++;
    if (packet.ssrc !== this.#ssrc) this.#newSource(packet.ssrc);
    const arrival = this.#sequence.arrival(packet.sequence);
    if (arrival === 'old') return;
    this.stats.lostPackets = this.#sequence.lost;
    if (arrival === 'gap') this.#damaged();
    else if (arrival === 'restart') this.#newEpoch();
    this.#packet(packet);
  }

  #packet(packet: RtpPacket): void {
    const now = this.#clock.mono();
    if (packet.timestamp !== this.#timestamp) {
      // Parameter sets and SEI on a timestamp of their own go with the picture that follows.
      if (this.#hasPicture) this.#end();
      this.#endedBy = null;
      this.#timestamp = packet.timestamp;
      this.#receivedMs = now;
      if (!this.#timeline.follows(packet.timestamp, now, this.#reorders)) this.#damaged();
    }
    this.#depacketizer.push(packet.payload);
    if (packet.marker && this.#markerEnds && this.#hasPicture) {
      this.#end();
      this.#endedBy = packet.timestamp;
    }
  }

  /** H.264's Baseline profile has no pictures that are shown before their predecessor (H.264 §A.2.1). */
  get #reorders(): boolean {
    return !this.#current?.codec.startsWith('avc1.42');
  }

  #nal(nal: Buffer): void {
    const role = nalRole(this.#kind, nal[0]!);
    if (role === 'drop') return;
    if (role === 'vps' || role === 'sps' || role === 'pps') {
      this.#sets.add(role, nal);
      return;
    }
    if (role !== 'keep') this.#picture(nal);
    else if (this.#kind === 'h264' && !this.#hasPicture && isRecoveryPoint(nal)) this.#isRecovery = true;
    this.#unit.begin();
    this.#unit.append(nal);
    this.#unit.end();
  }

  /** `nal`: at least its first bytes. */
  #picture(nal: Buffer): void {
    if (!this.#hasPicture && !isFirstSlice(this.#kind, nal)) {
      // Its beginning is missing. If the marker cut it off, from now on only a new timestamp ends a picture.
      if (this.#endedBy === this.#timestamp) this.#markerEnds = false;
      this.#spoiled = true;
    }
    this.#hasPicture = true;
    if (nalRole(this.#kind, nal[0]!) === 'key') this.#isKey = true;
  }

  #end(): void {
    const now = this.#clock.mono();
    if (this.#isKey) this.#idrMs = now;
    const recovery = !this.#isKey && this.#isRecovery && now - this.#idrMs > NO_IDR_MS;
    const key = this.#isKey || recovery;
    const spoiled = this.#spoiled || this.#unit.overflowed;
    const codec = key ? this.#sets.codec() : this.#current;
    if (spoiled) this.#needKey = true;
    if (!codec || spoiled || (this.#needKey && !key)) {
      this.#clear();
      this.stats.droppedUnits++;
      return;
    }
    if (this.#needKey) this.#begunAt = this.#timestamp;
    this.#needKey = false;
    this.#current = codec;
    if (this.#leads(key)) {
      this.#clear();
      this.stats.droppedUnits++;
      return;
    }
    const data = this.#unit.take(key ? codec.prefix : null);
    this.#clear();
    const place = this.#timeline.place(this.#timestamp, this.#receivedMs, key);
    const wallMs = Math.round(this.#clock.now() - (this.#clock.mono() - place.monoMs));
    const unit = { ...place, epoch: this.#epochBase + place.epoch, data, keyFrame: key, wallMs, codec };
    this.#emit(recovery ? { ...unit, recovery } : unit, this.#timestamp);
  }

  #leads(key: boolean): boolean {
    if (this.#begunAt === null || key) return false;
    if (((this.#timestamp - this.#begunAt) | 0) < 0) return true;
    this.#begunAt = null;
    return false;
  }

  /** What was collected cannot be completed, and what follows refers to it. */
  #damaged(): void {
    if (this.#hasPicture) this.stats.droppedUnits++;
    this.#depacketizer.reset();
    this.#clear();
    this.#needKey = true;
  }

  #newSource(ssrc: number): void {
    if (this.#ssrc !== null) {
      // Packets of the former source that still come (a stale session at the camera) are ignored from now on.
      this.#formerSsrc = this.#ssrc;
      this.#sequence.reset();
      this.#newEpoch();
    }
    this.#ssrc = ssrc;
  }

  #newEpoch(): void {
    this.#damaged();
    this.#timeline.restart();
  }

  #clear(): void {
    this.#unit.clear();
    this.#hasPicture = false;
    this.#isKey = false;
    this.#isRecovery = false;
    this.#spoiled = false;
  }
}
