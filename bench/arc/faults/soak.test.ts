import { expect, it } from 'vitest';
import { report } from './report.ts';
import { soak } from './soak.ts';

/** The soak test in short: times of the box divided by ten, everything side by side. */
it('loses none of 200 events for each of nine faults, and none by 10 kills of box and relay each (ARC-24)', async () => {
  const lines: string[] = [];
  const { results, about } = await soak({
    events: 200,
    kills: 10,
    scale: 10,
    rate: 5,
    faults: [],
    parts: ['faults', 'kills'],
    foreign: null,
    log: (text) => lines.push(text),
  });
  const failures = [
    ...results.broken.map((b) => `${b.what}: ${b.error}`),
    ...results.outages.flatMap((r) => r.failures.map((what) => `${r.kind.title}: ${what}`)),
    ...results.kills.flatMap((r) => r.failures.map((what) => `kill -9 of the ${r.victim}: ${what}`)),
  ];
  // Beside other tests times say nothing: they are printed with the rest.
  console.log(report(results, { ...about, command: 'vitest' }));
  expect(failures, lines.join('\n')).toEqual([]);
  expect([results.outages.length, results.kills.length]).toEqual([10, 2]);
}, 240_000);
