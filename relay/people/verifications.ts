import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { Selectable } from 'kysely';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Sent } from '../../protocol/wire/people.ts';
import { ProblemError } from '../api/problem.ts';
import { retryAfter } from '../auth/limiter.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { PeopleTables, VerificationKind } from './schema.ts';

export const hash = (text: string) => createHash('sha256').update(text).digest('hex');
/** 32 random bytes: a link that is not guessed. */
export const newToken = () => randomBytes(32).toString('base64url');

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
const VALID_MS: Record<VerificationKind, number> = {
  register: DAY_MS,
  email: DAY_MS,
  phone: 10 * MINUTE_MS,
  reset: 60 * MINUTE_MS,
};
/** A code has six digits: with five tries each and five codes a day, 25 of a million are guessed. */
const CODE_VALID_MS = 10 * MINUTE_MS;
const CODE_TRIES = 5;
const SENDS_A_DAY = 5;
const SEND_GAP_MS = MINUTE_MS;
/** Between links for a forgotten password, after five in a day: strangers who ask for them keep no owner waiting longer. */
const RESET_GAP_MS = 10 * MINUTE_MS;

export type Target = { email: string } | { phone: string };
export type Verification = Selectable<PeopleTables['verifications']>;
const address = (target: Target) => ('email' in target ? target.email : target.phone);
export const targetOf = (row: Verification): Target =>
  row.target.startsWith('+') ? { phone: row.target } : { email: row.target };

