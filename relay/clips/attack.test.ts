import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { clipObjectId, sealBytes } from '../../protocol/codec/object-cipher.ts';
import type { MadeClipShare } from '../../protocol/wire/clips.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { dropTestDatabase } from '../testing/database.ts';
import { fragmentKey } from './object-store.ts';
import { asUser, clipReport, ids, SERIAL, startClipRelay } from './testing/relay.ts';
import { sampleClip } from './testing/sample.ts';

/*
 * Everything by which footage leaves the relay, tried by who may not have it: video, poster, what is known of a clip, links.
 */
const TRANSPORT = /^(date|connection|keep-alive|ratelimit-.*)$/;
let dir: string;
let clock: ManualClock;
let relay: Awaited<ReturnType<typeof startClipRelay>>;
let clipId: string;
let size: number;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-attack-'));
  clock = new ManualClock(Date.parse('2026-03-01T12:00:00Z'));
  const rate = { perSecond: 50, burst: 300 };
  relay = await startClipRelay({ dir, clock, limits: { company: rate, address: rate } });
  await relay.db.updateTable('users').set({ admin: 1 }).execute();
  clipId = uuidv7();
  const { key, id: keyId } = await relay.keys.ofSite(relay.db, ids.site);
  await relay.report(clipReport(clipId, { keyId }));
  for (const { n, durationMs, keyFrame, data } of sampleClip({ seconds: 2 })) {
    const object = sealBytes(key, clipObjectId(clipId, n), data);
    const f = { clipId, n, durationMs, keyFrame, size: object.length };
    const sha256 = createHash('sha256').update(object).digest('hex');
    await relay.store.put(fragmentKey(clipId, n), Readable.from([object]), { size: object.length, sha256 });
    await relay.clips.fragmentStored({ ...f, sha256, boxSerial: SERIAL }, ids.site);
  }
  size = Number(
    (await ask(`/api/v1/clips/${clipId}/video`, { method: 'HEAD', user: ids.user })).headers['content-length'],
  );
});
afterAll(async () => {
  await relay.stop();
  await dropTestDatabase(dir);
  rmSync(dir, { recursive: true });
});
afterEach(() => {
  vi.restoreAllMocks();
});

interface Asked {
  method?: string;
  user?: string;
  headers?: Record<string, string>;
  body?: object;
}
interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** As written, dots and all: `fetch` would tidy the path up. */
function ask(path: string, { method = 'GET', user, headers = {}, body }: Asked = {}): Promise<Answer> {
  const { hostname, port } = new URL(relay.url);
  const json = body ? { 'content-type': 'application/json' } : {};
  return new Promise((resolve, reject) => {
    const sent = request({
      hostname,
      port,
      path,
      method,
      headers: { ...(user ? asUser(user) : {}), ...json, ...headers },
    });
    sent.on('error', reject).on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: Buffer.concat(chunks),
        }),
      );
    });
    sent.end(body ? JSON.stringify(body) : undefined);
  });
}
const share = async (hours = 24) => {
  const made = await ask(`/api/v1/clips/${clipId}/shares`, {
    method: 'POST',
    user: ids.user,
    body: { hours, note: 'x' },
  });
  expect(made.status).toBe(201);
  return JSON.parse(made.body.toString()) as MadeClipShare;
};
const addresses = (id: string) =>
  ['', '/video', '/poster', '/about', '/shares'].map((part) => `/api/v1/clips/${id}${part}`);

/** Nothing of footage is in an answer, and nobody on the way keeps it. */
function expectNothing({ headers, body }: Answer): void {
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(headers['cache-control']).toBe('no-store');
  expect(headers).not.toHaveProperty('etag');
  expect(headers).not.toHaveProperty('content-range');
  expect(body.includes('ftyp') || body.includes('moof')).toBe(false);
}

it('another tenant, and nobody, are told of a clip as of one that is not there, whatever they ask for', async () => {
  const { etag } = (await ask(`/api/v1/clips/${clipId}/video`, { method: 'HEAD', user: ids.user })).headers;
  const poster = (await ask(`/api/v1/clips/${clipId}/poster`, { user: ids.user })).headers.etag;
  const wishes: Record<string, string>[] = [
    {},
    { range: 'bytes=0-0' },
    { 'if-none-match': etag! },
    { 'if-none-match': poster! },
    { 'if-range': etag!, range: 'bytes=0-99' },
  ];
  for (const [mine, none] of addresses(clipId).map((path, i) => [path, addresses(uuidv7())[i]!] as const)) {
    for (const headers of wishes) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(mine, { method, user: ids.otherUser, headers });
        const other = await ask(none, { method, user: ids.otherUser, headers });
        expect([mine, answer.status]).toEqual([mine, 404]);
        if (method === 'GET') expectNothing(answer);
        const told = ({ status, headers, body }: Answer) =>
          [status, Object.entries(headers).filter(([name]) => !TRANSPORT.test(name)), body.toString()] as const;
        expect(told(answer)).toEqual(told(other));
        expect((await ask(mine, { method, headers })).status).toBe(401);
      }
    }
  }
  for (const [method, path, body] of [
    ['DELETE', '', undefined],
    ['POST', '/shares', { hours: 1 }],
    ['POST', '/unlock', { code: 'ABC123' }],
    ['POST', '/send', undefined],
  ] as const) {
    expect((await ask(`/api/v1/clips/${clipId}${path}`, { method, user: ids.otherUser, body })).status).toBe(404);
  }
});

