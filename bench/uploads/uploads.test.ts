import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { UploadQueue } from '../../edge/upload/queue.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { FragmentInfo } from '../../protocol/wire/uploads.ts';
import { asUser, clipReport, startClipRelay } from '../../relay/clips/testing/relay.ts';
import { type SampleFragment, sampleClip } from '../../relay/clips/testing/sample.ts';
import { freePort } from '../free-port.ts';
import { makeBox } from './box.ts';

/*
 * Box and relay together: the real queue against the real routes, database and folder over real connections.
 */
let sample: SampleFragment[];
let dir: string;
let cleanUp: (() => unknown)[];

beforeAll(() => {
  sample = sampleClip({ seconds: 10, bitrate: '1600k', size: '640x480' });
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-uploads-'));
  for (const name of ['box', 'relay']) mkdirSync(join(dir, name));
  cleanUp = [];
});
afterEach(async () => {
  for (const fn of cleanUp.reverse()) await fn();
  rmSync(dir, { recursive: true });
});

async function startRelay(port = 0) {
  const relay = await startClipRelay({ dir: join(dir, 'relay'), port });
  cleanUp.push(() => relay.stop());
  return relay;
}

function startBox(relayUrl: string): UploadQueue {
  const { queue } = makeBox({ dir: join(dir, 'box'), relayUrl });
  queue.start();
  cleanUp.push(() => queue.stop());
  return queue;
}

/** The clip's files as the recorder would have written them. */
function record(clipId: string): (FragmentInfo & { path: string })[] {
  return sample.map(({ data, ...fragment }) => {
    const path = join(dir, 'box', `${clipId}-${fragment.n}`);
    writeFileSync(path, data);
    return { clipId, path, ...fragment };
  });
}

const ended = (clipId: string) => clipReport(clipId, { state: 'ended', fragments: 10, durationMs: 10_000 });

async function checkVideo(relayUrl: string, clipId: string): Promise<void> {
  const state = async () =>
    ((await (await fetch(`${relayUrl}/api/v1/clips/${clipId}`, { headers: asUser() })).json()) as { state: string })
      .state;
  await vi.waitFor(async () => expect(await state()).toBe('complete'), { timeout: 5_000 });
  const response = await fetch(`${relayUrl}/api/v1/clips/${clipId}/video`, { headers: asUser() });
  const data = Buffer.from(await response.arrayBuffer());
  let at = data.length;
  for (const f of sample.slice(1).reverse()) {
    expect(data.subarray(at - f.size, at).equals(f.data), `fragment ${f.n} as recorded`).toBe(true);
    at -= f.size;
  }
  const path = join(dir, 'probe.mp4');
  writeFileSync(path, data);
  const args = [
    '-v',
    'error',
    '-count_packets',
    '-show_entries',
    'stream=nb_read_packets:format=duration',
    '-of',
    'json',
    path,
  ];
  const probe = JSON.parse(execFileSync('ffprobe', args).toString());
  expect([Number(probe.streams[0].nb_read_packets), Number(probe.format.duration)]).toEqual([250, 10]);
}

const drained = (queue: UploadQueue, timeout = 30_000) =>
  vi.waitFor(() => expect(queue.stats().files).toBe(0), { timeout, interval: 20 });

