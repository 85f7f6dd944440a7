export interface RtspMessage {
  /** Request or status line. */
  first: string;
  headers: [name: string, value: string][];
  body: Buffer;
}

/** A piece of an RTSP connection: a text message, or one interleaved frame (`$`, channel, length, payload). */
export type RtspUnit = { message: RtspMessage } | { frame: Buffer };

const MAX_HEAD = 65_536;

/** Cuts the bytes of one direction of an RTSP connection into its units (RFC 2326 §10.12). Throws on garbage. */
export class RtspSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): RtspUnit[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const units: RtspUnit[] = [];
    for (;;) {
      const unit = this.#next();
      if (!unit) return units;
      units.push(unit);
    }
  }

  #next(): RtspUnit | null {
    const bytes = this.#rest;
    if (bytes[0] === 0x24) {
      if (bytes.length < 4) return null;
      const end = 4 + bytes.readUInt16BE(2);
      if (bytes.length < end) return null;
      this.#rest = bytes.subarray(end);
      return { frame: bytes.subarray(0, end) };
    }
    const head = bytes.indexOf('\r\n\r\n');
    if (head < 0 && bytes.length < MAX_HEAD) return null;
    if (head < 0 || head > MAX_HEAD) throw new Error('an RTSP head without end');
    const [first, ...lines] = bytes.toString('latin1', 0, head).split('\r\n');
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const length = Number(header({ headers }, 'content-length') ?? 0);
    if (!Number.isInteger(length) || length < 0 || length > MAX_HEAD) throw new Error('an RTSP body of no sane length');
    const end = head + 4 + length;
    if (bytes.length < end) return null;
    this.#rest = bytes.subarray(end);
    return { message: { first: first!, headers, body: bytes.subarray(head + 4, end) } };
  }
}

export function header(message: Pick<RtspMessage, 'headers'>, name: string): string | undefined {
  return message.headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

export function encode(message: RtspMessage): Buffer {
  const lines = [message.first, ...message.headers.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), message.body]);
}
