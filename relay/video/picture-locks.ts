import type { Clock } from '../../protocol/clock.ts';
import { ProblemError } from '../api/problem.ts';
import { Limiter, retryAfter } from '../auth/limiter.ts';
import { hashPassword, verifyPassword } from '../auth/passwords.ts';
import type { Principal } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';

/** Wrong codes of one company at one device. */
const TRIES = { limit: 5, windowMs: 10 * 60_000 };
const MAX_OPENED = 20_000;

/**
 * The verification code that an owner asks for before anybody sees a device's pictures (LIVE-04). Only a hash of it is
 * kept. Who entered it is let in until the session ends or the code changes.
 */
export class PictureLocks {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #tries: Limiter;
  /** By session and device: which code was entered. */
  readonly #opened = new Map<string, number>();

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
    this.#tries = new Limiter({ clock, ...TRIES });
  }

  /** Sets the code, or (null) takes it away. */
  async set(deviceId: string, code: string | null): Promise<void> {
    const row = code === null ? null : { deviceId, codeHash: await hashPassword(code), setMs: this.#clock.now() };
    await this.#db.transaction().execute(async (trx) => {
      await trx.deleteFrom('picture_locks').where('deviceId', '=', deviceId).execute();
      if (row) await trx.insertInto('picture_locks').values(row).execute();
    });
  }

  async locked(deviceId: string): Promise<boolean> {
    return (await this.#lock(deviceId)) !== undefined;
  }

  /** @throws ProblemError verification-code-needed */
  async must(who: Pick<Principal, 'id'>, deviceId: string): Promise<void> {
    const lock = await this.#lock(deviceId);
    if (lock && this.#opened.get(`${who.id} ${deviceId}`) !== Number(lock.setMs))
      throw new ProblemError('verification-code-needed');
  }

  /** @throws ProblemError verification-code-wrong, too-many-tries */
  async open(who: Pick<Principal, 'id' | 'companyId'>, deviceId: string, code: string): Promise<void> {
    const lock = await this.#lock(deviceId);
    if (!lock) return;
    const key = `${who.companyId} ${deviceId}`;
    const waitMs = this.#tries.take(key);
    if (waitMs > 0)
      throw new ProblemError('too-many-tries', 'Wrong codes: wait, and ask the owner of the device.', {
        headers: retryAfter(waitMs),
      });
    if (!(await verifyPassword(lock.codeHash, code))) throw new ProblemError('verification-code-wrong');
    this.#tries.forgive(key);
    this.#opened.set(`${who.id} ${deviceId}`, Number(lock.setMs));
    if (this.#opened.size > MAX_OPENED) this.#opened.delete(this.#opened.keys().next().value as string);
  }

  #lock(deviceId: string) {
    return this.#db.selectFrom('picture_locks').selectAll().where('deviceId', '=', deviceId).executeTakeFirst();
  }
}
