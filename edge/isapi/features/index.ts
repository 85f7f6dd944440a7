import type { Feature } from '../../drivers/feature.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { access } from './access.ts';
import { alarmIo } from './alarm-io.ts';
import { cameras } from './cameras.ts';
import { channel } from './channel.ts';
import { ddns } from './ddns.ts';
import { image } from './image.ts';
import { intercom } from './intercom.ts';
import { maintenance } from './maintenance.ts';
import { motion } from './motion.ts';
import { network } from './network.ts';
import { onvifSwitch } from './onvif-switch.ts';
import { osd } from './osd.ts';
import { panelReporting } from './panel-reporting.ts';
import { passwordRecovery } from './password-recovery.ts';
import { platform } from './platform.ts';
import { ports } from './ports.ts';
import { privacyMask } from './privacy-mask.ts';
import { ptzFeature } from './ptz.ts';
import { radar } from './radar.ts';
import { recorderChannels } from './recorder-channels.ts';
import { securityPanel } from './security-panel.ts';
import { SMART_EVENTS } from './smart-event.ts';
import { speaker } from './speaker.ts';
import { storage } from './storage.ts';
import { time } from './time.ts';
import { users } from './users.ts';
import { video } from './video.ts';

/** Where two features offer the same, the earlier one does it. */
export const ISAPI_FEATURES: readonly Feature<IsapiDevice>[] = [
  securityPanel,
  panelReporting,
  access,
  intercom,
  radar,
  speaker,
  cameras,
  video,
  image,
  osd,
  privacyMask,
  motion,
  ...SMART_EVENTS,
  channel,
  recorderChannels,
  ptzFeature(),
  alarmIo,
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
