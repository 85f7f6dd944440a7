import type { Readable } from 'node:stream';
import type { z } from 'zod';

/** The largest message is a whole job, or everything on a LAN. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/**
 * Reads a box's text/event-stream and hands on its messages, each checked; true when the box ended it by itself. What a
 * box says that is no such message ends the reading.
 */
export async function readBoxEvents<M>(
  body: Readable,
  schema: z.ZodType<M>,
  push: (message: M) => void,
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
      const message = readMessage(block, schema);
      if (message === null) return false;
      push(message);
    }
  }
  return true;
}

function readMessage<M>(block: string, schema: z.ZodType<M>): M | null {
  const field = (name: string) =>
    block
      .split('\n')
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
      .join('\n');
  try {
    return schema.parse({ event: field('event'), data: JSON.parse(field('data')) });
  } catch {
    return null;
  }
}
