/** Takes NAL units. Whatever is handed over is a view that is valid until the call returns. */
export interface NalSink {
  /** A whole NAL unit. */
  nal(nal: Buffer): void;
  /** A unit of a picture comes in pieces: the first one begins with the NAL header. */
  begin(header: Buffer): void;
  append(data: Buffer): void;
  end(): void;
}

export interface Depacketizer {
  /** Hands what is in this RTP payload to the sink. Payloads that make no sense are ignored. */
  push(payload: Buffer): void;
  /** Forgets a NAL unit begun: packets are missing. */
  reset(): void;
}

const START_CODE = Buffer.from([0, 0, 1]);
/** A key frame of 4 MB behind an SPS, and in how many pieces it comes. */
const MAX_OTHER_BYTES = 4 * 1024 * 1024;
const MAX_OTHER_FRAGMENTS = 4096;
/** NAL units in one packet, or in what claimed to be one: slices of a picture, its parameter sets, messages. */
const MAX_UNITS = 256;

/**
 * Cheap cameras send several NAL units with Annex-B start codes in one. A real NAL unit never contains 00 00 01
 * (emulation prevention), so cutting there cannot hurt.
 */
function splitAnnexB(nal: Buffer, sink: NalSink): void {
  let at = nal.indexOf(START_CODE);
  if (at < 0) {
    if (nal.length > 0) sink.nal(nal);
    return;
  }
  let begin = 0;
  for (let left = MAX_UNITS; at >= 0; left--) {
    if (left === 0) return;
    // The zero byte of a four-byte start code, or trailing zeros, belong to no NAL unit.
    let end = at;
    while (end > begin && nal[end - 1] === 0) end--;
    if (end > begin) sink.nal(nal.subarray(begin, end));
    begin = at + 3;
    at = nal.indexOf(START_CODE, begin);
  }
  if (nal.length > begin) sink.nal(nal.subarray(begin));
}

/** Calls `each` with the units of an aggregation packet: size:u16, unit. Stops at the first that does not fit. */
function aggregated(payload: Buffer, from: number, skip: number, each: (nal: Buffer) => void): void {
  let at = from + skip;
  for (let left = MAX_UNITS; left > 0 && at + 2 <= payload.length; left--) {
    const size = payload.readUInt16BE(at);
    at += 2;
    if (size === 0 || at + size > payload.length) return;
    each(payload.subarray(at, at + size));
    at += size + (skip > 0 ? skip - 1 : 0);
  }
}

/** Follows the fragments of one NAL unit. */
class Fragments {
  #state: 'none' | 'picture' | 'other' = 'none';
  /** Copies of a unit that claims to be no picture. */
  #other: Buffer[] = [];
  #otherBytes = 0;
  readonly #sink: NalSink;
  readonly #isPicture: (header: number) => boolean;

  constructor(sink: NalSink, isPicture: (header: number) => boolean) {
    this.#sink = sink;
    this.#isPicture = isPicture;
  }
  /** `header`: that of the NAL unit, with its first fragment. Start and end in one packet are illegal and seen (OpenIPC). */
  add(header: Buffer | null, end: boolean, data: Buffer): void {
    if (header) {
      this.#state = this.#isPicture(header[0]!) ? 'picture' : 'other';
      if (this.#state === 'picture') this.#sink.begin(header);
      else {
        this.#other = [header];
        this.#otherBytes = 0;
      }
    }
    if (this.#state === 'none') return;
    if (this.#state === 'picture') {
      this.#sink.append(data);
      if (end) this.#sink.end();
    } else {
      this.#otherBytes += data.length;
      if (this.#otherBytes > MAX_OTHER_BYTES || this.#other.length > MAX_OTHER_FRAGMENTS) {
        this.reset();
        return;
      }
      this.#other.push(Buffer.from(data));
      // SPS, PPS and IDR in one fragmented "unit": look inside.
      if (end) splitAnnexB(Buffer.concat(this.#other), this.#sink);
    }
    if (end) this.reset();
  }
  reset(): void {
    this.#state = 'none';
    this.#other = [];
  }
}

/** RFC 6184: single NAL units, STAP-A and -B, FU-A and -B. */
export class H264Depacketizer implements Depacketizer {
  readonly #sink: NalSink;
  readonly #fragments: Fragments;

  constructor(sink: NalSink) {
    this.#sink = sink;
    this.#fragments = new Fragments(sink, (header) => (header & 0x1f) >= 1 && (header & 0x1f) <= 5);
  }

  push(payload: Buffer): void {
    if (payload.length < 2) return;
    const type = payload[0]! & 0x1f;
    if (type >= 1 && type <= 23) splitAnnexB(payload, this.#sink);
    else if (type === 24 || type === 25) {
      aggregated(type === 24 ? payload : payload.subarray(2), 1, 0, (nal) => splitAnnexB(nal, this.#sink));
    } else if (type === 28 || type === 29) {
      const fu = payload[1]!;
      const start = (fu & 0x80) !== 0;
      const header = start ? Buffer.from([(payload[0]! & 0xe0) | (fu & 0x1f)]) : null;
      this.#fragments.add(header, (fu & 0x40) !== 0, payload.subarray(type === 29 && start ? 4 : 2));
    } else if (type === 0 && payload.indexOf(START_CODE) >= 0) {
      splitAnnexB(payload, this.#sink);
    }
  }
  reset(): void {
    this.#fragments.reset();
  }
}

/** RFC 7798: single NAL units, AP, FU; with decoding order numbers where the description announced them. */
export class H265Depacketizer implements Depacketizer {
  readonly #sink: NalSink;
  readonly #donl: boolean;
  readonly #fragments: Fragments;

  constructor(sink: NalSink, donl: boolean) {
    this.#sink = sink;
    this.#donl = donl;
    this.#fragments = new Fragments(sink, (header) => ((header >> 1) & 0x3f) < 32);
  }

  push(payload: Buffer): void {
    if (payload.length < 3) return;
    const type = (payload[0]! >> 1) & 0x3f;
    if (type < 48) {
      if (this.#donl) this.#sink.nal(Buffer.concat([payload.subarray(0, 2), payload.subarray(4)]));
      else splitAnnexB(payload, this.#sink);
    } else if (type === 48) {
      // First unit: DONL of 2 bytes; every further one: DOND of 1 byte.
      aggregated(payload, 2, this.#donl ? 2 : 0, (nal) => splitAnnexB(nal, this.#sink));
    } else if (type === 49) {
      const fu = payload[2]!;
      const start = (fu & 0x80) !== 0;
      const header = start ? Buffer.from([(payload[0]! & 0x81) | ((fu & 0x3f) << 1), payload[1]!]) : null;
      this.#fragments.add(header, (fu & 0x40) !== 0, payload.subarray(this.#donl && start ? 5 : 3));
    }
  }
  reset(): void {
    this.#fragments.reset();
  }
}
