import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { DesiredStorage } from '../../protocol/wire/desired.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Warnables } from '../warnables.ts';
import { UploadQueue } from './queue.ts';
import { FakeRelay, fastPacer, newFragment } from './testing/fake-relay.ts';
import { isOpen } from './window.ts';

const log = pino({ level: 'silent' });
let dir: string;
let relay: FakeRelay;
let relayUrl: string;
let warnables: Warnables;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-upload-'));
  relay = new FakeRelay();
  relayUrl = await relay.listen();
  warnables = new Warnables({ clock: systemClock, log });
  cleanups.push(
    () => rmSync(dir, { recursive: true }),
    () => relay.close(),
  );
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function makeQueue(options: Partial<ConstructorParameters<typeof UploadQueue>[0]> = {}): UploadQueue {
  const clock = options.clock ?? systemClock;
  const queue = new UploadQueue({
    dir,
    auth: relay.auth(relayUrl),
    pacer: fastPacer(clock),
    clock,
    log,
    warnables,
    ...options,
  });
  cleanups.push(() => queue.stop());
  return queue;
}
const drained = (queue: UploadQueue) =>
  vi.waitFor(() => expect(queue.stats()).toEqual({ files: 0, bytes: 0 }), { timeout: 15_000, interval: 10 });
const wish = (more: object) => DesiredStorage.parse({ id: 'box', ...more });
const continuous = { kind: 'continuous' };

describe('days without the relay', () => {
  it('keeps to its room: the oldest continuous recording goes first, clips of events last, and each loss is told', async () => {
    const clock = new ManualClock();
    relay.reachable = false;
    const queue = makeQueue({ clock, diskUsed: () => 0.5 });
    const lost: string[] = [];
    queue.onLost((clipId) => void lost.push(clipId));
    queue.start();
    queue.configure(wish({ diskBytes: 67_108_864 }));
    const MB = 1_000_000;
    const pieces: string[] = [];
    const events: string[] = [];
    const held: string[] = [];
    // Three days: each hour a piece of continuous recording, every eighth hour an event in two streams.
    for (let hour = 0; hour < 72; hour++) {
      clock.step(3_600_000);
      pieces.push(uuidv7(clock.now()));
      queue.add(newFragment(dir, pieces.at(-1)!, 0, 2 * MB, continuous));
      if (hour % 8 !== 0) continue;
      events.push(uuidv7(clock.now()));
      queue.add(newFragment(dir, events.at(-1)!, 0, 2 * MB));
      held.push(uuidv7(clock.now()));
      queue.add(newFragment(dir, held.at(-1)!, 0, 3 * MB, { held: true }));
    }
    const here = (ids: string[]) => ids.filter((id) => existsSync(join(dir, `${id}-0.m4s`)));
    expect(here(events)).toEqual(events);
    expect(here(held)).toEqual(held);
    const kept = here(pieces);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept).toEqual(pieces.slice(-kept.length));
    expect(lost).toEqual(pieces.slice(0, pieces.length - kept.length));
    expect(warnables.list()).toMatchObject([{ code: 'continuous-lost', severity: 'warning' }]);

    // Events alone need more than there is: what is held goes, then the oldest event.
    for (let i = 0; i < 32; i++) {
      events.push(uuidv7(clock.now() + i));
      queue.add(newFragment(dir, events.at(-1)!, 0, 2 * MB));
    }
    expect([here(pieces), here(held)]).toEqual([[], []]);
    expect(here(events)).toEqual(events.slice(-here(events).length));
    expect(here(events).length).toBeGreaterThan(30);
    // Continuous recording takes nothing away from events.
    const late = newFragment(dir, uuidv7(clock.now() + 99), 0, MB, continuous);
    expect(() => queue.add(late)).toThrow(/no room/);
    const before = here(events);
    expect(queue.free(late.clipId, 'continuous')).toBe(false);
    expect(here(events)).toEqual(before);
    expect(warnables.list().map((w) => w.code)).toContain('clip-lost');
  });

  const root = process.getuid?.() === 0;
  it.runIf(root)('loses continuous recording before clips of events on a disk that is really full', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dir]);
    cleanups.push(() => execFileSync('umount', [dir]));
    relay.reachable = false;
    const queue = makeQueue();
    const lost: string[] = [];
    queue.onLost((clipId) => void lost.push(clipId));
    queue.start();
    const pieces = [1, 2, 3, 4].map((i) => uuidv7(i));
    for (const id of pieces) queue.add(newFragment(dir, id, 0, 1_000_000, continuous));
    const event = uuidv7(5);
    queue.add(newFragment(dir, event, 0, 1_000_000));
    // Something else takes the rest, to the last byte.
    const { bavail, bsize } = statfsSync(dir);
    writeFileSync(join(dir, 'other'), Buffer.alloc(bavail * bsize));
    const running = uuidv7(6);
    for (let n = 0; n < 3; n++) {
      for (;;) {
        try {
          queue.add(newFragment(dir, running, n, 900_000));
          break;
        } catch (error) {
          expect((error as NodeJS.ErrnoException).code).toMatch(/ENOSPC|SQLITE_FULL/);
          expect(queue.free(running, 'event')).toBe(true);
        }
      }
    }
    expect(lost).toEqual(pieces.slice(0, lost.length));
    expect(lost.length).toBeGreaterThan(1);
    expect(existsSync(join(dir, `${event}-0.m4s`))).toBe(true);
    expect(warnables.list()).toMatchObject([{ code: 'continuous-lost' }]);
  });
});

