import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Warnables } from '../warnables.ts';
import { UploadQueue } from './queue.ts';
import { FakeRelay, fastPacer, newFragment } from './testing/fake-relay.ts';

const log = pino({ level: 'silent' });

let dir: string;
let relay: FakeRelay;
let relayUrl: string;
let queues: UploadQueue[];
let warnables: Warnables;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-upload-'));
  relay = new FakeRelay();
  relayUrl = await relay.listen();
  queues = [];
  warnables = new Warnables({ clock: systemClock, log });
});
afterEach(async () => {
  for (const queue of queues) await queue.stop();
  relay.server.closeAllConnections();
  relay.server.close();
  rmSync(dir, { recursive: true });
});

function makeQueue(options: Partial<ConstructorParameters<typeof UploadQueue>[0]> = {}): UploadQueue {
  const queue = new UploadQueue({
    dir,
    auth: relay.auth(relayUrl),
    pacer: fastPacer(systemClock),
    clock: systemClock,
    log,
    warnables,
    ...options,
  });
  queues.push(queue);
  return queue;
}

const fragment = (clipId: string, n: number, size = 20_000) => newFragment(dir, clipId, n, size);

const drained = (queue: UploadQueue) =>
  vi.waitFor(() => expect(queue.stats()).toEqual({ files: 0, bytes: 0 }), { timeout: 10_000, interval: 10 });
const codes = () => warnables.list().map((w) => w.code);

