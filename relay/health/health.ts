import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { Health } from '../../protocol/wire/uplink.ts';
import type { Db } from '../db/database.ts';

const FLUSH_MS = 5_000;

/**
 * The latest health of each box: in memory at once, in the database every few seconds in one transaction. Unlike the
 * journal it may be lost: every box tells it again within 15 s.
 */
export class HealthStore {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #latest = new Map<string, Health>();
  readonly #unsaved = new Map<string, number>();
  #cancel: (() => void) | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor({ db, clock, log }: { db: Db; clock: Clock; log: Logger }) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
  }

  async start(): Promise<void> {
    for (const row of await this.#db.selectFrom('box_health').selectAll().execute()) {
      const health = Health.safeParse(JSON.parse(row.document));
      if (health.success) this.#latest.set(row.serial, health.data);
    }
    this.#cancel = this.#clock.every(FLUSH_MS, () => {
      this.#saving = this.#saving.then(() => this.#save());
    });
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#saving;
    await this.#save();
  }

  get(serial: string): Health | null {
    return this.#latest.get(serial) ?? null;
  }

  entries(): IterableIterator<[serial: string, health: Health]> {
    return this.#latest.entries();
  }

  set(serial: string, health: Health): void {
    this.#latest.set(serial, health);
    this.#unsaved.set(serial, this.#clock.now());
  }

  async #save(): Promise<void> {
    const rows = [...this.#unsaved].map(([serial, receivedMs]) => {
      const health = this.#latest.get(serial) as Health;
      return { serial, receivedMs, version: health.version, document: JSON.stringify(health) };
    });
    if (rows.length === 0) return;
    this.#unsaved.clear();
    try {
      await this.#db.transaction().execute(async (trx) => {
        for (const row of rows) {
          await trx
            .insertInto('box_health')
            .values({ serial: row.serial, document: row.document, receivedMs: row.receivedMs })
            .onConflict((c) => c.column('serial').doUpdateSet({ document: row.document, receivedMs: row.receivedMs }))
            .execute();
          await trx
            .updateTable('boxes')
            .set({ seenMs: row.receivedMs, version: row.version })
            .where('serial', '=', row.serial)
            .execute();
        }
      });
    } catch (error) {
      this.#log.error({ err: error }, 'health could not be saved');
    }
  }
}
