import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import { type LinkShown, Locale, type Profile, type Sent, type Session } from '../../protocol/wire/people.ts';
import { ProblemError } from '../api/problem.ts';
import { networkOf } from '../api/remote.ts';
import { Limiter } from '../auth/limiter.ts';
import { type From, type Login, normalAccount, type Proof, type SignedIn } from '../auth/login.ts';
import { hashPassword, mustBeStrong } from '../auth/passwords.ts';
import type { Principal, Sessions } from '../auth/sessions.ts';
import type { SecondFactor } from '../auth/totp.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import { deviceName } from './device-name.ts';
import { type User, type Users, userAt } from './users.ts';
import { type Target, targetOf, type Verification, type Verifications } from './verifications.ts';

/** Links for a forgotten password that one who asks has sent to an account. */
const RESETS_AN_HOUR = 5;

/** A person's own account: name and language, addresses, password, second factor, sessions. */
export class Account {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #login: Login;
  readonly #sessions: Sessions;
  readonly #secondFactor: SecondFactor;
  readonly #users: Users;
  readonly #verifications: Verifications;
  readonly #notifier: Notifier;
  readonly #resets: Limiter;

  constructor(o: {
    db: Db;
    clock: Clock;
    log: Logger;
    login: Login;
    sessions: Sessions;
    secondFactor: SecondFactor;
    users: Users;
    verifications: Verifications;
    notifier: Notifier;
  }) {
    this.#db = o.db;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#login = o.login;
    this.#sessions = o.sessions;
    this.#secondFactor = o.secondFactor;
    this.#users = o.users;
    this.#verifications = o.verifications;
    this.#notifier = o.notifier;
    this.#resets = new Limiter({ clock: o.clock, limit: RESETS_AN_HOUR, windowMs: 3_600_000 });
  }

  async profile(userId: string): Promise<Profile> {
    const { name, email, phone, locale, createdAt } = await this.#user(this.#db, userId);
    return {
      name,
      email,
      phone,
      createdAt,
      locale: Locale.catch('en').parse(locale),
      totp: await this.#secondFactor.isOn(userId),
      recoveryCodesLeft: await this.#secondFactor.recoveryCodesLeft(userId),
    };
  }

  async change(userId: string, wanted: { name: string; locale: string }): Promise<void> {
    await this.#db.updateTable('users').set(wanted).where('id', '=', userId).execute();
  }

  /** Ends every other session, and gives this one a new token. */
  async changePassword(who: Principal, password: string, next: string, from: From): Promise<SignedIn> {
    await this.#login.confirm(who.userId, password, from.remote);
    const user = await this.#user(this.#db, who.userId);
    if (password === next) throw new ProblemError('weak-password', 'It is the password that you have now.');
    await this.#setPassword(user, next);
    return this.#login.rotate(who.userId, from);
  }

