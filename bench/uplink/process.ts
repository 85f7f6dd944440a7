/*
 * The two ends of an uplink test, each in a namespace of its own:
 *
 *   node bench/uplink/process.ts relay DIR HOST   on {test: true} tests, and asks the box small things all the while
 *   node bench/uplink/process.ts box DIR URL
 */
import { SERIAL, startTestBox, startTestRelay } from './ends.ts';

const EVERY_MS = 100;
const [role, dir, where] = process.argv.slice(2) as [string, string, string];

if (role === 'relay') {
  const { hub, tests, scope, siteId, host, port } = await startTestRelay({ dir, host: where });
  hub.onChange((_, connected) => connected && process.send!({ connected }));
  process.on('message', async () => {
    const { id } = await tests.begin(scope, siteId, { boxSerial: SERIAL });
    const clicks: Promise<number>[] = [];
    let test = await tests.get(scope, siteId, id);
    while (test.state === 'running') {
      clicks.push(click());
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      test = await tests.get(scope, siteId, id);
    }
    const { kbps, recommended } = test;
    const { channels, definition } = recommended ?? { channels: 0, definition: 'none' };
    process.send!({ kbps, channels, definition, clickMs: await Promise.all(clicks) });
  });
  const click = async () => {
    const start = performance.now();
    const { body } = await hub.request(SERIAL, { method: 'GET', path: '/small', class: 'interactive' });
    for await (const _ of body);
    return performance.now() - start;
  };
  process.send!({ url: `http://${host}:${port}` });
} else startTestBox(new URL(where));
