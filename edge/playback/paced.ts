import type { Pacer } from '../upload/pacer.ts';

export type Pace = Pick<Pacer, 'begin' | 'take' | 'chunkBytes'>;

/** After everything else that is uploaded: a file may come as fast as the line has room, and no faster. */
const RANK = Number.MAX_SAFE_INTEGER;

/** The same bytes, at the pace of this box's uploads: what is watched or clicked meanwhile waits for none of them. */
export function paced(source: ReadableStream<Uint8Array>, pace: Pace): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const abort = new AbortController();
  let rest: Uint8Array = new Uint8Array(0);
  const release = pace.begin();
  const end = () => {
    abort.abort();
    release();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          while (rest.length === 0) {
            const next = await reader.read();
            if (next.done) {
              end();
              controller.close();
              return;
            }
            rest = next.value;
          }
          const part = rest.subarray(0, pace.chunkBytes);
          await pace.take(part.length, RANK, abort.signal);
          if (abort.signal.aborted) return;
          rest = rest.subarray(part.length);
          controller.enqueue(part);
        } catch (error) {
          end();
          controller.error(error);
        }
      },
      cancel: (reason) => {
        end();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
