/** Fixed header of an RTP packet (RFC 3550 §5.1). The payload is a view, without header extension and padding. */
export interface RtpPacket {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payload: Buffer;
}

/** null for what is no RTP packet. */
export function parseRtp(data: Buffer): RtpPacket | null {
  if (data.length < 12 || data[0]! >> 6 !== 2) return null;
  let start = 12 + (data[0]! & 0x0f) * 4;
  if (data[0]! & 0x10) {
    if (data.length < start + 4) return null;
    start += 4 + data.readUInt16BE(start + 2) * 4;
  }
  let end = data.length;
  if (data[0]! & 0x20) end -= data[data.length - 1]!;
  if (end < start) return null;
  return {
    payloadType: data[1]! & 0x7f,
    marker: (data[1]! & 0x80) !== 0,
    sequence: data.readUInt16BE(2),
    timestamp: data.readUInt32BE(4),
    ssrc: data.readUInt32BE(8),
    payload: data.subarray(start, end),
  };
}

/** After this many packets "from the past" the camera has started its numbers anew without saying so. */
const RESTART_AFTER = 16;

export type Arrival = 'next' | 'gap' | 'old' | 'restart';

/** Follows the sequence numbers of one source. Interleaved RTP cannot reorder: a gap is a loss, at the camera. */
export class Sequence {
  /** Packets that never came. */
  lost = 0;
  #expected = -1;
  #old = 0;

  arrival(sequence: number): Arrival {
    const ahead = this.#expected < 0 ? 0 : (sequence - this.#expected) & 0xffff;
    if (ahead >= 0x8000 && ++this.#old < RESTART_AFTER) return 'old';
    const arrival = ahead === 0 ? 'next' : ahead < 0x8000 ? 'gap' : 'restart';
    if (arrival === 'gap') this.lost += ahead;
    this.#old = 0;
    this.#expected = (sequence + 1) & 0xffff;
    return arrival;
  }
  reset(): void {
    this.#expected = -1;
    this.#old = 0;
  }
}
