import { verify } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { publicKeyFromRaw } from '../../protocol/codec/sealed.ts';
import { type EnrolRequest, enrolInput } from '../../protocol/wire/box-auth.ts';
import { ProblemError } from '../api/problem.ts';
import { networkOf } from '../api/remote.ts';
import { Limiter, retryAfter } from '../auth/limiter.ts';
import type { Db } from '../db/database.ts';
import type { ClaimTries } from './claims.ts';

const HOUR_MS = 3_600_000;

/**
 * Makes a box's public keys known. Anyone may enrol: so it is limited by address, an unclaimed key is forgotten when it
 * was not heard of for a week, and there are at most `maxUnclaimed`; the one silent longest makes room.
 */
export class Enrolment {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #tries: ClaimTries;
  readonly #byAddress: Limiter;
  readonly #maxUnclaimed: number;
  readonly #unclaimedLifetimeMs: number;
  #cancel: (() => void) | null = null;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    tries: ClaimTries;
    maxUnclaimed?: number;
    unclaimedLifetimeMs?: number;
    perAddressPerHour?: number;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#tries = deps.tries;
    this.#maxUnclaimed = deps.maxUnclaimed ?? 10_000;
    this.#unclaimedLifetimeMs = deps.unclaimedLifetimeMs ?? 7 * 24 * HOUR_MS;
    this.#byAddress = new Limiter({ clock: deps.clock, limit: deps.perAddressPerHour ?? 60, windowMs: HOUR_MS });
  }

  start(): void {
    this.#cancel = this.#clock.every(HOUR_MS, () => {
      this.expire().catch((error) => this.#log.error({ err: error }, 'could not expire unclaimed boxes'));
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** Returns whether the box was new, and whether it belongs to a site. */
  async enrol(request: EnrolRequest, remote: string): Promise<{ created: boolean; state: 'unclaimed' | 'claimed' }> {
    const wait = this.#byAddress.take(networkOf(remote));
    if (wait > 0) throw new ProblemError('too-many-tries', undefined, { headers: retryAfter(wait) });
    if (!this.#signed(request))
      throw new ProblemError('box-not-authenticated', 'The enrolment is not signed by its key.');
    const { serial, publicKey, sealKey, codeHash, version } = request;
    const now = this.#clock.now();
    const outcome = await this.#db.transaction().execute(async (trx) => {
      const known = await trx.selectFrom('boxes').selectAll().where('serial', '=', serial).executeTakeFirst();
      if (known && known.publicKey !== publicKey) {
        throw new ProblemError('conflict', 'Another box has this serial.');
      }
      if (known?.state === 'revoked') throw new ProblemError('box-revoked');
      if (known && known.state !== 'unclaimed') return { created: false, state: 'claimed' as const };
      if (known) {
        await trx
          .updateTable('boxes')
          .set({ sealKey, codeHash, version, seenMs: now })
          .where('serial', '=', serial)
          .execute();
        // A new code, made by a person at the set-up page, ends the pause after wrong ones.
        if (known.codeHash !== codeHash) this.#tries.clear(serial);
        return { created: false, state: 'unclaimed' as const };
      }
      await this.#makeRoom(trx as Db);
      await trx
        .insertInto('boxes')
        .values({ serial, publicKey, sealKey, codeHash, version, state: 'unclaimed', enrolledMs: now, seenMs: now })
        .execute();
      return { created: true, state: 'unclaimed' as const };
    });
    if (outcome.created) this.#log.info({ serial, remote }, 'box enrolled');
    // A box that is at home here asks at every start: only new keys are to be limited.
    else this.#byAddress.forgive(remote);
    return outcome;
  }

  async expire(): Promise<void> {
    await this.#db
      .deleteFrom('boxes')
      .where('state', '=', 'unclaimed')
      .where('seenMs', '<', this.#clock.now() - this.#unclaimedLifetimeMs)
      .execute();
  }

  async #makeRoom(trx: Db): Promise<void> {
    const { count } = await trx
      .selectFrom('boxes')
      .select((e) => e.fn.countAll<number>().as('count'))
      .where('state', '=', 'unclaimed')
      .executeTakeFirstOrThrow();
    if (Number(count) < this.#maxUnclaimed) return;
    const oldest = await trx
      .selectFrom('boxes')
      .select('serial')
      .where('state', '=', 'unclaimed')
      .orderBy('seenMs')
      .executeTakeFirstOrThrow();
    await trx.deleteFrom('boxes').where('serial', '=', oldest.serial).execute();
  }

  #signed(r: EnrolRequest): boolean {
    try {
      publicKeyFromRaw('X25519', r.sealKey);
      const key = publicKeyFromRaw('Ed25519', r.publicKey);
      return verify(null, Buffer.from(enrolInput(r)), key, Buffer.from(r.signature, 'base64url'));
    } catch {
      return false;
    }
  }
}
