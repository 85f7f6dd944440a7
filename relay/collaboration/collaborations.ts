import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import {
  type Collaboration,
  type CreateCollaboration,
  PARTNER_PERMISSIONS,
  PartnerPermission,
} from '../../protocol/wire/collaboration.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { NoticeCode } from '../../protocol/wire/notify.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Database, SiteRow } from '../db/schema.ts';
import { managedUntil } from '../handover/rules.ts';
import { lockSite } from '../handover/sharing-rules.ts';
import type { Notifier } from '../notify/notifier.ts';
import { assignGuest, dismissGuests } from './assigned.ts';
import { suitablePartner } from './suitable.ts';

type Row = Selectable<Database['collaborations']>;
type Wanted = z.output<typeof CreateCollaboration>;
/** In which status of the site each kind of partner helps. */
const STATUS = { isp: 'not-handed-over', msp: 'authorized' } as const;
const OPEN = ['invited', 'active'] as const;

/** Companies that help another one at a site: before its handover (ISP) or after (MSP). */
export class Collaborations {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notifier: Notifier;

  constructor(deps: { db: Db; clock: Clock; log: Logger; notifier: Notifier }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notifier = deps.notifier;
  }

  /** Those of one site, newest first: for its company and its owner. */
  async ofSite(scope: Scope, siteId: string): Promise<Collaboration[]> {
    const site = await scope.site(siteId);
    const rows = await this.#db
      .selectFrom('collaborations')
      .selectAll()
      .where('siteId', '=', site.id)
      .where((e) =>
        e.or([
          e('companyId', '=', scope.companyId),
          e('partnerId', '=', scope.companyId),
          e('customerId', '=', scope.companyId),
        ]),
      )
      .orderBy('id', 'desc')
      .limit(200)
      .execute();
    return Promise.all(rows.map((row) => this.#view(this.#db, scope, row)));
  }

  /** What somebody was invited to as a partner, or asked about as a customer; newest first. */
  async mine(scope: Scope, limit: number, cursor: string | undefined): Promise<Page<Collaboration>> {
    const rows = await this.#db
      .selectFrom('collaborations')
      .selectAll()
      .where((e) => e.or(mineOf(scope).map(([column, id]) => e(column, '=', id))))
      .$if(cursor !== undefined, (q) => q.where('id', '<', cursor!))
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = await Promise.all(rows.slice(0, limit).map((row) => this.#view(this.#db, scope, row)));
    return { items, nextCursor: rows.length > limit ? rows[limit - 1]!.id : null };
  }

  /** Invites another company's account. Of an MSP the site's owner is asked as well. */
  async invite(scope: Scope, siteId: string, wanted: Wanted): Promise<Collaboration> {
    const found = await scope.site(siteId, 'manage', 'collaborate');
    if (found.companyId !== scope.companyId) {
      throw new ProblemError('not-allowed', 'Partners are invited by the company whose site it is.');
    }
    scope.must('manage-all-sites', 'manage-assigned-sites');
    const { stage, email, remark } = wanted;
    const permissions = stage === 'isp' ? [...PARTNER_PERMISSIONS] : [...new Set(wanted.permissions)];
    if (permissions.length === 0) {
      const message = 'choose what the partner may do';
      throw new ProblemError('invalid-request', `permissions: ${message}`, {
        errors: [{ path: 'permissions', message }],
      });
    }
    return this.#change(async (trx, now) => {
      const site = await lockSite(trx, siteId);
      mustFit(site, stage);
      const partner = await suitablePartner(trx, scope.companyId, email, stage);
      const open = await trx
        .selectFrom('collaborations')
        .select('id')
        .where('siteId', '=', siteId)
        .where('partnerId', '=', partner.companyId)
        .where('state', 'in', OPEN)
        .executeTakeFirst();
      if (open) throw new ProblemError('conflict', 'This company helps here already, or has not answered yet.');
      const row: Row = {
        id: uuidv7(now),
        siteId,
        companyId: scope.companyId,
        stage,
        remark,
        partnerId: partner.companyId,
        userId: partner.userId,
        permissions: JSON.stringify(permissions),
        state: 'invited',
        partnerAnswer: 'pending',
        customerId: stage === 'msp' ? site.ownerId : null,
        customerAnswer: stage === 'msp' ? 'pending' : null,
        createdMs: now,
        endedMs: null,
      };
      await trx.insertInto('collaborations').values(row).execute();
      await this.#tellUser(trx, row, 'partner-invited');
      if (row.customerId) await this.#tell(trx, row, row.customerId, 'partner-approval');
      return this.#view(trx, scope, row);
    });
  }

  /** The partner, or the site's owner, says yes or no. It begins when everybody has said yes. */
  async answer(scope: Scope, id: string, yes: boolean): Promise<Collaboration> {
    await this.#mustBeIn(scope, id);
    return this.#change(async (trx, now) => {
      const row = await read(trx, id);
      const side = sideOf(scope, row);
      const mine = side === 'customer' ? row.customerAnswer : row.partnerAnswer;
      if (side === 'company' || row.state !== 'invited' || mine !== 'pending') {
        throw new ProblemError('conflict', 'There is nothing for you to answer any more.');
      }
      if (side === 'partner' && scope.limited) throw new ProblemError('account-limited');
      const site = await lockSite(trx, row.siteId);
      const word = yes ? 'yes' : 'no';
      const next: Row = { ...row, [side === 'customer' ? 'customerAnswer' : 'partnerAnswer']: word };
      if (!yes) next.state = side === 'customer' ? 'refused' : 'declined';
      else if (next.partnerAnswer === 'yes' && next.customerAnswer !== 'pending') {
        mustFit(site, row.stage);
        next.state = 'active';
        await this.#grant(trx, next, now);
      }
      if (!yes) next.endedMs = now;
      const { partnerAnswer, customerAnswer, state, endedMs } = next;
      // Only if nobody was quicker.
      const { numUpdatedRows } = await trx
        .updateTable('collaborations')
        .set({ partnerAnswer, customerAnswer, state, endedMs })
        .where('id', '=', id)
        .where('state', '=', 'invited')
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new ProblemError('conflict', 'There is nothing for you to answer any more.');
      const code: NoticeCode = yes ? 'partner-accepted' : 'partner-declined';
      await this.#tell(trx, row, row.companyId, code);
      if (!yes && side === 'customer') await this.#tellUser(trx, row, 'partner-ended');
      return this.#view(trx, scope, next);
    });
  }

