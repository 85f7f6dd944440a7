import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// @ts-expect-error: it brings no types
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { collect } from './content.ts';
import { s3Options } from './s3-options.ts';
import { S3Store } from './s3-store.ts';
import { SmallS3 } from './testing/s3.ts';

const key = (n: number) => `clips/0198c2a8-0000-7000-8000-000000000001/${n}.m4s`;
const content = randomBytes(100_000);
const sum = (data: Buffer) => createHash('sha256').update(data).digest('hex');
const expected = { size: content.length, sha256: sum(content) };
const body = async function* (data: Buffer) {
  yield data.subarray(0, 10);
  yield data.subarray(10);
};

/** As a box sends it. `fetch` of a name under localhost needs no name server here. */
function put(url: string, headers: Record<string, string>, data: Buffer): Promise<number> {
  const { hostname, port, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method: 'PUT',
        path: pathname + search,
        headers: { ...headers, host: `${hostname}:${port}` },
      },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sent.on('error', reject);
    sent.setHeader('content-length', data.length);
    sent.end(data);
  });
}

describe.each(['a small S3', 's3rver'])('clips in an object store: %s', (name) => {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-s3-'));
  const small = new SmallS3();
  let store: S3Store;
  let stop: () => Promise<unknown>;

  beforeAll(async () => {
    if (name === 'a small S3') {
      await small.start();
      store = new S3Store({ options: small.options, clock: systemClock });
      stop = () => small.stop();
      return;
    }
    const other = new S3rver({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory: dir,
      configureBuckets: [{ name: 'clips', configs: [] }],
    });
    const { port } = await other.run();
    const options = { endpoint: `http://127.0.0.1:${port}`, bucket: 'clips', region: 'us-east-1', pathStyle: true };
    store = new S3Store({ options: { ...options, accessKey: 'S3RVER', secretKey: 'S3RVER' }, clock: systemClock });
    stop = () => other.close();
  });
  afterAll(async () => {
    await stop();
    rmSync(dir, { recursive: true });
  });

  it('puts, reads any range, and deletes', async () => {
    await store.check();
    await store.put(key(1), body(content), expected);
    expect(await store.size(key(1))).toBe(content.length);
    expect(await collect(store.read(key(1), 0, content.length - 1))).toEqual(content);
    expect(await collect(store.read(key(1), 77, 4096))).toEqual(content.subarray(77, 4097));
    await expect(store.put(key(2), body(content), { ...expected, size: 7 })).rejects.toThrow('more bytes');
    await expect(store.put(key(2), body(content), { ...expected, sha256: sum(Buffer.of()) })).rejects.toThrow(
      'damaged',
    );
    await store.delete(key(1));
    await store.delete(key(1));
    expect(await store.size(key(1))).toBeNull();
    await expect(collect(store.read(key(1), 0, 9))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('gives an address for one object of one content, and looks what came', async () => {
    const grant = await store.grant(key(3), expected);
    expect(await store.look(key(3), expected)).toBe('missing');
    // s3rver looks at no signature of this version.
    if (name === 'a small S3') {
      expect(await put(grant.url.replace('/3.m4s', '/4.m4s'), grant.headers, content)).toBe(403);
      expect(await put(grant.url, {}, content)).toBe(403);
      expect(await put(grant.url, grant.headers, content.subarray(1))).toBe(403);
    }
    expect(await put(grant.url, grant.headers, content)).toBe(200);
    expect(await store.look(key(3), expected)).toBe('same');
    expect(await store.look(key(3), { ...expected, sha256: sum(Buffer.of()) })).toBe('other');
    expect(await store.look(key(3), { ...expected, size: 1 })).toBe('other');
  });
});

describe('an object store', () => {
  it('is played in tests by one that takes the example of Amazon’s documentation, and no other', async () => {
    const clock = new ManualClock(Date.parse('2013-05-24T00:00:00Z'));
    const small = await new SmallS3({ clock, bucket: 'examplebucket' }).start();
    small.objects.set('test.txt', Buffer.from('it'));
    const ask = (signature: string) =>
      new Promise<number>((resolve, reject) => {
        const path = `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=${signature}`;
        const headers = { host: 'examplebucket.s3.amazonaws.com' };
        const sent = request({ host: '127.0.0.1', port: small.port, path, headers }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode ?? 0));
        });
        sent.on('error', reject).end();
      });
    const theirs = 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
    expect(await ask(theirs)).toBe(200);
    expect(await ask(theirs.replace('a', 'b'))).toBe(403);
    await small.stop();
  });

  it('takes what was signed ten minutes ago no more, and never another content', async () => {
    const clock = new ManualClock(Date.parse('2026-03-01T12:00:00Z'));
    const small = await new SmallS3({ clock }).start();
    const store = new S3Store({ options: small.options, clock });
    const { url, headers } = await store.grant(key(1), expected);
    const damaged = Buffer.from(content);
    damaged[500]! ^= 1;
    expect(await put(url, headers, damaged)).toBe(400);
    // One that knows no checksums takes it; the relay finds out.
    small.checksums = false;
    expect(await put(url, headers, damaged)).toBe(200);
    expect(await store.look(key(1), expected)).toBe('other');
    expect(await put(url, headers, content)).toBe(200);
    expect(await store.look(key(1), expected)).toBe('same');
    clock.advance(10 * 60_000 + 1000);
    expect(await put(url, headers, content)).toBe(403);
    await small.stop();
  });

  it('is asked by a host name of the bucket too, and again when it is busy', async () => {
    const small = await new SmallS3().start();
    const options = { ...small.options, endpoint: `http://localhost:${small.port}`, pathStyle: false };
    const virtual = new S3Store({ options, clock: systemClock });
    const { url, headers } = await virtual.grant(key(1), expected);
    expect(new URL(url).hostname).toBe('clips.localhost');
    expect(await put(url, headers, content)).toBe(200);
    const store = new S3Store({ options: small.options, clock: systemClock });
    small.failing.push(503, 500);
    expect(await collect(store.read(key(1), 0, 9))).toEqual(content.subarray(0, 10));
    small.failing.push(507);
    await expect(store.put(key(2), body(content), expected)).rejects.toMatchObject({ code: 'full' });
    const wrong = new S3Store({ options: { ...small.options, secretKey: 'another' }, clock: systemClock });
    await expect(wrong.check()).rejects.toThrow(/403: .*s3:ListBucket/);
    await expect(wrong.look(key(1), expected)).rejects.toThrow(/HEAD .* with 403: .*s3:ListBucket/);
    await small.stop();
  });

  it('is named by options; its secret by a file or the environment alone', () => {
    const given = { s3Endpoint: 'https://s3.example.org', s3Bucket: 'clips', s3Region: 'eu-1', s3AccessKey: 'id' };
    const full = {
      endpoint: 'https://s3.example.org',
      bucket: 'clips',
      region: 'eu-1',
      accessKey: 'id',
      pathStyle: true,
    };
    expect(s3Options({}, {})).toBeNull();
    expect(s3Options(given, { GATEPOST_S3_SECRET_KEY: 'x' })).toEqual({ ...full, secretKey: 'x' });
    const dir = mkdtempSync(join(tmpdir(), 'gatepost-s3-'));
    writeFileSync(join(dir, 'secret'), 'of a file\n');
    const withFile = { ...given, s3SecretFile: join(dir, 'secret'), s3VirtualHost: true };
    expect(s3Options(withFile, {})).toEqual({ ...full, secretKey: 'of a file', pathStyle: false });
    rmSync(dir, { recursive: true });
    const secret = { GATEPOST_S3_SECRET_KEY: 'x' };
    for (const [s3Endpoint, publicUrl] of [
      ['http://127.0.0.1:9000', 'https://relay.example.org'],
      ['http://10.0.0.5:9000', 'http://10.0.0.4:8080'],
    ]) {
      expect(s3Options({ ...given, s3Endpoint, publicUrl }, secret)).toMatchObject({ endpoint: s3Endpoint });
    }
    expect(s3Options({ ...given, s3Retired: '1' }, secret)).toMatchObject({ retired: true });
    for (const [change, text] of [
      [{ s3Endpoint: 'ftp://x' }, 's3-endpoint'],
      [{ s3Bucket: '../x' }, 's3-bucket'],
      [{ s3AccessKey: undefined }, 's3-access-key'],
      [{ s3Endpoint: 'http://10.0.0.5:9000', publicUrl: 'https://relay.example.org' }, 'in clear'],
      [{}, 'secret key'],
    ] as const) {
      expect(() => s3Options({ ...given, ...change }, {})).toThrow(text);
    }
  });
});
