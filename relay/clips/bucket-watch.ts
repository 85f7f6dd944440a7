import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { S3Store } from './s3-store.ts';

const EVERY_MS = 5 * 60_000;

/** Whether the bucket can be used: tried at the start and every few minutes, told once when it changes. */
export class BucketWatch {
  readonly #s3: Pick<S3Store, 'check'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Whether it takes objects is tried until it has done so. */
  #writes: boolean;
  #problem: { text: string; since: string } | null = null;
  #trying: Promise<void> = Promise.resolve();
  #cancel: () => void = () => {};

  constructor({ s3, writes, clock, log }: { s3: Pick<S3Store, 'check'>; writes: boolean; clock: Clock; log: Logger }) {
    this.#s3 = s3;
    this.#writes = writes;
    this.#clock = clock;
    this.#log = log;
  }

  get problem(): { text: string; since: string } | null {
    return this.#problem;
  }

  start(): void {
    const trying = () => {
      this.#trying = this.#try();
    };
    this.#cancel = this.#clock.every(EVERY_MS, trying);
    trying();
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#trying;
  }

  async #try(): Promise<void> {
    try {
      await this.#s3.check({ writes: this.#writes || this.#problem !== null });
      this.#writes = false;
      if (this.#problem) this.#log.info('the object store for clips can be used again');
      this.#problem = null;
    } catch (error) {
      const { message: text, cause } = error as Error;
      const told = cause instanceof Error ? `${text}: ${cause.message}` : text;
      if (this.#problem?.text === told) return;
      this.#problem = { text: told, since: this.#problem?.since ?? iso(this.#clock.now()) };
      this.#log.error({ err: error }, 'the object store for clips cannot be used; boxes keep their clips until it can');
    }
  }
}
