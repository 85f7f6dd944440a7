import type { Logger } from 'pino';
import { z } from 'zod';
import type { LinkShown, Register, Sent } from '../../protocol/wire/people.ts';
import { ProblemError } from '../api/problem.ts';
import { hashPassword, mustBeStrong } from '../auth/passwords.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { JoinRequests } from './join-requests.ts';
import { similarCompanies } from './similar.ts';
import { type Users, userAt } from './users.ts';
import { type Target, targetOf, type Verification, type Verifications } from './verifications.ts';

/** What was entered, while the address is not proven. `known`: somebody has this address already. */
const Entered = z.object({
  kind: z.enum(['company', 'employee', 'customer']),
  name: z.string(),
  locale: z.string(),
  country: z.string().default(''),
  type: z.enum(['installer', 'integrator', 'distributor', 'reseller', 'arc', 'oem']).optional(),
  companyName: z.string().default(''),
  known: z.boolean(),
});
type Entered = z.infer<typeof Entered>;
const entered = (row: Verification): Entered => Entered.parse(JSON.parse(row.document));

/**
 * Companies, their employees and customers register. Whether an address is known already is told to that address alone: the
 * answer is the same, and a code that is asked for was never sent.
 */
export class Registrations {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #verifications: Verifications;
  readonly #users: Users;
  readonly #joins: JoinRequests;
  readonly #notifier: Notifier;

  constructor(o: {
    db: Db;
    log: Logger;
    verifications: Verifications;
    users: Users;
    joins: JoinRequests;
    notifier: Notifier;
  }) {
    this.#db = o.db;
    this.#log = o.log;
    this.#verifications = o.verifications;
    this.#users = o.users;
    this.#joins = o.joins;
    this.#notifier = o.notifier;
  }

  async begin(input: Register): Promise<Sent> {
    const phone = input.kind === 'customer' ? input.phone : undefined;
    const target: Target = phone ? { phone } : { email: input.email ?? '' };
    const sent = await this.#db.transaction().execute(async (trx) => {
      const known = (await userAt(trx, target)) !== undefined;
      const document = Entered.parse({ ...input, known });
      const opened = await this.#verifications.open(trx, { kind: 'register', userId: null, target, document });
      await this.#send(trx, target, document, opened.secret);
      return opened.sent;
    });
    this.#notifier.kick();
    return sent;
  }

  async resend(id: string): Promise<Sent> {
    const sent = await this.#db.transaction().execute(async (trx) => {
      const again = await this.#verifications.again(trx, id, 'register');
      await this.#send(trx, targetOf(again.row), entered(again.row), again.secret);
      return again.sent;
    });
    this.#notifier.kick();
    return sent;
  }

  async #send(trx: DbOrTrx, target: Target, { name, locale, known }: Entered, secret: string): Promise<void> {
    const values = { name };
    if ('phone' in target) {
      const to = { phone: target.phone, locale };
      if (known) await this.#notifier.sms(trx, to, 'address-known', values, '/sign-in');
      else await this.#notifier.sms(trx, to, 'phone-code', { code: secret }, '');
    } else {
      const to = { email: target.email, locale, name };
      if (known) await this.#notifier.mail(trx, to, 'address-known', values, '/forgotten');
      else await this.#notifier.mail(trx, to, 'registration', values, `/verify#${secret}`);
    }
  }

  /** What the link of a registration is for. */
  async show(row: Verification): Promise<LinkShown> {
    const { kind, name, companyName } = entered(row);
    const employee = kind === 'employee';
    const companies = employee ? await similarCompanies(this.#db, companyName) : [];
    return { for: employee ? 'employee' : 'registration', target: row.target, name, companies };
  }

  async byLink(token: string, password: string): Promise<string> {
    return this.#register(await this.#verifications.byLink(this.#db, token, 'register'), password);
  }

  async byCode(id: string, code: string, password: string): Promise<string> {
    // Before the code is counted: a password that is refused costs no try.
    mustBeStrong(password, []);
    return this.#register(await this.#verifications.byCode(id, code, 'register', null), password);
  }

  async #register(row: Verification, password: string): Promise<string> {
    const { kind, name, locale, type, country, companyName, known } = entered(row);
    if (known || kind === 'employee') throw new ProblemError('link-invalid');
    mustBeStrong(password, [row.target, name, companyName]);
    const passwordHash = await hashPassword(password);
    const userId = await this.#db.transaction().execute(async (trx) => {
      await this.#verifications.use(trx, row);
      const company =
        kind === 'company'
          ? { name: companyName, type: type ?? ('installer' as const), country }
          : { name, type: 'customer' as const, country };
      const companyId = await this.#users.addCompany(trx, company);
      const target = targetOf(row);
      return this.#users.add(trx, { companyId, name, target, passwordHash, locale, admin: true });
    });
    this.#notifier.kick();
    this.#log.info({ userId, kind }, 'registered');
    return userId;
  }

  /** An employee who registered asks a company to be let in. */
  async join(token: string, companyId: string, password: string, message: string): Promise<{ company: string }> {
    const row = await this.#verifications.byLink(this.#db, token, 'register');
    const { kind, name, locale, companyName, known } = entered(row);
    if (known || kind !== 'employee') throw new ProblemError('link-invalid');
    mustBeStrong(password, [row.target, name, companyName]);
    const passwordHash = await hashPassword(password);
    const company = await this.#db.transaction().execute(async (trx) => {
      const chosen = (await similarCompanies(trx, companyName)).find((one) => one.id === companyId);
      if (!chosen) throw new ProblemError('not-found');
      await this.#verifications.use(trx, row);
      await this.#joins.add(trx, { companyId, email: row.target, name, locale, passwordHash, message });
      return chosen.name;
    });
    this.#notifier.kick();
    return { company };
  }
}
