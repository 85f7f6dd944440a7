import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Dice } from './mutate.ts';

/** One parser with what is told to it: makes an input, gives it in, and throws when something came out that must not. */
export interface Target {
  name: string;
  /** Out of 100 inputs so many are for it. */
  share: number;
  /** `input` is told before it is used, for the report of a failure. */
  run(dice: Dice, input: (bytes: Buffer) => void): void | Promise<void>;
}

export interface Report {
  runs: number;
  seconds: number;
  /** Of the heap after a collection, against that after the first tenth. */
  grownBytes: number;
  slowest: { target: string; ms: number };
  byTarget: Record<string, number>;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heap = (): number => {
  collect();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
};

/** Gives `runs` mutated inputs to the targets by their shares. The same seed gives the same inputs. */
export async function fuzz(
  targets: readonly Target[],
  { runs, seed }: { runs: number; seed: number },
): Promise<Report> {
  const turns = targets.flatMap((target) => Array.from({ length: target.share }, () => target));
  const byTarget: Record<string, number> = {};
  let slowest = { target: '', ms: 0 };
  let before = heap();
  const begun = performance.now();
  for (let i = 0; i < runs; i++) {
    const target = turns[i % turns.length] as Target;
    let bytes: Buffer = Buffer.alloc(0);
    const since = performance.now();
    try {
      // Each input has dice of its own, so that one alone can be repeated.
      const running = target.run(new Dice(seed + i * 7919), (input) => {
        bytes = input;
      });
      if (running) await running;
    } catch (error) {
      const what = `${target.name}, input ${i} of seed ${seed}`;
      throw new Error(`${what}: ${(error as Error).message}\n${bytes.toString('latin1').slice(0, 4_000)}`, {
        cause: error,
      });
    }
    const ms = performance.now() - since;
    if (ms > slowest.ms) slowest = { target: target.name, ms };
    byTarget[target.name] = (byTarget[target.name] ?? 0) + 1;
    if (i === Math.floor(runs / 10)) before = heap();
  }
  const seconds = (performance.now() - begun) / 1000;
  return { runs, seconds, grownBytes: heap() - before, slowest, byTarget };
}

export function must(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
