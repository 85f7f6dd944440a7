/*
 * RTSP over one TCP connection (RFC 2326 §10.12, §4):
 *
 *   '$' channel:u8 length:u16 payload      interleaved RTP (even channel) or RTCP (odd)
 *   RTSP/1.0 status reason CRLF headers    response
 *   METHOD uri RTSP/1.0 CRLF headers       request of the server (keep-alive of its own)
 *
 * Cameras put garbage between these; the reader skips to the next thing that looks like one of them.
 */
export interface RtspMessage {
  /** null: a response. */
  method: string | null;
  uri: string;
  /** 0: a request. */
  status: number;
  reason: string;
  /** Names in lower case; a header may stand several times (WWW-Authenticate). */
  headers: Map<string, string[]>;
  body: Buffer;
}

export interface RtspReaderHandlers {
  /** The payload is a view that is valid until the call returns: copy what is kept. */
  frame(channel: number, payload: Buffer): void;
  message(message: RtspMessage): void;
}

const MAX_HEADER_BYTES = 16 * 1024;
/** Of the first line, with the address. */
const MAX_LINE_BYTES = 4 * 1024;
const MAX_BODY_BYTES = 64 * 1024;
/** Room for the largest frame and the largest message. */
const BUFFER_BYTES = 128 * 1024;
const DOLLAR = 0x24;
const METHODS = 'OPTIONS DESCRIBE ANNOUNCE SETUP PLAY PAUSE RECORD TEARDOWN GET_PARAMETER SET_PARAMETER REDIRECT'.split(
  ' ',
);
const STARTS = ['RTSP/1.', ...METHODS.map((m) => `${m} `)];
const EMPTY = Buffer.alloc(0);

/** First header of that name, trimmed; null when it is missing. */
export const header = (message: RtspMessage, name: string): string | null => message.headers.get(name)?.[0] ?? null;

export class RtspReader {
  /** Channels that were set up: a frame of any other is garbage. */
  readonly channels = new Set<number>();
  /** Bytes that were neither frame nor message. */
  skippedBytes = 0;
  /** The one buffer that everything is received into: an allocation for each read is what a pull would cost most. */
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #length = 0;
  #stopped = false;
  readonly #to: RtspReaderHandlers;

  constructor(handlers: RtspReaderHandlers) {
    this.#to = handlers;
  }

  /** Where to write what arrives next; then say {@link received}. Never empty. */
  get space(): Buffer {
    return this.#buffer.subarray(this.#length);
  }

  /** Nothing more of what came is handed over, even within the call that runs. */
  stop(): void {
    this.#stopped = true;
  }

  /** `bytes` were written to {@link space}: calls the handlers for everything that is complete now. */
  received(bytes: number): void {
    this.#length += bytes;
    const data = this.#buffer.subarray(0, this.#length);
    let at = 0;
    while (at < data.length && !this.#stopped) {
      const size = data[at] === DOLLAR ? this.#frame(data, at) : this.#message(data, at);
      if (size === 0) break;
      if (size > 0) {
        at += size;
        continue;
      }
      const next = this.#nextCandidate(data, at + 1);
      if (data[at] !== 0x0d && data[at] !== 0x0a) this.skippedBytes += next - at;
      at = next;
    }
    if (this.#stopped) at = this.#length;
    if (at > 0) this.#buffer.copyWithin(0, at, this.#length);
    this.#length -= at;
  }

  /** The same for data that is elsewhere already. */
  push(data: Buffer): void {
    for (let at = 0; at < data.length; ) {
      const bytes = data.copy(this.space, 0, at);
      at += bytes;
      this.received(bytes);
    }
  }

  /** Size of the frame at `at`; 0: incomplete; -1: not a frame. */
  #frame(data: Buffer, at: number): number {
    if (data.length - at < 4) return 0;
    const channel = data[at + 1]!;
    if (!this.channels.has(channel)) return -1;
    const size = data.readUInt16BE(at + 2);
    if (size === 0) return 4;
    if (data.length - at < 5) return 0;
    // RTP and RTCP both begin with version 2.
    if (data[at + 4]! >> 6 !== 2) return -1;
    if (data.length - at < 4 + size) return 0;
    this.#to.frame(channel, data.subarray(at + 4, at + 4 + size));
    return 4 + size;
  }

