import { type Clock, iso } from '../../protocol/clock.ts';
import { authenticationFields } from '../../protocol/wire/countries.ts';
import { AuthenticationDocument, type Company, type CompanyAuthentication } from '../../protocol/wire/people.ts';
import { ProblemError } from '../api/problem.ts';
import type { Identity } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import { slotsUsed } from './employees.ts';
import { lockCompany } from './users.ts';

/** What a company is: its own page, and its authentication, which the operator decides. */
export class Companies {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #notifier: Notifier;

  constructor({ db, clock, notifier }: { db: Db; clock: Clock; notifier: Notifier }) {
    this.#db = db;
    this.#clock = clock;
    this.#notifier = notifier;
  }

  async get(companyId: string): Promise<Company> {
    const row = await this.#row(companyId);
    const { n } = await this.#db
      .selectFrom('users')
      .select((e) => e.fn.countAll<number>().as('n'))
      .where('companyId', '=', companyId)
      .where('deletedAt', 'is', null)
      .executeTakeFirstOrThrow();
    const { id, name, type, country, address, phone, authentication, slots } = row;
    const counts = { people: Number(n), slots, slotsUsed: await slotsUsed(this.#db, companyId) };
    const channelPartner = row.channelPartner === 1;
    return { id, name, type, country, address, phone, authentication, channelPartner, ...counts };
  }

  async change(who: Identity, wanted: { name: string; address: string; phone: string }): Promise<void> {
    if (!who.admin) throw new ProblemError('not-allowed', 'Only the administrator changes the company’s data.');
    await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      // What was authenticated is this name; with another one it would vouch for nobody.
      if (company.authentication !== 'none' && company.authentication !== 'rejected' && company.name !== wanted.name)
        throw new ProblemError('conflict', 'The name of an authenticated company is changed by the operator.');
      await trx.updateTable('companies').set(wanted).where('id', '=', who.companyId).execute();
    });
  }

  async authentication(companyId: string): Promise<CompanyAuthentication> {
    const company = await this.#row(companyId);
    const row = await this.#db
      .selectFrom('company_authentications')
      .selectAll()
      .where('companyId', '=', companyId)
      .executeTakeFirst();
    return {
      state: company.authentication,
      asked: authenticationFields(company.country),
      fields: row ? AuthenticationDocument.parse(JSON.parse(row.fields)) : {},
      submittedAt: row ? iso(row.submittedMs) : null,
      decidedAt: row?.decidedMs ? iso(row.decidedMs) : null,
      reason: row?.reason ?? '',
    };
  }

  /** Asks the operator to authenticate the company. Again after a rejection; not while one waits or once approved. */
  async submit(who: Identity, fields: AuthenticationDocument): Promise<void> {
    if (!who.admin || who.companyType === 'customer' || who.companyType === 'operator')
      throw new ProblemError('not-allowed', 'Only a company’s administrator asks for its authentication.');
    await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      if (company.authentication === 'submitted' || company.authentication === 'approved')
        throw new ProblemError('conflict', `The authentication is ${company.authentication} already.`);
      const asked = authenticationFields(company.country);
      const missing = asked.filter(({ field, required }) => required && !fields[field]);
      if (missing.length > 0) {
        const errors = missing.map(({ field }) => ({ path: field, message: 'needed in your country' }));
        throw new ProblemError('invalid-request', `Needed: ${missing.map((m) => m.field).join(', ')}.`, { errors });
      }
      const given = Object.fromEntries(asked.map(({ field }) => [field, fields[field] ?? '']));
      await trx.deleteFrom('company_authentications').where('companyId', '=', who.companyId).execute();
      await trx
        .insertInto('company_authentications')
        .values({
          companyId: who.companyId,
          fields: JSON.stringify(given),
          reason: '',
          submittedMs: this.#clock.now(),
          submittedBy: who.userId,
        })
        .execute();
      await trx.updateTable('companies').set({ authentication: 'submitted' }).where('id', '=', who.companyId).execute();
      const operators = await trx.selectFrom('companies').select('id').where('type', '=', 'operator').execute();
      for (const operator of operators)
        await this.#notifier.toCompany(trx, operator.id, {
          category: 'business',
          code: 'company-submitted',
          values: { company: company.name },
          link: '/operator/companies',
        });
    });
    this.#notifier.kick();
  }

  /** The operator's decision: the company's administrator reads it in the portal, on the phone and by e-mail. */
  async decide(
    operator: Identity,
    companyId: string,
    decision: { approved: true } | { approved: false; reason: string },
  ): Promise<void> {
    if (operator.companyType !== 'operator') throw new ProblemError('not-allowed');
    const reason = decision.approved ? '' : decision.reason;
    await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, companyId);
      if (company.authentication !== 'submitted')
        throw new ProblemError('conflict', `${company.name} has not submitted anything that waits for a decision.`);
      await trx
        .updateTable('companies')
        .set({ authentication: decision.approved ? 'approved' : 'rejected' })
        .where('id', '=', companyId)
        .execute();
      await trx
        .updateTable('company_authentications')
        .set({ decidedMs: this.#clock.now(), decidedBy: operator.userId, reason })
        .where('companyId', '=', companyId)
        .execute();
      const code = decision.approved ? 'company-approved' : 'company-rejected';
      const values = { company: company.name, reason };
      const link = '/company/authentication';
      await this.#notifier.toCompany(trx, companyId, { category: 'business', code, values, link });
    });
    this.#notifier.kick();
  }

  async #row(companyId: string) {
    const row = await this.#db.selectFrom('companies').selectAll().where('id', '=', companyId).executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return row;
  }
}
