import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Activations } from '../activation/activations.ts';
import type { Api } from '../api/app.ts';
import type { EventStreams } from '../api/event-stream.ts';
import type { Db } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { BoxClient } from '../devices/box-client.ts';
import type { Devices } from '../devices/devices.ts';
import type { DevicesLeave } from '../devices/leaving.ts';
import type { Firmware } from '../firmware/firmware.ts';
import type { HealthStore } from '../health/health.ts';
import { SiteWork } from '../jobs/jobs.ts';
import { registerJobRoutes } from '../jobs/routes.ts';
import type { Notifier } from '../notify/notifier.ts';
import { PasswordRequests } from './password-requests.ts';
import { registerLanRoutes } from './routes.ts';
import { SiteLan } from './site-lan.ts';
import { Unbinding } from './unbinding.ts';

/** Installing and keeping up a site's devices: jobs of its boxes, firmware, and work on the LAN. */
export function registerInstallation(
  api: Api,
  o: {
    db: Db;
    clock: Clock;
    log: Logger;
    box: BoxClient;
    desired: DesiredStates;
    devices: Devices;
    activations: Activations;
    firmware: Firmware;
    notifier: Notifier;
    leaves: DevicesLeave;
    streams: EventStreams;
    health: (serial: string) => ReturnType<HealthStore['get']>;
  },
): void {
  const { db, clock, log, box, desired, devices, activations, firmware, notifier, streams, health, leaves } = o;
  const kept = (...of: Parameters<Activations['passwordOf']>) => activations.passwordOf(...of);
  const known = {
    password: kept,
    verificationCode: (companyId: string) => activations.verificationCode(companyId),
    newestFirmware: (device: { model: string; firmware: string | null }) => firmware.newest(device),
  };
  const work = new SiteWork({ db, box, known, clock });
  registerJobRoutes(api, { work, streams, log: log.child({ module: 'jobs' }) });
  firmware.registerRoutes(api, { work, health });
  const requests = new PasswordRequests({ db, clock, notifier });
  const unbinding = new Unbinding({ clock, desired, notifier, leaves });
  const lan = new SiteLan({
    db,
    log: log.child({ module: 'lan' }),
    box,
    desired,
    devices,
    unbinding,
    requests,
    kept,
    replaceKept: (...of) => activations.replace(...of),
  });
  registerLanRoutes(api, { lan, passwords: requests });
}
