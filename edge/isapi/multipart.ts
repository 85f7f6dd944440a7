/** One part of an alertStream. */
export interface Part {
  /** As the device wrote it, lower case, without parameters; '' when it gave none. */
  contentType: string;
  body: Buffer;
}

const MAX_TEXT_BYTES = 256 * 1024;
const MAX_BINARY_BYTES = 4 * 1024 * 1024;
const MAX_LINE_BYTES = 4 * 1024;
const MAX_HEADER_LINES = 32;
/** More than a device's document or picture without a length is looked at again only with 1/64 more of it there. */
const LARGE_TEXT_BYTES = 16 * 1024;
const LARGE_BINARY_BYTES = 1024 * 1024;
const LF = 0x0a;
const XML_START = Buffer.from('<EventNotificationAlert');
/** What may stand before a document, as Latin-1: byte order mark, declaration, comments. */
const PROLOG = /^\s*(\xef\xbb\xbf)?\s*(<\?[^>]*>\s*|<!--(?:(?!-->).)*-->\s*)*$/s;
const XML_END = /<\/(?:[\w.-]+:)?EventNotificationAlert\s*>/;

type State =
  | { at: 'between' }
  | { at: 'header'; lines: string[] }
  /** `length` null: the part ends where its document, or the next delimiter, says so. `scanned`: looked at so far. */
  | { at: 'body'; contentType: string; length: number | null; scanned: number; binary: boolean };

/**
 * Cuts the endless multipart answer of alertStream into parts (isapi.md §10), whatever the chunks. What devices do there:
 * announce one boundary and use another, double delimiter lines, leave out headers, lengths or line ends, end lines with LF alone,
 * send pictures that contain the delimiter. So the delimiter is learnt from the wire; a part goes by its
 * Content-Length, else by the end of its document, else by the next delimiter; what is none of these is skipped up to the
 * next thing that can be read. A bad part never ends the stream.
 */
export class AlertStreamParser {
  #chunks: Buffer[] = [];
  #size = 0;
  /** Not worth another look before so many bytes are there. */
  #need = 1;
  #state: State = { at: 'between' };
  #delimiter: Buffer | null = null;
  /** Counts parts begun; with `pending` it tells whether one part has been open for long. */
  #begun = 0;
  skippedBytes = 0;

  /** Which part is incomplete now; 0 when none is. */
  get pending(): number {
    return this.#state.at === 'body' ? this.#begun : 0;
  }

  push(chunk: Buffer): Part[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    return this.#size < this.#need ? [] : this.#run(false);
  }

  /**
   * Looks at what is pending without its Content-Length: a wrong one would swallow what follows. To be called when a part
   * stays incomplete for seconds, and at the end of the stream.
   */
  resync(): Part[] {
    const s = this.#state;
    if (s.at === 'body') this.#state = { ...s, length: null, scanned: 0 };
    return this.#run(true);
  }

  #run(resyncing: boolean): Part[] {
    const parts: Part[] = [];
    let buffer = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#need = 1;
    for (;;) {
      const rest = this.#step(buffer, parts, resyncing);
      if (rest === null) break;
      buffer = rest;
    }
    this.#chunks = buffer.length > 0 ? [buffer] : [];
    this.#size = buffer.length;
    if (this.#need <= this.#size) this.#need = this.#size + 1;
    return parts;
  }

