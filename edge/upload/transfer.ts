import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { z } from 'zod';
import { PROBLEMS, Problem } from '../../protocol/wire/problem.ts';
import { type FragmentInfo, UploadGrants, type UploadRequest } from '../../protocol/wire/uploads.ts';
import { type RelayAuth, RelayAuthError, reason } from '../uplink/relay-auth.ts';
import { type Answer, Confirmations } from './confirmations.ts';
import type { Pacer } from './pacer.ts';
import type { FragmentRow } from './store.ts';

/** What came of a request. `waiting`: the relay cannot take it now; `refused`: it will never take it like this. */
export type Outcome =
  | { kind: 'stored' }
  | { kind: 'waiting'; code: string; text: string }
  | { kind: 'refused'; code: string; text: string }
  /** The address is no longer good, or what was put there is not there: ask for a new one. */
  | { kind: 'expired'; code: string; text: string }
  /** The file is not what was added: it cannot be sent any more. */
  | { kind: 'lost'; text: string }
  | { kind: 'stopped' };
export type GrantOutcome = Outcome | { kind: 'granted'; grants: UploadGrants['grants'] };
/** Where a file goes, and what goes with it. */
export type Grant = { url: string } & Pick<UploadGrants['grants'][number], 'headers' | 'confirm'>;

/** No byte moves for so long: the connection is dead. */
const IDLE_MS = 20_000;
const GRANT_TIMEOUT_MS = 15_000;
const MAX_GRANTS_BYTES = 256 * 1024;
const MAX_PROBLEM_BYTES = 16 * 1024;

/** Speaks to the relay's upload routes (protocol/wire/uploads.ts); keeps no state but its connections. */
export class Transfer {
  readonly #auth: RelayAuth;
  readonly #pacer: Pacer;
  readonly #confirmations: Confirmations;
  /** Stored by an object store, but the relay has not been told. */
  readonly #unconfirmed = new Set<number>();
  readonly #agents = {
    'http:': new http.Agent({ keepAlive: true, timeout: 60_000 }),
    'https:': new https.Agent({ keepAlive: true, timeout: 60_000 }),
  };

  constructor(o: { auth: RelayAuth; pacer: Pacer }) {
    this.#auth = o.auth;
    this.#pacer = o.pacer;
    this.#confirmations = new Confirmations((body, signal) => this.#ask('/box/v1/uploads/stored', body, signal));
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  async grants(fragments: FragmentInfo[], signal: AbortSignal): Promise<GrantOutcome> {
    const answer = await this.#ask('/box/v1/uploads', { fragments }, signal);
    if (answer.kind !== 'answer') return answer;
    const grants = UploadGrants.safeParse(answer.value);
    if (grants.success && grants.data.grants.every((g) => isGood(g, this.#auth.relayUrl)))
      return { kind: 'granted', grants: grants.data.grants };
    return { kind: 'waiting', code: 'unreachable', text: 'the relay answered something else than grants' };
  }

  async #ask(path: string, body: z.infer<typeof UploadRequest>, signal: AbortSignal): Promise<Outcome | Answer> {
    try {
      const authorization = await this.#auth.header('/box/v1/uploads', signal);
      const response = await fetch(new URL(path, this.#auth.relayUrl), {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(GRANT_TIMEOUT_MS)]),
      });
      const text = await readLimited(response.body ?? [], MAX_GRANTS_BYTES);
      if (response.status === 200) return { kind: 'answer', value: JSON.parse(text) };
      const outcome = judge(response.status, text);
      if (outcome.kind === 'waiting' && outcome.code === 'box-not-authenticated') this.#auth.forget();
      return outcome;
    } catch (error) {
      if (signal.aborted) return { kind: 'stopped' };
      const code = error instanceof RelayAuthError ? error.code : 'unreachable';
      return { kind: 'waiting', code, text: error instanceof RelayAuthError ? error.message : reason(error) };
    }
  }

  /** Sends one file, paced; reads and hashes it once on the way, so that a damaged file never reaches the relay whole. */
  async put(row: FragmentRow, grant: Grant, rank: number, signal: AbortSignal): Promise<Outcome> {
    // What an object store has taken already needs the relay's word alone.
    const outcome: Outcome = this.#unconfirmed.has(row.seq)
      ? { kind: 'stored' }
      : await this.#sendFile(row, grant, rank, signal);
    if (outcome.kind !== 'stored' || !grant.confirm) return outcome;
    this.#unconfirmed.add(row.seq);
    const confirmed = await this.#confirmations.confirm(row, signal);
    if (confirmed.kind !== 'waiting' && confirmed.kind !== 'stopped') this.#unconfirmed.delete(row.seq);
    return confirmed;
  }

  async #sendFile(row: FragmentRow, grant: Grant, rank: number, signal: AbortSignal): Promise<Outcome> {
    let file: FileHandle;
    try {
      file = await open(row.path, 'r');
    } catch (error) {
      return { kind: 'lost', text: `its file cannot be read (${(error as NodeJS.ErrnoException).code})` };
    }
    try {
      if ((await file.stat()).size !== row.size) return { kind: 'lost', text: 'its file has another size' };
      return await this.#send(row, file, grant, rank, signal);
    } catch (error) {
      if (signal.aborted) return { kind: 'stopped' };
      return { kind: 'waiting', code: 'unreachable', text: reason(error) };
    } finally {
      await file.close();
    }
  }

  async #send(row: FragmentRow, file: FileHandle, grant: Grant, rank: number, signal: AbortSignal): Promise<Outcome> {
    const url = new URL(grant.url, this.#auth.relayUrl);
    const own = Object.keys(grant.headers).length > 0;
    const secure = url.protocol === 'https:';
    const request = (secure ? https : http).request(url, {
      method: 'PUT',
      agent: this.#agents[secure ? 'https:' : 'http:'],
      signal,
      headers: {
        ...(own ? grant.headers : { 'content-type': 'application/octet-stream', 'x-gatepost-sha256': row.sha256 }),
        'content-length': row.size,
      },
    });
    // Chunks are paced already: Nagle would only hold back the tail of each.
    request.setNoDelay(true);
    request.setTimeout(IDLE_MS, () => request.destroy(new Error('the transfer stood still')));
    const ended = new AbortController();
    const answer = new Promise<Outcome>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        // The relay may answer before it has read all: what is still to be sent is of no use then.
        ended.abort();
        readLimited(response, MAX_PROBLEM_BYTES)
          .then((text) => resolve(judgePut(response.statusCode!, text, grant.confirm)))
          .catch(reject);
      });
    }).finally(() => ended.abort());
    // Awaited below on every path but the lost one.
    answer.catch(() => {});

    const hash = createHash('sha256');
    let sent = 0;
    for await (const block of file.createReadStream({ autoClose: false, highWaterMark: 65_536, end: row.size - 1 })) {
      hash.update(block);
      for (let at = 0; at < block.length && !ended.signal.aborted; ) {
        const part = (block as Buffer).subarray(at, at + this.#pacer.chunkBytes);
        at += part.length;
        await this.#pacer.take(part.length, rank, ended.signal);
        if (ended.signal.aborted) break;
        sent += part.length;
        if (sent === row.size && hash.digest('hex') !== row.sha256) {
          request.destroy();
          return { kind: 'lost', text: 'its file was changed or damaged' };
        }
        if (!request.write(part)) await drained(request, ended.signal);
      }
      if (ended.signal.aborted) break;
    }
    if (sent === row.size) request.end();
    else if (!ended.signal.aborted) {
      request.destroy();
      return { kind: 'lost', text: 'its file was cut' };
    }
    const outcome = await answer;
    if (sent < row.size) request.destroy();
    return outcome;
  }
}

