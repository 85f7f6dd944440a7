import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Api } from '../api/app.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { Claims } from '../boxes/claims.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import { registerBoxRoutes } from './box-routes.ts';
import { registerGroupRoutes } from './group-routes.ts';
import { Groups } from './groups.ts';
import { registerManagerRoutes } from './manager-routes.ts';
import { Managers } from './managers.ts';
import { SiteNotices, type Telling } from './notices.ts';
import { registerSiteRoutes } from './routes.ts';
import { SearchTerms } from './search-terms.ts';
import { SiteList } from './site-list.ts';
import { SiteWalk } from './site-walk.ts';
import { Sites } from './sites.ts';
import type { Views } from './views.ts';

/** Sites with their groups and managers, the list and the search: put together. */
export class SiteManagement {
  readonly walk: SiteWalk;
  readonly #terms: SearchTerms;
  readonly #groups: Groups;
  readonly #managers: Managers;
  readonly #sites: Sites;
  readonly #list: SiteList;
  readonly #deps: { db: Db; views: Views; claims: Claims; remote: RemoteAddress };

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    views: Views;
    claims: Claims;
    remote: RemoteAddress;
    desired: DesiredStates;
    notifier: Telling;
    /** Tells a box that it belongs to nobody, and cuts what only claimed ones have. */
    released: (serial: string) => Promise<void>;
    /** What others have of a site that is deleted ends, and they are told: inside that transaction. */
    ends: (trx: DbOrTrx, siteId: string) => Promise<void>;
  }) {
    const { db, clock, log, views, desired, released, ends } = deps;
    const notices = new SiteNotices({ notifier: deps.notifier });
    this.#deps = deps;
    this.walk = new SiteWalk({ db, clock });
    this.#terms = new SearchTerms({ db, clock, log });
    this.#groups = new Groups({ db, clock });
    this.#managers = new Managers({ db, clock, log, notices });
    this.#sites = new Sites({ db, clock, log, groups: this.#groups, desired, notices, released, ends });
    this.#list = new SiteList({ db, walk: this.walk, views });
  }

  register(api: Api): void {
    api.use('*', async (c, next) => {
      await next();
      if (c.req.method !== 'GET' && c.res.ok) this.#terms.soon();
    });
    registerSiteRoutes(api, { views: this.#deps.views, sites: this.#sites, list: this.#list });
    registerBoxRoutes(api, this.#deps);
    registerManagerRoutes(api, { managers: this.#managers });
    registerGroupRoutes(api, { groups: this.#groups });
  }

  start(): void {
    this.#terms.start();
    this.#managers.start();
  }

  async stop(): Promise<void> {
    await this.#managers.stop();
    await this.#terms.stop();
  }
}
