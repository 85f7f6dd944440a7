import { detection } from '../isapi/parts/detection.ts';
import { firmware } from '../isapi/parts/firmware.ts';
import { io } from '../isapi/parts/io.ts';
import { network } from '../isapi/parts/network.ts';
import { picture } from '../isapi/parts/picture.ts';
import { ptz } from '../isapi/parts/ptz.ts';
import { security } from '../isapi/parts/security.ts';
import { storage } from '../isapi/parts/storage.ts';
import { arming, streaming } from '../isapi/parts/streaming.ts';
import { system } from '../isapi/parts/system.ts';
import type { MakePart } from './device.ts';
import { type DeviceKind, isCamera } from './profile.ts';

const every: MakePart[] = [security, system, network, firmware, arming];
const camera: MakePart[] = [...every, streaming, picture, detection, io, storage];

/** What a device of this kind is made of, and whether it has a picture. */
export function partsOf(kind: DeviceKind): { parts: MakePart[]; hasVideo: boolean } {
  if (kind === 'ptz') return { parts: [...camera, ptz], hasVideo: true };
  if (kind === 'old-psia') {
    return { parts: [security, system, network, arming, streaming, picture, detection, io], hasVideo: true };
  }
  if (isCamera(kind)) return { parts: camera, hasVideo: true };
  return { parts: every, hasVideo: false };
}