  /** Takes something off the front and returns the rest; null when more bytes are needed. */
  #step(buffer: Buffer, parts: Part[], resyncing: boolean): Buffer | null {
    const s = this.#state;
    if (buffer.length === 0) return null;
    if (s.at === 'between') return this.#between(buffer);
    if (s.at === 'header') return this.#header(buffer, s.lines);
    return s.binary ? this.#binary(buffer, s, parts, resyncing) : this.#text(buffer, s, parts);
  }

  #between(buffer: Buffer): Buffer | null {
    let start = 0;
    while (
      start < buffer.length &&
      (buffer[start]! <= 0x20 || buffer[start] === 0xef || buffer[start] === 0xbb || buffer[start] === 0xbf)
    )
      start++;
    if (start === buffer.length) return Buffer.alloc(0);
    const rest = buffer.subarray(start);
    if (rest[0] === 0x3c || rest[0] === 0x7b) return this.#begin(rest, '', null, false);
    if (rest[0] === 0xff && rest.length === 1) return null;
    if (rest[0] === 0xff && rest[1] === 0xd8) return this.#begin(rest, '', null, true);
    const end = rest.indexOf(LF);
    if (end < 0) {
      if (rest.length <= MAX_LINE_BYTES) return null;
      return this.#skip(rest, rest.length - XML_START.length);
    }
    const line = rest.subarray(0, end);
    if (line.length > 2 && line[0] === 0x2d && line[1] === 0x2d) {
      this.#learn(line);
      return rest.subarray(end + 1);
    }
    if (isHeader(line)) {
      this.#state = { at: 'header', lines: [] };
      return rest;
    }
    const document = line.indexOf(XML_START);
    return this.#skip(rest, document > 0 ? document : end + 1);
  }

  #header(buffer: Buffer, lines: string[]): Buffer | null {
    const end = buffer.indexOf(LF);
    if (end < 0 && buffer.length <= MAX_LINE_BYTES) {
      // A document can begin where the empty line is missing.
      return buffer[0] === 0x3c || buffer[0] === 0x7b ? this.#bodyOf(buffer, lines) : null;
    }
    const line = buffer.subarray(0, end < 0 ? buffer.length : end);
    if (line.length === 0 || (line.length === 1 && line[0] === 0x0d))
      return this.#bodyOf(buffer.subarray(end + 1), lines);
    if (end < 0 || lines.length >= MAX_HEADER_LINES || !isHeader(line)) {
      this.#state = { at: 'between' };
      return buffer;
    }
    lines.push(line.toString('latin1').trim());
    return buffer.subarray(end + 1);
  }

  #bodyOf(rest: Buffer, lines: string[]): Buffer {
    const value = (name: string) =>
      lines
        .find((l) => l.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim() ?? '';
    const contentType = value('content-type').split(';')[0]!.trim().toLowerCase();
    const written = value('content-length');
    const binary = /^(image|video|audio)\/|octet-stream/.test(contentType);
    const length = /^\d{1,8}$/.test(written) ? Number(written) : null;
    const max = binary ? MAX_BINARY_BYTES : MAX_TEXT_BYTES;
    return this.#begin(rest, contentType, length !== null && length <= max ? length : null, binary);
  }

  #begin(rest: Buffer, contentType: string, length: number | null, binary: boolean): Buffer {
    this.#begun++;
    this.#state = { at: 'body', contentType, length, scanned: 0, binary };
    return rest;
  }

  /** A document: what its length says, if it is whole then; a delimiter inside shows that the length is wrong. */
  #text(buffer: Buffer, s: Extract<State, { at: 'body' }>, parts: Part[]): Buffer | null {
    const limit = s.length === null ? buffer.length : Math.min(s.length, buffer.length);
    const delimiter = this.#findDelimiter(buffer.subarray(0, limit), s.scanned);
    if (delimiter >= 0) return this.#finish(buffer, delimiter, delimiter, s, parts);
    const next = nextDocument(buffer.subarray(0, limit));
    if (next > 0) {
      // With another delimiter than the learnt one, what stands between the two belongs to neither.
      const end = documentEnd(buffer.subarray(0, next)) || next;
      return this.#finish(buffer, end, end, s, parts);
    }
    if (s.length !== null) {
      if (buffer.length < s.length) return this.#wait(s, buffer, s.length);
      if (s.length === 0 || documentEnd(buffer.subarray(0, s.length)) > 0)
        return this.#finish(buffer, s.length, s.length, s, parts);
      this.#state = { ...s, length: null, scanned: 0 };
      return buffer;
    }
    const end = documentEnd(buffer);
    if (end > 0) return this.#finish(buffer, end, end, s, parts);
    if (buffer.length > MAX_TEXT_BYTES) return this.#giveUp(buffer);
    return this.#wait(s, buffer, 0);
  }

  /** A picture: exactly its length, if a delimiter or nothing readable follows; it may contain anything. */
  #binary(buffer: Buffer, s: Extract<State, { at: 'body' }>, parts: Part[], resyncing: boolean): Buffer | null {
    if (s.length !== null) {
      const after = s.length + 2 + (this.#delimiter?.length ?? 2);
      if (buffer.length < after) return this.#wait(s, buffer, after);
      let next = s.length;
      if (buffer[next] === 0x0d) next++;
      if (buffer[next] === LF) next++;
      const fits = this.#delimiter
        ? buffer.subarray(next, next + this.#delimiter.length).equals(this.#delimiter)
        : true;
      if (fits) return this.#finish(buffer, s.length, next, s, parts);
      this.#state = { ...s, length: null, scanned: 0 };
      return buffer;
    }
    const delimiter = this.#findDelimiter(buffer, s.scanned);
    if (delimiter >= 0) return this.#finish(buffer, delimiter, delimiter, s, parts);
    const document = resyncing || buffer.length > MAX_TEXT_BYTES ? buffer.indexOf(XML_START) : -1;
    if (document >= 0) {
      this.#state = { at: 'between' };
      return this.#skip(buffer, document);
    }
    return buffer.length > MAX_BINARY_BYTES ? this.#giveUp(buffer) : this.#wait(s, buffer, 0);
  }

  #finish(buffer: Buffer, end: number, next: number, s: Extract<State, { at: 'body' }>, parts: Part[]): Buffer {
    if (end > 0) parts.push({ contentType: s.contentType, body: buffer.subarray(0, end) });
    this.#state = { at: 'between' };
    return buffer.subarray(next);
  }

  #wait(s: Extract<State, { at: 'body' }>, buffer: Buffer, need: number): null {
    // A delimiter that straddles two chunks begins before the end of this one.
    const scanned = Math.max(0, buffer.length - (this.#delimiter?.length ?? 0) - 2);
    this.#state = { ...s, scanned };
    // A text with a wrong length shows it by a delimiter: it is looked at with every chunk, but a large one sent byte by
    // byte must not cost a whole look a byte. What waits for this comes at the latest with a resync.
    const large = buffer.length > (s.binary ? LARGE_BINARY_BYTES : LARGE_TEXT_BYTES);
    this.#need = Math.max(s.binary ? need : 0, large ? buffer.length + (buffer.length >> 6) : 0);
    return null;
  }

  #giveUp(buffer: Buffer): Buffer {
    this.#state = { at: 'between' };
    return this.#skip(buffer, buffer.length);
  }

  #skip(buffer: Buffer, count: number): Buffer {
    this.skippedBytes += count;
    return buffer.subarray(count);
  }

  /** The delimiter as this device writes it; the end marker (`--x--`, practically never sent) is none. */
  #learn(line: Buffer): void {
    const written = line.toString('latin1').trimEnd();
    const known = this.#delimiter?.toString('latin1');
    if (known && written === `${known}--`) return;
    this.#delimiter = Buffer.from(written, 'latin1');
  }

  /** Index at which a delimiter line begins within a body, looking from `from` on; −1 when there is none. */
  #findDelimiter(body: Buffer, from: number): number {
    const d = this.#delimiter;
    if (!d) return -1;
    for (let i = body.indexOf(d, from); i >= 0; i = body.indexOf(d, i + 1)) {
      const before = i === 0 || body[i - 1] === LF;
      const after = body[i + d.length];
      if (before && (after === undefined || after === LF || after === 0x0d || after === 0x2d)) return i;
    }
    return -1;
  }
}

