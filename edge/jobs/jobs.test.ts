import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { MAX_JOBS } from '../../protocol/wire/jobs.ts';
import { Jobs } from './jobs.ts';
import { jobRoutes } from './routes.ts';
import type { ItemProgress } from './types.ts';

const clock = new ManualClock();
const log = pino({ level: 'silent' });
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
let dir: string;
let jobs: Jobs;
let running: Map<string, { progress: ItemProgress; end: (result: 'done' | 'failed' | Error) => void }>;
let most = 0;

function open(key = 7): Jobs {
  running = new Map();
  const opened = new Jobs({ path: join(dir, 'jobs.db'), key: Buffer.alloc(32, key), clock, log });
  opened.register({
    kind: 'initialise',
    item: z.strictObject({ name: z.string(), password: z.string() }),
    atOnce: 4,
    describe: ({ name }) => ({ key: name, name, steps: ['first', 'second'] }),
    run: ({ name }, progress, signal) =>
      new Promise((resolve, reject) => {
        most = Math.max(most, running.size + 1);
        const end = (result: 'done' | 'failed' | Error) => {
          running.delete(name);
          if (result instanceof Error) reject(result);
          else resolve(result);
        };
        running.set(name, { progress, end });
        signal.addEventListener('abort', () => end('failed'));
      }),
  });
  opened.start();
  return opened;
}
const items = (...names: string[]) => names.map((name) => ({ name, password: `Secret-of-${name}` }));
function make(...names: string[]) {
  const made = jobs.create({ kind: 'initialise', items: items(...names) });
  if (!made.ok) throw new Error(made.detail);
  return made.job;
}
async function end(name: string, result: 'done' | 'failed' | Error = 'done') {
  running.get(name)?.end(result);
  await settle();
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-jobs-'));
  most = 0;
  jobs = open();
});
afterEach(async () => {
  await jobs.stop();
  rmSync(dir, { recursive: true });
});

it('works on so many at a time, and one that fails or breaks holds up no other', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `d${i}`);
  const { id } = make(...names);
  expect([...running.keys()]).toEqual(names.slice(0, 4));
  await end('d0', 'failed');
  await end('d1', new Error('a bug'));
  while (running.size > 0) for (const name of running.keys()) await end(name);
  const job = jobs.get(id);
  expect(job?.state).toBe('done');
  expect(job?.items.map((item) => item.state)).toEqual(['failed', 'failed', ...Array(10).fill('done')]);
  expect(job?.items[1]?.steps[0]).toMatchObject({ step: 'first', state: 'failed', code: 'internal-error' });
  expect(most).toBe(4);
});

it('after a restart goes on with what was not finished, and knows what was done', async () => {
  const { id } = make('a', 'b');
  running.get('a')?.progress.step('first', 'done', { text: 'It went well.' });
  running.get('a')?.progress.step('second', 'running', { percent: 40 });
  running.get('a')?.progress.remember({ at: 'half' });
  await end('b');
  await jobs.stop();
  jobs = open();
  expect([...running.keys()]).toEqual(['a']);
  const { progress } = running.get('a')!;
  expect(progress.steps().map((s) => [s.state, s.text])).toEqual([
    ['done', 'It went well.'],
    ['running', null],
  ]);
  expect(progress.note()).toEqual({ at: 'half' });
  await end('a');
  expect(jobs.get(id)?.state).toBe('done');
});

it('keeps passwords encrypted, and no longer than it needs them', async () => {
  make('a', 'b');
  const disk = () => ['', '-wal'].map((s) => readFileSync(join(dir, `jobs.db${s}`), 'latin1')).join('');
  running.get('a')?.progress.remember({ secret: 'Secret-note' });
  expect(disk()).not.toMatch(/Secret-/);
  await jobs.stop();
  // Another box's key opens nothing; the job ends with a reason instead of waiting for ever.
  jobs = open(8);
  await settle();
  expect(jobs.list()[0]).toMatchObject({ state: 'done', counts: { failed: 2 } });
});

it('refuses what is not valid, what stands twice, and a device that another job is at work on', () => {
  const create = (of: unknown[]) => jobs.create({ kind: 'initialise', items: of });
  expect(create([...items('a'), { name: 'b' }])).toMatchObject({
    code: 'invalid-request',
    errors: [{ path: 'items.1.password' }],
  });
  expect(create(items('a', 'a'))).toMatchObject({ code: 'invalid-request' });
  make('a');
  expect(create(items('b', 'a'))).toMatchObject({ code: 'conflict', detail: expect.stringContaining('on a:') });
  expect(jobs.create({ kind: 'upgrade', items: items('c') })).toMatchObject({ code: 'invalid-request' });
  expect(jobs.list()).toHaveLength(1);
});

