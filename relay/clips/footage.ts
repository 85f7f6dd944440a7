import { join } from 'node:path';
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { SystemState } from '../../protocol/wire/operator.ts';
import type { Api } from '../api/app.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { Leases } from '../auth/leases.ts';
import type { Vault } from '../auth/vault.ts';
import type { BoxAuthenticator } from '../boxes/authenticate.ts';
import { CloudPlans } from '../cloud/plans.ts';
import type { Db } from '../db/database.ts';
import type { BoxClient } from '../devices/box-client.ts';
import type { SiteWarnables } from '../health/warnables.ts';
import type { Live } from '../live/live.ts';
import type { RelayOptions } from '../options.ts';
import type { Viewings } from '../video/viewings.ts';
import { AwaitedObjects } from './awaited-objects.ts';
import { BucketWatch } from './bucket-watch.ts';
import { settleBuckets } from './buckets.ts';
import { Clips } from './clips.ts';
import { Grants } from './grants.ts';
import { Joiner } from './joiner.ts';
import { ClipLibrary } from './library.ts';
import { registerLibraryRoutes } from './library-routes.ts';
import type { LockedLooks } from './looks.ts';
import { IntoBucket, IntoFolder } from './move-ways.ts';
import { Mover } from './mover.ts';
import { FolderStore, type ObjectStore } from './object-store.ts';
import { registerClipRoutes } from './routes.ts';
import { S3Store } from './s3-store.ts';
import { sharedRoutes } from './shared-http.ts';
import { ClipShares } from './shares.ts';
import { SiteKeys } from './site-keys.ts';
import { Sweeper } from './sweeper.ts';
import { TwoPlaces } from './two-places.ts';
import { uploadRoutes } from './upload-routes.ts';

/** Of channels without cloud storage. */
const BASIC_DAYS = 7;
/** What is taken back leaves room for a day of new clips. */
const LEFT_FREE_BYTES = 4 * 1024 * 1024 * 1024;

/** Footage: where it is kept and under which keys, who sees it, when it goes. */
export class Footage {
  /** Of this machine: packages of firmware, and clips unless they are in an object store. */
  readonly files: FolderStore;
  readonly clips: Clips;
  /** What it is encrypted with. */
  readonly keys: SiteKeys;
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #options: Pick<RelayOptions, 's3' | 's3Forget' | 'rateLimits'>;
  readonly #store: ObjectStore;
  /** Where boxes put what is new themselves. */
  readonly #direct: S3Store | null;
  readonly #watch: BucketWatch | null;
  readonly #mover: Mover | null;
  readonly #joiner: Joiner;
  readonly #awaited: AwaitedObjects;
  readonly #sweeper: Sweeper;
  readonly #shares: ClipShares;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    dataDir: string;
    vault: Vault;
    live: Live;
    options: Pick<RelayOptions, 'basicClipDays' | 's3' | 's3Forget' | 'rateLimits'>;
    publicUrl: () => URL | null;
  }) {
    const { db, clock, live } = deps;
    const plans = new CloudPlans({ basicDays: deps.options.basicClipDays ?? BASIC_DAYS });
    const log = deps.log.child({ module: 'clips' });
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.files = new FolderStore({ dir: join(deps.dataDir, 'objects') });
    this.#options = deps.options;
    const { files } = this;
    const retired = deps.options.s3?.retired === true;
    const s3 = deps.options.s3 ? new S3Store({ options: deps.options.s3, clock }) : null;
    const places = s3 && new TwoPlaces({ files, s3, retired });
    const store = places ?? files;
    this.#store = store;
    this.#direct = retired ? null : s3;
    this.#watch = s3 && new BucketWatch({ s3, writes: !retired, clock, log });
    this.#mover = places && s3 && this.#moverOf(s3, places, { db, clock, log, dir: join(deps.dataDir, 'objects') });
    this.keys = new SiteKeys({ db, clock, vault: deps.vault });
    this.clips = new Clips({
      db,
      store,
      keys: this.keys,
      clock,
      log,
      live,
      retentionDays: (...of) => plans.retentionDays(...of),
    });
    this.#joiner = new Joiner({
      db,
      store,
      clips: this.clips,
      clock,
      log,
      lists: this.#direct !== null,
      forget: (clipId) => this.#sweeper.forget(clipId),
    });
    this.#awaited = new AwaitedObjects({ db, clock });
    this.#sweeper = new Sweeper({ db, store, clips: this.clips, awaited: this.#awaited, clock, log });
    this.#shares = new ClipShares({ db, clips: this.clips, clock, publicUrl: deps.publicUrl });
  }

  #moverOf(s3: S3Store, places: TwoPlaces, o: { db: Db; clock: Clock; log: Logger; dir: string }): Mover | null {
    const { retired, takeBack } = this.#options.s3 ?? {};
    const { clock, log, db } = o;
    if (!retired) return new Mover({ way: new IntoBucket({ files: this.files, s3, clock }), places, clock, log });
    if (!takeBack) return null;
    const files = new FolderStore({ dir: o.dir, reserveBytes: LEFT_FREE_BYTES });
    return new Mover({ way: new IntoFolder({ files, s3, clock, db, of: this.#options.s3! }), places, clock, log });
  }

  async start(): Promise<void> {
    await settleBuckets(this.#db, this.#clock, {
      s3: this.#options.s3 ?? null,
      forget: this.#options.s3Forget ?? false,
    });
    await this.files.start();
    this.#watch?.start();
    this.#mover?.start();
    this.#joiner.start();
    this.#sweeper.start();
  }

  async stop(): Promise<void> {
    await this.#sweeper.stop();
    await this.#joiner.stop();
    await this.#mover?.stop();
    await this.#watch?.stop();
  }

  /** Where clips lie, for the operator. */
  place(): SystemState['clips'] {
    const { s3 } = this.#options;
    if (!s3) return { place: 'folder' };
    const { endpoint, bucket, retired = false, takeBack = false } = s3;
    return { place: 'bucket', endpoint, bucket, retired, takeBack, problem: this.#watch?.problem ?? null };
  }

  uploadRoutes(o: { authenticator: BoxAuthenticator; warnables: SiteWarnables; remote: RemoteAddress }) {
    const { clips } = this;
    const [store, grants] = [this.#store, new Grants({ clock: this.#clock })];
    const forget = (clipId: string) => this.#sweeper.forget(clipId);
    const parts = { db: this.#db, store, direct: this.#direct, clips, awaited: this.#awaited, forget, grants };
    return uploadRoutes({ ...o, ...parts, log: this.#log });
  }

  registerRoutes(api: Api, o: { leases: Leases; watching: Omit<LockedLooks, 'db'>; box: BoxClient }): void {
    const looks = { db: this.#db, viewings: o.watching.viewings, locks: o.watching.locks };
    registerClipRoutes(api, { clips: this.clips, leases: o.leases, looks });
    const library = new ClipLibrary({ db: this.#db, clips: this.clips, clock: this.#clock });
    const { clips } = this;
    registerLibraryRoutes(api, { clips, library, shares: this.#shares, sweeper: this.#sweeper, box: o.box, looks });
  }

  /** Behind shared links; the pages themselves are the portal's. */
  sharedRoutes(o: { leases: Leases; viewings: Viewings; remote: RemoteAddress }): Hono<{ Bindings: HttpBindings }> {
    const looks = { db: this.#db, viewings: o.viewings };
    const parts = { db: this.#db, clips: this.clips, shares: this.#shares, clock: this.#clock, log: this.#log };
    return sharedRoutes({ ...o, ...parts, looks, limits: this.#options.rateLimits });
  }
}
