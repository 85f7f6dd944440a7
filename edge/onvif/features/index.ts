import type { Feature } from '../../drivers/feature.ts';
import type { OnvifDevice } from '../onvif-device.ts';
import { events } from './events.ts';
import { imaging } from './imaging.ts';
import { inputsOutputs } from './inputs-outputs.ts';
import { osd } from './osd.ts';
import { ptz } from './ptz.ts';
import { system } from './system.ts';
import { video } from './video.ts';

/** Everything that ONVIF devices can be asked for. */
export const ONVIF_FEATURES: readonly Feature<OnvifDevice>[] = [
  video,
  imaging,
  osd,
  ptz,
  inputsOutputs,
  events,
  system,
];
