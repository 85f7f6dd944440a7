import { PassThrough, pipeline, Readable } from 'node:stream';
import { ProblemError } from '../api/problem.ts';
import type { ClipFile } from './clip-file.ts';
import { parseRange } from './range.ts';

/** What goes back of a clip's file: by range where one is asked for, never whole in memory. */
export interface Served {
  status: 200 | 206 | 304;
  headers: Record<string, string>;
  /** Null: nothing is to be sent (HEAD, or it is unchanged). */
  stream: Readable | null;
}

/** Answers GET and HEAD of a clip with its validators and ranges (RFC 9110 §13, §14); throws `range-not-satisfiable`. */
export function serveClip(
  file: ClipFile,
  request: { method: string; header: (name: string) => string | undefined },
  more: Record<string, string>,
): Served {
  const headers: Record<string, string> = {
    'content-type': 'video/mp4',
    'accept-ranges': 'bytes',
    etag: file.etag,
    ...more,
  };
  if (request.header('if-none-match') === file.etag) return { status: 304, headers, stream: null };
  const ifRange = request.header('if-range');
  const range = ifRange && ifRange !== file.etag ? null : parseRange(request.header('range'), file.size);
  if (range === 'unsatisfiable') {
    throw new ProblemError('range-not-satisfiable', undefined, {
      headers: { 'content-range': `bytes */${file.size}` },
    });
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  headers['content-length'] = String(end - start + 1);
  if (range) headers['content-range'] = `bytes ${start}-${end}/${file.size}`;
  const status = range ? 206 : 200;
  if (request.method === 'HEAD') return { status, headers, stream: null };
  // Whoever ends it ends it at once: what is read might be in the middle of waiting for the store.
  const stream = new PassThrough({ highWaterMark: 262_144 });
  pipeline(Readable.from(file.read(start, end), { objectMode: false, highWaterMark: 65_536 }), stream, () => {});
  return { status, headers, stream };
}

export const toWeb = (stream: Readable) => Readable.toWeb(stream) as ReadableStream<Uint8Array>;