it('the same job asked for twice is made once', () => {
  const wanted = { id: uuidv7(), kind: 'initialise' as const, items: items('a') };
  expect(jobs.create(wanted)).toEqual(jobs.create(wanted));
  expect(jobs.list()).toHaveLength(1);
});

it(`keeps the last ${MAX_JOBS} jobs`, async () => {
  const first = make('still-running').id;
  const ids: string[] = [];
  for (let i = 0; i < MAX_JOBS + 5; i++) {
    ids.push(make(`d${i}`).id);
    running.get(`d${i}`)?.end('done');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await settle();
  expect(jobs.list()).toHaveLength(MAX_JOBS);
  expect(jobs.list().map((job) => job.id)).toContain(first);
  expect([jobs.get(ids[0]!), jobs.get(ids.at(-1)!)?.state]).toEqual([null, 'done']);
});

it('leaves alone what was under way each time that the box went down', async () => {
  const { id } = make('a');
  for (let i = 0; i < 5; i++) {
    await jobs.stop();
    jobs = open();
  }
  await settle();
  expect(jobs.get(id)?.items[0]).toMatchObject({ state: 'failed', steps: [{ code: 'interrupted' }, {}] });
});

it('a damaged file is set aside, and the box works', async () => {
  await jobs.stop();
  writeFileSync(join(dir, 'jobs.db'), 'x'.repeat(8192));
  jobs = open();
  expect(jobs.list()).toEqual([]);
  expect(make('a').items).toHaveLength(1);
});

it('tells its progress live: the whole first, then what changes, at last the whole again', async () => {
  const app = jobRoutes({ jobs, clock });
  const post = await app.request('/', {
    method: 'POST',
    body: JSON.stringify({ kind: 'initialise', siteNote: 's', items: items('a') }),
  });
  const { id } = (await post.json()) as { id: string };
  const stream = await app.request(`/${id}/events`);
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => {
    const { value = '' } = await reader.read();
    const [, event, data] = /^event: (\w+)\ndata: (.*)\n/.exec(value) ?? [];
    return [event, JSON.parse(data ?? 'null')];
  };
  expect(await next()).toMatchObject(['job', { id, siteNote: 's', items: [{ state: 'running' }] }]);
  for (let percent = 0; percent < 50; percent++)
    running.get('a')?.progress.step('first', 'running', { percent, text: 'Sending.' });
  expect(await next()).toMatchObject(['item', { key: 'a', steps: [{ percent: 49, text: 'Sending.' }, {}] }]);
  await end('a');
  await clock.advance(200);
  expect((await next())[0]).toBe('item');
  expect(await next()).toMatchObject(['job', { state: 'done', items: [{ state: 'done' }] }]);
  expect((await reader.read()).done).toBe(true);
  const list = (await (await app.request('/')).json()) as { items: { counts: unknown }[] };
  expect(list.items[0]?.counts).toEqual({ waiting: 0, running: 0, done: 1, failed: 0 });
  expect((await app.request(`/${uuidv7()}`)).status).toBe(404);
  expect(JSON.stringify(list)).not.toContain('Secret');
});

it('a box killed in any moment of any step goes on: nothing is left out, nothing that was done is repeated', async () => {
  await jobs.stop();
  const worker = join(import.meta.dirname, 'testing/worker.ts');
  rmSync(join(dir, 'jobs.db'));
  const run = (die: string) =>
    new Promise<string | null>((resolve) => {
      execFile(process.execPath, [worker, dir, die], (error) => resolve(error ? (error.signal ?? `${error}`) : null));
    });
  // One kill less than after which a device is left alone.
  for (const die of ['one:begin', 'one:middle', 'two:middle', 'three:end']) expect(await run(die)).toBe('SIGKILL');
  expect(await run('')).toBeNull();
  const did = readFileSync(join(dir, 'did'), 'utf8').trim().split('\n');
  const times = (line: string) => did.filter((one) => one === line).length;
  // Killed in the middle of a step: it is done once more. After its end: not.
  for (const name of ['a', 'b', 'c'])
    for (const step of ['one', 'two', 'three']) expect(times(`${name} ${step} of-${name}`)).toBeGreaterThan(0);
  expect(times('a one of-a')).toBe(2);
  expect(times('a two of-a')).toBe(2);
  expect(times('a three of-a')).toBe(1);
  jobs = open();
  expect(jobs.list()).toMatchObject([{ state: 'done', counts: { done: 3 } }]);
});
