import type { Logger } from 'pino';
import type { Clock } from '../../../protocol/clock.ts';
import type { Api } from '../../api/app.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import type { DesiredStates } from '../../desired/desired.ts';
import type { BoxClient } from '../../devices/box-client.ts';
import { customerAdministrator } from '../../handover/sharing-rules.ts';
import type { Notifier } from '../../notify/notifier.ts';
import type { Receivers } from '../receivers.ts';
import { registerCentreServiceRoutes } from './centre-routes.ts';
import { CentreService } from './centre-service.ts';
import { ServiceNotices } from './notices.ts';
import { legsOf } from './paths.ts';
import { ServiceRequests } from './requests.ts';
import { SettledAccounts } from './settled-accounts.ts';
import { registerSiteServiceRoutes } from './site-routes.ts';
import { SiteService } from './site-service.ts';
import type { ViewDeps } from './view.ts';

/** The ARC service (ARC-13 to ARC-29): sites authorised to centres, devices enabled and accepted, changes approved. */
export class ArcServices {
  readonly #db: Db;
  readonly #view: ViewDeps;
  readonly #site: SiteService;
  readonly #centre: CentreService;
  readonly #requests: ServiceRequests;

  constructor(
    deps: {
      db: Db;
      clock: Clock;
      log: Logger;
      notifier: Notifier;
      desired: DesiredStates;
      receivers: Receivers;
      box: BoxClient;
    } & ViewDeps,
  ) {
    const { db, clock, log, box, desired, receivers, online, health } = deps;
    const notices = new ServiceNotices({ notifier: deps.notifier });
    const accounts = new SettledAccounts({ clock, desired, receivers });
    const decider = async (of: DbOrTrx, siteId: string) => {
      const site = await of.selectFrom('sites').select('ownerId').where('id', '=', siteId).executeTakeFirst();
      return site?.ownerId ?? customerAdministrator(of, siteId, clock.now());
    };
    const common = { db, clock, log, notices, accounts };
    this.#db = db;
    this.#view = { online, health };
    this.#requests = new ServiceRequests({ ...common, decider });
    const requests = this.#requests;
    this.#site = new SiteService({
      ...common,
      decider,
      view: this.#view,
      askMedia: (trx, row, wanted) => requests.askMedia(trx, row, wanted),
    });
    this.#centre = new CentreService({ ...common, box, requests, view: this.#view });
  }

  /** Devices are taken away or moved: their services end. Inside the caller's transaction; it announces the boxes returned. */
  devicesGo(trx: DbOrTrx, deviceIds: readonly string[]): Promise<string[]> {
    return this.#site.devicesGo(trx, deviceIds);
  }

  /** A site is deleted, or its company gives it up. Inside the caller's transaction. */
  async siteEnds(trx: DbOrTrx, siteId: string): Promise<void> {
    await this.#site.siteEnds(trx, siteId);
  }

  /** A customer took the site over, or is its customer administrator now. Inside the caller's transaction. */
  customerDecides(trx: DbOrTrx, siteId: string): Promise<void> {
    return this.#requests.customerDecides(trx, siteId);
  }

  registerRoutes(api: Api): void {
    const legs = (scope: Parameters<typeof legsOf>[1], siteId: string) => legsOf(this.#db, scope, siteId, this.#view);
    registerSiteServiceRoutes(api, { site: this.#site, requests: this.#requests, legs });
    registerCentreServiceRoutes(api, { centre: this.#centre });
  }
}
