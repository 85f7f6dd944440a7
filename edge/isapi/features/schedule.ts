import type { FieldValue, SettingField } from '../../../protocol/wire/operations.ts';
import { ALWAYS, MINUTES_OF_DAY, readWeek, type WeekSpan, writeWeek } from '../../../protocol/wire/week.ts';
import type { Result } from '../answer.ts';
import { type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text } from '../xml.ts';

/** Ranges of one day; what devices take. */
const MAX_RANGES = 8;
const AROUND_THE_CLOCK = writeWeek(ALWAYS);

/** The times at which an event counts (ISAPI Event/schedules), as fields; none where the device keeps none. */
export async function scheduleFields(device: IsapiDevice, path: string, signal?: AbortSignal): Promise<SettingField[]> {
  const doc = await device.get(path, signal);
  if (!doc.ok || list(doc.value.node, 'TimeBlockList').length === 0) return [];
  const spans = list(doc.value.node, 'TimeBlockList', 'TimeBlock').flatMap((block): WeekSpan[] => {
    const day = Number(text(block, 'dayOfWeek'));
    const [from, to] = ['beginTime', 'endTime'].map((name) => minutes(text(block, 'TimeRange', name)));
    return day >= 1 && day <= 7 && from! < to! ? [{ day, from: from!, to: to! }] : [];
  });
  const value = writeWeek(spans);
  const always = value === AROUND_THE_CLOCK;
  return [
    // It can be set; what is wanted instead are times.
    { name: 'aroundTheClock', kind: 'boolean', value: always, ...(always && { readOnly: true }) },
    { name: 'schedule', kind: 'week', value, maxRanges: MAX_RANGES },
  ];
}

/** Which week is wished: times, or all of it; null: none is. */
export const wantedWeek = ({ schedule, aroundTheClock }: Record<string, FieldValue>): readonly WeekSpan[] | null =>
  typeof schedule === 'string' ? readWeek(schedule) : aroundTheClock === true ? ALWAYS : null;

export const setWeek = (
  device: IsapiDevice,
  path: string,
  week: readonly WeekSpan[],
  signal?: AbortSignal,
): Promise<Result<Written>> =>
  writeDocument(device, path, [{ path: ['TimeBlockList'], inner: week.map(block).join('') }], signal);

const pad = (n: number): string => String(n).padStart(2, '0');
const clockOf = (n: number): string => `${pad(Math.floor(n / 60))}:${pad(n % 60)}`;
/** A range as a device writes it: day 1 is Monday. */
const block = ({ day, from, to }: WeekSpan): string =>
  `<TimeBlock><dayOfWeek>${day}</dayOfWeek><TimeRange><beginTime>${clockOf(from)}</beginTime><endTime>${clockOf(to)}</endTime></TimeRange></TimeBlock>`;

function minutes(time: string): number {
  const found = /^(\d{1,2}):(\d{2})/.exec(time);
  if (!found) return Number.NaN;
  const n = Number(found[1]) * 60 + Number(found[2]);
  // 23:59 and 23:59:59 stand for the end of the day as well.
  return n >= MINUTES_OF_DAY - 1 ? MINUTES_OF_DAY : n;
}
