/** Parameter sets made with x264 and x265 of test pictures, and a packetizer that plays the camera's part. */
export const H264_SETS = {
  sps: Buffer.from('67640028acd940780227e5c044000003000400000300c83c60c658', 'hex'),
  pps: Buffer.from('68ebe3cb22c0', 'hex'),
};
export const H264_SMALL_SETS = {
  sps: Buffer.from('6742c01ed900a02ff97011000003000100000300320f162e48', 'hex'),
  pps: Buffer.from('68cb83cb20', 'hex'),
};
export const H265_SETS = {
  vps: Buffer.from('40010c01ffff016000000300900000030000030078959809', 'hex'),
  sps: Buffer.from('420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000c84', 'hex'),
  pps: Buffer.from('4401c172b46240', 'hex'),
};

/** A NAL unit of H.264: the first byte after the header says "first slice of the picture" when its top bit is set. */
export function slice(key: boolean, size = 40, first = true): Buffer {
  const nal = Buffer.alloc(Math.max(size, 3), 0x55);
  nal[0] = key ? 0x65 : 0x41;
  nal[1] = first ? 0x88 : 0x48;
  return nal;
}
export const h265Slice = (key: boolean, size = 40): Buffer => {
  const nal = Buffer.alloc(Math.max(size, 4), 0x55);
  nal[0] = key ? 19 << 1 : 1 << 1;
  nal[1] = 1;
  nal[2] = 0x80;
  return nal;
};

export interface RtpFields {
  sequence: number;
  timestamp: number;
  marker?: boolean;
  ssrc?: number;
}

export function rtpPacket(payload: Buffer, f: RtpFields): Buffer {
  const head = Buffer.alloc(12);
  head[0] = 0x80;
  head[1] = 96 | (f.marker ? 0x80 : 0);
  head.writeUInt16BE(f.sequence & 0xffff, 2);
  head.writeUInt32BE(f.timestamp >>> 0, 4);
  head.writeUInt32BE(f.ssrc ?? 0x1234, 8);
  return Buffer.concat([head, payload]);
}

export const stapA = (nals: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([24]), ...nals.flatMap((n) => [Buffer.from([n.length >> 8, n.length & 255]), n])]);

export function fuA(nal: Buffer, size: number): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 1; at < nal.length; at += size) {
    const flags = (at === 1 ? 0x80 : 0) | (at + size >= nal.length ? 0x40 : 0);
    const header = Buffer.from([(nal[0]! & 0xe0) | 28, flags | (nal[0]! & 0x1f)]);
    payloads.push(Buffer.concat([header, nal.subarray(at, at + size)]));
  }
  return payloads;
}

export function fuH265(nal: Buffer, size: number): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 2; at < nal.length; at += size) {
    const flags = (at === 2 ? 0x80 : 0) | (at + size >= nal.length ? 0x40 : 0);
    const header = Buffer.from([(nal[0]! & 0x81) | (49 << 1), nal[1]!, flags | ((nal[0]! >> 1) & 0x3f)]);
    payloads.push(Buffer.concat([header, nal.subarray(at, at + size)]));
  }
  return payloads;
}

/** Numbers packets like a camera: same timestamp for a picture, marker on its last packet. */
export class Packetizer {
  sequence: number;
  timestamp: number;
  ssrc = 0x1234;

  constructor(sequence = 65_500, timestamp = 4_294_960_000) {
    this.sequence = sequence;
    this.timestamp = timestamp;
  }
  /** Packets of one picture from RTP payloads, 40 ms after the former one. */
  picture(payloads: Buffer[], marker = true): Buffer[] {
    const packets = payloads.map((p, i) =>
      rtpPacket(p, {
        sequence: this.sequence++,
        timestamp: this.timestamp,
        marker: marker && i === payloads.length - 1,
        ssrc: this.ssrc,
      }),
    );
    this.timestamp += 3600;
    return packets;
  }
}