  async #setPassword(user: User, password: string, verification?: Verification): Promise<void> {
    const company = await this.#db
      .selectFrom('companies')
      .select('name')
      .where('id', '=', user.companyId)
      .executeTakeFirstOrThrow();
    mustBeStrong(password, [user.email, user.phone, user.name, company.name]);
    const passwordHash = await hashPassword(password);
    await this.#db.transaction().execute(async (trx) => {
      if (verification) await this.#verifications.use(trx, verification);
      await trx.updateTable('users').set({ passwordHash }).where('id', '=', user.id).execute();
      await trx.deleteFrom('verifications').where('userId', '=', user.id).execute();
      await this.#mail(trx, user, 'password-changed');
    });
    this.#notifier.kick();
    this.#log.info({ userId: user.id }, 'password changed');
  }

  /**
   * Sends a link to who forgot the password. Whether there is such an account, whether a link was sent just now (that one
   * stays valid), and whether there is room for it: the answer is the same.
   */
  async forgotten(account: string, from: From): Promise<void> {
    const name = normalAccount(account);
    if (this.#resets.take(`${networkOf(from.remote)} ${name}`) > 0) return;
    try {
      await this.#sendReset(name);
    } catch (error) {
      if (!(error instanceof ProblemError && error.code === 'outbox-full')) throw error;
      this.#log.warn('the outbox is full: no link was sent to who forgot a password');
    }
  }

  async #sendReset(name: string): Promise<void> {
    const target: Target = name.startsWith('+') ? { phone: name } : { email: name };
    await this.#db.transaction().execute(async (trx) => {
      if (!(await this.#verifications.mayReset(trx, name))) return;
      const user = await userAt(trx, target);
      if (user?.enabled !== 1) return;
      const { id: userId, locale } = user;
      const { secret } = await this.#verifications.open(trx, { kind: 'reset', userId, target, document: {} });
      const link = `/reset#${secret}`;
      if ('email' in target)
        await this.#notifier.mail(trx, { ...target, locale, name: user.name }, 'password-forgotten', {}, link);
      else await this.#notifier.sms(trx, { ...target, locale }, 'password-forgotten', {}, link);
    });
    this.#notifier.kick();
  }

  /** Sets the password by the link that was sent, and signs the person out everywhere. */
  async reset(token: string, password: string): Promise<string> {
    const row = await this.#verifications.byLink(this.#db, token, 'reset');
    const user = await this.#user(this.#db, row.userId ?? '');
    if (user.deletedAt !== null) throw new ProblemError('link-invalid');
    await this.#setPassword(user, password, row);
    await this.#sessions.endAllOf(user.id);
    return user.id;
  }

  /** Sends a link or a code to an address that is to become the account's. */
  async changeContact(who: Principal, target: Target, password: string, from: From): Promise<Sent> {
    await this.#login.confirm(who.userId, password, from.remote);
    const kind = 'email' in target ? 'email' : 'phone';
    const sent = await this.#db.transaction().execute(async (trx) => {
      const user = await this.#user(trx, who.userId);
      // Whose it is already, only they are told: the link or code that would change it is never sent.
      const known = (await userAt(trx, target)) !== undefined;
      const opened = await this.#verifications.open(trx, { kind, userId: who.userId, target, document: { known } });
      const { locale, name } = user;
      if ('email' in target)
        await this.#notifier.mail(
          trx,
          { ...target, locale, name },
          known ? 'address-known' : 'email-change',
          { name },
          known ? '/sign-in' : `/verify#${opened.secret}`,
        );
      else if (known) await this.#notifier.sms(trx, { ...target, locale }, 'address-known', { name }, '/sign-in');
      else await this.#notifier.sms(trx, { ...target, locale }, 'phone-code', { code: opened.secret }, '');
      return opened.sent;
    });
    this.#notifier.kick();
    return sent;
  }

  /** What the link of a change of e-mail, or of a forgotten password, is for. */
  async show(row: Verification): Promise<LinkShown> {
    const { name } = await this.#user(this.#db, row.userId ?? '');
    return { for: row.kind === 'reset' ? 'password' : 'email', target: row.target, name, companies: [] };
  }

  async confirmEmail(token: string): Promise<string> {
    const row = await this.#verifications.byLink(this.#db, token, 'email');
    await this.#setContact(row);
    return row.userId ?? '';
  }

  async confirmPhone(who: Principal, id: string, code: string): Promise<void> {
    await this.#setContact(await this.#verifications.byCode(id, code, 'phone', who.userId));
  }

  async #setContact(row: Verification): Promise<void> {
    const userId = row.userId ?? '';
    const target = targetOf(row);
    const now = this.#clock.now();
    await this.#db.transaction().execute(async (trx) => {
      await this.#verifications.use(trx, row);
      const user = await this.#user(trx, userId);
      if (JSON.parse(row.document).known || (await userAt(trx, target))) throw new ProblemError('link-invalid');
      await trx
        .updateTable('users')
        .set(
          'email' in target
            ? { email: target.email, emailVerifiedMs: now }
            : { phone: target.phone, phoneVerifiedMs: now },
        )
        .where('id', '=', userId)
        .execute();
      // Links that were sent to the former address open nothing any more.
      await trx.deleteFrom('verifications').where('userId', '=', userId).execute();
      if ('email' in target && user.email) await this.#mail(trx, user, 'email-changed', { email: target.email });
      const { type } = await trx
        .selectFrom('companies')
        .select('type')
        .where('id', '=', user.companyId)
        .executeTakeFirstOrThrow();
      await this.#users.contact(trx, { userId, companyId: user.companyId, companyType: type, target });
    });
    this.#notifier.kick();
  }

  /** An account keeps one address at least. */
  async removePhone(userId: string): Promise<void> {
    const user = await this.#user(this.#db, userId);
    if (!user.email) throw new ProblemError('conflict', 'You sign in with this number. Enter an e-mail address first.');
    await this.#db
      .updateTable('users')
      .set({ phone: null, phoneVerifiedMs: null })
      .where('id', '=', userId)
      .where('email', 'is not', null)
      .execute();
  }

  async beginTotp(who: Principal, password: string, from: From) {
    await this.#login.confirm(who.userId, password, from.remote);
    const user = await this.#user(this.#db, who.userId);
    return this.#secondFactor.setUp(who.userId, user.email ?? user.phone ?? user.name);
  }

  async confirmTotp(who: Principal, code: string, from: From): Promise<{ codes: string[]; signedIn: SignedIn }> {
    const codes = await this.#secondFactor.confirm(who.userId, code);
    await this.#tellTotp(who.userId, 'two-factor-on');
    return { codes, signedIn: await this.#login.rotate(who.userId, from) };
  }

  /** Not by who holds the session and knows the password alone: that is what the second factor is for. */
  async removeTotp(who: Principal, proof: Proof, from: From): Promise<SignedIn> {
    await this.#login.confirmBoth(who.userId, proof, from.remote);
    await this.#db.transaction().execute((trx) => this.#secondFactor.remove(trx, who.userId));
    await this.#tellTotp(who.userId, 'two-factor-off');
    return this.#login.rotate(who.userId, from);
  }

  async newRecoveryCodes(who: Principal, proof: Proof, from: From): Promise<string[]> {
    await this.#login.confirmBoth(who.userId, proof, from.remote);
    return this.#secondFactor.newRecoveryCodes(who.userId);
  }

  async sessions(who: Principal): Promise<Session[]> {
    const rows = await this.#db
      .selectFrom('sessions')
      .selectAll()
      .where('userId', '=', who.userId)
      .where('expiresMs', '>', this.#clock.now())
      .orderBy('seenMs', 'desc')
      .orderBy('id', 'desc')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      current: row.id === who.id,
      device: deviceName(row.userAgent),
      address: row.remote,
      createdAt: iso(row.createdMs),
      seenAt: iso(row.seenMs),
      expiresAt: iso(row.expiresMs),
    }));
  }

  async endSession(who: Principal, id: string): Promise<void> {
    if (!(await this.sessions(who)).some((session) => session.id === id)) throw new ProblemError('not-found');
    await this.#sessions.end(id);
  }

  async endOtherSessions(who: Principal): Promise<void> {
    await this.#sessions.endAllOf(who.userId, who.id);
  }

  async #tellTotp(userId: string, code: 'two-factor-on' | 'two-factor-off'): Promise<void> {
    await this.#mail(this.#db, await this.#user(this.#db, userId), code);
    this.#notifier.kick();
  }

  async #mail(
    trx: DbOrTrx,
    user: User,
    code: 'password-changed' | 'email-changed' | 'two-factor-on' | 'two-factor-off',
    values: Record<string, string> = {},
  ): Promise<void> {
    if (!user.email) return;
    const to = { email: user.email, locale: user.locale, name: user.name };
    await this.#notifier.mail(trx, to, code, { time: iso(this.#clock.now()), ...values }, '/account');
  }

  #user(db: DbOrTrx, userId: string): Promise<User> {
    return db.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirstOrThrow();
  }
}
