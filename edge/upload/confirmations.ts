import type { z } from 'zod';
import type { FragmentInfo } from '../../protocol/wire/uploads.ts';
import { type UploadRequest, UploadsStored } from '../../protocol/wire/uploads.ts';
import type { FragmentRow } from './store.ts';
import type { Outcome } from './transfer.ts';

/** What the relay answered with 200. */
export interface Answer {
  kind: 'answer';
  value: unknown;
}

const MAX_A_REQUEST = 64;

/** Tells the relay what an object store has taken: one request at a time, with all that has gathered meanwhile. */
export class Confirmations {
  readonly #ask: (body: z.infer<typeof UploadRequest>, signal: AbortSignal) => Promise<Outcome | Answer>;
  readonly #waiting: { row: FragmentRow; resolve: (outcome: Outcome) => void }[] = [];
  #running = false;

  constructor(ask: (body: z.infer<typeof UploadRequest>, signal: AbortSignal) => Promise<Outcome | Answer>) {
    this.#ask = ask;
  }

  confirm(row: FragmentRow, signal: AbortSignal): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#waiting.push({ row, resolve });
      signal.addEventListener('abort', () => resolve({ kind: 'stopped' }), { once: true });
      if (!this.#running) void this.#run(signal);
    });
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_A_REQUEST);
      const answer = await this.#ask({ fragments: batch.map(({ row }) => infoOf(row)) }, signal);
      const said = answer.kind === 'answer' ? UploadsStored.safeParse(answer.value).data : undefined;
      for (const { row, resolve } of batch) {
        if (answer.kind !== 'answer') resolve(answer);
        else if (!said) resolve({ kind: 'waiting', code: 'unreachable', text: 'the relay answered something else' });
        else {
          const stored = said.fragments.some((f) => f.clipId === row.clipId && f.n === row.n && f.stored);
          const text = 'the object store does not have what was sent';
          resolve(stored ? { kind: 'stored' } : { kind: 'expired', code: 'not-stored', text });
        }
      }
    }
    this.#running = false;
  }
}

/** What the wire says of a fragment. */
export function infoOf({ clipId, n, size, sha256, durationMs, keyFrame }: FragmentRow): FragmentInfo {
  return { clipId, n, size, sha256, durationMs, keyFrame: keyFrame === 1 };
}
