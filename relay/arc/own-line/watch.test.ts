import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../protocol/clock.ts';
import { LossWatch, WATCH_TIMES } from './watch.ts';

let clock: ManualClock;
let online: Set<string>;
let watch: LossWatch;
let heard: Map<string, number>;
const boxes = Array.from({ length: 10 }, (_, i) => `BOX00000${i}`);
const accounts = boxes.map((boxSerial) => ({ accountId: `account of ${boxSerial}`, boxSerial }));

beforeEach(async () => {
  clock = new ManualClock();
  online = new Set(boxes);
  heard = new Map();
  watch = new LossWatch({
    clock,
    times: WATCH_TIMES,
    pathless: () => false,
    heard: (accountId) => heard.get(accountId) ?? null,
    online: (serial) => online.has(serial),
    connections: () => online.size,
  });
  watch.watch(accounts, new Set());
  await pass(100_000);
});
async function pass(ms: number) {
  let found = watch.look();
  for (let left = ms; left > 0; left -= WATCH_TIMES.tickMs) {
    await clock.advance(WATCH_TIMES.tickMs);
    found = watch.look();
  }
  return found;
}
const lose = (serials: string[]) => {
  for (const serial of serials) {
    online.delete(serial);
    watch.gone(serial, clock.mono());
  }
};

describe('which boxes are lost', () => {
  it('counts from when a box was heard last, not from when its connection was given up', async () => {
    const heard = clock.mono();
    await pass(20_000);
    online.delete(boxes[0]!);
    watch.gone(boxes[0]!, heard);
    const { lost } = await pass(40_000);
    expect(lost).toEqual([{ accountId: accounts[0]!.accountId, sinceMono: heard }]);
  });

  it('does not miss a box that the receiver hears directly, and counts from its last frame', async () => {
    const { accountId, boxSerial } = accounts[0]!;
    lose([boxSerial]);
    for (let i = 0; i < 8; i++) {
      heard.set(accountId, clock.mono());
      expect((await pass(25_000)).lost).toEqual([]);
    }
    expect(watch.good(accountId)).toBe(true);
    const sinceMono = heard.get(accountId)!;
    expect((await pass(40_000)).lost).toEqual([{ accountId, sinceMono }]);
  });

  it('doubts the relay when every box is gone at once, and gives the rest time when the first is back', async () => {
    lose(boxes);
    const found = await pass(65_000);
    expect(found.doubtful).toBe(true);
    expect(found.lost).toHaveLength(10);
    online.add(boxes[0]!);
    expect(await pass(50_000)).toMatchObject({ doubtful: false, lost: [] });
    for (const serial of boxes.slice(1, 9)) online.add(serial);
    expect((await pass(15_000)).lost.map((one) => one.accountId)).toEqual([accounts[9]!.accountId]);
  });

  it('does not doubt it while another box is heard', async () => {
    lose(boxes.slice(1));
    const found = await pass(65_000);
    expect(found).toMatchObject({ doubtful: false });
    expect(found.lost).toHaveLength(9);
  });

  it('starts again when its own process stood still', async () => {
    await clock.jump(120_000);
    lose(boxes.slice(0, 2));
    watch.look();
    expect((await pass(65_000)).lost).toEqual([]);
    online = new Set(boxes);
    expect((await pass(30_000)).lost).toEqual([]);
  });

  it('waits for a box that said that it stops, but not for ever', async () => {
    watch.announced(boxes[0]!, 3_600_000);
    lose(boxes.slice(0, 1));
    expect((await pass(170_000)).lost).toEqual([]);
    expect((await pass(15_000)).lost).toHaveLength(1);
  });
});
