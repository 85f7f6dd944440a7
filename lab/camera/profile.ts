/** What one simulated camera is and how its firmware differs from the next one's. */
export interface CameraProfile {
  name: string;
  address: string;
  model: string;
  serial: string;
  /** Lower case with dashes. */
  mac: string;
  /** `V5.7.15` and `build 240201`; SADP glues them together without a space. */
  firmware: string;
  build: string;
  username: string;
  /** Null: as it leaves the factory. */
  password: string | null;
  fps: number;
  keyFrameMs: number;
  kbps: number;
  odd: {
    /** ProbeMatch goes to the group, or to who asked (then twice, as happens on busy networks). */
    sadpReply: 'multicast' | 'unicast';
    macUpperCase: boolean;
    /** ONVIF is off until somebody turns it on, since V5.5. */
    onvif: boolean;
    /** HTTP challenges, in this order. */
    algorithms: ('MD5' | 'SHA-256')[];
    /** Without it the response is that of RFC 2069. */
    qop: boolean;
    realm: string;
    /** `stale="TRUE"` for a nonce that has died; some firmware says FALSE although only the nonce was old. */
    saysStale: boolean;
    xmlContentType: string;
    namespace: string;
    /** As in the Content-Type of alertStream; on the wire the delimiter is `--boundary` in any case. */
    boundary: 'boundary' | '--boundary';
    doubledDelimiter: boolean;
    heartbeatHasLength: boolean;
    sendsInactive: boolean;
    tamperWord: 'shelteralarm' | 'tamperdetection';
    /** Local time with its offset, or local time labelled Z. */
    time: 'offset' | 'falseZ';
    parameterSets: 'inBand' | 'sdp';
  };
}

const current: CameraProfile['odd'] = {
  sadpReply: 'multicast',
  macUpperCase: false,
  onvif: false,
  algorithms: ['SHA-256', 'MD5'],
  qop: true,
  realm: 'IP Camera(G4710)',
  saysStale: true,
  xmlContentType: 'application/xml; charset="UTF-8"',
  namespace: 'http://www.hikvision.com/ver20/XMLSchema',
  boundary: 'boundary',
  doubledDelimiter: false,
  heartbeatHasLength: true,
  sendsInactive: true,
  tamperWord: 'shelteralarm',
  time: 'offset',
  parameterSets: 'inBand',
};

const old: CameraProfile['odd'] = {
  sadpReply: 'unicast',
  macUpperCase: true,
  onvif: true,
  algorithms: ['MD5'],
  qop: false,
  realm: '7c1f0a5be6d94f02b8a37d11',
  saysStale: false,
  xmlContentType: 'text/html',
  namespace: 'http://www.std-cgi.com/ver20/XMLSchema',
  boundary: '--boundary',
  doubledDelimiter: true,
  heartbeatHasLength: false,
  sendsInactive: false,
  tamperWord: 'tamperdetection',
  time: 'falseZ',
  parameterSets: 'sdp',
};

/** Camera `n` (from 1): odd numbers are current firmware with 2 s between key frames, even ones old with 4 s. */
export function cameraProfile(n: number, base: string, options: { fps: number; kbps: number }): CameraProfile {
  const isOld = n % 2 === 0;
  const model = isOld ? 'DS-2CD2T22WD-I5' : 'DS-2CD2347G2-LU';
  const tail = String(100 + n).padStart(8, '0');
  return {
    name: `camera-${n}`,
    address: `${base}${10 + n}`,
    model,
    serial: `${model}${isOld ? '20170519' : '20240311'}AAWR${tail}`,
    mac: `02-4c-41-42-00-${n.toString(16).padStart(2, '0')}`,
    firmware: isOld ? 'V5.4.41' : 'V5.7.15',
    build: isOld ? 'build 170710' : 'build 240201',
    username: 'admin',
    password: isOld ? 'p@ss:word/2' : 'Lab-camera-1',
    keyFrameMs: isOld ? 4000 : 2000,
    ...options,
    odd: isOld ? old : current,
  };
}

/** The device's own local time: two hours ahead of UTC, summer and winter. */
export function deviceTime(profile: CameraProfile, nowMs: number): string {
  const local = new Date(nowMs + 2 * 3_600_000).toISOString().slice(0, 19);
  return local + (profile.odd.time === 'offset' ? '+02:00' : 'Z');
}
