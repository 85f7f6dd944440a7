import type { Clip } from '../../protocol/wire/api.ts';
import type { ClipPart } from './clip-list.ts';

type Gap = Clip['gaps'][number];
/** As many as a clip may have (protocol/wire/event.ts). */
const MAX_GAPS = 100;
/** Less than a picture or two is rounding. */
const LEAST_MS = 250;

/**
 * What is missing of a clip that stays incomplete: what its box says the camera or the disk left out, and parts that never
 * came, by where those beside them lie in its time.
 */
export function holesOf(parts: readonly ClipPart[], { durationMs, gaps }: Pick<Clip, 'durationMs' | 'gaps'>): Gap[] {
  const missing: Gap[] = [];
  let at = 0;
  const hole = (untilMs: number) => {
    if (untilMs - at > LEAST_MS) missing.push({ atMs: Math.round(at), durationMs: Math.round(untilMs - at) });
  };
  for (const { n, decodeTime, ticks, durationMs: lasts } of parts) {
    if (n === 0) continue;
    // What does not say where it lies says nothing of what is missing either.
    if (decodeTime === null || !ticks || lasts === 0) return gaps;
    const ticksPerMs = Number(ticks) / lasts;
    hole(Number(decodeTime) / ticksPerMs);
    at = Math.max(at, (Number(decodeTime) + Number(ticks)) / ticksPerMs);
  }
  hole(durationMs);
  return joined([...gaps, ...missing]);
}

function joined(gaps: Gap[]): Gap[] {
  const out: Gap[] = [];
  for (const gap of gaps.toSorted((a, b) => a.atMs - b.atMs)) {
    const last = out.at(-1);
    if (last && gap.atMs <= last.atMs + last.durationMs) {
      last.durationMs = Math.max(last.durationMs, gap.atMs + gap.durationMs - last.atMs);
    } else out.push({ ...gap });
  }
  return out.slice(0, MAX_GAPS);
}
