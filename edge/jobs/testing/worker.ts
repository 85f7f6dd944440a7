import { appendFileSync } from 'node:fs';
import pino from 'pino';
import { z } from 'zod';
import { systemClock } from '../../../protocol/clock.ts';
import { Jobs } from '../jobs.ts';

/*
 * Works on the jobs of a directory and dies by SIGKILL at the moment given: `node worker.ts DIR STEP:WHEN`, where WHEN is `begin`
 * (said to run), `middle` (its work is done) or `end` (said to be done). Without one it ends by itself when all is done.
 */
const [dir = '', die = ''] = process.argv.slice(2);
const STEPS = ['one', 'two', 'three'];
const at = (step: string, when: string) => {
  if (die === `${step}:${when}`) process.kill(process.pid, 'SIGKILL');
};

const jobs = new Jobs({
  path: `${dir}/jobs.db`,
  key: Buffer.alloc(32, 7),
  clock: systemClock,
  log: pino({ level: 'silent' }),
});
jobs.register({
  kind: 'initialise',
  item: z.object({ name: z.string(), password: z.string() }),
  atOnce: 2,
  describe: ({ name }) => ({ key: name, name, steps: STEPS }),
  run: async ({ name, password }, progress) => {
    for (const { step, state } of progress.steps()) {
      if (state === 'done') continue;
      progress.step(step, 'running');
      at(step, 'begin');
      appendFileSync(`${dir}/did`, `${name} ${step} ${password}\n`);
      progress.remember({ last: step });
      at(step, 'middle');
      progress.step(step, 'done');
      at(step, 'end');
    }
    return progress.note<{ last: string }>()?.last === STEPS.at(-1) ? 'done' : 'failed';
  },
});
jobs.start();
if (jobs.list().length === 0) {
  const items = ['a', 'b', 'c'].map((name) => ({ name, password: `of-${name}` }));
  const made = jobs.create({ kind: 'initialise', items });
  if (!made.ok) throw new Error(made.detail);
}
const look = setInterval(() => {
  if (!jobs.list().every((job) => job.state === 'done')) return;
  clearInterval(look);
  void jobs.stop();
}, 20);
