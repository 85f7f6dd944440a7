import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { CloudItem, CloudSettle } from '../../protocol/wire/cloud.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { FieldValue, SettingField } from '../../protocol/wire/operations.ts';
import { Jobs } from '../jobs/jobs.ts';
import type { Consumer } from '../video/channel-source.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { CloudRunner } from './runner.ts';
import { coding, watching } from './settings.ts';

const deviceId = uuidv7();
const boolean = (name: string, value: boolean): SettingField => ({ name, kind: 'boolean', value });
const number = (name: string, value: number): SettingField => ({
  name,
  kind: 'number',
  value,
  unit: null,
  min: 1,
  max: 400,
});
const choice = (name: string, value: string, options: string[]): SettingField => ({
  name,
  kind: 'choice',
  value,
  options,
});

/** A device with two channels whose encoder does as it is told, unless it `ignores` it. */
class Device {
  readonly video = [
    choice('resolution', '3840x2160', ['3840x2160', '1280x720']),
    ...[choice('codec', 'H.265', ['H.264', 'H.265']), choice('frameRate', '25', ['25'])],
    ...[number('govLength', 250), boolean('smartCodec', true), boolean('svc', false)],
  ];
  readonly motion: SettingField[] = [
    boolean('enabled', false),
    boolean('notify', false),
    boolean('aroundTheClock', false),
  ];
  readonly log: string[] = [];
  ignores: string[] = [];
  refuses: { ok: false; code: string; detail: string } | null = null;
  noVideo = false;

  field(section: 'video' | 'motion', name: string) {
    const found = this[section].find((one) => one.name === name)!;
    return 'value' in found ? found.value : null;
  }
  // biome-ignore lint/suspicious/noExplicitAny: as much of a driver as the work needs
  operate = async (_: string, fn: (driver: any) => Promise<any>): Promise<any> => {
    if (this.refuses) return this.refuses;
    const result = await fn({
      channels: async () => ({ ok: true, value: [{ channel: 1 }, { channel: 2 }] }),
      readSettings: async (section: 'video' | 'motion') => ({ ok: true, value: structuredClone(this[section]) }),
      writeSettings: async (section: 'video' | 'motion', _at: object, set: Record<string, FieldValue>) => {
        this.log.push(`${section}: ${Object.keys(set)}`);
        const notKept = [];
        for (const [name, value] of Object.entries(set)) {
          const field = this[section].find((one) => one.name === name)!;
          if (this.ignores.includes(name)) notKept.push({ name, wanted: value, is: this.field(section, name) });
          else Object.assign(field, { value });
        }
        return { ok: true, value: { fields: this[section], notKept, rebootRequired: false } };
      },
    });
    return result.ok ? result : { ok: false, code: result.code, detail: result.text };
  };
}

let dir: string;
let clock: ManualClock;
let device: Device;
let jobs: Jobs;
const said: CloudSettle[] = [];
/** What the relay answers. */
let answer: { ok: true; until: string } | { ok: false; code: string; text: string };

function pull() {
  return {
    acquire(consumer: Consumer) {
      let n = 0;
      const cancel = clock.every(40, () => {
        if (device.noVideo) return;
        const [width, height] = String(device.field('video', 'resolution')).split('x').map(Number);
        const every = device.field('video', 'smartCodec') ? 300 : Number(device.field('video', 'govLength'));
        const unit = { keyFrame: n % every === 0, epoch: 0, time: n * 3600, codec: { codec: 'hvc1', width, height } };
        n++;
        consumer.accessUnit(unit as unknown as AccessUnit);
      });
      return cancel;
    },
  };
}
const make = () => {
  const made = new Jobs({
    path: join(dir, 'jobs.db'),
    key: Buffer.alloc(32, 1),
    clock,
    log: pino({ level: 'silent' }),
  });
  made.register(
    new CloudRunner({
      devices: device,
      clock,
      video: { source: (_, __, stream) => (stream === 'main' ? pull() : null) },
      settle: async (of) => {
        said.push(of);
        return of.ok ? answer : { ok: true, until: null };
      },
    }),
  );
  made.start();
  return made;
};
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-cloud-'));
  clock = new ManualClock();
  device = new Device();
  said.length = 0;
  answer = { ok: true, until: '2026-02-01T00:00:00.000Z' };
  jobs = make();
});
afterEach(async () => {
  await jobs.stop();
  rmSync(dir, { recursive: true, force: true });
});

const jobId = uuidv7();
const item = (more: Partial<CloudItem> = {}): CloudItem => ({
  jobId,
  deviceId,
  deviceName: 'NVR',
  channel: 1,
  variant: 'box',
  definition: '1280x720',
  stream: 'main',
  mode: 'event',
  ...more,
});
async function run(...items: CloudItem[]) {
  const made = jobs.create({ id: jobId, kind: 'cloud', siteNote: null, items });
  if (!made.ok) throw new Error(made.detail);
  for (let s = 0; s < 300 && jobs.get(jobId)?.state !== 'done'; s++) await clock.advance(1000);
  const job = jobs.get(jobId)!;
  return job.items.map(({ state, steps }) => ({
    state,
    steps: steps.map((step) => `${step.step} ${step.state}${step.code ? ` ${step.code}` : ''}`),
    texts: steps.map((step) => step.text),
  }));
}