/** A line that ends connections after so many bytes. */
async function cuttingProxy(target: string, cutAfter: () => number): Promise<{ url: string; cuts: () => number }> {
  let cuts = 0;
  const server: Server = createServer((client) => {
    const upstream = connect(Number(new URL(target).port), '127.0.0.1');
    let left = cutAfter();
    client.on('data', (chunk) => {
      left -= chunk.length;
      if (left < 0 && !client.destroyed) {
        cuts++;
        client.resetAndDestroy();
        upstream.destroy();
      }
    });
    for (const [a, b] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      a.pipe(b);
      a.on('error', () => b.destroy()).on('close', () => b.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cuts: () => cuts };
}

/** Starts a program and reads its lines; `kill` is SIGKILL. */
async function program(script: string, ...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  cleanUp.push(kill);
  const saw = (what: string, timeout = 30_000) =>
    vi.waitFor(() => expect(lines).toContain(what), { timeout, interval: 5 });
  return { lines, kill, saw, write: (line: string) => child.stdin!.write(`${line}\n`) };
}

describe('clips from box to relay', () => {
  it('arrive while they are recorded, and play', async () => {
    const relay = await startRelay();
    const box = startBox(relay.url);
    const clipId = uuidv7();
    await relay.report(clipReport(clipId));
    for (const fragment of record(clipId)) {
      box.add(fragment);
      await drained(box);
    }
    await relay.report(ended(clipId));
    await checkVideo(relay.url, clipId);
  });

  it('arrive whole over a line that is cut again and again', async () => {
    const relay = await startRelay();
    // Every third connection lives on; the others are cut somewhere in the first or second object.
    let n = 0;
    const line = await cuttingProxy(relay.url, () =>
      n++ % 3 === 2 ? Number.POSITIVE_INFINITY : 1_000 + 37_000 * (n % 9),
    );
    const box = startBox(line.url);
    const clips = [uuidv7(), uuidv7()];
    for (const fragment of clips.flatMap(record)) box.add(fragment);
    await drained(box, 18_000);
    expect(line.cuts()).toBeGreaterThan(0);
    for (const clipId of clips) {
      await relay.report(ended(clipId));
      await checkVideo(relay.url, clipId);
    }
  });

  it('wait while the relay is away and drain oldest first', async () => {
    const first = await startRelay();
    const port = Number(new URL(first.url).port);
    await first.stop();
    cleanUp.length = 0;
    const clips = [uuidv7(1), uuidv7(2), uuidv7(3)];
    const before = makeBox({ dir: join(dir, 'box'), relayUrl: first.url }).queue;
    before.start();
    for (const fragment of clips.flatMap(record)) before.add(fragment);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(before.stats().files).toBe(33);
    await before.stop();

    const relay = await startRelay(port);
    const box = startBox(relay.url);
    await drained(box);
    const rows = await relay.db.selectFrom('clip_fragments').select(['clipId', 'n']).orderBy('storedMs').execute();
    const expected = clips.flatMap((clipId) => sample.map((f) => `${clipId} ${f.n}`));
    // Three of the backlog are in flight at once.
    rows.forEach((row, i) => {
      expect(Math.abs(expected.indexOf(`${row.clipId} ${row.n}`) - i)).toBeLessThanOrEqual(4);
    });
    for (const clipId of clips) {
      await relay.report(ended(clipId));
      await checkVideo(relay.url, clipId);
    }
  });

  it('arrive whole although the box is killed again and again', async () => {
    const relay = await startRelay();
    const clipId = uuidv7();
    const files = record(clipId);
    let box = await program('box.ts', join(dir, 'box'), relay.url, '400000');
    for (const fragment of files) {
      box.write(`add ${JSON.stringify(fragment)}`);
      await box.saw(`added ${fragment.n}`);
      // What was answered before the kill must survive it.
      if (fragment.n % 3 === 2) {
        await box.kill();
        box = await program('box.ts', join(dir, 'box'), relay.url, '400000');
      }
    }
    await vi.waitFor(async () => expect(await relay.clips.fragments(clipId)).toHaveLength(11), { timeout: 30_000 });
    await relay.report(ended(clipId));
    await checkVideo(relay.url, clipId);
    expect(box.lines.filter((line) => line.startsWith('lost'))).toEqual([]);
  }, 60_000);

  it('are never claimed to be stored by a relay that was killed while storing', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const start = async () => {
      const relay = await program('relay.ts', join(dir, 'relay'), String(port));
      await relay.saw(`ready ${url}`);
      return relay;
    };
    let child = await start();
    const box = makeBox({ dir: join(dir, 'box'), relayUrl: url, bytesPerSecond: 1_000_000 }).queue;
    box.start();
    cleanUp.push(() => box.stop());
    const clips = [uuidv7(), uuidv7()];
    for (const fragment of clips.flatMap(record)) box.add(fragment);
    for (const files of [18, 12, 6]) {
      await vi.waitFor(() => expect(box.stats().files).toBeLessThanOrEqual(files), { timeout: 30_000, interval: 1 });
      await child.kill();
      child = await start();
      box.kick();
    }
    await drained(box);
    await child.kill();

    const relay = await startRelay(port);
    for (const clipId of clips) {
      const folder = join(dir, 'relay/objects/clips', clipId);
      const rows = await relay.clips.fragments(clipId);
      expect(rows).toHaveLength(11);
      for (const { n, sha256 } of rows) {
        const data = readFileSync(join(folder, n === 0 ? 'init.mp4' : `${n}.m4s`));
        expect(createHash('sha256').update(data).digest('hex')).toBe(sha256);
      }
      await relay.report(ended(clipId));
      await checkVideo(relay.url, clipId);
      await vi.waitFor(() => expect(readdirSync(folder)).toEqual(['video.mp4']), { timeout: 10_000 });
    }
    expect(existsSync(join(dir, 'relay/objects/tmp'))).toBe(true);
    expect(readdirSync(join(dir, 'relay/objects/tmp'))).toEqual([]);
  }, 60_000);
});
