import type { Logger } from 'pino';
import { type Clock, iso } from '../../../protocol/clock.ts';
import type { Page } from '../../../protocol/wire/api.ts';
import type { ArcMedia, ArcRequest } from '../../../protocol/wire/arc-service.ts';
import type { EventType } from '../../../protocol/wire/event.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import type { ServiceNotices } from './notices.ts';
import type { RequestRow, ServiceRow } from './schema.ts';
import type { SettledAccounts } from './settled-accounts.ts';

export const REQUESTS_PATH = '/arc-requests';

const select = (db: DbOrTrx) =>
  db
    .selectFrom('arc_requests as q')
    .innerJoin('arc_services as s', 's.id', 'q.serviceId')
    .innerJoin('devices as d', 'd.id', 's.deviceId')
    .innerJoin('sites as i', 'i.id', 's.siteId')
    .innerJoin('companies as arc', 'arc.id', 's.arcId')
    .selectAll('q')
    .select([
      ...(['s.siteId', 's.deviceId', 's.arcId', 's.account', 's.events as eventsNow'] as const),
      ...(['d.name as deviceName', 'i.name as siteName', 'arc.name as arcName'] as const),
    ]);
type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number];

/**
 * What waits for approval: event types that a centre wants changed (ARC-20; customer or installer decides, whoever comes
 * first), pictures and clips for it (ARC-27; the customer decides where there is one).
 */
