import type { Db, DbOrTrx } from './database.ts';

const MAX_AT_ONCE = 256;

interface Waiting {
  run: (trx: DbOrTrx) => Promise<unknown>;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

/**
 * Changes that come at the same time share a transaction, because each one costs a wait for the disk (`synchronous=FULL`): while one is
 * being committed the next ones gather. Each is answered after the commit; when one fails, all of that transaction do.
 */
export class SharedCommits {
  readonly #db: Db;
  readonly #atOnce: number;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor({ db, atOnce = MAX_AT_ONCE }: { db: Db; atOnce?: number }) {
    this.#db = db;
    this.#atOnce = atOnce;
  }

  /** `change` does little, and only in the transaction given to it. */
  run<T>(change: (trx: DbOrTrx) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run: change, resolve, reject });
      if (!this.#busy) void this.#all();
    });
  }

  async #all(): Promise<void> {
    this.#busy = true;
    // What arrived together, in this turn of the event loop, goes together.
    await new Promise((resolve) => setImmediate(resolve));
    for (
      let some = this.#waiting.splice(0, this.#atOnce);
      some.length > 0;
      some = this.#waiting.splice(0, this.#atOnce)
    ) {
      try {
        const results: unknown[] = [];
        await this.#db.transaction().execute(async (trx) => {
          for (const { run } of some) results.push(await run(trx));
        });
        for (const [i, { resolve }] of some.entries()) resolve(results[i] as never);
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    this.#busy = false;
  }
}
