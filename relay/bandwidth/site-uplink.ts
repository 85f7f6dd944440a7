import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Api } from '../api/app.ts';
import { Compatibility } from '../compat/compat.ts';
import { registerCompatRoutes } from '../compat/routes.ts';
import type { Db } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { BoxClient } from '../devices/box-client.ts';
import { BandwidthTests } from './bandwidth.ts';
import { registerBandwidthRoutes } from './routes.ts';
import { testSink } from './sink.ts';
import { BoxUploads } from './upload-settings.ts';

/** What a site can send to the cloud: tests of its uplink, limits of its boxes, and what models of devices allow. */
export class SiteUplink {
  readonly #tests: BandwidthTests;
  readonly #uploads: BoxUploads;
  readonly #compatibility: Compatibility;
  readonly #clock: Clock;

  constructor(o: { db: Db; clock: Clock; log: Logger; box: BoxClient; desired: DesiredStates }) {
    this.#tests = new BandwidthTests({ ...o, log: o.log.child({ module: 'bandwidth' }) });
    this.#uploads = new BoxUploads(o);
    this.#compatibility = new Compatibility(o);
    this.#clock = o.clock;
  }

  start(): Promise<void> {
    return this.#tests.start();
  }

  stop(): Promise<void> {
    return this.#tests.stop();
  }

  registerRoutes(api: Api): void {
    registerBandwidthRoutes(api, { tests: this.#tests, uploads: this.#uploads });
    registerCompatRoutes(api, { compatibility: this.#compatibility, clock: this.#clock });
  }

  /** Mounted at {@link TESTS_PATH}. */
  sink(): Hono<{ Bindings: HttpBindings }> {
    return testSink(this.#tests);
  }
}