  /** Whoever takes part can end it: the company, the partner, the owner who approved it. */
  async end(scope: Scope, id: string): Promise<Collaboration> {
    await this.#mustBeIn(scope, id);
    return this.#change(async (trx, now) => {
      await lockSite(trx, (await read(trx, id)).siteId);
      const row = await read(trx, id);
      if (sideOf(scope, row) !== 'customer') {
        if (scope.limited) throw new ProblemError('account-limited');
        if (sideOf(scope, row) === 'company') scope.must('manage-all-sites', 'manage-assigned-sites');
      }
      if (row.state !== 'invited' && row.state !== 'active')
        throw new ProblemError('conflict', 'It has ended already.');
      const ended = await this.#end(trx, row, now, scope.companyId);
      return this.#view(trx, scope, ended);
    });
  }

  /** The site is handed over: whoever helped until then helps no more. Called inside that transaction. */
  async endAtHandover(trx: DbOrTrx, siteId: string): Promise<void> {
    for (const row of await openAt(trx, siteId, 'isp')) await this.#end(trx, row, this.#clock.now(), row.companyId);
  }

  /** The company may not manage the site any more: nor whoever helped it, or was asked to. Inside that transaction. */
  async endAuthorized(trx: DbOrTrx, siteId: string): Promise<void> {
    for (const row of await openAt(trx, siteId, 'msp')) await this.#end(trx, row, this.#clock.now(), null);
  }

  /** Told to everybody but who ended it; null: it ended by itself. */
  async #end(trx: DbOrTrx, row: Row, now: number, endedBy: string | null): Promise<Row> {
    const ended: Row = { ...row, state: 'ended', endedMs: now };
    await trx.updateTable('collaborations').set({ state: 'ended', endedMs: now }).where('id', '=', row.id).execute();
    await trx.deleteFrom('grants').where('source', '=', 'collaboration').where('sourceId', '=', row.id).execute();
    await dismissGuests(trx, row.siteId, row.partnerId, now);
    if (endedBy !== row.partnerId) await this.#tellUser(trx, row, 'partner-ended');
    if (endedBy !== row.companyId) await this.#tell(trx, row, row.companyId, 'partner-ended');
    if (row.customerId && endedBy !== row.customerId) await this.#tell(trx, row, row.customerId, 'partner-ended');
    return ended;
  }

  /** Nobody helps for longer than the company that he helps is there itself. */
  async #grant(trx: DbOrTrx, row: Row, now: number): Promise<void> {
    const untilMs = await managedUntil(trx, row.siteId, row.companyId, now);
    if (untilMs === undefined) throw new ProblemError('site-status');
    const common = {
      companyId: row.partnerId,
      siteId: row.siteId,
      untilMs,
      source: 'collaboration' as const,
      sourceId: row.id,
    };
    await trx
      .insertInto('grants')
      .values(permissionsOf(row).map((permission) => ({ ...common, id: uuidv7(now), permission })))
      .execute();
    await assignGuest(trx, row.siteId, row.userId);
  }

  async #change<T>(fn: (trx: DbOrTrx, now: number) => Promise<T>): Promise<T> {
    const result = await this.#db.transaction().execute((trx) => fn(trx, this.#clock.now()));
    this.#notifier.kick();
    this.#log.info('partners of a site changed');
    return result;
  }

  /** Whoever takes part; of the site's own company only who reaches the site. */
  async #mustBeIn(scope: Scope, id: string): Promise<void> {
    const row = await this.#db.selectFrom('collaborations').selectAll().where('id', '=', id).executeTakeFirst();
    if (row && mineOf(scope).some(([column, own]) => row[column] === own)) return;
    if (!row || row.companyId !== scope.companyId) throw new ProblemError('not-found');
    await scope.site(row.siteId, 'manage');
  }

  async #tell(trx: DbOrTrx, row: Row, companyId: string, code: NoticeCode): Promise<void> {
    const own = companyId === row.companyId;
    const link = own ? `/sites/${row.siteId}/partners` : '/invitations';
    const values = await this.#values(trx, row);
    const siteId = own ? row.siteId : null;
    await this.#notifier.toCompany(trx, companyId, { category: 'business', code, values, link, siteId });
  }

  async #tellUser(trx: DbOrTrx, row: Row, code: NoticeCode): Promise<void> {
    const values = await this.#values(trx, row);
    // Of no site: a partner does not reach it before he has accepted, nor after it has ended.
    await this.#notifier.toUsers(trx, [row.userId], { category: 'business', code, values, link: '/invitations' });
  }

  async #values(trx: DbOrTrx, row: Row): Promise<Record<string, string>> {
    const { site, company, partner } = await this.#names(trx, row);
    return { site: site.name, company: company.name, partner: partner.name, remark: row.remark };
  }

  async #names(db: DbOrTrx, row: Row) {
    const names = await db
      .selectFrom('companies')
      .select(['id', 'name'])
      .where('id', 'in', [row.companyId, row.partnerId])
      .execute();
    const site = await db.selectFrom('sites').select('name').where('id', '=', row.siteId).executeTakeFirstOrThrow();
    const of = (id: string) => names.find((company) => company.id === id)!;
    return { site, company: of(row.companyId), partner: of(row.partnerId) };
  }

  async #view(db: DbOrTrx, scope: Scope, row: Row): Promise<Collaboration> {
    const { site, company, partner } = await this.#names(db, row);
    const user = await db.selectFrom('users').select('email').where('id', '=', row.userId).executeTakeFirst();
    const { id, siteId, stage, remark, state, partnerAnswer, customerAnswer } = row;
    const side = sideOf(scope, row);
    return {
      id,
      siteId,
      stage,
      remark,
      state,
      partnerAnswer,
      customerAnswer,
      // Of a partner whose help came to nothing or has ended the site is no business any more.
      siteName: side === 'partner' && !(OPEN as readonly string[]).includes(state) ? '' : site.name,
      company,
      partner: { ...partner, email: user?.email ?? null },
      permissions: permissionsOf(row),
      createdAt: iso(Number(row.createdMs)),
      side,
    };
  }
}

