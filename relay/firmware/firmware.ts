import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { FIRMWARE_PATH } from '../../protocol/wire/firmware.ts';
import type { Api } from '../api/app.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { BoxAuthenticator } from '../boxes/authenticate.ts';
import type { ObjectStore } from '../clips/object-store.ts';
import type { Db } from '../db/database.ts';
import type { HealthStore } from '../health/health.ts';
import type { SiteWork } from '../jobs/jobs.ts';
import { Catalogue } from './catalogue.ts';
import { registerFirmwareRoutes } from './routes.ts';
import { SiteUpgrades } from './upgrades.ts';
import { firmwareDownloads, packageUploads } from './upload-routes.ts';

interface Deps {
  db: Db;
  store: ObjectStore;
  clock: Clock;
  log: Logger;
  authenticator: BoxAuthenticator;
  remote: RemoteAddress;
}

/** Firmware of devices: its packages, the ways in and out of them, and upgrades. */
export class Firmware {
  readonly #o: Deps;
  readonly #catalogue: Catalogue;

  constructor(o: Deps) {
    this.#o = o;
    this.#catalogue = new Catalogue(o);
  }

  start(): void {
    this.#catalogue.start();
  }

  stop(): void {
    this.#catalogue.stop();
  }

  /** Version of the newest known firmware that is newer; null: none. */
  async newest(device: { model: string; firmware: string | null }): Promise<string | null> {
    return (await this.#catalogue.newest(device))?.version ?? null;
  }

  registerRoutes(
    api: Api,
    o: { work: Pick<SiteWork, 'make'>; health: (serial: string) => ReturnType<HealthStore['get']> },
  ) {
    const { db, log, store } = this.#o;
    const upgrades = new SiteUpgrades({ db, catalogue: this.#catalogue, log, ...o });
    registerFirmwareRoutes(api, { catalogue: this.#catalogue, upgrades, store });
  }

  /** What is too large for the API, on addresses of its own. */
  files(): Hono<{ Bindings: HttpBindings }> {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.route('/firmware-uploads', packageUploads({ catalogue: this.#catalogue }));
    app.route(FIRMWARE_PATH, firmwareDownloads({ ...this.#o, catalogue: this.#catalogue }));
    return app;
  }
}
