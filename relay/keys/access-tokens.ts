import { type Clock, iso } from '../../protocol/clock.ts';
import { ACCESS_TOKEN_DAYS, type AccessToken } from '../../protocol/wire/keys.ts';
import { ProblemError } from '../api/problem.ts';
import { hashToken } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import { ACCESS, isToken, newToken } from './token.ts';

const LIFE_MS = ACCESS_TOKEN_DAYS * 86_400_000;
/** Programs that ask for a token at each call: the oldest ends. */
const MAX_TOKENS = 20;

/**
 * API key and secret are exchanged for an access token, which calls carry (API-02). A token ends by itself after a week, and
 * with its key or that key's secret; only its hash is stored.
 */
export class AccessTokens {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /**
   * Whether the key exists is not told. Whether whoever it is of is still let in is asked at each call. Wrong tries are not
   * counted for a key: the secret cannot be guessed, and anybody who knows the key could keep its owner out.
   */
  async exchange({ apiKey, apiSecret }: { apiKey: string; apiSecret: string }): Promise<AccessToken> {
    const now = this.#clock.now();
    const key = await this.#db
      .selectFrom('api_keys')
      .select(['id', 'expiresMs'])
      .where('id', '=', apiKey.toLowerCase())
      .where('tokenHash', '=', hashToken(apiSecret))
      .where('revokedMs', 'is', null)
      .where('expiresMs', '>', now)
      .executeTakeFirst();
    if (!key) throw new ProblemError('wrong-credentials', 'API key and secret do not belong together, or have ended.');
    const accessToken = newToken(ACCESS);
    const expiresMs = Math.min(now + LIFE_MS, Number(key.expiresMs));
    await this.#db.transaction().execute(async (trx) => {
      await trx.deleteFrom('api_access_tokens').where('expiresMs', '<=', now).execute();
      const older = await trx
        .selectFrom('api_access_tokens')
        .select('tokenHash')
        .where('keyId', '=', key.id)
        .orderBy('createdMs', 'desc')
        .offset(MAX_TOKENS - 1)
        .limit(1000)
        .execute();
      if (older.length > 0)
        await trx
          .deleteFrom('api_access_tokens')
          .where(
            'tokenHash',
            'in',
            older.map((row) => row.tokenHash),
          )
          .execute();
      await trx
        .insertInto('api_access_tokens')
        .values({ tokenHash: hashToken(accessToken), keyId: key.id, createdMs: now, expiresMs })
        .execute();
    });
    return { accessToken, expiresAt: iso(expiresMs) };
  }

  /** The key behind a token that has not ended. */
  async keyOf(token: string): Promise<{ keyId: string; expiresMs: number } | null> {
    if (!isToken(token, ACCESS)) return null;
    const row = await this.#db
      .selectFrom('api_access_tokens')
      .select(['keyId', 'expiresMs'])
      .where('tokenHash', '=', hashToken(token))
      .where('expiresMs', '>', this.#clock.now())
      .executeTakeFirst();
    return row ? { keyId: row.keyId, expiresMs: Number(row.expiresMs) } : null;
  }
}
