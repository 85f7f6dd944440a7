import { expect, it } from 'vitest';
import type { DiscoveredDevice, SiteDiscoveryMessage } from '../../../protocol/wire/box-api.ts';
import { foundDevice } from '../../../protocol/wire/testing/found-device.ts';
import { type Discovery, followDiscovery } from './follow-discovery.ts';

const seen = (n: number, pingMs = 1) => foundDevice(n, { pingMs });
const after = (...messages: SiteDiscoveryMessage[]) =>
  messages.reduce<Discovery | null>((old, message) => followDiscovery(old, message), null);
const hello = (...boxes: string[]): SiteDiscoveryMessage => ({ event: 'hello', data: { boxes } });
const list = (boxSerial: string, ...items: DiscoveredDevice[]): SiteDiscoveryMessage => ({
  event: 'list',
  data: { boxSerial, items },
});
const shown = (now: Discovery | null) => now?.items.map((item) => `${item.boxSerial} ${item.serial} ${item.pingMs}`);

it('what several boxes see is one list, in which devices keep their places (DISC-03)', () => {
  const two = [hello('A', 'B'), list('B', seen(3)), list('A', seen(1), seen(2))];
  expect(shown(after(...two))).toEqual(['A S1 1', 'A S2 1', 'B S3 1']);
  expect(after(...two)?.awaited).toEqual([]);
  const items = [seen(1, 9), seen(4)];
  const now = after(...two, { event: 'changes', data: { boxSerial: 'A', items, gone: [seen(2).mac] } });
  expect(shown(now)).toEqual(['A S1 9', 'A S4 1', 'B S3 1']);
});

it('a box that is away is named and what it saw is not shown; the others stay', () => {
  const away = after(hello('A', 'B'), list('A', seen(1)), list('B', seen(2)), {
    event: 'away',
    data: { boxSerial: 'A' },
  });
  expect(shown(away)).toEqual(['B S2 1']);
  expect(away?.unreachable).toEqual(['A']);
  expect(followDiscovery(away, list('A', seen(1)))?.unreachable).toEqual([]);
});

it('after a reconnect the list stays until its box speaks, without boxes that the site has not any more', () => {
  const again = after(hello('A', 'B'), list('A', seen(1)), list('B', seen(2)), hello('A'));
  expect(shown(again)).toEqual(['A S1 1']);
  expect(again?.awaited).toEqual(['A']);
});
