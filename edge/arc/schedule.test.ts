import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { Schedule } from './schedule.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function scheduled(clock: ManualClock, doneMs: number) {
  const schedule = new Schedule({
    config: {
      supervision: { kind: 'test', intervalMs: HOUR },
      periodicTest: { intervalMs: DAY, atMinute: 60 },
    },
    times: { testMs: doneMs, periodicMs: doneMs, alternativeMs: doneMs },
    clock,
    timings: { alternativeTestMs: DAY },
    others: () => ['relay'],
  });
  /** How often each was due within so many hours, looked at each minute. */
  return async (hours: number) => {
    const due = { testMs: 0, periodicMs: 0, alternativeMs: 0 };
    for (let minute = 0; minute < hours * 60; minute++) {
      await clock.advance(60_000);
      for (const one of schedule.due()) if (one.what === 'test') due[one.time]++;
    }
    return due;
  };
}

describe('a clock that is put back', () => {
  it('by 30 days stops neither supervision nor periodic tests (ARC-32)', async () => {
    const clock = new ManualClock(Date.UTC(2026, 6, 1));
    const dueIn = scheduled(clock, clock.now());
    await dueIn(1);
    clock.step(-30 * DAY);
    const due = await dueIn(48);
    expect(due.testMs).toBeGreaterThanOrEqual(48);
    expect(due.testMs).toBeLessThanOrEqual(55);
    expect(due).toMatchObject({ periodicMs: 2, alternativeMs: 2 });
  });

  it('while the box was off has them at once, then as always', async () => {
    const clock = new ManualClock(Date.UTC(2026, 5, 1));
    const dueIn = scheduled(clock, Date.UTC(2026, 6, 1));
    const first = await dueIn(1 / 60);
    expect(first).toEqual({ testMs: 1, periodicMs: 1, alternativeMs: 1 });
    const due = await dueIn(48);
    expect(due.testMs).toBeGreaterThanOrEqual(48);
    expect(due.testMs).toBeLessThanOrEqual(55);
    expect(due).toMatchObject({ periodicMs: 2, alternativeMs: 2 });
  });
});

describe('a clock that is put forward', () => {
  it('by 30 days makes no storm of tests', async () => {
    const clock = new ManualClock(Date.UTC(2026, 5, 1));
    const dueIn = scheduled(clock, clock.now());
    await dueIn(1);
    clock.step(30 * DAY);
    const due = await dueIn(24);
    expect(due.testMs).toBeLessThanOrEqual(28);
    expect(due).toMatchObject({ periodicMs: 1, alternativeMs: 1 });
  });
});