/**
 * An address that is no less protected than the relay's own, with no more than what an object store's address is signed for:
 * clips do not leave the site in clear, and the box carries no requests of another make for anybody.
 */
function isGood({ url, headers }: UploadGrants['grants'][number], relayUrl: URL): boolean {
  if (!Object.keys(headers).every((name) => /^(x-amz-[a-z0-9-]+|content-type)$/i.test(name))) return false;
  if (url === null) return true;
  if (!URL.canParse(url, relayUrl)) return false;
  const { protocol } = new URL(url, relayUrl);
  return protocol === 'https:' || (protocol === 'http:' && relayUrl.protocol === 'http:');
}

/** An object store that has the object already (conditional write, RFC 9110 §13.1.2) is as good as one that took it. */
function judgePut(status: number, text: string, objectStore: boolean): Outcome {
  if (!objectStore) return status === 200 ? { kind: 'stored' } : judge(status, text);
  if ((status >= 200 && status < 300) || status === 412) return { kind: 'stored' };
  const said = /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1];
  const answer = { code: `store-${status}`, text: `the object store answered ${status}${said ? `, ${said}` : ''}` };
  // Of a store no word is final: whether something of it is wrong is for people to settle, the clips wait meanwhile.
  return { kind: status === 403 || status === 410 ? 'expired' : 'waiting', ...answer };
}

/** What an answer other than 200 means. Only the relay's own word refuses: a portal or proxy on the way may say anything. */
function judge(status: number, text: string): Outcome {
  const problem = Problem.safeParse(parseJson(text));
  const known = problem.success && problem.data.code in PROBLEMS;
  if (status === 410 || (status === 403 && !(known && problem.data.code.startsWith('box-'))))
    return { kind: 'expired', code: `http-${status}`, text: `it answered ${status}` };
  if (!known) return { kind: 'waiting', code: `http-${status}`, text: `it answered ${status}` };
  const answer = { code: problem.data.code, text: problem.data.detail ?? problem.data.title };
  // Who is not known, claimed or allowed now may be later; that is for people to settle, the clips wait meanwhile.
  const never = ['invalid-request', 'not-found', 'conflict', 'payload-too-large'].includes(answer.code);
  return { kind: never ? 'refused' : 'waiting', ...answer };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function readLimited(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function drained(request: http.ClientRequest, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off('drain', done);
      ended.removeEventListener('abort', done);
      resolve();
    };
    request.on('drain', done);
    ended.addEventListener('abort', done);
    if (ended.aborted) done();
  });
}
