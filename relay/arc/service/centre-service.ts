import type { Logger } from 'pino';
import type { Clock } from '../../../protocol/clock.ts';
import type { Page } from '../../../protocol/wire/api.ts';
import type { ArcConnection, ArcService, ArcServiceDone, ArcServiceState } from '../../../protocol/wire/arc-service.ts';
import type { EventType } from '../../../protocol/wire/event.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import { contains } from '../../db/text-search.ts';
import type { BoxClient } from '../../devices/box-client.ts';
import { lockSite } from '../../handover/sharing-rules.ts';
import { mustBeDisarmed } from './armed.ts';
import type { ServiceNotices } from './notices.ts';
import { grantCentre, type ServiceRequests } from './requests.ts';
import type { ServiceRow } from './schema.ts';
import type { SettledAccounts } from './settled-accounts.ts';
import { accountOf, mustFit, zonesOrRefusal } from './site-service.ts';
import { eventsOf, sameTypes, selectServices, toServices, type ViewDeps } from './view.ts';

/** A step of one service inside its transaction; what it returns is written. */
type Step = (trx: DbOrTrx, row: ServiceRow) => Promise<Partial<ServiceRow>>;
/** What became of one, for the centre and for the operation log. */
export type Done = ArcServiceDone & { device: Entrusted | null };
interface Entrusted {
  id: string;
  name: string;
  siteId: string;
}

