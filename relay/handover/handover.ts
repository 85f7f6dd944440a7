import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Api } from '../api/app.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import { Applications } from './applications.ts';
import { registerCustomerRoutes } from './customer-routes.ts';
import { Deadlines } from './deadlines.ts';
import { Handovers } from './handovers.ts';
import { Permissions } from './permissions.ts';
import { registerHandoverRoutes } from './routes.ts';
import type { AuthorizationOver, CustomerDecides } from './rules.ts';
import { Transfers } from './transfers.ts';

/** Transfers, and permissions at sites of customers: both sides of them and their ends. */
export class Handover {
  readonly #db: Db;
  readonly #publicUrl: () => URL | null;
  readonly #transfers: Transfers;
  readonly #handovers: Handovers;
  readonly #permissions: Permissions;
  readonly #applications: Applications;
  readonly #deadlines: Deadlines;

  /**
   * @param deps.ends what else is over when a customer takes a site over, inside the transaction
   * @param deps.over what else is over when a company may not manage a customer's site any more, inside the transaction
   * @param deps.administrator the tenant that decides about permissions at a shared site; null: nobody
   */
  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    notifier: Notifier;
    /** How browsers reach the portal; null: not known. */
    publicUrl: () => URL | null;
    ends?: (trx: DbOrTrx, siteId: string) => Promise<void>;
    decides?: CustomerDecides;
    over?: AuthorizationOver;
    administrator?: (trx: DbOrTrx, siteId: string) => Promise<string | null>;
  }) {
    const { db, clock, log, notifier } = deps;
    const {
      ends = async () => {},
      over = async () => {},
      administrator = async () => null,
      decides = async () => {},
    } = deps;
    this.#db = db;
    this.#publicUrl = deps.publicUrl;
    this.#transfers = new Transfers({ db, clock, notifier });
    this.#handovers = new Handovers({ db, clock, notifier, ends, over, decides });
    this.#permissions = new Permissions({ db, clock, notifier, over });
    this.#applications = new Applications({ db, clock, notifier, administrator, over });
    this.#deadlines = new Deadlines({ db, clock, log, notifier, over, transfers: this.#transfers });
  }

  start(): void {
    this.#deadlines.start();
  }

  stop(): Promise<void> {
    return this.#deadlines.stop();
  }

  /** A customer's address or number was verified, inside that transaction: what was sent there waits for him now. */
  registered(trx: DbOrTrx, userId: string): Promise<void> {
    return this.#transfers.registered(trx, userId);
  }

  registerRoutes(app: Api): void {
    const common = { permissions: this.#permissions, applications: this.#applications };
    registerHandoverRoutes(app, { ...common, transfers: this.#transfers, publicUrl: this.#publicUrl });
    registerCustomerRoutes(app, {
      ...common,
      db: this.#db,
      handovers: this.#handovers,
      changed: () => this.#deadlines.changed(),
    });
  }

  /** To be called before a request is answered. */
  due(): Promise<void> {
    return this.#deadlines.due();
  }
}
