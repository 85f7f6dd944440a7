import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { Event, EventEnd, type NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Alert } from './alert.ts';
import { EventFolder } from './fold.ts';

const deviceId = uuidv7();

function folder(clock = new ManualClock()) {
  const records: NewRecord[] = [];
  const fold = new EventFolder({ deviceId, clock, emit: (r) => records.push(...r) });
  const post = (o: Partial<Alert> = {}, channel: number | null = 1) =>
    fold.alert(
      { type: 'motion', word: 'VMD', active: true, channel: 1, count: null, deviceTime: null, ref: null, ...o },
      channel,
    );
  const events = () => records.flatMap((r) => (r.kind === 'event' ? [r.body] : []));
  const kinds = () => records.map((r) => r.kind);
  return { clock, records, fold, post, events, kinds };
}

describe('one event', () => {
  it('is made of all repeats, and ends by inactive', async () => {
    const { clock, post, records, kinds } = folder();
    for (let count = 1; count <= 8; count++) {
      post({ count, deviceTime: `2026-01-01T00:00:0${count}` });
      await clock.advance(1000);
    }
    post({ active: false });
    post({ active: false });
    expect(kinds()).toEqual(['event', 'eventEnd']);
    const [begun, ended] = records;
    expect(Event.parse(begun?.body)).toMatchObject({
      type: 'motion',
      deviceId,
      channel: 1,
      occurredAt: '2026-01-01T00:00:00.000Z',
      deviceTime: '2026-01-01T00:00:01',
    });
    expect(EventEnd.parse(ended?.body)).toMatchObject({ endedAt: '2026-01-01T00:00:08.000Z' });
  });

  it('ends when the device is quiet for 5 s, at the time of the last repeat', async () => {
    const { clock, post, records, kinds } = folder();
    post();
    await clock.advance(4_900);
    post();
    await clock.advance(4_999);
    expect(kinds()).toEqual(['event']);
    await clock.advance(1);
    expect(kinds()).toEqual(['event', 'eventEnd']);
    expect(records[1]?.body).toMatchObject({ endedAt: '2026-01-01T00:00:04.900Z' });
    post();
    expect(kinds()).toEqual(['event', 'eventEnd', 'event']);
  });

  it('is told apart by type and channel', () => {
    const { post, kinds } = folder();
    post();
    post({}, 2);
    post({ type: 'lineCrossing', word: 'linedetection' });
    post({ type: 'other', word: 'thermometry' });
    post({ type: 'other', word: 'ANPR' });
    expect(kinds()).toEqual(['event', 'event', 'event', 'event', 'event']);
  });
});

describe('a new event', () => {
  it('is each of five a second, with inactive between and ids of their own', async () => {
    const { clock, post, events, kinds } = folder();
    for (let i = 0; i < 50; i++) {
      post({ count: 1, ref: `id-${i}`, deviceTime: `2026-01-01T00:00:${String(Math.floor(i / 5)).padStart(2, '0')}` });
      await clock.advance(100);
      post({ active: false, count: 0, ref: `id-${i}` });
      await clock.advance(100);
    }
    expect(events().map((e) => e.sourceRef)).toEqual(Array.from({ length: 50 }, (_, i) => `id-${i}`));
    expect(kinds().filter((k) => k === 'eventEnd')).toHaveLength(50);
  });

  it('is each of five a second without ids and without inactive, when the count starts over', async () => {
    const { clock, post, events } = folder();
    for (let event = 0; event < 4; event++) {
      for (let count = 1; count <= 3; count++) {
        post({ count, deviceTime: `2026-01-01T00:00:${String(event * 3 + count).padStart(2, '0')}` });
        await clock.advance(300);
      }
    }
    expect(events()).toHaveLength(4);
  });

  it('begins with another id, and ends the one before', () => {
    const { post, kinds, events } = folder();
    post({ ref: 'a', count: 1 });
    post({ ref: 'b', count: 1 });
    post({ ref: 'b', count: 2 });
    expect(kinds()).toEqual(['event', 'eventEnd', 'event']);
    expect(events().map((e) => e.sourceRef)).toEqual(['a', 'b']);
  });

  it('does not begin with a count that stands still at 1, nor with a copy of the first post', async () => {
    const { clock, post, events } = folder();
    for (let i = 0; i < 10; i++) {
      post({ count: 1, deviceTime: `2026-01-01T00:00:0${i}` });
      await clock.advance(1000);
    }
    expect(events()).toHaveLength(1);
    await clock.advance(10_000);
    post({ count: 1, deviceTime: '2026-01-01T00:01:00' });
    post({ count: 2, deviceTime: '2026-01-01T00:01:01' });
    post({ count: 1, deviceTime: '2026-01-01T00:01:00' });
    expect(events()).toHaveLength(2);
  });

  it('does not begin with every post of a device that numbers its posts', async () => {
    const { clock, post, events } = folder();
    for (let count = 1; count <= 60; count++) {
      post({ count, ref: `post-${count}` });
      await clock.advance(1000);
    }
    expect(events().length).toBeLessThanOrEqual(4);
  });
});

