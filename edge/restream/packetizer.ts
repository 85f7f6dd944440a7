import type { VideoKind } from '../video/codec.ts';

/** Payload of one packet: fits into an Ethernet frame with RTP, UDP and IPv6 headers. */
const MAX_PAYLOAD = 1_380;

/** Numbers the packets of one RTP source (RFC 3550 §5.1). */
export class RtpWriter {
  readonly ssrc: number;
  readonly #payloadType: number;
  readonly #description: Buffer;
  #sequence: number;
  packets = 0;
  octets = 0;

  /** `cname`: the same of all sources that belong together (RFC 3550 §6.5.1). */
  constructor(o: { payloadType: number; ssrc: number; sequence: number; cname?: string }) {
    this.ssrc = o.ssrc;
    this.#description = sourceDescription(o.ssrc, o.cname ?? 'box');
    this.#payloadType = o.payloadType;
    this.#sequence = o.sequence;
  }

  /** `room`: bytes to leave free before the packet, for its frame on a TCP connection. */
  packet(parts: Buffer[], timestamp: number, marker: boolean, room: number): Buffer {
    const size = parts.reduce((sum, p) => sum + p.length, 12);
    const out = Buffer.allocUnsafe(room + size);
    out[room] = 0x80;
    out[room + 1] = this.#payloadType | (marker ? 0x80 : 0);
    out.writeUInt16BE(this.#sequence, room + 2);
    out.writeUInt32BE(timestamp >>> 0, room + 4);
    out.writeUInt32BE(this.ssrc, room + 8);
    let at = room + 12;
    for (const part of parts) at += part.copy(out, at);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets++;
    this.octets += size - 12;
    return out;
  }

  /** RFC 3550 §6.4.1, without report blocks, and an SDES with the name that every compound needs. */
  senderReport(wallMs: number, timestamp: number): Buffer {
    const out = Buffer.alloc(28);
    out.set([0x80, 200, 0, 6]);
    out.writeUInt32BE(this.ssrc, 4);
    // Seconds since 1900, and their fraction.
    out.writeUInt32BE((Math.floor(wallMs / 1000) + 2_208_988_800) >>> 0, 8);
    out.writeUInt32BE(Math.floor(((wallMs % 1000) / 1000) * 2 ** 32), 12);
    out.writeUInt32BE(timestamp >>> 0, 16);
    out.writeUInt32BE(this.packets >>> 0, 20);
    out.writeUInt32BE(this.octets >>> 0, 24);
    return Buffer.concat([out, this.#description]);
  }
}

/** RFC 3550 §6.5: one chunk with a CNAME, its items ended and filled up with zeros. */
function sourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname);
  const words = 2 + Math.ceil((2 + name.length + 1) / 4);
  const out = Buffer.alloc(words * 4);
  out.set([0x81, 202, 0, words - 1]);
  out.writeUInt32BE(ssrc, 4);
  out.set([1, name.length, ...name], 8);
  return out;
}

/** Payloads of one access unit (NAL units behind their lengths): single units and FU-A (RFC 6184), or FU (RFC 7798). */
export function pictureParts(kind: VideoKind, data: Buffer): Buffer[][] {
  const payloads: Buffer[][] = [];
  const head = kind === 'h264' ? 1 : 2;
  for (let at = 0; at + 4 < data.length; ) {
    const end = at + 4 + data.readUInt32BE(at);
    const nal = data.subarray(at + 4, Math.min(end, data.length));
    at = end;
    if (nal.length <= head) continue;
    if (nal.length <= MAX_PAYLOAD) {
      payloads.push([nal]);
      continue;
    }
    const size = MAX_PAYLOAD - head - 1;
    for (let from = head; from < nal.length; from += size) {
      const flags = (from === head ? 0x80 : 0) | (from + size >= nal.length ? 0x40 : 0);
      const header =
        kind === 'h264'
          ? Buffer.from([(nal[0]! & 0xe0) | 28, flags | (nal[0]! & 0x1f)])
          : Buffer.from([(nal[0]! & 0x81) | (49 << 1), nal[1]!, flags | ((nal[0]! >> 1) & 0x3f)]);
      payloads.push([header, nal.subarray(from, from + size)]);
    }
  }
  return payloads;
}

/** Payloads of one AAC access unit (RFC 3640 §3.3.6, a header of 13 and 3 bits); long ones in pieces. */
export function aacParts(data: Buffer): Buffer[][] {
  const header = Buffer.from([0, 16, data.length >> 5, (data.length << 3) & 255]);
  const payloads: Buffer[][] = [];
  for (let at = 0; at < data.length; at += MAX_PAYLOAD - 4) {
    payloads.push([header, data.subarray(at, at + MAX_PAYLOAD - 4)]);
  }
  return payloads;
}
