import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Activations } from '../activation/activations.ts';
import { registerActivationRoutes } from '../activation/routes.ts';
import type { Api } from '../api/app.ts';
import type { EventStreams } from '../api/event-stream.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { DialGuard } from '../arc/dial-guard.ts';
import type { Claims } from '../boxes/claims.ts';
import { noteEvent } from '../cloud/silence.ts';
import type { Db } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import { registerOperationRoutes } from '../operations/routes.ts';
import { registerAlarmPanelRoutes } from '../panels/alarm-panel-routes.ts';
import { AlarmPanels } from '../panels/alarm-panels.ts';
import { RadarCameras } from '../panels/radar-cameras.ts';
import { registerPanelRoutes } from '../panels/routes.ts';
import type { SiteWalk } from '../sites/site-walk.ts';
import type { Views } from '../sites/views.ts';
import type { Watching } from '../video/watching.ts';
import { Adding } from './adding.ts';
import type { BoxClient } from './box-client.ts';
import { DeviceList } from './device-list.ts';
import type { DeviceSecrets } from './device-secrets.ts';
import type { DeviceStates } from './device-states.ts';
import type { Devices } from './devices.ts';
import { registerDeviceRoutes } from './routes.ts';
import { SiteDiscovery } from './site-discovery.ts';

/** Devices: found, added, listed and operated. */
export function registerDevices(
  api: Api,
  o: {
    db: Db;
    clock: Clock;
    log: Logger;
    box: BoxClient;
    desired: DesiredStates;
    devices: Devices;
    secrets: DeviceSecrets;
    states: DeviceStates;
    activations: Activations;
    guard: DialGuard;
    claims: Claims;
    views: Views;
    walk: SiteWalk;
    streams: EventStreams;
    remote: RemoteAddress;
    watching: Pick<Watching, 'locks' | 'viewings'>;
  },
): void {
  const { db, clock, box, desired, devices, secrets, states, guard, claims, views, walk, streams, remote } = o;
  const child = (module: string) => o.log.child({ module });
  const list = new DeviceList({ db, walk, states });
  const adding = new Adding({ db, clock, log: child('devices'), devices, secrets, box, guard, claims, views });
  const discovery = new SiteDiscovery({ db, box, clock, log: child('discovery') });
  registerDeviceRoutes(api, {
    box,
    devices,
    list,
    adding,
    remote,
    discovery,
    streams,
    log: child('devices'),
    watching: o.watching,
  });
  registerActivationRoutes(api, { activations: o.activations });
  registerOperationRoutes(api, { box, sectionSeen: (seen) => noteEvent(db, seen) });
  const panels = new AlarmPanels({ db, clock, log: child('panels'), desired, box, views });
  registerAlarmPanelRoutes(api, { panels });
  registerPanelRoutes(api, { box, radars: new RadarCameras({ db, clock }) });
}
