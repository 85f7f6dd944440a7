import type { Readable } from 'node:stream';
import type { SiteJobMessage } from '../../protocol/wire/initialise.ts';
import { JobMessage } from '../../protocol/wire/jobs.ts';

/** The largest message is a whole job. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/**
 * Reads a box's stream of a job (text/event-stream) and hands on its messages, each checked; true when the box ended it
 * by itself. What a box says that is no message of a job ends the reading.
 */
export async function readJobEvents(
  body: Readable,
  boxSerial: string,
  push: (message: SiteJobMessage) => void,
): Promise<boolean> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of body as AsyncIterable<Buffer>) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > MAX_MESSAGE_BYTES) return false;
    const blocks = rest.split('\n\n');
    rest = blocks.pop() as string;
    for (const block of blocks) {
      // Comments keep the connection alive.
      if (block.split('\n').every((line) => line === '' || line.startsWith(':'))) continue;
      const message = readMessage(block);
      if (!message) return false;
      if (message.event === 'item') push(message);
      else {
        const { siteNote: _, ...job } = message.data;
        push({ event: 'job', data: { ...job, boxSerial } });
      }
    }
  }
  return true;
}

function readMessage(block: string): JobMessage | null {
  const field = (name: string) =>
    block
      .split('\n')
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
      .join('\n');
  try {
    return JobMessage.parse({ event: field('event'), data: JSON.parse(field('data')) });
  } catch {
    return null;
  }
}
