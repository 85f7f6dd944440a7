import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Api } from '../api/app.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { Claims } from '../boxes/claims.ts';
import type { CloudRegions } from '../cloud/regions.ts';
import type { Db } from '../db/database.ts';
import type { Companies } from '../people/companies.ts';
import { OperatorBoxes } from './boxes.ts';
import { OperatorCompanies } from './companies.ts';
import { registerRedeemRoutes } from './redeem-routes.ts';
import { registerOperatorRoutes } from './routes.ts';
import { ServiceKeys } from './service-keys.ts';
import { type Counters, SystemView } from './system.ts';

/** How soon a connected box feels what was done to it on the command line. */
const SWEEP_MS = 10_000;

/** The console of whoever runs the relay, and the service keys that it gives. */
export class Operator {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #online: (serial: string) => boolean;
  readonly #cut: (serial: string, reason: string) => void;
  readonly #kick: () => void;
  readonly #routes: Parameters<typeof registerOperatorRoutes>[1];
  #cancel: (() => void) | null = null;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    sessions: Sessions;
    claims: Claims;
    people: Companies;
    /** Has waiting messages delivered. */
    kick: () => void;
    online: (serial: string) => boolean;
    cut: (serial: string, reason: string) => void;
    counters: Counters;
    regions: CloudRegions;
  }) {
    const { db, clock, sessions, claims, people, online, counters } = deps;
    this.#db = db;
    this.#clock = clock;
    this.#log = deps.log;
    this.#online = online;
    this.#cut = deps.cut;
    this.#kick = deps.kick;
    this.#routes = {
      companies: new OperatorCompanies({ db, clock, sessions }),
      keys: new ServiceKeys({ db, clock, regions: deps.regions }),
      boxes: new OperatorBoxes({ db, online }),
      system: new SystemView({ db, clock, counters }),
      people,
      claims,
    };
  }

  registerRoutes(api: Api): void {
    registerOperatorRoutes(api, this.#routes);
    registerRedeemRoutes(api, this.#routes);
  }

  start(): void {
    this.#cancel = this.#clock.every(SWEEP_MS, () => {
      this.#sweeping = this.#sweeping
        .then(() => this.#sweep())
        .catch((error) => this.#log.error({ err: error }, 'revoked boxes could not be looked for'));
    });
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#sweeping;
  }

  /** What the command line did meanwhile: boxes that it revoked are cut, messages that it wrote go out. */
  async #sweep(): Promise<void> {
    const late = this.#clock.now() - SWEEP_MS;
    const waiting = await this.#db
      .selectFrom('outbox')
      .select('rowId')
      .where('state', '=', 'waiting')
      .where('createdMs', '<', late)
      .limit(1)
      .executeTakeFirst();
    if (waiting) this.#kick();
    const rows = await this.#db.selectFrom('boxes').select('serial').where('state', '=', 'revoked').execute();
    for (const { serial } of rows) if (this.#online(serial)) this.#cut(serial, 'revoked');
  }
}
