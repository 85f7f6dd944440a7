/*
 * A box that does nothing but upload, for tests that kill it: `node bench/uploads/box.ts DIR RELAY_URL [BYTES_PER_SECOND]`.
 * Adds a fragment for each line `add {"clipId":…,"path":…}` on stdin and answers `added N`; prints `waiting N` on change
 * and `lost CLIP`.
 */
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { Pacer } from '../../edge/upload/pacer.ts';
import { UploadQueue } from '../../edge/upload/queue.ts';
import { Warnables } from '../../edge/warnables.ts';
import { systemClock as clock } from '../../protocol/clock.ts';
import { asBox } from '../../relay/clips/testing/relay.ts';

export interface BoxArguments {
  dir: string;
  relayUrl: string;
  bytesPerSecond?: number;
  pacer?: Pacer;
}

/** A queue with a box's proof that the test relay believes. */
export function makeBox({ dir, relayUrl, bytesPerSecond = 20e6, pacer }: BoxArguments) {
  const log = pino({ level: 'silent' });
  const warnables = new Warnables({ clock, log });
  const auth = { relayUrl: new URL(relayUrl), header: async () => asBox().authorization, forget() {} };
  const rate = { startBytesPerSecond: bytesPerSecond, fallbackBytesPerSecond: bytesPerSecond };
  const queue = new UploadQueue({
    dir,
    auth: auth as never,
    pacer: pacer ?? new Pacer({ clock, onRtt: () => () => {}, ...rate }),
    clock,
    log,
    warnables,
  });
  return { queue, warnables };
}

if (import.meta.main) {
  const [dir, relayUrl, rate] = process.argv.slice(2);
  const { queue } = makeBox({ dir: dir!, relayUrl: relayUrl!, bytesPerSecond: rate ? Number(rate) : undefined });
  queue.onLost((clipId) => console.log(`lost ${clipId}`));
  queue.start();
  const tell = () => console.log(`waiting ${queue.stats().files}`);
  queue.onChange(tell);
  for await (const line of createInterface({ input: process.stdin })) {
    const fragment = JSON.parse(line.slice(4));
    queue.add(fragment);
    console.log(`added ${fragment.n}`);
  }
}
