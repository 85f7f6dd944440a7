import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { ClipPart } from './clip-list.ts';
import { type ClipContent, collect } from './content.ts';
import { boxHeader, type FragmentTiming, fileHeader, type IndexEntry, initInfo, moofTiming } from './mp4.ts';
import { type ClipTables, LISTED } from './schema.ts';

export type ClipRow = Selectable<ClipTables['clips']>;
export type FragmentRow = Selectable<ClipTables['clip_fragments']>;

const MAX_INIT_BYTES = 1024 * 1024;
const MAX_MOOF_BYTES = 4 * 1024 * 1024;
const PEEK_BYTES = 16 * 1024;
/** In a file (or fragment) that is looked into: each may be a request to an object store. */
export const MAX_BOXES = 64;

/**
 * A clip as one file of known size: joined, or made of its fragments on the fly. Both are the same bytes with the same
 * ETag, so that a player may go on across the joining.
 */
export interface ClipFile {
  size: number;
  etag: string;
  /** Bytes `start` to `end`, both inclusive. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** Null while nothing can be played: init segment and the first fragment are needed. */
export async function openClip(
  content: ClipContent,
  clip: ClipRow,
  rows: ClipPart[] | FragmentRow[],
): Promise<ClipFile | null> {
  const joined = clip.swept === LISTED ? null : clip.joinedSize;
  if (joined !== null && clip.etag !== null) return joinedFile(content, joined, clip.etag);
  const init = rows.find((r) => r.n === 0);
  const media = playable(rows, clip.boxState === 'incomplete');
  if (!init || media.length === 0) return null;
  const etag = clip.etag ?? etagOf(clip, rows as FragmentRow[]);
  if (joined !== null) return joinedFile(content, joined, etag);

  const parts = media.map((row) => ({ ...row, size: content.size(Number(row.size)) }));
  const head = header(await readInit(content, init), parts);
  const size = parts.reduce((sum, r) => sum + r.size, head.length);
  async function* read(start: number, end: number): AsyncGenerator<Uint8Array> {
    if (start < head.length) yield head.subarray(start, end + 1);
    let offset = head.length;
    for (const { n, size: bytes } of parts) {
      const [from, to] = [Math.max(start - offset, 0), Math.min(end - offset, bytes - 1)];
      offset += bytes;
      if (from > to) continue;
      try {
        yield* content.fragment(n, from, to);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        // Joined since this reading began: what is left stands in the joined file at the same place.
        yield* content.joined(offset - bytes + from, end);
        return;
      }
    }
  }
  return { size, etag, read };
}

const joinedFile = (content: ClipContent, size: number, etag: string): ClipFile => ({
  size: Number(size),
  etag,
  read: (start, end) => content.joined(start, end),
});

/** The init segment of a clip. */
function readInit(content: ClipContent, { size }: Pick<FragmentRow, 'size'>): Promise<Buffer> {
  return collect(content.fragment(0, 0, Math.min(content.size(Number(size)), MAX_INIT_BYTES) - 1));
}

/**
 * Fragments that make a picture: those without a gap from the first on; when the clip will not get better, also what
 * comes after a gap, from the next key frame on.
 */
function playable<T extends ClipPart>(rows: T[], final: boolean): T[] {
  const out: T[] = [];
  for (const row of rows) {
    if (row.n === 0) continue;
    const follows = row.n === (out.at(-1)?.n ?? 0) + 1;
    if (!follows && !final) break;
    if (follows || row.keyFrame) out.push(row);
  }
  return out;
}

function header(init: Buffer, media: ClipPart[]): Buffer {
  try {
    const { timescale } = initInfo(init);
    const entries: IndexEntry[] = media.map((row, i) => {
      const next = media[i + 1];
      const ticks = row.ticks === null ? Math.round((row.durationMs * timescale) / 1000) : Number(row.ticks);
      // Missing parts, and what the camera did not send, are holes in the time line.
      const gap = next && next.decodeTime !== null && row.decodeTime !== null;
      return {
        size: Number(row.size),
        ticks: gap ? Number(next.decodeTime) - Number(row.decodeTime) : ticks,
        keyFrame: row.keyFrame === 1,
      };
    });
    return fileHeader(init, entries, Number(media[0]!.decodeTime ?? 0));
  } catch {
    // No MP4 we understand: a player may still do.
    return init;
  }
}

/** Of the hashes of all that is played: whoever reads the objects can compute it again. */
export function etagOf({ id, boxState }: Pick<ClipRow, 'id' | 'boxState'>, rows: FragmentRow[]): string {
  const hash = createHash('sha256').update(id);
  const played = [...rows.filter((row) => row.n === 0), ...playable(rows, boxState === 'incomplete')];
  for (const { n, sha256 } of played) hash.update(`${n} ${sha256}\n`);
  return `"${hash.digest('base64url').slice(0, 27)}"`;
}

/** Timing of a stored fragment, over all its `moof` boxes; null when it does not say, or is no MP4. */
export async function fragmentTiming(content: ClipContent, n: number, stored: number): Promise<FragmentTiming | null> {
  const size = content.size(stored);
  const moofs: FragmentTiming[] = [];
  try {
    // The first box is a `moof` that is nearly always in here: one request to an object store instead of three.
    const start = await collect(content.fragment(n, 0, Math.min(size, PEEK_BYTES) - 1));
    const peek = async (from: number, length: number) =>
      from + length <= start.length
        ? start.subarray(from, from + length)
        : collect(content.fragment(n, from, Math.min(size, from + length) - 1));
    for (let offset = 0, count = 0; offset < size; count++) {
      if (count === MAX_BOXES) return null;
      const box = boxHeader(await peek(offset, Math.min(size - offset, 16)), size - offset);
      if (box.type === 'moof') {
        if (box.size > MAX_MOOF_BYTES) return null;
        const moof = moofTiming(await peek(offset, box.size));
        if (!moof) return null;
        moofs.push(moof);
      }
      offset += box.size;
    }
  } catch {
    return null;
  }
  const ticks = moofs.reduce((sum, m) => sum + m.ticks, 0);
  return moofs[0] ? { decodeTime: moofs[0].decodeTime, ticks } : null;
}
