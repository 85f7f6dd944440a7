import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../../protocol/clock.ts';
import type { Page } from '../../../protocol/wire/api.ts';
import {
  ARC_AGREEMENT,
  type ArcApplication,
  type ArcApplicationQuery,
  ArcInformation,
  type ArcJoining as View,
} from '../../../protocol/wire/arc-joining.ts';
import { AuthenticationDocument } from '../../../protocol/wire/people.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Identity } from '../../auth/scope.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import type { Database } from '../../db/schema.ts';
import type { ApiKeys } from '../../keys/keys.ts';
import type { Notifier } from '../../notify/notifier.ts';
import { lockCompany } from '../../people/users.ts';

type Row = Selectable<Database['arc_profiles']>;
const PAGE = '/arc/joining';

/**
 * How a company of type alarm receiving centre joins the ARC list (ARC-08 to ARC-11): it applies, the operator decides, ARC ID and
 * ARC key go to its administrator by e-mail, and when it says that both are entered it is listed. Rejected or withdrawn it may
 * apply again.
 */
export class ArcJoining {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notifier: Notifier;
  readonly #keys: ApiKeys;
  readonly #helpEmail: string | null;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    notifier: Notifier;
    keys: ApiKeys;
    /** Who helps centres to join; null: the operator's administrator. */
    helpEmail: string | null;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notifier = deps.notifier;
    this.#keys = deps.keys;
    this.#helpEmail = deps.helpEmail;
  }

  async get({ companyId, companyType }: Identity): Promise<View> {
    const company = await this.#db
      .selectFrom('companies')
      .select(['name', 'country', 'authentication', 'address', 'phone'])
      .where('id', '=', companyId)
      .executeTakeFirstOrThrow();
    const row = await this.#row(this.#db, companyId);
    const admin = await this.#administrator(this.#db, companyId);
    const key = row?.keyId
      ? await this.#db
          .selectFrom('api_keys')
          .select(['id', 'prefix', 'usedMs'])
          .where('id', '=', row.keyId)
          .where('revokedMs', 'is', null)
          .executeTakeFirst()
      : undefined;
    const { n } = await this.#db
      .selectFrom('arc_receivers')
      .select((e) => e.fn.countAll<number>().as('n'))
      .where('companyId', '=', companyId)
      .executeTakeFirstOrThrow();
    const { name, country, authentication } = company;
    return {
      offered: companyType === 'arc',
      state: row?.state ?? 'none',
      information: row ? ArcInformation.parse(JSON.parse(row.information)) : null,
      proposed: row || companyType !== 'arc' ? {} : await this.#proposed(companyId, company, admin),
      company: { name, country, authentication },
      helpEmail: await this.#help(),
      agreement: ARC_AGREEMENT,
      appliedAt: at(row?.appliedMs),
      decidedAt: at(row?.decidedMs),
      reason: row?.reason ?? '',
      arcId: key?.id ?? null,
      keyPrefix: key?.prefix ?? null,
      keySentTo: key ? (admin?.email ?? null) : null,
      keyUsedAt: at(key?.usedMs),
      configuredAt: at(row?.configuredMs),
      receivers: Number(n),
      accounts: await accountsOf(this.#db, companyId),
    };
  }

  /** The first time, and again after a rejection or a withdrawal. */
  async apply(who: Identity, information: ArcInformation): Promise<void> {
    mustBeCentresAdministrator(who);
    const now = this.#clock.now();
    await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const old = await this.#row(trx, who.companyId);
      if (old && !['rejected', 'withdrawn'].includes(old.state))
        throw new ProblemError('conflict', `The application is ${old.state} already.`);
      await trx.deleteFrom('arc_profiles').where('companyId', '=', who.companyId).execute();
      await trx
        .insertInto('arc_profiles')
        .values({
          companyId: who.companyId,
          state: 'submitted',
          information: JSON.stringify(information),
          agreement: ARC_AGREEMENT,
          appliedBy: who.userId,
          appliedMs: now,
          decidedMs: null,
          decidedBy: null,
          reason: '',
          keyId: null,
          configuredMs: null,
        })
        .execute();
      await this.#tellOperator(trx, 'arc-applied', company.name);
    });
    this.#notifier.kick();
    this.#log.info({ companyId: who.companyId, userId: who.userId }, 'a centre applied');
  }

  /** What installers read; also while it is listed. */
  async change(who: Identity, information: ArcInformation): Promise<void> {
    mustBeCentresAdministrator(who);
    const { numUpdatedRows } = await this.#db
      .updateTable('arc_profiles')
      .set({ information: JSON.stringify(information) })
      .where('companyId', '=', who.companyId)
      .where('state', 'in', ['submitted', 'approved', 'listed'])
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new ProblemError('conflict', 'There is no application to change: apply first.');
  }

  /** “ARC ID & key config completed”: from now on it is on the list (ARC-10, ARC-12). */
  async completed(who: Identity): Promise<void> {
    mustBeCentresAdministrator(who);
    const { numUpdatedRows } = await this.#db
      .updateTable('arc_profiles')
      .set({ state: 'listed', configuredMs: this.#clock.now() })
      .where('companyId', '=', who.companyId)
      .where('state', '=', 'approved')
      .executeTakeFirst();
    if (numUpdatedRows === 0n)
      throw new ProblemError('conflict', 'Only an approved centre that is not listed yet completes its configuration.');
    this.#log.info({ companyId: who.companyId, userId: who.userId }, 'a centre is listed');
  }

  /** Another ARC key by e-mail; the old one ends at once. */
  async renewKey(who: Identity): Promise<void> {
    mustBeCentresAdministrator(who);
    const keyId = await this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, who.companyId);
      const row = await this.#row(trx, who.companyId);
      if (!row?.keyId || !['approved', 'listed'].includes(row.state))
        throw new ProblemError('conflict', 'Only an approved centre has an ARC key.');
      return this.#sendKey(trx, who.companyId, row.appliedBy, row.keyId);
    });
    await this.#keys.cut(keyId);
    this.#notifier.kick();
  }

  /** Not while sites send their alarms to it. */
  async withdraw(who: Identity): Promise<void> {
    mustBeCentresAdministrator(who);
    const keyId = await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const row = await this.#row(trx, who.companyId);
      if (!row || !['submitted', 'approved', 'listed'].includes(row.state))
        throw new ProblemError('conflict', 'There is no application to withdraw.');
      const accounts = await accountsOf(trx, who.companyId);
      if (accounts > 0)
        throw new ProblemError(
          'conflict',
          `${accounts} accounts of sites send their alarms to you: end these services first, so that nobody believes to be watched.`,
        );
      await this.#end(trx, row, { state: 'withdrawn' });
      await this.#tellOperator(trx, 'arc-withdrawn', company.name);
      return row.keyId;
    });
    if (keyId) await this.#keys.cut(keyId);
    this.#notifier.kick();
    this.#log.info({ companyId: who.companyId, userId: who.userId }, 'a centre withdrew');
  }

  /** For the operator, the newest application first. */
  async applications(query: ArcApplicationQuery): Promise<Page<ArcApplication>> {
    const { state, cursor, limit } = query;
    const [afterMs, afterId] = (cursor ?? '').split('_');
    const rows = await selectApplications(this.#db)
      .$if(state !== undefined, (q) => q.where('p.state', '=', state!))
      .$if(Boolean(afterId), (q) =>
        q.where((e) =>
          e.or([
            e('p.appliedMs', '<', Number(afterMs)),
            e.and([e('p.appliedMs', '=', Number(afterMs)), e('p.companyId', '<', afterId!)]),
          ]),
        ),
      )
      .orderBy('p.appliedMs', 'desc')
      .orderBy('p.companyId', 'desc')
      .limit(limit + 1)
      .execute();
    const items = await Promise.all(rows.slice(0, limit).map((row) => this.#toApplication(row)));
    const last = rows[limit - 1];
    return { items, nextCursor: rows.length > limit ? `${last!.appliedMs}_${last!.companyId}` : null };
  }

  async application(companyId: string): Promise<ArcApplication> {
    const row = await selectApplications(this.#db).where('p.companyId', '=', companyId).executeTakeFirst();
    if (!row) throw new ProblemError('not-found', 'This company has not applied.');
    return this.#toApplication(row);
  }

  /** Approves what waits, rejects it, or takes a centre off the list again. Services that run go on. */
  async decide(
    operator: Identity,
    companyId: string,
    decision: { approved: true } | { approved: false; reason: string },
  ): Promise<void> {
    if (operator.companyType !== 'operator') throw new ProblemError('not-found');
    const decided = { decidedMs: this.#clock.now(), decidedBy: operator.userId };
    const cut = await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, companyId);
      const row = await this.#row(trx, companyId);
      if (!row) throw new ProblemError('not-found', 'This company has not applied.');
      const notice = { category: 'arc', link: PAGE } as const;
      if (!decision.approved) {
        if (!['submitted', 'approved', 'listed'].includes(row.state))
          throw new ProblemError('conflict', `The application of ${company.name} is ${row.state} already.`);
        const { reason } = decision;
        await this.#end(trx, row, { state: 'rejected', reason, ...decided });
        const values = { company: company.name, reason };
        await this.#notifier.toCompany(trx, companyId, { ...notice, code: 'arc-rejected', values });
        return row.keyId;
      }
      if (row.state !== 'submitted')
        throw new ProblemError('conflict', `The application of ${company.name} is ${row.state} already.`);
      // The list is one of authenticated centres (ARC-03).
      if (company.authentication !== 'approved')
        throw new ProblemError('conflict', `${company.name} is not authenticated: decide on its authentication first.`);
      await trx
        .updateTable('arc_profiles')
        .set({ state: 'approved', reason: '', ...decided })
        .where('companyId', '=', companyId)
        .execute();
      await this.#sendKey(trx, companyId, row.appliedBy, null);
      const admin = await this.#administrator(trx, companyId);
      const values = { company: company.name, email: admin?.email ?? '' };
      await this.#notifier.toCompany(trx, companyId, { ...notice, code: 'arc-approved', values });
      return null;
    });
    if (cut) await this.#keys.cut(cut);
    this.#notifier.kick();
    this.#log.info({ companyId, userId: operator.userId, approved: decision.approved }, 'a centre was decided on');
  }

  /** To the administrator's own address: it is the one that was proved. */
  async #sendKey(trx: DbOrTrx, companyId: string, userId: string, keyId: string | null): Promise<string> {
    const issued = await this.#keys.issueForCentre(trx, { companyId, userId, keyId });
    await trx.updateTable('arc_profiles').set({ keyId: issued.keyId }).where('companyId', '=', companyId).execute();
    const admin = await this.#administrator(trx, companyId);
    if (!admin?.email)
      throw new ProblemError('conflict', 'The company’s administrator has no e-mail address to send the ARC key to.');
    const { name } = await trx
      .selectFrom('companies')
      .select('name')
      .where('id', '=', companyId)
      .executeTakeFirstOrThrow();
    const values = { company: name, arcId: issued.keyId, arcKey: issued.secret };
    const to = { email: admin.email, locale: admin.locale, name: admin.name };
    await this.#notifier.mail(trx, to, 'arc-key', values, PAGE);
    return issued.keyId;
  }

  async #end(trx: DbOrTrx, row: Row, set: Partial<Row>): Promise<void> {
    if (row.keyId) await this.#keys.endForCentre(trx, row.keyId);
    await trx
      .updateTable('arc_profiles')
      .set({ ...set, keyId: null, configuredMs: null })
      .where('companyId', '=', row.companyId)
      .execute();
  }

  async #tellOperator(trx: DbOrTrx, code: 'arc-applied' | 'arc-withdrawn', company: string): Promise<void> {
    const operators = await trx.selectFrom('companies').select('id').where('type', '=', 'operator').execute();
    for (const { id } of operators)
      await this.#notifier.toCompany(trx, id, { category: 'arc', code, values: { company }, link: '/operator/arcs' });
  }

  /** What the company has told already, so that nobody types it twice. */
  async #proposed(
    companyId: string,
    company: { country: string; address: string; phone: string },
    admin: { name: string; email: string | null } | undefined,
  ): Promise<View['proposed']> {
    const row = await this.#db
      .selectFrom('company_authentications')
      .select('fields')
      .where('companyId', '=', companyId)
      .executeTakeFirst();
    const fields = row ? AuthenticationDocument.parse(JSON.parse(row.fields)) : {};
    const proposed = {
      contactName: fields.contactName || admin?.name,
      email: admin?.email,
      phone: company.phone || fields.contactPhone,
      website: fields.website,
      address: company.address || fields.address,
      countries: [company.country],
    };
    // Only what would be taken: an old address may not be one as it is asked for here.
    const parts = Object.entries(proposed).filter(
      ([name, value]) => ArcInformation.shape[name as keyof typeof proposed].safeParse(value).success,
    );
    return Object.fromEntries(parts);
  }

  async #help(): Promise<string | null> {
    if (this.#helpEmail) return this.#helpEmail;
    const row = await this.#db
      .selectFrom('users as u')
      .innerJoin('companies as c', 'c.id', 'u.companyId')
      .select('u.email')
      .where('c.type', '=', 'operator')
      .where('u.admin', '=', 1)
      .where('u.deletedAt', 'is', null)
      .orderBy('u.id')
      .executeTakeFirst();
    return row?.email ?? null;
  }

  #administrator(db: DbOrTrx, companyId: string) {
    return db
      .selectFrom('users')
      .select(['email', 'name', 'locale'])
      .where('companyId', '=', companyId)
      .where('admin', '=', 1)
      .where('deletedAt', 'is', null)
      .executeTakeFirst();
  }

  async #row(db: DbOrTrx, companyId: string): Promise<Row | null> {
    const row = await db.selectFrom('arc_profiles').selectAll().where('companyId', '=', companyId).executeTakeFirst();
    return row ?? null;
  }

  async #toApplication(row: ApplicationRow): Promise<ArcApplication> {
    const { companyId, name, country, state, authentication, reason } = row;
    return {
      companyId,
      name,
      country,
      state,
      authentication,
      reason,
      suspended: row.suspendedMs !== null,
      information: ArcInformation.parse(JSON.parse(row.information)),
      appliedBy: row.appliedByName ?? '',
      appliedAt: iso(Number(row.appliedMs)),
      decidedAt: at(row.decidedMs),
      decidedBy: row.decidedByName,
      configuredAt: at(row.configuredMs),
      accounts: await accountsOf(this.#db, companyId),
    };
  }
}

