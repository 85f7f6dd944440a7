import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { type Share, ShareRequest } from '../../protocol/wire/sharing.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import { hashToken } from '../auth/sessions.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { CustomerDecides } from './rules.ts';
import type { ShareNotices } from './share-notices.ts';
import { isOpen, lockSite, resourcesOf, type ShareRow, settleGrants, stateAt } from './sharing-rules.ts';

const SWEEP_MS = 60_000;

/** What is shared with a customer: he accepts it, turns it down, gives it back. */
export class Shares {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notices: ShareNotices;
  readonly #notifier: Notifier;
  readonly #decides: CustomerDecides;
  #release: () => void = () => {};

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    notices: ShareNotices;
    notifier: Notifier;
    decides?: CustomerDecides;
  }) {
    this.#decides = deps.decides ?? (async () => {});
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notices = deps.notices;
    this.#notifier = deps.notifier;
  }

  start(): void {
    this.#release = this.#clock.every(SWEEP_MS, () => {
      this.sweep().catch((error) => this.#log.error({ err: error }, 'expired shares could not be swept'));
    });
  }

  stop(): void {
    this.#release();
  }

  /** What was shared with his confirmed addresses, newest first. */
  async list(scope: Scope, limit: number, cursor: string | undefined): Promise<Page<Share>> {
    const mine = await this.#mine(scope);
    const rows = await this.#db
      .selectFrom('share_customers')
      .selectAll()
      .where('state', '<>', 'cancelled')
      .where(mine)
      .$if(cursor !== undefined, (q) => q.where('id', '<', cursor!))
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = await Promise.all(rows.slice(0, limit).map((row) => this.#view(this.#db, row)));
    return { items, nextCursor: rows.length > limit ? rows[limit - 1]!.id : null };
  }

  /** What the link of an invitation is about. */
  async open(token: string): Promise<Share> {
    return this.#view(this.#db, await this.#byToken(token));
  }

  /** A customer proved an address to be his, inside that transaction: what went there is his to accept, as its sender sees. */
  async registered(trx: DbOrTrx, userId: string): Promise<void> {
    const me = await trx
      .selectFrom('users as u')
      .innerJoin('companies as c', 'c.id', 'u.companyId')
      .select(['u.companyId', 'u.email', 'u.phone', 'u.emailVerifiedMs', 'u.phoneVerifiedMs'])
      .where('u.id', '=', userId)
      .where('c.type', '=', 'customer')
      .executeTakeFirst();
    const email = me?.emailVerifiedMs != null ? me.email : null;
    const phone = me?.phoneVerifiedMs != null ? me.phone : null;
    if (!me || (!email && !phone)) return;
    await trx
      .updateTable('share_customers')
      .set({ customerId: me.companyId })
      .where('customerId', 'is', null)
      .where('state', '=', 'to-be-accepted')
      .where((e) => e.or([...(email ? [e('email', '=', email)] : []), ...(phone ? [e('phone', '=', phone)] : [])]))
      .execute();
  }

  /** By the link: whoever has it got it at that address, or was shown it. It is used up by that. */
  async acceptByToken(scope: Scope, token: string): Promise<Share> {
    return this.#answer(scope, await this.#byToken(token), true);
  }

  async answer(scope: Scope, id: string, yes: boolean): Promise<Share> {
    const mine = await this.#mine(scope);
    const share = await this.#db
      .selectFrom('share_customers')
      .selectAll()
      .where('id', '=', id)
      .where(mine)
      .executeTakeFirst();
    if (!share) throw new ProblemError('not-found');
    return this.#answer(scope, share, yes);
  }

  async #answer(scope: Scope, found: ShareRow, yes: boolean): Promise<Share> {
    if (scope.companyType !== 'customer') {
      throw new ProblemError('not-allowed', 'Only customers accept this: sign in with an account of a customer.');
    }
    const { companyId } = scope;
    const result = await this.#db.transaction().execute(async (trx) => {
      const now = this.#clock.now();
      const site = await lockSite(trx, found.siteId);
      const share = await trx
        .selectFrom('share_customers')
        .selectAll()
        .where('id', '=', found.id)
        // An invitation that was sent anew meanwhile, perhaps to somebody else, is not this one.
        .where('tokenHash', '=', found.tokenHash)
        .executeTakeFirst();
      const state = share && stateAt(share, now);
      if (!share || state === 'cancelled' || state === 'expired') {
        throw new ProblemError(
          'link-invalid',
          'What was shared is no longer offered: ask your installer to share it again.',
        );
      }
      if (state === 'rejected' || (yes && state === 'accepted'))
        throw new ProblemError('conflict', 'You answered this before.');
      if (yes) await this.#mustBeOnly(trx, share, companyId, now);
      const answer = {
        state: yes ? ('accepted' as const) : ('rejected' as const),
        answeredMs: now,
        customerId: companyId,
        tokenHash: yes ? hashToken(uuidv7(now)) : share.tokenHash,
      };
      await trx.updateTable('share_customers').set(answer).where('id', '=', share.id).execute();
      await settleGrants(trx, share.id, now);
      const answered = { ...share, ...answer };
      if (yes && share.administrator === 1) {
        await this.#apply(trx, answered, now);
        await this.#decides(trx, share.siteId, companyId);
      }
      await this.#notices.toCompany(trx, site, answered, yes ? 'share-accepted' : 'share-rejected');
      return this.#view(trx, answered);
    });
    this.#notifier.kick();
    this.#log.info({ shareId: found.id, companyId, yes }, 'share answered');
    return result;
  }

  /** Ends what ran out and tells both sides. That it has ended shows from that moment, swept or not. */
  async sweep(): Promise<void> {
    const now = this.#clock.now();
    const rows = await this.#db
      .selectFrom('share_customers')
      .selectAll()
      .where((e) =>
        e.or([
          e.and([e('state', '=', 'to-be-accepted'), e('acceptByMs', '<=', now)]),
          e.and([e('state', 'in', ['to-be-accepted', 'accepted']), e('untilMs', '<=', now)]),
        ]),
      )
      .limit(500)
      .execute();
    for (const { id, siteId } of rows) {
      await this.#db.transaction().execute(async (trx) => {
        const site = await lockSite(trx, siteId);
        const share = await trx
          .selectFrom('share_customers')
          .selectAll()
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        if (stateAt(share, now) !== 'expired' || share.state === 'expired') return;
        await trx.updateTable('share_customers').set({ state: 'expired' }).where('id', '=', id).execute();
        await settleGrants(trx, id, now);
        await this.#notices.toCompany(trx, site, share, share.state === 'accepted' ? 'share-over' : 'share-expired');
        if (share.state === 'accepted') await this.#notices.toCustomer(trx, site, share, 'share-ended');
      });
    }
    if (rows.length > 0) this.#notifier.kick();
  }

  /** Nobody accepts the same site twice, as himself and by somebody else's link. */
  async #mustBeOnly(trx: DbOrTrx, share: ShareRow, companyId: string, now: number): Promise<void> {
    const others = await trx
      .selectFrom('share_customers')
      .selectAll()
      .where('sharingId', '=', share.sharingId)
      .where('customerId', '=', companyId)
      .where('state', '=', 'accepted')
      .where('id', '<>', share.id)
      .execute();
    if (others.some((row) => stateAt(row, now) === 'accepted')) {
      throw new ProblemError('conflict', 'This site is shared with you already.');
    }
  }

  /** Mode A: the customer administrator is there; what the installer asks for now waits for his decision. */
  async #apply(trx: DbOrTrx, share: ShareRow, now: number): Promise<void> {
    const sharing = await trx
      .selectFrom('sharings')
      .selectAll()
      .where('id', '=', share.sharingId)
      .executeTakeFirstOrThrow();
    const requests = ShareRequest.array().parse(JSON.parse(sharing.requests));
    const devices = await trx
      .selectFrom('devices')
      .select('id')
      .where('siteId', '=', share.siteId)
      .where('deletedAt', 'is', null)
      .execute();
    if (requests.length === 0 || devices.length === 0) return;
    const applicationId = uuidv7(now);
    const { siteId, companyId, userId } = sharing;
    await trx
      .insertInto('permission_applications')
      .values({
        id: applicationId,
        siteId,
        companyId,
        userId,
        createdMs: now,
        deciderId: share.customerId!,
        remark: share.remark,
      })
      .execute();
    await trx
      .insertInto('permission_application_items')
      .values(
        requests.flatMap(({ permission, validity }) =>
          devices.map(({ id }) => ({
            id: uuidv7(now),
            applicationId,
            deviceId: id,
            permission,
            validity,
            state: 'pending' as const,
            decidedMs: null,
          })),
        ),
      )
      .execute();
  }

  /**
   * How a share is known to be this customer's: it is tied to his tenant; or to nobody's yet, and went to an address that he
   * has confirmed. Whoever gets an address later gets nothing of what its holder before him has.
   */
  async #mine(scope: Scope): Promise<(e: ExpressionBuilder<Database, 'share_customers'>) => Expression<SqlBool>> {
    const addresses = await this.#addresses(scope);
    return (e) =>
      e.or([
        e('customerId', '=', scope.companyId),
        e.and([e('customerId', 'is', null), e.or(addresses.map(([column, value]) => e(column, '=', value)))]),
      ]);
  }

  async #addresses(scope: Scope): Promise<['email' | 'phone', string][]> {
    const mine: ['email' | 'phone', string][] = [];
    if (scope.companyType !== 'customer') return mine;
    const me = await this.#db
      .selectFrom('users')
      .select(['email', 'phone', 'emailVerifiedMs', 'phoneVerifiedMs'])
      .where('id', '=', scope.userId)
      .executeTakeFirstOrThrow();
    if (me.email && me.emailVerifiedMs !== null) mine.push(['email', me.email]);
    if (me.phone && me.phoneVerifiedMs !== null) mine.push(['phone', me.phone]);
    return mine;
  }

  async #byToken(token: string): Promise<ShareRow> {
    const share = await this.#db
      .selectFrom('share_customers')
      .selectAll()
      .where('tokenHash', '=', hashToken(token))
      .executeTakeFirst();
    if (!share || stateAt(share, this.#clock.now()) !== 'to-be-accepted') throw new ProblemError('link-invalid');
    return share;
  }

  async #view(db: DbOrTrx, share: ShareRow): Promise<Share> {
    const row = await db
      .selectFrom('sharings as s')
      .innerJoin('sites', 'sites.id', 's.siteId')
      .innerJoin('companies as c', 'c.id', 's.companyId')
      .select(['s.mode', 's.requests', 'sites.name as siteName', 'sites.timeZone', 'c.name as company', 'c.phone'])
      .where('s.id', '=', share.sharingId)
      .executeTakeFirstOrThrow();
    const state = stateAt(share, this.#clock.now());
    // What is at a site is told to who has something of it, or may: not once he rejected it or it has ended.
    const open = isOpen(share, this.#clock.now());
    const resources = open ? ((await resourcesOf(db, [share.id])).get(share.id) ?? []) : [];
    const names = await db
      .selectFrom('devices')
      .select(['id', 'name'])
      .where('id', 'in', ['', ...resources.map((resource) => resource.deviceId)])
      .execute();
    const administrator = share.administrator === 1;
    return {
      id: share.id,
      siteId: share.siteId,
      siteName: open ? row.siteName : '',
      timeZone: row.timeZone,
      company: { name: row.company, phone: row.phone },
      mode: row.mode,
      administrator,
      state,
      remark: share.remark,
      acceptBy: iso(Number(share.acceptByMs)),
      until: share.untilMs === null ? null : iso(Number(share.untilMs)),
      devices: resources.map(({ deviceId, permissions }) => ({
        id: deviceId,
        name: names.find((device) => device.id === deviceId)?.name ?? '',
        permissions,
      })),
      requests: administrator ? ShareRequest.array().parse(JSON.parse(row.requests)) : [],
    };
  }
}
