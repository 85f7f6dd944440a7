import { expect, it } from 'vitest';
import { paced } from './paced.ts';

/** 100 bytes a grant, of which a test gives as many as it likes. */
class Pace {
  readonly chunkBytes = 100;
  held = 0;
  waiting: (() => void)[] = [];
  begin() {
    this.held++;
    return () => {
      this.held = 0;
    };
  }
  take(_: number, __: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      signal?.addEventListener('abort', () => resolve());
    });
  }
}
const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

it('a file goes out as uploads do: in small pieces, each when there is room, and its source waits meanwhile', async () => {
  let made = 0;
  let cancelled = false;
  const source = new ReadableStream<Uint8Array>({
    pull: (c) => {
      if (made === 1_000) return c.close();
      made += 250;
      c.enqueue(new Uint8Array(250).fill(made / 250));
    },
    cancel: () => {
      cancelled = true;
    },
  });
  const pace = new Pace();
  const reader = paced(source, pace).getReader();
  const parts: number[] = [];
  let over = false;
  const read = async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value.length);
    over = true;
  };
  void read();
  await tick();
  expect([parts, made, pace.held]).toEqual([[], 500, 1]);
  while (!over) {
    pace.waiting.shift()?.();
    await tick();
  }
  expect(parts).toEqual([100, 100, 50, 100, 100, 50, 100, 100, 50, 100, 100, 50]);
  expect([pace.held, cancelled]).toEqual([0, false]);

  // Who goes away in the middle takes the source with him.
  made = 0;
  const left = paced(
    new ReadableStream<Uint8Array>({
      pull: (c) => c.enqueue(new Uint8Array(250)),
      cancel: () => {
        cancelled = true;
      },
    }),
    pace,
  ).getReader();
  const waits = left.read();
  await tick();
  await left.cancel();
  expect([(await waits).done, pace.held, cancelled]).toEqual([true, 0, true]);
});
