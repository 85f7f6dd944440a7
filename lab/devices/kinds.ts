import type { Coding } from '../camera/video.ts';
import type { DeviceKind, DeviceProfile, Oddities } from './profile.ts';

const current: Oddities = {
  sadpReply: 'multicast',
  macUpperCase: false,
  sadpPassword: 'salt',
  onvif: false,
  algorithms: ['SHA-256', 'MD5'],
  qop: true,
  realm: 'IP Camera(G4710)',
  saysStale: true,
  noChallengeForOldNonce: false,
  emptyWriteFirst: false,
  login: 'digest',
  prefix: '/ISAPI',
  xmlContentType: 'application/xml; charset="UTF-8"',
  namespace: 'http://www.hikvision.com/ver20/XMLSchema',
  errorsWith200: false,
  errorCodes: true,
  missing: 'refuse',
  listsSayEmpty: false,
  boundary: 'boundary',
  doubledDelimiter: false,
  heartbeatHasLength: true,
  sendsInactive: true,
  tamperWord: 'shelteralarm',
  time: 'offset',
  parameterSets: 'inBand',
};

const old: Oddities = {
  ...current,
  sadpReply: 'unicast',
  macUpperCase: true,
  sadpPassword: 'md5',
  onvif: true,
  algorithms: ['MD5'],
  qop: false,
  realm: '7c1f0a5be6d94f02b8a37d11',
  saysStale: false,
  xmlContentType: 'text/html',
  namespace: 'http://www.std-cgi.com/ver20/XMLSchema',
  errorsWith200: true,
  errorCodes: false,
  missing: 'reset',
  boundary: '--boundary',
  doubledDelimiter: true,
  heartbeatHasLength: false,
  sendsInactive: false,
  tamperWord: 'tamperdetection',
  time: 'falseZ',
  parameterSets: 'sdp',
};

const generic: Partial<Oddities> = { onvif: true, sadpReply: null, realm: 'Login to IPC', algorithms: ['MD5'] };
const json: Partial<Oddities> = { boundary: 'MIME_boundary' };

interface Kind {
  model: string;
  deviceType: string;
  sadpType: number;
  firmware: string;
  build: string;
  analog?: number;
  digital?: number;
  odd?: Partial<Oddities>;
}

const IPC = { deviceType: 'IPCamera', sadpType: 155650, firmware: 'V5.7.15', build: 'build 240201', digital: 1 };
const NVR = { deviceType: 'NVR', sadpType: 44336, firmware: 'V4.62.210', build: 'build 230509', digital: 8 };

/** Numbers of SADP types are opaque; those of kinds that nobody captured are made up. */
const KINDS: Record<DeviceKind, Kind> = {
  camera: { ...IPC, model: 'DS-2CD2347G2-LU' },
  ptz: { ...IPC, model: 'DS-2DE4425IWG-E', deviceType: 'IPDome', odd: { realm: 'DS-2DE(K1107)' } },
  thermal: { ...IPC, model: 'DS-2TD2628-3/QA', odd: { namespace: 'http://www.isapi.org/ver20/XMLSchema' } },
  solar: { ...IPC, model: 'DS-2XS2T41G1-ID/4G/C05S07', firmware: 'V5.5.160', build: 'build 230822' },
  // Two or three namespaces in one document, empty-looking lists.
  nvr: { ...NVR, model: 'DS-7616NI-Q2', odd: { listsSayEmpty: true, doubledDelimiter: true, algorithms: ['MD5'] } },
  'poe-nvr': { ...NVR, model: 'DS-7608NXI-K1/8P' },
  dvr: {
    model: 'DS-7204HQHI-K1',
    deviceType: 'DVR',
    sadpType: 44322,
    firmware: 'V3.5.38',
    build: 'build 191215',
    analog: 4,
    digital: 2,
    odd: { ...old, onvif: false, realm: 'DVR', errorsWith200: false },
  },
  'door-station': {
    model: 'DS-KV8113-WME1',
    deviceType: '\tVis',
    sadpType: 57601,
    firmware: 'V2.2.45',
    build: 'build 220324',
    analog: 1,
    odd: { ...json, xmlContentType: 'text/html', saysStale: false, algorithms: ['MD5'] },
  },
  doorbell: {
    model: 'DS-HD1',
    deviceType: 'Vis',
    sadpType: 57602,
    firmware: 'V2.3.9',
    build: 'build 221109',
    analog: 1,
    odd: { ...json, saysStale: false, algorithms: ['MD5'] },
  },
  'indoor-station': {
    model: 'DS-KH6320-WTE1',
    deviceType: 'Vis',
    sadpType: 57397,
    firmware: 'V2.1.24',
    build: 'build 211019',
    analog: 1,
    odd: { ...json, sadpPassword: 'md5', algorithms: ['MD5'] },
  },
  access: {
    model: 'DS-K1T341AMF',
    deviceType: 'ACS',
    sadpType: 10503,
    firmware: 'V3.2.30',
    build: 'build 210823',
    odd: { ...json, noChallengeForOldNonce: true, emptyWriteFirst: true, algorithms: ['MD5'] },
  },
  'ax-pro': {
    model: 'DS-PWA96-M-WE',
    deviceType: 'PWA',
    sadpType: 48001,
    firmware: 'V1.2.4',
    build: 'build 220708',
    odd: { ...json, login: 'session' },
  },
  'hybrid-pro': {
    model: 'DS-PHA64-W4M',
    deviceType: 'PHA',
    sadpType: 48002,
    firmware: 'V2.0.1',
    build: 'build 240118',
    odd: { ...json, login: 'both' },
  },
  'care-radar': {
    model: 'DS-PDCR60-WE',
    deviceType: 'Radar',
    sadpType: 48101,
    firmware: 'V1.0.3',
    build: 'build 231016',
    odd: { ...json, algorithms: ['MD5'] },
  },
  'fall-radar': {
    model: 'DS-PDFR60-WE',
    deviceType: 'Radar',
    sadpType: 48102,
    firmware: 'V1.0.3',
    build: 'build 231016',
    odd: { ...json, algorithms: ['MD5'] },
  },
  speaker: {
    model: 'DS-QAZ1325G1T-E',
    deviceType: 'IPSpeaker',
    sadpType: 49001,
    firmware: 'V2.1.0',
    build: 'build 230630',
    odd: { ...json },
  },
  switch: {
    model: 'DS-3E1510P-SI',
    deviceType: 'Switch',
    sadpType: 61441,
    firmware: 'V1.3.0',
    build: 'build 230117',
  },
  onvif: {
    model: 'IPC-T4K',
    deviceType: '',
    sadpType: 0,
    firmware: '2.820.0000000.18.R',
    build: '2023-01-04',
    odd: generic,
  },
  'onvif-odd': {
    model: 'XM530-50',
    deviceType: '',
    sadpType: 0,
    firmware: '4.03.R11',
    build: '2020-10-11',
    odd: generic,
  },
  'onvif-nvr': {
    model: 'NVR302-16S',
    deviceType: '',
    sadpType: 0,
    firmware: 'B3235P60',
    build: '2023-06-20',
    odd: { ...generic, onvif: true },
  },
  'old-psia': {
    model: 'DS-2CD812P',
    deviceType: 'IPCamera',
    sadpType: 30,
    firmware: 'V5.1.2',
    build: 'build 131018',
    digital: 1,
    odd: { ...old, prefix: '', namespace: 'urn:psialliance-org', onvif: false, sadpPassword: 'plain' },
  },
};

