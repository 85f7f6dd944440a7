import { randomBytes } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { BucketWatch } from './bucket-watch.ts';
import { collect } from './content.ts';
import { S3Store } from './s3-store.ts';

/* An object store as it is on a bad day. */
const key = 'clips/0198c2a8-0000-7000-8000-000000000001/1.m4s';
const content = randomBytes(300_000);
const expected = { size: content.length, sha256: '00'.repeat(32) };
let answer: (req: IncomingMessage, res: ServerResponse, nth: number) => void;
let asked: string[];
let server: http.Server;
let endpoint: string;

beforeEach(async () => {
  asked = [];
  server = http.createServer((req, res) => {
    asked.push(req.headers.range ?? `${req.method}`);
    answer(req, res, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const make = (clock: ConstructorParameters<typeof S3Store>[0]['clock'] = systemClock) =>
  new S3Store({
    options: { endpoint, bucket: 'clips', region: 'eu-1', accessKey: 'id', secretKey: 'secret', pathStyle: true },
    clock,
  });
const error = (status: number, code: string, more = '', headers = {}) => {
  answer = (_, res) => {
    res.writeHead(status, { 'content-type': 'application/xml', ...headers });
    res.end(`<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>No.</Message>${more}</Error>`);
  };
};
/** The range that is asked for, and how to send it. */
const part = (req: IncomingMessage, res: ServerResponse) => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(req.headers.range!)!.map(Number) as [number, number, number];
  const data = content.subarray(from, to + 1);
  res.writeHead(206, { 'content-length': data.length });
  return data;
};

describe('a read', () => {
  it.each([
    ['reset', (_: IncomingMessage, res: ServerResponse) => void res.socket?.resetAndDestroy()],
    ['closed', (_: IncomingMessage, res: ServerResponse) => void res.socket?.end()],
  ])('whose connection is %s again and again goes on where it was', async (_, cut) => {
    answer = (req, res, nth) => {
      const data = part(req, res);
      if (nth > 4) return void res.end(data);
      res.write(data.subarray(0, 50_000), () => setTimeout(() => cut(req, res), 20));
    };
    expect((await collect(make().read(key, 1000, 299_000))).equals(content.subarray(1000, 299_001))).toBe(true);
    expect(asked.length).toBe(5);
    expect(asked[0]).toBe('bytes=1000-299000');
    expect(asked.slice(1).every((range) => range !== asked[0] && range.endsWith('-299000'))).toBe(true);
  });

  it('that stands still is taken up elsewhere; one that brings nothing three times is given up', async () => {
    const clock = new ManualClock();
    answer = (req, res, nth) => {
      const data = part(req, res);
      if (nth === 1) res.write(data.subarray(0, 50_000));
      else res.end(data);
    };
    const pass = setInterval(() => void clock.advance(1_000), 5);
    try {
      expect((await collect(make(clock).read(key, 0, 99_999))).equals(content.subarray(0, 100_000))).toBe(true);
      expect(asked.length).toBe(2);
      answer = (req, res) => {
        part(req, res);
        res.flushHeaders();
        setTimeout(() => res.socket?.destroy(), 5);
      };
      asked = [];
      await expect(collect(make(clock).read(key, 0, 99_999))).rejects.toThrow();
      expect(asked.length).toBe(3);
    } finally {
      clearInterval(pass);
    }
  });

  it('of an object that is shorter than it should be fails, and never ends as if it were whole', async () => {
    answer = (req, res) => {
      const length = req.headers.range === 'bytes=0-99' ? 10 : 0;
      res.writeHead(206, { 'content-length': length });
      res.end(content.subarray(0, length));
    };
    await expect(collect(make().read(key, 0, 99))).rejects.toThrow();
  });
});

describe('an answer', () => {
  it.each([
    [301, 'PermanentRedirect', '<Region>eu-west-3</Region>', /301 \(PermanentRedirect\): .* --s3-region eu-west-3/],
    [307, 'TemporaryRedirect', '', /307 \(TemporaryRedirect\): .*--s3-region/],
    [400, 'AuthorizationHeaderMalformed', '<Region>eu-2</Region>', /--s3-region eu-2/],
    [403, 'SignatureDoesNotMatch', '', /403 \(SignatureDoesNotMatch\): the secret key/],
    [403, 'InvalidAccessKeyId', '', /does not know this access key id/],
    [403, 'RequestTimeTooSkewed', '', /\(RequestTimeTooSkewed\): .*\(NTP\)/],
    [403, 'AccessDenied', '', /s3:PutObject/],
    [404, 'NoSuchBucket', '', /there is no such bucket/],
  ])('%i %s is told with what to do, and neither followed nor asked for again', async (status, code, more, text) => {
    error(status, code, more, { location: 'http://127.0.0.1:9/' });
    await expect(make().check()).rejects.toThrow(text);
    const look = await make()
      .look(key, expected)
      .catch(() => 'refused');
    expect(look).toBe(status === 404 ? 'missing' : 'refused');
    expect(asked.length).toBe(2);
  });

  it.each([
    [503, 'SlowDown'],
    [500, 'InternalError'],
  ])('%i %s is asked for again, three times in all', async (status, code) => {
    error(status, code);
    await expect(collect(make().read(key, 0, 9))).rejects.toThrow(`with ${status} (${code})`);
    expect(asked.length).toBe(3);
    answer = (req, res, nth) => (nth < 6 ? void res.writeHead(status).end() : void res.end(part(req, res)));
    expect(await collect(make().read(key, 0, 9))).toEqual(content.subarray(0, 10));
  });

  it.each([
    [204, 'stored'],
    [205, 'stored'],
    [304, 'refused'],
    [999, 'refused'],
  ])('%i to a large object is taken for what it is', async (status, end) => {
    answer = (req, res) => void req.resume().on('end', () => res.writeHead(status).end());
    const put = make().putKnown(key, expected, Readable.from([content]), AbortSignal.timeout(10_000));
    expect(
      await put.then(
        () => 'stored',
        () => 'refused',
      ),
    ).toBe(end);
  });

  it('of 200 to what was put does not count: the object is looked at', async () => {
    answer = (req, res) => {
      req.resume();
      if (req.method === 'HEAD') res.writeHead(404).end();
      else res.end('<Error><Code>InternalError</Code></Error>');
    };
    await expect(make().check({ writes: true })).rejects.toThrow('does not have what was put into it: missing');
  });
});

it('a bucket that cannot be used is told of once, when it changes, and when it can be again', async () => {
  const clock = new ManualClock();
  const log = pino({ level: 'silent' });
  const [told, well] = [vi.spyOn(log, 'error'), vi.spyOn(log, 'info')];
  let problem: string | null = 'the bucket answers 403';
  const check = vi.fn(async (_: { writes?: boolean }) => {
    if (problem) throw new Error(problem, { cause: new Error('why') });
  });
  const watch = new BucketWatch({ s3: { check } as never, writes: true, clock, log });
  watch.start();
  const hour = async () => {
    for (let i = 0; i < 12; i++) await clock.advance(300_000);
  };
  await hour();
  expect(told).toHaveBeenCalledOnce();
  expect(watch.problem).toMatchObject({ text: 'the bucket answers 403: why' });
  const { since } = watch.problem!;
  problem = 'no such bucket';
  await hour();
  expect(told).toHaveBeenCalledTimes(2);
  expect(watch.problem).toEqual({ text: 'no such bucket: why', since });
  problem = null;
  await hour();
  expect([watch.problem, well.mock.calls.length]).toEqual([null, 1]);
  // It was seen to take objects: from then on it is listed only.
  expect(check.mock.calls.at(-1)?.[0].writes).toBe(false);
  await watch.stop();
});