describe('setting up a channel', () => {
  it('links, turns smart codecs off and SVC on, looks at what comes, watches for motion, activates, in this order (BOX-06, BOX-07)', async () => {
    const [one, other] = await run(item(), item({ channel: 9 }));
    const steps = ['link done', 'svc done', 'capability done', 'events done', 'activate done'];
    expect(one).toMatchObject({ state: 'done', steps });
    expect(device.log).toEqual([
      ...['video: smartCodec', 'video: resolution,govLength', 'video: svc'],
      ...['motion: notify', 'motion: aroundTheClock', 'motion: enabled'],
    ]);
    expect(one?.texts[2]).toBe('Main stream: H.265, 1280 × 720, a key frame every 2.0 s');
    expect(one?.texts.at(-1)).toBe('2026-02-01T00:00:00.000Z');
    // One that fails takes no other along, and what it had taken aside is free again.
    expect(other).toMatchObject({ state: 'failed' });
    expect(other?.steps).toEqual([
      ...['link failed not-found', 'svc skipped earlier-failed', 'capability skipped earlier-failed'],
      ...['events skipped earlier-failed', 'activate skipped earlier-failed'],
    ]);
    const about = { jobId, deviceId };
    expect(said).toContainEqual({ ...about, channel: 1, ok: true, code: null });
    expect(said).toContainEqual({ ...about, channel: 9, ok: false, code: 'not-found' });
  });

  it('has four steps for a device with a cloud capability of its own (CLOUD-18)', async () => {
    const [one] = await run(item({ variant: 'device' }));
    expect(one?.steps).toEqual(['encoding done', 'capability done', 'events done', 'activate done']);
    // A smart codec that was on before is off first, and then SVC on (CLOUD-18, INIT-17).
    expect(device.log.slice(0, 3)).toEqual(['video: smartCodec', 'video: resolution,govLength', 'video: svc']);
  });

  it('says when the encoder does otherwise than it says: measured, not believed (CLOUD-11)', async () => {
    device.ignores = ['govLength', 'resolution'];
    const [one] = await run(item());
    expect(one?.state).toBe('done');
    expect(one?.steps.slice(1, 3)).toEqual(['svc warning not-kept', 'capability warning long-groups']);
    expect(one?.texts[2]).toContain('3840 × 2160');
  });

  it('activates nothing without pictures, without a word of motion, or with a wrong password (BOX-05, CLOUD-09)', async () => {
    device.noVideo = true;
    expect((await run(item()))[0]?.steps[2]).toBe('capability failed no-video');
    await jobs.stop();
    rmSync(join(dir, 'jobs.db'));
    device = new Device();
    device.ignores = ['notify'];
    jobs = make();
    expect((await run(item()))[0]?.steps[3]).toBe('events failed not-kept');
    await jobs.stop();
    rmSync(join(dir, 'jobs.db'));
    device = new Device();
    device.refuses = { ok: false, code: 'device-refused-login', detail: 'NVR refused the login.' };
    jobs = make();
    expect((await run(item()))[0]?.steps[0]).toBe('link failed device-refused-login');
    expect(said.map((one) => one.ok)).toEqual([false, false, false]);
  });

  it('fails where no package is left by then', async () => {
    answer = { ok: false, code: 'limit-reached', text: 'No package is left.' };
    const [one] = await run(item());
    expect(one).toMatchObject({ state: 'failed' });
    expect(one?.steps.at(-1)).toBe('activate failed limit-reached');
  });

  it('of a stream that it has not says so', async () => {
    expect((await run(item({ stream: 'adaptive' })))[0]?.steps[2]).toBe('capability failed no-sub-stream');
  });
});

it('leaves alone what is well, and what the device has not', () => {
  const fields = (list: SettingField[]) => Object.fromEntries(list.map((one) => [one.name, one]));
  expect(coding(fields([number('govLength', 40), choice('frameRate', '20', ['20'])]), null)).toEqual({
    steps: [],
    lacks: [],
  });
  expect(coding(fields([number('keyFrameInterval', 4000)]), null).steps).toEqual([{ keyFrameInterval: 2000 }]);
  expect(coding(fields([choice('codec', 'MJPEG', ['H.264', 'MJPEG'])]), null).steps).toEqual([{ codec: 'H.264' }]);
  const size = choice('resolution', '704x576', ['704x576']);
  expect(coding(fields([size]), '1280x720').lacks).toHaveLength(1);
  // A person's own area and times stay.
  expect(
    watching(fields([boolean('enabled', true), boolean('notify', true), boolean('aroundTheClock', false)])),
  ).toEqual([]);
  // On, but nowhere and never, it would record nothing.
  const [area, times] = [
    { name: 'area', kind: 'regions', value: [], maxRegions: 1 },
    { name: 'times', kind: 'week', value: '' },
  ] as SettingField[];
  const silent = fields([boolean('enabled', true), boolean('notify', true), boolean('aroundTheClock', false)]);
  expect(watching({ ...silent, area, times })).toEqual([
    { aroundTheClock: true },
    {
      area: [
        [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 1],
        ],
      ],
    },
  ]);
});
