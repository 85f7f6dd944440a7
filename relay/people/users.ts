import type { Selectable } from 'kysely';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { CompanyType } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import type { Target } from './verifications.ts';

/** An address that a person has just proven to be theirs. */
export interface Contact {
  userId: string;
  companyId: string;
  companyType: CompanyType;
  target: Target;
}
type Hook = (trx: DbOrTrx, contact: Contact) => Promise<void>;

/** Makes people, and tells who waits for somebody with that e-mail address or phone (a handover, an invitation). */
export class Users {
  readonly #clock: Clock;
  readonly #hooks: Hook[] = [];

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Called in the transaction in which somebody registers, or proves another address. */
  onContact(hook: Hook): void {
    this.#hooks.push(hook);
  }

  async contact(trx: DbOrTrx, contact: Contact): Promise<void> {
    for (const hook of this.#hooks) await hook(trx, contact);
  }

  async addCompany(trx: DbOrTrx, company: { name: string; type: CompanyType; country: string }): Promise<string> {
    const now = this.#clock.now();
    const id = uuidv7(now);
    await trx
      .insertInto('companies')
      .values({ id, createdAt: iso(now), ...company })
      .execute();
    return id;
  }

  /** Throws `conflict` when the address belongs to somebody. Employees begin with an account limit. */
  async add(
    trx: DbOrTrx,
    person: { companyId: string; name: string; target: Target; passwordHash: string; locale: string; admin: boolean },
  ): Promise<string> {
    const now = this.#clock.now();
    const id = uuidv7(now);
    const { companyId, name, target, passwordHash, locale, admin } = person;
    if (await userAt(trx, target)) throw new ProblemError('conflict', 'This address has an account already. Sign in.');
    const contact =
      'email' in target
        ? { email: target.email, emailVerifiedMs: now }
        : { email: null, phone: target.phone, phoneVerifiedMs: now };
    const flags = { admin: admin ? 1 : 0, limited: admin ? 0 : 1 };
    await trx
      .insertInto('users')
      .values({ id, companyId, name, passwordHash, locale, createdAt: iso(now), ...contact, ...flags })
      .execute();
    const { type } = await trx
      .selectFrom('companies')
      .select('type')
      .where('id', '=', companyId)
      .executeTakeFirstOrThrow();
    await this.contact(trx, { userId: id, companyId, companyType: type, target });
    return id;
  }
}

export type User = Selectable<Database['users']>;

export function userAt(db: DbOrTrx, target: Target): Promise<User | undefined> {
  const query = db.selectFrom('users').selectAll().where('deletedAt', 'is', null);
  return 'email' in target
    ? query.where('email', '=', target.email).executeTakeFirst()
    : query.where('phone', '=', target.phone).executeTakeFirst();
}

/** The person of this company, not a deleted one. Throws `not-found`. */
export async function personOf(db: DbOrTrx, companyId: string, userId: string): Promise<User> {
  const row = await db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', userId)
    .where('companyId', '=', companyId)
    .where('deletedAt', 'is', null)
    .executeTakeFirst();
  if (!row) throw new ProblemError('not-found');
  return row;
}

/** Lets nobody else change what the company's people and limits are until the transaction ends. */
export async function lockCompany(trx: DbOrTrx, companyId: string) {
  const row = await trx
    .updateTable('companies')
    .set((e) => ({ slots: e.ref('slots') }))
    .where('id', '=', companyId)
    .returningAll()
    .executeTakeFirst();
  if (!row) throw new ProblemError('not-found');
  return row;
}