const openAt = (trx: DbOrTrx, siteId: string, stage: 'isp' | 'msp'): Promise<Row[]> =>
  trx
    .selectFrom('collaborations')
    .selectAll()
    .where('siteId', '=', siteId)
    .where('stage', '=', stage)
    .where('state', 'in', OPEN)
    .execute();
const read = (trx: DbOrTrx, id: string): Promise<Row> =>
  trx.selectFrom('collaborations').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const permissionsOf = (row: Row) => PartnerPermission.array().parse(JSON.parse(row.permissions));

function mustFit(site: SiteRow, stage: 'isp' | 'msp'): void {
  if (site.status === STATUS[stage]) return;
  const when = stage === 'isp' ? 'before the site is handed over' : 'after a transfer, while you are authorised';
  throw new ProblemError('site-status', `An ${stage.toUpperCase()} helps ${when}.`);
}

/** By which columns an invitation or question is somebody's own. */
function mineOf(scope: Scope): ['userId' | 'partnerId' | 'customerId', string][] {
  if (scope.companyType === 'customer') return [['customerId', scope.companyId]];
  return scope.admin ? [['partnerId', scope.companyId]] : [['userId', scope.userId]];
}

function sideOf(scope: Scope, row: Row): Collaboration['side'] {
  if (row.customerId === scope.companyId) return 'customer';
  return row.partnerId === scope.companyId ? 'partner' : 'company';
}
