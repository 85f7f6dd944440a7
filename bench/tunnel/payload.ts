import { Readable } from 'node:stream';
import { percentile } from '../percentile.ts';

const CHUNK = Buffer.alloc(256 * 1024, 0x47);
export const SMALL = Buffer.alloc(500, 0x73);

/** `bytes` of payload; 0: until the reader stops. */
export function bytesStream(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes === 0 ? Number.POSITIVE_INFINITY : bytes;
  return new ReadableStream(
    {
      pull: (controller) => {
        controller.enqueue(left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left));
        left -= CHUNK.length;
        if (left <= 0) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

export function bytesReadable(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    highWaterMark: CHUNK.length,
    read() {
      if (left <= 0) {
        this.push(null);
        return;
      }
      const n = Math.min(left, CHUNK.length);
      left -= n;
      this.push(n === CHUNK.length ? CHUNK : CHUNK.subarray(0, n));
    },
  });
}

export function percentiles(samples: number[]): { p50: number; p99: number; max: number; samples: number } {
  const at = (p: number) => round(percentile(samples, p));
  return { p50: at(50), p99: at(99), max: at(100), samples: samples.length };
}

export const round = (n: number, digits = 2): number => Math.round(n * 10 ** digits) / 10 ** digits;
