import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type OutputNews, OutputWatch, STUCK_MS } from './output-watch.ts';
import { sample, TestCentre } from './testing/centre.ts';

const clock = new ManualClock(Date.UTC(2026, 10, 1));
let centre: TestCentre;
beforeEach(async () => {
  centre = await new TestCentre({ clock }).start();
});
afterEach(() => centre.stop());

it('people are told once that alarms wait at an output, and once that they do not any more (ARC-22)', async () => {
  const news: OutputNews[] = [];
  let broken = true;
  const watch = new OutputWatch({
    db: centre.db,
    clock,
    log: pino({ level: 'silent' }),
    tell: async (one) => {
      if (broken) throw new Error('the mail is out');
      news.push(one);
    },
  });
  const id = await centre.output({ kind: 'mlr2', mode: 'server', peers: ['192.0.2.1'] });
  await centre.centre.inbox.add(sample('1234', 1, { receivedMs: clock.now() }));
  await watch.check();
  expect(news).toEqual([]);
  clock.step(STUCK_MS + 1);
  // What could not be told is told later.
  await watch.check();
  broken = false;
  await watch.check();
  await watch.check();
  expect(news).toMatchObject([{ owner: 'own', outputId: id, stuck: true, waiting: 1 }]);
  await centre.db.updateTable('receiver_deliveries').set({ state: 'acknowledged' }).execute();
  await watch.check();
  await watch.check();
  expect(news.slice(1)).toMatchObject([{ outputId: id, stuck: false }]);
});
