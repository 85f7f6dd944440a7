import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Journal } from '../journal/journal.ts';
import { Warnables } from '../warnables.ts';
import { Intake } from './intake.ts';
import { ArcQueue } from './queue.ts';
import { takingOf } from './taking.ts';
import { ArcBox, account, removeTempDirs, tempDir, until } from './testing/harness.ts';
import { StrictReceiver } from './testing/strict-receiver.ts';

const stops: (() => unknown)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const LIMITS = { account: 40, all: 1_000 };
const receiver = async () => {
  const arc = new StrictReceiver({ accounts: { '00A1': null, '00B2': null } });
  stops.push(() => arc.stop());
  return { arc, direct: await arc.start() };
};
const said = (arc: StrictReceiver, of = '00A1') =>
  arc.alarms.filter((a) => a.account === of).map((a) => a.data.split('/')[1]!);
const dead = { host: '127.0.0.1', port: 9 };

describe('a full queue', () => {
  it('gives up the oldest status messages, never an alarm, and tells the centre once', async () => {
    const { arc, direct } = await receiver();
    const config = account({ direct: dead });
    const box = new ArcBox({ limits: LIMITS }).start([config]);
    stops.push(() => box.stop());
    for (let i = 0; i < 20; i++) await box.event('videoLoss', i);
    for (let i = 0; i < 30; i++) await box.event('motion', 100 + i);
    await until(() => box.warnings().includes('arc-queue-full'));
    await until(() => box.reports().filter((r) => r.state === 'failed').length === 11);
    expect(box.service.waiting()).toBe(40);
    box.service.apply([{ ...config, direct }]);
    await until(() => box.service.waiting() === 0 && box.acknowledged().length === 40);
    expect(said(arc)).toEqual([
      ...Array.from({ length: 30 }, (_, i) => `BA${100 + i}`),
      ...Array.from({ length: 9 }, (_, i) => `UT0${11 + i}`),
      'JO000',
    ]);
    expect(box.reports().find((r) => r.state === 'failed')).toMatchObject({
      code: 'UT',
      zone: '000',
      reason: expect.stringMatching(/full/),
    });
    expect(box.warnings()).not.toContain('arc-queue-full');
  });

  it('of nothing but alarms leaves the rest in the journal, in order, and holds up no other account', async () => {
    const { arc, direct } = await receiver();
    const config = account({ direct: dead });
    const other = account({ id: uuidv7(), account: '00B2', direct });
    const dir = tempDir();
    const first = new ArcBox({ limits: LIMITS, dir }).start([config, other]);
    for (let i = 0; i < 100; i++) await first.event('motion', i);
    await first.end(await first.event('intrusion', 100));
    await until(() => said(arc, '00B2').length === 102);
    expect(first.service.waiting()).toBe(40);
    expect(first.warnings()).toContain('arc-queue-full');
    // What is held is on disk: also after a restart it follows.
    await first.stop();
    const box = new ArcBox({ limits: LIMITS, dir }).start([config, other]);
    stops.push(() => box.stop());
    expect(box.service.waiting()).toBe(40);
    box.service.apply([{ ...config, direct }, other]);
    await until(() => said(arc).length === 102);
    expect(said(arc)).toEqual([...Array.from({ length: 101 }, (_, i) => `BA${String(i).padStart(3, '0')}`), 'BH100']);
    expect(said(arc, '00B2')).toHaveLength(102);
    await until(() => !box.warnings().includes('arc-queue-full'));
    expect(box.reports().map((r) => r.state)).not.toContain('failed');
  });
});

const root = process.getuid?.() === 0;
describe.runIf(root)('storage that fails (needs root for a small file system)', () => {
  const mounted = (size: string) => {
    const dir = join(tempDir(), 'disk');
    mkdirSync(dir);
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir]);
    stops.push(() => spawnSync('umount', [dir]));
    return dir;
  };

  it('full: a fault at the box, and every event that it took arrives once there is room again', async () => {
    const { arc, direct } = await receiver();
    const dir = mounted('24m');
    const box = new ArcBox({ dir }).start([account({ direct })]);
    stops.push(() => box.stop());
    await box.event('motion', 1);
    await until(() => box.acknowledged().length === 1);
    const fill = (name: string) => {
      const { bavail, bsize } = statfsSync(dir);
      writeFileSync(join(dir, name), Buffer.alloc(bavail * bsize));
    };
    // Twice: the first event has the box give up its reserve.
    fill('a');
    for (let i = 2; i < 6; i++) void box.event('motion', i);
    await until(() => box.warnings().includes('disk-full'));
    fill('b');
    for (let i = 6; i < 300; i++) void box.event('motion', i, { text: 'x'.repeat(200) });
    await until(() => box.warnings().some((code) => code === 'journal-full' || code === 'arc-queue-unwritable'));
    spawnSync('rm', ['-f', join(dir, 'a'), join(dir, 'b')]);
    await until(() => new Set(said(arc)).size === 299, 20_000);
    expect([...new Set(said(arc))]).toEqual(
      Array.from({ length: 299 }, (_, i) => `BA${String(i + 1).padStart(3, '0')}`),
    );
    await until(() => !box.warnings().includes('arc-queue-unwritable') && !box.warnings().includes('journal-full'));
  }, 30_000);
});

describe('storage that refuses', () => {
  it.each([
    'SQLITE_READONLY',
    'SQLITE_IOERR_FSYNC',
  ])('%s: nothing is passed over, a person learns of it', async (code) => {
    const clock = new ManualClock();
    const log = pino({ level: 'silent' });
    const dir = tempDir();
    const warnables = new Warnables({ clock, log });
    const journal = new Journal({ path: join(dir, 'journal.db'), clock, log, warnables, ballastBytes: 0 });
    journal.start();
    let broken = true;
    class Refusing extends ArcQueue {
      override batch<T>(fn: () => T): T {
        if (broken) throw Object.assign(new Error('the disk'), { code });
        return super.batch(fn);
      }
    }
    const queue = new Refusing({ dir });
    queue.open();
    const config = account();
    const takers = new Map([[config.id, { config, taking: takingOf(config, null, 0) }]]);
    const intake = new Intake({
      journal,
      queue,
      clock,
      warnables,
      takers: () => takers,
      queued: () => {},
      report: () => {},
    });
    intake.open(false);
    intake.begin();
    const now = iso(clock.now());
    const body = { id: uuidv7(), type: 'motion' as const, deviceId: null, channel: 1, occurredAt: now, seenAt: now };
    await journal.append([{ kind: 'event', body: { ...body, deviceTime: null, sourceRef: null, text: null } }]);
    await clock.advance(5_000);
    expect(warnables.list().map((w) => w.code)).toEqual(['arc-queue-unwritable']);
    expect(queue.waiting()).toBe(0);
    broken = false;
    await clock.advance(2_000);
    expect(warnables.list()).toEqual([]);
    expect(queue.waiting()).toBe(1);
    intake.stop();
    queue.close();
    await journal.stop();
  });
});