describe('upload queue', () => {
  it('sends what was added before a restart, and nothing twice', async () => {
    const clip = uuidv7();
    const first = makeQueue();
    relay.reachable = false;
    first.start();
    for (let n = 0; n < 20; n++) first.add(fragment(clip, n));
    expect(first.stats()).toEqual({ files: 20, bytes: 400_000 });
    await first.stop();

    relay.reachable = true;
    const second = makeQueue();
    second.start();
    expect(second.stats().files).toBe(20);
    await drained(second);
    expect(relay.order).toHaveLength(20);
    expect(new Set(relay.order).size).toBe(20);
    expect(existsSync(join(dir, `${clip}-3.m4s`))).toBe(true);

    // A relay restored from a backup asks again: what it has is not sent.
    relay.stored.delete(`${clip} 7`);
    expect(second.requeue(clip)).toBe(20);
    await drained(second);
    expect(relay.order.slice(20)).toEqual([`${clip} 7`]);
  });

  it('lets the first parts of a new clip pass the backlog and the later parts of older clips', async () => {
    relay.reachable = false;
    const old = [uuidv7(1), uuidv7(2)];
    const before = makeQueue();
    before.start();
    for (let n = 0; n < 10; n++) for (const clip of old) before.add(fragment(clip, n));
    await before.stop();

    const queue = makeQueue();
    queue.start();
    const [running, fresh] = [uuidv7(3), uuidv7(4)];
    for (let n = 0; n < 10; n++) queue.add(fragment(running, n));
    for (let n = 0; n < 3; n++) queue.add(fragment(fresh, n));
    relay.reachable = true;
    queue.kick();
    await drained(queue);
    const position = (clip: string, n: number) => relay.order.indexOf(`${clip} ${n}`);
    // Four are in flight at once, so order holds give or take four.
    for (let n = 0; n < 3; n++) expect(position(fresh, n)).toBeLessThan(2 * n + 2 + 4);
    expect(position(running, 9)).toBeLessThan(13 + 4);
    const backlog = relay.order.filter((k) => old.some((clip) => k.startsWith(clip)));
    backlog.forEach((key, i) => {
      const added = old.indexOf(key.split(' ')[0]!) + 2 * Number(key.split(' ')[1]);
      expect(Math.abs(i - added)).toBeLessThan(4);
    });
  });

  it('tries a cut transfer again until it is through', async () => {
    const clip = uuidv7();
    const queue = makeQueue();
    queue.start();
    relay.fault = () => (relay.cuts < 5 ? 'cut' : null);
    for (let n = 0; n < 6; n++) queue.add(fragment(clip, n, 300_000));
    await drained(queue);
    expect(relay.cuts).toBe(5);
    expect(relay.stored.size).toBe(6);
    expect(codes()).toEqual([]);
  });

  it('sets a refused part aside, tells it, and sends the rest', async () => {
    const clip = uuidv7();
    const lost = vi.fn();
    const queue = makeQueue();
    queue.onLost(lost);
    queue.start();
    relay.fault = (key) => (key === `${clip} 2` ? 'conflict' : null);
    for (let n = 0; n < 6; n++) queue.add(fragment(clip, n));
    await drained(queue);
    expect(relay.stored.size).toBe(5);
    expect(codes().sort()).toEqual(['clip-lost', 'clip-part-refused']);
    expect(lost).toHaveBeenCalledOnce();
    expect(lost.mock.calls[0]).toEqual([clip, expect.stringContaining('conflict')]);
    expect(existsSync(join(dir, `${clip}-2.m4s`))).toBe(true);
  });

  it('finds the one part that spoils a whole request for grants', async () => {
    const clip = uuidv7();
    const queue = makeQueue();
    queue.start();
    relay.grantFault = (fragments) => (fragments.some((f) => f.n === 5) ? 'invalid-request' : null);
    for (let n = 0; n < 10; n++) queue.add(fragment(clip, n));
    await drained(queue);
    expect([...relay.stored.keys()].sort()).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9].map((n) => `${clip} ${n}`));
    expect(codes()).toContain('clip-part-refused');
  });

  it('waits through answers that are not the relay’s and through a full relay', async () => {
    const clip = uuidv7();
    const queue = makeQueue();
    queue.start();
    relay.fault = () => 'portal';
    queue.add(fragment(clip, 0));
    await vi.waitFor(() => expect(relay.asked.length).toBeGreaterThan(0));
    await new Promise((r) => setTimeout(r, 300));
    expect(queue.stats().files).toBe(1);
    relay.fault = () => 'storage-full';
    queue.kick();
    await vi.waitFor(() => expect(warnables.list()[0]?.text).toContain('no room left'));
    relay.fault = () => null;
    queue.kick();
    await drained(queue);
    expect(codes()).toEqual([]);
  });

  it.each([
    ['vanished', (path: string) => rmSync(path)],
    ['was damaged', (path: string) => writeFileSync(path, Buffer.alloc(20_000))],
    ['was cut', (path: string) => writeFileSync(path, Buffer.alloc(10))],
  ])('reports a clip whose file %s and sends the rest', async (_, damage) => {
    const clip = uuidv7();
    const lost = vi.fn();
    const queue = makeQueue();
    queue.onLost(lost);
    relay.reachable = false;
    queue.start();
    for (let n = 0; n < 4; n++) queue.add(fragment(clip, n));
    damage(join(dir, `${clip}-1.m4s`));
    relay.reachable = true;
    queue.kick();
    await drained(queue);
    expect([...relay.stored.keys()].sort()).toEqual([0, 2, 3].map((n) => `${clip} ${n}`));
    expect(lost).toHaveBeenCalledWith(clip, expect.stringContaining('part 1 is lost'));
    expect(codes()).toContain('clip-lost');
  });

  it('deletes sent files first, oldest first, and keeps unsent ones below 90 % disk', async () => {
    const [sent, unsent] = [uuidv7(), uuidv7()];
    const queue = makeQueue({ maxBytes: 200_000, diskUsed: () => 0.5 });
    queue.start();
    for (let n = 0; n < 5; n++) queue.add(fragment(sent, n));
    await drained(queue);
    relay.reachable = false;
    for (let n = 0; n < 30; n++) queue.add(fragment(unsent, n));
    expect([0, 1, 2, 3, 4].filter((n) => existsSync(join(dir, `${sent}-${n}.m4s`)))).toEqual([]);
    expect(queue.stats().files).toBe(30);
  });

  it('gives up the oldest unsent clip on a full disk, never the one being written, and tells it until it is noted', async () => {
    relay.reachable = false;
    const [oldest, newer, running] = [uuidv7(), uuidv7(), uuidv7()];
    let used = 0.5;
    const queue = makeQueue({ diskUsed: () => used });
    queue.onLost(() => Promise.reject(new Error('the journal cannot be written')));
    queue.start();
    for (let n = 0; n < 2; n++) queue.add(fragment(oldest, n, 30_000_000));
    queue.add(fragment(newer, 0, 30_000_000));
    queue.add(fragment(running, 0, 1000));
    used = 0.95;
    queue.add(fragment(running, 1, 1000));
    // 64 MB stay whatever else fills the disk.
    expect(queue.stats().files).toBe(3);
    expect(existsSync(join(dir, `${oldest}-0.m4s`))).toBe(false);
    await queue.stop();

    const again = makeQueue();
    const lost = vi.fn();
    again.onLost(lost);
    again.start();
    expect(lost.mock.calls).toEqual([[oldest, expect.stringContaining('no room')]]);
    await new Promise((r) => setImmediate(r));
    await again.stop();
    const third = makeQueue();
    third.onLost(lost);
    third.start();
    expect(lost).toHaveBeenCalledOnce();
  });

  const root = process.getuid?.() === 0;
  if (!root) console.log('small disk on a tmpfs: skipped, mounting needs root');
  it.runIf(root)('keeps a real small disk below 90 % with what is sent, and goes on when it is full', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir]);
    const full = join(dir, 'full');
    try {
      const clip = uuidv7();
      const queue = makeQueue();
      queue.start();
      for (let n = 0; n < 40; n++) {
        queue.add(fragment(clip, n, 150_000));
        await drained(queue);
      }
      expect(relay.order).toHaveLength(40);
      expect(existsSync(join(dir, `${clip}-0.m4s`))).toBe(false);
      expect(existsSync(join(dir, `${clip}-39.m4s`))).toBe(true);
      // Something else takes all that is left: sent files make room for the queue's own list.
      const last = [40, 41, 42].map((n) => fragment(clip, n, 1_000));
      const { bavail, bsize } = statfsSync(dir);
      writeFileSync(full, Buffer.alloc(bavail * bsize));
      for (const f of last) queue.add(f);
      await drained(queue);
      expect(relay.order).toHaveLength(43);
      expect(codes()).toEqual([]);
    } finally {
      await queues[0]?.stop();
      execFileSync('umount', [dir]);
    }
  });

  it('sets a damaged list aside and says so', async () => {
    writeFileSync(join(dir, 'uploads.sqlite'), randomBytes(8192));
    const queue = makeQueue();
    queue.start();
    expect(codes()).toEqual(['upload-queue-damaged']);
    queue.add(fragment(uuidv7(), 0));
    await drained(queue);
    expect(existsSync(join(dir, 'uploads.sqlite.damaged'))).toBe(true);
  });

  it('warns only after a minute without the relay', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const queue = makeQueue();
      relay.reachable = false;
      queue.start();
      queue.add(fragment(uuidv7(), 0));
      await vi.advanceTimersByTimeAsync(59_000);
      expect(codes()).toEqual([]);
      await vi.advanceTimersByTimeAsync(15_000);
      expect(codes()).toEqual(['clips-waiting']);
    } finally {
      vi.useRealTimers();
    }
  });
});