export interface ProfileOptions {
  fps: number;
  kbps: number;
  codec: Coding['codec'];
  sound: Coding['sound'];
  loopback: boolean;
}

const network = (base: string, loopback: boolean) => ({
  mask: loopback ? '255.0.0.0' : '255.255.255.0',
  gateway: loopback ? '127.0.0.1' : `${base}1`,
  dhcp: true,
});

/** Camera `n` (from 1): odd numbers are current firmware with 2 s between key frames, even ones old with 4 s. */
export function cameraProfile(n: number, base: string, options: ProfileOptions): DeviceProfile {
  const { fps, kbps, codec, sound, loopback } = options;
  const isOld = n % 2 === 0;
  const model = isOld ? 'DS-2CD2T22WD-I5' : 'DS-2CD2347G2-LU';
  const tail = String(100 + n).padStart(8, '0');
  return {
    name: `camera-${n}`,
    kind: 'camera',
    light: false,
    address: `${base}${10 + n}`,
    ...network(base, loopback),
    model,
    deviceType: 'IPCamera',
    sadpType: isOld ? 142378 : 155650,
    analogChannels: 0,
    digitalChannels: 1,
    serial: `${model}${isOld ? '20170519' : '20240311'}AAWR${tail}`,
    mac: `02-4c-41-42-00-${n.toString(16).padStart(2, '0')}`,
    firmware: isOld ? 'V5.4.41' : 'V5.7.15',
    build: isOld ? 'build 170710' : 'build 240201',
    username: 'admin',
    password: isOld ? 'p@ss:word/2' : 'Lab-camera-1',
    scheme: 'http',
    certificateAge: isOld ? 'old' : 'current',
    keyFrameMs: isOld ? 4000 : 2000,
    fps,
    kbps,
    codec,
    sound,
    odd: isOld ? old : current,
  };
}

/** The password of the lab's device `name`. */
const passwordOf = (name: string) => `Lab-${name}-1`.slice(0, 16);

/** Device `index` (from 1) beyond the cameras; `n` counts those of its kind. */
export function deviceProfile(
  kind: DeviceKind,
  place: { index: number; n: number; address: string; base: string; group: number },
  options: ProfileOptions & { activated: boolean; light: boolean },
): DeviceProfile {
  const of = KINDS[kind];
  const name = place.n === 1 && !options.light ? kind : `${kind}-${place.n}`;
  const number = String(place.group * 1000 + place.index).padStart(8, '0');
  const recorder = of.deviceType === 'NVR' || of.deviceType === 'DVR';
  return {
    name,
    kind,
    light: options.light,
    address: place.address,
    ...network(place.base, options.loopback),
    model: of.model,
    deviceType: of.deviceType,
    sadpType: of.sadpType,
    analogChannels: of.analog ?? 0,
    digitalChannels: of.digital ?? 0,
    serial: `${of.model}${recorder ? '04' : ''}20230614${recorder ? 'CCWR' : 'AAWR'}${number}${recorder ? 'WCVU' : ''}`,
    mac: `02-4c-41-42-${place.group.toString(16).padStart(2, '0')}-${place.index.toString(16).padStart(2, '0')}`,
    firmware: of.firmware,
    build: of.build,
    username: 'admin',
    password: options.activated ? passwordOf(name) : null,
    scheme: 'http',
    certificateAge: kind === 'nvr' || kind === 'dvr' ? 'old' : 'current',
    fps: options.fps,
    kbps: options.kbps,
    codec: options.codec,
    sound: options.sound,
    keyFrameMs: 2000,
    odd: { ...current, ...of.odd },
  };
}
