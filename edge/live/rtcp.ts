/** What a viewer says of the pictures that reach it. */
export interface Feedback {
  /** It cannot decode on: RTCP PLI (RFC 4585 §6.3.1) or FIR (RFC 5104 §4.3.1). */
  keyFrame: boolean;
  /** Bits a second that its line takes (draft-alvestrand-rmcat-remb-03); null: not said. */
  bitrate: number | null;
}

const PAYLOAD_FEEDBACK = 206;

/** Reads a compound RTCP packet (RFC 3550 §6.1). */
export function readFeedback(data: Buffer): Feedback {
  const feedback: Feedback = { keyFrame: false, bitrate: null };
  for (let at = 0; at + 12 <= data.length; ) {
    const format = data[at]! & 0x1f;
    const bytes = (data.readUInt16BE(at + 2) + 1) * 4;
    if (data[at]! >> 6 !== 2 || at + bytes > data.length) break;
    if (data[at + 1] === PAYLOAD_FEEDBACK) {
      if (format === 1 || format === 4) feedback.keyFrame = true;
      else if (format === 15 && bytes >= 20 && data.toString('latin1', at + 12, at + 16) === 'REMB') {
        const word = data.readUInt32BE(at + 16);
        feedback.bitrate = (word & 0x3ffff) * 2 ** ((word >> 18) & 0x3f);
      }
    }
    at += bytes;
  }
  return feedback;
}
