import { createHash, randomUUID } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AwsV4Signer } from 'aws4fetch';
import { type Clock, iso } from '../../protocol/clock.ts';
import { fragmentKey, isClipKey, type ObjectStore, StoreError } from './object-store.ts';
import { refusalOf, wordsOf } from './s3-errors.ts';

export interface S3Options {
  /** As boxes and the relay reach it, `https://s3.example.org`. */
  endpoint: string;
  bucket: string;
  region: string;
  accessKey: string;
  secretKey: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  pathStyle: boolean;
  /** Nothing new is put into it: what is there is served until its time is over. */
  retired?: boolean;
  /** Retired, and what is there is taken back into the folder. */
  takeBack?: boolean;
}

const GRANT_MS = 10 * 60_000;
/** Until a store must have begun to answer. */
const ANSWER_MS = 15_000;
/** No byte comes for so long: the connection is dead. */
const IDLE_MS = 20_000;
const TRIES = 3;
const RETRY_MS = 200;
/** What the relay itself puts is in memory: a fragment's worth, never a whole recording. */
/** Of 1000 names. */
const MAX_LIST_BYTES = 4 * 1024 * 1024;
const MAX_PUT_BYTES = 32 * 1024 * 1024;

/**
 * Objects in a store that speaks Amazon's S3 REST API, signed with Signature Version 4. Boxes put fragments there
 * themselves, at addresses that are good for one object of one size and content; the relay reads by range. A store that
 * knows `x-amz-checksum-sha256` checks the content itself; of one that does not, the relay reads the object once.
 */
export class S3Store implements ObjectStore {
  readonly #o: S3Options;
  readonly #clock: Clock;
  readonly #keys = new Map<string, ArrayBuffer>();

  constructor({ options, clock }: { options: S3Options; clock: Clock }) {
    this.#o = options;
    this.#clock = clock;
  }

  /** Throws when the bucket cannot be used with these keys, and says why. `writes`: also whether it takes objects. */
  async check({ writes = false } = {}): Promise<void> {
    const url = this.#url('');
    url.searchParams.set('list-type', '2');
    url.searchParams.set('max-keys', '1');
    const response = await this.#ask('GET', url);
    if (!response.ok) throw new Error(`the bucket “${this.#o.bucket}” answers ${wordsOf(await refusalOf(response))}`);
    await response.body?.cancel();
    if (!writes) return;
    const key = fragmentKey(randomUUID(), 1);
    const content = Buffer.from('whether this can be written');
    const sha256 = createHash('sha256').update(content).digest('hex');
    await this.put(key, Readable.from([content]), { size: content.length, sha256 });
    const found = await this.look(key, { size: content.length, sha256 });
    await this.delete(key);
    if (found !== 'same')
      throw new Error(`the bucket “${this.#o.bucket}” does not have what was put into it: ${found}`);
  }

