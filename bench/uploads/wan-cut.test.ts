import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Recorder } from '../../edge/clips/recorder.ts';
import { calm, event, FakeChannel, FakeJournal, recording } from '../../edge/clips/testing/parts.ts';
import { UploadQueue } from '../../edge/upload/queue.ts';
import { fastPacer } from '../../edge/upload/testing/fake-relay.ts';
import { Warnables } from '../../edge/warnables.ts';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import type { LibraryClip } from '../../protocol/wire/clips.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { fragmentKey } from '../../relay/clips/object-store.ts';
import { asBox, asUser, ids, SERIAL, startClipRelay } from '../../relay/clips/testing/relay.ts';
import { SmallS3 } from '../../relay/clips/testing/s3.ts';

/*
 * Step 9 of J2: recorder and queue of a box, a relay and an object store; the line to both is cut for ten minutes while things
 * happen on a channel with cloud storage. Time is made here, connections and files are real.
 */
const MINUTE_MS = 60_000;
const log = pino({ level: 'silent' });
let dir: string;
const cleanUp: (() => unknown)[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-wan-'));
  for (const name of ['box', 'relay']) mkdirSync(join(dir, name));
});
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
  rmSync(dir, { recursive: true });
});

/** A line that can be cut: connections end where they are, and none is made. */
async function line(port: number) {
  const sockets = new Set<Socket>();
  const state = { up: true, port: 0 };
  const server = createServer((from) => {
    if (!state.up) return void from.destroy();
    const to = connect(port, '127.0.0.1');
    for (const s of [from, to]) {
      sockets.add(s);
      s.on('error', () => {}).on('close', () => sockets.delete(s));
    }
    from.pipe(to).pipe(from);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.port = (server.address() as AddressInfo).port;
  const cut = () => {
    state.up = false;
    for (const s of sockets) s.destroy();
  };
  cleanUp.push(() => {
    cut();
    server.close();
  });
  return Object.assign(state, { cut });
}

it('what happens on a cloud channel while the WAN is cut for ten minutes comes after it in order, with its real times, byte for byte (CLOUD-10)', async () => {
  const clock = new ManualClock(Date.parse('2026-03-01T12:00:00Z'));
  const s3 = await new SmallS3({ clock }).start();
  cleanUp.push(() => s3.stop());
  const wan = { store: await line(s3.port), relay: null as Awaited<ReturnType<typeof line>> | null };
  const options = { ...s3.options, endpoint: `http://127.0.0.1:${wan.store.port}` };
  const relay = await startClipRelay({ dir: join(dir, 'relay'), s3: options, clock, retentionDays: 7 });
  cleanUp.push(() => relay.stop());
  wan.relay = await line(Number(new URL(relay.url).port));

  const journal = new FakeJournal(clock);
  const warnables = new Warnables({ clock, log });
  const auth = {
    relayUrl: new URL(`http://127.0.0.1:${wan.relay.port}`),
    header: async () => asBox().authorization,
    forget() {},
  };
  const queue = new UploadQueue({
    dir: join(dir, 'box'),
    auth: auth as never,
    pacer: fastPacer(systemClock),
    clock,
    log,
    warnables,
  });
  const lost = vi.fn();
  queue.onLost(lost);
  queue.start();
  cleanUp.push(() => queue.stop());
  /** Every part as the recorder made it. */
  const made = new Map<string, string>();
  const uploads = new Proxy(queue, {
    get: (target, name) => {
      if (name !== 'add') return Reflect.get(target, name, target).bind?.(target);
      return (f: Parameters<UploadQueue['add']>[0]) => {
        made.set(fragmentKey(f.clipId, f.n), createHash('sha256').update(readFileSync(f.path)).digest('hex'));
        target.add(f);
      };
    },
  });
  const channel = new FakeChannel(clock);
  const recorder = new Recorder({
    journal,
    uploads,
    dir: join(dir, 'box'),
    clock,
    log,
    warnables,
    video: { source: (_, __, stream) => (stream === 'main' ? channel : null), onChange: () => () => {} },
    makeEncoder: () => {
      throw new Error('no sound here');
    },
  });
  const { id, key: secret } = await relay.keys.ofSite(relay.db, ids.site);
  recorder.start();
  cleanUp.push(() => recorder.stop());
  recorder.apply([recording({ deviceId: ids.device, key: { id, secret }, postRollMs: 10_000 })]);

  /** The journal's way to the relay is a line of its own: in order, and held back while it is cut. */
  let told = 0;
  const tell = async () => {
    if (!wan.store.up) return;
    for (; told < journal.records.length; told++) {
      const record = journal.records[told]!;
      if (record.kind === 'clip') await relay.report(record.body, SERIAL, record.seq);
    }
  };
  const pass = async (ms: number, stepMs = 5_000) => {
    for (let left = ms; left > 0; left -= stepMs) {
      await clock.advance(stepMs);
      // The disk gets its turn.
      await new Promise((resolve) => setTimeout(resolve, 10));
      await tell();
    }
    await calm(() => `${made.size} ${journal.records.length} ${queue.stats().files}`);
    await tell();
  };
  const happened: string[] = [];
  const happen = async () => {
    happened.push(new Date(clock.now()).toISOString());
    await journal.append([{ kind: 'event', body: event(clock.now(), { deviceId: ids.device }) }]);
  };
  const playback = { id: uuidv7(), companyId: ids.company, siteId: ids.site, permission: 'view' as const };
  await relay.db
    .insertInto('grants')
    .values({ ...playback, source: 'site' })
    .execute();
  const listed = async (): Promise<LibraryClip[]> => {
    const answer = await fetch(`${relay.url}/api/v1/sites/${ids.site}/clips?limit=50`, { headers: asUser() });
    return ((await answer.json()) as { items: LibraryClip[] }).items.reverse();
  };

  await pass(10_000);
  await happen();
  await pass(30_000);
  await vi.waitFor(async () => expect((await listed()).map((c) => c.state)).toEqual(['complete']));

  for (const way of [wan.store, wan.relay]) way.cut();
  const cutAt = clock.now();
  for (let i = 0; i < 4; i++) {
    await happen();
    await pass(30_000);
    await pass(2 * MINUTE_MS, 30_000);
  }
  expect(clock.now() - cutAt).toBe(10 * MINUTE_MS);
  const waiting = queue.stats().files;
  expect(waiting).toBeGreaterThan(4 * 12);
  expect(warnables.list().map((w) => w.code)).toEqual(['clips-waiting']);
  expect((await listed()).length).toBe(1);

  const before = s3.asked.length;
  for (const way of [wan.store, wan.relay]) way.up = true;
  await vi.waitFor(
    async () => {
      await clock.advance(500);
      await tell();
      expect(queue.stats().files).toBe(0);
    },
    { timeout: 20_000, interval: 20 },
  );
  await vi.waitFor(async () => expect((await listed()).map((c) => c.state)).toEqual(Array(5).fill('complete')));
  const clips = await listed();
  // Real times: five seconds of pre-roll, whole groups of two seconds.
  for (const [i, clip] of clips.entries()) {
    const early = Date.parse(happened[i]!) - Date.parse(clip.startedAt);
    expect(early).toBeGreaterThanOrEqual(5_000);
    expect(early).toBeLessThanOrEqual(9_000);
  }
  // In order, but for the few that are on their way together.
  const order = s3.asked.slice(before).flatMap((asked) => /^PUT .*(clips\/.*) 200$/.exec(asked)?.[1] ?? []);
  expect(order.length).toBe(waiting);
  const turn = [...made.keys()].slice(-waiting);
  const early = order.map((key, i) => turn.indexOf(key) - i);
  expect(Math.max(...early.map(Math.abs))).toBeLessThanOrEqual(8);
  // Byte for byte what the recorder made, each once, in the store; and one file of it plays.
  const stored = [...s3.objects].map(([key, data]) => [key, createHash('sha256').update(data).digest('hex')] as const);
  expect(new Map(stored.toSorted())).toEqual(new Map([...made].toSorted()));
  const headers = { ...asUser(), range: 'bytes=4-7' };
  for (const { id } of clips) {
    const answer = await fetch(`${relay.url}/api/v1/clips/${id}/video`, { headers });
    expect([answer.status, await answer.text()]).toEqual([206, 'ftyp']);
  }
  expect(warnables.list()).toEqual([]);
  expect(lost).not.toHaveBeenCalled();
}, 40_000);
