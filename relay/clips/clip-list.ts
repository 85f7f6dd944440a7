import { z } from 'zod';
import type { FragmentRow } from './clip-file.ts';

/** What serving and deleting a clip need of a part. */
export type ClipPart = Pick<FragmentRow, 'n' | 'size' | 'durationMs' | 'keyFrame' | 'decodeTime' | 'ticks'>;

const Row = z.tuple([
  z.number(),
  z.number(),
  z.number(),
  z.union([z.literal(0), z.literal(1)]),
  z.number().nullable(),
  z.number().nullable(),
]);

/**
 * The parts of a clip as one text: an array of [n, size, duration, key frame, decode time, ticks], numbers as the difference
 * to what the part before lets expect, so that nearly all are 1 or 0. Some 20 bytes a part, where a row and its index take 200.
 */
export function listOf(parts: ClipPart[]): string {
  const out: z.infer<typeof Row>[] = [];
  let before = FIRST;
  for (const { n, size, durationMs, keyFrame, decodeTime, ticks } of parts) {
    const part = {
      n,
      size: Number(size),
      durationMs,
      keyFrame: keyFrame === 1 ? (1 as const) : (0 as const),
      decodeTime: decodeTime === null ? null : Number(decodeTime),
      ticks: ticks === null ? null : Number(ticks),
    };
    out.push([
      n - before.n,
      part.size,
      durationMs - before.durationMs,
      part.keyFrame,
      part.decodeTime === null ? null : part.decodeTime - endOf(before),
      part.ticks === null ? null : part.ticks - (before.ticks ?? 0),
    ]);
    before = part;
  }
  return JSON.stringify(out);
}

/** Throws for what {@link listOf} did not make. */
export function partsOf(list: string): ClipPart[] {
  let before = FIRST;
  return z
    .array(Row)
    .parse(JSON.parse(list))
    .map(([n, size, durationMs, keyFrame, decodeTime, ticks]) => {
      before = {
        n: before.n + n,
        size,
        durationMs: before.durationMs + durationMs,
        keyFrame,
        decodeTime: decodeTime === null ? null : endOf(before) + decodeTime,
        ticks: ticks === null ? null : (before.ticks ?? 0) + ticks,
      };
      return before;
    });
}

const FIRST: ClipPart = { n: -1, size: 0, durationMs: 0, keyFrame: 0, decodeTime: null, ticks: null };
const endOf = ({ decodeTime, ticks }: ClipPart) => (decodeTime ?? 0) + (ticks ?? 0);
