import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { FIRMWARE_PATH, type UpgradeItem } from '../../protocol/wire/firmware.ts';
import { Problem } from '../../protocol/wire/problem.ts';
import { failure, type Result } from '../isapi/answer.ts';
import type { RelayAuth } from '../uplink/relay-auth.ts';

/** Journal and clips need room too. */
const RESERVE_BYTES = 256 * 1024 * 1024;
/** No byte for so long: the connection is dead. */
const IDLE_MS = 30_000;
const TRIES = 4;

type Wanted = Pick<UpgradeItem, 'firmwareId' | 'size' | 'sha256'>;

/**
 * Firmware files from the relay, on disk while a device is being upgraded with them: a broken connection goes on where it
 * was, several devices share one, and none is used before its hash was found right.
 */
export class PackageStore {
  readonly #dir: string;
  readonly #auth: Pick<RelayAuth, 'header' | 'relayUrl' | 'forget'>;
  readonly #log: Logger;
  readonly #users = new Map<string, number>();
  readonly #fetching = new Map<string, Promise<Result<void>>>();

  constructor(o: { dir: string; auth: Pick<RelayAuth, 'header' | 'relayUrl' | 'forget'>; log: Logger }) {
    this.#dir = o.dir;
    this.#auth = o.auth;
    this.#log = o.log.child({ module: 'firmware' });
  }

  /** Holds the file until `release`; who is last removes it. */
  async take(
    wanted: Wanted,
    onPercent: (percent: number) => void,
    signal: AbortSignal,
  ): Promise<Result<{ path: string; release: () => Promise<void> }>> {
    const { sha256 } = wanted;
    this.#users.set(sha256, (this.#users.get(sha256) ?? 0) + 1);
    const release = async () => {
      const left = (this.#users.get(sha256) ?? 1) - 1;
      if (left > 0) return void this.#users.set(sha256, left);
      this.#users.delete(sha256);
      // Kept at a stop of the box: it is wanted again at the next start.
      if (!signal.aborted) await rm(this.#path(sha256), { force: true });
    };
    let fetching = this.#fetching.get(sha256);
    if (!fetching) {
      fetching = this.#fetch(wanted, onPercent, signal).finally(() => this.#fetching.delete(sha256));
      this.#fetching.set(sha256, fetching);
    }
    const done = await fetching;
    if (done.ok) return { ok: true, value: { path: this.#path(sha256), release } };
    await release();
    return done;
  }

  /** Removes what nobody uses, as an ended process may have left it. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#dir).catch(() => [])) {
      if (!this.#users.has(name.replace(/\.part$/, ''))) await rm(join(this.#dir, name), { force: true });
    }
  }

  async #fetch(wanted: Wanted, onPercent: (percent: number) => void, signal: AbortSignal): Promise<Result<void>> {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const [path, part] = [this.#path(wanted.sha256), `${this.#path(wanted.sha256)}.part`];
    if ((await hashOf(path)) === wanted.sha256) return { ok: true, value: undefined };
    const { bavail, bsize } = await statfs(this.#dir);
    if (bavail * bsize < wanted.size + RESERVE_BYTES)
      return failure('device-error', 'The disk of the box has no room for the firmware: make some.');
    let last = 'The relay does not answer.';
    for (let tries = 0; tries < TRIES && !signal.aborted; tries++) {
      const got = await this.#range(wanted, part, onPercent, signal);
      if (got === 'gone') return failure('not-found', 'The relay does not have this firmware any more.');
      if (got !== 'whole') {
        last = got;
        continue;
      }
      if ((await hashOf(part)) === wanted.sha256) {
        await rename(part, path);
        return { ok: true, value: undefined };
      }
      await rm(part, { force: true });
      last = 'It was damaged on the way.';
    }
    return failure('device-error', `The firmware could not be fetched from the relay. ${last}`);
  }

  /** What is missing of it; a sentence says why it is not whole. */
  async #range(
    { firmwareId, size }: Wanted,
    part: string,
    onPercent: (percent: number) => void,
    signal: AbortSignal,
  ): Promise<'whole' | 'gone' | string> {
    const start = await stat(part).then(
      (s) => (s.size <= size ? s.size : 0),
      () => 0,
    );
    if (start === size) return 'whole';
    const idle = new AbortController();
    let timer = setTimeout(() => idle.abort(), IDLE_MS);
    try {
      const response = await fetch(new URL(`${FIRMWARE_PATH}/${firmwareId}`, this.#auth.relayUrl), {
        headers: { authorization: await this.#auth.header(FIRMWARE_PATH, signal), range: `bytes=${start}-` },
        redirect: 'error',
        signal: AbortSignal.any([signal, idle.signal]),
      });
      if (response.status !== 206 || !response.body) {
        const problem = Problem.safeParse(await response.json().catch(() => null)).data;
        if (problem?.code === 'box-not-authenticated') this.#auth.forget();
        return response.status === 404 ? 'gone' : `It answered ${problem?.code ?? response.status}.`;
      }
      let at = start;
      const counted = async function* (body: AsyncIterable<Uint8Array>) {
        for await (const chunk of body) {
          clearTimeout(timer);
          timer = setTimeout(() => idle.abort(), IDLE_MS);
          at += chunk.length;
          if (at > size) throw new Error('more came than announced');
          onPercent(Math.floor((at / size) * 100));
          yield chunk;
        }
      };
      const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
      await pipeline(body, counted, createWriteStream(part, { flags: start > 0 ? 'a' : 'w', mode: 0o600 }));
      return at === size ? 'whole' : 'The connection broke off.';
    } catch (error) {
      this.#log.info({ err: error, firmwareId }, 'the firmware did not come whole');
      return 'The connection broke off.';
    } finally {
      clearTimeout(timer);
    }
  }

  #path(sha256: string): string {
    return join(this.#dir, sha256);
  }
}

async function hashOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch {
    return null;
  }
}
