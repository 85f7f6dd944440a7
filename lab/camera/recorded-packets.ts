const MAX_PAYLOAD = 1400;

/** 20 ms at 8 kHz: eight periods of twenty samples, µ-law. */
export const SOUND_SAMPLES = 160;
export const TONE = Buffer.from(
  Array.from({ length: SOUND_SAMPLES }, (_, i) => muLaw(Math.round(8_000 * Math.sin((2 * Math.PI * i) / 20)))),
);

/** One packet among others on the connection (RFC 2326 §10.12). */
export const interleaved = (channel: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x24, channel, payload.length >> 8, payload.length & 255]), payload]);

/** ITU-T G.711 §3. */
function muLaw(sample: number): number {
  const size = Math.min(Math.abs(sample), 32_635) + 132;
  const exponent = 24 - Math.clz32(size);
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((size >> (exponent + 3)) & 0x0f)) & 0xff;
}

/** RFC 3550 §6.6. */
export function bye(ssrc: number): Buffer {
  const packet = Buffer.from([0x81, 203, 0, 1, 0, 0, 0, 0]);
  packet.writeUInt32BE(ssrc, 4);
  return packet;
}

export function splitAnnexB(data: Buffer): Buffer[] {
  const starts: number[] = [];
  for (let at = data.indexOf('000001', 0, 'hex'); at >= 0; at = data.indexOf('000001', at + 3, 'hex'))
    starts.push(at + 3);
  return starts.map((start, i) => {
    let end = i + 1 < starts.length ? starts[i + 1]! - 3 : data.length;
    while (end > start && data[end - 1] === 0) end--;
    return data.subarray(start, end);
  });
}

/** RFC 6184 §5.6, §5.8. */
export function packets(nal: Buffer): Buffer[] {
  if (nal.length <= MAX_PAYLOAD) return [nal];
  const parts: Buffer[] = [];
  for (let at = 1; at < nal.length; at += MAX_PAYLOAD) {
    const flags = (at === 1 ? 0x80 : 0) | (at + MAX_PAYLOAD >= nal.length ? 0x40 : 0);
    const head = Buffer.from([(nal[0]! & 0xe0) | 28, flags | (nal[0]! & 0x1f)]);
    parts.push(Buffer.concat([head, nal.subarray(at, at + MAX_PAYLOAD)]));
  }
  return parts;
}

/** RFC 7798 §4.4.3. */
export function packets265(nal: Buffer): Buffer[] {
  if (nal.length <= MAX_PAYLOAD) return [nal];
  const parts: Buffer[] = [];
  for (let at = 2; at < nal.length; at += MAX_PAYLOAD) {
    const flags = (at === 2 ? 0x80 : 0) | (at + MAX_PAYLOAD >= nal.length ? 0x40 : 0);
    const head = Buffer.from([(nal[0]! & 0x81) | (49 << 1), nal[1]!, flags | ((nal[0]! >> 1) & 0x3f)]);
    parts.push(Buffer.concat([head, nal.subarray(at, at + MAX_PAYLOAD)]));
  }
  return parts;
}
