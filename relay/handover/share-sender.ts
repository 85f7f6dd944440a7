import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import {
  type EditShareCustomer,
  type NewShareCustomer,
  SHARE_ACCEPT_DAYS,
  SHARE_SENDS_PER_DAY,
} from '../../protocol/wire/sharing.ts';
import { ProblemError } from '../api/problem.ts';
import { hashToken } from '../auth/sessions.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import { dayIn } from './rules.ts';
import type { ShareNotices } from './share-notices.ts';
import {
  isOpen,
  makeAdministrator,
  mustBeShareable,
  mustHaveRoom,
  type ShareRow,
  type SharingRow,
  setResources,
  settleAdministrator,
  sharesOf,
} from './sharing-rules.ts';

const DAY_MS = 86_400_000;
type NewCustomer = z.output<typeof NewShareCustomer>;
type Person = z.output<typeof EditShareCustomer>;

/** Adds customers to a sharing and sends them its invitations. The site is locked. */
export class ShareSender {
  readonly #notices: ShareNotices;
  readonly #publicUrl: () => URL | null;

  constructor(deps: { notices: ShareNotices; publicUrl: () => URL | null }) {
    this.#notices = deps.notices;
    this.#publicUrl = deps.publicUrl;
  }

  /** Adds customers and invites them. Gives the links of those who have no address. */
  async add(
    trx: DbOrTrx,
    site: SiteRow,
    sharing: SharingRow,
    customers: NewCustomer[],
    now: number,
  ): Promise<Map<string, string>> {
    const rows: ShareRow[] = [];
    // Ids of one moment do not sort by themselves: lists keep the order in which customers were named.
    const ids = customers.map(() => uuidv7(now)).sort();
    for (const [i, wanted] of customers.entries()) {
      const { email, phone, name, remark, locale } = wanted;
      if (wanted.administrator && sharing.mode === 'B') {
        throw new ProblemError('invalid-request', 'Mode B has no customer administrator.');
      }
      const row: ShareRow = {
        id: ids[i]!,
        sharingId: sharing.id,
        siteId: site.id,
        email,
        phone,
        name,
        remark,
        locale,
        customerId: await this.tenantOf(trx, wanted),
        administrator: wanted.administrator ? 1 : 0,
        state: 'to-be-accepted',
        tokenHash: hashToken(newToken()),
        invitedMs: now,
        acceptByMs: now + SHARE_ACCEPT_DAYS * DAY_MS,
        answeredMs: null,
        untilMs: endMs(wanted.until, now),
        sentDay: '',
        sentCount: 0,
      };
      await this.mustBeNew(trx, sharing, row, now);
      await trx.insertInto('share_customers').values(row).execute();
      rows.push(row);
    }
    const chosen = rows.filter((row) => row.administrator === 1);
    const others = (await sharesOf(trx, sharing.id)).filter((row) => isOpen(row, now) && row.administrator === 1);
    // Whoever was it and let the invitation pass is it no more; two at once settleAdministrator refuses.
    if (chosen.length === 1 && others.length === 1) await makeAdministrator(trx, sharing.id, chosen[0]!.id);
    await settleAdministrator(trx, sharing, now);
    const wantedShares = rows.map((row, i) => ({ id: row.id, resources: customers[i]!.resources }));
    const deviceIds = wantedShares.flatMap(({ resources }) => resources.map((resource) => resource.deviceId));
    await mustBeShareable(trx, site.id, deviceIds);
    await mustHaveRoom(
      trx,
      site.id,
      now,
      wantedShares.map(({ id, resources }) => ({ id, deviceIds: resources.map((resource) => resource.deviceId) })),
    );
    for (const { id, resources } of wantedShares) await setResources(trx, id, resources);
    const links = new Map<string, string>();
    for (const row of rows) {
      for (const [id, link] of await this.send(trx, site, row, now)) links.set(id, link);
    }
    return links;
  }

  /** Sends the invitation: the customer has so many days from now. Gives the link of who has no address. */
  async send(trx: DbOrTrx, site: SiteRow, share: ShareRow, now: number): Promise<Map<string, string>> {
    const day = dayIn(site.timeZone, now);
    const sentCount = share.sentDay === day ? share.sentCount + 1 : 1;
    if (sentCount > SHARE_SENDS_PER_DAY) {
      throw new ProblemError('limit-reached', 'Five invitations a day are sent to a customer: go on tomorrow.');
    }
    const token = newToken();
    const sent = {
      state: 'to-be-accepted' as const,
      tokenHash: hashToken(token),
      invitedMs: now,
      acceptByMs: now + SHARE_ACCEPT_DAYS * DAY_MS,
      answeredMs: null,
      sentDay: day,
      sentCount,
    };
    await trx.updateTable('share_customers').set(sent).where('id', '=', share.id).execute();
    await this.#notices.invite(trx, site, { ...share, ...sent }, token);
    const path = `/shared-with-me#${token}`;
    const link = this.#publicUrl() ? new URL(path, this.#publicUrl()!).href : path;
    return share.email || share.phone ? new Map() : new Map([[share.id, link]]);
  }

  /** Nobody gets the same site twice. */
  async mustBeNew(
    trx: DbOrTrx,
    sharing: SharingRow,
    { id, customerId, email, phone }: Pick<ShareRow, 'id' | 'customerId' | 'email' | 'phone'>,
    now: number,
  ): Promise<void> {
    const same = (await sharesOf(trx, sharing.id)).find(
      (row) =>
        row.id !== id &&
        isOpen(row, now) &&
        ((email && row.email === email) ||
          (phone && row.phone === phone) ||
          (customerId && row.customerId === customerId)),
    );
    if (same) throw new ProblemError('conflict', `The site is shared with “${same.name}” at this address already.`);
  }

  /** The customer whose confirmed address this is. */
  async tenantOf(trx: DbOrTrx, { email, phone }: Pick<Person, 'email' | 'phone'>): Promise<string | null> {
    if (!email && !phone) return null;
    const row = await trx
      .selectFrom('users as u')
      .innerJoin('companies as c', 'c.id', 'u.companyId')
      .select('u.companyId')
      .where('c.type', '=', 'customer')
      .where('u.deletedAt', 'is', null)
      .where((e) =>
        email
          ? e.and([e('u.email', '=', email), e('u.emailVerifiedMs', 'is not', null)])
          : e.and([e('u.phone', '=', phone), e('u.phoneVerifiedMs', 'is not', null)]),
      )
      .executeTakeFirst();
    return row?.companyId ?? null;
  }
}

const newToken = () => randomBytes(32).toString('base64url');

/** When a service period ends; null: never. */
export function endMs(until: string | null, now: number): number | null {
  if (until === null) return null;
  const ms = Date.parse(until);
  if (ms <= now) throw new ProblemError('invalid-request', 'until: the service period ends in the future');
  return ms;
}
