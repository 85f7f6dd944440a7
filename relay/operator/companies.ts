import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import type { OperatorCompany, OperatorCompanyDetail, OperatorCompanyQuery } from '../../protocol/wire/operator.ts';
import { AuthenticationDocument } from '../../protocol/wire/people.ts';
import { ProblemError } from '../api/problem.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import { contains } from '../db/text-search.ts';
import { slotsUsed } from '../people/employees.ts';

/** Tenants as the operator sees them: who they are, not what they watch. */
export class OperatorCompanies {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #sessions: Sessions;

  constructor({ db, clock, sessions }: { db: Db; clock: Clock; sessions: Sessions }) {
    this.#db = db;
    this.#clock = clock;
    this.#sessions = sessions;
  }

  /** Newest first; customers' households only when asked for. */
  async list(query: OperatorCompanyQuery): Promise<Page<OperatorCompany>> {
    const { q, type, authentication, suspended, cursor, limit } = query;
    const rows = await this.#select()
      .$if(cursor !== undefined, (b) => b.where('c.id', '<', cursor as string))
      .$if(type !== undefined, (b) => b.where('c.type', '=', type!))
      .$if(type === undefined, (b) => b.where('c.type', '<>', 'customer'))
      .$if(authentication !== undefined, (b) => b.where('c.authentication', '=', authentication!))
      .$if(suspended !== undefined, (b) => b.where('c.suspendedMs', suspended === 'true' ? 'is not' : 'is', null))
      .$if(Boolean(q), (b) => b.where((e) => e.or([contains('c.name', q as string), contains('u.email', q as string)])))
      .orderBy('c.id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map(view);
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  async get(id: string): Promise<OperatorCompanyDetail> {
    const row = await this.#select().where('c.id', '=', id).executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    const { people, sites, boxes } = await this.#db
      .selectNoFrom((e) => [
        e
          .selectFrom('users')
          .select((f) => f.fn.countAll<number>().as('n'))
          .where('companyId', '=', id)
          .where('deletedAt', 'is', null)
          .as('people'),
        e
          .selectFrom('sites')
          .select((f) => f.fn.countAll<number>().as('n'))
          .where('companyId', '=', id)
          .where('deletedAt', 'is', null)
          .as('sites'),
        e
          .selectFrom('boxes')
          .select((f) => f.fn.countAll<number>().as('n'))
          .where('companyId', '=', id)
          .as('boxes'),
      ])
      .executeTakeFirstOrThrow();
    const sent = await this.#db
      .selectFrom('company_authentications')
      .selectAll()
      .where('companyId', '=', id)
      .executeTakeFirst();
    return {
      ...view(row),
      address: row.address,
      phone: row.phone,
      channelPartner: row.channelPartner === 1,
      people: Number(people),
      sites: Number(sites),
      boxes: Number(boxes),
      slots: row.slots,
      slotsUsed: await slotsUsed(this.#db, id),
      submitted: sent ? (AuthenticationDocument.parse(JSON.parse(sent.fields)) as Record<string, string>) : {},
      submittedAt: sent ? iso(sent.submittedMs) : null,
      decidedAt: sent?.decidedMs ? iso(sent.decidedMs) : null,
      reason: sent?.reason ?? '',
    };
  }

  /**
   * Nobody of a suspended company is let in, and who is in is out at once. Its boxes go on: alarms are not held up by a
   * dispute about a bill.
   */
  async setSuspended(id: string, suspended: boolean): Promise<OperatorCompanyDetail> {
    const sessions = await this.#db.transaction().execute(async (trx) => {
      const company = await trx.selectFrom('companies').selectAll().where('id', '=', id).executeTakeFirst();
      if (!company) throw new ProblemError('not-found');
      if (company.type === 'operator') throw new ProblemError('conflict', 'The operator’s own company stays.');
      if ((company.suspendedMs !== null) === suspended) return [];
      const suspendedMs = suspended ? this.#clock.now() : null;
      await trx.updateTable('companies').set({ suspendedMs }).where('id', '=', id).execute();
      return suspended
        ? trx
            .selectFrom('sessions')
            .innerJoin('users', 'users.id', 'sessions.userId')
            .select('sessions.id')
            .where('users.companyId', '=', id)
            .execute()
        : [];
    });
    await this.#sessions.end(...sessions.map((session) => session.id));
    return this.get(id);
  }

  #select() {
    return this.#db
      .selectFrom('companies as c')
      .leftJoin('users as u', (j) =>
        // The operator may have several.
        j.on('u.id', '=', (e) =>
          e
            .selectFrom('users as a')
            .select((f) => f.fn.min('a.id').as('id'))
            .whereRef('a.companyId', '=', 'c.id')
            .where('a.admin', '=', 1)
            .where('a.deletedAt', 'is', null),
        ),
      )
      .selectAll('c')
      .select('u.email');
  }
}

interface Row extends Omit<OperatorCompany, 'suspendedAt'> {
  suspendedMs: number | null;
}
function view({ id, name, type, country, createdAt, authentication, suspendedMs, email }: Row): OperatorCompany {
  const suspendedAt = suspendedMs === null ? null : iso(suspendedMs);
  return { id, name, type, country, createdAt, authentication, suspendedAt, email };
}
