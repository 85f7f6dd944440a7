import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Warnables } from '../warnables.ts';
import { UploadQueue } from './queue.ts';
import { FakeRelay, fastPacer, newFragment } from './testing/fake-relay.ts';

type Answer = (req: http.IncomingMessage, res: http.ServerResponse) => void;

let dir: string;
let relay: FakeRelay;
let clock: ManualClock;
let warnables: Warnables;
let queue: UploadQueue;
let store: http.Server;
let answer: Answer | null;
const taken = new Map<string, Buffer>();
const lost = vi.fn();
let puts = 0;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-store-'));
  clock = new ManualClock();
  warnables = new Warnables({ clock, log: pino({ level: 'silent' }) });
  relay = new FakeRelay();
  const relayUrl = await relay.listen();
  store = http.createServer(async (req, res) => {
    puts++;
    if (answer) return answer(req, res);
    const body = await buffer(req);
    const sum = createHash('sha256').update(body).digest('base64');
    if (req.headers['x-amz-checksum-sha256'] !== sum) return void res.writeHead(400).end();
    taken.set(decodeURIComponent(new URL(req.url!, 'http://s3').pathname.split('/').at(-1)!), body);
    res.end();
  });
  await new Promise<void>((r) => store.listen(0, '127.0.0.1', r));
  relay.objectStore = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  queue = new UploadQueue({
    dir,
    auth: relay.auth(relayUrl),
    pacer: fastPacer(systemClock),
    clock,
    warnables,
    log: pino({ level: 'silent' }),
  });
  queue.onLost(lost);
  queue.start();
});
afterEach(async () => {
  await queue.stop();
  store.closeAllConnections();
  store.close();
  relay.close();
  rmSync(dir, { recursive: true });
  taken.clear();
  lost.mockClear();
});

/** S3's error body. */
const says =
  (status: number, code: string, headers = {}): Answer =>
  (req, res) => {
    req
      .resume()
      .on('end', () =>
        res
          .writeHead(status, { 'content-type': 'application/xml', connection: 'close', ...headers })
          .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>No</Message></Error>`),
      );
  };
const elsewhere = { location: 'http://127.0.0.1:9/elsewhere', 'x-amz-bucket-region': 'eu-west-1' };
const FAULTS: [string, Answer, RegExp][] = [
  ['301 to another region', says(301, 'PermanentRedirect', elsewhere), /301, PermanentRedirect/],
  ['400 of what was damaged on the way', says(400, 'BadDigest'), /400, BadDigest/],
  ['403 of a wrong clock', says(403, 'RequestTimeTooSkewed'), /403, RequestTimeTooSkewed/],
  ['503 of one that is busy', says(503, 'SlowDown'), /503, SlowDown/],
  [
    '500 in the middle of a body',
    (req, res) => {
      req.once('data', () => res.writeHead(500, { connection: 'close' }).end('<Error><Code>InternalError</Code>'));
    },
    /500, InternalError/,
  ],
  [
    'a connection that is reset',
    (req) => void req.once('data', () => req.socket.resetAndDestroy()),
    /ECONNRESET|hang up/,
  ],
];

it.each(FAULTS)(
  '%s: parts wait and are tried again ever more seldom; told once, and none is lost',
  async (_, fault, text) => {
    answer = fault;
    puts = 0;
    const clip = uuidv7();
    const parts = [0, 1, 2, 3, 4, 5].map((n) => newFragment(dir, clip, n, 100_000));
    for (const part of parts) queue.add(part);
    const seen = new Set<string>();
    // Five minutes.
    for (let s = 0; s < 300; s += 3) {
      await clock.advance(3_000);
      await new Promise((r) => setTimeout(r, 2));
      for (const w of warnables.list()) seen.add(`${w.code} ${w.severity}`);
      // New ones come all the time, and their addresses say nothing of the store.
      if (s % 60 === 30) parts.push(newFragment(dir, uuidv7(clock.now()), 0, 1000));
      if (s % 60 === 30) queue.add(parts.at(-1)!);
    }
    expect([...seen]).toEqual(['clips-waiting warning']);
    expect(warnables.list()[0]?.text).toMatch(text);
    expect(puts).toBeGreaterThan(10);
    // Every ten seconds at most four.
    expect(puts).toBeLessThan(4 * 45);
    expect(queue.stats().files).toBe(parts.length);
    answer = null;
    for (let s = 0; s < 1_000 && queue.stats().files > 0; s++) {
      await clock.advance(1_000);
      await new Promise((r) => setTimeout(r, 10));
    }
    expect(queue.stats().files).toBe(0);
    for (const part of parts) expect(taken.get(`${part.clipId} ${part.n}`)).toEqual(readFileSync(part.path));
    expect(warnables.list()).toEqual([]);
    expect(lost).not.toHaveBeenCalled();
  },
  20_000,
);
