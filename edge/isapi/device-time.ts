import { document } from './answer.ts';
import type { IsapiClient } from './client.ts';
import { text } from './xml.ts';

/**
 * How far the device's clock is off (ms, positive: ahead); null when it cannot be told.
 *
 * Devices mislabel their time (isapi.md §5): local time with a Z, no offset at all, summer time with the winter offset.
 * So every reading that some firmware means is tried, and the one nearest to the box's clock counts: a clock is called
 * wrong only when it is wrong in each of them.
 */
export async function readClockDrift(
  client: IsapiClient,
  nowMs: () => number,
  signal?: AbortSignal,
): Promise<number | null> {
  const result = await client.get('/System/time', { signal });
  if (!result.ok) return null;
  const node = document(result.value.body, 'Time') ?? '';
  return clockDrift(text(node, 'localTime'), text(node, 'timeZone'), nowMs());
}

export function clockDrift(localTime: string, timeZone: string, nowMs: number): number | null {
  const written = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d{1,2}:?\d\d)?$/.exec(localTime.trim());
  if (!written) return null;
  const wall = Date.parse(`${written[1]}Z`);
  if (Number.isNaN(wall)) return null;
  const offsets = new Set<number>();
  if (written[2]) offsets.add(offsetMs(written[2]));
  // POSIX signs are inverted: CST-3:00:00 is UTC+3. Summer time stands behind DST.
  const zone = /^[A-Za-z]+([+-]?)(\d{1,2}):(\d\d)/.exec(timeZone);
  if (zone) {
    const standard = (zone[1] === '-' ? 1 : -1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000;
    const dst = /DST(\d{1,2}):(\d\d)/.exec(timeZone);
    offsets.add(standard);
    if (dst) offsets.add(standard + (Number(dst[1]) * 60 + Number(dst[2])) * 60_000);
  }
  const drifts = [...offsets].map((offset) => wall - offset - nowMs);
  return drifts.length === 0 ? null : drifts.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a));
}

function offsetMs(written: string): number {
  if (written === 'Z') return 0;
  const [, sign, hours, minutes] = /^([+-])(\d{1,2}):?(\d\d)$/.exec(written)!;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