describe('what is sent when', () => {
  it('sends events before continuous recording, and that only in its window (CLOUD-10)', async () => {
    const clock = new ManualClock();
    const queue = makeQueue({ clock });
    queue.start();
    const at = new Date(clock.now());
    const minute = at.getUTCHours() * 60 + at.getUTCMinutes();
    const later = (minutes: number) => (minute + minutes + 1440) % 1440;
    queue.configure(wish({ window: { fromMinute: later(60), toMinute: later(120), timeZone: 'UTC' } }));
    const [piece, marked, clip] = [uuidv7(1), uuidv7(2), uuidv7(3)];
    for (let n = 0; n < 3; n++) {
      queue.add(newFragment(dir, piece, n, 1000, continuous));
      queue.add(newFragment(dir, marked, n, 1000, continuous));
    }
    queue.add(newFragment(dir, clip, 0, 1000));
    const turn = async (ms: number) => {
      await clock.advance(ms);
      await new Promise((r) => setTimeout(r, 30));
    };
    const until = (size: number) =>
      vi.waitFor(async () => {
        await turn(100);
        expect(relay.order).toHaveLength(size);
      });
    await until(1);
    expect(relay.order).toEqual([`${clip} 0`]);
    // Something happened in that piece.
    queue.prefer(marked);
    await until(4);
    expect(relay.order.slice(1).every((key) => key.startsWith(marked))).toBe(true);
    await turn(30 * 60_000);
    expect(relay.order).toHaveLength(4);
    await turn(35 * 60_000);
    await until(7);
  });

  it('knows the window of the site’s day, over midnight and where the clock is changed', () => {
    const at = (text: string) => Date.parse(text);
    const night = { fromMinute: 22 * 60, toMinute: 6 * 60, timeZone: 'Europe/Berlin' };
    expect(isOpen(night, at('2026-01-15T20:59:00Z'))).toBe(false);
    expect(isOpen(night, at('2026-01-15T21:00:00Z'))).toBe(true);
    expect(isOpen(night, at('2026-01-16T04:59:00Z'))).toBe(true);
    expect(isOpen(night, at('2026-01-16T05:00:00Z'))).toBe(false);
    expect(isOpen(night, at('2026-07-15T20:00:00Z'))).toBe(true);
    expect(isOpen(null, 0)).toBe(true);
    expect(isOpen({ fromMinute: 60, toMinute: 60, timeZone: 'UTC' }, 0)).toBe(true);
    expect(isOpen({ fromMinute: 60, toMinute: 120, timeZone: 'Nowhere/Land' }, 61 * 60_000)).toBe(true);
  });

  it('sends no faster than it may', async () => {
    const queue = makeQueue();
    queue.start();
    queue.configure(wish({ uploadKbps: 2000 }));
    const clip = uuidv7();
    const started = performance.now();
    for (let n = 0; n < 5; n++) queue.add(newFragment(dir, clip, n, 50_000));
    await drained(queue);
    // 2 Mbit at 2 Mbit/s; a first handful may go at once.
    expect(performance.now() - started).toBeGreaterThan(850);
  });

  it('holds what nobody has asked for, over a restart too', async () => {
    const clip = uuidv7();
    const first = makeQueue();
    first.start();
    for (let n = 0; n < 3; n++) first.add(newFragment(dir, clip, n, 1000, { held: true }));
    await new Promise((r) => setTimeout(r, 50));
    expect([first.stats().files, relay.asked]).toEqual([0, []]);
    expect(first.hasUnsent(clip)).toBe(true);
    await first.stop();
    const second = makeQueue();
    second.start();
    expect(second.release(clip)).toBe(3);
    await drained(second);
    expect(relay.order).toHaveLength(3);
    expect(second.hasUnsent(clip)).toBe(false);
  });

  it('takes over the list of an earlier version', async () => {
    const first = makeQueue();
    relay.reachable = false;
    first.start();
    first.add(newFragment(dir, uuidv7(), 0, 1000));
    await first.stop();
    const db = new Database(join(dir, 'uploads.sqlite'));
    db.exec(`DROP INDEX fragments_order; ALTER TABLE fragments DROP COLUMN kind;`);
    db.close();
    relay.reachable = true;
    const second = makeQueue();
    second.start();
    await drained(second);
    expect(relay.order).toHaveLength(1);
    expect(warnables.list()).toEqual([]);
  });
});