/** Links and codes that prove an e-mail address or a phone. Only hashes are kept; the newest alone is valid, once. */
export class Verifications {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /**
   * Makes a secret to be sent to `target`: a link's token, or for a phone's registration or change a code.
   * Throws `too-many-tries` when too much was sent there already.
   */
  async open(
    trx: DbOrTrx,
    wanted: { kind: VerificationKind; userId: string | null; target: Target; document: object },
  ): Promise<{ secret: string; sent: Sent }> {
    const { kind, userId, target } = wanted;
    await trx
      .deleteFrom('verifications')
      .where('expiresMs', '<=', this.#clock.now() - DAY_MS)
      .execute();
    if (userId) await trx.deleteFrom('verifications').where('kind', '=', kind).where('userId', '=', userId).execute();
    const id = uuidv7(this.#clock.now());
    const { secret, ...fresh } = this.#secret(kind, id, target);
    const values = { id, kind, userId, target: address(target), document: JSON.stringify(wanted.document) };
    // Of these whoever opens them has asked, with another answer: mayReset.
    if (kind !== 'reset') await this.mustMaySend(trx, kind, address(target));
    await trx
      .insertInto('verifications')
      .values({ ...values, ...fresh, createdMs: this.#clock.now() })
      .execute();
    return { secret, sent: this.#sent(id, target, fresh.expiresMs) };
  }

  /** A new secret in the place of the one sent before, for the same thing. */
  async again(
    trx: DbOrTrx,
    id: string,
    kind: VerificationKind,
  ): Promise<{ row: Verification; secret: string; sent: Sent }> {
    const row = await trx
      .selectFrom('verifications')
      .selectAll()
      .where('id', '=', id)
      .where('kind', '=', kind)
      .where('createdMs', '>', this.#clock.now() - DAY_MS)
      .executeTakeFirst();
    if (!row) throw new ProblemError('link-invalid');
    const target = targetOf(row);
    await this.mustMaySend(trx, kind, row.target);
    const { secret, ...fresh } = this.#secret(kind, id, target);
    await trx.updateTable('verifications').set(fresh).where('id', '=', id).execute();
    return { row, secret, sent: this.#sent(id, target, fresh.expiresMs) };
  }

  /** What a link stands for, while it is valid. Throws `link-invalid`. */
  async byLink(db: DbOrTrx, token: string, ...kinds: VerificationKind[]): Promise<Verification> {
    const row = await db
      .selectFrom('verifications')
      .selectAll()
      .where('secretHash', '=', hash(token))
      .where('kind', 'in', kinds)
      .where('expiresMs', '>', this.#clock.now())
      .executeTakeFirst();
    if (!row) throw new ProblemError('link-invalid');
    return row;
  }

  /** Checks a code and counts the try, whatever becomes of it: not inside a transaction, which could be undone. */
  async byCode(id: string, code: string, kind: VerificationKind, userId: string | null): Promise<Verification> {
    const row = await this.#db
      .updateTable('verifications')
      .set((e) => ({ triesLeft: e('triesLeft', '-', 1) }))
      .where('id', '=', id)
      .where('kind', '=', kind)
      .where('userId', userId === null ? 'is' : '=', userId)
      .where('triesLeft', '>', 0)
      .where('expiresMs', '>', this.#clock.now())
      .returningAll()
      .executeTakeFirst();
    if (!row) throw new ProblemError('link-invalid', 'This code is no longer valid. Ask for a new one.');
    if (row.secretHash !== hash(`${id} ${code}`)) throw new ProblemError('code-wrong');
    return row;
  }

  /** Uses it up. Throws `link-invalid` when another request was faster. */
  async use(trx: DbOrTrx, row: Verification): Promise<void> {
    const { numDeletedRows } = await trx
      .deleteFrom('verifications')
      .where('id', '=', row.id)
      .where('secretHash', '=', row.secretHash)
      .executeTakeFirstOrThrow();
    if (numDeletedRows !== 1n) throw new ProblemError('link-invalid');
  }

  /** Counts something sent to an address: five a day of a kind, one a minute. */
  async mustMaySend(trx: DbOrTrx, kind: string, to: string): Promise<void> {
    const waitMs = await this.#send(trx, kind, to);
    if (waitMs > 0)
      throw new ProblemError('too-many-tries', 'A message was sent there already. Look for it before asking again.', {
        headers: retryAfter(waitMs),
      });
  }

  /**
   * Whether a link for a forgotten password is sent now, and counts it. Else the newest one stays valid: it was sent less than
   * a minute ago, or ten minutes after many. Counted also for who has no account.
   */
  async mayReset(trx: DbOrTrx, to: string): Promise<boolean> {
    return (await this.#send(trx, 'reset', to)) === 0;
  }

  /** Counts a sending, or tells how long to wait. */
  async #send(trx: DbOrTrx, kind: string, to: string): Promise<number> {
    const now = this.#clock.now();
    const target = hash(`${kind} ${to}`);
    await trx
      .deleteFrom('secret_sends')
      .where('atMs', '<=', now - DAY_MS)
      .execute();
    const rows = await trx
      .selectFrom('secret_sends')
      .select('atMs')
      .where('target', '=', target)
      .orderBy('atMs')
      .execute();
    const last = rows.at(-1)?.atMs ?? -Infinity;
    const fifth = rows.at(-SENDS_A_DAY)?.atMs;
    const many = fifth === undefined ? 0 : kind === 'reset' ? last + RESET_GAP_MS : fifth + DAY_MS;
    const next = Math.max(last + SEND_GAP_MS, many);
    if (next > now) return next - now;
    await trx
      .insertInto('secret_sends')
      .values({ id: uuidv7(now), target, atMs: now })
      .execute();
    return 0;
  }

  #secret(kind: VerificationKind, id: string, target: Target) {
    const now = this.#clock.now();
    if ('phone' in target && kind !== 'reset') {
      const secret = String(randomInt(1_000_000)).padStart(6, '0');
      return { secret, secretHash: hash(`${id} ${secret}`), triesLeft: CODE_TRIES, expiresMs: now + CODE_VALID_MS };
    }
    const secret = newToken();
    return { secret, secretHash: hash(secret), triesLeft: 0, expiresMs: now + VALID_MS[kind] };
  }

  #sent(id: string, target: Target, expiresMs: number): Sent {
    return {
      id,
      by: 'email' in target ? 'email' : 'phone',
      expiresAt: iso(expiresMs),
      resendAt: iso(this.#clock.now() + SEND_GAP_MS),
    };
  }
}