/** The centre's side of the ARC service (ARC-17 to ARC-25): the devices that are entrusted to it, and what it decides. */
export class CentreService {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #box: BoxClient;
  readonly #notices: ServiceNotices;
  readonly #accounts: SettledAccounts;
  readonly #requests: ServiceRequests;
  readonly #view: ViewDeps;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    box: BoxClient;
    notices: ServiceNotices;
    accounts: SettledAccounts;
    requests: ServiceRequests;
    view: ViewDeps;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#box = deps.box;
    this.#notices = deps.notices;
    this.#accounts = deps.accounts;
    this.#requests = deps.requests;
    this.#view = deps.view;
  }

  /** Entrusted devices, newest first; an employee of certain sites sees those that are active there. */
  async list(
    scope: Scope,
    asked: { limit: number; cursor?: string; state?: ArcServiceState; search: string },
  ): Promise<Page<ArcService>> {
    const rows = await this.#mine(scope, this.#db)
      .$if(asked.state !== undefined, (q) => q.where('s.state', '=', asked.state!))
      .$if(asked.cursor !== undefined, (q) => q.where('s.id', '<', asked.cursor!))
      .$if(asked.search !== '', (q) =>
        q.where((e) =>
          e.or([
            contains('d.name', asked.search),
            contains('i.name', asked.search),
            contains('s.account', asked.search),
          ]),
        ),
      )
      .orderBy('s.id', 'desc')
      .limit(asked.limit + 1)
      .execute();
    const items = await toServices(this.#db, rows.slice(0, asked.limit), this.#view);
    return { items, nextCursor: rows.length > asked.limit ? items.at(-1)!.id : null };
  }

  async get(scope: Scope, id: string): Promise<ArcService> {
    const row = await this.#mine(scope, this.#db).where('s.id', '=', id).executeTakeFirst();
    if (!row) throw new ProblemError('not-found', 'There is no such device entrusted to you.');
    return (await toServices(this.#db, [row], this.#view))[0]!;
  }

  accept(scope: Scope, ids: readonly string[], receiverId: string | undefined): Promise<Done[]> {
    return this.#each(scope, ids, async (trx, row) => {
      mustBe(row, ['waiting'], 'has been decided already');
      await mustStillBeAuthorized(trx, row);
      const chosen = await this.#receiverOf(trx, scope.companyId, receiverId ?? row.receiverId);
      await this.#notices.toSite(trx, row, 'arc-service-accepted');
      return { state: 'active', receiverId: chosen, note: '', decidedMs: this.#clock.now() };
    });
  }

  reject(scope: Scope, ids: readonly string[], note: string): Promise<Done[]> {
    return this.#each(scope, ids, async (trx, row) => {
      mustBe(row, ['waiting'], 'has been decided already');
      await this.#notices.toSite(trx, { ...row, note }, 'arc-service-rejected');
      return { state: 'rejected', note, decidedMs: this.#clock.now() };
    });
  }

  /** ARC-19: nothing of the device goes to the centre until {@link resume}. */
  suspend(scope: Scope, ids: readonly string[], note: string): Promise<Done[]> {
    return this.#each(scope, ids, async (trx, row) => {
      mustBe(row, ['active'], 'is not active');
      await this.#notices.toSite(trx, { ...row, note }, 'arc-service-suspended');
      return { state: 'suspended', note };
    });
  }

  resume(scope: Scope, ids: readonly string[]): Promise<Done[]> {
    return this.#each(scope, ids, async (trx, row) => {
      mustBe(row, ['suspended'], 'is not suspended');
      await this.#notices.toSite(trx, { ...row, note: '' }, 'arc-service-resumed');
      return { state: 'active', note: '' };
    });
  }

  /** ARC-20: asks; the old types hold until somebody of the site approves. */
  changeEvents(scope: Scope, ids: readonly string[], events: readonly EventType[]): Promise<Done[]> {
    return this.#each(scope, ids, async (trx, row) => {
      const { type } = await deviceOf(trx, row);
      if (type !== 'encoding')
        throw new ProblemError('conflict', 'Event types are changed of cameras and recorders only.');
      mustBe(row, ['active', 'suspended'], 'has not been accepted');
      if (sameTypes(eventsOf(row), events)) throw new ProblemError('conflict', 'These are its event types already.');
      await this.#requests.askEvents(trx, row, events);
      return {};
    });
  }

  /** ARC-21: at once, nobody is asked. */
  async changeAccount(scope: Scope, id: string, account: string): Promise<Entrusted> {
    const own = await this.get(scope, id);
    scope.must('manage-devices');
    const others = (db: DbOrTrx) =>
      accountOf(db, scope.companyId, account).then((services) => services.filter((service) => service.id !== id));
    // The devices of an account go the same way: a panel that would change its way is to be disarmed (ARC-23).
    const mode = (await others(this.#db))[0]?.mode ?? own.mode;
    const { boxSerial, name, type } = own.device;
    if (mode !== own.mode && type === 'panel' && boxSerial)
      await mustBeDisarmed(this.#box, { id: own.device.id, name, boxSerial });
    return this.#one(scope, id, async (trx, row) => {
      if (row.account === account) return {};
      const beside = await others(trx);
      const device = await deviceOf(trx, row);
      mustFit(device, row.boxSerial, beside, account);
      if (beside.some((service) => service.boxSerial !== row.boxSerial || service.mode !== mode))
        throw new ProblemError('conflict', `Account ${account} is used by another box: choose another number.`);
      if (row.state === 'active' && beside.some((service) => service.state === 'active')) {
        const rest = await accountOf(trx, scope.companyId, row.account);
        if (rest.every((service) => service.id === id || service.state !== 'active')) mustHaveSentAll(own);
      }
      await this.#notices.toSite(trx, row, 'arc-account-changed', { values: { now: account } });
      return { account, mode, zones: JSON.stringify(zonesOrRefusal(device, beside)) };
    });
  }

  /** ARC-23 to ARC-25: of the whole account; panels in it are asked whether they are disarmed. */
  async changeConnection(scope: Scope, id: string, mode: ArcConnection): Promise<Entrusted> {
    const own = await this.get(scope, id);
    scope.must('manage-devices');
    if (own.mode === mode) return { id: own.device.id, name: own.device.name, siteId: own.siteId };
    const beside = (await accountOf(this.#db, scope.companyId, own.account)).filter(
      (service) => service.boxSerial === own.device.boxSerial,
    );
    // Before the transaction: it may take seconds.
    for (const service of beside)
      if (service.type === 'panel')
        await mustBeDisarmed(this.#box, {
          id: service.deviceId,
          name: service.deviceName,
          boxSerial: service.boxSerial,
        });
    return this.#one(scope, id, async (trx, row) => {
      await trx
        .updateTable('arc_services')
        .set({ mode })
        .where('arcId', '=', row.arcId)
        .where('boxSerial', '=', row.boxSerial)
        .where('account', '=', row.account)
        .where('endedMs', 'is', null)
        .execute();
      return { mode };
    });
  }

  /** Each on its own: one that cannot holds up no other. */
  async #each(scope: Scope, ids: readonly string[], step: Step): Promise<Done[]> {
    scope.must('manage-devices');
    const results: Done[] = [];
    for (const id of ids) {
      try {
        const device = await this.#one(scope, id, step);
        results.push({ serviceId: id, done: true, code: null, text: null, device });
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        const row = await this.#mine(scope, this.#db).where('s.id', '=', id).executeTakeFirst();
        const device = row ? { id: row.deviceId, name: row.deviceName, siteId: row.siteId } : null;
        results.push({ serviceId: id, done: false, code: error.code, text: error.message, device });
      }
    }
    return results;
  }

  async #one(scope: Scope, id: string, step: Step): Promise<Entrusted> {
    scope.must('manage-devices');
    const { row, name } = await this.#db.transaction().execute(async (trx) => {
      const found = await this.#mine(scope, trx).where('s.id', '=', id).executeTakeFirst();
      if (!found) throw new ProblemError('not-found', 'There is no such device entrusted to you.');
      await lockSite(trx, found.siteId);
      const row = await trx.selectFrom('arc_services').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      if (row.endedMs !== null) throw new ProblemError('not-found', 'There is no such device entrusted to you.');
      const changes = await step(trx, row);
      if (Object.keys(changes).length > 0) {
        await trx.updateTable('arc_services').set(changes).where('id', '=', id).execute();
        await grantCentre(trx, { ...row, ...changes }, this.#clock.now());
        await this.#accounts.settle(trx, row.boxSerial);
      }
      return { row, name: found.deviceName };
    });
    this.#notices.kick();
    this.#accounts.announce(row.boxSerial);
    this.#log.info({ serviceId: id, userId: scope.userId }, 'ARC service changed by its centre');
    return { id: row.deviceId, name, siteId: row.siteId };
  }

  #mine(scope: Scope, db: DbOrTrx) {
    return selectServices(db)
      .where('s.arcId', '=', scope.companyId)
      .where('s.endedMs', 'is', null)
      .$if(!scope.may('manage-all-sites'), (q) => q.where(scope.reaches('s.siteId', 's.deviceId', 'view')));
  }

  async #receiverOf(trx: DbOrTrx, arcId: string, wanted: string | null): Promise<string> {
    const rows = await trx
      .selectFrom('arc_receivers')
      .select('id')
      .where('companyId', '=', arcId)
      .limit(1000)
      .execute();
    const chosen = wanted === null && rows.length === 1 ? rows[0] : rows.find((row) => row.id === wanted);
    if (chosen) return chosen.id;
    if (wanted !== null) throw new ProblemError('not-found', 'There is no such receiver.');
    throw new ProblemError('conflict', rows.length === 0 ? 'Enter a receiver first.' : 'Choose one of your receivers.');
  }
}

function mustBe(row: ServiceRow, states: readonly ArcServiceState[], not: string): void {
  if (!states.includes(row.state)) throw new ProblemError('conflict', `The service of this device ${not}.`);
}

/** Its account ends, because the devices of the new number have one: what waits under it would never leave. */
function mustHaveSentAll({ account, path }: ArcService): void {
  if (path?.waiting === 0) return;
  const why = path ? 'messages wait on the box to be sent' : 'the box is not connected, so messages may wait';
  throw new ProblemError(
    'conflict',
    `Under account ${account} ${why}: change it when all are sent, or choose a number that no device has.`,
  );
}

async function mustStillBeAuthorized(trx: DbOrTrx, row: ServiceRow): Promise<void> {
  const found = await trx
    .selectFrom('arc_authorizations')
    .select('id')
    .where('siteId', '=', row.siteId)
    .where('arcId', '=', row.arcId)
    .where('endedMs', 'is', null)
    .executeTakeFirst();
  if (!found) throw new ProblemError('conflict', 'The site is not authorised to you any more.');
}

const deviceOf = (trx: DbOrTrx, row: ServiceRow) =>
  trx.selectFrom('devices').selectAll().where('id', '=', row.deviceId).executeTakeFirstOrThrow();