const selectApplications = (db: Db) =>
  db
    .selectFrom('arc_profiles as p')
    .innerJoin('companies as c', 'c.id', 'p.companyId')
    .leftJoin('users as a', 'a.id', 'p.appliedBy')
    .leftJoin('users as d', 'd.id', 'p.decidedBy')
    .selectAll('p')
    .select(['c.name', 'c.country', 'c.authentication', 'c.suspendedMs'])
    .select(['a.name as appliedByName', 'd.name as decidedByName']);
type ApplicationRow = Awaited<ReturnType<ReturnType<typeof selectApplications>['execute']>>[number];

const at = (ms: number | null | undefined): string | null => (ms === null || ms === undefined ? null : iso(Number(ms)));

function mustBeCentresAdministrator(who: Identity): void {
  if (who.companyType !== 'arc')
    throw new ProblemError('not-allowed', 'Only companies of the type alarm receiving centre join the ARC list.');
  if (!who.admin) throw new ProblemError('not-allowed', 'Only the administrator joins for the company.');
}

/** Accounts of sites at a company's receivers. */
async function accountsOf(db: DbOrTrx, companyId: string): Promise<number> {
  const { n } = await db
    .selectFrom('arc_accounts as a')
    .innerJoin('arc_receivers as r', 'r.id', 'a.receiverId')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('r.companyId', '=', companyId)
    .where('a.deletedAt', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(n);
}
