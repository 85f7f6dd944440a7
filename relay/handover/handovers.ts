import type { Insertable } from 'kysely';
import { type Clock, iso } from '../../protocol/clock.ts';
import { type Handover, SITE_WIDE, TransferAsk } from '../../protocol/wire/handover.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import { hashToken } from '../auth/sessions.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import type { Notifier } from '../notify/notifier.ts';
import { asked, boxCount, devicesOf, masked, providerOf, type TransferRow } from './lookups.ts';
import { type AuthorizationOver, blocked, type CustomerDecides, endOf, obstaclesOf, refreshStatus } from './rules.ts';

type NewGrant = Omit<Insertable<Database['grants']>, 'id' | 'siteId' | 'sourceId'>;

/** The customer's side of a transfer: see it, accept it, reject it. */
export class Handovers {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #notifier: Notifier;
  readonly #ends: (trx: DbOrTrx, siteId: string) => Promise<void>;
  readonly #over: AuthorizationOver;
  readonly #decides: CustomerDecides;

  /** `ends`: what else is over once a site has an owner, like the help of partners. */
  constructor(deps: {
    db: Db;
    clock: Clock;
    notifier: Notifier;
    ends: (trx: DbOrTrx, siteId: string) => Promise<void>;
    over: AuthorizationOver;
    decides: CustomerDecides;
  }) {
    this.#decides = deps.decides;
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#notifier = deps.notifier;
    this.#ends = deps.ends;
    this.#over = deps.over;
  }

