import type { Result } from '../answer.ts';
import { type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text, type XmlNode } from '../xml.ts';

const DAYS = [1, 2, 3, 4, 5, 6, 7];
/** A day as a device writes it: 1 is Monday. */
const block = (day: number): string =>
  `<TimeBlock><dayOfWeek>${day}</dayOfWeek><TimeRange><beginTime>00:00</beginTime><endTime>24:00</endTime></TimeRange></TimeBlock>`;

/** An arming schedule (ISAPI Event/schedules); null where the device keeps none. */
export async function readSchedule(device: IsapiDevice, path: string, signal?: AbortSignal): Promise<XmlNode | null> {
  const doc = await device.get(path, signal);
  return doc.ok && list(doc.value.node, 'TimeBlockList').length > 0 ? doc.value.node : null;
}

/** Whether every day of the week is covered from its first minute to its last. */
export function isAroundTheClock(schedule: XmlNode): boolean {
  const blocks = list(schedule, 'TimeBlockList', 'TimeBlock');
  return DAYS.every((day) => {
    const ranges = blocks
      .filter((b) => Number(text(b, 'dayOfWeek')) === day)
      .map((b) => [minutes(text(b, 'TimeRange', 'beginTime')), minutes(text(b, 'TimeRange', 'endTime'))] as const)
      .sort(([a], [b]) => a - b);
    let until = 0;
    for (const [from, to] of ranges) if (from <= until + 1) until = Math.max(until, to);
    // 23:59 and 23:59:59 stand for the end of the day as well.
    return until >= 24 * 60 - 1;
  });
}

function minutes(time: string): number {
  const found = /^(\d{1,2}):(\d{2})/.exec(time);
  return found ? Number(found[1]) * 60 + Number(found[2]) : Number.NaN;
}

export const setAroundTheClock = (device: IsapiDevice, path: string, signal?: AbortSignal): Promise<Result<Written>> =>
  writeDocument(device, path, [{ path: ['TimeBlockList'], inner: DAYS.map(block).join('') }], signal);
