import type { Coding } from '../camera/video.ts';
import type { Scheme } from '../isapi/listeners.ts';
import type { CertificateAge } from './certificate.ts';

/** What kinds of devices the lab plays, as `--devices` names them. */
export const DEVICE_KINDS = [
  'camera',
  'ptz',
  'thermal',
  'solar',
  'nvr',
  'poe-nvr',
  'dvr',
  'door-station',
  'doorbell',
  'indoor-station',
  'access',
  'ax-pro',
  'hybrid-pro',
  'care-radar',
  'fall-radar',
  'speaker',
  'switch',
  'onvif',
  'onvif-odd',
  'onvif-nvr',
  'old-psia',
] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** How one firmware differs from the next. */
export interface Oddities {
  /** ProbeMatch goes to the group, or to who asked (then twice, as happens on busy networks); null: SADP is silent. */
  sadpReply: 'multicast' | 'unicast' | null;
  macUpperCase: boolean;
  /** Which password SADP's `update` wants: with a salt, MD5, or as it is. */
  sadpPassword: 'salt' | 'md5' | 'plain';
  /** ONVIF is off until somebody turns it on, since V5.5. */
  onvif: boolean;
  /** HTTP challenges, in this order. */
  algorithms: ('MD5' | 'SHA-256')[];
  /** Without it the response is that of RFC 2069. */
  qop: boolean;
  realm: string;
  /** `stale="TRUE"` for a nonce that has died; some firmware says FALSE although only the nonce was old. */
  saysStale: boolean;
  /** Answers a dead nonce 401 without a new challenge (terminal V4.47). */
  noChallengeForOldNonce: boolean;
  /** Answers an empty write before it looks at the login. */
  emptyWriteFirst: boolean;
  /** What logs in: digest, session (older AX PRO), or either. */
  login: 'digest' | 'session' | 'both';
  /** `/ISAPI`; very old firmware has none. */
  prefix: '/ISAPI' | '/PSIA' | '';
  xmlContentType: string;
  namespace: string;
  /** Refusals are HTTP 200 with a ResponseStatus. */
  errorsWith200: boolean;
  /** errorCode and errorMsg in ResponseStatus. */
  errorCodes: boolean;
  /** What a write of a part of a document does to the rest. */
  missing: 'reset' | 'refuse';
  /** Lists say `size="0"` although items follow. */
  listsSayEmpty: boolean;
  /** As in the Content-Type of alertStream; on the wire the delimiter is `--boundary` in any case. */
  boundary: 'boundary' | '--boundary' | 'MIME_boundary';
  doubledDelimiter: boolean;
  heartbeatHasLength: boolean;
  sendsInactive: boolean;
  tamperWord: 'shelteralarm' | 'tamperdetection';
  /** Local time with its offset, or local time labelled Z. */
  time: 'offset' | 'falseZ';
  parameterSets: 'inBand' | 'sdp';
}

/** What one simulated device is. Address, mask, gateway and DHCP change while it runs. */
export interface DeviceProfile {
  name: string;
  kind: DeviceKind;
  address: string;
  mask: string;
  gateway: string;
  dhcp: boolean;
  model: string;
  /** As deviceInfo says it; door stations say it with a leading tab. */
  deviceType: string;
  /** SADP's number of the type. */
  sadpType: number;
  analogChannels: number;
  digitalChannels: number;
  serial: string;
  /** Lower case with dashes. */
  mac: string;
  /** `V5.7.15` and `build 240201`; SADP glues them together without a space. */
  firmware: string;
  build: string;
  username: string;
  /** Null: as it leaves the factory. */
  password: string | null;
  /** How its web server is reached. */
  scheme: Scheme;
  certificateAge: CertificateAge;
  /** One of many: a few documents, nothing that costs memory. */
  light: boolean;
  fps: number;
  keyFrameMs: number;
  kbps: number;
  codec: Coding['codec'];
  sound: Coding['sound'];
  odd: Oddities;
}

/** Kinds with a picture of their own. */
export const isCamera = (kind: DeviceKind): boolean =>
  kind === 'camera' || kind === 'ptz' || kind === 'thermal' || kind === 'solar';
export const isRecorder = (kind: DeviceKind): boolean => kind === 'nvr' || kind === 'poe-nvr' || kind === 'dvr';
export const isPanel = (kind: DeviceKind): boolean => kind === 'ax-pro' || kind === 'hybrid-pro';
/** Devices that speak ISAPI; the others are generic ONVIF cameras. */
export const isIsapi = (kind: DeviceKind): boolean => !kind.startsWith('onvif');

/** The device's own local time: two hours ahead of UTC, summer and winter. */
export function deviceTime(profile: DeviceProfile, nowMs: number): string {
  const local = new Date(nowMs + 2 * 3_600_000).toISOString().slice(0, 19);
  return local + (profile.odd.time === 'offset' ? '+02:00' : 'Z');
}
