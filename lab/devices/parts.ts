import { access, intercom } from '../isapi/parts/access.ts';
import { detection } from '../isapi/parts/detection.ts';
import { download } from '../isapi/parts/download.ts';
import { firmware } from '../isapi/parts/firmware.ts';
import { io } from '../isapi/parts/io.ts';
import { network } from '../isapi/parts/network.ts';
import { page } from '../isapi/parts/page.ts';
import { panel } from '../isapi/parts/panel.ts';
import { picture } from '../isapi/parts/picture.ts';
import { ptz } from '../isapi/parts/ptz.ts';
import { radar } from '../isapi/parts/radar.ts';
import { recorder } from '../isapi/parts/recorder.ts';
import { recordings } from '../isapi/parts/recordings.ts';
import { security } from '../isapi/parts/security.ts';
import { speaker } from '../isapi/parts/speaker.ts';
import { storage } from '../isapi/parts/storage.ts';
import { arming, streaming } from '../isapi/parts/streaming.ts';
import { system } from '../isapi/parts/system.ts';
import { talk } from '../isapi/parts/talk.ts';
import { onvif } from '../onvif/service.ts';
import { networkSwitch } from '../switch/part.ts';
import type { MakePart } from './device.ts';
import { type DeviceKind, isCamera, isIsapi, isPanel } from './profile.ts';

const every: MakePart[] = [security, system, network, firmware, arming, page];
const camera: MakePart[] = [...every, onvif, streaming, picture, detection, io, storage, recordings, download, talk];

/** What a device of this kind is made of, and whether it has a picture. */
export function partsOf(kind: DeviceKind): { parts: MakePart[]; hasVideo: boolean } {
  if (kind === 'ptz') return { parts: [...camera, ptz], hasVideo: true };
  if (kind === 'old-psia') {
    return { parts: [security, system, network, arming, streaming, picture, detection, io], hasVideo: true };
  }
  if (isCamera(kind)) return { parts: camera, hasVideo: true };
  if (kind === 'nvr' || kind === 'poe-nvr')
    return { parts: [...every, recorder, io, storage, recordings, download, talk], hasVideo: true };
  if (kind === 'dvr') return { parts: [...camera, recorder], hasVideo: true };
  if (kind === 'door-station' || kind === 'doorbell')
    return { parts: [...every, streaming, picture, access, intercom, talk], hasVideo: true };
  if (kind === 'indoor-station') return { parts: [...every, intercom], hasVideo: false };
  if (kind === 'access') return { parts: [...every, access], hasVideo: false };
  if (!isIsapi(kind)) return { parts: [onvif], hasVideo: true };
  if (kind === 'care-radar' || kind === 'fall-radar') return { parts: [...every, radar, io], hasVideo: false };
  if (kind === 'speaker') return { parts: [...every, speaker, talk], hasVideo: false };
  if (kind === 'switch') return { parts: [...every, networkSwitch], hasVideo: false };
  if (isPanel(kind)) return { parts: [...every, panel], hasVideo: false };
  return { parts: every, hasVideo: false };
}
