import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Warnables } from '../warnables.ts';
import { Journal } from './journal.ts';

const root = process.getuid?.() === 0;
const log = pino({ level: 'silent' });
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-full-'));
  if (root) spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dir]);
});
afterEach(() => {
  if (root) spawnSync('umount', [dir]);
  rmSync(dir, { recursive: true, force: true });
});

describe.runIf(root)('journal on a full disk (needs root for a small file system)', () => {
  it('gives up its ballast, then keeps records in memory, and writes them when there is room again', async () => {
    const clock = new ManualClock();
    const warnables = new Warnables({ clock, log });
    const journal = new Journal({ path: join(dir, 'journal.db'), clock, log, warnables });
    journal.start();
    const codes = () =>
      warnables
        .list()
        .map((w) => w.code)
        .sort();
    const event = () => {
      const now = iso(clock.now());
      const body = {
        id: uuidv7(),
        type: 'motion' as const,
        deviceId: null,
        channel: 1,
        occurredAt: now,
        seenAt: now,
        deviceTime: null,
        sourceRef: null,
        text: 'x'.repeat(500),
      };
      return journal.append([{ kind: 'event', body }]);
    };
    await event();
    const room = statfsSync(dir);
    writeFileSync(join(dir, 'clips'), Buffer.alloc(room.bavail * room.bsize));

    // The ballast (8 MB) is good for thousands of alarms.
    const first = event();
    await clock.advance(2_000);
    expect((await first)[0]?.seq).toBe(2);
    expect(codes()).toEqual(['disk-full']);

    const left = statfsSync(dir);
    writeFileSync(join(dir, 'more'), Buffer.alloc(left.bavail * left.bsize));
    let written = false;
    const waiting: Promise<unknown>[] = [];
    for (let i = 0; i < 100; i++) waiting.push(event());
    void Promise.all(waiting).then(() => {
      written = true;
    });
    await clock.advance(3_000);
    expect(written).toBe(false);
    expect(codes()).toEqual(['disk-full', 'journal-full']);

    rmSync(join(dir, 'more'));
    await clock.advance(2_000);
    await Promise.all(waiting);
    expect(journal.lastSeq).toBe(102);
    // The reserve is not there again yet, and would not fit.
    await clock.advance(60_000);
    expect(codes()).toEqual(['disk-full']);
    rmSync(join(dir, 'clips'));
    await clock.advance(60_000);
    expect(codes()).toEqual([]);
    await journal.stop();
  });
});
