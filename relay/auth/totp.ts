import { randomInt } from 'node:crypto';
import { HOTP, Secret, TOTP } from 'otpauth';
import QRCode from 'qrcode';
import type { Clock } from '../../protocol/clock.ts';
import { ProblemError } from '../api/problem.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { hashToken } from './sessions.ts';
import type { Vault } from './vault.ts';

const PERIOD_S = 30;
const RECOVERY_CODES = 10;
/** Letters and digits that are not mistaken for one another. */
const ALPHABET = '346789abcdefghjkmnpqrtuvwxy';

const purpose = (userId: string) => `totp ${userId}`;
const normalCode = (code: string) => code.toLowerCase().replace(/[^a-z0-9]/g, '');

/** A second factor: codes of an authenticator app (RFC 6238), and codes on paper for who lost it. Each is taken once. */
export class SecondFactor {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #vault: Vault;

  constructor({ db, clock, vault }: { db: Db; clock: Clock; vault: Vault }) {
    this.#db = db;
    this.#clock = clock;
    this.#vault = vault;
  }

  async isOn(userId: string): Promise<boolean> {
    return (await this.#row(this.#db, userId))?.confirmedMs != null;
  }

  async recoveryCodesLeft(userId: string): Promise<number> {
    const { n } = await this.#db
      .selectFrom('recovery_codes')
      .select((e) => e.fn.countAll<number>().as('n'))
      .where('userId', '=', userId)
      .executeTakeFirstOrThrow();
    return Number(n);
  }

  /** A new secret that counts from {@link confirm} on; one that is in use stays until it is taken away. */
  async setUp(userId: string, label: string): Promise<{ secret: string; uri: string; qr: string }> {
    const secret = new Secret({ size: 20 });
    const totp = new TOTP({ issuer: 'Gatepost', label, secret, period: PERIOD_S });
    const row = { secret: this.#vault.seal(purpose(userId), secret.base32), confirmedMs: null, lastCounter: 0 };
    await this.#db.transaction().execute(async (trx) => {
      if ((await this.#row(trx, userId))?.confirmedMs != null)
        throw new ProblemError('conflict', 'Two-factor sign-in is on already. Switch it off first.');
      await trx.deleteFrom('totp').where('userId', '=', userId).execute();
      await trx
        .insertInto('totp')
        .values({ userId, ...row })
        .execute();
    });
    const uri = totp.toString();
    const svg = await QRCode.toString(uri, { type: 'svg', margin: 4, errorCorrectionLevel: 'M' });
    return { secret: secret.base32, uri, qr: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}` };
  }

  /** The first code of the app switches it on. Returns recovery codes, which are shown once. */
  async confirm(userId: string, code: string): Promise<string[]> {
    return this.#db.transaction().execute(async (trx) => {
      const row = await this.#row(trx, userId);
      if (!row || row.confirmedMs != null)
        throw new ProblemError('conflict', 'Nothing waits to be confirmed. Begin setting it up again.');
      if (!(await this.#takeAppCode(trx, userId, code))) throw new ProblemError('code-wrong');
      await trx.updateTable('totp').set({ confirmedMs: this.#clock.now() }).where('userId', '=', userId).execute();
      return this.#newRecoveryCodes(trx, userId);
    });
  }

  /** Whether a code of the app or on paper is right; it is used up by that. */
  async take(userId: string, code: string): Promise<boolean> {
    return this.#db
      .transaction()
      .execute(
        async (trx) =>
          (await this.#takeAppCode(trx, userId, code)) || (await this.#takeRecoveryCode(trx, userId, code)),
      );
  }

  async newRecoveryCodes(userId: string): Promise<string[]> {
    return this.#db.transaction().execute(async (trx) => {
      if ((await this.#row(trx, userId))?.confirmedMs == null)
        throw new ProblemError('conflict', 'Two-factor sign-in is not on.');
      return this.#newRecoveryCodes(trx, userId);
    });
  }

  async remove(trx: DbOrTrx, userId: string): Promise<void> {
    await trx.deleteFrom('totp').where('userId', '=', userId).execute();
    await trx.deleteFrom('recovery_codes').where('userId', '=', userId).execute();
  }

  #row(db: DbOrTrx, userId: string) {
    return db.selectFrom('totp').selectAll().where('userId', '=', userId).executeTakeFirst();
  }

  async #takeAppCode(trx: DbOrTrx, userId: string, code: string): Promise<boolean> {
    const row = await this.#row(trx, userId);
    const token = code.replace(/\s/g, '');
    if (!row || !/^\d{6}$/.test(token)) return false;
    const secret = Secret.fromBase32(this.#vault.open(purpose(userId), row.secret));
    const counter = Math.floor(this.#clock.now() / 1000 / PERIOD_S);
    // One step before and after: phones' clocks are not exact (RFC 6238 §5.2).
    const delta = HOTP.validate({ token, secret, counter, window: 1 });
    if (delta === null) return false;
    const { numUpdatedRows } = await trx
      .updateTable('totp')
      .set({ lastCounter: counter + delta })
      .where('userId', '=', userId)
      .where('lastCounter', '<', counter + delta)
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  async #takeRecoveryCode(trx: DbOrTrx, userId: string, code: string): Promise<boolean> {
    if ((await this.#row(trx, userId))?.confirmedMs == null) return false;
    const { numDeletedRows } = await trx
      .deleteFrom('recovery_codes')
      .where('userId', '=', userId)
      .where('codeHash', '=', hashToken(normalCode(code)))
      .executeTakeFirstOrThrow();
    return numDeletedRows === 1n;
  }

  async #newRecoveryCodes(trx: DbOrTrx, userId: string): Promise<string[]> {
    await trx.deleteFrom('recovery_codes').where('userId', '=', userId).execute();
    const letter = () => ALPHABET[randomInt(ALPHABET.length)]!;
    // 12 characters of 27: 57 bits, so that a plain hash is enough.
    const codes = Array.from({ length: RECOVERY_CODES }, () => Array.from({ length: 12 }, letter).join(''));
    await trx
      .insertInto('recovery_codes')
      .values(codes.map((code) => ({ userId, codeHash: hashToken(code) })))
      .execute();
    return codes.map((code) => code.match(/.{4}/g)!.join('-'));
  }
}
