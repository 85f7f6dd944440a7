import type { Readable } from 'node:stream';
import type { SiteJobMessage } from '../../protocol/wire/initialise.ts';
import { JobMessage } from '../../protocol/wire/jobs.ts';
import { readBoxEvents } from '../devices/box-feed.ts';

/** Reads a box's stream of a job and hands on its messages; true when the box ended it by itself. */
export function readJobEvents(
  body: Readable,
  boxSerial: string,
  push: (message: SiteJobMessage) => void,
): Promise<boolean> {
  return readBoxEvents(body, JobMessage, (message) => {
    if (message.event === 'item') return push(message);
    const { siteNote: _, ...job } = message.data;
    push({ event: 'job', data: { ...job, boxSerial } });
  });
}