  /** Those that wait for this customer, newest first. */
  async waiting(scope: Scope): Promise<Handover[]> {
    const addresses = await this.#addresses(this.#db, scope);
    if (addresses.length === 0) return [];
    const rows = await this.#db
      .selectFrom('transfers as t')
      .innerJoin('sites as s', 's.id', 't.siteId')
      .selectAll('t')
      .where('t.recipient', 'in', addresses)
      .where('t.state', '=', 'sent')
      .where('t.expiresMs', '>', this.#clock.now())
      .where('s.deletedAt', 'is', null)
      .orderBy('t.sentMs', 'desc')
      .limit(50)
      .execute();
    return Promise.all(rows.map((row) => this.#view(row)));
  }

  /** While it is open, and for who owns the site by it: of what came to nothing the site is no business of the recipient. */
  async get(scope: Scope, id: string): Promise<Handover> {
    const row = await this.#mine(this.#db, scope, id);
    const owned = row.ownerId === scope.companyId && (await scope.holds(row.siteId, null, 'own'));
    if (!owned) this.#mustBeOpen(row);
    return this.#view(row);
  }

  /** The handover that a link leads to. The link alone is enough for a QR code, else it must have been sent to the caller. */
  async open(scope: Scope, token: string): Promise<Handover> {
    const row = await this.#db
      .selectFrom('transfers')
      .selectAll()
      .where('tokenHash', '=', hashToken(token))
      .executeTakeFirst();
    if (!row) throw new ProblemError('link-invalid', 'This link leads to no handover.');
    mustBeCustomer(scope);
    if (row.recipient !== null && !(await this.#addresses(this.#db, scope)).includes(row.recipient)) {
      throw new ProblemError(
        'not-allowed',
        `This handover was sent to ${masked(row.recipient)}. Sign in with the account of that address.`,
      );
    }
    this.#mustBeOpen(row);
    return this.#view(row);
  }

  /** In one transaction: the customer owns the site, and the company has what was asked for and nothing more. */
  async accept(scope: Scope, id: string, token?: string): Promise<Handover> {
    await this.#db.transaction().execute(async (trx) => {
      const row = await this.#mine(trx, scope, id, token);
      this.#mustBeOpen(row);
      const now = this.#clock.now();
      await this.#decide(trx, row, 'accepted', scope.companyId);
      const devices = await devicesOf(trx, row.siteId);
      const obstacles = obstaclesOf(devices, await boxCount(trx, row.siteId));
      if (obstacles.length > 0) throw blocked(obstacles);

      await this.#ends(trx, row.siteId);
      // A centre keeps receiving the alarms of the devices that it has accepted.
      await trx.deleteFrom('grants').where('siteId', '=', row.siteId).where('source', '<>', 'arc').execute();
      const company = { companyId: row.companyId, source: 'transfer' as const };
      const grants: NewGrant[] = [
        { companyId: scope.companyId, permission: 'own', source: 'transfer' },
        { ...company, permission: 'list' },
      ];
      for (const { permission, deviceIds, validity } of TransferAsk.array().parse(JSON.parse(row.requests))) {
        const untilMs = endOf(validity, now);
        if (SITE_WIDE.includes(permission)) {
          const source = permission === 'system' ? 'transfer' : 'authorization';
          grants.push({ ...company, permission, untilMs, source });
          continue;
        }
        for (const device of devices)
          if (!deviceIds || deviceIds.includes(device.id))
            grants.push({ ...company, permission, untilMs, deviceId: device.id });
      }
      const rows = grants.map((grant) => ({ id: uuidv7(now), siteId: row.siteId, sourceId: row.id, ...grant }));
      for (let i = 0; i < rows.length; i += 100)
        await trx
          .insertInto('grants')
          .values(rows.slice(i, i + 100))
          .execute();
      await trx
        .updateTable('sites')
        .set({ ownerId: scope.companyId, status: 'not-authorized' })
        .where('id', '=', row.siteId)
        .execute();
      await refreshStatus(trx, row.siteId, now, this.#over);
      await this.#decides(trx, row.siteId, scope.companyId);
      await this.#tell(trx, row, scope, 'transfer-accepted');
    });
    this.#notifier.kick();
    return this.#view(await this.#row(this.#db, id));
  }

  async reject(scope: Scope, id: string, token?: string): Promise<Handover> {
    await this.#db.transaction().execute(async (trx) => {
      const row = await this.#mine(trx, scope, id, token);
      this.#mustBeOpen(row);
      await this.#decide(trx, row, 'rejected', null);
      await trx.updateTable('sites').set({ status: 'not-handed-over' }).where('id', '=', row.siteId).execute();
      await this.#tell(trx, row, scope, 'transfer-rejected');
    });
    this.#notifier.kick();
    return this.#view(await this.#row(this.#db, id));
  }

  #mustBeOpen(row: TransferRow): void {
    if (row.state === 'accepted') throw new ProblemError('link-invalid', 'This handover was accepted already.');
    if (row.state === 'superseded')
      throw new ProblemError('link-invalid', 'It was sent again after this: use the newest message.');
    if (row.state !== 'sent' || Number(row.expiresMs) <= this.#clock.now()) throw new ProblemError('link-invalid');
  }

  async #decide(trx: DbOrTrx, row: TransferRow, state: 'accepted' | 'rejected', ownerId: string | null): Promise<void> {
    const { numUpdatedRows } = await trx
      .updateTable('transfers')
      .set({ state, ownerId, decidedMs: this.#clock.now() })
      .where('id', '=', row.id)
      .where('state', '=', 'sent')
      .executeTakeFirst();
    const site = await trx
      .selectFrom('sites')
      .select('id')
      .where('id', '=', row.siteId)
      .where('deletedAt', 'is', null)
      .where('status', 'in', ['not-registered', 'to-be-accepted'])
      .executeTakeFirst();
    if (numUpdatedRows === 0n || !site) throw new ProblemError('link-invalid');
  }

  async #tell(trx: DbOrTrx, row: TransferRow, scope: Scope, code: 'transfer-accepted' | 'transfer-rejected') {
    const names = await trx
      .selectFrom('sites')
      .select([
        'name as site',
        (e) => e.selectFrom('companies').select('name').where('id', '=', scope.companyId).as('customer'),
      ])
      .where('id', '=', row.siteId)
      .executeTakeFirstOrThrow();
    await this.#notifier.toCompany(trx, row.companyId, {
      category: 'site',
      code,
      values: { site: names.site, customer: names.customer ?? '' },
      link: `/sites/${row.siteId}/customer`,
      siteId: row.siteId,
    });
  }

  /** One that was sent to this customer, or whose QR code he has. Anything else is not there for him. */
  async #mine(db: DbOrTrx, scope: Scope, id: string, token?: string): Promise<TransferRow> {
    const row = await db.selectFrom('transfers').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row || scope.companyType !== 'customer') throw new ProblemError('not-found');
    const sent = row.recipient !== null && (await this.#addresses(db, scope)).includes(row.recipient);
    const shown = row.recipient === null && token !== undefined && hashToken(token) === row.tokenHash;
    const accepted = row.ownerId === scope.companyId;
    if (!sent && !shown && !accepted) throw new ProblemError('not-found');
    return row;
  }

  /** Verified ones: nobody accepts with an address that he only claims to have. */
  async #addresses(db: DbOrTrx, scope: Scope): Promise<string[]> {
    if (scope.companyType !== 'customer') return [];
    const user = await db
      .selectFrom('users')
      .select(['email', 'phone', 'emailVerifiedMs', 'phoneVerifiedMs'])
      .where('id', '=', scope.userId)
      .executeTakeFirstOrThrow();
    return [user.emailVerifiedMs ? user.email : null, user.phoneVerifiedMs ? user.phone : null].filter(
      (a) => a !== null,
    );
  }

  #row(db: DbOrTrx, id: string): Promise<TransferRow> {
    return db.selectFrom('transfers').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  }

  async #view(row: TransferRow): Promise<Handover> {
    const site = await this.#db.selectFrom('sites').selectAll().where('id', '=', row.siteId).executeTakeFirstOrThrow();
    const devices = await devicesOf(this.#db, row.siteId);
    return {
      id: row.id,
      siteId: row.siteId,
      siteName: site.name,
      siteType: site.type,
      timeZone: site.timeZone,
      provider: await providerOf(this.#db, row.companyId),
      customerName: row.customerName,
      remark: row.remark,
      requests: asked(row, devices),
      devices: devices.map(({ id, name, type }) => ({ id, name, type })),
      sentAt: iso(Number(row.sentMs)),
      expiresAt: iso(Number(row.expiresMs)),
      state: row.state,
    };
  }
}

function mustBeCustomer(scope: Scope): void {
  if (scope.companyType !== 'customer') {
    throw new ProblemError(
      'not-allowed',
      'A site is accepted with a customer’s account. You are signed in with another.',
    );
  }
}
