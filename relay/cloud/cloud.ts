import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Api } from '../api/app.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { BoxAuthenticator } from '../boxes/authenticate.ts';
import type { SiteKeys } from '../clips/site-keys.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { BoxClient } from '../devices/box-client.ts';
import type { Devices } from '../devices/devices.ts';
import type { DevicesLeave } from '../devices/leaving.ts';
import type { Notifier } from '../notify/notifier.ts';
import { cloudBoxRoutes } from './box-routes.ts';
import { CloudChannelList } from './channels.ts';
import { CloudRecording } from './recording.ts';
import type { CloudRegions } from './regions.ts';
import { registerCloudRoutes } from './routes.ts';
import { CloudServiceBook } from './services.ts';
import { CloudSetups } from './setups.ts';

/** Cloud storage of channels: packages, services, what is recorded, and setting it up. */
export class CloudStorage {
  readonly #services: CloudServiceBook;
  readonly #setups: CloudSetups;
  readonly #recording: CloudRecording;
  readonly #channels: CloudChannelList;
  readonly #log: Logger;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    desired: DesiredStates;
    box: BoxClient;
    devices: Devices;
    notifier: Notifier;
    siteKeys: SiteKeys;
    regions: CloudRegions;
  }) {
    const { db, clock, log, desired, box, devices, notifier, siteKeys, regions } = deps;
    this.#log = log;
    const recording = new CloudRecording({ db, clock, desired, key: (...of) => siteKeys.forBox(...of) });
    const services = new CloudServiceBook({ db, clock, log, notifier, recording, regions });
    this.#recording = recording;
    this.#services = services;
    this.#channels = new CloudChannelList({ db, clock, services, recording, regions });
    this.#setups = new CloudSetups({ db, clock, log, box, devices, notifier, services, recording, regions });
  }

  start(): void {
    this.#services.start();
    this.#setups.start();
  }

  async stop(): Promise<void> {
    this.#setups.stop();
    await this.#services.stop();
  }

  registerRoutes(api: Api): void {
    registerCloudRoutes(api, { channels: this.#channels, services: this.#services, setups: this.#setups });
  }

  /** For /box/v1/cloud. */
  boxRoutes({ authenticator, remote }: { authenticator: BoxAuthenticator; remote: RemoteAddress }) {
    return cloudBoxRoutes({ setups: this.#setups, authenticator, remote, log: this.#log });
  }

  /** Devices leave their site: nothing of what was set up goes along (CLOUD-26). */
  devicesLeave(trx: DbOrTrx, deviceIds: string[]): Promise<void> {
    return this.#services.devicesLeave(trx, deviceIds);
  }

  async siteEnds(trx: DbOrTrx, siteId: string): Promise<void> {
    const rows = await trx.selectFrom('devices').select('id').where('siteId', '=', siteId).execute();
    await this.devicesLeave(
      trx,
      rows.map((row) => row.id),
    );
  }

  /** What is recorded of a device was changed for all its channels: those with cloud storage are as they were set up. */
  recordingChanged(trx: DbOrTrx, deviceId: string): Promise<void> {
    return this.#recording.apply(trx, [deviceId]);
  }
}

type Hooks = { leaves: DevicesLeave; siteEnds: (trx: DbOrTrx, siteId: string) => Promise<unknown> };

/** What else has to happen, for cloud storage too, where devices or sites end. */
export const withCloud = <H extends Hooks>(hooks: H, cloud: () => CloudStorage) => ({
  ...hooks,
  leaves: async (trx: DbOrTrx, deviceIds: string[]) => {
    await hooks.leaves(trx, deviceIds);
    await cloud().devicesLeave(trx, deviceIds);
  },
  siteEnds: async (trx: DbOrTrx, siteId: string) => {
    await hooks.siteEnds(trx, siteId);
    await cloud().siteEnds(trx, siteId);
  },
  recordingChanged: (trx: DbOrTrx, deviceId: string) => cloud().recordingChanged(trx, deviceId),
});
