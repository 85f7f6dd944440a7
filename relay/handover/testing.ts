import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { DeviceType, Permission, RolePermission, SiteStatus } from '../../protocol/wire/rights.ts';
import { hashToken } from '../auth/sessions.ts';
import type { GrantSource } from '../db/schema.ts';
import { noticeText } from '../notify/texts.ts';
import { deviceRow } from '../testing/device-row.ts';
import type { Call, Company, TestRelay } from '../testing/relay.ts';

/** What tests of handovers need of a relay beside its API. */
export class Stage {
  readonly relay: TestRelay;

  constructor(relay: TestRelay) {
    this.relay = relay;
  }

  /** A further site of a company. */
  async site(company: Pick<Company, 'companyId'>, name: string, more: { team?: boolean; timeZone?: string } = {}) {
    const id = uuidv7();
    await this.relay.withDb(async (db) => {
      await db
        .insertInto('sites')
        .values({
          id,
          companyId: company.companyId,
          name,
          sortName: name,
          createdAt: '',
          timeZone: more.timeZone ?? 'UTC',
          type: more.team ? 'team' : 'personal',
        })
        .execute();
      const grant = { id: uuidv7(), companyId: company.companyId, siteId: id };
      await db
        .insertInto('grants')
        .values({ ...grant, permission: 'all', source: 'site' })
        .execute();
    });
    return id;
  }

  async device(siteId: string, name: string, more: { accessMode?: 'p2p' | 'ip'; type?: DeviceType } = {}) {
    const id = uuidv7();
    await this.relay.withDb((db) =>
      db
        .insertInto('devices')
        .values(deviceRow({ id, siteId, name, ...more }))
        .execute(),
    );
    return id;
  }

  /** A further employee of a company, signed in for eleven hours. */
  async employee(company: Pick<Company, 'companyId'>, permissions: RolePermission[], limited = false): Promise<Call> {
    const [userId, roleId, token] = [uuidv7(), uuidv7(), `${uuidv7()}-${uuidv7()}`];
    const now = this.relay.clock.now();
    const { companyId } = company;
    await this.relay.withDb(async (db) => {
      const person = { id: userId, companyId, email: `${userId}@firm.example`, name: 'Employee' };
      await db
        .insertInto('users')
        .values({ ...person, passwordHash: '', createdAt: '', limited: limited ? 1 : 0 })
        .execute();
      await db
        .insertInto('roles')
        .values({ id: roleId, companyId, name: userId, permissions: JSON.stringify(permissions) })
        .execute();
      await db.insertInto('user_roles').values({ userId, roleId }).execute();
      const session = { id: uuidv7(), tokenHash: hashToken(token), userId, createdMs: now, seenMs: now };
      await db
        .insertInto('sessions')
        .values({ ...session, expiresMs: now + 11 * 3_600_000, remote: '127.0.0.1', userAgent: 'test' })
        .execute();
    });
    return (method, path, body, headers) =>
      this.relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}`, ...headers });
  }

  /** Signs in again: sessions end in the time that tests let pass. */
  async signIn({ email, password }: Pick<Company, 'email' | 'password'>): Promise<Call> {
    const { token } = (await this.relay.call('POST', '/api/v1/auth/login', { email, password })).body;
    return (method, path, body, headers) =>
      this.relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}`, ...headers });
  }

  async setStatus(siteId: string, status: SiteStatus): Promise<void> {
    await this.relay.withDb((db) => db.updateTable('sites').set({ status }).where('id', '=', siteId).execute());
  }

  async grant(company: Pick<Company, 'companyId'>, siteId: string, permission: Permission, source: GrantSource) {
    const grant = { id: uuidv7(), companyId: company.companyId, siteId, permission, source };
    await this.relay.withDb((db) => db.insertInto('grants').values(grant).execute());
  }

  /** What was sent to an address or number, oldest first, as it is read there. */
  async sentTo(address: string) {
    const rows = await this.relay.withDb((db) =>
      db.selectFrom('outbox').selectAll().where('address', '=', address).orderBy('rowId').execute(),
    );
    return rows.map((row) => ({
      code: row.code,
      link: row.link,
      ...noticeText(row.code, row.locale, JSON.parse(row.args)),
    }));
  }

  /** Codes of what stands in a tenant's message centres, oldest first. */
  async notices(company: Pick<Company, 'companyId'>): Promise<string[]> {
    const rows = await this.relay.withDb((db) =>
      db
        .selectFrom('notifications as n')
        .innerJoin('users as u', 'u.id', 'n.userId')
        .select('n.code')
        .where('u.companyId', '=', company.companyId)
        .orderBy('n.rowId')
        .execute(),
    );
    return rows.map((row) => row.code);
  }
}

/** The secret of a handover's link. */
export const tokenOf = (link: string): string => link.split('#')[1] as string;
