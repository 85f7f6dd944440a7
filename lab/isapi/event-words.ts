import { type DeviceProfile, deviceTime, isRecorder } from '../devices/profile.ts';

/** Events of cameras and recorders, told as XML; the word is the device's. */
export const PICTURE_EVENTS = {
  motion: 'VMD',
  lineCrossing: 'linedetection',
  intrusion: 'fielddetection',
  regionEntrance: 'regionEntrance',
  regionExiting: 'regionExiting',
  tamper: 'shelteralarm',
  sceneChange: 'scenechangedetection',
  videoLoss: 'videoloss',
  audioException: 'audioexception',
  faceDetection: 'facedetection',
  pir: 'PIR',
  alarmInput: 'IO',
  thermometry: 'thermometry',
  fire: 'fireDetection',
  diskFull: 'diskfull',
  diskError: 'diskerror',
  nicBroken: 'nicbroken',
  ipConflict: 'ipconflict',
  illegalAccess: 'illaccess',
  badVideo: 'badvideo',
} as const;

/** Events of doors and terminals: major and sub type. */
export const ACCESS_EVENTS = {
  cardAccepted: [5, 1],
  cardRefused: [5, 9],
  faceAccepted: [5, 75],
  faceRefused: [5, 76],
  doorUnlocked: [5, 21],
  doorLocked: [5, 22],
  doorOpened: [5, 25],
  doorClosed: [5, 26],
  doorLeftOpen: [5, 28],
  doorForced: [5, 92],
  terminalTamper: [1, 1028],
  doorbellPressed: [3, 1024],
} as const;

/** Events of panels: the device's own code and the one of Contact ID. 1xxx new, 3xxx restored. */
export const PANEL_EVENTS = {
  zoneAlarm: [1130, 3130, 'zoneAlarm', 'Burglary Alarm'],
  zoneTamper: [1144, 3144, 'zoneAlarm', 'Detector Tampered'],
  panic: [1120, 3120, 'zoneAlarm', 'Panic Alarm'],
  medical: [1100, 3100, 'zoneAlarm', 'Medical Alarm'],
  fireAlarm: [1110, 3110, 'zoneAlarm', 'Fire Alarm'],
  disarmed: [1401, 1401, 'armAndDisarm', 'Disarmed'],
  armed: [3401, 3401, 'armAndDisarm', 'Armed Away'],
  mainsLost: [1301, 3301, 'systemStatus', 'AC Power Loss'],
  batteryLow: [1302, 3302, 'systemStatus', 'Low System Battery'],
} as const;

/** Events of radars. No capture shows their words: these are made up after the datasheets. */
export const RADAR_EVENTS = {
  fallDetected: 'fallDetection',
  outOfBed: 'outOfBed',
  heartRateHigh: 'heartRateHigh',
  heartRateLow: 'heartRateLow',
  respirationHigh: 'respirationRateHigh',
  respirationLow: 'respirationRateLow',
  presence: 'presenceDetection',
} as const;

/** Intercom calls, where the device supports voiceTalkEvent. */
export const CALL_EVENTS = { call: 'ring', callAnswered: 'onCall', callEnded: 'idle' } as const;

const TABLES = { ...PICTURE_EVENTS, ...ACCESS_EVENTS, ...PANEL_EVENTS, ...RADAR_EVENTS, ...CALL_EVENTS };
export type LabEventType = keyof typeof TABLES;
export const LAB_EVENT_TYPES = Object.keys(TABLES) as [LabEventType, ...LabEventType[]];

export interface EventAt {
  /** Video channel, door, input. */
  channel: number;
  /** Zone, from 0. */
  zone: number;
  area: number;
  /** Who, as the terminal says. */
  person: string | null;
}

const colons = (mac: string) => mac.replaceAll('-', ':');

export interface PictureAlert {
  type: string;
  state: 'active' | 'inactive';
  count: number;
  /** The device's own id of the event; heartbeats have none. */
  uuid: string | null;
  channel: number;
}

/** EventNotificationAlert (isapi §10). Recorders count IP channels from 33. */
export function pictureAlert(p: DeviceProfile, httpPort: number, nowMs: number, a: PictureAlert): string {
  const own = p.kind === 'dvr' && a.channel <= p.analogChannels;
  const channel =
    a.type === 'IO'
      ? `<inputIOPortID>${a.channel}</inputIOPortID>`
      : isRecorder(p.kind) && !own && a.uuid !== null
        ? p.odd.listsSayEmpty
          ? `<dynChannelID>${a.channel}</dynChannelID>`
          : `<channelID>${a.channel - p.analogChannels + 32}</channelID>`
        : `<channelID>${a.channel}</channelID>`;
  return `<EventNotificationAlert version="2.0" xmlns="${p.odd.namespace}">
<ipAddress>${p.address}</ipAddress>
<portNo>${httpPort}</portNo>
<protocol>HTTP</protocol>
<macAddress>${colons(p.mac)}</macAddress>
${channel}
<dateTime>${deviceTime(p, nowMs)}</dateTime>
<activePostCount>${a.count}</activePostCount>
<eventType>${a.type}</eventType>
<eventState>${a.state}</eventState>
<eventDescription>${a.type} alarm</eventDescription>
<channelName>${p.name}</channelName>
${a.uuid === null ? '' : `<UUID>${a.uuid}</UUID>\n`}</EventNotificationAlert>
`;
}

