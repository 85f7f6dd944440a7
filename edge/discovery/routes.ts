import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Clock } from '../../protocol/clock.ts';
import { type DiscoveredDevice, type DiscoveryMessage, discoveredKey } from '../../protocol/wire/box-api.ts';
import { problemResponse } from '../problem-response.ts';

/** Between two messages of a stream; what changes meanwhile is told once. */
const TELL_EVERY_MS = 500;
const HEARTBEAT_MS = 15_000;
const MAX_STREAMS = 32;

export interface SeenDevices {
  list(): DiscoveredDevice[];
  scan(): Promise<void>;
  onChange(fn: () => void): () => void;
}

/** The part of the box's API that is about what it sees on the LAN, under `/v1/discovery` (DISC-03). */
export function discoveryRoutes({ discovery, clock }: { discovery: SeenDevices; clock: Clock }): Hono {
  const app = new Hono();
  let streams = 0;

  app.get('/', (c) => c.json({ items: discovery.list() }));
  app.post('/scan', async (c) => {
    await discovery.scan();
    return c.json({ items: discovery.list() });
  });
  app.get('/events', (c) => {
    if (streams >= MAX_STREAMS)
      return problemResponse('too-many-requests', 'Too many pages look at the LAN of this box.');
    streams++;
    return streamSSE(c, async (stream) => {
      // What the reader has, each as it was told.
      const told = new Map<string, string>();
      let [changed, beat] = [false, false];
      let wake = () => {};
      const off = [
        discovery.onChange(() => {
          changed = true;
          wake();
        }),
        clock.every(HEARTBEAT_MS, () => {
          beat = true;
          wake();
        }),
      ];
      stream.onAbort(() => wake());
      const send = ({ event, data }: DiscoveryMessage) => stream.writeSSE({ event, data: JSON.stringify(data) });
      try {
        const items = discovery.list();
        for (const item of items) told.set(discoveredKey(item), JSON.stringify(item));
        await send({ event: 'list', data: { items } });
        while (!stream.aborted) {
          if (!changed && !beat) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
            continue;
          }
          if (beat) await stream.write(':\n\n');
          beat = false;
          if (!changed) continue;
          changed = false;
          const data = difference(told, discovery.list());
          if (data.items.length + data.gone.length === 0) continue;
          await send({ event: 'changes', data });
          await clock.sleep(TELL_EVERY_MS);
        }
      } finally {
        for (const release of off) release();
        streams--;
      }
    });
  });
  return app;
}

/** What is new since `told`, which then is as `now`. */
function difference(told: Map<string, string>, now: DiscoveredDevice[]) {
  const items: DiscoveredDevice[] = [];
  const gone = new Set(told.keys());
  for (const item of now) {
    const key = discoveredKey(item);
    const text = JSON.stringify(item);
    gone.delete(key);
    if (told.get(key) === text) continue;
    told.set(key, text);
    items.push(item);
  }
  for (const key of gone) told.delete(key);
  return { items, gone: [...gone] };
}
