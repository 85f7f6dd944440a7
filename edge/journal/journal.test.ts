import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import type { NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Warnables } from '../warnables.ts';
import { Journal } from './journal.ts';

const log = pino({ level: 'silent' });
let dir: string;
let clock: ManualClock;
let warnables: Warnables;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-journal-'));
  clock = new ManualClock();
  warnables = new Warnables({ clock, log });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function open(options: Partial<ConstructorParameters<typeof Journal>[0]> = {}): Journal {
  const journal = new Journal({ path: join(dir, 'journal.db'), clock, log, warnables, ...options });
  journal.start();
  return journal;
}

function motion(text = 'x'): NewRecord & { kind: 'event' } {
  const now = iso(clock.now());
  return {
    kind: 'event',
    body: {
      id: uuidv7(),
      type: 'motion',
      deviceId: uuidv7(),
      channel: 1,
      occurredAt: now,
      seenAt: now,
      deviceTime: null,
      sourceRef: null,
      text,
    },
  };
}

/** A program of its own that opens a journal and runs `body`. */
function program(path: string, body: string): string {
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).pathname);
  return `
      import pino from 'pino';
      import { writeSync } from 'node:fs';
      import { Journal } from ${module('./journal.ts')};
      import { Warnables } from ${module('../warnables.ts')};
      import { systemClock as clock } from ${module('../../protocol/clock.ts')};
      const log = pino({ level: 'silent' });
      const journal = new Journal({ path: ${JSON.stringify(path)}, clock, log, warnables: new Warnables({ clock, log }) });
      journal.start();
      ${body}`;
}

describe('journal', () => {
  it('numbers records without gaps and gives them back after a restart', async () => {
    const journal = open();
    const first = await Promise.all(Array.from({ length: 20 }, () => journal.append([motion()])));
    expect(first.flat().map((r) => r.seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const { id } = journal;
    await journal.stop();

    const again = open();
    expect(again.id).toBe(id);
    expect(again.read(0, 100)).toEqual(first.flat());
    expect((await again.append([motion()]))[0]?.seq).toBe(21);
    await again.stop();
  });

  it('keeps one record for one event, however often it is appended', async () => {
    const journal = open();
    const event = motion();
    const [[a], [b]] = await Promise.all([journal.append([event]), journal.append([event])]);
    expect(b).toEqual(a);
    expect(journal.read(0, 10)).toHaveLength(1);
    await journal.stop();
  });

  it('takes what a listener appends while it is being told', async () => {
    const journal = open();
    let told = 0;
    const off = journal.onAppend(() => {
      if (told++ === 0) void journal.append([motion('in answer')]);
    });
    await journal.append([motion('first')]);
    await vi.waitFor(() =>
      expect(journal.read(0, 10).map((r) => r.kind === 'event' && r.body.text)).toEqual(['first', 'in answer']),
    );
    off();
    await journal.stop();
  });

  it('lets each consumer go its own way, also back, over a restart', async () => {
    const journal = open();
    await journal.append([motion(), motion(), motion()]);
    const arc = journal.consumer('arc', 'start');
    expect(arc.next(2).map((r) => r.seq)).toEqual([1, 2]);
    arc.commit(2);
    expect(journal.consumer('late', 'end').next(10)).toEqual([]);
    await journal.stop();

    const again = open();
    const resumed = again.consumer('arc', 'start');
    expect(resumed.next(10).map((r) => r.seq)).toEqual([3]);
    resumed.commit(0);
    expect(resumed.next(10)).toHaveLength(3);
    await again.stop();
  });

  it('has synced the disk before it says so', async () => {
    if (!existsSync('/usr/bin/strace')) throw new Error('strace is needed for this test');
    const script = program(
      join(dir, 'sync.db'),
      `
      const now = new Date().toISOString();
      for (let i = 0; i < 5; i++) {
        writeSync(2, 'MARK append\\n');
        await journal.append([{ kind: 'eventEnd', body: { eventId: '0190a000-0000-7000-8000-000000000000', endedAt: now } }]);
        writeSync(2, 'MARK acknowledged\\n');
      }
      await journal.stop();`,
    );
    const trace = join(dir, 'trace');
    const run = spawnSync(
      'strace',
      [
        '-f',
        '-o',
        trace,
        '-e',
        'trace=fdatasync,fsync,write,pwrite64',
        process.execPath,
        '--input-type=module-typescript',
        '-',
      ],
      {
        cwd: new URL('../..', import.meta.url).pathname,
        input: script,
        encoding: 'utf8',
      },
    );
    expect(run.status, run.stderr).toBe(0);
    const lines = readFileSync(trace, 'utf8').split('\n');
    let synced = 0;
    let acknowledged = 0;
    for (const line of lines) {
      if (line.includes('MARK append')) synced = 0;
      if (/\bf(data)?sync\(/.test(line)) synced++;
      if (line.includes('MARK acknowledged')) {
        acknowledged++;
        expect(synced).toBeGreaterThanOrEqual(1);
      }
    }
    expect(acknowledged).toBe(5);
  });

  it('loses nothing acknowledged when it is killed', async () => {
    const script = program(
      join(dir, 'killed.db'),
      `
      const now = new Date().toISOString();
      for (;;) {
        const [r] = await journal.append([{ kind: 'eventEnd', body: { eventId: '0190a000-0000-7000-8000-000000000000', endedAt: now } }]);
        writeSync(1, r.seq + '\\n');
      }`,
    );
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-'], {
        cwd: new URL('../..', import.meta.url).pathname,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      child.stdin.end(script);
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.length > 400) child.kill('SIGKILL');
      });
      await new Promise((resolve) => child.on('close', resolve));
      const last = Number(said.trim().split('\n').at(-1));
      const journal = open({ path: join(dir, 'killed.db') });
      expect(journal.lastSeq).toBeGreaterThanOrEqual(last);
      await journal.stop();
    }
  });

  it('replaces a damaged file, keeps what is readable, and says so', async () => {
    const journal = open();
    const { id } = journal;
    for (let i = 0; i < 200; i++) await journal.append([motion('y'.repeat(400))]);
    await journal.stop();
    const file = join(dir, 'journal.db');
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 40_960, 49_152);
    writeFileSync(file, bytes);

    const again = open();
    expect(again.id).not.toBe(id);
    const kept = again.read(0, 1000).length;
    expect(kept).toBeGreaterThan(100);
    expect(kept).toBeLessThan(200);
    expect(warnables.list().map((w) => w.code)).toEqual(['journal-broken']);
    expect((await again.append([motion()]))[0]?.seq).toBe(kept + 1);
    expect(readdirSync(dir).some((f) => f === 'journal.db.damaged')).toBe(true);
    await again.stop();
  });

  it('starts anew when the file is no database at all', async () => {
    writeFileSync(join(dir, 'journal.db'), 'x'.repeat(10_000));
    const journal = open();
    expect((await journal.append([motion()]))[0]?.seq).toBe(1);
    expect(warnables.list().map((w) => w.code)).toEqual(['journal-broken']);
    await journal.stop();
  });

  it('forgets old records that every consumer has read, and only those', async () => {
    const journal = open({ retainMs: 1000 });
    await journal.append([motion(), motion(), motion()]);
    const slow = journal.consumer('slow', 'start');
    slow.commit(2);
    await clock.advance(120_000);
    expect(journal.read(0, 10).map((r) => r.seq)).toEqual([3]);
    slow.close();
    await clock.advance(120_000);
    expect(journal.read(0, 10)).toEqual([]);
    expect((await journal.append([motion()]))[0]?.seq).toBe(4);
    await journal.stop();
  });
});