const isHeader = (line: Buffer): boolean => line.length < 1024 && /^[\w-]{1,64}[ \t]*:/.test(line.toString('latin1'));

/** Where another alert begins within a part, whose end was lost then; −1 when none does. Alerts do not nest. */
function nextDocument(body: Buffer): number {
  const first = body.indexOf(XML_START);
  const own = first >= 0 && PROLOG.test(body.toString('latin1', 0, Math.min(first, 512)));
  return own ? body.indexOf(XML_START, first + 1) : first;
}

/** Where the document in `body` ends; 0 while it does not. */
function documentEnd(body: Buffer): number {
  let i = 0;
  while (i < body.length && body[i] !== 0x3c && body[i] !== 0x7b) i++;
  if (body[i] === 0x7b) return jsonEnd(body, i);
  // Latin-1 keeps one character a byte, so that indices agree.
  const text = body.toString('latin1');
  const alert = XML_END.exec(text);
  if (alert) return alert.index + alert[0].length;
  // Another root, such as the answer to a subscription.
  const root = /<([A-Za-z_][\w.:-]*)[\s>/]/.exec(text);
  if (!root || text.includes('<EventNotificationAlert')) return 0;
  const close = text.indexOf(`</${root[1]}>`);
  return close < 0 ? 0 : close + root[1]!.length + 3;
}

function jsonEnd(body: Buffer, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < body.length; i++) {
    const c = body[i];
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x7b) depth++;
    else if (c === 0x7d && --depth === 0) return i + 1;
  }
  return 0;
}
