import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { DiscoveryMessage } from '../../protocol/wire/box-api.ts';
import { foundDevice } from '../../protocol/wire/testing/found-device.ts';
import { discoveryRoutes } from './routes.ts';

const AT = '2026-01-01T00:00:00.000Z';
const seen = (n: number, pingMs: number | null = 1) => foundDevice(n, { pingMs });

const clock = new ManualClock(Date.parse(AT));
let items: DiscoveredDevice[] = [];
const listeners = new Set<() => void>();
const app = discoveryRoutes({
  clock,
  discovery: {
    list: () => items,
    scan: async () => {},
    onChange: (fn) => {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
  },
});
const changed = (...now: DiscoveredDevice[]) => {
  items = now;
  for (const fn of listeners) fn();
};
const readers: ReadableStreamDefaultReader<string>[] = [];
async function open() {
  const stream = await app.request('/events');
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  readers.push(reader);
  const text = async () => (await reader.read()).value ?? '';
  const next = async () => {
    const [, event, data] = /^event: (\w+)\ndata: (.*)\n/.exec(await text()) ?? [];
    return DiscoveryMessage.parse({ event, data: JSON.parse(data ?? 'null') });
  };
  return { next, text };
}

beforeEach(() => {
  items = [seen(1), seen(2)];
});
afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.cancel();
  // One that has just told something looks only then whether anybody is still there.
  await clock.advance(500);
});

it('tells the whole list, then what came, changed or went, once in half a second (DISC-03)', async () => {
  const { next, text } = await open();
  expect(await next()).toEqual({ event: 'list', data: { items: [seen(1), seen(2)] } });
  changed(seen(1), seen(2, 9));
  expect(await next()).toEqual({ event: 'changes', data: { items: [seen(2, 9)], gone: [] } });
  // Whatever happens meanwhile is one message.
  const after = next();
  let told = false;
  after.then(() => {
    told = true;
  });
  for (let ms = 10; ms < 60; ms++) changed(seen(2, ms), seen(3));
  await clock.advance(499);
  expect(told).toBe(false);
  await clock.advance(1);
  const gone = [seen(1).mac];
  expect(await after).toEqual({ event: 'changes', data: { items: [seen(2, 59), seen(3)], gone } });
  // A change that changed nothing is not told; the heartbeat is.
  await clock.advance(500);
  changed(seen(2, 59), seen(3));
  await clock.advance(15_000);
  expect(await text()).toBe(':\n\n');
});

it('a device without a MAC is told by its serial', async () => {
  const { next } = await open();
  await next();
  changed({ ...seen(1), mac: '' });
  expect(await next()).toMatchObject({ data: { items: [{ serial: 'S1' }], gone: [seen(1).mac, seen(2).mac] } });
  await clock.advance(500);
  changed();
  expect(await next()).toMatchObject({ data: { items: [], gone: ['S1'] } });
});

it('listens to nothing when its readers are gone, and has so many at most', async () => {
  const one = await open();
  await one.next();
  for (let i = 1; i < 32; i++) await (await open()).next();
  expect(listeners.size).toBe(32);
  expect((await app.request('/events')).status).toBe(429);
  for (const reader of readers.splice(0)) await reader.cancel();
  await expect.poll(() => listeners.size).toBe(0);
  expect((await (await open()).next()).event).toBe('list');
});