  /** Size of the message at `at`; 0: incomplete; -1: not a message. */
  #message(data: Buffer, at: number): number {
    const head = data.toString('latin1', at, at + 16);
    if (!STARTS.some((s) => head.startsWith(s))) return STARTS.some((s) => s.startsWith(head)) ? 0 : -1;
    // What was cut off and what repeats itself is looked at again and again: the first line judges it, and no look goes far.
    const window = data.subarray(at, at + MAX_HEADER_BYTES);
    const line = firstLine(window.subarray(0, MAX_LINE_BYTES));
    if (line === null) return window.length < MAX_LINE_BYTES ? 0 : -1;
    const start = parseStart(line);
    if (!start) return -1;
    const crlf = window.indexOf('\r\n\r\n', 0, 'latin1');
    const lf = (crlf < 0 ? window : window.subarray(0, crlf)).indexOf('\n\n', 0, 'latin1');
    const headEnd = lf >= 0 ? lf : crlf;
    if (headEnd < 0) return window.length < MAX_HEADER_BYTES ? 0 : -1;
    const headers = parseHeaders(window.toString('latin1', line.length, headEnd));
    const message: RtspMessage = { ...start, headers, body: EMPTY };
    const bodyAt = at + headEnd + (lf >= 0 ? 2 : 4);
    const length = Number.parseInt(header(message, 'content-length') ?? '0', 10) || 0;
    if (length < 0 || length > MAX_BODY_BYTES) return -1;
    if (data.length < bodyAt + length) return 0;
    message.body = Buffer.from(data.subarray(bodyAt, bodyAt + length));
    this.#to.message(message);
    return bodyAt + length - at;
  }

  #nextCandidate(data: Buffer, from: number): number {
    for (let i = from; i < data.length; i++) {
      const b = data[i]!;
      if (b === DOLLAR) return i;
      // Only letters that begin a status line or a method are worth a closer look.
      if (b >= 0x41 && b <= 0x54) {
        const head = data.toString('latin1', i, i + 16);
        if (STARTS.some((s) => head.startsWith(s) || (i + s.length > data.length && s.startsWith(head)))) return i;
      }
    }
    return data.length;
  }
}

/** Up to the line break; null: there is none. */
function firstLine(data: Buffer): string | null {
  const lf = data.indexOf(0x0a);
  const cr = (lf < 0 ? data : data.subarray(0, lf)).indexOf(0x0d);
  const end = cr >= 0 ? cr : lf;
  return end < 0 ? null : data.toString('latin1', 0, end);
}

function parseStart(line: string): Pick<RtspMessage, 'method' | 'uri' | 'status' | 'reason'> | null {
  // Neither can be read in two ways: what does not fit is turned down in one pass.
  const response = /^RTSP\/1\.\d\s+(\d{3})(.*)$/s.exec(line);
  if (response) return { method: null, uri: '', status: Number(response[1]), reason: response[2]!.trim() };
  const request = /^([A-Z_]+) (\S+) RTSP\/1\.\d\s*$/.exec(line);
  return request ? { method: request[1]!, uri: request[2]!, status: 0, reason: '' } : null;
}

function parseHeaders(text: string): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of text.split(/\r\n|\r|\n/)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const values = headers.get(name);
    if (values) values.push(line.slice(colon + 1).trim());
    else headers.set(name, [line.slice(colon + 1).trim()]);
  }
  return headers;
}

/** A request as bytes. `CSeq` is spelled as in the standard: some cameras know no other spelling. */
export function formatRequest(method: string, uri: string, cseq: number, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${uri} RTSP/1.0\r\nCSeq: ${cseq}\r\n${lines.join('')}\r\n`;
}
