/** What a device says of a packet that it replays (ONVIF Streaming §6.3). */
export interface ReplayStamp {
  /** When the picture was taken, by the device's own clock, Unix ms. */
  ms: number;
  /** The last before a gap, or of the recording. */
  end: boolean;
  /** Something is missing before it. */
  discontinuity: boolean;
  /** The last of what was asked for. */
  terminal: boolean;
}

const PROFILE = 0xabac;
const WORDS = 3;
/** From 1900 to 1970. */
const NTP_EPOCH_S = 2_208_988_800;
const ERA_S = 2 ** 32;

/** RTP timestamp and replay extension of one packet; null where it has none. */
export function readReplayStamp(rtp: Buffer): (ReplayStamp & { timestamp: number }) | null {
  if (rtp.length < 12 || rtp[0]! >> 6 !== 2 || (rtp[0]! & 0x10) === 0) return null;
  const at = 12 + (rtp[0]! & 0x0f) * 4;
  if (rtp.length < at + 4 + WORDS * 4 || rtp.readUInt16BE(at) !== PROFILE || rtp.readUInt16BE(at + 2) < WORDS)
    return null;
  const seconds = rtp.readUInt32BE(at + 4);
  const fraction = rtp.readUInt32BE(at + 8);
  if (seconds === 0) return null;
  // Numbers of NTP begin anew in 2036.
  const unix = seconds - NTP_EPOCH_S + (seconds < NTP_EPOCH_S ? ERA_S : 0);
  const flags = rtp[at + 12]!;
  return {
    timestamp: rtp.readUInt32BE(4),
    ms: unix * 1000 + Math.round((fraction * 1000) / ERA_S),
    end: (flags & 0x40) !== 0,
    discontinuity: (flags & 0x20) !== 0,
    terminal: (flags & 0x10) !== 0,
  };
}

/** Pictures under way: of one picture some devices stamp all packets, others the first or the last. */
const MAX_KEPT = 64;

/** Finds the stamp of a picture by its RTP timestamp. */
export class ReplayStamps {
  readonly #byTimestamp = new Map<number, ReplayStamp>();

  take(rtp: Buffer): ReplayStamp | null {
    const stamp = readReplayStamp(rtp);
    if (!stamp) return null;
    const before = this.#byTimestamp.get(stamp.timestamp);
    if (before) {
      before.end ||= stamp.end;
      before.discontinuity ||= stamp.discontinuity;
      before.terminal ||= stamp.terminal;
      return before;
    }
    const { timestamp, ...kept } = stamp;
    this.#byTimestamp.set(timestamp, kept);
    if (this.#byTimestamp.size > MAX_KEPT) this.#byTimestamp.delete(this.#byTimestamp.keys().next().value!);
    return kept;
  }

  of(timestamp: number): ReplayStamp | null {
    return this.#byTimestamp.get(timestamp) ?? null;
  }
}
