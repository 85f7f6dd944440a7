import type { NoticeCode } from '../../../protocol/wire/notify.ts';
import type { DbOrTrx } from '../../db/database.ts';
import type { Notifier } from '../../notify/notifier.ts';
import type { ServiceRow } from './schema.ts';

/** Who hears what about the service of a device, as an ARC Message. */
export class ServiceNotices {
  readonly #notifier: Notifier;

  constructor({ notifier }: { notifier: Notifier }) {
    this.#notifier = notifier;
  }

  kick(): void {
    this.#notifier.kick();
  }

  /** Of no site: a centre does not reach it before it has accepted, nor after the end. */
  async toCentre(trx: DbOrTrx, row: ServiceRow, code: NoticeCode, more: Record<string, string> = {}): Promise<void> {
    const values = { ...(await this.#values(trx, row)), ...more };
    await this.#notifier.toCompany(trx, row.arcId, { category: 'arc', code, values, link: '/arc/devices' });
  }

  /** Who enabled the device and whose site it is; of a customer's site him too, unless it is for the `company` only. */
  async toSite(
    trx: DbOrTrx,
    row: ServiceRow,
    code: NoticeCode,
    more: { values?: Record<string, string>; link?: string; only?: 'company' } = {},
  ): Promise<void> {
    const { companyId, ownerId } = await trx
      .selectFrom('sites')
      .select(['companyId', 'ownerId'])
      .where('id', '=', row.siteId)
      .executeTakeFirstOrThrow();
    for (const hearer of new Set([row.companyId, companyId, more.only ? null : ownerId])) {
      if (hearer === null || hearer === row.arcId || (more.only && hearer === ownerId)) continue;
      await this.to(trx, row, hearer, code, more.link ?? `/sites/${row.siteId}/arc`, more.values);
    }
  }

  /** One company or household that has to do with the site. */
  async to(
    trx: DbOrTrx,
    row: ServiceRow,
    hearer: string,
    code: NoticeCode,
    link: string,
    more: Record<string, string> = {},
  ): Promise<void> {
    const values = { ...(await this.#values(trx, row)), ...more };
    await this.#notifier.toCompany(trx, hearer, { category: 'arc', code, values, link, siteId: row.siteId });
  }

  async #values(trx: DbOrTrx, row: ServiceRow): Promise<Record<string, string>> {
    const names = await trx
      .selectFrom('arc_services as s')
      .innerJoin('devices as d', 'd.id', 's.deviceId')
      .innerJoin('sites as i', 'i.id', 's.siteId')
      .innerJoin('companies as arc', 'arc.id', 's.arcId')
      .innerJoin('companies as c', 'c.id', 's.companyId')
      .select(['d.name as device', 'i.name as site', 'arc.name as arc', 'c.name as company'])
      .where('s.id', '=', row.id)
      .executeTakeFirstOrThrow();
    return { ...names, account: row.account, note: row.note || '–' };
  }
}
