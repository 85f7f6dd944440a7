import { bodyStart, MAX_DC09_FRAME } from './dc09.ts';

/**
 * Cuts a TCP stream into DC-09 frames. CR is looked for in the body only: a binary CRC may hold one. Several frames in a
 * segment, frames in many segments and NULs between them are taken; what is no frame is skipped to the next LF. A frame
 * whose length field is wrong comes out as it is, so that it gets its answer. Holds at most one frame and the chunk being
 * pushed.
 */
export class Dc09Stream {
  #buffer: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    this.#buffer = this.#buffer.length ? Buffer.concat([this.#buffer, chunk]) : chunk;
    const frames: Buffer[] = [];
    let at = 0;
    for (;;) {
      at = this.#buffer.indexOf(0x0a, at);
      if (at < 0) break;
      const size = frameSize(this.#buffer.subarray(at, at + MAX_DC09_FRAME));
      if (size === 'more') break;
      if (size === 'none') at++;
      else {
        frames.push(Buffer.from(this.#buffer.subarray(at, at + size)));
        at += size;
      }
    }
    // A copy, so that a few waiting bytes do not keep a large chunk alive.
    this.#buffer = at < 0 ? Buffer.alloc(0) : Buffer.from(this.#buffer.subarray(at));
    return frames;
  }
}

function frameSize(from: Buffer): number | 'more' | 'none' {
  if (from.length < 10) return 'more';
  const start = bodyStart(from);
  const length = start && from.toString('latin1', start - 4, start);
  if (!start || !length || !/^0[0-9a-f]{3}$/i.test(length)) return 'none';
  const size = start + Number.parseInt(length, 16) + 1;
  if (from[size - 1] === 0x0d) return size;
  const end = from.indexOf(0x0d, start) + 1;
  const next = from.indexOf(0x0a, start);
  // The rest of it never came: another one begins.
  if (next >= 0 && (end === 0 || next < end)) return 'none';
  if (end > 0) return end;
  return from.length < MAX_DC09_FRAME ? 'more' : 'none';
}
