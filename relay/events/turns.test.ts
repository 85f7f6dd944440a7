import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('turns', () => {
  it('let two at once, the others in their order, and go on after a failure', async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    let [now, most] = [0, 0];
    const all = await Promise.allSettled(
      [0, 1, 2, 3, 4].map((n) =>
        turns.run(async () => {
          begun.push(n);
          most = Math.max(most, ++now);
          await pause(5);
          now--;
          if (n === 1) throw new Error('this one fails');
          return n;
        }),
      ),
    );
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
    expect(all.map((r) => (r.status === 'fulfilled' ? r.value : 'failed'))).toEqual([0, 'failed', 2, 3, 4]);
  });
});
