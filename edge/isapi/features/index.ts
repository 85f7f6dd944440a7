import type { Feature } from '../../drivers/feature.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { ddns } from './ddns.ts';
import { maintenance } from './maintenance.ts';
import { network } from './network.ts';
import { onvifSwitch } from './onvif-switch.ts';
import { passwordRecovery } from './password-recovery.ts';
import { platform } from './platform.ts';
import { ports } from './ports.ts';
import { storage } from './storage.ts';
import { time } from './time.ts';
import { users } from './users.ts';

/** Where two features offer the same, the earlier one does it. */
export const ISAPI_FEATURES: readonly Feature<IsapiDevice>[] = [
  time,
  network,
  ports,
  ddns,
  platform,
  onvifSwitch,
  users,
  passwordRecovery,
  storage,
  maintenance,
];
