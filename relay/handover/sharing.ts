import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import {
  type BatchShare,
  type BatchShareResult,
  type CreateSharing,
  CUSTOMERS_PER_DEVICE,
  type EditShareCustomer,
  type NewShareCustomer,
  type ShareCard,
  type Sharing,
} from '../../protocol/wire/sharing.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';

import type { Collaborations } from '../collaboration/collaborations.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import type { ShareNotices } from './share-notices.ts';
import { endMs, type ShareSender } from './share-sender.ts';
import {
  activeSharing,
  customersPerDevice,
  endSharing,
  isOpen,
  lockSite,
  makeAdministrator,
  mustBeShareable,
  mustHaveRoom,
  resourcesOf,
  type ShareRow,
  type SharingRow,
  setResources,
  settleAdministrator,
  settleGrants,
  sharesOf,
  stateAt,
} from './sharing-rules.ts';
import { sharingView } from './sharing-view.ts';

type NewCustomer = z.output<typeof NewShareCustomer>;
type Person = z.output<typeof EditShareCustomer>;

/** An installer shares devices of a site with customers (tenants), and changes and ends that. */
export class Sharings {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notices: ShareNotices;
  readonly #collaborations: Collaborations;
  readonly #sender: ShareSender;
  readonly #kick: () => void;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    notices: ShareNotices;
    collaborations: Collaborations;
    sender: ShareSender;
    /** Messages of a committed transaction wait. */
    kick: () => void;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notices = deps.notices;
    this.#collaborations = deps.collaborations;
    this.#sender = deps.sender;
    this.#kick = deps.kick;
  }

  /** The sharing of a site; null: it is not shared. */
  async get(scope: Scope, siteId: string): Promise<Sharing | null> {
    await scope.site(siteId, 'manage');
    const sharing = await activeSharing(this.#db, siteId);
    return sharing ? sharingView(this.#db, sharing, this.#clock.now()) : null;
  }

  /** Shares a site for the first time: it becomes Shared, and what partners had before the handover ends. */
  async create(scope: Scope, siteId: string, wanted: z.output<typeof CreateSharing>): Promise<Sharing> {
    await this.#mayShare(scope, siteId, 'share');
    const { mode, customers, requests } = wanted;
    if (mode === 'B' && requests.length > 0) {
      throw new ProblemError('invalid-request', 'In mode B you have all permissions: there is nothing to ask for.');
    }
    return this.#change(siteId, async (trx, now) => {
      const site = await lockSite(trx, siteId);
      if (site.status !== 'not-handed-over') throw new ProblemError('site-status');
      if (site.type !== 'personal') throw new ProblemError('conflict', 'Only personal sites can be shared.');
      const device = await trx
        .selectFrom('devices')
        .select('id')
        .where('siteId', '=', siteId)
        .where('deletedAt', 'is', null)
        .executeTakeFirst();
      if (!device) throw new ProblemError('conflict', 'There is no device to share: add one first.');
      const sharing: SharingRow = {
        id: uuidv7(now),
        siteId,
        companyId: site.companyId,
        userId: scope.userId,
        mode,
        requests: JSON.stringify(requests),
        createdMs: now,
        endedMs: null,
      };
      await trx.insertInto('sharings').values(sharing).execute();
      await trx.updateTable('sites').set({ status: 'shared' }).where('id', '=', siteId).execute();
      if (mode === 'A') await this.#keepManagingOnly(trx, sharing, now);
      await this.#collaborations.endAtHandover(trx, siteId);
      const links = await this.#sender.add(trx, site, sharing, customers, now);
      return sharingView(trx, sharing, now, links);
    });
  }

  /** More customers: nothing is shared with them before it is selected for them. */
  async addCustomers(scope: Scope, siteId: string, customers: NewCustomer[]): Promise<Sharing> {
    await this.#mayShare(scope, siteId, 'batch-share');
    return this.#change(siteId, async (trx, now) => {
      const { site, sharing } = await this.#locked(trx, siteId);
      return sharingView(trx, sharing, now, await this.#sender.add(trx, site, sharing, customers, now));
    });
  }

  /** What one customer may use and until when; who has accepted need not accept again. */
  async setCard(scope: Scope, shareId: string, wanted: z.output<typeof ShareCard>): Promise<Sharing> {
    return this.#onShare(scope, shareId, async (trx, { site, sharing, share }, now) => {
      this.#mustBeOpen(share, now);
      const untilMs = endMs(wanted.until, now);
      const deviceIds = wanted.resources.map((resource) => resource.deviceId);
      await mustBeShareable(trx, site.id, deviceIds);
      await mustHaveRoom(trx, site.id, now, [{ id: share.id, deviceIds }]);
      await setResources(trx, share.id, wanted.resources);
      await trx.updateTable('share_customers').set({ untilMs }).where('id', '=', share.id).execute();
      await settleGrants(trx, share.id, now);
      if (stateAt(share, now) === 'accepted') await this.#notices.toCustomer(trx, site, share, 'share-changed');
      return sharingView(trx, sharing, now);
    });
  }

  /** Batch Share Devices: several devices for several customers at once, each with its own result. */
  async batch(scope: Scope, siteId: string, wanted: z.output<typeof BatchShare>): Promise<BatchShareResult> {
    await this.#mayShare(scope, siteId, 'batch-share');
    const deviceIds = [...new Set(wanted.deviceIds)];
    return this.#change(siteId, async (trx, now) => {
      const { site, sharing } = await this.#locked(trx, siteId);
      await mustBeShareable(trx, siteId, deviceIds);
      const counts = await customersPerDevice(trx, siteId, now, []);
      const shares = await sharesOf(trx, sharing.id);
      const items: BatchShareResult['items'] = [];
      for (const customerId of new Set(wanted.customerIds)) {
        const share = shares.find((row) => row.id === customerId);
        if (!share) throw new ProblemError('not-found', 'The site is not shared with one of these customers.');
        this.#mustBeOpen(share, now);
        const resources = (await resourcesOf(trx, [share.id])).get(share.id) ?? [];
        for (const deviceId of deviceIds) {
          const before = resources.find((resource) => resource.deviceId === deviceId);
          const count = counts.get(deviceId) ?? 0;
          if (!before && count >= CUSTOMERS_PER_DEVICE) {
            items.push({ deviceId, customerId, result: 'limit-reached' });
            continue;
          }
          items.push({ deviceId, customerId, result: before ? 'shared-before' : 'shared' });
          if (!before) counts.set(deviceId, count + 1);
          const permissions = [...new Set([...(before?.permissions ?? []), ...wanted.permissions])];
          if (before) before.permissions = permissions;
          else resources.push({ deviceId, permissions });
        }
        await setResources(trx, share.id, resources);
        await settleGrants(trx, share.id, now);
        if (stateAt(share, now) === 'accepted') await this.#notices.toCustomer(trx, site, share, 'share-changed');
      }
      return { items };
    });
  }

  /** Mode A, not accepted yet: another address, name or remark. A new invitation goes out, the one before is void. */
  async edit(scope: Scope, shareId: string, person: Person): Promise<Sharing> {
    return this.#onShare(scope, shareId, async (trx, { site, sharing, share }, now) => {
      if (sharing.mode !== 'A') {
        throw new ProblemError('conflict', 'Only with mode A: cancel this customer and add the right one.');
      }
      const state = stateAt(share, now);
      if (state === 'accepted' || state === 'cancelled') {
        throw new ProblemError('conflict', 'The customer has accepted already, or it was cancelled.');
      }
      const untilMs = endMs(person.until, now);
      const { email, phone, name, remark, locale } = person;
      const customerId = await this.#sender.tenantOf(trx, person);
      await this.#sender.mustBeNew(trx, sharing, { id: shareId, customerId, email, phone }, now);
      const edited = { ...share, email, phone, name, remark, locale, untilMs, customerId };
      await trx
        .updateTable('share_customers')
        .set({ email, phone, name, remark, locale, untilMs, customerId })
        .where('id', '=', shareId)
        .execute();
      const links = await this.#sender.send(trx, site, edited, now);
      await settleAdministrator(trx, sharing, now);
      return sharingView(trx, sharing, now, links);
    });
  }

  /** Rejected or expired: the customer is asked once more. A service period that is over starts anew without an end. */
  async shareAgain(scope: Scope, shareId: string): Promise<Sharing> {
    return this.#onShare(scope, shareId, async (trx, { site, sharing, share }, now) => {
      const state = stateAt(share, now);
      if (state !== 'rejected' && state !== 'expired') {
        throw new ProblemError('conflict', 'Only what was rejected or has expired is shared again.');
      }
      const untilMs = share.untilMs !== null && Number(share.untilMs) <= now ? null : share.untilMs;
      const { customerId, email, phone } = share;
      await this.#sender.mustBeNew(trx, sharing, { id: shareId, customerId, email, phone }, now);
      const deviceIds = ((await resourcesOf(trx, [shareId])).get(shareId) ?? []).map((resource) => resource.deviceId);
      await mustHaveRoom(trx, site.id, now, [{ id: shareId, deviceIds }]);
      await trx.updateTable('share_customers').set({ untilMs }).where('id', '=', shareId).execute();
      const links = await this.#sender.send(trx, site, { ...share, untilMs }, now);
      await settleAdministrator(trx, sharing, now);
      return sharingView(trx, sharing, now, links);
    });
  }

  /** Mode A: somebody else reviews the requests. Not once the one there is has accepted: he would be got round. */
  async chooseAdministrator(scope: Scope, shareId: string): Promise<Sharing> {
    return this.#onShare(scope, shareId, async (trx, { sharing, share }, now) => {
      if (sharing.mode !== 'A') throw new ProblemError('conflict', 'Mode B has no customer administrator.');
      this.#mustBeOpen(share, now);
      const shares = await sharesOf(trx, sharing.id);
      const current = shares.find((row) => row.administrator === 1 && stateAt(row, now) === 'accepted');
      if (current && current.id !== shareId) {
        throw new ProblemError('conflict', `“${current.name}” has accepted to be it: cancel his sharing first.`);
      }
      await makeAdministrator(trx, sharing.id, shareId);
      return sharingView(trx, sharing, now);
    });
  }

  /** Access ends at once. With the last customer the site is Not Handed Over again; then the answer is null. */
  async cancel(scope: Scope, shareId: string, administratorId: string | null): Promise<Sharing | null> {
    return this.#onShare(scope, shareId, async (trx, { site, sharing, share }, now) => {
      this.#mustBeOpen(share, now);
      await trx.updateTable('share_customers').set({ state: 'cancelled' }).where('id', '=', shareId).execute();
      await settleGrants(trx, shareId, now);
      await this.#notices.toCustomer(trx, site, share, 'share-ended');
      const others = (await sharesOf(trx, sharing.id)).filter((row) => isOpen(row, now));
      if (others.length === 0) {
        await endSharing(trx, sharing, now);
        return null;
      }
      if (share.administrator === 1) {
        const next = others.find((row) => row.id === administratorId);
        if (next) await makeAdministrator(trx, sharing.id, next.id);
        else {
          await trx.updateTable('share_customers').set({ administrator: 0 }).where('id', '=', shareId).execute();
        }
      }
      await settleAdministrator(trx, sharing, now);
      return sharingView(trx, sharing, now);
    });
  }

  /** Cancels every customer: the site is Not Handed Over again. */
  async end(scope: Scope, siteId: string): Promise<void> {
    await this.#mayShare(scope, siteId, 'batch-share');
    await this.#change(siteId, async (trx, now) => {
      const { site, sharing } = await this.#locked(trx, siteId);
      await this.#endAll(trx, site, sharing, now);
    });
  }

  /** A site is deleted, shared or not: its customers are told. Inside that transaction. */
  async endDeleted(trx: DbOrTrx, siteId: string): Promise<void> {
    const site = await lockSite(trx, siteId);
    const sharing = await activeSharing(trx, siteId);
    if (sharing) await this.#endAll(trx, site, sharing, this.#clock.now());
  }

  async #endAll(trx: DbOrTrx, site: SiteRow, sharing: SharingRow, now: number): Promise<void> {
    for (const share of await sharesOf(trx, sharing.id)) {
      if (isOpen(share, now)) await this.#notices.toCustomer(trx, site, share, 'share-ended');
    }
    await endSharing(trx, sharing, now);
  }

  async #change<T>(siteId: string, fn: (trx: DbOrTrx, now: number) => Promise<T>): Promise<T> {
    const result = await this.#db.transaction().execute((trx) => fn(trx, this.#clock.now()));
    this.#kick();
    this.#log.info({ siteId }, 'sharing changed');
    return result;
  }

  /** Runs with the share's site locked, and only for who may share that site. */
  async #onShare<T>(
    scope: Scope,
    shareId: string,
    fn: (trx: DbOrTrx, at: { site: SiteRow; sharing: SharingRow; share: ShareRow }, now: number) => Promise<T>,
  ): Promise<T> {
    const found = await this.#db
      .selectFrom('share_customers')
      .select('siteId')
      .where('id', '=', shareId)
      .where('siteId', 'in', scope.siteIds('manage'))
      .executeTakeFirst();
    if (!found) throw new ProblemError('not-found');
    await this.#mayShare(scope, found.siteId, 'batch-share');
    return this.#change(found.siteId, async (trx, now) => {
      const locked = await this.#locked(trx, found.siteId);
      const share = (await sharesOf(trx, locked.sharing.id)).find((row) => row.id === shareId);
      if (!share) throw new ProblemError('not-found');
      return fn(trx, { ...locked, share }, now);
    });
  }

  async #mayShare(scope: Scope, siteId: string, operation: 'share' | 'batch-share'): Promise<void> {
    await scope.site(siteId, 'manage', operation);
    scope.must('manage-all-sites', 'manage-assigned-sites');
  }

  async #locked(trx: DbOrTrx, siteId: string): Promise<{ site: SiteRow; sharing: SharingRow }> {
    const site = await lockSite(trx, siteId);
    const sharing = await activeSharing(trx, siteId);
    if (!sharing) throw new ProblemError('site-status', 'The site is not shared.');
    return { site, sharing };
  }

  #mustBeOpen(share: ShareRow, now: number): void {
    if (!isOpen(share, now)) {
      throw new ProblemError('conflict', `The sharing with “${share.name}” is over: share again, or add him again.`);
    }
  }

  /** Mode A: the company goes on managing, and asks for what shows the customers' rooms. */
  async #keepManagingOnly(trx: DbOrTrx, { id, siteId, companyId }: SharingRow, now: number): Promise<void> {
    await trx
      .deleteFrom('grants')
      .where('siteId', '=', siteId)
      .where('companyId', '=', companyId)
      .where('source', '=', 'site')
      .execute();
    const row = { companyId, siteId, source: 'sharing' as const, sourceId: id };
    await trx
      .insertInto('grants')
      .values([
        { ...row, id: uuidv7(now), permission: 'list' },
        { ...row, id: uuidv7(now), permission: 'manage' },
      ])
      .execute();
  }
}
