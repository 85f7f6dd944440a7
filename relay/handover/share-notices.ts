import type { Clock } from '../../protocol/clock.ts';
import type { NoticeCode } from '../../protocol/wire/notify.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { ShareRow } from './sharing-rules.ts';

/** What people on both sides of a shared site are told, always inside the transaction that changes it. */
export class ShareNotices {
  readonly #notifier: Notifier;
  readonly #clock: Clock;

  constructor({ notifier, clock }: { notifier: Notifier; clock: Clock }) {
    this.#notifier = notifier;
    this.#clock = clock;
  }

  /** The invitation itself: mail or SMS with the link, and a message to who is registered. */
  async invite(trx: DbOrTrx, site: SiteRow, share: ShareRow, token: string): Promise<void> {
    const values = await this.#values(trx, site, share);
    // In the fragment: it is sent to no server and stands in no log.
    const link = `/shared-with-me#${token}`;
    const { locale, name, email, phone } = share;
    const from = site.companyId;
    if (email) await this.#notifier.mail(trx, { email, locale, name }, 'share-invitation', values, link, from);
    else if (phone) await this.#notifier.sms(trx, { phone, locale }, 'share-invitation', values, link, from);
    await this.#toCustomer(trx, share, 'share-invitation', values);
  }

  async toCustomer(trx: DbOrTrx, site: SiteRow, share: ShareRow, code: NoticeCode): Promise<void> {
    await this.#toCustomer(trx, share, code, await this.#values(trx, site, share));
  }

  async toCompany(trx: DbOrTrx, site: SiteRow, share: ShareRow, code: NoticeCode): Promise<void> {
    await this.#notifier.toCompany(trx, site.companyId, {
      category: 'business',
      code,
      values: await this.#values(trx, site, share),
      link: `/sites/${site.id}/customer`,
      siteId: site.id,
    });
  }

  async #toCustomer(trx: DbOrTrx, share: ShareRow, code: NoticeCode, values: Record<string, string>) {
    if (!share.customerId) return;
    // Of no site: he does not reach it before he has accepted, nor after it has ended.
    const link = '/shared-with-me';
    await this.#notifier.toCompany(trx, share.customerId, { category: 'business', code, values, link });
  }

  async #values(trx: DbOrTrx, site: SiteRow, share: ShareRow): Promise<Record<string, string>> {
    const company = await trx
      .selectFrom('companies')
      .select('name')
      .where('id', '=', site.companyId)
      .executeTakeFirstOrThrow();
    return {
      company: company.name,
      site: site.name,
      customer: share.name,
      remark: share.remark,
      acceptBy: timeIn(site.timeZone, Number(share.acceptByMs)),
      time: timeIn(site.timeZone, this.#clock.now()),
    };
  }
}

/** A time as every language reads it: `2026-11-22 17:05 (Europe/Berlin)`. */
export function timeIn(timeZone: string, ms: number): string {
  const text = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(ms);
  return `${text} (${timeZone})`;
}
