import { randomBytes } from 'node:crypto';
import type { RtpWriter } from './packetizer.ts';
import type { UdpPair } from './udp-pair.ts';

/** Where a track's packets go: into the connection behind `$`, or to two UDP ports. */
export type Way = { channel: number } | { udp: UdpPair };

const REPORT_MS = 5_000;

/** One track of one viewer: times of the source become RTP timestamps that run on over its epochs. */
export class Track {
  readonly way: Way;
  readonly rtp: RtpWriter;
  readonly #clockRate: number;
  #epoch = -1;
  /** RTP timestamp minus the source's time. */
  #offset = 0;
  #lastTimestamp = randomBytes(4).readUInt32BE(0);
  #lastMonoMs = 0;
  #reportedMs = Number.NEGATIVE_INFINITY;

  constructor(o: { way: Way; rtp: RtpWriter; clockRate: number }) {
    this.way = o.way;
    this.rtp = o.rtp;
    this.#clockRate = o.clockRate;
  }

  timestamp(at: { time: number; epoch: number; monoMs: number }): number {
    if (at.epoch !== this.#epoch) {
      // What our own clock saw pass fills the hole.
      const passed = this.#epoch < 0 ? 0 : Math.max(1, ((at.monoMs - this.#lastMonoMs) * this.#clockRate) / 1000);
      this.#offset = this.#lastTimestamp + Math.round(passed) - at.time;
      this.#epoch = at.epoch;
      this.#reportedMs = Number.NEGATIVE_INFINITY;
    }
    this.#lastTimestamp = at.time + this.#offset;
    this.#lastMonoMs = at.monoMs;
    return this.#lastTimestamp;
  }

  /** A report when one is due: at once, and every 5 s; it is what lays sound and pictures side by side. */
  report(at: { wallMs: number; monoMs: number }, timestamp: number): Buffer | null {
    if (at.monoMs - this.#reportedMs < REPORT_MS) return null;
    this.#reportedMs = at.monoMs;
    return this.rtp.senderReport(at.wallMs, timestamp);
  }

  close(): void {
    if ('udp' in this.way) this.way.udp.close();
  }
}