describe('ids of the device', () => {
  it('make no second event of bursts and late copies', async () => {
    const { clock, post, events } = folder();
    for (let i = 0; i < 10; i++) post({ ref: 'a', deviceTime: 't0' });
    await clock.advance(27_000);
    for (let i = 0; i < 10; i++) post({ ref: 'a', deviceTime: 't1' });
    await clock.advance(27_000);
    post({ ref: 'a', deviceTime: 't2' });
    expect(events()).toHaveLength(1);
  });

  it('that never change are not believed', async () => {
    const { clock, post, events } = folder();
    for (let i = 0; i < 3; i++) {
      post({ ref: 'the device', deviceTime: `t${i}` });
      post({ active: false, ref: 'the device' });
      await clock.advance(1_000);
    }
    expect(events()).toHaveLength(3);
  });
});

describe('video loss', () => {
  const loss = { type: 'videoLoss', word: 'videoloss' } as const;

  it('is not made of heartbeats', () => {
    const { post, kinds } = folder();
    for (let i = 0; i < 5; i++) post({ ...loss, active: false, count: 0 });
    expect(kinds()).toEqual([]);
  });

  it('goes on through a heartbeat while it is repeated, and is over when it is not', async () => {
    const { clock, post, kinds } = folder();
    for (let i = 0; i < 20; i++) {
      post({ ...loss });
      await clock.advance(500);
      if (i % 5 === 0) post({ ...loss, active: false });
      await clock.advance(500);
    }
    expect(kinds()).toEqual(['event']);
    post({ ...loss, active: false });
    await clock.advance(2_500);
    expect(kinds()).toEqual(['event', 'eventEnd']);
  });
});

describe('after a restart', () => {
  async function restarted() {
    const first = folder();
    first.post({ ref: 'a', count: 1, deviceTime: 't0' });
    first.post({ active: false, ref: 'a' });
    first.post({ ref: 'b', count: 1, deviceTime: 't1' });
    first.post({}, 2);
    first.fold.stop(false);
    expect(first.kinds().filter((k) => k === 'eventEnd')).toHaveLength(1);
    const second = folder(first.clock);
    const [a, b, c] = first.events();
    second.fold.restore([
      { event: a!, ended: true },
      { event: b!, ended: false },
      { event: c!, ended: false },
    ]);
    return { ...second, b: b!, c: c! };
  }

  it('goes on with what still lasts, and a seen id makes no second event', async () => {
    const { post, kinds, clock } = await restarted();
    post({ ref: 'b', count: 4, deviceTime: 't4' });
    post({ ref: 'a', count: 1, deviceTime: 't0' });
    post({ count: 9 }, 2);
    expect(kinds()).toEqual([]);
    await clock.advance(5_000);
    expect(kinds()).toEqual(['eventEnd', 'eventEnd']);
  });

  it('sees what began in the meantime', async () => {
    const { post, events } = await restarted();
    post({ ref: 'c', count: 5 });
    post({ count: 1 }, 2);
    expect(events()).toHaveLength(2);
  });

  it('ends what is over', async () => {
    const { clock, records, b, c } = await restarted();
    await clock.advance(5_000);
    expect(records.map((r) => r.kind === 'eventEnd' && r.body.eventId)).toEqual([b.id, c.id]);
  });
});

it('ends what is under way when the device is given up', async () => {
  const { post, fold, kinds, clock } = folder();
  post();
  fold.stop(true);
  await clock.advance(60_000);
  expect(kinds()).toEqual(['event', 'eventEnd']);
});

it('holds a bounded number of ids and events', async () => {
  const { post, kinds, clock } = folder();
  for (let i = 0; i < 3_000; i++) post({ ref: `r${i}` }, i);
  const ends = kinds().filter((k) => k === 'eventEnd').length;
  expect(ends).toBe(2_500);
  await clock.advance(5_000);
  expect(kinds().filter((k) => k === 'eventEnd')).toHaveLength(3_000);
});
