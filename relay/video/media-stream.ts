import type { Readable } from 'node:stream';
import { MAX_MEDIA_MESSAGE_BYTES, MEDIA_CONTENT_TYPE, type MediaNote } from '../../protocol/wire/media.ts';
import { PROBLEMS, Problem, type ProblemCode } from '../../protocol/wire/problem.ts';
import { ProblemError } from '../api/problem.ts';
import type { TunnelHub } from '../tunnel/hub.ts';

/** Media messages on their way to one reader (protocol/wire/media.ts), each without its length. */
export interface MediaStream {
  /** Called once. After `end` nothing comes. */
  start(on: { message: (bytes: Buffer) => void; end: (note: MediaNote) => void }): void;
  /** Back-pressure, where the stream has one reader only. */
  pause(): void;
  resume(): void;
  stop(): void;
}

const HEADERS_MS = 20_000;
const MAX_PROBLEM_BYTES = 16 * 1024;

/** Asks a box for media messages, or for another `type` of pictures. @throws ProblemError the box's own, or `box-unreachable` */
export async function openBoxMedia(o: {
  hub: Pick<TunnelHub, 'isConnected' | 'request'>;
  serial: string;
  path: string;
  type?: string;
  signal: AbortSignal;
}): Promise<Readable> {
  const { hub, serial, path, type = MEDIA_CONTENT_TYPE, signal } = o;
  const away = () =>
    new ProblemError('box-unreachable', `Box ${serial} is not connected. Check its power and its internet connection.`);
  if (!hub.isConnected(serial)) throw away();
  // Pictures yield to clicks: those are `interactive`.
  const request = { method: 'GET', path, class: 'bulk', timeoutMs: HEADERS_MS, signal } as const;
  const answer = await hub.request(serial, request).catch(() => {
    throw away();
  });
  if (answer.status === 200 && answer.headers['content-type'] === type) return answer.body;
  throw await refusal(answer.status, answer.body);
}

/** What a box answered instead of pictures: its own problem where it is one of ours. */
export async function refusal(status: number, body: Readable): Promise<ProblemError> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > MAX_PROBLEM_BYTES) break;
      chunks.push(chunk);
    }
  } catch {
    // What came of it is enough.
  }
  let parsed: unknown = null;
  try {
    parsed = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    // Not a problem of ours.
  }
  const problem = Problem.safeParse(parsed).data;
  if (problem && Object.hasOwn(PROBLEMS, problem.code) && problem.code !== 'internal-error')
    return new ProblemError(problem.code as ProblemCode, problem.detail?.slice(0, 512));
  return new ProblemError('device-error', `The box answered ${status}.`);
}

export const noteOf = (error: unknown): MediaNote =>
  error instanceof ProblemError
    ? { code: error.code, text: (error.detail ?? PROBLEMS[error.code][1]).slice(0, 400) }
    : { code: 'ended', text: 'The pictures broke off.' };

/** Cuts an HTTP body into messages; a message over the limit ends it. */
export class MessageCutter {
  readonly #message: (bytes: Buffer) => void;
  #parts: Buffer[] = [];
  #have = 0;
  #need = 4;
  #inBody = false;

  constructor(message: (bytes: Buffer) => void) {
    this.#message = message;
  }

  /** False: this is no row of messages. */
  push(chunk: Buffer): boolean {
    this.#parts.push(chunk);
    this.#have += chunk.length;
    while (this.#have >= this.#need) {
      const all = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
      const piece = all.subarray(0, this.#need);
      const rest = all.subarray(this.#need);
      this.#parts = rest.length > 0 ? [rest] : [];
      this.#have = rest.length;
      if (this.#inBody) {
        this.#need = 4;
        this.#message(piece);
      } else {
        this.#need = piece.readUInt32BE(0);
        if (this.#need === 0 || this.#need > MAX_MEDIA_MESSAGE_BYTES) return false;
      }
      this.#inBody = !this.#inBody;
    }
    return true;
  }
}

/** One reader's own stream from a box, with back-pressure to it: what was recorded waits for who looks at it. */
export class OwnStream implements MediaStream {
  readonly #open: (signal: AbortSignal) => Promise<Readable>;
  readonly #abort = new AbortController();
  #body: Readable | null = null;
  #paused = false;

  constructor(open: (signal: AbortSignal) => Promise<Readable>) {
    this.#open = open;
  }

  start(on: { message: (bytes: Buffer) => void; end: (note: MediaNote) => void }): void {
    const { signal } = this.#abort;
    let over = false;
    const end = (note: MediaNote) => {
      if (over) return;
      over = true;
      this.#body?.destroy();
      if (!signal.aborted) on.end(note);
    };
    this.#open(signal).then(
      (body) => {
        this.#body = body;
        const cutter = new MessageCutter((bytes) => over || signal.aborted || on.message(bytes));
        body.on('data', (chunk: Buffer) => {
          if (!cutter.push(chunk)) end({ code: 'device-error', text: 'The box sent something else than pictures.' });
        });
        body.on('end', () => end({ code: 'ended', text: 'That was all.' }));
        body.on('error', () => end({ code: 'box-unreachable', text: 'The connection to the box broke off.' }));
        body.on('close', () => end({ code: 'box-unreachable', text: 'The connection to the box broke off.' }));
        if (signal.aborted) body.destroy();
        else if (this.#paused) body.pause();
      },
      (error) => end(noteOf(error)),
    );
  }

  pause(): void {
    this.#paused = true;
    this.#body?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#body?.resume();
  }

  stop(): void {
    this.#abort.abort();
    this.#body?.destroy();
  }
}
