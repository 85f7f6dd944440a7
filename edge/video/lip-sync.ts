import type { RtpReceiver } from './receiver.ts';

/** What a sender report (RFC 3550 §6.4.1) says: this RTP timestamp was at this moment of the camera's clock. */
interface Report {
  ssrc: number;
  /** Seconds of the camera's clock. */
  seconds: number;
  timestamp: number;
  receivedMs: number;
}

/** A moment of the sound, in RTP. */
export interface SoundMoment {
  ssrc: number;
  timestamp: number;
  clockRate: number;
}

/** Of the camera's clock between its two reports, beside ours: by more it was set in between, or they are of two clocks. */
const MAX_STEP_MS = 1_000;
/** Clocks drift: a report that old places nothing within some 20 ms any more. */
const STALE_MS = 60_000;

/**
 * Which picture a camera says its sound belongs to, by the sender reports of both. Whether its clock is right does not
 * matter, only that both reports are of one: cameras set their clocks in mid-stream, and some report the sound by another
 * one. What they say may still be nonsense: whoever asks compares it with when things came.
 */
export class LipSync {
  readonly #reports: Partial<Record<'picture' | 'sound', Report>> = {};

  /** Takes a compound RTCP packet of the pictures or of the sound. */
  report(of: 'picture' | 'sound', rtcp: Buffer, receivedMs: number): void {
    for (let at = 0; at + 28 <= rtcp.length && rtcp[at]! >> 6 === 2; at += 4 + rtcp.readUInt16BE(at + 2) * 4) {
      if (rtcp[at + 1] !== 200) continue;
      const seconds = rtcp.readUInt32BE(at + 8) + rtcp.readUInt32BE(at + 12) / 2 ** 32;
      // Without a clock a camera may say zero.
      if (rtcp.readUInt32BE(at + 8) === 0) delete this.#reports[of];
      else {
        const [ssrc, timestamp] = [rtcp.readUInt32BE(at + 4), rtcp.readUInt32BE(at + 16)];
        this.#reports[of] = { ssrc, seconds, timestamp, receivedMs };
      }
    }
  }

  /** Where sound belongs on the pictures' time line; null: the camera does not say. */
  place(sound: SoundMoment, pictures: Pick<RtpReceiver, 'ssrc' | 'shownAt'>, clockRate: number) {
    const { picture: p, sound: s } = this.#reports;
    if (!p || !s || p.ssrc !== pictures.ssrc || s.ssrc !== sound.ssrc) return null;
    const apartMs = (s.seconds - p.seconds) * 1000 - (s.receivedMs - p.receivedMs);
    if (Math.abs(apartMs) > MAX_STEP_MS || Math.abs(s.receivedMs - p.receivedMs) > STALE_MS) return null;
    const seconds = s.seconds + ((sound.timestamp - s.timestamp) | 0) / sound.clockRate;
    return pictures.shownAt((p.timestamp + Math.round((seconds - p.seconds) * clockRate)) >>> 0);
  }
}
