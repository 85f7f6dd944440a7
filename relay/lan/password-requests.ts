import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { AskPasswordReset, PasswordRequest } from '../../protocol/wire/password-request.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { LanTables } from './schema.ts';

type Row = LanTables['password_requests'];
/** Of one device, and of one owner. */
const SHOWN = 50;

/** Asking the owner of a site to set a new password of a device (PWD-04, PWD-05). */
export class PasswordRequests {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #notifier: Notifier;

  constructor(deps: { db: Db; clock: Clock; notifier: Notifier }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#notifier = deps.notifier;
  }

  /** Only with the site authorisation: without one the site's status refuses it. */
  async ask(
    scope: Scope,
    deviceId: string,
    { atSite, remark }: z.output<typeof AskPasswordReset>,
  ): Promise<PasswordRequest> {
    const device = await scope.device(deviceId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    const site = await scope.site(device.siteId);
    const { ownerId } = site;
    if (ownerId === null)
      throw new ProblemError('conflict', `“${site.name}” is not handed over: nobody else is to be asked.`);
    const now = this.#clock.now();
    const row: Row = {
      id: uuidv7(now),
      siteId: site.id,
      deviceId,
      companyId: scope.companyId,
      userId: scope.userId,
      deciderId: ownerId,
      atSite: atSite ? 1 : 0,
      remark,
      state: 'open',
      createdMs: now,
      decidedMs: null,
    };
    await this.#db.transaction().execute(async (trx) => {
      const open = await this.#open(trx, deviceId).where('companyId', '=', scope.companyId).executeTakeFirst();
      if (open) throw new ProblemError('conflict', `The owner is asked for “${device.name}” already.`);
      await trx.insertInto('password_requests').values(row).execute();
      const company = await trx
        .selectFrom('companies')
        .select('name')
        .where('id', '=', scope.companyId)
        .executeTakeFirstOrThrow();
      await this.#notifier.toCompany(trx, ownerId, {
        category: 'site',
        code: 'password-reset-asked',
        values: { company: company.name, device: device.name, site: site.name, remark: remark || '–' },
        link: `/requests/password/${row.id}`,
        siteId: site.id,
      });
    });
    this.#notifier.kick();
    return this.#one(row.id);
  }

  /** What the own company asked for a device, newest first. */
  async sent(scope: Scope, deviceId: string): Promise<PasswordRequest[]> {
    const device = await scope.device(deviceId);
    const rows = await rowsOf(this.#db)
      .where('r.companyId', '=', scope.companyId)
      .where('r.deviceId', '=', device.id)
      .execute();
    return rows.map(viewOf);
  }

  /** What this tenant is asked for at its own sites, newest first. */
  async received(scope: Scope): Promise<PasswordRequest[]> {
    const rows = await rowsOf(this.#db)
      .where('r.deciderId', '=', scope.companyId)
      .where('r.siteId', 'in', scope.siteIds('own'))
      .execute();
    return rows.map(viewOf);
  }

  async refuse(scope: Scope, id: string): Promise<PasswordRequest> {
    const row = await this.#db
      .selectFrom('password_requests')
      .selectAll()
      .where('id', '=', id)
      .where('deciderId', '=', scope.companyId)
      .where('siteId', 'in', scope.siteIds('own'))
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    await this.#db.transaction().execute((trx) => this.#end(trx, scope, row, 'refused'));
    this.#notifier.kick();
    return this.#one(id);
  }

  /** The owner has set a new password: who asked for that is told. */
  async done(scope: Scope, deviceId: string): Promise<void> {
    const ended = await this.#db.transaction().execute(async (trx) => {
      const rows = await this.#open(trx, deviceId).where('deciderId', '=', scope.companyId).execute();
      for (const row of rows) await this.#end(trx, scope, row, 'done');
      return rows.length;
    });
    if (ended > 0) this.#notifier.kick();
  }

  #open(trx: DbOrTrx, deviceId: string) {
    return trx.selectFrom('password_requests').selectAll().where('deviceId', '=', deviceId).where('state', '=', 'open');
  }

  async #end(trx: DbOrTrx, scope: Scope, row: Row, state: 'done' | 'refused'): Promise<void> {
    const { numUpdatedRows } = await trx
      .updateTable('password_requests')
      .set({ state, decidedMs: this.#clock.now() })
      .where('id', '=', row.id)
      .where('state', '=', 'open')
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new ProblemError('conflict', 'This was answered already.');
    const names = await trx
      .selectFrom('devices as d')
      .innerJoin('sites as s', 's.id', 'd.siteId')
      .select(['d.name as device', 's.name as site'])
      .where('d.id', '=', row.deviceId)
      .executeTakeFirstOrThrow();
    const customer = await trx
      .selectFrom('companies')
      .select('name')
      .where('id', '=', scope.companyId)
      .executeTakeFirstOrThrow();
    await this.#notifier.toCompany(trx, row.companyId, {
      category: 'site',
      code: state === 'done' ? 'password-reset-done' : 'password-reset-refused',
      values: { customer: customer.name, ...names },
      link: `/sites/${row.siteId}/devices/${row.deviceId}/password`,
      siteId: row.siteId,
    });
  }

  async #one(id: string): Promise<PasswordRequest> {
    return viewOf(await rowsOf(this.#db).where('r.id', '=', id).executeTakeFirstOrThrow());
  }
}

const rowsOf = (db: DbOrTrx) =>
  db
    .selectFrom('password_requests as r')
    .innerJoin('sites as s', 's.id', 'r.siteId')
    .innerJoin('devices as d', 'd.id', 'r.deviceId')
    .innerJoin('companies as c', 'c.id', 'r.companyId')
    .select(['r.id', 'r.siteId', 'r.deviceId', 'r.companyId', 'r.atSite', 'r.remark', 'r.state'])
    .select(['r.createdMs', 'r.decidedMs', 's.name as siteName', 's.timeZone'])
    .select(['d.name as deviceName', 'c.name as companyName'])
    .where('d.deletedAt', 'is', null)
    .orderBy('r.id', 'desc')
    .limit(SHOWN);
type Joined = Awaited<ReturnType<ReturnType<typeof rowsOf>['execute']>>[number];

const viewOf = ({ companyId, companyName, atSite, createdMs, decidedMs, ...row }: Joined): PasswordRequest => ({
  ...row,
  company: { id: companyId, name: companyName },
  atSite: atSite === 1,
  createdAt: iso(Number(createdMs)),
  decidedAt: decidedMs === null ? null : iso(Number(decidedMs)),
});
