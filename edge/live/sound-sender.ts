import { randomInt } from 'node:crypto';
import { Audio, type PeerConnection, type Track } from 'node-datachannel';
import { RtpWriter } from '../restream/packetizer.ts';
import type { AudioCodec, AudioFrame } from '../video/audio.ts';
import { type OfferedMedia, payloadOf } from './offer.ts';

/** Names in a session description of what browsers take as it is (RFC 7874 §3). */
const NAMES: Partial<Record<AudioCodec['kind'], string>> = { pcmu: 'PCMU', pcma: 'PCMA', opus: 'OPUS' };
/** Of one view: players that go by RTP alone take what has one name to belong together. */
export const CNAME = 'gatepost';
const REPORT_MS = 1_000;
/** A camera that sends its sound later than that says nonsense. */
const MAX_LATE_MS = 2_000;
/** Of one frame to the next: what is remembered of how late sound was. */
const FORGETTING = 0.995;
const VIDEO_RATE = 90_000;

/**
 * The sound of one view by WebRTC. It makes its packets and its sender reports itself: those of the library say that what
 * is sent last was heard now, so that sound which a camera sends later than its pictures would stay that much later. These
 * say what the pictures' reports say, of the same moment.
 */
export class SoundSender {
  readonly mid: string;
  readonly kind: AudioCodec['kind'];
  readonly #track: Track;
  readonly #rtp: RtpWriter;
  readonly #clockRate: number;
  #lateMs = 0;
  #reportedMs = Number.NEGATIVE_INFINITY;

  /** null: the viewer takes no such sound in this section. */
  static add(peer: PeerConnection, media: OfferedMedia, codec: AudioCodec | null): SoundSender | null {
    const name = codec && NAMES[codec.kind];
    const payload = name && media.kind === 'audio' ? payloadOf(media, name) : null;
    if (!codec || !name || typeof payload !== 'number') return null;
    const audio = new Audio(media.mid, 'SendOnly');
    if (codec.kind === 'opus') audio.addOpusCodec(payload);
    else audio.addAudioCodec(payload, name);
    const ssrc = randomInt(1, 2 ** 32 - 1);
    audio.addSSRC(ssrc, CNAME, CNAME, 'audio');
    const rtp = new RtpWriter({ payloadType: payload, ssrc, sequence: randomInt(2 ** 16), cname: CNAME });
    return new SoundSender(media.mid, peer.addTrack(audio), rtp, codec);
  }

  constructor(mid: string, track: Track, rtp: RtpWriter, codec: AudioCodec) {
    this.mid = mid;
    this.#track = track;
    this.#rtp = rtp;
    this.kind = codec.kind;
    this.#clockRate = codec.clockRate;
  }

  /** How much later than its pictures sound is sent. */
  get lateMs(): number {
    return this.#lateMs;
  }

  /**
   * `offset`: RTP time of the pictures less their own, in 90 kHz. `picture`: RTP time of the last one sent, and when it was,
   * by the wall clock.
   */
  send(frame: AudioFrame, offset: number, picture: { rtp: number; sentMs: number }): void {
    if (frame.codec.kind !== this.kind || !this.#track.isOpen()) return;
    const ticks = (rtp: number) => Math.round((rtp / VIDEO_RATE) * this.#clockRate);
    this.#out(this.#rtp.packet([frame.data], ticks(offset) + frame.time, false, 0));
    const behindMs = ((picture.rtp - offset) * 1000) / VIDEO_RATE - (frame.time * 1000) / this.#clockRate;
    this.#lateMs = Math.min(MAX_LATE_MS, Math.max(behindMs, this.#lateMs * FORGETTING));
    if (picture.sentMs - this.#reportedMs < REPORT_MS) return;
    this.#reportedMs = picture.sentMs;
    this.#out(this.#rtp.senderReport(picture.sentMs, ticks(picture.rtp)));
  }

  #out(packet: Buffer): void {
    try {
      this.#track.sendMessageBinary(packet);
    } catch {
      // It closed in this moment; its state says so.
    }
  }
}
