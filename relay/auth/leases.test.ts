import { expect, it, vi } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { Leases } from './leases.ts';

it('ends what was opened soon after its right, once, and asks no more', async () => {
  const clock = new ManualClock();
  const leases = new Leases({ clock });
  const untilMs = clock.now() + 60_000;
  const check = vi.fn(async () => {
    if (clock.now() >= untilMs) throw new Error('over');
  });
  const end = vi.fn();
  leases.hold(check, end);
  await clock.advance(59_000);
  expect(end).not.toHaveBeenCalled();
  await clock.advance(10_000);
  expect(end).toHaveBeenCalledOnce();
  const asked = check.mock.calls.length;
  await clock.advance(60_000);
  expect([end.mock.calls.length, check.mock.calls.length]).toEqual([1, asked]);
});

it('what was let go is ended no more, even by an answer that was on its way', async () => {
  const clock = new ManualClock();
  let refuse = () => {};
  const end = vi.fn();
  const release = new Leases({ clock }).hold(
    () =>
      new Promise((_, reject) => {
        refuse = () => reject(new Error('over'));
      }),
    end,
  );
  await clock.advance(10_000);
  release();
  refuse();
  await clock.advance(60_000);
  expect(end).not.toHaveBeenCalled();
});