const jsonHead = (p: DeviceProfile, httpPort: number, nowMs: number) => ({
  ipAddress: p.address,
  portNo: httpPort,
  protocol: 'HTTP',
  macAddress: colons(p.mac),
  channelID: 1,
  dateTime: deviceTime(p, nowMs),
});

/** Panels say `heartBeat`; door devices say that video is not lost. */
export function jsonHeartbeat(p: DeviceProfile, httpPort: number, nowMs: number): string {
  const type = p.odd.login === 'digest' ? 'videoloss' : 'heartBeat';
  const rest = { activePostCount: 1, eventType: type, eventState: 'inactive', eventDescription: `${type} alarm` };
  return JSON.stringify({ ...jsonHead(p, httpPort, nowMs), ...rest }, null, 2);
}

export function accessAlert(
  p: DeviceProfile,
  httpPort: number,
  e: { type: keyof typeof ACCESS_EVENTS; at: EventAt; serialNo: number; happenedAt: number; isNew: boolean },
): string {
  const [majorEventType, subEventType] = ACCESS_EVENTS[e.type];
  const event = {
    deviceName: p.name,
    majorEventType,
    subEventType,
    reportChannel: 3,
    serialNo: e.serialNo,
    doorNo: e.at.channel,
    cardReaderNo: 1,
    attendanceStatus: 'undefined',
    statusValue: 0,
    currentEvent: e.isNew,
    frontSerialNo: 0,
    ...(e.at.person === null ? {} : { name: e.at.person, employeeNoString: '7', cardNo: '0012345678' }),
    picturesNumber: 0,
  };
  const head = { ...jsonHead(p, httpPort, e.happenedAt), activePostCount: 1, eventType: 'AccessControllerEvent' };
  const rest = { eventState: 'active', eventDescription: 'Access Controller Event', AccessControllerEvent: event };
  return JSON.stringify({ ...head, ...rest }, null, 2);
}

export function panelAlert(
  p: DeviceProfile,
  httpPort: number,
  e: { type: keyof typeof PANEL_EVENTS; at: EventAt; isNew: boolean; happenedAt: number; user: string | null },
): string {
  const [begins, ends, type, name] = PANEL_EVENTS[e.type];
  const standardCIDcode = e.isNew ? begins : ends;
  const trigger = deviceTime(p, e.happenedAt);
  const zone = type === 'zoneAlarm' ? { zone: e.at.zone } : {};
  const user = e.user === null ? {} : { userName: e.user };
  const event = {
    // The panel's own code is near the standard's, and not the same.
    code: standardCIDcode === 1130 ? 1103 : standardCIDcode,
    standardCIDcode,
    name,
    trigger,
    upload: trigger,
    type,
    ...zone,
    ...user,
    system: e.at.area,
    CameraList: [],
    NVRList: [],
  };
  const head = { ...jsonHead(p, httpPort, e.happenedAt), activePostCount: 1, eventType: 'cidEvent' };
  return JSON.stringify({ ...head, eventState: 'active', eventDescription: 'CID event', CIDEvent: event }, null, 2);
}

export function radarAlert(
  p: DeviceProfile,
  httpPort: number,
  nowMs: number,
  e: { type: keyof typeof RADAR_EVENTS; state: 'active' | 'inactive'; count: number; uuid: string },
): string {
  const word = RADAR_EVENTS[e.type];
  const body = { activePostCount: e.count, eventType: word, eventState: e.state, eventDescription: `${word} alarm` };
  return JSON.stringify({ ...jsonHead(p, httpPort, nowMs), ...body, UUID: e.uuid }, null, 2);
}

export function callAlert(p: DeviceProfile, httpPort: number, nowMs: number, status: string): string {
  const body = {
    activePostCount: 1,
    eventType: 'voiceTalkEvent',
    eventState: 'active',
    eventDescription: 'voice talk',
  };
  const talk = { VoiceTalkEvent: { deviceName: p.name, deviceId: 1, devType: 1, status, doorNo: 1 } };
  return JSON.stringify({ ...jsonHead(p, httpPort, nowMs), ...body, ...talk }, null, 2);
}
