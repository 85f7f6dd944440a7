import type { FragmentRow } from './clip-file.ts';
import { readInit } from './clip-file.ts';
import { type ClipContent, collect } from './content.ts';
import { boxHeader, firstSample, initInfo, onePicture } from './mp4.ts';

const MAX_PICTURE_BYTES = 4 * 1024 * 1024;
const PEEK_BYTES = 16 * 1024;

/**
 * The first picture of a clip as an MP4 of its own, some tens of kilobytes: a browser decodes it as it would the clip, so
 * that nothing has to be decoded here. Null when there is none yet, or the clip is nothing that is understood.
 */
export async function posterOf(content: ClipContent, fragments: FragmentRow[]): Promise<Buffer | null> {
  const init = fragments.find((row) => row.n === 0);
  const first = fragments.find((row) => row.n > 0 && row.keyFrame === 1);
  if (!init || !first) return null;
  try {
    const head = await readInit(content, init);
    const size = content.size(Number(first.size));
    const read = (from: number, length: number) =>
      collect(content.fragment(first.n, from, Math.min(size, from + length) - 1));
    let start = await read(0, PEEK_BYTES);
    // A segment type or an index may stand before.
    let at = 0;
    let box = boxHeader(start, size);
    while (box.type !== 'moof') {
      at += box.size;
      if (at + 16 > start.length) return null;
      box = boxHeader(start.subarray(at), size - at);
    }
    if (box.size > MAX_PICTURE_BYTES) return null;
    if (at + box.size > start.length) start = await read(0, at + box.size);
    const { trackId } = initInfo(head);
    const sample = firstSample(start.subarray(at, at + box.size), trackId);
    if (!sample || sample.size > MAX_PICTURE_BYTES || at + sample.offset + sample.size > size) return null;
    const picture = await read(at + sample.offset, sample.size);
    return picture.length === sample.size ? onePicture(head, trackId, picture) : null;
  } catch {
    return null;
  }
}
