import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type Clock, systemClock } from '../../../protocol/clock.ts';

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * A small S3 for tests, written from the description of Signature Version 4 alone: it refuses whatever is not signed as it
 * should be, is too old, or does not have the length and checksum that were signed.
 */
export class SmallS3 {
  readonly objects = new Map<string, Buffer>();
  /** Method, path and status of every request. */
  readonly asked: string[] = [];
  readonly accessKey = 'AKIAIOSFODNN7EXAMPLE';
  readonly secretKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
  readonly region = 'us-east-1';
  readonly bucket: string;
  /** As stores that know no checksums do. */
  checksums = true;
  /** Names that it gives at once. */
  listed = 1000;
  /** The next requests are answered with this. */
  readonly failing: number[] = [];
  readonly #clock: Clock;
  readonly #server = http.createServer((request, response) => {
    this.#answer(request, response).catch((error) => response.destroy(error));
  });
  port = 0;

  constructor({ clock = systemClock, bucket = 'clips' }: { clock?: Clock; bucket?: string } = {}) {
    this.#clock = clock;
    this.bucket = bucket;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get options() {
    const { bucket, region, accessKey, secretKey } = this;
    return { endpoint: `http://127.0.0.1:${this.port}`, bucket, region, accessKey, secretKey, pathStyle: true };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const end = (status: number, headers: Record<string, string | number> = {}, data?: Buffer) => {
      this.asked.push(`${request.method} ${url.pathname} ${status}`);
      response.writeHead(status, headers);
      response.end(request.method === 'HEAD' ? undefined : data);
    };
    const failure = this.failing.shift();
    if (failure) return end(failure);
    if (!this.#signed(request, url, body)) return end(403);
    // Virtual hosts as `clips.localhost`, paths as `/clips/key`.
    const host = `${this.bucket}.`;
    const [, bucket, key] = url.hostname.startsWith(host)
      ? ['', this.bucket, decodeURIComponent(url.pathname.slice(1))]
      : (/^\/([^/]+)\/?(.*)$/.exec(decodeURIComponent(url.pathname)) ?? []);
    if (bucket !== this.bucket) return end(404);
    if (!key) {
      const after = url.searchParams.get('start-after') ?? '';
      const [prefix, most] = [url.searchParams.get('prefix') ?? '', Number(url.searchParams.get('max-keys'))];
      const names = [...this.objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
      const listed = names
        .slice(0, Math.min(most, this.listed))
        .map((name) => `<Contents><Key>${name.replaceAll('&', '&amp;')}</Key></Contents>`);
      const more = `<IsTruncated>${names.length > listed.length}</IsTruncated>`;
      return end(200, {}, Buffer.from(`<ListBucketResult>${more}${listed.join('')}</ListBucketResult>`));
    }
    const held = this.objects.get(key);
    if (request.method === 'PUT') {
      const sum = request.headers['x-amz-checksum-sha256'];
      const actual = createHash('sha256').update(body).digest('base64');
      if (this.checksums && sum !== undefined && sum !== actual) return end(400);
      this.objects.set(key, body);
      return end(200);
    }
    if (request.method === 'DELETE') {
      this.objects.delete(key);
      return end(204);
    }
    if (!held) return end(404);
    const told: Record<string, string> =
      this.checksums && request.headers['x-amz-checksum-mode'] === 'ENABLED'
        ? { 'x-amz-checksum-sha256': createHash('sha256').update(held).digest('base64') }
        : {};
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range) return end(200, { 'content-length': held.length, ...told }, held);
    const [from, to] = [Number(range[1]), Math.min(Number(range[2]), held.length - 1)];
    if (from > to) return end(416);
    const part = held.subarray(from, to + 1);
    end(206, { 'content-length': part.length, 'content-range': `bytes ${from}-${to}/${held.length}` }, part);
  }

  /** AWS Signature Version 4, in the header or in the address. */
  #signed(request: IncomingMessage, url: URL, body: Buffer): boolean {
    const q = url.searchParams;
    const header = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w{64})$/.exec(
      request.headers.authorization ?? '',
    );
    const [credential, names, signature] = header
      ? [header[1] as string, header[2] as string, header[3] as string]
      : [q.get('X-Amz-Credential') ?? '', q.get('X-Amz-SignedHeaders') ?? '', q.get('X-Amz-Signature') ?? ''];
    const date = header ? String(request.headers['x-amz-date']) : (q.get('X-Amz-Date') ?? '');
    const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    const age = this.#clock.now() - at;
    const good = header ? 900_000 : Number(q.get('X-Amz-Expires')) * 1000;
    if (!(age > -900_000 && age < good)) return false;
    const payload = header ? String(request.headers['x-amz-content-sha256']) : 'UNSIGNED-PAYLOAD';
    if (payload !== 'UNSIGNED-PAYLOAD' && payload !== sha256(body)) return false;
    const day = date.slice(0, 8);
    const place = `${day}/${this.region}/s3/aws4_request`;
    if (credential !== `${this.accessKey}/${place}`) return false;
    const list = names.split(';');
    // Whatever of these is sent must be signed; a header that was signed must be sent.
    if (!list.includes('host') || list.some((name) => request.headers[name] === undefined)) return false;
    const query = [...q]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&');
    const canonical = [
      request.method,
      url.pathname
        .split('/')
        .map((part) => encode(decodeURIComponent(part)))
        .join('/'),
      query,
      ...list.map((name) => `${name}:${String(request.headers[name]).trim()}`),
      '',
      names,
      payload,
    ].join('\n');
    const text = ['AWS4-HMAC-SHA256', date, place, sha256(canonical)].join('\n');
    const key = hmac(hmac(hmac(hmac(`AWS4${this.secretKey}`, day), this.region), 's3'), 'aws4_request');
    const expected = hmac(key, text);
    const given = Buffer.from(signature, 'hex');
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