export class ServiceRequests {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notices: ServiceNotices;
  readonly #accounts: SettledAccounts;
  readonly #decider: (db: DbOrTrx, siteId: string) => Promise<string | null>;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    notices: ServiceNotices;
    accounts: SettledAccounts;
    /** The customer who decides at this site; null: who manages it does. */
    decider: (db: DbOrTrx, siteId: string) => Promise<string | null>;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notices = deps.notices;
    this.#accounts = deps.accounts;
    this.#decider = deps.decider;
  }

  /** Of the sites in reach, newest first. */
  async list(
    scope: Scope,
    { limit, cursor, pending, siteId }: { limit: number; cursor?: string; pending: boolean; siteId?: string },
  ): Promise<Page<ArcRequest>> {
    const rows = await select(this.#db)
      .where((e) =>
        e.or([
          scope.reaches('s.siteId', null, 'own'),
          scope.reaches('s.siteId', null, 'manage'),
          // The customer administrator of a site that is shared in mode A.
          e.exists(
            e
              .selectFrom('share_customers as c')
              .innerJoin('sharings as h', 'h.id', 'c.sharingId')
              .select('c.id')
              .whereRef('h.siteId', '=', 's.siteId')
              .where('h.endedMs', 'is', null)
              .where('h.mode', '=', 'A')
              .where('c.administrator', '=', 1)
              .where('c.state', '=', 'accepted')
              .where('c.customerId', '=', scope.companyId)
              .where((f) => f.or([f('c.untilMs', 'is', null), f('c.untilMs', '>', this.#clock.now())])),
          ),
        ]),
      )
      .$if(pending, (q) => q.where('q.state', '=', 'pending'))
      .$if(siteId !== undefined, (q) => q.where('s.siteId', '=', siteId!))
      .$if(cursor !== undefined, (q) => q.where('q.id', '<', cursor!))
      .orderBy('q.id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map(toRequest);
    return { items, nextCursor: rows.length > limit ? items.at(-1)!.id : null };
  }

  /** A further wish takes the place of one that waits. Inside the caller's transaction. */
  async askEvents(trx: DbOrTrx, row: ServiceRow, events: readonly EventType[]): Promise<void> {
    await this.#ask(trx, row, { kind: 'events', events: JSON.stringify(events), picture: 0, clip: 0 });
    await this.#notices.toSite(trx, row, 'arc-events-requested', { link: REQUESTS_PATH, only: 'company' });
    const customer = await this.#decider(trx, row.siteId);
    if (customer !== null) await this.#notices.to(trx, row, customer, 'arc-events-requested', REQUESTS_PATH);
  }

  /** What is given up is given up at once; for more the customer is asked, where there is one. Inside the transaction. */
  async askMedia(trx: DbOrTrx, row: ServiceRow, wanted: ArcMedia): Promise<void> {
    const [picture, clip] = [wanted.picture ? 1 : 0, wanted.clip ? 1 : 0];
    const customer = await this.#decider(trx, row.siteId);
    if (customer === null) return this.#give(trx, row, { picture, clip });
    const kept = { picture: Math.min(picture, row.picture), clip: Math.min(clip, row.clip) };
    if (kept.picture !== row.picture || kept.clip !== row.clip) await this.#give(trx, row, kept);
    await this.#withdraw(trx, row.id, 'media');
    if (picture === kept.picture && clip === kept.clip) return;
    await this.#ask(trx, row, { kind: 'media', events: null, picture, clip });
    await this.#notices.to(trx, row, customer, 'arc-media-requested', REQUESTS_PATH);
  }

  /** A customer decides at the site from now on: what his alarms may bring along is his to say (ARC-27). */
  async customerDecides(trx: DbOrTrx, siteId: string): Promise<void> {
    const rows = await trx
      .selectFrom('arc_services')
      .selectAll()
      .where('siteId', '=', siteId)
      .where('endedMs', 'is', null)
      .where((e) => e.or([e('picture', '=', 1), e('clip', '=', 1)]))
      .execute();
    for (const row of rows) {
      await this.#give(trx, row, { picture: 0, clip: 0 });
      await this.askMedia(trx, { ...row, picture: 0, clip: 0 }, { picture: row.picture === 1, clip: row.clip === 1 });
    }
  }

  async decide(scope: Scope, id: string, approve: boolean): Promise<ArcRequest> {
    const found = await select(this.#db).where('q.id', '=', id).executeTakeFirst();
    if (!found || !(await this.#mayDecide(scope, found))) throw new ProblemError('not-found');
    const { request, serial } = await this.#db.transaction().execute(async (trx) => {
      const request = await select(trx).where('q.id', '=', id).executeTakeFirstOrThrow();
      const now = this.#clock.now();
      const { numUpdatedRows } = await trx
        .updateTable('arc_requests')
        .set({ state: approve ? 'approved' : 'refused', decidedMs: now, decidedBy: scope.companyId })
        .where('id', '=', id)
        .where('state', '=', 'pending')
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new ProblemError('conflict', 'This was decided, or taken back, already.');
      const row = await trx
        .selectFrom('arc_services')
        .selectAll()
        .where('id', '=', request.serviceId)
        .executeTakeFirstOrThrow();
      if (request.kind === 'events') {
        if (approve)
          await trx.updateTable('arc_services').set({ events: request.events! }).where('id', '=', row.id).execute();
        await this.#notices.toCentre(trx, row, approve ? 'arc-events-approved' : 'arc-events-refused');
      } else {
        if (approve) await this.#give(trx, row, request);
        await this.#notices.toSite(trx, row, approve ? 'arc-media-approved' : 'arc-media-refused', { only: 'company' });
      }
      await this.#accounts.settle(trx, row.boxSerial);
      const decided = await select(trx).where('q.id', '=', id).executeTakeFirstOrThrow();
      return { request: { ...decided, eventsNow: request.eventsNow }, serial: row.boxSerial };
    });
    this.#notices.kick();
    this.#accounts.announce(serial);
    this.#log.info({ requestId: id, approve, userId: scope.userId }, 'request about the ARC service decided');
    return toRequest(request);
  }

  /** Writes what the alarms of a device may bring along, and what its centre may see for it. */
  async #give(trx: DbOrTrx, row: ServiceRow, { picture, clip }: { picture: number; clip: number }): Promise<void> {
    await trx.updateTable('arc_services').set({ picture, clip }).where('id', '=', row.id).execute();
    await grantCentre(trx, { ...row, picture, clip }, this.#clock.now());
  }

  async #ask(
    trx: DbOrTrx,
    row: ServiceRow,
    wanted: Pick<RequestRow, 'kind' | 'events' | 'picture' | 'clip'>,
  ): Promise<void> {
    await this.#withdraw(trx, row.id, wanted.kind);
    const now = this.#clock.now();
    await trx
      .insertInto('arc_requests')
      .values({
        id: uuidv7(now),
        serviceId: row.id,
        ...wanted,
        state: 'pending',
        createdMs: now,
        decidedMs: null,
        decidedBy: null,
      })
      .execute();
  }

  async #withdraw(trx: DbOrTrx, serviceId: string, kind: RequestRow['kind']): Promise<void> {
    await trx
      .updateTable('arc_requests')
      .set({ state: 'withdrawn', decidedMs: this.#clock.now() })
      .where('serviceId', '=', serviceId)
      .where('kind', '=', kind)
      .where('state', '=', 'pending')
      .execute();
  }

  async #mayDecide(scope: Scope, { siteId, kind }: Row): Promise<boolean> {
    const customer = await this.#decider(this.#db, siteId);
    if (customer === scope.companyId) return true;
    if (kind === 'media' && customer !== null) return false;
    if (!(await scope.holds(siteId, null, 'manage'))) return false;
    scope.must('manage-devices');
    return true;
  }
}

/** What a centre may reach of a device while its service is active: its events and alarms, clips where they were given. */
export async function grantCentre(trx: DbOrTrx, row: ServiceRow, now: number): Promise<void> {
  await trx.deleteFrom('grants').where('source', '=', 'arc').where('sourceId', '=', row.id).execute();
  if (row.state !== 'active' || row.endedMs !== null) return;
  const common = { companyId: row.arcId, siteId: row.siteId, deviceId: row.deviceId, sourceId: row.id };
  const permissions = row.clip === 1 ? (['view', 'playback'] as const) : (['view'] as const);
  await trx
    .insertInto('grants')
    .values(permissions.map((permission) => ({ ...common, id: uuidv7(now), permission, source: 'arc' as const })))
    .execute();
}

function toRequest(row: Row): ArcRequest {
  const { id, serviceId, kind, state, siteId, siteName, deviceId, deviceName, account } = row;
  return {
    id,
    serviceId,
    kind,
    state,
    siteId,
    siteName,
    deviceId,
    deviceName,
    account,
    arc: { id: row.arcId, name: row.arcName },
    events: row.events === null ? null : { now: JSON.parse(row.eventsNow), wanted: JSON.parse(row.events) },
    media: kind === 'media' ? { picture: row.picture === 1, clip: row.clip === 1 } : null,
    createdAt: iso(Number(row.createdMs)),
    decidedAt: row.decidedMs === null ? null : iso(Number(row.decidedMs)),
  };
}
