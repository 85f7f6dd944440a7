import { type ClipFile, MAX_BOXES } from './clip-file.ts';
import { collect } from './content.ts';
import { boxHeader, firstSample, initInfo, onePicture } from './mp4.ts';

const MAX_PICTURE_BYTES = 4 * 1024 * 1024;
const MAX_HEADER_BYTES = 1024 * 1024;
const PEEK_BYTES = 64 * 1024;

/**
 * The first picture of a clip as an MP4 of its own, some tens of kilobytes: a browser decodes it as it would the clip, so
 * that nothing has to be decoded here. Null when the clip is nothing that is understood.
 */
export async function posterOf(file: ClipFile): Promise<Buffer | null> {
  const start = await collect(file.read(0, Math.min(PEEK_BYTES, file.size) - 1));
  const read = (from: number, length: number) =>
    from + length <= start.length
      ? start.subarray(from, from + length)
      : collect(file.read(from, Math.min(file.size, from + length) - 1));
  const init: Buffer[] = [];
  try {
    for (let at = 0, count = 0; at + 16 <= file.size && count < MAX_BOXES; count++) {
      const { type, size } = boxHeader(await read(at, 16), file.size - at);
      if (type === 'ftyp' || type === 'moov' || type === 'moof') {
        if (size > MAX_HEADER_BYTES) return null;
        init.push(await read(at, size));
      }
      if (type === 'moof') return await firstPicture(Buffer.concat(init.slice(0, -1)), init.at(-1)!, at);
      at += size;
    }
  } catch {
    // No MP4, or one that is cut.
  }
  return null;

  async function firstPicture(head: Buffer, moof: Buffer, at: number): Promise<Buffer | null> {
    const { trackId } = initInfo(head);
    const sample = firstSample(moof, trackId);
    if (!sample || sample.size > MAX_PICTURE_BYTES) return null;
    const picture = await read(at + sample.offset, sample.size);
    return picture.length === sample.size ? onePicture(head, trackId, picture) : null;
  }
}