it('ranges of any kind give what the clip has, an error, or all of it, and never fail', async () => {
  const { path } = await share();
  const many = `bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i}`).join(',')}`;
  const whole = { api: [200, size], link: [200, size] };
  const hostile: [string, { api: number[]; link: number[] }][] = [
    [many, { api: [400], link: [200, size] }],
    ['bytes=0-0,1-1', whole],
    ['bytes=0-99999999999999999999999', whole],
    ['bytes=99999999999999999999999-', whole],
    [`bytes=${2 ** 53}-${2 ** 53 + 1}`, { api: [200, size], link: [200, size] }],
    ['bytes=999999999999999-', { api: [416], link: [416] }],
    ['bytes=-0', { api: [416], link: [416] }],
    ['bytes=-1', { api: [206, 1], link: [206, 1] }],
    ['bytes=-999999999999999', { api: [206, size], link: [206, size] }],
    [`bytes=${size - 1}-${size + 10}`, { api: [206, 1], link: [206, 1] }],
    [`bytes=${size}-`, { api: [416], link: [416] }],
    ['bytes=5-4', whole],
    ['bytes=--1', whole],
    ['bytes=0x10-0x20', whole],
    ['bytes=1e3-2e3', whole],
    ['items=0-1', whole],
    ['bytes=', whole],
  ];
  for (const [range, expected] of hostile) {
    const api = await ask(`/api/v1/clips/${clipId}/video`, { user: ids.user, headers: { range } });
    const link = await ask(`${path}/video`, { headers: { range } });
    for (const [answer, of] of [
      [api, expected.api],
      [link, expected.link],
    ] as const) {
      expect([range.slice(0, 60), answer.status]).toEqual([range.slice(0, 60), of[0]]);
      if (of[1] !== undefined) expect(answer.body.length).toBe(of[1]);
      // Not even of what is refused does anybody on the way keep something.
      expect(answer.headers['cache-control']).toMatch(/^(private|no-store)/);
    }
    const head = await ask(`${path}/video`, { method: 'HEAD', headers: { range } });
    expect([head.status, head.body.length]).toEqual([link.status, 0]);
  }
});

it('names that lead elsewhere lead nowhere', async () => {
  const odd = [
    '..',
    '.',
    '%2e%2e',
    '..%2f..%2f..%2fetc%2fpasswd',
    '..%252f..',
    `${clipId}%00`,
    `${clipId}%2f..%2f${clipId}`,
    `${clipId}.m4s`,
    `..%5c..`,
    `%c0%ae%c0%ae`,
    '%',
    '%zz',
    `${clipId}\t`,
    `${clipId.toUpperCase()}x`,
    '0',
    'a'.repeat(5000),
  ].filter((name) => !/[\t]/.test(name));
  for (const name of odd) {
    for (const path of [
      `/api/v1/clips/${name}`,
      `/api/v1/clips/${name}/video`,
      `/api/v1/clips/${name}/poster`,
      `/s/${name}/video`,
      `/s/${name}/about`,
    ]) {
      const answer = await ask(path, path.startsWith('/s/') ? {} : { user: ids.user });
      expect([path.slice(0, 80), [400, 404, 410].includes(answer.status)]).toEqual([path.slice(0, 80), true]);
      expect(answer.body.includes('ftyp')).toBe(false);
    }
  }
});

describe('a link', () => {
  it('is of no use once it ended or was taken back, nor as proof for anything else; what it gave is kept nowhere', async () => {
    const [ended, revoked, good] = [await share(1), await share(), await share()];
    const { headers } = await ask(`${good.path}/video`);
    expect(headers).toMatchObject({ 'cache-control': 'private, no-store', 'referrer-policy': 'no-referrer' });
    expect((await ask(`${good.path}/about`)).headers['cache-control']).toBe('no-store');
    await ask(`/api/v1/clips/${clipId}/shares/${revoked.id}`, { method: 'DELETE', user: ids.user });
    await clock.advance(3_600_001);
    for (const { path } of [ended, revoked]) {
      for (const part of ['/video', '/about']) {
        for (const wish of [{}, { 'if-none-match': headers.etag! }, { range: 'bytes=0-9' }] as Record<
          string,
          string
        >[]) {
          const answer = await ask(path + part, { headers: wish });
          expect(answer.status).toBe(410);
          expectNothing(answer);
        }
      }
    }
    const token = good.path.slice(3);
    const proofs: Record<string, string>[] = [
      { authorization: `Bearer ${token}` },
      { cookie: `session=${token}; __Host-session=${token}` },
    ];
    for (const as of proofs) {
      const answer = await ask(`/api/v1/clips/${uuidv7()}/video`, { headers: as });
      expect([401, 404]).toContain(answer.status);
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      expect((await ask(`${good.path}/video`, { method })).status).toBe(404);
  });

  it('is not guessed: who asks too often without being signed in waits', async () => {
    const { path } = await share();
    let refused = 0;
    for (let i = 0; i < 400 && refused === 0; i++) {
      const { status, headers } = await ask(`/s/${'A'.repeat(39)}${String(i).padStart(4, '0')}/about`);
      if (status !== 429) expect(status).toBe(410);
      else {
        refused++;
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      }
    }
    expect(refused).toBe(1);
    await clock.advance(60_000);
    expect((await ask(`${path}/about`)).status).toBe(200);
  });

  it('serves so many at once, and the next when one has gone', async () => {
    const { path } = await share();
    const { open, endAll } = slow();
    const running = [];
    for (let i = 0; i < 20; i++) running.push(await open(`${path}/video`));
    expect((await ask(`${path}/video`)).status).toBe(429);
    endAll();
    await Promise.all(running.map((one) => one.over));
    await vi.waitFor(async () =>
      expect((await ask(`${path}/video`, { headers: { range: 'bytes=0-9' } })).status).toBe(206),
    );
  });
});

describe('what is being sent', () => {
  it.each([
    ['the permission ends', (untilMs: number | null) => relay.db.updateTable('grants').set({ untilMs }).execute()],
    [
      'the clip’s time is over',
      (expiresMs: number | null) => relay.db.updateTable('clips').set({ expiresMs }).execute(),
    ],
  ])('is cut within ten seconds when %s, over a link too', async (_, end) => {
    const { path } = await share();
    const { open, endAll } = slow();
    const running = [await open(`/api/v1/clips/${clipId}/video`, asUser()), await open(`${path}/video`)];
    await end(1);
    await clock.advance(8_000);
    for (const { over } of running) expect(await over).toBe('cut');
    endAll();
    for (const address of [`/api/v1/clips/${clipId}/video`, `${path}/video`])
      expect([403, 404, 410]).toContain((await ask(address, { user: ids.user })).status);
    await end(null);
  });

  it('is cut when the session is ended', async () => {
    const { open, endAll } = slow();
    const { over } = await open(`/api/v1/clips/${clipId}/video`, asUser());
    relay.revoked.add(ids.user);
    await clock.advance(8_000);
    expect(await over).toBe('cut');
    endAll();
    for (const address of addresses(clipId)) expect((await ask(address, { user: ids.user })).status).toBe(401);
    relay.revoked.clear();
  });

  it('is cut when the link is taken back', async () => {
    const made = await share();
    const { open, endAll } = slow();
    const { over } = await open(`${made.path}/video`);
    await ask(`/api/v1/clips/${clipId}/shares/${made.id}`, { method: 'DELETE', user: ids.user });
    await clock.advance(8_000);
    expect(await over).toBe('cut');
    endAll();
  });
});

/** From here on a store that gives the beginning of an object and then takes its time. */
function slow() {
  const read = relay.store.read.bind(relay.store);
  const waiting: (() => void)[] = [];
  let ended = false;
  vi.spyOn(relay.store, 'read').mockImplementation((key, start, end) => {
    if (end - start < 20_000 || ended) return read(key, start, end);
    return (async function* () {
      yield* read(key, start, start + 4_000);
      if (!ended) await new Promise<void>((resolve) => waiting.push(resolve));
      yield* read(key, start + 4_001, end);
    })();
  });
  const open = async (path: string, headers: Record<string, string> = {}) => {
    const { hostname, port } = new URL(relay.url);
    return new Promise<{ over: Promise<string> }>((resolve, reject) => {
      request({ hostname, port, path, headers, agent: false }, (response) => {
        expect(response.statusCode).toBe(200);
        const over = new Promise<string>((done) => {
          response
            .on('end', () => done('whole'))
            .on('error', () => done('cut'))
            .on('close', () => done('cut'));
        });
        response.resume().once('data', () => resolve({ over }));
      })
        .on('error', reject)
        .end();
    });
  };
  const endAll = () => {
    ended = true;
    for (const go of waiting.splice(0)) go();
  };
  return { open, endAll };
}