describe('an object store', () => {
  let taken: Map<string, Buffer>;
  let status: (key: string) => number;

  beforeEach(async () => {
    taken = new Map();
    status = () => 200;
    const server = http.createServer(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk);
      const key = decodeURIComponent(new URL(req.url!, 'http://s3').pathname.split('/').at(-1)!);
      const signed = req.headers['x-amz-test'] === 'signed' && !req.headers['x-gatepost-sha256'];
      const code = signed && !req.headers.authorization ? status(key) : 400;
      const body = Buffer.concat(chunks);
      const sum = createHash('sha256').update(body).digest('base64');
      if (code === 200 && req.headers['x-amz-checksum-sha256'] === sum) taken.set(key, body);
      res.writeHead(code, { 'content-type': 'application/xml' }).end('<Error/>');
    });
    await new Promise<void>((r) => server.listen(0, '127.0.0.1', r));
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    relay.objectStore = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  it('gets the bytes with the headers of the address alone, then the relay is told', async () => {
    const queue = makeQueue();
    queue.start();
    const clip = uuidv7();
    const fragments = Array.from({ length: 6 }, (_, n) => newFragment(dir, clip, n, 30_000));
    for (const f of fragments) queue.add(f);
    await drained(queue);
    expect(relay.stored.size).toBe(6);
    for (const f of fragments) expect(taken.get(`${clip} ${f.n}`)).toEqual(readFileSync(f.path));
  });

  it('is asked again with a new address when the old one is no longer good, and not when it has the object', async () => {
    const queue = makeQueue();
    queue.start();
    let tries = 0;
    status = (key) => (key.endsWith(' 1') && ++tries === 1 ? 403 : key.endsWith(' 2') ? 412 : 200);
    const clip = uuidv7();
    for (let n = 0; n < 3; n++) queue.add(newFragment(dir, clip, n, 1000));
    await drained(queue);
    expect(relay.stored.size).toBe(3);
    expect(tries).toBe(2);
    expect(warnables.list()).toEqual([]);
  });

  it('is not believed: what the relay does not find there is sent again until it does', async () => {
    const queue = makeQueue();
    const lost = vi.fn();
    queue.onLost(lost);
    queue.start();
    const clip = uuidv7();
    relay.hasObject = () => relay.confirmed.length > 1;
    queue.add(newFragment(dir, clip, 0, 1000));
    await drained(queue);
    expect(relay.confirmed.length).toBeGreaterThanOrEqual(2);
    relay.hasObject = () => relay.confirmed.filter((key) => key.endsWith(' 1')).length > 4;
    queue.add(newFragment(dir, clip, 1, 1000));
    while (queue.stats().files > 0) {
      await new Promise((r) => setTimeout(r, 20));
      queue.kick();
    }
    expect(relay.stored.size).toBe(2);
    expect(lost).not.toHaveBeenCalled();
  });
});

describe('a line that is cut', () => {
  it('brings each part once, byte for byte, over 20 cuts in mid-upload', async () => {
    // Between box and relay: at a cut all connections end where they are, and for a moment none can be made.
    const sockets = new Set<net.Socket>();
    let up = true;
    const target = new URL(relayUrl);
    const line = net.createServer((from) => {
      if (!up) return void from.destroy();
      const to = net.connect(Number(target.port), target.hostname);
      for (const s of [from, to]) {
        sockets.add(s);
        s.on('error', () => {});
        s.on('close', () => sockets.delete(s));
      }
      from.pipe(to).pipe(from);
    });
    await new Promise<void>((r) => line.listen(0, '127.0.0.1', r));
    cleanups.push(() => {
      for (const s of sockets) s.destroy();
      line.close();
    });
    const url = `http://127.0.0.1:${(line.address() as AddressInfo).port}`;
    const pacer = fastPacer(systemClock);
    pacer.limit(2_500_000);
    const queue = makeQueue({ auth: relay.auth(url), pacer });
    queue.start();
    const clips = Array.from({ length: 10 }, (_, i) => uuidv7(i));
    const parts = clips.flatMap((clip) => [0, 1, 2, 3].map((n) => newFragment(dir, clip, n, 150_000)));
    for (const part of parts) queue.add(part);
    for (let cut = 0; cut < 20; cut++) {
      const before = relay.order.length;
      await new Promise((r) => setTimeout(r, 90));
      up = false;
      for (const s of sockets) s.destroy();
      await new Promise((r) => setTimeout(r, 15));
      up = true;
      queue.kick();
      if (relay.order.length >= parts.length - 1) expect(cut, `${before} before`).toBeGreaterThan(18);
    }
    await drained(queue);
    expect(relay.stored.size).toBe(parts.length);
    expect(new Set(relay.order).size).toBe(relay.order.length);
    for (const part of parts) expect(relay.stored.get(`${part.clipId} ${part.n}`)).toBe(part.sha256);
    expect(warnables.list()).toEqual([]);
  });
});