  /**
   * Names of clips' objects behind that one, in their order, as many as the store gives at once (ListObjectsV2). `next`: behind
   * which there are more, whatever name that is; null: that was all.
   */
  async clipKeys(after: string): Promise<{ keys: string[]; next: string | null }> {
    const url = this.#url('');
    const query = { 'list-type': '2', 'max-keys': '1000', prefix: 'clips/', ...(after && { 'start-after': after }) };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const response = await this.#ask('GET', url);
    if (!response.ok || !response.body) throw await failure('GET', 'a list', response);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_LIST_BYTES) throw new Error('the object store’s list has no end');
    }
    const text = Buffer.concat(chunks).toString();
    // XML names have the others of its entities for nothing that may stand in text.
    const entities: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'" };
    const names = [...text.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, name]) =>
      name!.replace(/&(?:amp|lt|gt|quot|apos);/g, (entity) => entities[entity]!),
    );
    const keys = names.filter(isClipKey);
    if (!/<IsTruncated>\s*true/i.test(text)) return { keys, next: null };
    const next = names.at(-1);
    // Somebody else's names may fill a list; one that does not go on would never end, and is not the end either.
    if (next === undefined || next === after) throw new Error('the object store’s list does not go on');
    return { keys, next };
  }

  /** An address at which a box may put this object, and nothing else, for ten minutes. */
  async grant(
    key: string,
    { size, sha256 }: { size: number; sha256: string },
  ): Promise<{ url: string; headers: Record<string, string>; expiresInMs: number }> {
    const url = this.#url(key);
    url.searchParams.set('X-Amz-Expires', String(GRANT_MS / 1000));
    const headers = { 'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64') };
    const signed = await this.#signer('PUT', url, {
      // The length is signed too: nobody fills the store by an address that was given for little.
      headers: { ...headers, 'content-length': String(size) },
      signQuery: true,
      allHeaders: true,
    }).sign();
    return { url: signed.url.href, headers, expiresInMs: GRANT_MS };
  }

  /** What came of a grant: that object, none, or another one. */
  async look(key: string, expected: { size: number; sha256: string }): Promise<'same' | 'missing' | 'other'> {
    const response = await this.#ask('HEAD', this.#url(key), { 'x-amz-checksum-mode': 'ENABLED' });
    if (response.status === 404) return 'missing';
    if (!response.ok) throw await failure('HEAD', key, response);
    if (Number(response.headers.get('content-length')) !== expected.size) return 'other';
    const told = response.headers.get('x-amz-checksum-sha256');
    if (told) return Buffer.from(told, 'base64').toString('hex') === expected.sha256 ? 'same' : 'other';
    const hash = createHash('sha256');
    for await (const chunk of this.read(key, 0, expected.size - 1)) hash.update(chunk);
    return hash.digest('hex') === expected.sha256 ? 'same' : 'other';
  }

  async put(key: string, body: AsyncIterable<Uint8Array>, expected: { size: number; sha256?: string }): Promise<void> {
    if (expected.size > MAX_PUT_BYTES) throw new Error(`${key} is too large to be put at once`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > expected.size) throw new StoreError('mismatch', 'more bytes came than announced');
      chunks.push(chunk);
    }
    if (size !== expected.size) throw new StoreError('mismatch', `${size} bytes came instead of ${expected.size}`);
    const content = Buffer.concat(chunks);
    const sha256 = createHash('sha256').update(content).digest('hex');
    if (expected.sha256 && sha256 !== expected.sha256) {
      throw new StoreError('mismatch', 'the content is not what its hash says: it was damaged on the way');
    }
    const response = await this.#ask('PUT', this.#url(key), { 'x-amz-content-sha256': sha256 }, content);
    // Both are what stores with a quota say.
    if (response.status === 507 || response.status === 413) throw new StoreError('full', 'the object store is full');
    if (!response.ok) throw await failure('PUT', key, response);
    await response.arrayBuffer();
  }

  /** Puts what is too large for memory and whose hash is known; the store compares it with what comes. */
  async putKnown(
    key: string,
    { size, sha256 }: { size: number; sha256: string },
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const url = this.#url(key);
    const checksum = Buffer.from(sha256, 'hex').toString('base64');
    const headers = { 'x-amz-content-sha256': sha256, 'x-amz-checksum-sha256': checksum };
    const signed = await this.#signer('PUT', url, { headers }).sign();
    const sent = Object.fromEntries(signed.headers as unknown as Iterable<[string, string]>);
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'PUT',
      signal,
      agent: false,
      headers: { ...sent, 'content-length': size },
    });
    request.setTimeout(ANSWER_MS, () => request.destroy(new Error('the object store does not answer')));
    const answered = new Promise<Response>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => resolve(responseOf(response)));
    });
    // What fails here ends the request; and what the store answers counts, also before it has read all.
    pipeline(Readable.from(body, { objectMode: false }), request).catch(() => {});
    const response = await answered;
    if (!response.ok) {
      const error = await failure('PUT', key, response);
      request.destroy();
      throw error;
    }
    await response.arrayBuffer();
  }

  /** A connection that breaks off or stands still is taken up where it was. */
  async *read(key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let [from, broken] = [start, 0]; from <= end; ) {
      try {
        for await (const part of this.#readOnce(key, from, end)) {
          yield part;
          from += part.length;
          broken = 0;
        }
        if (from <= end) throw new Error(`${key} ends at byte ${from}, and ${end - from + 1} more should come`);
      } catch (error) {
        if ((error as Refused).refused || ++broken >= TRIES) throw error;
        await this.#clock.sleep(RETRY_MS * broken);
      }
    }
  }

  async *#readOnce(key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    const abort = new AbortController();
    const response = await this.#ask('GET', this.#url(key), { range: `bytes=${start}-${end}` }, undefined, abort);
    if (!response.ok || !response.body) throw await failure('GET', key, response);
    // A store that does not know ranges sends everything.
    let skip = response.status === 206 ? 0 : start;
    let left = end - start + 1;
    const reader = response.body.getReader();
    try {
      while (left > 0) {
        const release = this.#clock.after(IDLE_MS, () => abort.abort(new Error('the object store sends no more')));
        const { value: chunk } = await reader.read().finally(release);
        if (!chunk) return;
        const part = chunk.subarray(skip, skip + left);
        skip = Math.max(0, skip - chunk.length);
        left -= part.length;
        if (part.length > 0) yield part;
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  async size(key: string): Promise<number | null> {
    const response = await this.#ask('HEAD', this.#url(key));
    if (response.status === 404) return null;
    if (!response.ok) throw await failure('HEAD', key, response);
    return Number(response.headers.get('content-length'));
  }

  async delete(key: string): Promise<void> {
    const response = await this.#ask('DELETE', this.#url(key));
    if (!response.ok && response.status !== 404) throw await failure('DELETE', key, response);
    await response.body?.cancel();
  }

  #url(key: string): URL {
    const { endpoint, bucket, pathStyle } = this.#o;
    const url = new URL(endpoint);
    if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`;
    const parts = [url.pathname.replace(/\/+$/, ''), ...(pathStyle ? [bucket] : []), key];
    url.pathname = parts.filter((part, i) => i === 0 || part !== '').join('/') || '/';
    return url;
  }

  #signer(
    method: string,
    url: URL,
    more: { headers?: Record<string, string>; signQuery?: boolean; allHeaders?: boolean },
  ): AwsV4Signer {
    const { region, accessKey, secretKey } = this.#o;
    // Keys of past days would gather.
    if (this.#keys.size > 8) this.#keys.clear();
    return new AwsV4Signer({
      method,
      url: url.href,
      service: 's3',
      region,
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      cache: this.#keys,
      datetime: iso(this.#clock.now()).replace(/[:-]|\.\d{3}/g, ''),
      ...more,
    });
  }

  /** Tried again when the store is busy or does not answer. */
  async #ask(
    method: string,
    url: URL,
    headers: Record<string, string> = {},
    body?: Buffer,
    given?: AbortController,
  ): Promise<Response> {
    for (let tried = 1; ; tried++) {
      const signed = await this.#signer(method, url, { headers }).sign();
      const waiting = given ?? new AbortController();
      const release = this.#clock.after(ANSWER_MS, () => waiting.abort(new Error('the object store does not answer')));
      try {
        const init = { method, headers: signed.headers, redirect: 'manual', signal: waiting.signal } as const;
        const response = await fetch(signed.url, { ...init, ...(body ? { body: new Uint8Array(body) } : {}) });
        if ((response.status < 500 && response.status !== 429) || response.status === 507 || tried >= TRIES)
          return response;
        await response.body?.cancel();
      } catch (error) {
        if (tried >= TRIES || given?.signal.aborted) {
          const cause = (error as Error).cause ?? error;
          throw new Error(`the object store at ${this.#o.endpoint} cannot be reached`, { cause });
        }
      } finally {
        release();
      }
      await this.#clock.sleep(RETRY_MS * tried);
    }
  }
}

/** As `fetch` gives it. What cannot be made one (204 with a body, a status of 999) would be thrown where nobody catches it. */
function responseOf(message: http.IncomingMessage): Response {
  const { statusCode = 500, headers } = message;
  const empty = statusCode === 204 || statusCode === 205 || statusCode === 304;
  if (empty) message.resume();
  return new Response(empty ? null : (Readable.toWeb(message) as ReadableStream), {
    status: statusCode >= 200 && statusCode < 600 ? statusCode : 500,
    headers: { 'x-amz-bucket-region': String(headers['x-amz-bucket-region'] ?? '') },
  });
}

/** An answer; anything else is a connection that failed. */
interface Refused {
  refused: boolean;
  code?: string;
}

async function failure(method: string, key: string, response: Response): Promise<Error> {
  const refusal = await refusalOf(response);
  const error = new Error(`the object store answers ${method} ${key} with ${wordsOf(refusal)}`);
  return Object.assign(error, { refused: true, ...(refusal.status === 404 && { code: 'ENOENT' }) } satisfies Refused);
}
