// Written by `npm run client` from the relay's OpenAPI document. Do not edit.

export type AccessToken = { accessToken: string; expiresAt: string };
export type ActivationResult = {
  mac: string;
  activated: boolean;
  weak: boolean;
  way: 'isapi' | 'temporary-address' | 'sadp' | null;
  verificationCode: 'set' | 'none' | 'failed' | null;
  issues: ('same-address' | 'same-serial' | 'weak-firmware' | 'locked' | 'other-subnet')[];
  code: string | null;
  detail: string | null;
};
export type AddingResults = {
  items: {
    name: string;
    result: 'added' | 'failed';
    device: {
      id: string;
      siteId: string;
      boxSerial: string | null;
      name: string;
      kind: 'isapi' | 'onvif' | 'snmp' | 'dc09';
      type: 'encoding' | 'panel' | 'access' | 'intercom' | 'network' | 'radar' | 'audio' | 'doorbell' | 'box';
      accessMode: 'p2p' | 'ip';
      model: string;
      firmware: string;
      channelCount: number;
      mac: string | null;
      serial: string | null;
      host: string;
      httpPort: number;
      certificate: string | null;
      oldTls: boolean;
      username: string;
      health: {
        id: string;
        state: 'connecting' | 'online' | 'offline' | 'refused' | 'locked' | 'notActivated';
        since: string;
        model: string | null;
        firmware: string | null;
        serial: string | null;
        shows?: { certificate: string; old: boolean; httpPort: number };
        channels: {
          channel: number;
          name: string;
          video: 'none' | 'connecting' | 'streaming' | 'stalled' | 'refused';
          codec: string | null;
          keyFrameIntervalMs: number | null;
        }[];
      } | null;
      permissions?: ('configure' | 'live' | 'playback')[];
    } | null;
    boxSerial: string | null;
    code: string | null;
    detail: string | null;
    actions: ('add-again' | 'unbind')[];
  }[];
};
export type Alarm = {
  id: string;
  eventId: string;
  kind: 'alarm' | 'restore' | 'test';
  accountId: string;
  account: string;
  receiverId: string;
  protocol: 'SIA-DCS' | 'ADM-CID';
  code: string;
  zone: string;
  sequence: number;
  state: 'waiting' | 'acknowledged' | 'failed';
  path: 'direct' | 'relay' | 'second' | null;
  tries: number;
  log: {
    at: string;
    path: 'direct' | 'relay' | 'second';
    receiver: string;
    outcome:
      | 'acknowledged'
      | 'nak'
      | 'duh'
      | 'other-key'
      | 'refused'
      | 'timeout'
      | 'reset'
      | 'unreachable'
      | 'not-allowed'
      | 'invalid'
      | 'busy';
    tookMs: number;
    frame: string;
    reply: string | null;
  }[];
  occurredAt: string;
  queuedAt: string;
  acknowledgedAt: string | null;
  possibleRepeat: boolean;
  reason: string | null;
  siteId: string;
  deviceId: string | null;
  receiverName: string;
  origin: 'box' | 'relay';
};
export type AlarmPanel = {
  deviceId: string;
  account: string;
  encrypted: boolean;
  localTime: boolean;
  supervisionMs: number | null;
  port: number | null;
  addresses: string[];
};
export type ApiKey = {
  id: string;
  name: string;
  prefix: string;
  permissions: (
    | 'manage-all-sites'
    | 'manage-assigned-sites'
    | 'manage-devices'
    | 'configure-devices'
    | 'live-view'
    | 'playback'
  )[];
  readOnly: boolean;
  sites: { id: string; name: string }[] | null;
  createdBy: { userId: string; name: string };
  createdAt: string;
  expiresAt: string;
  lastUsedAt: string | null;
};
export type Arc = {
  id: string;
  name: string;
  country: string;
  information: {
    contactName: string;
    email: string;
    phone: string;
    website: '' | string;
    address: string;
    certificates: string;
    about: string;
    countries: string[];
  };
  listedAt: string;
};
export type ArcAccount = {
  id: string;
  siteId: string;
  boxSerial: string;
  receiverId: string;
  receiverName: string;
  arcId: string | null;
  account: string;
  protocol: 'SIA-DCS' | 'ADM-CID';
  encrypted: boolean;
  mode: 'direct-or-relay' | 'relay';
  events: (
    | 'motion'
    | 'lineCrossing'
    | 'intrusion'
    | 'regionEntrance'
    | 'regionExiting'
    | 'tamper'
    | 'videoLoss'
    | 'alarmInput'
    | 'pirDetected'
    | 'faceDetection'
    | 'zoneAlarm'
    | 'panic'
    | 'duress'
    | 'fire'
    | 'gas'
    | 'waterLeak'
    | 'temperature'
    | 'medical'
    | 'zoneBypassed'
    | 'areaArmedAway'
    | 'areaArmedStay'
    | 'areaDisarmed'
    | 'armFailed'
    | 'panelTamper'
    | 'deviceTamper'
    | 'mainsFail'
    | 'batteryLow'
    | 'panelFault'
    | 'panelTest'
    | 'networkDisconnected'
    | 'doorOpened'
    | 'doorForced'
    | 'doorHeldOpen'
    | 'doorUnlocked'
    | 'call'
    | 'fallDetected'
    | 'outOfBed'
    | 'heartRateHigh'
    | 'heartRateLow'
    | 'respirationHigh'
    | 'respirationLow'
    | 'presence'
    | 'diskError'
    | 'diskFull'
    | 'illegalLogin'
    | 'deviceOffline'
    | 'boxRestarted'
    | 'eventsLost'
    | 'clipLost'
    | 'other'
  )[];
  zones: { deviceId: string; channel: number | null; zone: number }[];
  supervision: { kind: 'null' | 'test' | 'off'; intervalMs: number };
  health: {
    accountId: string;
    path: 'direct' | 'relay' | 'second' | 'none';
    since: string;
    direct: 'up' | 'down' | 'unknown';
    relay: 'up' | 'down' | 'unknown';
    second: 'up' | 'down' | 'unknown' | 'absent';
    waiting: number;
    changes?: { at: string; path: 'direct' | 'relay' | 'second'; up: boolean }[];
  } | null;
};
export type ArcApplication = {
  companyId: string;
  name: string;
  country: string;
  state: 'submitted' | 'approved' | 'listed' | 'rejected' | 'withdrawn';
  authentication: 'none' | 'submitted' | 'approved' | 'rejected';
  suspended: boolean;
  information: {
    contactName: string;
    email: string;
    phone: string;
    website: '' | string;
    address: string;
    certificates: string;
    about: string;
    countries: string[];
  };
  appliedBy: string;
  appliedAt: string;
  decidedAt: string | null;
  decidedBy: string | null;
  reason: string;
  configuredAt: string | null;
  accounts: number;
};
export type ArcJoining = {
  offered: boolean;
  state: 'none' | 'submitted' | 'approved' | 'listed' | 'rejected' | 'withdrawn';
  information: {
    contactName: string;
    email: string;
    phone: string;
    website: '' | string;
    address: string;
    certificates: string;
    about: string;
    countries: string[];
  } | null;
  proposed: {
    contactName?: string;
    email?: string;
    phone?: string;
    website?: '' | string;
    address?: string;
    certificates?: string;
    about?: string;
    countries?: string[];
  };
  company: { name: string; country: string; authentication: 'none' | 'submitted' | 'approved' | 'rejected' };
  helpEmail: string | null;
  agreement: string;
  appliedAt: string | null;
  decidedAt: string | null;
  reason: string;
  arcId: string | null;
  keyPrefix: string | null;
  keySentTo: string | null;
  keyUsedAt: string | null;
  configuredAt: string | null;
  receivers: number;
  accounts: number;
};
export type ArcLegs = {
  accountId: string;
  boxSerial: string;
  deviceToBoxMs: number | null;
  directMs: number | null;
  secondMs: number | null;
  boxToRelayMs: number | null;
  relayToArcMs: number | null;
  last: { at: string; path: 'direct' | 'relay' | 'second' | null; tookMs: number } | null;
};
export type ArcReceiver = {
  transport: 'tcp' | 'udp';
  protocol: 'SIA-DCS' | 'ADM-CID';
  supervision: { kind: 'null' | 'test' | 'off'; intervalMs: number };
  periodicTest: { intervalMs: number; atMinute: number | null } | null;
  ackTimeoutMs: number;
  attempts: number;
  codes: {
    type:
      | 'motion'
      | 'lineCrossing'
      | 'intrusion'
      | 'regionEntrance'
      | 'regionExiting'
      | 'tamper'
      | 'videoLoss'
      | 'alarmInput'
      | 'pirDetected'
      | 'faceDetection'
      | 'zoneAlarm'
      | 'panic'
      | 'duress'
      | 'fire'
      | 'gas'
      | 'waterLeak'
      | 'temperature'
      | 'medical'
      | 'zoneBypassed'
      | 'areaArmedAway'
      | 'areaArmedStay'
      | 'areaDisarmed'
      | 'armFailed'
      | 'panelTamper'
      | 'deviceTamper'
      | 'mainsFail'
      | 'batteryLow'
      | 'panelFault'
      | 'panelTest'
      | 'networkDisconnected'
      | 'doorOpened'
      | 'doorForced'
      | 'doorHeldOpen'
      | 'doorUnlocked'
      | 'call'
      | 'fallDetected'
      | 'outOfBed'
      | 'heartRateHigh'
      | 'heartRateLow'
      | 'respirationHigh'
      | 'respirationLow'
      | 'presence'
      | 'diskError'
      | 'diskFull'
      | 'illegalLogin'
      | 'deviceOffline'
      | 'boxRestarted'
      | 'eventsLost'
      | 'clipLost'
      | 'other';
    cid?: string;
    sia?: string;
    siaEnd?: string | null;
  }[];
  extended: { blocks: number; text: boolean; picture: boolean; path: boolean };
  partition: number;
  ownLine: { enabled: boolean; line: string };
  id: string;
  name: string;
  kind: 'external' | 'hosted';
  direct: { host: string; port: number };
  relay: { host: string; port: number };
  encrypted: boolean;
  keyFormat: 'hex' | 'characters';
  accounts: number;
  createdAt: string;
};
export type ArcRequest = {
  id: string;
  serviceId: string;
  kind: 'events' | 'media';
  state: 'pending' | 'approved' | 'refused' | 'withdrawn';
  siteId: string;
  siteName: string;
  deviceId: string;
  deviceName: string;
  arc: { id: string; name: string };
  account: string;
  events: {
    now: (
      | 'motion'
      | 'lineCrossing'
      | 'intrusion'
      | 'regionEntrance'
      | 'regionExiting'
      | 'tamper'
      | 'videoLoss'
      | 'alarmInput'
      | 'pirDetected'
      | 'faceDetection'
      | 'zoneAlarm'
      | 'panic'
      | 'duress'
      | 'fire'
      | 'gas'
      | 'waterLeak'
      | 'temperature'
      | 'medical'
      | 'zoneBypassed'
      | 'areaArmedAway'
      | 'areaArmedStay'
      | 'areaDisarmed'
      | 'armFailed'
      | 'panelTamper'
      | 'deviceTamper'
      | 'mainsFail'
      | 'batteryLow'
      | 'panelFault'
      | 'panelTest'
      | 'networkDisconnected'
      | 'doorOpened'
      | 'doorForced'
      | 'doorHeldOpen'
      | 'doorUnlocked'
      | 'call'
      | 'fallDetected'
      | 'outOfBed'
      | 'heartRateHigh'
      | 'heartRateLow'
      | 'respirationHigh'
      | 'respirationLow'
      | 'presence'
      | 'diskError'
      | 'diskFull'
      | 'illegalLogin'
      | 'deviceOffline'
      | 'boxRestarted'
      | 'eventsLost'
      | 'clipLost'
      | 'other'
    )[];
    wanted: (
      | 'motion'
      | 'lineCrossing'
      | 'intrusion'
      | 'regionEntrance'
      | 'regionExiting'
      | 'tamper'
      | 'videoLoss'
      | 'alarmInput'
      | 'pirDetected'
      | 'faceDetection'
      | 'zoneAlarm'
      | 'panic'
      | 'duress'
      | 'fire'
      | 'gas'
      | 'waterLeak'
      | 'temperature'
      | 'medical'
      | 'zoneBypassed'
      | 'areaArmedAway'
      | 'areaArmedStay'
      | 'areaDisarmed'
      | 'armFailed'
      | 'panelTamper'
      | 'deviceTamper'
      | 'mainsFail'
      | 'batteryLow'
      | 'panelFault'
      | 'panelTest'
      | 'networkDisconnected'
      | 'doorOpened'
      | 'doorForced'
      | 'doorHeldOpen'
      | 'doorUnlocked'
      | 'call'
      | 'fallDetected'
      | 'outOfBed'
      | 'heartRateHigh'
      | 'heartRateLow'
      | 'respirationHigh'
      | 'respirationLow'
      | 'presence'
      | 'diskError'
      | 'diskFull'
      | 'illegalLogin'
      | 'deviceOffline'
      | 'boxRestarted'
      | 'eventsLost'
      | 'clipLost'
      | 'other'
    )[];
  } | null;
  media: { picture: boolean; clip: boolean } | null;
  createdAt: string;
  decidedAt: string | null;
};
export type ArcService = {
  id: string;
  siteId: string;
  siteName: string;
  timeZone: string;
  device: {
    id: string;
    name: string;
    type: 'encoding' | 'panel' | 'access' | 'intercom' | 'network' | 'radar' | 'audio' | 'doorbell' | 'box';
    model: string;
    boxSerial: string | null;
    online: boolean;
  };
  arc: { id: string; name: string };
  company: { id: string; name: string };
  state: 'waiting' | 'active' | 'suspended' | 'rejected';
  account: string;
  events: (
    | 'motion'
    | 'lineCrossing'
    | 'intrusion'
    | 'regionEntrance'
    | 'regionExiting'
    | 'tamper'
    | 'videoLoss'
    | 'alarmInput'
    | 'pirDetected'
    | 'faceDetection'
    | 'zoneAlarm'
    | 'panic'
    | 'duress'
    | 'fire'
    | 'gas'
    | 'waterLeak'
    | 'temperature'
    | 'medical'
    | 'zoneBypassed'
    | 'areaArmedAway'
    | 'areaArmedStay'
    | 'areaDisarmed'
    | 'armFailed'
    | 'panelTamper'
    | 'deviceTamper'
    | 'mainsFail'
    | 'batteryLow'
    | 'panelFault'
    | 'panelTest'
    | 'networkDisconnected'
    | 'doorOpened'
    | 'doorForced'
    | 'doorHeldOpen'
    | 'doorUnlocked'
    | 'call'
    | 'fallDetected'
    | 'outOfBed'
    | 'heartRateHigh'
    | 'heartRateLow'
    | 'respirationHigh'
    | 'respirationLow'
    | 'presence'
    | 'diskError'
    | 'diskFull'
    | 'illegalLogin'
    | 'deviceOffline'
    | 'boxRestarted'
    | 'eventsLost'
    | 'clipLost'
    | 'other'
  )[];
  mode: 'direct-or-relay' | 'relay';
  media: { picture: boolean; clip: boolean };
  offlineDelayMs: number | null;
  zones: { channel: number; zone: number }[];
  receiver: { id: string; name: string } | null;
  note: string;
  pendingEvents:
    | (
        | 'motion'
        | 'lineCrossing'
        | 'intrusion'
        | 'regionEntrance'
        | 'regionExiting'
        | 'tamper'
        | 'videoLoss'
        | 'alarmInput'
        | 'pirDetected'
        | 'faceDetection'
        | 'zoneAlarm'
        | 'panic'
        | 'duress'
        | 'fire'
        | 'gas'
        | 'waterLeak'
        | 'temperature'
        | 'medical'
        | 'zoneBypassed'
        | 'areaArmedAway'
        | 'areaArmedStay'
        | 'areaDisarmed'
        | 'armFailed'
        | 'panelTamper'
        | 'deviceTamper'
        | 'mainsFail'
        | 'batteryLow'
        | 'panelFault'
        | 'panelTest'
        | 'networkDisconnected'
        | 'doorOpened'
        | 'doorForced'
        | 'doorHeldOpen'
        | 'doorUnlocked'
        | 'call'
        | 'fallDetected'
        | 'outOfBed'
        | 'heartRateHigh'
        | 'heartRateLow'
        | 'respirationHigh'
        | 'respirationLow'
        | 'presence'
        | 'diskError'
        | 'diskFull'
        | 'illegalLogin'
        | 'deviceOffline'
        | 'boxRestarted'
        | 'eventsLost'
        | 'clipLost'
        | 'other'
      )[]
    | null;
  pendingMedia: { picture: boolean; clip: boolean } | null;
  path: {
    accountId: string;
    path: 'direct' | 'relay' | 'second' | 'none';
    since: string;
    direct: 'up' | 'down' | 'unknown';
    relay: 'up' | 'down' | 'unknown';
    second: 'up' | 'down' | 'unknown' | 'absent';
    waiting: number;
    changes?: { at: string; path: 'direct' | 'relay' | 'second'; up: boolean }[];
  } | null;
  createdAt: string;
  decidedAt: string | null;
};
export type ArcServiceDone = { serviceId: string; done: boolean; code: string | null; text: string | null };
export type ArmedDevice = { deviceId: string; name: string; done: boolean; code: string | null; text: string | null };
export type BandwidthTest = {
  id: string;
  siteId: string;
  boxSerial: string;
  deviceId: string | null;
  state: 'running' | 'done' | 'failed';
  startedAt: string;
  endedAt: string | null;
  expectedMs: number;
  kbps: number | null;
  yielded: boolean;
  code: string | null;
  text: string | null;
  recommended: {
    definition: string;
    kbps: number;
    channels: number;
    choices: { definition: string; kbps: number; channels: number }[];
    maxChannels: number | null;
  } | null;
};
export type BatchResult = { done: string[]; failed: { siteId: string; code: string; detail: string }[] };
export type BatchShareResult = {
  items: { deviceId: string; customerId: string; result: 'shared' | 'shared-before' | 'limit-reached' }[];
};
export type Box = {
  serial: string;
  siteId: string;
  state: 'claimed' | 'duplicate' | 'revoked';
  online: boolean;
  since: string | null;
  tunnel: boolean;
  version: string | null;
  health: {
    at: string;
    version: string;
    uptimeMs: number;
    rssBytes: number;
    diskFreeBytes: number;
    diskTotalBytes: number;
    tunnelRttMs: number | null;
    queues: { uplink: number; upload: number; uploadBytes: number; arc: number };
    devices: {
      id: string;
      state: 'connecting' | 'online' | 'offline' | 'refused' | 'locked' | 'notActivated';
      since: string;
      model: string | null;
      firmware: string | null;
      serial: string | null;
      shows?: { certificate: string; old: boolean; httpPort: number };
      channels: {
        channel: number;
        name: string;
        video: 'none' | 'connecting' | 'streaming' | 'stalled' | 'refused';
        codec: string | null;
        keyFrameIntervalMs: number | null;
      }[];
    }[];
    arc: {
      accountId: string;
      path: 'direct' | 'relay' | 'second' | 'none';
      since: string;
      direct: 'up' | 'down' | 'unknown';
      relay: 'up' | 'down' | 'unknown';
      second: 'up' | 'down' | 'unknown' | 'absent';
      waiting: number;
      changes?: { at: string; path: 'direct' | 'relay' | 'second'; up: boolean }[];
    }[];
    warnables: { code: string; subject: string; severity: 'info' | 'warning' | 'error'; text: string; since: string }[];
  } | null;
};
export type ChannelStatus = {
  channel: 'email' | 'sms' | 'push';
  state: 'ok' | 'not-configured' | 'down' | 'full';
  reason: string | null;
  retryAt: string | null;
  waiting: number;
  oldestAt: string | null;
  failed: number;
};
export type ClipShare = {
  id: string;
  note: string;
  createdAt: string;
  expiresAt: string;
  by: string;
  views: number;
  viewedAt: string | null;
};
export type CloudChannel = {
  siteId: string;
  deviceId: string;
  deviceName: string;
  boxSerial: string | null;
  channel: number;
  enabled: boolean;
  mode: 'event' | 'continuous' | 'both';
  stream: 'main' | 'sub' | 'adaptive';
  definition: string | null;
  triggers: ('motion' | 'intrusion' | 'lineCrossing')[];
  audio: boolean;
  motionOnly: boolean;
  service: {
    retentionDays: 7 | 30 | 90 | 180 | 365;
    term: 'month' | 'year';
    id: string;
    siteId: string;
    siteName: string;
    deviceId: string;
    deviceName: string;
    channel: number;
    state: 'active' | 'expiring' | 'expired' | 'ended';
    activatedAt: string;
    until: string;
    ended: 'transferred' | 'left' | null;
    transferable: boolean;
  } | null;
  recording: boolean;
  setUp: { state: 'done' | 'running' | 'failed' | 'never'; code: string | null; jobId: string | null };
  silent: { trigger: 'motion' | 'intrusion' | 'lineCrossing'; why: 'notify' | 'enabled' | 'area' | 'schedule' }[];
};
export type CloudChannels = {
  items: {
    siteId: string;
    deviceId: string;
    deviceName: string;
    boxSerial: string | null;
    channel: number;
    enabled: boolean;
    mode: 'event' | 'continuous' | 'both';
    stream: 'main' | 'sub' | 'adaptive';
    definition: string | null;
    triggers: ('motion' | 'intrusion' | 'lineCrossing')[];
    audio: boolean;
    motionOnly: boolean;
    service: {
      retentionDays: 7 | 30 | 90 | 180 | 365;
      term: 'month' | 'year';
      id: string;
      siteId: string;
      siteName: string;
      deviceId: string;
      deviceName: string;
      channel: number;
      state: 'active' | 'expiring' | 'expired' | 'ended';
      activatedAt: string;
      until: string;
      ended: 'transferred' | 'left' | null;
      transferable: boolean;
    } | null;
    recording: boolean;
    setUp: { state: 'done' | 'running' | 'failed' | 'never'; code: string | null; jobId: string | null };
    silent: { trigger: 'motion' | 'intrusion' | 'lineCrossing'; why: 'notify' | 'enabled' | 'area' | 'schedule' }[];
  }[];
  devices: {
    deviceId: string;
    deviceName: string;
    model: string;
    maxChannels: number | null;
    maxWidth: number | null;
    maxHeight: number | null;
    motionOnly: boolean;
    paid: number[];
    setups: {
      state: 'done' | 'running' | 'failed' | 'never';
      code: string | null;
      jobId: string | null;
      channel: number;
      at: string;
    }[];
  }[];
  offered: boolean;
};
export type CloudService = {
  retentionDays: 7 | 30 | 90 | 180 | 365;
  term: 'month' | 'year';
  id: string;
  siteId: string;
  siteName: string;
  deviceId: string;
  deviceName: string;
  channel: number;
  state: 'active' | 'expiring' | 'expired' | 'ended';
  activatedAt: string;
  until: string;
  ended: 'transferred' | 'left' | null;
  transferable: boolean;
};
export type CloudServices = {
  items: {
    retentionDays: 7 | 30 | 90 | 180 | 365;
    term: 'month' | 'year';
    id: string;
    siteId: string;
    siteName: string;
    deviceId: string;
    deviceName: string;
    channel: number;
    state: 'active' | 'expiring' | 'expired' | 'ended';
    activatedAt: string;
    until: string;
    ended: 'transferred' | 'left' | null;
    transferable: boolean;
  }[];
  stock: {
    retentionDays: 7 | 30 | 90 | 180 | 365;
    term: 'month' | 'year';
    purchased: number;
    used: number;
    reserved: number;
    remaining: number;
  }[];
  offered: boolean;
};
export type CloudSetupStarted = {
  jobId: string | null;
  refused: { index: number; name: string; code: string; detail: string }[];
};
export type Collaboration = {
  id: string;
  siteId: string;
  siteName: string;
  stage: 'isp' | 'msp';
  company: { id: string; name: string };
  partner: { id: string; name: string; email: string | null };
  permissions: ('manage' | 'configure' | 'live' | 'playback')[];
  remark: string;
  state: 'invited' | 'active' | 'declined' | 'refused' | 'ended';
  partnerAnswer: 'pending' | 'yes' | 'no';
  customerAnswer: 'pending' | 'yes' | 'no' | null;
  createdAt: string;
  side: 'company' | 'partner' | 'customer';
};
export type Company = {
  id: string;
  name: string;
  type: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem' | 'customer' | 'operator';
  country: string;
  address: string;
  phone: string;
  authentication: 'none' | 'submitted' | 'approved' | 'rejected';
  channelPartner: boolean;
  people: number;
  slots: number;
  slotsUsed: number;
};
export type CompanyAuthentication = {
  state: 'none' | 'submitted' | 'approved' | 'rejected';
  asked: {
    field:
      | 'legalName'
      | 'registrationNumber'
      | 'vatNumber'
      | 'taxId'
      | 'licenceNumber'
      | 'address'
      | 'contactName'
      | 'contactPhone'
      | 'website';
    required: boolean;
  }[];
  fields: {
    legalName?: string;
    registrationNumber?: string;
    vatNumber?: string;
    taxId?: string;
    licenceNumber?: string;
    address?: string;
    contactName?: string;
    contactPhone?: string;
    website?: string;
  };
  submittedAt: string | null;
  decidedAt: string | null;
  reason: string;
};
export type CompatRow = {
  list: 'cloud-nvr' | 'cloud-dvr' | 'cloud-camera' | 'box' | 'old-firmware' | 'co-branding';
  deviceType: string;
  series: string;
  model: string;
  firmware: string;
  maxChannels: number | null;
  maxWidth: number | null;
  maxHeight: number | null;
  maxKbps: number | null;
  features: {
    video?: boolean;
    remoteUpgrade?: boolean;
    remoteConfiguration?: boolean;
    health?: boolean;
    coBranding?: boolean;
    arc?: boolean;
    linkage?: boolean;
  };
  remarks: string;
  id: string;
};
export type CompatSummary = {
  counts: {
    'cloud-nvr'?: number;
    'cloud-dvr'?: number;
    'cloud-camera'?: number;
    box?: number;
    'old-firmware'?: number;
    'co-branding'?: number;
  };
  deviceTypes: string[];
  changedAt: string | null;
};
export type CreatedApiKey = {
  id: string;
  name: string;
  prefix: string;
  permissions: (
    | 'manage-all-sites'
    | 'manage-assigned-sites'
    | 'manage-devices'
    | 'configure-devices'
    | 'live-view'
    | 'playback'
  )[];
  readOnly: boolean;
  sites: { id: string; name: string }[] | null;
  createdBy: { userId: string; name: string };
  createdAt: string;
  expiresAt: string;
  lastUsedAt: string | null;
  token: string;
};
export type Delivery = {
  id: string;
  channel: 'email' | 'sms' | 'push';
  recipient: string;
  code: string;
  state: 'waiting' | 'failed';
  tries: number;
  reason: string | null;
  createdAt: string;
  at: string;
};
export type DeskAccount = {
  id: string;
  account: string;
  receiverId: string;
  receiverName: string;
  protocol: 'SIA-DCS' | 'ADM-CID';
  encrypted: boolean;
  mode: 'direct-or-relay' | 'relay';
  site: { id: string; name: string; timeZone: string };
  boxSerial: string;
  ended: boolean;
  online: boolean;
  heardAt: string | null;
  paths: {
    accountId: string;
    path: 'direct' | 'relay' | 'second' | 'none';
    since: string;
    direct: 'up' | 'down' | 'unknown';
    relay: 'up' | 'down' | 'unknown';
    second: 'up' | 'down' | 'unknown' | 'absent';
    waiting: number;
    changes?: { at: string; path: 'direct' | 'relay' | 'second'; up: boolean }[];
  } | null;
  test: {
    id: string;
    startedAt: string;
    untilAt: string;
    endedAt: string | null;
    startedBy: string;
    endedBy: string | null;
    note: string;
    beginTold: 'waiting' | 'told' | 'given-up';
    endTold: 'waiting' | 'told' | 'given-up';
  } | null;
};
export type DeskAlarm = {
  id: string;
  kind: 'alarm' | 'restore' | 'test';
  account: string;
  receiverId: string;
  protocol: 'SIA-DCS' | 'ADM-CID';
  code: string;
  zone: string;
  state: 'waiting' | 'acknowledged' | 'failed';
  path: 'direct' | 'relay' | 'second' | null;
  tries: number;
  occurredAt: string;
  queuedAt: string;
  acknowledgedAt: string | null;
  possibleRepeat: boolean;
  reason: string | null;
  source: 'box' | 'relay' | 'foreign';
  accountId: string | null;
  receiverName: string;
  urgency: number;
  meaning:
    | 'fire'
    | 'panic'
    | 'medical'
    | 'gas'
    | 'burglary'
    | 'tamper'
    | 'technical'
    | 'pathLost'
    | 'pathsLost'
    | 'fault'
    | 'power'
    | 'opened'
    | 'closed'
    | 'bypassed'
    | 'test'
    | 'testBegun'
    | 'testEnded'
    | 'untyped';
  eventType:
    | 'motion'
    | 'lineCrossing'
    | 'intrusion'
    | 'regionEntrance'
    | 'regionExiting'
    | 'tamper'
    | 'videoLoss'
    | 'alarmInput'
    | 'pirDetected'
    | 'faceDetection'
    | 'zoneAlarm'
    | 'panic'
    | 'duress'
    | 'fire'
    | 'gas'
    | 'waterLeak'
    | 'temperature'
    | 'medical'
    | 'zoneBypassed'
    | 'areaArmedAway'
    | 'areaArmedStay'
    | 'areaDisarmed'
    | 'armFailed'
    | 'panelTamper'
    | 'deviceTamper'
    | 'mainsFail'
    | 'batteryLow'
    | 'panelFault'
    | 'panelTest'
    | 'networkDisconnected'
    | 'doorOpened'
    | 'doorForced'
    | 'doorHeldOpen'
    | 'doorUnlocked'
    | 'call'
    | 'fallDetected'
    | 'outOfBed'
    | 'heartRateHigh'
    | 'heartRateLow'
    | 'respirationHigh'
    | 'respirationLow'
    | 'presence'
    | 'diskError'
    | 'diskFull'
    | 'illegalLogin'
    | 'deviceOffline'
    | 'boxRestarted'
    | 'eventsLost'
    | 'clipLost'
    | 'other'
    | null;
  eventId: string | null;
  site: { id: string; name: string; timeZone: string } | null;
  boxSerial: string | null;
  deviceId: string | null;
  deviceName: string | null;
  channel: number | null;
  channelName: string | null;
  text: string | null;
  takenAt: string;
  open: boolean;
  test: boolean;
  handled: { at: string; name: string } | null;
  notes: number;
  restoredAt: string | null;
  clipId: string | null;
};
export type DeskAlarmDetail = {
  id: string;
  kind: 'alarm' | 'restore' | 'test';
  account: string;
  receiverId: string;
  protocol: 'SIA-DCS' | 'ADM-CID';
  code: string;
  zone: string;
  state: 'waiting' | 'acknowledged' | 'failed';
  path: 'direct' | 'relay' | 'second' | null;
  tries: number;
  occurredAt: string;
  queuedAt: string;
  acknowledgedAt: string | null;
  possibleRepeat: boolean;
  reason: string | null;
  source: 'box' | 'relay' | 'foreign';
  accountId: string | null;
  receiverName: string;
  urgency: number;
  meaning:
    | 'fire'
    | 'panic'
    | 'medical'
    | 'gas'
    | 'burglary'
    | 'tamper'
    | 'technical'
    | 'pathLost'
    | 'pathsLost'
    | 'fault'
    | 'power'
    | 'opened'
    | 'closed'
    | 'bypassed'
    | 'test'
    | 'testBegun'
    | 'testEnded'
    | 'untyped';
  eventType:
    | 'motion'
    | 'lineCrossing'
    | 'intrusion'
    | 'regionEntrance'
    | 'regionExiting'
    | 'tamper'
    | 'videoLoss'
    | 'alarmInput'
    | 'pirDetected'
    | 'faceDetection'
    | 'zoneAlarm'
    | 'panic'
    | 'duress'
    | 'fire'
    | 'gas'
    | 'waterLeak'
    | 'temperature'
    | 'medical'
    | 'zoneBypassed'
    | 'areaArmedAway'
    | 'areaArmedStay'
    | 'areaDisarmed'
    | 'armFailed'
    | 'panelTamper'
    | 'deviceTamper'
    | 'mainsFail'
    | 'batteryLow'
    | 'panelFault'
    | 'panelTest'
    | 'networkDisconnected'
    | 'doorOpened'
    | 'doorForced'
    | 'doorHeldOpen'
    | 'doorUnlocked'
    | 'call'
    | 'fallDetected'
    | 'outOfBed'
    | 'heartRateHigh'
    | 'heartRateLow'
    | 'respirationHigh'
    | 'respirationLow'
    | 'presence'
    | 'diskError'
    | 'diskFull'
    | 'illegalLogin'
    | 'deviceOffline'
    | 'boxRestarted'
    | 'eventsLost'
    | 'clipLost'
    | 'other'
    | null;
  eventId: string | null;
  site: { id: string; name: string; timeZone: string } | null;
  boxSerial: string | null;
  deviceId: string | null;
  deviceName: string | null;
  channel: number | null;
  channelName: string | null;
  text: string | null;
  takenAt: string;
  open: boolean;
  test: boolean;
  handled: { at: string; name: string } | null;
  notes: number;
  restoredAt: string | null;
  clipId: string | null;
  sequence: number;
  log: {
    at: string;
    path: 'direct' | 'relay' | 'second';
    receiver: string;
    outcome:
      | 'acknowledged'
      | 'nak'
      | 'duh'
      | 'other-key'
      | 'refused'
      | 'timeout'
      | 'reset'
      | 'unreachable'
      | 'not-allowed'
      | 'invalid'
      | 'busy';
    tookMs: number;
    frame: string;
    reply: string | null;
  }[];
  history: { at: string; name: string; kind: 'note' | 'acknowledged' | 'reopened'; text: string }[];
};
export type DeskLink = { path: string; url: string | null; expiresAt: string };
export type DeskReport = {
  account: {
    id: string;
    account: string;
    receiverName: string;
    site: { id: string; name: string; timeZone: string };
    boxSerial: string;
  };
  month: string;
  from: string;
  to: string;
  madeAt: string;
  availability: { observedMs: number; downMs: number; percent: number | null; outages: number; longestMs: number };
  paths: {
    observedMs: number;
    downMs: number;
    percent: number | null;
    outages: number;
    longestMs: number;
    path: 'direct' | 'relay' | 'second';
    limitMs: number;
    slowestReportMs: number | null;
  }[];
  outages: {
    path: 'direct' | 'relay' | 'second' | 'all';
    from: string;
    to: string | null;
    durationMs: number;
    toldAt: string | null;
    reportingMs: number | null;
  }[];
  outagesLeftOut: number;
  alarms: {
    sent: number;
    acknowledged: number;
    waiting: number;
    failed: number;
    possibleRepeats: number;
    delayed: number;
    byPath: { path: 'direct' | 'relay' | 'second'; count: number }[];
    times: { meanMs: number; p95Ms: number; maxMs: number } | null;
  };
  tests: { sent: number; acknowledged: number };
  alarmsCountedTo: string | null;
  testModes: {
    id: string;
    startedAt: string;
    untilAt: string;
    endedAt: string | null;
    startedBy: string;
    endedBy: string | null;
    note: string;
    beginTold: 'waiting' | 'told' | 'given-up';
    endTold: 'waiting' | 'told' | 'given-up';
  }[];
};
export type DeskTest = {
  id: string;
  startedAt: string;
  untilAt: string;
  endedAt: string | null;
  startedBy: string;
  endedBy: string | null;
  note: string;
  beginTold: 'waiting' | 'told' | 'given-up';
  endTold: 'waiting' | 'told' | 'given-up';
};
export type Device = {
  id: string;
  siteId: string;
  boxSerial: string | null;
  name: string;
  kind: 'isapi' | 'onvif' | 'snmp' | 'dc09';
  type: 'encoding' | 'panel' | 'access' | 'intercom' | 'network' | 'radar' | 'audio' | 'doorbell' | 'box';
  accessMode: 'p2p' | 'ip';
  model: string;
  firmware: string;
  channelCount: number;
  mac: string | null;
  serial: string | null;
  host: string;
  httpPort: number;
  certificate: string | null;
  oldTls: boolean;
  username: string;
  health: {
    id: string;
    state: 'connecting' | 'online' | 'offline' | 'refused' | 'locked' | 'notActivated';
    since: string;
    model: string | null;
    firmware: string | null;
    serial: string | null;
    shows?: { certificate: string; old: boolean; httpPort: number };
    channels: {
      channel: number;
      name: string;
      video: 'none' | 'connecting' | 'streaming' | 'stalled' | 'refused';
      codec: string | null;
      keyFrameIntervalMs: number | null;
    }[];
  } | null;
  permissions?: ('configure' | 'live' | 'playback')[];
};
export type DeviceActionDone = { pending: boolean; text: string | null };
export type DeviceCapabilities = {
  category:
    | 'camera'
    | 'ptzCamera'
    | 'thermalCamera'
    | 'nvr'
    | 'dvr'
    | 'doorStation'
    | 'doorbell'
    | 'indoorStation'
    | 'accessController'
    | 'panel'
    | 'radar'
    | 'speaker'
    | 'switch'
    | 'other';
  sections: {
    section:
      | 'video'
      | 'picture'
      | 'osd'
      | 'backlight'
      | 'privacyMask'
      | 'motion'
      | 'intrusion'
      | 'lineCrossing'
      | 'channel'
      | 'network'
      | 'ports'
      | 'time'
      | 'ddns'
      | 'platform'
      | 'onvif'
      | 'passwordRecovery'
      | 'device'
      | 'panel'
      | 'alarmReceiver'
      | 'intercom'
      | 'radar'
      | 'speaker'
      | 'switch';
    channels: number[] | null;
    streams?: number[];
  }[];
  lists: {
    list:
      | 'presets'
      | 'patrols'
      | 'patterns'
      | 'disks'
      | 'users'
      | 'recorderChannels'
      | 'camerasSeen'
      | 'alarmInputs'
      | 'alarmOutputs'
      | 'doors'
      | 'areas'
      | 'zones'
      | 'peripherals'
      | 'faults'
      | 'audioFiles'
      | 'switchPorts'
      | 'neighbours';
    channels: number[] | null;
  }[];
  actions: {
    action:
      | 'ptzMove'
      | 'ptzStop'
      | 'ptzHome'
      | 'focus'
      | 'presetCall'
      | 'presetSet'
      | 'presetDelete'
      | 'patrolStart'
      | 'patrolStop'
      | 'patternRun'
      | 'patternStop'
      | 'privacyMaskOn'
      | 'privacyMaskOff'
      | 'alarmOutput'
      | 'doorOpen'
      | 'doorRemainOpen'
      | 'doorRemainClosed'
      | 'doorResume'
      | 'areaArmAway'
      | 'areaArmStay'
      | 'areaDisarm'
      | 'areaSilence'
      | 'zoneBypass'
      | 'zoneUnbypass'
      | 'walkTestStart'
      | 'walkTestStop'
      | 'play'
      | 'reboot'
      | 'restore'
      | 'diskFormat'
      | 'syncTime'
      | 'channelAdd'
      | 'channelEdit'
      | 'channelDelete'
      | 'channelsSort'
      | 'portRestart';
    channels: number[] | null;
  }[];
  resources: {
    kind:
      | 'camera'
      | 'accessController'
      | 'door'
      | 'doorStation'
      | 'doorbell'
      | 'area'
      | 'zone'
      | 'alarmInput'
      | 'alarmOutput'
      | 'radar'
      | 'speaker';
    id: string;
    name: string;
    triggers: string[];
    actions: (
      | 'capture'
      | 'record'
      | 'ptzMove'
      | 'ptzStop'
      | 'ptzHome'
      | 'focus'
      | 'presetCall'
      | 'presetSet'
      | 'presetDelete'
      | 'patrolStart'
      | 'patrolStop'
      | 'patternRun'
      | 'patternStop'
      | 'privacyMaskOn'
      | 'privacyMaskOff'
      | 'alarmOutput'
      | 'doorOpen'
      | 'doorRemainOpen'
      | 'doorRemainClosed'
      | 'doorResume'
      | 'areaArmAway'
      | 'areaArmStay'
      | 'areaDisarm'
      | 'areaSilence'
      | 'zoneBypass'
      | 'zoneUnbypass'
      | 'walkTestStart'
      | 'walkTestStop'
      | 'play'
      | 'reboot'
      | 'restore'
      | 'diskFormat'
      | 'syncTime'
      | 'channelAdd'
      | 'channelEdit'
      | 'channelDelete'
      | 'channelsSort'
      | 'portRestart'
    )[];
  }[];
  unverified: string[];
};
export type DeviceInvitation = {
  id: string;
  deviceId: string;
  deviceName: string;
  deviceSerial: string | null;
  siteId: string;
  siteName: string;
  customer: string;
  email: string;
  invitedAt: string;
  validUntil: string;
  state: 'sent' | 'accepted' | 'declined' | 'expired' | 'withdrawn';
  direction: 'sent' | 'received';
};
export type DeviceItem = {
  id: string;
  siteId: string;
  boxSerial: string | null;
  name: string;
  kind: 'isapi' | 'onvif' | 'snmp' | 'dc09';
  type: 'encoding' | 'panel' | 'access' | 'intercom' | 'network' | 'radar' | 'audio' | 'doorbell' | 'box';
  accessMode: 'p2p' | 'ip';
  model: string;
  firmware: string;
  channelCount: number;
  mac: string | null;
  serial: string | null;
  host: string;
  httpPort: number;
  username: string;
  siteName: string;
  timeZone: string;
  state: 'online' | 'offline' | 'unknown';
};
export type DeviceListing = {
  items: { id: string; name: string; values: Record<string, string | number | boolean | null> }[];
};
export type DevicePage = { items: DeviceItem[]; nextCursor: string | null };
export type DevicePasswordChanged = { outcome: 'changed' | 'uncertain'; text: string | null };
export type DeviceSettings = {
  fields: (
    | { name: string; readOnly?: true; kind: 'boolean'; value: boolean | null }
    | {
        name: string;
        readOnly?: true;
        kind: 'number';
        value: number | null;
        min: number | null;
        max: number | null;
        unit: string | null;
      }
    | { name: string; readOnly?: true; kind: 'choice'; value: string | null; options: string[] }
    | { name: string; readOnly?: true; kind: 'text'; value: string | null; maxLength: number }
    | { name: string; readOnly?: true; kind: 'secret'; set: boolean | null; maxLength: number }
    | { name: string; readOnly?: true; kind: 'week'; value: string | null; maxRanges: number }
    | { name: string; readOnly?: true; kind: 'regions'; value: [number, number][][]; maxRegions: number }
    | { name: string; readOnly?: true; kind: 'lines'; value: [number, number][][]; maxLines: number }
  )[];
};
export type DeviceSettingsWritten = {
  fields: (
    | { name: string; readOnly?: true; kind: 'boolean'; value: boolean | null }
    | {
        name: string;
        readOnly?: true;
        kind: 'number';
        value: number | null;
        min: number | null;
        max: number | null;
        unit: string | null;
      }
    | { name: string; readOnly?: true; kind: 'choice'; value: string | null; options: string[] }
    | { name: string; readOnly?: true; kind: 'text'; value: string | null; maxLength: number }
    | { name: string; readOnly?: true; kind: 'secret'; set: boolean | null; maxLength: number }
    | { name: string; readOnly?: true; kind: 'week'; value: string | null; maxRanges: number }
    | { name: string; readOnly?: true; kind: 'regions'; value: [number, number][][]; maxRegions: number }
    | { name: string; readOnly?: true; kind: 'lines'; value: [number, number][][]; maxLines: number }
  )[];
  notKept: {
    name: string;
    wanted: string | number | boolean | null | [number, number][][];
    is: string | number | boolean | null | [number, number][][];
  }[];
  rebootRequired: boolean;
};
export type DeviceUpgrade = {
  deviceId: string;
  name: string;
  model: string;
  firmware: string;
  boxSerial: string | null;
  online: boolean;
  available: {
    id: string;
    fileName: string;
    version: string;
    models: string[];
    note: string;
    state: 'uploading' | 'ready' | 'failed';
    reason: string | null;
    size: number;
    firmwareSize: number | null;
    sha256: string | null;
    createdAt: string;
    deviceId: string | null;
  } | null;
  own: {
    id: string;
    fileName: string;
    version: string;
    models: string[];
    note: string;
    state: 'uploading' | 'ready' | 'failed';
    reason: string | null;
    size: number;
    firmwareSize: number | null;
    sha256: string | null;
    createdAt: string;
    deviceId: string | null;
  } | null;
  passwordNeeded: boolean;
};
export type Discovery = {
  items: {
    mac: string;
    serial: string;
    model: string;
    firmware: string | null;
    address: string;
    subnetMask: string | null;
    gateway: string | null;
    httpPort: number | null;
    dhcp: boolean | null;
    activated: boolean | null;
    locked: boolean;
    protocols: ('sadp' | 'onvif' | 'mdns' | 'ssdp')[];
    pingMs: number | null;
    pingMethod: 'icmp' | 'tcp' | null;
    pingLevel: 'green' | 'yellow' | 'red' | null;
    firstSeenAt: string;
    lastSeenAt: string;
    addressConflict: boolean;
    reachable?: boolean;
    interface?: string | null;
    issues?: ('same-address' | 'same-serial' | 'weak-firmware' | 'locked' | 'other-subnet')[];
    boxSerial: string;
  }[];
  unreachable: string[];
};
export type EmployeeInvitation = {
  id: string;
  email: string;
  name: string;
  roles: { id: string; name: string }[];
  state: 'open' | 'expired' | 'accepted' | 'withdrawn';
  invitedBy: string;
  createdAt: string;
  sentAt: string;
  expiresAt: string;
};
export type EventDetail = {
  id: string;
  siteId: string;
  boxSerial: string;
  type:
    | 'motion'
    | 'lineCrossing'
    | 'intrusion'
    | 'regionEntrance'
    | 'regionExiting'
    | 'tamper'
    | 'videoLoss'
    | 'alarmInput'
    | 'pirDetected'
    | 'faceDetection'
    | 'zoneAlarm'
    | 'panic'
    | 'duress'
    | 'fire'
    | 'gas'
    | 'waterLeak'
    | 'temperature'
    | 'medical'
    | 'zoneBypassed'
    | 'areaArmedAway'
    | 'areaArmedStay'
    | 'areaDisarmed'
    | 'armFailed'
    | 'panelTamper'
    | 'deviceTamper'
    | 'mainsFail'
    | 'batteryLow'
    | 'panelFault'
    | 'panelTest'
    | 'networkDisconnected'
    | 'doorOpened'
    | 'doorForced'
    | 'doorHeldOpen'
    | 'doorUnlocked'
    | 'call'
    | 'fallDetected'
    | 'outOfBed'
    | 'heartRateHigh'
    | 'heartRateLow'
    | 'respirationHigh'
    | 'respirationLow'
    | 'presence'
    | 'diskError'
    | 'diskFull'
    | 'illegalLogin'
    | 'deviceOffline'
    | 'boxRestarted'
    | 'eventsLost'
    | 'clipLost'
    | 'other';
  deviceId: string | null;
  deviceName: string | null;
  channel: number | null;
  occurredAt: string;
  receivedAt: string;
  endedAt: string | null;
  text: string | null;
  sourceRef: string | null;
  clip: {
    id: string;
    deviceId: string;
    channel: number;
    kind: 'event' | 'continuous';
    stream: 'main' | 'sub';
    eventIds: string[];
    twinId: string | null;
    keyId: string | null;
    startedAt: string;
    preRollMs: number;
    durationMs: number;
    codec: string;
    audioCodec: string | null;
    gaps: { atMs: number; durationMs: number }[];
    width: number;
    height: number;
    fragments: number | null;
    reason: string | null;
    siteId: string;
    state: 'recording' | 'uploading' | 'complete' | 'incomplete' | 'held';
    expiresAt: string | null;
    storedFragments: number;
    sizeBytes: number;
  } | null;
  alarms: {
    id: string;
    eventId: string;
    kind: 'alarm' | 'restore' | 'test';
    accountId: string;
    account: string;
    receiverId: string;
    protocol: 'SIA-DCS' | 'ADM-CID';
    code: string;
    zone: string;
    sequence: number;
    state: 'waiting' | 'acknowledged' | 'failed';
    path: 'direct' | 'relay' | 'second' | null;
    tries: number;
    log: {
      at: string;
      path: 'direct' | 'relay' | 'second';
      receiver: string;
      outcome:
        | 'acknowledged'
        | 'nak'
        | 'duh'
        | 'other-key'
        | 'refused'
        | 'timeout'
        | 'reset'
        | 'unreachable'
        | 'not-allowed'
        | 'invalid'
        | 'busy';
      tookMs: number;
      frame: string;
      reply: string | null;
    }[];
    occurredAt: string;
    queuedAt: string;
    acknowledgedAt: string | null;
    possibleRepeat: boolean;
    reason: string | null;
    siteId: string;
    deviceId: string | null;
    receiverName: string;
    origin: 'box' | 'relay';
  }[];
};
export type EventItem = {
  id: string;
  siteId: string;
  boxSerial: string;
  type:
    | 'motion'
    | 'lineCrossing'
    | 'intrusion'
    | 'regionEntrance'
    | 'regionExiting'
    | 'tamper'
    | 'videoLoss'
    | 'alarmInput'
    | 'pirDetected'
    | 'faceDetection'
    | 'zoneAlarm'
    | 'panic'
    | 'duress'
    | 'fire'
    | 'gas'
    | 'waterLeak'
    | 'temperature'
    | 'medical'
    | 'zoneBypassed'
    | 'areaArmedAway'
    | 'areaArmedStay'
    | 'areaDisarmed'
    | 'armFailed'
    | 'panelTamper'
    | 'deviceTamper'
    | 'mainsFail'
    | 'batteryLow'
    | 'panelFault'
    | 'panelTest'
    | 'networkDisconnected'
    | 'doorOpened'
    | 'doorForced'
    | 'doorHeldOpen'
    | 'doorUnlocked'
    | 'call'
    | 'fallDetected'
    | 'outOfBed'
    | 'heartRateHigh'
    | 'heartRateLow'
    | 'respirationHigh'
    | 'respirationLow'
    | 'presence'
    | 'diskError'
    | 'diskFull'
    | 'illegalLogin'
    | 'deviceOffline'
    | 'boxRestarted'
    | 'eventsLost'
    | 'clipLost'
    | 'other';
  deviceId: string | null;
  deviceName: string | null;
  channel: number | null;
  occurredAt: string;
  receivedAt: string;
  endedAt: string | null;
  text: string | null;
  sourceRef: string | null;
  clip: {
    id: string;
    state: 'recording' | 'uploading' | 'complete' | 'incomplete' | 'held';
    durationMs: number;
  } | null;
  alarms: {
    id: string;
    state: 'waiting' | 'acknowledged' | 'failed';
    kind: 'alarm' | 'restore' | 'test';
    path: 'direct' | 'relay' | 'second' | null;
    tries: number;
    occurredAt: string;
    acknowledgedAt: string | null;
  }[];
};
export type FirmwarePackage = {
  id: string;
  fileName: string;
  version: string;
  models: string[];
  note: string;
  state: 'uploading' | 'ready' | 'failed';
  reason: string | null;
  size: number;
  firmwareSize: number | null;
  sha256: string | null;
  createdAt: string;
  deviceId: string | null;
};
export type Handover = {
  id: string;
  siteId: string;
  siteName: string;
  siteType: 'personal' | 'team';
  timeZone: string;
  provider: { id: string; name: string; phone: string; address: string; email: string | null };
  customerName: string;
  remark: string;
  requests: {
    permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
    devices: { id: string; name: string }[] | null;
    validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
  }[];
  devices: {
    id: string;
    name: string;
    type: 'encoding' | 'panel' | 'access' | 'intercom' | 'network' | 'radar' | 'audio' | 'doorbell' | 'box';
  }[];
  sentAt: string;
  expiresAt: string;
  state: 'sent' | 'accepted' | 'rejected' | 'cancelled' | 'superseded' | 'expired';
};
export type Home = {
  items: {
    kind:
      | 'box-duplicate'
      | 'box-gone'
      | 'device-trouble'
      | 'problem'
      | 'join-request'
      | 'partner-invitation'
      | 'permission-request'
      | 'permission-asked'
      | 'transfer-open'
      | 'assignment-ends'
      | 'permission-ends'
      | 'company-unproven';
    name: string;
    site: { id: string; name: string; timeZone: string } | null;
    deviceId: string | null;
    text: string | null;
    at: string | null;
  }[];
  more: (
    | 'box-duplicate'
    | 'box-gone'
    | 'device-trouble'
    | 'problem'
    | 'join-request'
    | 'partner-invitation'
    | 'permission-request'
    | 'permission-asked'
    | 'transfer-open'
    | 'assignment-ends'
    | 'permission-ends'
    | 'company-unproven'
  )[];
  sites: {
    id: string;
    name: string;
    timeZone: string;
    type: 'personal' | 'team';
    status:
      | 'not-handed-over'
      | 'not-registered'
      | 'to-be-accepted'
      | 'not-authorized'
      | 'authorized'
      | 'shared'
      | 'disbanded';
    permissions: (
      | 'list'
      | 'view'
      | 'manage'
      | 'configure'
      | 'live'
      | 'playback'
      | 'services'
      | 'system'
      | 'own'
      | 'all'
    )[];
    operations: (
      | 'search'
      | 'assign'
      | 'transfer'
      | 'share'
      | 'manage-devices'
      | 'edit'
      | 'delete'
      | 'apply-authorization'
      | 'apply-permissions'
      | 'collaborate'
      | 'batch-share'
      | 'group'
      | 'resend-transfer'
    )[];
    syncTime: boolean;
    scene: string;
    address: string;
    city: string;
    region: string;
    country: string;
    latitude: number | null;
    longitude: number | null;
    remark: string | null;
    group: { id: string; name: string } | null;
    own: boolean;
    companyName: string;
    ownerName: string | null;
    managers: { count: number; first: { userId: string; name: string; until: string | null }[] };
    deviceCount: number;
    channelCount: number;
    boxes: {
      serial: string;
      siteId: string;
      state: 'claimed' | 'duplicate' | 'revoked';
      online: boolean;
      since: string | null;
      tunnel: boolean;
      version: string | null;
    }[];
    warnables: { code: string; subject: string; severity: 'info' | 'warning' | 'error'; text: string; since: string }[];
  }[];
  anySite: boolean;
};
export type HostedReceiverPort = { receiverId: string; name: string; port: number | null };
export type ImportedCompat = { rows: number; added: number; removed: number };
export type KeptPassword = { mac: string; activatedAt: string | null; certain: boolean };
export type LanQuestions = { mail: boolean; questions: { id: number; set: boolean }[] };
export type LanResult = {
  mac: string;
  done: boolean;
  address: string | null;
  code: string | null;
  detail: string | null;
};
export type LibraryClip = {
  id: string;
  deviceId: string;
  channel: number;
  kind: 'event' | 'continuous';
  stream: 'main' | 'sub';
  twinId: string | null;
  keyId: string | null;
  startedAt: string;
  preRollMs: number;
  durationMs: number;
  codec: string;
  audioCodec: string | null;
  gaps: { atMs: number; durationMs: number }[];
  width: number;
  height: number;
  fragments: number | null;
  reason: string | null;
  siteId: string;
  state: 'recording' | 'uploading' | 'complete' | 'incomplete' | 'held';
  expiresAt: string | null;
  storedFragments: number;
  sizeBytes: number;
  deviceName: string | null;
  events: {
    id: string;
    type:
      | 'motion'
      | 'lineCrossing'
      | 'intrusion'
      | 'regionEntrance'
      | 'regionExiting'
      | 'tamper'
      | 'videoLoss'
      | 'alarmInput'
      | 'pirDetected'
      | 'faceDetection'
      | 'zoneAlarm'
      | 'panic'
      | 'duress'
      | 'fire'
      | 'gas'
      | 'waterLeak'
      | 'temperature'
      | 'medical'
      | 'zoneBypassed'
      | 'areaArmedAway'
      | 'areaArmedStay'
      | 'areaDisarmed'
      | 'armFailed'
      | 'panelTamper'
      | 'deviceTamper'
      | 'mainsFail'
      | 'batteryLow'
      | 'panelFault'
      | 'panelTest'
      | 'networkDisconnected'
      | 'doorOpened'
      | 'doorForced'
      | 'doorHeldOpen'
      | 'doorUnlocked'
      | 'call'
      | 'fallDetected'
      | 'outOfBed'
      | 'heartRateHigh'
      | 'heartRateLow'
      | 'respirationHigh'
      | 'respirationLow'
      | 'presence'
      | 'diskError'
      | 'diskFull'
      | 'illegalLogin'
      | 'deviceOffline'
      | 'boxRestarted'
      | 'eventsLost'
      | 'clipLost'
      | 'other';
    occurredAt: string;
    endedAt: string | null;
  }[];
};
export type LinkedCamera = { camera: { cameraId: string; channel: number; name: string } | null };
export type LiveOptions = {
  streams: {
    stream: 'main' | 'sub';
    codec: string | null;
    width: number | null;
    height: number | null;
    audio: string | null;
  }[];
  encrypted: boolean;
  playback: boolean;
  talk: { can: 'yes' | 'no' | 'codec' | 'unknown'; codec: string | null; recorder: boolean };
  iceServers: { urls: string[]; username?: string; credential?: string }[];
};
export type LogEntry = {
  id: string;
  seq: number;
  at: string;
  operator: {
    userId: string | null;
    name: string | null;
    email: string | null;
    companyId: string;
    companyName: string;
  };
  client: 'portal' | 'mobile-ios' | 'mobile-android' | 'api-key' | 'api';
  clientName: string | null;
  address: string | null;
  site: { id: string; name: string | null } | null;
  target: { kind: string; id: string | null; name: string | null } | null;
  action: string;
  detail: string | null;
  result: string;
  hash: string;
};
export type MoveCandidates = {
  items: {
    deviceId: string;
    name: string;
    boxSerial: string | null;
    settings: ('recording' | 'arc')[];
    obstacle: 'not-p2p' | 'shared' | 'behind-box' | 'box-not-here' | 'channels' | null;
  }[];
  targets: { id: string; name: string; boxes: string[] }[];
};
export type MoveResult = {
  siteId: string | null;
  items: {
    deviceId: string;
    moved: boolean;
    dropped: ('recording' | 'arc')[];
    code: string | null;
    detail: string | null;
  }[];
};
export type Notification = {
  id: string;
  category: 'business' | 'arc' | 'site';
  code: string;
  title: string;
  text: string;
  link: string;
  siteId: string | null;
  createdAt: string;
  readAt: string | null;
};
export type NotificationSettings = {
  email: { business: boolean; arc: boolean; site: boolean };
  push: { business: boolean; arc: boolean; site: boolean };
  quiet: { from: string; until: string; timeZone: string } | null;
};
export type OperatorBox = {
  serial: string;
  state: 'unclaimed' | 'claimed' | 'duplicate' | 'revoked';
  online: boolean;
  version: string | null;
  enrolledAt: string;
  seenAt: string | null;
  site: { id: string; name: string } | null;
  company: { id: string; name: string } | null;
};
export type OperatorCompany = {
  id: string;
  name: string;
  type: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem' | 'customer' | 'operator';
  country: string;
  createdAt: string;
  authentication: 'none' | 'submitted' | 'approved' | 'rejected';
  suspendedAt: string | null;
  email: string | null;
};
export type OperatorCompanyDetail = {
  id: string;
  name: string;
  type: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem' | 'customer' | 'operator';
  country: string;
  createdAt: string;
  authentication: 'none' | 'submitted' | 'approved' | 'rejected';
  suspendedAt: string | null;
  email: string | null;
  address: string;
  phone: string;
  channelPartner: boolean;
  people: number;
  sites: number;
  boxes: number;
  slots: number;
  slotsUsed: number;
  submitted: Record<string, string>;
  submittedAt: string | null;
  decidedAt: string | null;
  reason: string;
};
export type PackageUpload = { package: FirmwarePackage; url: string };
export type PasswordRequest = {
  id: string;
  siteId: string;
  siteName: string;
  timeZone: string;
  deviceId: string;
  deviceName: string;
  company: { id: string; name: string };
  atSite: boolean;
  remark: string;
  state: 'open' | 'done' | 'refused';
  createdAt: string;
  decidedAt: string | null;
};
export type PermissionApplication = {
  id: string;
  siteId: string;
  siteName: string;
  timeZone: string;
  applicant: { companyId: string; name: string };
  remark: string;
  createdAt: string;
  open: boolean;
  items: {
    id: string;
    deviceId: string | null;
    deviceName: string | null;
    permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
    validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
    state: 'pending' | 'approved' | 'refused' | 'withdrawn';
    decidedAt: string | null;
  }[];
};
export type Person = {
  id: string;
  name: string;
  email: string | null;
  phone: string | null;
  admin: boolean;
  enabled: boolean;
  limited: boolean;
  roles: { id: string; name: string }[];
  createdAt: string;
};
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  errors?: { path: string; message: string }[];
};
export type Profile = {
  name: string;
  email: string | null;
  phone: string | null;
  locale: 'en' | 'de';
  createdAt: string;
  totp: boolean;
  recoveryCodesLeft: number;
};
export type Provider = { id: string; name: string; phone: string; address: string; email: string | null };
export type PulledMessages = {
  items: {
    id: string;
    source: 'device' | 'receiver' | 'test';
    receiverId: string;
    accountId: string | null;
    account: string;
    protocol: string;
    sequence: number;
    line: string | null;
    encrypted: boolean;
    events: {
      event: string;
      qualifier: 'begin' | 'end' | 'still';
      area: number | null;
      zone: string | null;
      text: string | null;
    }[];
    data: string;
    extended: string[];
    pictures: string[];
    occurredAt: string | null;
    receivedAt: string;
    repeatOf: string | null;
  }[];
  cursor: string | null;
};
export type PushState = {
  publicKey: string;
  items: { id: string; browser: string; createdAt: string; thisSession: boolean; deliveredAt: string | null }[];
};
export type PushSubscription = {
  id: string;
  browser: string;
  createdAt: string;
  thisSession: boolean;
  deliveredAt: string | null;
};
export type ReceivedMessage = {
  id: string;
  source: 'device' | 'receiver' | 'test';
  receiverId: string;
  accountId: string | null;
  account: string;
  protocol: string;
  sequence: number;
  line: string | null;
  encrypted: boolean;
  events: {
    event: string;
    qualifier: 'begin' | 'end' | 'still';
    area: number | null;
    zone: string | null;
    text: string | null;
  }[];
  data: string;
  extended: string[];
  pictures: string[];
  occurredAt: string | null;
  receivedAt: string;
  repeatOf: string | null;
  rowId: number;
  deliveries: {
    outputId: string;
    state: 'waiting' | 'acknowledged' | 'refused';
    tries: number;
    endedAt: string | null;
    reason: string | null;
  }[];
};
export type Receiver = {
  id: string;
  name: string;
  direct: { host: string; port: number };
  relay: { host: string; port: number };
  transport: 'tcp' | 'udp';
};
export type ReceiverOutput = {
  id: string;
  name: string;
  enabled: boolean;
  config:
    | {
        kind: 'dc09';
        host: string;
        port: number;
        transport: 'tcp' | 'udp';
        accounts: { from: string; to: string }[];
        receiver: string;
        line: string;
      }
    | {
        kind: 'mlr2';
        mode: 'server' | 'client';
        host: string | null;
        port: number | null;
        peers: string[];
        receiver: string;
        line: string;
        heartbeatS: number;
        accounts: { from: string; to: string }[];
        otherAccount: string;
      }
    | { kind: 'webhook'; url: string }
    | { kind: 'pull' };
  secret: boolean;
  repeats: boolean;
  state: 'connected' | 'connecting' | 'ready' | 'failing' | 'off';
  reason: string | null;
  since: string | null;
  waiting: number;
  oldestWaitingAt: string | null;
  lastAcknowledgedAt: string | null;
  refused: number;
  listeningPort: number | null;
  unmapped: string[];
};
export type ReceiverSender = {
  id: string;
  receiverId: string;
  account: string;
  name: string;
  encrypted: boolean;
  localTime: boolean;
  supervisionS: number | null;
  lastHeardAt: string | null;
  silentSince: string | null;
};
export type ReceiverTest = {
  result:
    | 'ok'
    | 'not-found'
    | 'not-allowed'
    | 'no-connection'
    | 'no-answer'
    | 'reset'
    | 'crc-bad'
    | 'decrypt-bad'
    | 'plain-answer'
    | 'key-format'
    | 'clock'
    | 'refused'
    | 'unsupported';
  steps: { step: 'resolve' | 'connect' | 'answer' | 'crc' | 'key'; ok: boolean; ms: number | null }[];
  address: string | null;
  sent: string | null;
  answer: string | null;
  opened: string | null;
  clockOffsetMs: number | null;
};
export type RecordedDays = { days: number[] };
export type RecorderView = {
  name: string;
  poe: boolean;
  sortable: boolean;
  channels: { channel: number; name: string; address: string | null; online: boolean | null }[];
  seen: {
    address: string;
    port: number;
    protocol: string;
    model: string | null;
    serial: string | null;
    device?: { mac: string; model: string } | null;
  }[];
  added: { address: string; ok: boolean; code: string | null; text: string | null; channel?: number | null }[] | null;
};
export type RecordingList = {
  items: {
    from: string;
    to: string;
    kind: 'continuous' | 'motion' | 'alarm' | 'manual' | 'other';
    sizeBytes: number | null;
  }[];
  complete: boolean;
};
export type Redeemed = {
  added: {
    content: 'employee-slots' | 'cloud-storage';
    package: { retentionDays: 7 | 30 | 90 | 180 | 365; term: 'month' | 'year' } | null;
    quantity: number;
  }[];
  slots: number;
  slotsUsed: number;
};
export type RedeemedKey = {
  id: string;
  content: 'employee-slots' | 'cloud-storage';
  package: { retentionDays: 7 | 30 | 90 | 180 | 365; term: 'month' | 'year' } | null;
  quantity: number;
  ending: string;
  redeemedAt: string;
};
export type RemoteSession = {
  id: string;
  deviceId: string;
  userName: string;
  own: boolean;
  url: string | null;
  openedAt: string;
  usedAt: string;
  endsAt: string;
  requests: number;
};
export type RemoteSessions = { absent: 'by-address' | 'not-set-up' | null; items: RemoteSession[] };
export type Role = {
  id: string;
  name: string;
  permissions: (
    | 'manage-all-sites'
    | 'manage-assigned-sites'
    | 'manage-accounts'
    | 'manage-devices'
    | 'configure-devices'
    | 'live-view'
    | 'playback'
  )[];
  people: number;
};
export type SavedReceiverOutput = {
  id: string;
  name: string;
  enabled: boolean;
  config:
    | {
        kind: 'dc09';
        host: string;
        port: number;
        transport: 'tcp' | 'udp';
        accounts: { from: string; to: string }[];
        receiver: string;
        line: string;
      }
    | {
        kind: 'mlr2';
        mode: 'server' | 'client';
        host: string | null;
        port: number | null;
        peers: string[];
        receiver: string;
        line: string;
        heartbeatS: number;
        accounts: { from: string; to: string }[];
        otherAccount: string;
      }
    | { kind: 'webhook'; url: string }
    | { kind: 'pull' };
  secret: boolean;
  repeats: boolean;
  state: 'connected' | 'connecting' | 'ready' | 'failing' | 'off';
  reason: string | null;
  since: string | null;
  waiting: number;
  oldestWaitingAt: string | null;
  lastAcknowledgedAt: string | null;
  refused: number;
  listeningPort: number | null;
  unmapped: string[];
  webhookSecret: string | null;
};
export type Sent = { id: string; by: 'email' | 'phone'; expiresAt: string; resendAt: string };
export type SentTransfer = {
  siteId: string;
  type: 'personal' | 'team';
  status:
    | 'not-handed-over'
    | 'not-registered'
    | 'to-be-accepted'
    | 'not-authorized'
    | 'authorized'
    | 'shared'
    | 'disbanded';
  transfer: {
    id: string;
    siteId: string;
    method: 'email' | 'phone' | 'qr';
    recipient: string | null;
    customerName: string;
    remark: string;
    requests: {
      permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
      devices: { id: string; name: string }[] | null;
      validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
    }[];
    sentAt: string;
    expiresAt: string;
    state: 'sent' | 'accepted' | 'rejected' | 'cancelled' | 'superseded' | 'expired';
    decidedAt: string | null;
  } | null;
  resendsLeft: number;
  obstacles: { code: 'no-device' | 'ip-device' | 'device-type'; device: { id: string; name: string } | null }[];
  owner: { name: string } | null;
  qr: { url: string; svg: string } | null;
};
export type ServiceKey = {
  id: string;
  content: 'employee-slots' | 'cloud-storage';
  package: { retentionDays: 7 | 30 | 90 | 180 | 365; term: 'month' | 'year' } | null;
  quantity: number;
  ending: string;
  note: string;
  state: 'open' | 'redeemed' | 'withdrawn' | 'expired';
  issuedAt: string;
  expiresAt: string;
  redeemedAt: string | null;
  withdrawnAt: string | null;
  company: { id: string; name: string } | null;
};
export type Share = {
  id: string;
  siteId: string;
  siteName: string;
  timeZone: string;
  company: { name: string; phone: string };
  mode: 'A' | 'B';
  administrator: boolean;
  state: 'to-be-accepted' | 'accepted' | 'rejected' | 'expired' | 'cancelled';
  remark: string;
  acceptBy: string;
  until: string | null;
  devices: { id: string; name: string; permissions: ('view' | 'live' | 'playback')[] }[];
  requests: {
    permission: 'live' | 'playback';
    validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
    extras: ('pircam-gif' | 'video-clips')[];
  }[];
};
export type Sharing = {
  id: string;
  siteId: string;
  mode: 'A' | 'B';
  createdAt: string;
  requests: {
    permission: 'live' | 'playback';
    validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
    extras: ('pircam-gif' | 'video-clips')[];
  }[];
  customers: {
    id: string;
    email: string | null;
    phone: string | null;
    name: string;
    remark: string;
    locale: 'en' | 'de';
    administrator: boolean;
    state: 'to-be-accepted' | 'accepted' | 'rejected' | 'expired' | 'cancelled';
    registered: boolean;
    invitedAt: string;
    acceptBy: string;
    answeredAt: string | null;
    until: string | null;
    resources: { deviceId: string; permissions: ('view' | 'live' | 'playback')[] }[];
    qr?: { url: string; svg: string };
  }[];
};
export type SignedIn = {
  token: string;
  expiresAt: string;
  me: {
    userId: string;
    email: string | null;
    emailVerified: boolean;
    phone: string | null;
    phoneVerified: boolean;
    name: string;
    locale: string;
    company: {
      id: string;
      name: string;
      type: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem' | 'customer' | 'operator';
      authentication: 'none' | 'submitted' | 'approved' | 'rejected';
    };
    totp: boolean;
    admin: boolean;
    limited: boolean;
    permissions: (
      | 'manage-all-sites'
      | 'manage-assigned-sites'
      | 'manage-accounts'
      | 'manage-devices'
      | 'configure-devices'
      | 'live-view'
      | 'playback'
    )[];
  };
};
export type Site = {
  id: string;
  name: string;
  timeZone: string;
  type: 'personal' | 'team';
  status:
    | 'not-handed-over'
    | 'not-registered'
    | 'to-be-accepted'
    | 'not-authorized'
    | 'authorized'
    | 'shared'
    | 'disbanded';
  permissions: (
    | 'list'
    | 'view'
    | 'manage'
    | 'configure'
    | 'live'
    | 'playback'
    | 'services'
    | 'system'
    | 'own'
    | 'all'
  )[];
  operations: (
    | 'search'
    | 'assign'
    | 'transfer'
    | 'share'
    | 'manage-devices'
    | 'edit'
    | 'delete'
    | 'apply-authorization'
    | 'apply-permissions'
    | 'collaborate'
    | 'batch-share'
    | 'group'
    | 'resend-transfer'
  )[];
  syncTime: boolean;
  scene: string;
  address: string;
  city: string;
  region: string;
  country: string;
  latitude: number | null;
  longitude: number | null;
  remark: string | null;
  group: { id: string; name: string } | null;
  own: boolean;
  companyName: string;
  ownerName: string | null;
  managers: { count: number; first: { userId: string; name: string; until: string | null }[] };
  deviceCount: number;
  channelCount: number;
  boxes: {
    serial: string;
    siteId: string;
    state: 'claimed' | 'duplicate' | 'revoked';
    online: boolean;
    since: string | null;
    tunnel: boolean;
    version: string | null;
  }[];
  warnables: { code: string; subject: string; severity: 'info' | 'warning' | 'error'; text: string; since: string }[];
};
export type SiteAccess = {
  siteId: string;
  items: {
    company: {
      id: string;
      name: string;
      type: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem' | 'customer' | 'operator';
    };
    permission: 'list' | 'view' | 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system' | 'own' | 'all';
    deviceId: string | null;
    deviceName: string | null;
    until: string | null;
    mayWithdraw: boolean;
  }[];
};
export type SiteArc = {
  authorization: { arc: { id: string; name: string }; since: string } | null;
  available: boolean;
  devices: {
    deviceId: string;
    name: string;
    type: 'encoding' | 'panel' | 'access' | 'intercom' | 'network' | 'radar' | 'audio' | 'doorbell' | 'box';
    model: string;
    obstacle: 'not-p2p' | 'type' | 'model' | 'no-box' | null;
    service: {
      id: string;
      siteId: string;
      siteName: string;
      timeZone: string;
      device: {
        id: string;
        name: string;
        type: 'encoding' | 'panel' | 'access' | 'intercom' | 'network' | 'radar' | 'audio' | 'doorbell' | 'box';
        model: string;
        boxSerial: string | null;
        online: boolean;
      };
      arc: { id: string; name: string };
      company: { id: string; name: string };
      state: 'waiting' | 'active' | 'suspended' | 'rejected';
      account: string;
      events: (
        | 'motion'
        | 'lineCrossing'
        | 'intrusion'
        | 'regionEntrance'
        | 'regionExiting'
        | 'tamper'
        | 'videoLoss'
        | 'alarmInput'
        | 'pirDetected'
        | 'faceDetection'
        | 'zoneAlarm'
        | 'panic'
        | 'duress'
        | 'fire'
        | 'gas'
        | 'waterLeak'
        | 'temperature'
        | 'medical'
        | 'zoneBypassed'
        | 'areaArmedAway'
        | 'areaArmedStay'
        | 'areaDisarmed'
        | 'armFailed'
        | 'panelTamper'
        | 'deviceTamper'
        | 'mainsFail'
        | 'batteryLow'
        | 'panelFault'
        | 'panelTest'
        | 'networkDisconnected'
        | 'doorOpened'
        | 'doorForced'
        | 'doorHeldOpen'
        | 'doorUnlocked'
        | 'call'
        | 'fallDetected'
        | 'outOfBed'
        | 'heartRateHigh'
        | 'heartRateLow'
        | 'respirationHigh'
        | 'respirationLow'
        | 'presence'
        | 'diskError'
        | 'diskFull'
        | 'illegalLogin'
        | 'deviceOffline'
        | 'boxRestarted'
        | 'eventsLost'
        | 'clipLost'
        | 'other'
      )[];
      mode: 'direct-or-relay' | 'relay';
      media: { picture: boolean; clip: boolean };
      offlineDelayMs: number | null;
      zones: { channel: number; zone: number }[];
      receiver: { id: string; name: string } | null;
      note: string;
      pendingEvents:
        | (
            | 'motion'
            | 'lineCrossing'
            | 'intrusion'
            | 'regionEntrance'
            | 'regionExiting'
            | 'tamper'
            | 'videoLoss'
            | 'alarmInput'
            | 'pirDetected'
            | 'faceDetection'
            | 'zoneAlarm'
            | 'panic'
            | 'duress'
            | 'fire'
            | 'gas'
            | 'waterLeak'
            | 'temperature'
            | 'medical'
            | 'zoneBypassed'
            | 'areaArmedAway'
            | 'areaArmedStay'
            | 'areaDisarmed'
            | 'armFailed'
            | 'panelTamper'
            | 'deviceTamper'
            | 'mainsFail'
            | 'batteryLow'
            | 'panelFault'
            | 'panelTest'
            | 'networkDisconnected'
            | 'doorOpened'
            | 'doorForced'
            | 'doorHeldOpen'
            | 'doorUnlocked'
            | 'call'
            | 'fallDetected'
            | 'outOfBed'
            | 'heartRateHigh'
            | 'heartRateLow'
            | 'respirationHigh'
            | 'respirationLow'
            | 'presence'
            | 'diskError'
            | 'diskFull'
            | 'illegalLogin'
            | 'deviceOffline'
            | 'boxRestarted'
            | 'eventsLost'
            | 'clipLost'
            | 'other'
          )[]
        | null;
      pendingMedia: { picture: boolean; clip: boolean } | null;
      path: {
        accountId: string;
        path: 'direct' | 'relay' | 'second' | 'none';
        since: string;
        direct: 'up' | 'down' | 'unknown';
        relay: 'up' | 'down' | 'unknown';
        second: 'up' | 'down' | 'unknown' | 'absent';
        waiting: number;
        changes?: { at: string; path: 'direct' | 'relay' | 'second'; up: boolean }[];
      } | null;
      createdAt: string;
      decidedAt: string | null;
    } | null;
  }[];
};
export type SiteGroup = { id: string; name: string; siteCount: number };
export type SiteJob = {
  id: string;
  kind: 'initialise' | 'upgrade' | 'cloud';
  state: 'running' | 'done';
  createdAt: string;
  endedAt: string | null;
  items: {
    key: string;
    name: string;
    state: 'waiting' | 'running' | 'done' | 'failed';
    steps: {
      step: string;
      state: 'waiting' | 'running' | 'done' | 'skipped' | 'warning' | 'failed';
      percent: number | null;
      code: string | null;
      text: string | null;
      at: string | null;
    }[];
  }[];
  boxSerial: string;
};
export type SiteJobs = {
  items: {
    id: string;
    kind: 'initialise' | 'upgrade' | 'cloud';
    state: 'running' | 'done';
    createdAt: string;
    endedAt: string | null;
    counts: { waiting: number; running: number; done: number; failed: number };
    boxSerial: string;
  }[];
  silent: string[];
};
export type SiteManager = { userId: string; name: string; email: string | null; until: string | null; fixed: boolean };
export type SitePage = { items: Site[]; nextCursor: string | null };
export type SitePermissions = {
  siteId: string;
  type: 'personal' | 'team';
  status:
    | 'not-handed-over'
    | 'not-registered'
    | 'to-be-accepted'
    | 'not-authorized'
    | 'authorized'
    | 'shared'
    | 'disbanded';
  owner: { name: string } | null;
  items: {
    deviceId: string | null;
    deviceName: string | null;
    permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
    state: 'none' | 'applied' | 'granted';
    until: string | null;
    mayApply: boolean;
    mayRelease: boolean;
  }[];
};
export type SortedRecorders = { macs: string[] };
export type SystemState = {
  version: string;
  startedAt: string;
  database: { kind: 'sqlite' | 'postgres'; bytes: number };
  memoryBytes: number;
  companies: number;
  waiting: number;
  sites: number;
  devices: number;
  boxes: { state: 'unclaimed' | 'claimed' | 'duplicate' | 'revoked'; count: number }[];
  boxesOnline: number;
  tunnels: number;
  arcPaths: number;
  clips:
    | { place: 'folder' }
    | {
        place: 'bucket';
        endpoint: string;
        bucket: string;
        retired: boolean;
        takeBack: boolean;
        problem: { text: string; since: string } | null;
      };
  outbox: { waiting: number; failed: number; oldestAt: string | null };
  quarantine: { kept: number; newest: { serial: string; reason: string; topic: string; receivedAt: string }[] };
};
export type TestSent = { alarmId: string; askedAt: string };
export type TransferStatus = {
  siteId: string;
  type: 'personal' | 'team';
  status:
    | 'not-handed-over'
    | 'not-registered'
    | 'to-be-accepted'
    | 'not-authorized'
    | 'authorized'
    | 'shared'
    | 'disbanded';
  transfer: {
    id: string;
    siteId: string;
    method: 'email' | 'phone' | 'qr';
    recipient: string | null;
    customerName: string;
    remark: string;
    requests: {
      permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
      devices: { id: string; name: string }[] | null;
      validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
    }[];
    sentAt: string;
    expiresAt: string;
    state: 'sent' | 'accepted' | 'rejected' | 'cancelled' | 'superseded' | 'expired';
    decidedAt: string | null;
  } | null;
  resendsLeft: number;
  obstacles: { code: 'no-device' | 'ip-device' | 'device-type'; device: { id: string; name: string } | null }[];
  owner: { name: string } | null;
};
export type Unbound = { fromAccount: boolean; text: string | null };
export type UnreadNotifications = { total: number; business: number; arc: number; site: number };
export type UpgradesStarted = {
  jobs: { boxSerial: string; jobId: string }[];
  refused: { deviceId: string; code: string; detail: string }[];
};
export type UploadSettings = {
  uploadKbps: number | null;
  diskBytes: number | null;
  window: { fromMinute: number; toMinute: number } | null;
};
export type Viewing = {
  id: string;
  siteId: string;
  deviceId: string;
  deviceName: string;
  channel: number;
  kind: 'live' | 'playback' | 'clip' | 'download' | 'snapshot' | 'talk';
  path: 'direct' | 'relay' | null;
  user: { id: string | null; name: string; company: string };
  from: string | null;
  to: string | null;
  startedAt: string;
  endedAt: string | null;
};
export type Viewings = { items: Viewing[]; nextCursor: string | null };

/** By method, then by path below /api/v1. An `answer` that is `never` is no JSON: make its address with `address()`. */
export interface Routes {
  get: {
    /** Accounts at the company’s receivers, by number, with the path each uses now */
    '/arc-desk/accounts': {
      query?: { limit?: number; cursor?: string; q?: string };
      answer: { items: DeskAccount[]; nextCursor: string | null };
    };
    /** An account */
    '/arc-desk/accounts/{accountId}': { params: { accountId: string }; answer: DeskAccount };
    /** Availability and reporting times of an account in a month (UTC) */
    '/arc-desk/accounts/{accountId}/report': {
      params: { accountId: string };
      query?: { month?: string };
      answer: DeskReport;
    };
    /** The same as CSV */
    '/arc-desk/accounts/{accountId}/report.csv': {
      params: { accountId: string };
      query?: { month?: string };
      answer: never;
    };
    /** The same as PDF */
    '/arc-desk/accounts/{accountId}/report.pdf': {
      params: { accountId: string };
      query?: { month?: string };
      answer: never;
    };
    /** Test modes of an account, newest first */
    '/arc-desk/accounts/{accountId}/test-modes': { params: { accountId: string }; answer: { items: DeskTest[] } };
    /** Alarms that a centre was sent */
    '/arc-desk/alarms': {
      query?: {
        limit?: number;
        cursor?: string;
        show?: 'open' | 'all' | 'tests';
        urgency?: number | null;
        siteId?: string;
        accountId?: string;
        account?: string;
        from?: string;
        to?: string;
      };
      answer: { items: DeskAlarm[]; nextCursor: string | null };
    };
    /** An alarm with its audit line: every try with path, outcome and frame, and what people did */
    '/arc-desk/alarms/{alarmId}': { params: { alarmId: string }; answer: DeskAlarmDetail };
    /** What is new at the desk, as server-sent events */
    '/arc-desk/stream': { answer: never };
    /** How the company stands as an alarm receiving centre */
    '/arc-joining': { answer: ArcJoining };
    /** Outputs of the centre, each with its state */
    '/arc-outputs': { answer: { items: ReceiverOutput[] } };
    /** Messages after the committed cursor, oldest first */
    '/arc-outputs/{outputId}/messages': {
      params: { outputId: string };
      query?: { limit?: number; wait?: number | null; after?: string };
      answer: PulledMessages;
    };
    /** What the receivers of the centre took, newest first, with what became of it at each output */
    '/arc-received': { query?: { before?: number | null; limit?: number }; answer: { items: ReceivedMessage[] } };
    /** Receivers of the centre, with what they want of accounts; never a key */
    '/arc-receivers': { answer: { items: ArcReceiver[] } };
    /** One receiver */
    '/arc-receivers/{receiverId}': { params: { receiverId: string }; answer: ArcReceiver };
    /** Changes of the ARC service that wait, or waited, for your approval */
    '/arc-requests': {
      query?: { limit?: number; cursor?: string; pending?: string; siteId?: string };
      answer: {
        items: {
          id: string;
          serviceId: string;
          kind: 'events' | 'media';
          state: 'pending' | 'approved' | 'refused' | 'withdrawn';
          siteId: string;
          siteName: string;
          deviceId: string;
          deviceName: string;
          arc: { id: string; name: string };
          account: string;
          events: {
            now: (
              | 'motion'
              | 'lineCrossing'
              | 'intrusion'
              | 'regionEntrance'
              | 'regionExiting'
              | 'tamper'
              | 'videoLoss'
              | 'alarmInput'
              | 'pirDetected'
              | 'faceDetection'
              | 'zoneAlarm'
              | 'panic'
              | 'duress'
              | 'fire'
              | 'gas'
              | 'waterLeak'
              | 'temperature'
              | 'medical'
              | 'zoneBypassed'
              | 'areaArmedAway'
              | 'areaArmedStay'
              | 'areaDisarmed'
              | 'armFailed'
              | 'panelTamper'
              | 'deviceTamper'
              | 'mainsFail'
              | 'batteryLow'
              | 'panelFault'
              | 'panelTest'
              | 'networkDisconnected'
              | 'doorOpened'
              | 'doorForced'
              | 'doorHeldOpen'
              | 'doorUnlocked'
              | 'call'
              | 'fallDetected'
              | 'outOfBed'
              | 'heartRateHigh'
              | 'heartRateLow'
              | 'respirationHigh'
              | 'respirationLow'
              | 'presence'
              | 'diskError'
              | 'diskFull'
              | 'illegalLogin'
              | 'deviceOffline'
              | 'boxRestarted'
              | 'eventsLost'
              | 'clipLost'
              | 'other'
            )[];
            wanted: (
              | 'motion'
              | 'lineCrossing'
              | 'intrusion'
              | 'regionEntrance'
              | 'regionExiting'
              | 'tamper'
              | 'videoLoss'
              | 'alarmInput'
              | 'pirDetected'
              | 'faceDetection'
              | 'zoneAlarm'
              | 'panic'
              | 'duress'
              | 'fire'
              | 'gas'
              | 'waterLeak'
              | 'temperature'
              | 'medical'
              | 'zoneBypassed'
              | 'areaArmedAway'
              | 'areaArmedStay'
              | 'areaDisarmed'
              | 'armFailed'
              | 'panelTamper'
              | 'deviceTamper'
              | 'mainsFail'
              | 'batteryLow'
              | 'panelFault'
              | 'panelTest'
              | 'networkDisconnected'
              | 'doorOpened'
              | 'doorForced'
              | 'doorHeldOpen'
              | 'doorUnlocked'
              | 'call'
              | 'fallDetected'
              | 'outOfBed'
              | 'heartRateHigh'
              | 'heartRateLow'
              | 'respirationHigh'
              | 'respirationLow'
              | 'presence'
              | 'diskError'
              | 'diskFull'
              | 'illegalLogin'
              | 'deviceOffline'
              | 'boxRestarted'
              | 'eventsLost'
              | 'clipLost'
              | 'other'
            )[];
          } | null;
          media: { picture: boolean; clip: boolean } | null;
          createdAt: string;
          decidedAt: string | null;
        }[];
        nextCursor: string | null;
      };
    };
    /** Devices that send to the centre’s receivers here, and the ports of these */
    '/arc-senders': { answer: { items: ReceiverSender[]; receivers: HostedReceiverPort[]; host: string | null } };
    /** Devices that are entrusted to the own centre */
    '/arc/services': {
      query?: {
        limit?: number;
        cursor?: string;
        state?: 'waiting' | 'active' | 'suspended' | 'rejected';
        search?: string;
      };
      answer: {
        items: {
          id: string;
          siteId: string;
          siteName: string;
          timeZone: string;
          device: {
            id: string;
            name: string;
            type: 'encoding' | 'panel' | 'access' | 'intercom' | 'network' | 'radar' | 'audio' | 'doorbell' | 'box';
            model: string;
            boxSerial: string | null;
            online: boolean;
          };
          arc: { id: string; name: string };
          company: { id: string; name: string };
          state: 'waiting' | 'active' | 'suspended' | 'rejected';
          account: string;
          events: (
            | 'motion'
            | 'lineCrossing'
            | 'intrusion'
            | 'regionEntrance'
            | 'regionExiting'
            | 'tamper'
            | 'videoLoss'
            | 'alarmInput'
            | 'pirDetected'
            | 'faceDetection'
            | 'zoneAlarm'
            | 'panic'
            | 'duress'
            | 'fire'
            | 'gas'
            | 'waterLeak'
            | 'temperature'
            | 'medical'
            | 'zoneBypassed'
            | 'areaArmedAway'
            | 'areaArmedStay'
            | 'areaDisarmed'
            | 'armFailed'
            | 'panelTamper'
            | 'deviceTamper'
            | 'mainsFail'
            | 'batteryLow'
            | 'panelFault'
            | 'panelTest'
            | 'networkDisconnected'
            | 'doorOpened'
            | 'doorForced'
            | 'doorHeldOpen'
            | 'doorUnlocked'
            | 'call'
            | 'fallDetected'
            | 'outOfBed'
            | 'heartRateHigh'
            | 'heartRateLow'
            | 'respirationHigh'
            | 'respirationLow'
            | 'presence'
            | 'diskError'
            | 'diskFull'
            | 'illegalLogin'
            | 'deviceOffline'
            | 'boxRestarted'
            | 'eventsLost'
            | 'clipLost'
            | 'other'
          )[];
          mode: 'direct-or-relay' | 'relay';
          media: { picture: boolean; clip: boolean };
          offlineDelayMs: number | null;
          zones: { channel: number; zone: number }[];
          receiver: { id: string; name: string } | null;
          note: string;
          pendingEvents:
            | (
                | 'motion'
                | 'lineCrossing'
                | 'intrusion'
                | 'regionEntrance'
                | 'regionExiting'
                | 'tamper'
                | 'videoLoss'
                | 'alarmInput'
                | 'pirDetected'
                | 'faceDetection'
                | 'zoneAlarm'
                | 'panic'
                | 'duress'
                | 'fire'
                | 'gas'
                | 'waterLeak'
                | 'temperature'
                | 'medical'
                | 'zoneBypassed'
                | 'areaArmedAway'
                | 'areaArmedStay'
                | 'areaDisarmed'
                | 'armFailed'
                | 'panelTamper'
                | 'deviceTamper'
                | 'mainsFail'
                | 'batteryLow'
                | 'panelFault'
                | 'panelTest'
                | 'networkDisconnected'
                | 'doorOpened'
                | 'doorForced'
                | 'doorHeldOpen'
                | 'doorUnlocked'
                | 'call'
                | 'fallDetected'
                | 'outOfBed'
                | 'heartRateHigh'
                | 'heartRateLow'
                | 'respirationHigh'
                | 'respirationLow'
                | 'presence'
                | 'diskError'
                | 'diskFull'
                | 'illegalLogin'
                | 'deviceOffline'
                | 'boxRestarted'
                | 'eventsLost'
                | 'clipLost'
                | 'other'
              )[]
            | null;
          pendingMedia: { picture: boolean; clip: boolean } | null;
          path: {
            accountId: string;
            path: 'direct' | 'relay' | 'second' | 'none';
            since: string;
            direct: 'up' | 'down' | 'unknown';
            relay: 'up' | 'down' | 'unknown';
            second: 'up' | 'down' | 'unknown' | 'absent';
            waiting: number;
            changes?: { at: string; path: 'direct' | 'relay' | 'second'; up: boolean }[];
          } | null;
          createdAt: string;
          decidedAt: string | null;
        }[];
        nextCursor: string | null;
      };
    };
    /** One device that is entrusted to the own centre */
    '/arc/services/{serviceId}': { params: { serviceId: string }; answer: ArcService };
    /** Listed alarm receiving centres that serve a country of the company or its sites; with a site, that site */
    '/arcs': { query?: { siteId?: string }; answer: { items: Arc[] } };
    /** Information about one centre */
    '/arcs/{arcId}': { params: { arcId: string }; answer: Arc };
    /** Employees to whom sites can be assigned */
    '/assignable-employees': {
      answer: { items: { userId: string; name: string; email: string | null; fixed: boolean }[] };
    };
    /** Who is signed in */
    '/auth/me': {
      answer: {
        userId: string;
        email: string | null;
        emailVerified: boolean;
        phone: string | null;
        phoneVerified: boolean;
        name: string;
        locale: string;
        company: {
          id: string;
          name: string;
          type: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem' | 'customer' | 'operator';
          authentication: 'none' | 'submitted' | 'approved' | 'rejected';
        };
        totp: boolean;
        admin: boolean;
        limited: boolean;
        permissions: (
          | 'manage-all-sites'
          | 'manage-assigned-sites'
          | 'manage-accounts'
          | 'manage-devices'
          | 'configure-devices'
          | 'live-view'
          | 'playback'
        )[];
      };
    };
    /** How much of its uplink and its disk a box may spend on footage */
    '/boxes/{serial}/upload-settings': { params: { serial: string }; answer: UploadSettings };
    /** A clip and how much of it has arrived */
    '/clips/{clipId}': {
      params: { clipId: string };
      answer: {
        id: string;
        deviceId: string;
        channel: number;
        kind: 'event' | 'continuous';
        stream: 'main' | 'sub';
        eventIds: string[];
        twinId: string | null;
        keyId: string | null;
        startedAt: string;
        preRollMs: number;
        durationMs: number;
        codec: string;
        audioCodec: string | null;
        gaps: { atMs: number; durationMs: number }[];
        width: number;
        height: number;
        fragments: number | null;
        reason: string | null;
        siteId: string;
        state: 'recording' | 'uploading' | 'complete' | 'incomplete' | 'held';
        expiresAt: string | null;
        storedFragments: number;
        sizeBytes: number;
      };
    };
    /** A clip as the library lists it: with its device’s name and what happened */
    '/clips/{clipId}/about': {
      params: { clipId: string };
      answer: {
        id: string;
        deviceId: string;
        channel: number;
        kind: 'event' | 'continuous';
        stream: 'main' | 'sub';
        twinId: string | null;
        keyId: string | null;
        startedAt: string;
        preRollMs: number;
        durationMs: number;
        codec: string;
        audioCodec: string | null;
        gaps: { atMs: number; durationMs: number }[];
        width: number;
        height: number;
        fragments: number | null;
        reason: string | null;
        siteId: string;
        state: 'recording' | 'uploading' | 'complete' | 'incomplete' | 'held';
        expiresAt: string | null;
        storedFragments: number;
        sizeBytes: number;
        deviceName: string | null;
        events: {
          id: string;
          type:
            | 'motion'
            | 'lineCrossing'
            | 'intrusion'
            | 'regionEntrance'
            | 'regionExiting'
            | 'tamper'
            | 'videoLoss'
            | 'alarmInput'
            | 'pirDetected'
            | 'faceDetection'
            | 'zoneAlarm'
            | 'panic'
            | 'duress'
            | 'fire'
            | 'gas'
            | 'waterLeak'
            | 'temperature'
            | 'medical'
            | 'zoneBypassed'
            | 'areaArmedAway'
            | 'areaArmedStay'
            | 'areaDisarmed'
            | 'armFailed'
            | 'panelTamper'
            | 'deviceTamper'
            | 'mainsFail'
            | 'batteryLow'
            | 'panelFault'
            | 'panelTest'
            | 'networkDisconnected'
            | 'doorOpened'
            | 'doorForced'
            | 'doorHeldOpen'
            | 'doorUnlocked'
            | 'call'
            | 'fallDetected'
            | 'outOfBed'
            | 'heartRateHigh'
            | 'heartRateLow'
            | 'respirationHigh'
            | 'respirationLow'
            | 'presence'
            | 'diskError'
            | 'diskFull'
            | 'illegalLogin'
            | 'deviceOffline'
            | 'boxRestarted'
            | 'eventsLost'
            | 'clipLost'
            | 'other';
          occurredAt: string;
          endedAt: string | null;
        }[];
      };
    };
    /** The clip’s first picture, as an MP4 of one picture */
    '/clips/{clipId}/poster': { params: { clipId: string }; answer: never };
    /** Links by which a clip is shared */
    '/clips/{clipId}/shares': { params: { clipId: string }; answer: { items: ClipShare[] } };
    /** The clip as MP4, by range; while it arrives, what is there so far */
    '/clips/{clipId}/video': { params: { clipId: string }; query?: { download?: string }; answer: never };
    /** Services that the company paid, the first to end first, and the packages that it has */
    '/cloud/services': { answer: CloudServices };
    /** What I was invited to as a partner, or asked about as an owner */
    '/collaborations': {
      query?: { limit?: number; cursor?: string };
      answer: { items: Collaboration[]; nextCursor: string | null };
    };
    /** My company */
    '/company': { answer: Company };
    /** Whether my company is authenticated, and what is asked for in its country */
    '/company/authentication': { answer: CompanyAuthentication };
    /** Whether there are a default password and a default verification code; they are never shown */
    '/company/device-defaults': { answer: { password: boolean; verificationCode: boolean } };
    /** Service keys that the company redeemed, newest first */
    '/company/service-keys': {
      query?: { limit?: number; cursor?: string };
      answer: { items: RedeemedKey[]; nextCursor: string | null };
    };
    /** The compatibility list, by model */
    '/compatibility': {
      query?: {
        limit?: number;
        cursor?: string;
        list?: 'cloud-nvr' | 'cloud-dvr' | 'cloud-camera' | 'box' | 'old-firmware' | 'co-branding';
        q?: string;
        deviceType?: string;
        channels?: number | null;
        height?: number;
        kbps?: number;
      };
      answer: { items: CompatRow[]; nextCursor: string | null };
    };
    /** The same as a file, all pages of it */
    '/compatibility/export': {
      query?: {
        list?: 'cloud-nvr' | 'cloud-dvr' | 'cloud-camera' | 'box' | 'old-firmware' | 'co-branding';
        q?: string;
        deviceType?: string;
        channels?: number | null;
        height?: number;
        kbps?: number;
      };
      answer: never;
    };
    /** How many rows each part of the list has, and the kinds of devices in it */
    '/compatibility/summary': { answer: CompatSummary };
    /** Messages that wait or were given up, newest first */
    '/deliveries': {
      query?: { limit?: number; cursor?: string; state?: 'waiting' | 'failed' };
      answer: { items: Delivery[]; nextCursor: string | null };
    };
    /** How e-mail, text messages and web push do */
    '/deliveries/status': { answer: { items: ChannelStatus[] } };
    /** Invitations to devices: sent by a customer, received by an installer */
    '/device-invitations': {
      query?: { limit?: number; cursor?: string };
      answer: { items: DeviceInvitation[]; nextCursor: string | null };
    };
    /** One invitation */
    '/device-invitations/{deviceInvitationId}': { params: { deviceInvitationId: string }; answer: DeviceInvitation };
    /** Devices of all sites in reach, by site and name; searched and filtered */
    '/devices': {
      query?: {
        limit?: number;
        cursor?: string;
        q?: string;
        type?: 'encoding' | 'panel' | 'access' | 'intercom' | 'network' | 'radar' | 'audio' | 'doorbell' | 'box';
        accessMode?: 'p2p' | 'ip';
        state?: 'online' | 'offline' | 'unknown';
      };
      answer: DevicePage;
    };
    /** How an alarm panel sends to its box, and what to enter in it */
    '/devices/{deviceId}/alarm-panel': { params: { deviceId: string }; answer: AlarmPanel };
    /** What a device can do, and what of it takes part in linkages */
    '/devices/{deviceId}/capabilities': { params: { deviceId: string }; answer: DeviceCapabilities };
    /** What is recorded of a channel, and the service that pays it */
    '/devices/{deviceId}/channels/{channel}/cloud': {
      params: { deviceId: string; channel: string };
      answer: CloudChannel;
    };
    /** What of a channel can be seen live, and how */
    '/devices/{deviceId}/channels/{channel}/live': {
      params: { deviceId: string; channel: string };
      query?: { stream?: 'main' | 'sub' };
      answer: LiveOptions;
    };
    /** See a channel live through the relay (WebSocket) */
    '/devices/{deviceId}/channels/{channel}/live/socket': {
      params: { deviceId: string; channel: string };
      query?: { stream?: 'main' | 'sub'; accept?: string; sound?: 'aac' };
      answer: never;
    };
    /** Play what the device has recorded (WebSocket) */
    '/devices/{deviceId}/channels/{channel}/playback/socket': {
      params: { deviceId: string; channel: string };
      query: { from: string; to: string; stream?: 'main' | 'sub'; speed?: number; accept?: string };
      answer: never;
    };
    /** What a channel’s device has recorded itself in a time */
    '/devices/{deviceId}/channels/{channel}/recordings': {
      params: { deviceId: string; channel: string };
      query: { from: string; to: string; stream?: 'main' | 'sub' };
      answer: RecordingList;
    };
    /** Days of a month of which the device has recordings */
    '/devices/{deviceId}/channels/{channel}/recordings/days': {
      params: { deviceId: string; channel: string };
      query: { month: string };
      answer: RecordedDays;
    };
    /** A recording as MP4 */
    '/devices/{deviceId}/channels/{channel}/recordings/file': {
      params: { deviceId: string; channel: string };
      query: { from: string; to: string; stream?: 'main' | 'sub' };
      answer: never;
    };
    /** Speak to a camera or a door station (WebSocket) */
    '/devices/{deviceId}/channels/{channel}/talk/socket': {
      params: { deviceId: string; channel: string };
      answer: never;
    };
    /** The camera that is linked to a radar */
    '/devices/{deviceId}/linked-camera': { params: { deviceId: string }; answer: LinkedCamera };
    /** What a device has of something: presets, disks, doors, zones, … */
    '/devices/{deviceId}/lists/{list}': {
      params: { deviceId: string; list: string };
      query?: { channel?: number; stream?: number };
      answer: DeviceListing;
    };
    /** What the own company asked the owner for, newest first */
    '/devices/{deviceId}/password-requests': { params: { deviceId: string }; answer: { items: PasswordRequest[] } };
    /** Who has the device’s own page open, and whether it can be opened */
    '/devices/{deviceId}/remote-sessions': { params: { deviceId: string }; answer: RemoteSessions };
    /** Settings of a device, with what each may be */
    '/devices/{deviceId}/settings/{section}': {
      params: { deviceId: string; section: string };
      query?: { channel?: number; stream?: number };
      answer: DeviceSettings;
    };
    /** A picture of now */
    '/devices/{deviceId}/snapshot': { params: { deviceId: string }; query?: { channel?: number }; answer: never };
    /** Invitations of employees */
    '/employee-invitations': {
      query?: { limit?: number; cursor?: string };
      answer: { items: EmployeeInvitation[]; nextCursor: string | null };
    };
    /** One event with its clip and what became of its alarms */
    '/events/{eventId}': { params: { eventId: string }; answer: EventDetail };
    /** The package as it was uploaded, for installing it on a device’s own page */
    '/firmware/{firmwareId}/package': { params: { firmwareId: string }; answer: never };
    /** Sites that wait to be accepted, sent to one’s verified address or number */
    '/handovers': { answer: { items: Handover[] } };
    /** One handover */
    '/handovers/{handoverId}': { params: { handoverId: string }; answer: Handover };
    /** What needs attention now, and the sites of which to begin */
    '/home': { query?: { sites?: string }; answer: Home };
    /** People who ask to join my company */
    '/join-requests': {
      answer: { items: { id: string; name: string; email: string; message: string; createdAt: string }[] };
    };
    /** API keys of the company */
    '/keys': { answer: { items: ApiKey[] } };
    /** Operations of the last 90 days, newest first */
    '/log': {
      query?: {
        limit?: number;
        cursor?: string;
        userId?: string;
        siteId?: string;
        from?: string;
        to?: string;
        text?: string;
      };
      answer: { items: LogEntry[]; nextCursor: string | null };
    };
    /** The same as a file, all pages of it */
    '/log/export': {
      query?: { userId?: string; siteId?: string; from?: string; to?: string; text?: string; format?: 'csv' | 'jsonl' };
      answer: never;
    };
    /** Employees whose operations can be asked for */
    '/log/operators': { answer: { items: { userId: string; name: string; email: string | null }[] } };
    /** Check that nobody has changed the log */
    '/log/verify': {
      answer: {
        entries: number;
        erased: number;
        head: { seq: number; hash: string };
        broken: { seq: number; reason: string } | null;
      };
    };
    /** Everything that is stored of me */
    '/me/export': { answer: Record<string, unknown> };
    /** My account */
    '/me/profile': { answer: Profile };
    /** Where I am signed in */
    '/me/sessions': {
      answer: {
        items: {
          id: string;
          current: boolean;
          device: string;
          address: string;
          createdAt: string;
          seenAt: string;
          expiresAt: string;
        }[];
      };
    };
    /** My notifications, newest first, in my language */
    '/notifications': {
      query?: {
        limit?: number;
        cursor?: string;
        category?: 'business' | 'arc' | 'site';
        unread?: 'true' | 'false';
        siteId?: string;
      };
      answer: { items: Notification[]; nextCursor: string | null };
    };
    /** The key for web push, and my browsers that get it */
    '/notifications/push': { answer: PushState };
    /** On which ways I am told */
    '/notifications/settings': { answer: NotificationSettings };
    /** My notifications as they come, as server-sent events */
    '/notifications/stream': { answer: never };
    /** How many of my notifications are unread */
    '/notifications/unread': { answer: UnreadNotifications };
    /** Applications of alarm receiving centres, newest first */
    '/operator/arcs': {
      query?: {
        state?: 'submitted' | 'approved' | 'listed' | 'rejected' | 'withdrawn';
        cursor?: string;
        limit?: number;
      };
      answer: {
        items: {
          companyId: string;
          name: string;
          country: string;
          state: 'submitted' | 'approved' | 'listed' | 'rejected' | 'withdrawn';
          authentication: 'none' | 'submitted' | 'approved' | 'rejected';
          suspended: boolean;
          information: {
            contactName: string;
            email: string;
            phone: string;
            website: '' | string;
            address: string;
            certificates: string;
            about: string;
            countries: string[];
          };
          appliedBy: string;
          appliedAt: string;
          decidedAt: string | null;
          decidedBy: string | null;
          reason: string;
          configuredAt: string | null;
          accounts: number;
        }[];
        nextCursor: string | null;
      };
    };
    /** One application */
    '/operator/arcs/{companyId}': { params: { companyId: string }; answer: ArcApplication };
    /** Every box, by serial */
    '/operator/boxes': {
      query?: {
        limit?: number;
        cursor?: string;
        q?: string;
        state?: 'unclaimed' | 'claimed' | 'duplicate' | 'revoked';
        companyId?: string;
        online?: 'true' | 'false';
      };
      answer: { items: OperatorBox[]; nextCursor: string | null };
    };
    /** Companies, newest first; customers only when asked for */
    '/operator/companies': {
      query?: {
        limit?: number;
        cursor?: string;
        q?: string;
        type?: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem' | 'customer' | 'operator';
        authentication?: 'none' | 'submitted' | 'approved' | 'rejected';
        suspended?: 'true' | 'false';
      };
      answer: { items: OperatorCompany[]; nextCursor: string | null };
    };
    /** One company, with what it sent for its authentication */
    '/operator/companies/{companyId}': { params: { companyId: string }; answer: OperatorCompanyDetail };
    /** Packages of firmware for everybody */
    '/operator/firmware': { answer: { items: FirmwarePackage[] } };
    /** Service keys, newest first */
    '/operator/service-keys': {
      query?: {
        limit?: number;
        cursor?: string;
        q?: string;
        state?: 'open' | 'redeemed' | 'withdrawn' | 'expired';
        companyId?: string;
      };
      answer: { items: ServiceKey[]; nextCursor: string | null };
    };
    /** How the relay itself is doing */
    '/operator/system': { answer: SystemState };
    /** New passwords that one is asked to set at one’s own sites, newest first */
    '/password-requests': { answer: { items: PasswordRequest[] } };
    /** People of my company */
    '/people': {
      query?: { limit?: number; cursor?: string; search?: string };
      answer: { items: Person[]; nextCursor: string | null };
    };
    /** One of my company’s people */
    '/people/{userId}': { params: { userId: string }; answer: Person };
    /** What the own company has asked for, newest first */
    '/permission-applications': {
      query?: { limit?: number; cursor?: string; siteId?: string; open?: 'true' | 'false' };
      answer: { items: PermissionApplication[]; nextCursor: string | null };
    };
    /** One application */
    '/permission-applications/{applicationId}': { params: { applicationId: string }; answer: PermissionApplication };
    /** Receivers that the company has entered */
    '/receivers': { answer: { items: Receiver[] } };
    /** Permissions that one is asked for, newest first */
    '/requests': {
      query?: { limit?: number; cursor?: string; siteId?: string; open?: 'true' | 'false' };
      answer: { items: PermissionApplication[]; nextCursor: string | null };
    };
    /** One request */
    '/requests/{requestId}': { params: { requestId: string }; answer: PermissionApplication };
    /** Roles of my company */
    '/roles': { answer: { items: Role[] } };
    /** What is shared with me */
    '/shares': { query?: { limit?: number; cursor?: string }; answer: { items: Share[]; nextCursor: string | null } };
    /** Groups of the company’s personal sites */
    '/site-groups': { answer: { items: SiteGroup[] } };
    /** Sites in reach, by name; searched and filtered */
    '/sites': {
      query?: {
        limit?: number;
        cursor?: string;
        q?: string;
        status?:
          | 'not-handed-over'
          | 'not-registered'
          | 'to-be-accepted'
          | 'not-authorized'
          | 'authorized'
          | 'shared'
          | 'disbanded';
        type?: 'personal' | 'team';
        group?: string | 'none';
      };
      answer: SitePage;
    };
    /** One site */
    '/sites/{siteId}': { params: { siteId: string }; answer: Site };
    /** Who may do what at one’s site now */
    '/sites/{siteId}/access': { params: { siteId: string }; answer: SiteAccess };
    /** Devices whose first password is kept */
    '/sites/{siteId}/activations': { params: { siteId: string }; answer: { items: KeptPassword[] } };
    /** Messages to alarm receiving centres, newest first, each with its path, tries and times */
    '/sites/{siteId}/alarms': {
      params: { siteId: string };
      query?: { limit?: number; cursor?: string };
      answer: { items: Alarm[]; nextCursor: string | null };
    };
    /** Accounts of a site at receivers, with the path each uses now */
    '/sites/{siteId}/arc': { params: { siteId: string }; answer: { items: ArcAccount[] } };
    /** How long the last alarms of each account took on each leg of their way */
    '/sites/{siteId}/arc-paths': { params: { siteId: string }; answer: { items: ArcLegs[] } };
    /** The centre that a site is authorised to, and the ARC service of each of its devices */
    '/sites/{siteId}/arc-service': { params: { siteId: string }; answer: SiteArc };
    /** The last tests of the uplinks of a site */
    '/sites/{siteId}/bandwidth-tests': { params: { siteId: string }; answer: { items: BandwidthTest[] } };
    /** One test, and what it recommends */
    '/sites/{siteId}/bandwidth-tests/{testId}': { params: { siteId: string; testId: string }; answer: BandwidthTest };
    /** Boxes of a site */
    '/sites/{siteId}/boxes': { params: { siteId: string }; answer: { items: Box[] } };
    /** Clips of a site, newest first */
    '/sites/{siteId}/clips': {
      params: { siteId: string };
      query?: {
        limit?: number;
        cursor?: string;
        from?: string;
        to?: string;
        deviceId?: string;
        channel?: number;
        kind?: 'event' | 'continuous';
        type?:
          | 'motion'
          | 'lineCrossing'
          | 'intrusion'
          | 'regionEntrance'
          | 'regionExiting'
          | 'tamper'
          | 'videoLoss'
          | 'alarmInput'
          | 'pirDetected'
          | 'faceDetection'
          | 'zoneAlarm'
          | 'panic'
          | 'duress'
          | 'fire'
          | 'gas'
          | 'waterLeak'
          | 'temperature'
          | 'medical'
          | 'zoneBypassed'
          | 'areaArmedAway'
          | 'areaArmedStay'
          | 'areaDisarmed'
          | 'armFailed'
          | 'panelTamper'
          | 'deviceTamper'
          | 'mainsFail'
          | 'batteryLow'
          | 'panelFault'
          | 'panelTest'
          | 'networkDisconnected'
          | 'doorOpened'
          | 'doorForced'
          | 'doorHeldOpen'
          | 'doorUnlocked'
          | 'call'
          | 'fallDetected'
          | 'outOfBed'
          | 'heartRateHigh'
          | 'heartRateLow'
          | 'respirationHigh'
          | 'respirationLow'
          | 'presence'
          | 'diskError'
          | 'diskFull'
          | 'illegalLogin'
          | 'deviceOffline'
          | 'boxRestarted'
          | 'eventsLost'
          | 'clipLost'
          | 'other';
      };
      answer: { items: LibraryClip[]; nextCursor: string | null };
    };
    /** Days of a month that have footage, by the site’s own clock */
    '/sites/{siteId}/clips/days': {
      params: { siteId: string };
      query: { month: string; deviceId?: string; channel?: number };
      answer: { days: { day: number; events: number; continuous: boolean }[] };
    };
    /** What a site’s footage takes */
    '/sites/{siteId}/clips/storage': { params: { siteId: string }; answer: { bytes: number; oldestAt: string | null } };
    /** Channels of a site that have cloud storage, the service of each, and what its devices have room for */
    '/sites/{siteId}/cloud': { params: { siteId: string }; answer: CloudChannels };
    /** Devices of a site */
    '/sites/{siteId}/devices': { params: { siteId: string }; answer: { items: Device[] } };
    /** Devices that the boxes of a site see on their LANs */
    '/sites/{siteId}/discovery': { params: { siteId: string }; answer: Discovery };
    /** Devices that the boxes of a site see on their LANs, as server-sent events */
    '/sites/{siteId}/discovery/stream': { params: { siteId: string }; answer: never };
    /** Events of a site, newest first in the order the relay stored them */
    '/sites/{siteId}/events': {
      params: { siteId: string };
      query?: {
        limit?: number;
        cursor?: string;
        type?:
          | 'motion'
          | 'lineCrossing'
          | 'intrusion'
          | 'regionEntrance'
          | 'regionExiting'
          | 'tamper'
          | 'videoLoss'
          | 'alarmInput'
          | 'pirDetected'
          | 'faceDetection'
          | 'zoneAlarm'
          | 'panic'
          | 'duress'
          | 'fire'
          | 'gas'
          | 'waterLeak'
          | 'temperature'
          | 'medical'
          | 'zoneBypassed'
          | 'areaArmedAway'
          | 'areaArmedStay'
          | 'areaDisarmed'
          | 'armFailed'
          | 'panelTamper'
          | 'deviceTamper'
          | 'mainsFail'
          | 'batteryLow'
          | 'panelFault'
          | 'panelTest'
          | 'networkDisconnected'
          | 'doorOpened'
          | 'doorForced'
          | 'doorHeldOpen'
          | 'doorUnlocked'
          | 'call'
          | 'fallDetected'
          | 'outOfBed'
          | 'heartRateHigh'
          | 'heartRateLow'
          | 'respirationHigh'
          | 'respirationLow'
          | 'presence'
          | 'diskError'
          | 'diskFull'
          | 'illegalLogin'
          | 'deviceOffline'
          | 'boxRestarted'
          | 'eventsLost'
          | 'clipLost'
          | 'other';
        from?: string;
        to?: string;
        deviceId?: string;
        channel?: number | null;
      };
      answer: { items: EventItem[]; nextCursor: string | null };
    };
    /** Jobs of a site’s boxes: what is under way, and what ended lately */
    '/sites/{siteId}/jobs': { params: { siteId: string }; answer: SiteJobs };
    /** A job with each device and each step */
    '/sites/{siteId}/jobs/{jobId}': { params: { siteId: string; jobId: string }; answer: SiteJob };
    /** The progress of a job, as server-sent events */
    '/sites/{siteId}/jobs/{jobId}/stream': { params: { siteId: string; jobId: string }; answer: never };
    /** Recorders whose channels need no sorting: sorted here already, or of a model that cannot */
    '/sites/{siteId}/lan/recorders': { params: { siteId: string }; answer: SortedRecorders };
    /** Employees whom a site is assigned to */
    '/sites/{siteId}/managers': { params: { siteId: string }; answer: { items: SiteManager[] } };
    /** Devices of a site that may go to another, what they lose, and where they may go */
    '/sites/{siteId}/movable-devices': {
      params: { siteId: string };
      query?: { search?: string };
      answer: MoveCandidates;
    };
    /** Companies that help at a site, or were asked to */
    '/sites/{siteId}/partners': { params: { siteId: string }; answer: { items: Collaboration[] } };
    /** What the own company may do at a site, until when, and what it can ask for */
    '/sites/{siteId}/permissions': { params: { siteId: string }; answer: SitePermissions };
    /** The company that serves a site */
    '/sites/{siteId}/provider': { params: { siteId: string }; answer: Provider };
    /** With whom a site is shared */
    '/sites/{siteId}/sharing': {
      params: { siteId: string };
      answer: {
        sharing: {
          id: string;
          siteId: string;
          mode: 'A' | 'B';
          createdAt: string;
          requests: {
            permission: 'live' | 'playback';
            validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
            extras: ('pircam-gif' | 'video-clips')[];
          }[];
          customers: {
            id: string;
            email: string | null;
            phone: string | null;
            name: string;
            remark: string;
            locale: 'en' | 'de';
            administrator: boolean;
            state: 'to-be-accepted' | 'accepted' | 'rejected' | 'expired' | 'cancelled';
            registered: boolean;
            invitedAt: string;
            acceptBy: string;
            answeredAt: string | null;
            until: string | null;
            resources: { deviceId: string; permissions: ('view' | 'live' | 'playback')[] }[];
            qr?: { url: string; svg: string };
          }[];
        } | null;
      };
    };
    /** What changes at a site, as server-sent events */
    '/sites/{siteId}/stream': { params: { siteId: string }; answer: never };
    /** How the handover of a site stands, and what is in its way */
    '/sites/{siteId}/transfer': { params: { siteId: string }; answer: TransferStatus };
    /** Devices of a site, their firmware, and what there is for them */
    '/sites/{siteId}/upgrades': { params: { siteId: string }; answer: { items: DeviceUpgrade[] } };
    /** Who looked at which pictures of the site, when, by which way */
    '/sites/{siteId}/viewings': {
      params: { siteId: string };
      query?: { cursor?: string; deviceId?: string; from?: string; to?: string };
      answer: Viewings;
    };
  };
  post: {
    /** Send a test message to the receiver now */
    '/arc-desk/accounts/{accountId}/test': { params: { accountId: string }; answer: TestSent };
    /** Begin test mode: alarms are marked as tests until it ends, by itself at the latest */
    '/arc-desk/accounts/{accountId}/test-mode': {
      params: { accountId: string };
      body: { minutes: number; note?: string };
      answer: DeskTest;
    };
    /** Acknowledge several alarms at once */
    '/arc-desk/acknowledgements': { body: { alarmIds: string[]; note?: string }; answer: { acknowledged: string[] } };
    /** Acknowledge an alarm: somebody takes care of it */
    '/arc-desk/alarms/{alarmId}/acknowledge': {
      params: { alarmId: string };
      body: { note?: string };
      answer: DeskAlarmDetail;
    };
    /** A short signed address of the alarm’s picture, to hand on */
    '/arc-desk/alarms/{alarmId}/link': { params: { alarmId: string }; answer: DeskLink };
    /** Write a note to an alarm */
    '/arc-desk/alarms/{alarmId}/notes': {
      params: { alarmId: string };
      body: { text: string };
      answer: DeskAlarmDetail;
    };
    /** Take an acknowledgement back: the alarm waits for somebody again */
    '/arc-desk/alarms/{alarmId}/reopen': {
      params: { alarmId: string };
      body: Record<string, unknown>;
      answer: DeskAlarmDetail;
    };
    /** Apply to join the ARC list, the first time or again */
    '/arc-joining': {
      body: {
        information: {
          contactName: string;
          email: string;
          phone: string;
          website: '' | string;
          address: string;
          certificates: string;
          about: string;
          countries: string[];
        };
        agreement: '2026-11';
      };
      answer: ArcJoining;
    };
    /** ARC ID and key are entered: the centre is listed from now on */
    '/arc-joining/completed': { answer: ArcJoining };
    /** Another ARC key by e-mail; the old one ends at once */
    '/arc-joining/key': { answer: ArcJoining };
    /** Take the application back, or leave the ARC list; the ARC key ends */
    '/arc-joining/withdraw': { answer: ArcJoining };
    /** Add an output */
    '/arc-outputs': {
      body: {
        name: string;
        enabled?: boolean;
        config:
          | {
              kind: 'dc09';
              host: string;
              port: number;
              transport?: 'tcp' | 'udp';
              accounts?: { from: string; to: string }[];
              receiver?: string;
              line?: string;
            }
          | {
              kind: 'mlr2';
              mode: 'server' | 'client';
              host?: string | null;
              port?: number | null;
              peers?: string[];
              receiver?: string;
              line?: string;
              heartbeatS?: number;
              accounts?: { from: string; to: string }[];
              otherAccount?: string;
            }
          | { kind: 'webhook'; url: string }
          | { kind: 'pull' };
        key?: string;
        repeats?: boolean;
      };
      answer: SavedReceiverOutput;
    };
    /** Everything up to this cursor is safe */
    '/arc-outputs/{outputId}/commit': { params: { outputId: string }; body: { cursor: string }; answer: undefined };
    /** A new secret for a webhook; the old one is void at once */
    '/arc-outputs/{outputId}/secret': { params: { outputId: string }; answer: SavedReceiverOutput };
    /** Send a test message (Contact ID 602) to an output */
    '/arc-outputs/{outputId}/test': {
      params: { outputId: string };
      body: { account?: string };
      answer: { messageId: string };
    };
    /** Enter a receiver of the centre */
    '/arc-receivers': {
      body: {
        transport?: 'tcp' | 'udp';
        protocol?: 'SIA-DCS' | 'ADM-CID';
        supervision?: { kind: 'null' | 'test' | 'off'; intervalMs: number };
        periodicTest?: { intervalMs: number; atMinute?: number | null } | null;
        ackTimeoutMs?: number;
        attempts?: number;
        codes?: {
          type:
            | 'motion'
            | 'lineCrossing'
            | 'intrusion'
            | 'regionEntrance'
            | 'regionExiting'
            | 'tamper'
            | 'videoLoss'
            | 'alarmInput'
            | 'pirDetected'
            | 'faceDetection'
            | 'zoneAlarm'
            | 'panic'
            | 'duress'
            | 'fire'
            | 'gas'
            | 'waterLeak'
            | 'temperature'
            | 'medical'
            | 'zoneBypassed'
            | 'areaArmedAway'
            | 'areaArmedStay'
            | 'areaDisarmed'
            | 'armFailed'
            | 'panelTamper'
            | 'deviceTamper'
            | 'mainsFail'
            | 'batteryLow'
            | 'panelFault'
            | 'panelTest'
            | 'networkDisconnected'
            | 'doorOpened'
            | 'doorForced'
            | 'doorHeldOpen'
            | 'doorUnlocked'
            | 'call'
            | 'fallDetected'
            | 'outOfBed'
            | 'heartRateHigh'
            | 'heartRateLow'
            | 'respirationHigh'
            | 'respirationLow'
            | 'presence'
            | 'diskError'
            | 'diskFull'
            | 'illegalLogin'
            | 'deviceOffline'
            | 'boxRestarted'
            | 'eventsLost'
            | 'clipLost'
            | 'other';
          cid?: string;
          sia?: string;
          siaEnd?: string | null;
        }[];
        extended?: { blocks?: number; text?: boolean; picture?: boolean; path?: boolean };
        partition?: number;
        ownLine?: { enabled?: boolean; line?: string };
        name: string;
        kind?: 'external' | 'hosted';
        direct?: { host: string; port: number };
        relay?: { host: string; port: number };
        key?: string | null;
        keyFormat?: 'hex' | 'characters';
      };
      answer: ArcReceiver;
    };
    /** Send one message from the relay and say what came back */
    '/arc-receivers/{receiverId}/test': {
      params: { receiverId: string };
      body: { account: string; message?: 'null' | 'test'; key?: string | null; keyFormat?: 'hex' | 'characters' };
      answer: ReceiverTest;
    };
    /** Approve or refuse; refused, everything stays as it is */
    '/arc-requests/{requestId}/decide': {
      params: { requestId: string };
      body: { approve: boolean };
      answer: ArcRequest;
    };
    /** Let a device send to a receiver here */
    '/arc-senders': {
      body: {
        receiverId: string;
        account: string;
        name: string;
        key?: string | null;
        keyFormat?: 'hex' | 'characters';
        localTime?: boolean;
        supervisionS?: number | null;
      };
      answer: ReceiverSender;
    };
    /** Accept devices: their alarms come from now on */
    '/arc/services/accept': { body: { services: string[]; receiverId?: string }; answer: { items: ArcServiceDone[] } };
    /** Ask for other event types of cameras and recorders */
    '/arc/services/events': {
      body: {
        services: string[];
        events: (
          | 'motion'
          | 'lineCrossing'
          | 'intrusion'
          | 'regionEntrance'
          | 'regionExiting'
          | 'tamper'
          | 'videoLoss'
          | 'alarmInput'
          | 'pirDetected'
          | 'faceDetection'
          | 'zoneAlarm'
          | 'panic'
          | 'duress'
          | 'fire'
          | 'gas'
          | 'waterLeak'
          | 'temperature'
          | 'medical'
          | 'zoneBypassed'
          | 'areaArmedAway'
          | 'areaArmedStay'
          | 'areaDisarmed'
          | 'armFailed'
          | 'panelTamper'
          | 'deviceTamper'
          | 'mainsFail'
          | 'batteryLow'
          | 'panelFault'
          | 'panelTest'
          | 'networkDisconnected'
          | 'doorOpened'
          | 'doorForced'
          | 'doorHeldOpen'
          | 'doorUnlocked'
          | 'call'
          | 'fallDetected'
          | 'outOfBed'
          | 'heartRateHigh'
          | 'heartRateLow'
          | 'respirationHigh'
          | 'respirationLow'
          | 'presence'
          | 'diskError'
          | 'diskFull'
          | 'illegalLogin'
          | 'deviceOffline'
          | 'boxRestarted'
          | 'eventsLost'
          | 'clipLost'
          | 'other'
        )[];
      };
      answer: { items: ArcServiceDone[] };
    };
    /** Reject devices */
    '/arc/services/reject': { body: { services: string[]; note?: string }; answer: { items: ArcServiceDone[] } };
    /** Resume suspended devices */
    '/arc/services/resume': { body: { services: string[] }; answer: { items: ArcServiceDone[] } };
    /** Suspend devices: no alarms until resumed */
    '/arc/services/suspend': { body: { services: string[]; note?: string }; answer: { items: ArcServiceDone[] } };
    /** Confirm the new e-mail address of an account */
    '/auth/email': { body: { token: string }; answer: undefined };
    /** Send a link to who forgot the password */
    '/auth/forgotten': { body: { account: string }; answer: undefined };
    /** What an invitation is for */
    '/auth/invitation': {
      body: { token: string };
      answer: { company: string; email: string; name: string; roles: string[]; expiresAt: string };
    };
    /** Register as the employee that was invited, and sign in */
    '/auth/invitation/accept': {
      body: { token: string; password: string; name: string; locale?: 'en' | 'de' };
      answer: SignedIn;
    };
    /** What a link from an e-mail is for */
    '/auth/link': {
      body: { token: string };
      answer: {
        for: 'registration' | 'employee' | 'email' | 'password';
        target: string;
        name: string;
        companies: {
          id: string;
          name: string;
          country: string;
          type: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem' | 'customer' | 'operator';
        }[];
      };
    };
    /** Sign in */
    '/auth/login': { body: { email: string; password: string; code?: string }; answer: SignedIn };
    /** Sign out: the session ends, and what it had open */
    '/auth/logout': { answer: undefined };
    /** Register a company, as an employee, or as a customer */
    '/auth/register': {
      body:
        | {
            kind: 'company';
            type: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem';
            companyName: string;
            country: string;
            email: string;
            name: string;
            locale?: 'en' | 'de';
          }
        | { kind: 'employee'; companyName: string; email: string; name: string; locale?: 'en' | 'de' }
        | { kind: 'customer'; country: string; email?: string; phone?: string; name: string; locale?: 'en' | 'de' };
      answer: Sent;
    };
    /** Finish a registration with the code from the phone, and sign in */
    '/auth/register/code': { body: { id: string; code: string; password: string }; answer: SignedIn };
    /** Ask a company to be let in as an employee */
    '/auth/register/join': {
      body: { token: string; password: string; companyId: string; message?: string };
      answer: { company: string };
    };
    /** Finish a registration with the link from the e-mail, and sign in */
    '/auth/register/link': { body: { token: string; password: string }; answer: SignedIn };
    /** Send the link or code again */
    '/auth/register/resend': { body: { id: string }; answer: Sent };
    /** Choose a new password with the link, which ends all sessions */
    '/auth/reset': { body: { token: string; password: string }; answer: undefined };
    /** Let a box in again whose identity was used twice */
    '/boxes/{serial}/clear-duplicate': { params: { serial: string }; answer: Box };
    /** Revoke a box for good */
    '/boxes/{serial}/revoke': { params: { serial: string }; answer: Box };
    /** Have a clip sent that its box keeps */
    '/clips/{clipId}/send': { params: { clipId: string }; answer: undefined };
    /** Share a clip by a link that ends */
    '/clips/{clipId}/shares': {
      params: { clipId: string };
      body: { hours: 1 | 24 | 72 | 168 | 720; note?: string };
      answer: {
        id: string;
        note: string;
        createdAt: string;
        expiresAt: string;
        by: string;
        views: number;
        viewedAt: string | null;
        path: string;
        url: string | null;
      };
    };
    /** Enter the verification code of the device that a clip is of */
    '/clips/{clipId}/unlock': { params: { clipId: string }; body: { code: string }; answer: undefined };
    /** Let a service last a month or a year longer; it uses a package of the same retention */
    '/cloud/services/{serviceId}/renew': {
      params: { serviceId: string };
      body: { term: 'month' | 'year' };
      answer: CloudService;
    };
    /** Hand the time that is left of a service to another channel */
    '/cloud/services/{serviceId}/transfer': {
      params: { serviceId: string };
      body: { deviceId: string; channel: number };
      answer: CloudService;
    };
    /** Say yes, as the partner or as the owner */
    '/collaborations/{collaborationId}/accept': { params: { collaborationId: string }; answer: Collaboration };
    /** Say no, as the partner or as the owner */
    '/collaborations/{collaborationId}/decline': { params: { collaborationId: string }; answer: Collaboration };
    /** End it */
    '/collaborations/{collaborationId}/end': { params: { collaborationId: string }; answer: Collaboration };
    /** Ask for the authentication of my company */
    '/company/authentication': {
      body: {
        fields: {
          legalName?: string;
          registrationNumber?: string;
          vatNumber?: string;
          taxId?: string;
          licenceNumber?: string;
          address?: string;
          contactName?: string;
          contactPhone?: string;
          website?: string;
        };
      };
      answer: CompanyAuthentication;
    };
    /** Redeem service keys: all of them, or none when one is wrong */
    '/company/service-keys/redeem': { body: { keys: string }; answer: Redeemed };
    /** Give an installer a device to configure and operate */
    '/device-invitations': { body: { deviceId: string; email: string }; answer: DeviceInvitation };
    /** Accept: the device appears at the site named */
    '/device-invitations/{deviceInvitationId}/accept': {
      params: { deviceInvitationId: string };
      answer: DeviceInvitation;
    };
    /** Decline */
    '/device-invitations/{deviceInvitationId}/decline': {
      params: { deviceInvitationId: string };
      answer: DeviceInvitation;
    };
    /** Withdraw it, or end what came of it */
    '/device-invitations/{deviceInvitationId}/withdraw': {
      params: { deviceInvitationId: string };
      answer: DeviceInvitation;
    };
    /** Do something with a device at once */
    '/devices/{deviceId}/actions': {
      params: { deviceId: string };
      body:
        | { action: 'ptzMove'; channel: number; pan: number; tilt: number; zoom: number; ms?: number }
        | { action: 'ptzStop'; channel: number }
        | { action: 'ptzHome'; channel: number }
        | { action: 'focus'; channel: number; speed: number; ms?: number }
        | { action: 'presetCall'; channel: number; preset: string }
        | { action: 'presetSet'; channel: number; preset: string | null; name: string }
        | { action: 'presetDelete'; channel: number; preset: string }
        | { action: 'patrolStart'; channel: number; patrol: number }
        | { action: 'patrolStop'; channel: number; patrol: number }
        | { action: 'patternRun'; channel: number; pattern: number }
        | { action: 'patternStop'; channel: number; pattern: number }
        | { action: 'privacyMaskOn'; channel: number }
        | { action: 'privacyMaskOff'; channel: number }
        | { action: 'alarmOutput'; output: string; active: boolean }
        | { action: 'doorOpen'; door: number }
        | { action: 'doorRemainOpen'; door: number }
        | { action: 'doorRemainClosed'; door: number }
        | { action: 'doorResume'; door: number }
        | { action: 'areaArmAway'; area: number; force?: boolean }
        | { action: 'areaArmStay'; area: number; force?: boolean }
        | { action: 'areaDisarm'; area: number }
        | { action: 'areaSilence'; area: number }
        | { action: 'zoneBypass'; zone: number }
        | { action: 'zoneUnbypass'; zone: number }
        | { action: 'walkTestStart' }
        | { action: 'walkTestStop' }
        | { action: 'play'; file: string; volume?: number }
        | { action: 'reboot' }
        | { action: 'restore'; mode: 'basic' | 'full' }
        | { action: 'diskFormat'; disk: string; confirm: string }
        | { action: 'syncTime'; timeZone: string }
        | { action: 'channelAdd'; address: string; port: number; protocol: string; username: string; password: string }
        | {
            action: 'channelEdit';
            channel: number;
            name?: string;
            address?: string;
            port?: number;
            username?: string;
            password: string;
          }
        | { action: 'channelDelete'; channel: number }
        | { action: 'channelsSort'; order: number[]; password?: string }
        | { action: 'portRestart'; port: number };
      answer: DeviceActionDone;
    };
    /** Trust the certificate that the device shows next */
    '/devices/{deviceId}/certificate/forget': { params: { deviceId: string }; answer: undefined };
    /** Enter the device’s verification code */
    '/devices/{deviceId}/channels/{channel}/live/unlock': {
      params: { deviceId: string; channel: string };
      body: { code: string };
      answer: undefined;
    };
    /** See a channel live, directly from the box (WHEP) */
    '/devices/{deviceId}/channels/{channel}/whep': {
      params: { deviceId: string; channel: string };
      query?: { stream?: 'main' | 'sub' };
      answer: never;
    };
    /** Begin to upload a package for one device */
    '/devices/{deviceId}/firmware': {
      params: { deviceId: string };
      body: { fileName: string; size: number };
      answer: PackageUpload;
    };
    /** Ask the owner of a site to set a new password of a device; with the site authorisation */
    '/devices/{deviceId}/password-requests': {
      params: { deviceId: string };
      body: { atSite: boolean; remark?: string };
      answer: PasswordRequest;
    };
    /** Open the device’s own page */
    '/devices/{deviceId}/remote-sessions': { params: { deviceId: string }; answer: RemoteSession };
    /** Invite an employee by e-mail */
    '/employee-invitations': {
      body: { email: string; name?: string; roles?: string[]; locale?: 'en' | 'de' };
      answer: EmployeeInvitation;
    };
    /** Send an invitation again, with a new link */
    '/employee-invitations/{employeeInvitationId}/resend': {
      params: { employeeInvitationId: string };
      answer: EmployeeInvitation;
    };
    /** Become the owner of a site, and grant what was asked for */
    '/handovers/{handoverId}/accept': { params: { handoverId: string }; body: { token?: string }; answer: Handover };
    /** Do not take a site over */
    '/handovers/{handoverId}/reject': { params: { handoverId: string }; body: { token?: string }; answer: Handover };
    /** What a handover’s link or QR code leads to */
    '/handovers/open': { body: { token: string }; answer: Handover };
    /** Let a person in, with these roles */
    '/join-requests/{joinRequestId}/accept': {
      params: { joinRequestId: string };
      body: { roles?: string[] };
      answer: Person;
    };
    /** Refuse a person: what they entered is deleted */
    '/join-requests/{joinRequestId}/refuse': { params: { joinRequestId: string }; answer: undefined };
    /** Make an API key */
    '/keys': {
      body: {
        name: string;
        permissions: (
          | 'manage-all-sites'
          | 'manage-assigned-sites'
          | 'manage-devices'
          | 'configure-devices'
          | 'live-view'
          | 'playback'
        )[];
        readOnly?: boolean;
        sites?: string[] | null;
        days: number;
      };
      answer: CreatedApiKey;
    };
    /** Delete my account */
    '/me/delete': { body: { password: string }; answer: undefined };
    /** Change my e-mail address: a link is sent to the new one */
    '/me/email': { body: { email: string; password: string }; answer: Sent };
    /** Enter my phone number: a code is sent to it */
    '/me/phone': { body: { phone: string; password: string }; answer: Sent };
    /** Confirm my phone number with the code */
    '/me/phone/confirm': { body: { id: string; code: string }; answer: Profile };
    /** New recovery codes in the place of the old ones */
    '/me/recovery-codes': { body: { password: string; code: string }; answer: { codes: string[] } };
    /** Begin to set up two-factor sign-in */
    '/me/totp': { body: { password: string }; answer: { secret: string; uri: string; qr: string } };
    /** Switch two-factor sign-in on with the first code */
    '/me/totp/confirm': {
      body: { code: string };
      answer: {
        token: string;
        expiresAt: string;
        me: {
          userId: string;
          email: string | null;
          emailVerified: boolean;
          phone: string | null;
          phoneVerified: boolean;
          name: string;
          locale: string;
          company: {
            id: string;
            name: string;
            type: 'installer' | 'integrator' | 'distributor' | 'reseller' | 'arc' | 'oem' | 'customer' | 'operator';
            authentication: 'none' | 'submitted' | 'approved' | 'rejected';
          };
          totp: boolean;
          admin: boolean;
          limited: boolean;
          permissions: (
            | 'manage-all-sites'
            | 'manage-assigned-sites'
            | 'manage-accounts'
            | 'manage-devices'
            | 'configure-devices'
            | 'live-view'
            | 'playback'
          )[];
        };
        codes: string[];
      };
    };
    /** Switch two-factor sign-in off */
    '/me/totp/remove': { body: { password: string; code: string }; answer: SignedIn };
    /** Send push messages to this browser */
    '/notifications/push': {
      body: { endpoint: string; keys: { p256dh: string; auth: string } };
      answer: PushSubscription;
    };
    /** Mark my notifications read */
    '/notifications/read-all': {
      body: { category?: 'business' | 'arc' | 'site'; until?: string };
      answer: UnreadNotifications;
    };
    /** Send me a test message on the ways that I have chosen */
    '/notifications/test': { answer: undefined };
    /** Let a box in again whose identity was used twice */
    '/operator/boxes/{serial}/clear-duplicate': { params: { serial: string }; answer: OperatorBox };
    /** Revoke a box for good: cut at once, and never let in again */
    '/operator/boxes/{serial}/revoke': { params: { serial: string }; answer: OperatorBox };
    /** Begin to upload a package for everybody */
    '/operator/firmware': {
      body: { fileName: string; size: number; models: string[]; note?: string };
      answer: PackageUpload;
    };
    /** Issue service keys */
    '/operator/service-keys': {
      body: {
        content: 'employee-slots' | 'cloud-storage';
        package?: { retentionDays: 7 | 30 | 90 | 180 | 365; term: 'month' | 'year' };
        quantity: number;
        count?: number;
        note?: string;
        validDays?: number;
      };
      answer: { keys: { id: string; key: string }[] };
    };
    /** Withdraw a key that nobody redeemed yet */
    '/operator/service-keys/{serviceKeyId}/withdraw': { params: { serviceKeyId: string }; answer: ServiceKey };
    /** Set no new password; who asked is told */
    '/password-requests/{passwordRequestId}/refuse': { params: { passwordRequestId: string }; answer: PasswordRequest };
    /** Take back what is not decided yet */
    '/permission-applications/{applicationId}/cancel': {
      params: { applicationId: string };
      answer: PermissionApplication;
    };
    /** Enter a receiver: where boxes reach it, and where the relay does */
    '/receivers': {
      body: {
        name: string;
        direct: { host: string; port: number };
        relay: { host: string; port: number };
        transport?: 'tcp' | 'udp';
      };
      answer: Receiver;
    };
    /** Approve or refuse, permission by permission */
    '/requests/{requestId}/decide': {
      params: { requestId: string };
      body: { items: { id: string; approve: boolean; validity?: 'permanent' | '1h' | '2h' | '4h' | '8h' }[] };
      answer: PermissionApplication;
    };
    /** Add a role */
    '/roles': {
      body: {
        name: string;
        permissions: (
          | 'manage-all-sites'
          | 'manage-assigned-sites'
          | 'manage-accounts'
          | 'manage-devices'
          | 'configure-devices'
          | 'live-view'
          | 'playback'
        )[];
      };
      answer: Role;
    };
    /** Make a customer the one who reviews requests (mode A) */
    '/share-customers/{shareId}/administrator': { params: { shareId: string }; answer: Sharing };
    /** Share once more with who rejected or did not answer */
    '/share-customers/{shareId}/again': { params: { shareId: string }; answer: Sharing };
    /** Cancel the sharing with one customer */
    '/share-customers/{shareId}/cancel': {
      params: { shareId: string };
      body: { administratorId?: string | null };
      answer: {
        sharing: {
          id: string;
          siteId: string;
          mode: 'A' | 'B';
          createdAt: string;
          requests: {
            permission: 'live' | 'playback';
            validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
            extras: ('pircam-gif' | 'video-clips')[];
          }[];
          customers: {
            id: string;
            email: string | null;
            phone: string | null;
            name: string;
            remark: string;
            locale: 'en' | 'de';
            administrator: boolean;
            state: 'to-be-accepted' | 'accepted' | 'rejected' | 'expired' | 'cancelled';
            registered: boolean;
            invitedAt: string;
            acceptBy: string;
            answeredAt: string | null;
            until: string | null;
            resources: { deviceId: string; permissions: ('view' | 'live' | 'playback')[] }[];
            qr?: { url: string; svg: string };
          }[];
        } | null;
      };
    };
    /** Accept what is shared */
    '/shares/{shareId}/accept': { params: { shareId: string }; answer: Share };
    /** Turn down what is shared, or give it back */
    '/shares/{shareId}/reject': { params: { shareId: string }; answer: Share };
    /** Accept by the link of an invitation */
    '/shares/accept-link': { body: { token: string }; answer: Share };
    /** What the link of an invitation shares */
    '/shares/open-link': { body: { token: string }; answer: Share };
    /** Assign sites to employees */
    '/site-assignments': {
      body: { siteIds: string[]; managers: { userId: string; until?: string | null }[] };
      answer: BatchResult;
    };
    /** Make a group */
    '/site-groups': { body: { name: string }; answer: SiteGroup };
    /** Move personal sites to a group, a new group, or out of theirs */
    '/site-groups/moves': {
      body: { siteIds: string[]; group: { id: string } | { name: string } | null };
      answer: BatchResult;
    };
    /** Make a site */
    '/sites': {
      body: {
        name: string;
        timeZone: string;
        type?: 'personal' | 'team';
        syncTime?: boolean;
        scene?: string;
        address?: string;
        city?: string;
        region?: string;
        country?: string;
        latitude?: number | null;
        longitude?: number | null;
        remark?: string;
        group?: { id: string } | { name: string } | null;
      };
      answer: Site;
    };
    /** Take permissions back: they are gone at once */
    '/sites/{siteId}/access/withdraw': {
      params: { siteId: string };
      body: {
        companyId: string;
        items: {
          deviceId?: string | null;
          permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
        }[];
      };
      answer: SiteAccess;
    };
    /** Give devices on the LAN their first password */
    '/sites/{siteId}/activations': {
      params: { siteId: string };
      body: {
        boxSerial: string;
        macs: string[];
        password:
          | { from: 'generated' }
          | { from: 'default' }
          | { from: 'given'; password: string; keepAsDefault?: boolean };
        verificationCode?:
          | { from: 'none' }
          | { from: 'default' }
          | { from: 'given'; code: string; keepAsDefault?: boolean };
      };
      answer: { items: ActivationResult[] };
    };
    /** Show the first password of a device; it stands in the operation log */
    '/sites/{siteId}/activations/{mac}/reveal': {
      params: { siteId: string; mac: string };
      answer: { username: string; password: string };
    };
    /** Add several devices, in whatever way each */
    '/sites/{siteId}/additions': {
      params: { siteId: string };
      body: {
        devices: (
          | {
              method: 'serial' | 'qr' | 'on-site';
              serial: string;
              code?: string | null;
              name?: string | null;
              username?: string | null;
              password?: string | null;
              recordOn?: (
                | 'motion'
                | 'lineCrossing'
                | 'intrusion'
                | 'regionEntrance'
                | 'regionExiting'
                | 'tamper'
                | 'videoLoss'
                | 'alarmInput'
                | 'pirDetected'
                | 'faceDetection'
                | 'zoneAlarm'
                | 'panic'
                | 'duress'
                | 'fire'
                | 'gas'
                | 'waterLeak'
                | 'temperature'
                | 'medical'
                | 'zoneBypassed'
                | 'areaArmedAway'
                | 'areaArmedStay'
                | 'areaDisarmed'
                | 'armFailed'
                | 'panelTamper'
                | 'deviceTamper'
                | 'mainsFail'
                | 'batteryLow'
                | 'panelFault'
                | 'panelTest'
                | 'networkDisconnected'
                | 'doorOpened'
                | 'doorForced'
                | 'doorHeldOpen'
                | 'doorUnlocked'
                | 'call'
                | 'fallDetected'
                | 'outOfBed'
                | 'heartRateHigh'
                | 'heartRateLow'
                | 'respirationHigh'
                | 'respirationLow'
                | 'presence'
                | 'diskError'
                | 'diskFull'
                | 'illegalLogin'
                | 'deviceOffline'
                | 'boxRestarted'
                | 'eventsLost'
                | 'clipLost'
                | 'other'
              )[];
            }
          | {
              boxSerial: string;
              name: string;
              mac?: string | null;
              serial?: string | null;
              host: string;
              httpPort?: number;
              username: string;
              password?: string;
              kind?: 'auto' | 'isapi' | 'onvif' | 'snmp';
              recordOn?: (
                | 'motion'
                | 'lineCrossing'
                | 'intrusion'
                | 'regionEntrance'
                | 'regionExiting'
                | 'tamper'
                | 'videoLoss'
                | 'alarmInput'
                | 'pirDetected'
                | 'faceDetection'
                | 'zoneAlarm'
                | 'panic'
                | 'duress'
                | 'fire'
                | 'gas'
                | 'waterLeak'
                | 'temperature'
                | 'medical'
                | 'zoneBypassed'
                | 'areaArmedAway'
                | 'areaArmedStay'
                | 'areaDisarmed'
                | 'armFailed'
                | 'panelTamper'
                | 'deviceTamper'
                | 'mainsFail'
                | 'batteryLow'
                | 'panelFault'
                | 'panelTest'
                | 'networkDisconnected'
                | 'doorOpened'
                | 'doorForced'
                | 'doorHeldOpen'
                | 'doorUnlocked'
                | 'call'
                | 'fallDetected'
                | 'outOfBed'
                | 'heartRateHigh'
                | 'heartRateLow'
                | 'respirationHigh'
                | 'respirationLow'
                | 'presence'
                | 'diskError'
                | 'diskFull'
                | 'illegalLogin'
                | 'deviceOffline'
                | 'boxRestarted'
                | 'eventsLost'
                | 'clipLost'
                | 'other'
              )[];
              method: 'lan';
            }
          | {
              method: 'ip';
              name: string;
              host: string;
              port?: number;
              channelCount?: number;
              username: string;
              password: string;
            }
        )[];
      };
      answer: AddingResults;
    };
    /** Add an alarm panel that sends DC-09 to a box */
    '/sites/{siteId}/alarm-panels': {
      params: { siteId: string };
      body: {
        boxSerial: string;
        name: string;
        account: string;
        key: string | null;
        keyFormat?: 'hex' | 'characters';
        localTime?: boolean;
        supervisionMs?: number | null;
      };
      answer: Device;
    };
    /** Let a box send its alarms to a receiver */
    '/sites/{siteId}/arc': {
      params: { siteId: string };
      body: {
        boxSerial: string;
        receiverId: string;
        account: string;
        protocol: 'SIA-DCS' | 'ADM-CID';
        key?: string | null;
        keyFormat?: 'hex' | 'characters';
        mode?: 'direct-or-relay' | 'relay';
        events: (
          | 'motion'
          | 'lineCrossing'
          | 'intrusion'
          | 'regionEntrance'
          | 'regionExiting'
          | 'tamper'
          | 'videoLoss'
          | 'alarmInput'
          | 'pirDetected'
          | 'faceDetection'
          | 'zoneAlarm'
          | 'panic'
          | 'duress'
          | 'fire'
          | 'gas'
          | 'waterLeak'
          | 'temperature'
          | 'medical'
          | 'zoneBypassed'
          | 'areaArmedAway'
          | 'areaArmedStay'
          | 'areaDisarmed'
          | 'armFailed'
          | 'panelTamper'
          | 'deviceTamper'
          | 'mainsFail'
          | 'batteryLow'
          | 'panelFault'
          | 'panelTest'
          | 'networkDisconnected'
          | 'doorOpened'
          | 'doorForced'
          | 'doorHeldOpen'
          | 'doorUnlocked'
          | 'call'
          | 'fallDetected'
          | 'outOfBed'
          | 'heartRateHigh'
          | 'heartRateLow'
          | 'respirationHigh'
          | 'respirationLow'
          | 'presence'
          | 'diskError'
          | 'diskFull'
          | 'illegalLogin'
          | 'deviceOffline'
          | 'boxRestarted'
          | 'eventsLost'
          | 'clipLost'
          | 'other'
        )[];
        zones?: { deviceId: string; channel: number | null; zone: number }[];
        supervision?: { kind: 'null' | 'test' | 'off'; intervalMs: number };
      };
      answer: ArcAccount;
    };
    /** Arm or disarm several alarm devices of a site */
    '/sites/{siteId}/arming': {
      params: { siteId: string };
      body: { devices: string[]; arm: 'away' | 'stay' | 'disarm'; area?: number; force?: boolean };
      answer: { items: ArmedDevice[] };
    };
    /** Ask the owner for the site authorisation */
    '/sites/{siteId}/authorization-applications': {
      params: { siteId: string };
      body: { validity?: 'permanent' | '1h' | '2h' | '4h' | '8h'; remark?: string };
      answer: PermissionApplication;
    };
    /** Test the uplink of a box, or of the box that a device is behind */
    '/sites/{siteId}/bandwidth-tests': {
      params: { siteId: string };
      body: { boxSerial: string } | { deviceId: string };
      answer: BandwidthTest;
    };
    /** Claim a box for a site */
    '/sites/{siteId}/boxes': { params: { siteId: string }; body: { serial: string; code: string }; answer: Box };
    /** Have a box set up channels for cloud storage, as a job */
    '/sites/{siteId}/cloud/setups': {
      params: { siteId: string };
      body: {
        boxSerial: string;
        devices: {
          device:
            | { deviceId: string; login?: { username: string; password: string } }
            | { username: string; password: string; name: string; host: string; httpPort?: number };
          channels: {
            channel: number;
            package?: { retentionDays: 7 | 30 | 90 | 180 | 365; term: 'month' | 'year' };
            definition?: string | null;
            mode?: 'event' | 'continuous' | 'both';
            stream?: 'main' | 'sub' | 'adaptive';
            audio?: boolean;
          }[];
        }[];
      };
      answer: CloudSetupStarted;
    };
    /** Add a device */
    '/sites/{siteId}/devices': {
      params: { siteId: string };
      body: {
        boxSerial: string;
        name: string;
        mac?: string | null;
        serial?: string | null;
        host: string;
        httpPort?: number;
        username: string;
        password?: string;
        kind?: 'auto' | 'isapi' | 'onvif' | 'snmp';
        recordOn?: (
          | 'motion'
          | 'lineCrossing'
          | 'intrusion'
          | 'regionEntrance'
          | 'regionExiting'
          | 'tamper'
          | 'videoLoss'
          | 'alarmInput'
          | 'pirDetected'
          | 'faceDetection'
          | 'zoneAlarm'
          | 'panic'
          | 'duress'
          | 'fire'
          | 'gas'
          | 'waterLeak'
          | 'temperature'
          | 'medical'
          | 'zoneBypassed'
          | 'areaArmedAway'
          | 'areaArmedStay'
          | 'areaDisarmed'
          | 'armFailed'
          | 'panelTamper'
          | 'deviceTamper'
          | 'mainsFail'
          | 'batteryLow'
          | 'panelFault'
          | 'panelTest'
          | 'networkDisconnected'
          | 'doorOpened'
          | 'doorForced'
          | 'doorHeldOpen'
          | 'doorUnlocked'
          | 'call'
          | 'fallDetected'
          | 'outOfBed'
          | 'heartRateHigh'
          | 'heartRateLow'
          | 'respirationHigh'
          | 'respirationLow'
          | 'presence'
          | 'diskError'
          | 'diskFull'
          | 'illegalLogin'
          | 'deviceOffline'
          | 'boxRestarted'
          | 'eventsLost'
          | 'clipLost'
          | 'other'
        )[];
      };
      answer: Device;
    };
    /** Ask the LANs again; answers after about 2 s */
    '/sites/{siteId}/discovery/scan': { params: { siteId: string }; answer: Discovery };
    /** Initialise devices of the LAN, as a job of the box that sees them */
    '/sites/{siteId}/jobs': {
      params: { siteId: string };
      body: {
        boxSerial: string;
        verificationCode?: string;
        devices: { mac: string; username?: string; password?: string; record?: boolean }[];
      };
      answer: SiteJob;
    };
    /** Edit the addresses of devices on the LAN, added or not, also in a foreign subnet */
    '/sites/{siteId}/lan/addresses': {
      params: { siteId: string };
      body: {
        boxSerial: string;
        items: {
          mac: string;
          password?: string;
          to:
            | { dhcp: true }
            | {
                dhcp: false;
                address: string;
                subnetMask:
                  | '255.255.255.0'
                  | '255.255.255.128'
                  | '255.255.255.192'
                  | '255.255.255.224'
                  | '255.255.255.240'
                  | '255.255.255.248'
                  | '255.255.255.252'
                  | '255.255.254.0'
                  | '255.255.252.0'
                  | '255.255.248.0'
                  | '255.255.240.0'
                  | '255.255.224.0'
                  | '255.255.192.0'
                  | '255.255.128.0'
                  | '255.255.0.0'
                  | '255.0.0.0';
                gateway: string | null;
                dns?: string[];
              };
        }[];
      };
      answer: { items: LanResult[] };
    };
    /** A new password for the answers to a device’s security questions; wrong ones count as tries */
    '/sites/{siteId}/lan/password-resets': {
      params: { siteId: string };
      body: { boxSerial: string; mac: string; answers: { id: number; answer: string }[]; newPassword: string };
      answer: LanResult;
    };
    /** What a device on the LAN offers for a forgotten password */
    '/sites/{siteId}/lan/questions': {
      params: { siteId: string };
      body: { boxSerial: string; mac: string };
      answer: LanQuestions;
    };
    /** Channels of a recorder that need not be added yet: see, add, correct, remove, sort */
    '/sites/{siteId}/lan/recorder': {
      params: { siteId: string };
      body: {
        boxSerial: string;
        mac: string;
        username?: string;
        password?: string;
        ask:
          | { do: 'read' }
          | {
              do: 'add';
              cameras: {
                address: string;
                port: number;
                protocol: string;
                username?: string;
                mac?: string;
                password?: string;
              }[];
            }
          | { do: 'edit'; channel: number; password: string }
          | { do: 'remove'; channel: number }
          | { do: 'sort'; order: number[]; passwords?: { channel: number; password: string }[] };
      };
      answer: RecorderView;
    };
    /** Set e-mail or security answers of a device that is not added yet; once */
    '/sites/{siteId}/lan/recovery': {
      params: { siteId: string };
      body: {
        boxSerial: string;
        mac: string;
        password?: string;
        recovery: { email: string | null; answers: { id: number; answer: string }[] | null };
      };
      answer: LanResult;
    };
    /** Move devices to another site of the same owner */
    '/sites/{siteId}/move-devices': {
      params: { siteId: string };
      body: {
        devices: { deviceId: string; via?: { boxSerial: string; password: string } | null }[];
        target: { siteId: string } | { name: string; timeZone: string };
      };
      answer: MoveResult;
    };
    /** Invite another company to help at a site */
    '/sites/{siteId}/partners': {
      params: { siteId: string };
      body: {
        stage: 'isp' | 'msp';
        email: string;
        permissions?: ('manage' | 'configure' | 'live' | 'playback')[];
        remark?: string;
      };
      answer: Collaboration;
    };
    /** Ask for permissions of one or several devices, each with its validity */
    '/sites/{siteId}/permission-applications': {
      params: { siteId: string };
      body: {
        items: {
          deviceId?: string | null;
          permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
          validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
        }[];
        remark?: string;
      };
      answer: PermissionApplication;
    };
    /** Give permissions back: they are gone at once */
    '/sites/{siteId}/permissions/release': {
      params: { siteId: string };
      body: {
        items: {
          deviceId?: string | null;
          permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
        }[];
      };
      answer: SitePermissions;
    };
    /** Hand a site over by sharing */
    '/sites/{siteId}/sharing': {
      params: { siteId: string };
      body: {
        mode: 'A' | 'B';
        customers: {
          email?: string | null;
          phone?: string | null;
          name: string;
          remark?: string;
          locale?: 'en' | 'de';
          until?: string | null;
          administrator?: boolean;
          resources?: { deviceId: string; permissions: ('view' | 'live' | 'playback')[] }[];
        }[];
        requests?: {
          permission: 'live' | 'playback';
          validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
          extras?: ('pircam-gif' | 'video-clips')[];
        }[];
      };
      answer: Sharing;
    };
    /** Share several devices with several customers */
    '/sites/{siteId}/sharing/batch': {
      params: { siteId: string };
      body: { deviceIds: string[]; customerIds: string[]; permissions: ('view' | 'live' | 'playback')[] };
      answer: BatchShareResult;
    };
    /** Share a shared site with more customers */
    '/sites/{siteId}/sharing/customers': {
      params: { siteId: string };
      body: {
        customers: {
          email?: string | null;
          phone?: string | null;
          name: string;
          remark?: string;
          locale?: 'en' | 'de';
          until?: string | null;
          administrator?: boolean;
          resources?: { deviceId: string; permissions: ('view' | 'live' | 'playback')[] }[];
        }[];
      };
      answer: Sharing;
    };
    /** Hand a site over to its customer */
    '/sites/{siteId}/transfer': {
      params: { siteId: string };
      body:
        | {
            method: 'email';
            email: string;
            customerName?: string;
            remark?: string;
            locale?: 'en' | 'de';
            requests?: {
              permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
              deviceIds?: string[] | null;
              validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
            }[];
          }
        | {
            method: 'phone';
            phone: string;
            customerName?: string;
            remark?: string;
            locale?: 'en' | 'de';
            requests?: {
              permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
              deviceIds?: string[] | null;
              validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
            }[];
          }
        | {
            method: 'qr';
            customerName?: string;
            remark?: string;
            locale?: 'en' | 'de';
            requests?: {
              permission: 'manage' | 'configure' | 'live' | 'playback' | 'services' | 'system';
              deviceIds?: string[] | null;
              validity: 'permanent' | '1h' | '2h' | '4h' | '8h';
            }[];
          };
      answer: SentTransfer;
    };
    /** Take a handover back that was not accepted yet */
    '/sites/{siteId}/transfer/cancel': { params: { siteId: string }; answer: TransferStatus };
    /** Send a handover again; the former message no longer works */
    '/sites/{siteId}/transfer/resend': { params: { siteId: string }; answer: SentTransfer };
    /** Take a device away from the account that it is added to; it must be on the LAN, and its password known */
    '/sites/{siteId}/unbindings': {
      params: { siteId: string };
      body: { boxSerial: string; mac: string; password: string };
      answer: Unbound;
    };
    /** Upgrade devices; once begun, an upgrade cannot be stopped */
    '/sites/{siteId}/upgrades': {
      params: { siteId: string };
      body: { items: { deviceId: string; firmwareId: string; password?: string }[] };
      answer: UpgradesStarted;
    };
    /** Exchange API key and secret for an access token */
    '/token': { body: { apiKey: string; apiSecret: string }; answer: AccessToken };
  };
  put: {
    /** Change what installers read about the centre, and where it serves */
    '/arc-joining': {
      body: {
        information: {
          contactName: string;
          email: string;
          phone: string;
          website: '' | string;
          address: string;
          certificates: string;
          about: string;
          countries: string[];
        };
      };
      answer: ArcJoining;
    };
    /** Change an output; what waits goes the new way */
    '/arc-outputs/{outputId}': {
      params: { outputId: string };
      body: {
        name: string;
        enabled?: boolean;
        config:
          | {
              kind: 'dc09';
              host: string;
              port: number;
              transport?: 'tcp' | 'udp';
              accounts?: { from: string; to: string }[];
              receiver?: string;
              line?: string;
            }
          | {
              kind: 'mlr2';
              mode: 'server' | 'client';
              host?: string | null;
              port?: number | null;
              peers?: string[];
              receiver?: string;
              line?: string;
              heartbeatS?: number;
              accounts?: { from: string; to: string }[];
              otherAccount?: string;
            }
          | { kind: 'webhook'; url: string }
          | { kind: 'pull' };
        key?: string;
        repeats?: boolean;
      };
      answer: ReceiverOutput;
    };
    /** Change a receiver; every account there follows, on every box */
    '/arc-receivers/{receiverId}': {
      params: { receiverId: string };
      body: {
        transport?: 'tcp' | 'udp';
        protocol?: 'SIA-DCS' | 'ADM-CID';
        supervision?: { kind: 'null' | 'test' | 'off'; intervalMs: number };
        periodicTest?: { intervalMs: number; atMinute?: number | null } | null;
        ackTimeoutMs?: number;
        attempts?: number;
        codes?: {
          type:
            | 'motion'
            | 'lineCrossing'
            | 'intrusion'
            | 'regionEntrance'
            | 'regionExiting'
            | 'tamper'
            | 'videoLoss'
            | 'alarmInput'
            | 'pirDetected'
            | 'faceDetection'
            | 'zoneAlarm'
            | 'panic'
            | 'duress'
            | 'fire'
            | 'gas'
            | 'waterLeak'
            | 'temperature'
            | 'medical'
            | 'zoneBypassed'
            | 'areaArmedAway'
            | 'areaArmedStay'
            | 'areaDisarmed'
            | 'armFailed'
            | 'panelTamper'
            | 'deviceTamper'
            | 'mainsFail'
            | 'batteryLow'
            | 'panelFault'
            | 'panelTest'
            | 'networkDisconnected'
            | 'doorOpened'
            | 'doorForced'
            | 'doorHeldOpen'
            | 'doorUnlocked'
            | 'call'
            | 'fallDetected'
            | 'outOfBed'
            | 'heartRateHigh'
            | 'heartRateLow'
            | 'respirationHigh'
            | 'respirationLow'
            | 'presence'
            | 'diskError'
            | 'diskFull'
            | 'illegalLogin'
            | 'deviceOffline'
            | 'boxRestarted'
            | 'eventsLost'
            | 'clipLost'
            | 'other';
          cid?: string;
          sia?: string;
          siaEnd?: string | null;
        }[];
        extended?: { blocks?: number; text?: boolean; picture?: boolean; path?: boolean };
        partition?: number;
        ownLine?: { enabled?: boolean; line?: string };
        name: string;
        kind?: 'external' | 'hosted';
        direct?: { host: string; port: number };
        relay?: { host: string; port: number };
        key?: string | null;
        keyFormat?: 'hex' | 'characters';
      };
      answer: ArcReceiver;
    };
    /** Change a sender */
    '/arc-senders/{senderId}': {
      params: { senderId: string };
      body: {
        receiverId: string;
        account: string;
        name: string;
        key?: string | null;
        keyFormat?: 'hex' | 'characters';
        localTime?: boolean;
        supervisionS?: number | null;
      };
      answer: ReceiverSender;
    };
    /** Change an account */
    '/arc/{accountId}': {
      params: { accountId: string };
      body: {
        boxSerial: string;
        receiverId: string;
        account: string;
        protocol: 'SIA-DCS' | 'ADM-CID';
        key?: string | null;
        keyFormat?: 'hex' | 'characters';
        mode?: 'direct-or-relay' | 'relay';
        events: (
          | 'motion'
          | 'lineCrossing'
          | 'intrusion'
          | 'regionEntrance'
          | 'regionExiting'
          | 'tamper'
          | 'videoLoss'
          | 'alarmInput'
          | 'pirDetected'
          | 'faceDetection'
          | 'zoneAlarm'
          | 'panic'
          | 'duress'
          | 'fire'
          | 'gas'
          | 'waterLeak'
          | 'temperature'
          | 'medical'
          | 'zoneBypassed'
          | 'areaArmedAway'
          | 'areaArmedStay'
          | 'areaDisarmed'
          | 'armFailed'
          | 'panelTamper'
          | 'deviceTamper'
          | 'mainsFail'
          | 'batteryLow'
          | 'panelFault'
          | 'panelTest'
          | 'networkDisconnected'
          | 'doorOpened'
          | 'doorForced'
          | 'doorHeldOpen'
          | 'doorUnlocked'
          | 'call'
          | 'fallDetected'
          | 'outOfBed'
          | 'heartRateHigh'
          | 'heartRateLow'
          | 'respirationHigh'
          | 'respirationLow'
          | 'presence'
          | 'diskError'
          | 'diskFull'
          | 'illegalLogin'
          | 'deviceOffline'
          | 'boxRestarted'
          | 'eventsLost'
          | 'clipLost'
          | 'other'
        )[];
        zones?: { deviceId: string; channel: number | null; zone: number }[];
        supervision?: { kind: 'null' | 'test' | 'off'; intervalMs: number };
      };
      answer: ArcAccount;
    };
    /** Change the account number of a device, at once */
    '/arc/services/{serviceId}/account': {
      params: { serviceId: string };
      body: { account: string };
      answer: ArcService;
    };
    /** Choose how alarms of a device come: directly with the relay as reserve, or through the relay */
    '/arc/services/{serviceId}/connection': {
      params: { serviceId: string };
      body: { mode: 'direct-or-relay' | 'relay' };
      answer: ArcService;
    };
    /** Change how much of its uplink and its disk a box may spend on footage */
    '/boxes/{serial}/upload-settings': {
      params: { serial: string };
      body: {
        uploadKbps?: number | null;
        diskBytes?: number | null;
        window?: { fromMinute: number; toMinute: number } | null;
      };
      answer: UploadSettings;
    };
    /** Change name, address and phone of my company */
    '/company': { body: { name: string; address: string; phone: '' | string }; answer: Company };
    /** Hand the administrator’s place over to an employee */
    '/company/administrator': { body: { userId: string; password: string }; answer: SignedIn };
    /** Set or forget the default password and the default verification code of new devices */
    '/company/device-defaults': {
      body: { password?: string | null; verificationCode?: string | null };
      answer: { password: boolean; verificationCode: boolean };
    };
    /** Change account number, key, clock or supervision of an alarm panel */
    '/devices/{deviceId}/alarm-panel': {
      params: { deviceId: string };
      body: {
        account: string;
        key?: string | null;
        keyFormat?: 'hex' | 'characters';
        localTime: boolean;
        supervisionMs: number | null;
      };
      answer: undefined;
    };
    /** Accept the certificate that a device shows now */
    '/devices/{deviceId}/certificate': {
      params: { deviceId: string };
      body: { certificate: string; old: boolean; httpPort: number };
      answer: Device;
    };
    /** Enter user name and password again; the box tries them once */
    '/devices/{deviceId}/credentials': {
      params: { deviceId: string };
      body: { username: string; password: string };
      answer: Device;
    };
    /** Link a camera of the same site to a radar, in place of the one before */
    '/devices/{deviceId}/linked-camera': {
      params: { deviceId: string };
      body: { cameraId: string; channel: number };
      answer: undefined;
    };
    /** Change the password of a device; its box goes on with the new one */
    '/devices/{deviceId}/password': {
      params: { deviceId: string };
      body: { oldPassword?: string; newPassword: string };
      answer: DevicePasswordChanged;
    };
    /** Ask everybody for a verification code before they see the device’s pictures, or no more */
    '/devices/{deviceId}/picture-lock': {
      params: { deviceId: string };
      body: { code: string | null };
      answer: undefined;
    };
    /** Change settings of a device */
    '/devices/{deviceId}/settings/{section}': {
      params: { deviceId: string; section: string };
      query?: { channel?: number; stream?: number };
      body: { set: Record<string, string | number | boolean | null | [number, number][][]> };
      answer: DeviceSettingsWritten;
    };
    /** Change my password */
    '/me/password': { body: { password: string; newPassword: string }; answer: SignedIn };
    /** Change my name and language */
    '/me/profile': { body: { name: string; locale: 'en' | 'de' }; answer: Profile };
    /** Mark one of my notifications read or unread */
    '/notifications/{notificationId}/read': {
      params: { notificationId: string };
      body: { read: boolean };
      answer: Notification;
    };
    /** Choose on which ways I am told */
    '/notifications/settings': { body: NotificationSettings; answer: NotificationSettings };
    /** Approve a centre, reject it, or take it off the list */
    '/operator/arcs/{companyId}/decision': {
      params: { companyId: string };
      body: { approved: true } | { approved: false; reason: string };
      answer: ArcApplication;
    };
    /** Approve or reject the authentication that a company asked for */
    '/operator/companies/{companyId}/decision': {
      params: { companyId: string };
      body: { approved: true } | { approved: false; reason: string };
      answer: OperatorCompanyDetail;
    };
    /** Suspend a company, or let it go on */
    '/operator/companies/{companyId}/suspended': {
      params: { companyId: string };
      body: { suspended: boolean };
      answer: OperatorCompanyDetail;
    };
    /** Put a file in the place of the whole compatibility list */
    '/operator/compatibility': { body: { csv: string }; answer: ImportedCompat };
    /** Enable or disable an employee’s account */
    '/people/{userId}/enabled': { params: { userId: string }; body: { enabled: boolean }; answer: Person };
    /** Remove an employee’s account limit, or set it again */
    '/people/{userId}/limited': { params: { userId: string }; body: { limited: boolean }; answer: Person };
    /** Give a person these roles */
    '/people/{userId}/roles': { params: { userId: string }; body: { roles: string[] }; answer: Person };
    /** Change a receiver; every box with an account there follows */
    '/receivers/{receiverId}': {
      params: { receiverId: string };
      body: {
        name: string;
        direct: { host: string; port: number };
        relay: { host: string; port: number };
        transport?: 'tcp' | 'udp';
      };
      answer: Receiver;
    };
    /** Change a role, for everybody who has it, at once */
    '/roles/{roleId}': {
      params: { roleId: string };
      body: {
        name: string;
        permissions: (
          | 'manage-all-sites'
          | 'manage-assigned-sites'
          | 'manage-accounts'
          | 'manage-devices'
          | 'configure-devices'
          | 'live-view'
          | 'playback'
        )[];
      };
      answer: Role;
    };
    /** Change a customer who has not accepted yet (mode A) */
    '/share-customers/{shareId}': {
      params: { shareId: string };
      body: {
        email?: string | null;
        phone?: string | null;
        name: string;
        remark?: string;
        locale?: 'en' | 'de';
        until?: string | null;
      };
      answer: Sharing;
    };
    /** What one customer may use, and until when */
    '/share-customers/{shareId}/card': {
      params: { shareId: string };
      body: { resources: { deviceId: string; permissions: ('view' | 'live' | 'playback')[] }[]; until: string | null };
      answer: Sharing;
    };
    /** Rename a group */
    '/site-groups/{groupId}': { params: { groupId: string }; body: { name: string }; answer: SiteGroup };
    /** Authorise a personal site to one centre of the list */
    '/sites/{siteId}/arc-service': { params: { siteId: string }; body: { arcId: string }; answer: SiteArc };
    /** Enable the ARC service of a device; nothing reaches the centre before it accepts */
    '/sites/{siteId}/arc-service/devices/{deviceId}': {
      params: { siteId: string; deviceId: string };
      body: {
        account: string;
        events: (
          | 'motion'
          | 'lineCrossing'
          | 'intrusion'
          | 'regionEntrance'
          | 'regionExiting'
          | 'tamper'
          | 'videoLoss'
          | 'alarmInput'
          | 'pirDetected'
          | 'faceDetection'
          | 'zoneAlarm'
          | 'panic'
          | 'duress'
          | 'fire'
          | 'gas'
          | 'waterLeak'
          | 'temperature'
          | 'medical'
          | 'zoneBypassed'
          | 'areaArmedAway'
          | 'areaArmedStay'
          | 'areaDisarmed'
          | 'armFailed'
          | 'panelTamper'
          | 'deviceTamper'
          | 'mainsFail'
          | 'batteryLow'
          | 'panelFault'
          | 'panelTest'
          | 'networkDisconnected'
          | 'doorOpened'
          | 'doorForced'
          | 'doorHeldOpen'
          | 'doorUnlocked'
          | 'call'
          | 'fallDetected'
          | 'outOfBed'
          | 'heartRateHigh'
          | 'heartRateLow'
          | 'respirationHigh'
          | 'respirationLow'
          | 'presence'
          | 'diskError'
          | 'diskFull'
          | 'illegalLogin'
          | 'deviceOffline'
          | 'boxRestarted'
          | 'eventsLost'
          | 'clipLost'
          | 'other'
        )[];
        media?: { picture: boolean; clip: boolean };
        offlineDelayMs?: number | null;
      };
      answer: SiteArc;
    };
    /** Change until when somebody manages a site; `until` null is Lifetime */
    '/sites/{siteId}/managers/{userId}': {
      params: { siteId: string; userId: string };
      body: { until: string | null };
      answer: { items: SiteManager[] };
    };
  };
  patch: {
    /** Let test mode last so many minutes from now */
    '/arc-desk/accounts/{accountId}/test-mode': {
      params: { accountId: string };
      body: { minutes: number };
      answer: DeskTest;
    };
    /** Change the name of a device, or what its clips are recorded for */
    '/devices/{deviceId}': {
      params: { deviceId: string };
      body: {
        name?: string;
        recordOn?: (
          | 'motion'
          | 'lineCrossing'
          | 'intrusion'
          | 'regionEntrance'
          | 'regionExiting'
          | 'tamper'
          | 'videoLoss'
          | 'alarmInput'
          | 'pirDetected'
          | 'faceDetection'
          | 'zoneAlarm'
          | 'panic'
          | 'duress'
          | 'fire'
          | 'gas'
          | 'waterLeak'
          | 'temperature'
          | 'medical'
          | 'zoneBypassed'
          | 'areaArmedAway'
          | 'areaArmedStay'
          | 'areaDisarmed'
          | 'armFailed'
          | 'panelTamper'
          | 'deviceTamper'
          | 'mainsFail'
          | 'batteryLow'
          | 'panelFault'
          | 'panelTest'
          | 'networkDisconnected'
          | 'doorOpened'
          | 'doorForced'
          | 'doorHeldOpen'
          | 'doorUnlocked'
          | 'call'
          | 'fallDetected'
          | 'outOfBed'
          | 'heartRateHigh'
          | 'heartRateLow'
          | 'respirationHigh'
          | 'respirationLow'
          | 'presence'
          | 'diskError'
          | 'diskFull'
          | 'illegalLogin'
          | 'deviceOffline'
          | 'boxRestarted'
          | 'eventsLost'
          | 'clipLost'
          | 'other'
        )[];
      };
      answer: Device;
    };
    /** Switch the cloud storage of a channel, or change what is recorded */
    '/devices/{deviceId}/channels/{channel}/cloud': {
      params: { deviceId: string; channel: string };
      body: {
        enabled?: boolean;
        mode?: 'event' | 'continuous' | 'both';
        stream?: 'main' | 'sub' | 'adaptive';
        definition?: string | null;
        triggers?: ('motion' | 'intrusion' | 'lineCrossing')[];
        audio?: boolean;
      };
      answer: CloudChannel;
    };
    /** Change a site */
    '/sites/{siteId}': {
      params: { siteId: string };
      body: {
        name?: string;
        syncTime?: boolean;
        scene?: string;
        address?: string;
        city?: string;
        region?: string;
        country?: string;
        latitude?: number | null;
        longitude?: number | null;
        remark?: string;
        timeZone?: unknown;
      };
      answer: Site;
    };
    /** Later candidates of a direct live view */
    '/viewings/{viewId}': { params: { viewId: string }; answer: undefined };
  };
  delete: {
    /** End test mode */
    '/arc-desk/accounts/{accountId}/test-mode': { params: { accountId: string }; answer: undefined };
    /** Remove an output, with what waits for it */
    '/arc-outputs/{outputId}': { params: { outputId: string }; answer: undefined };
    /** Remove a receiver that no account ever used */
    '/arc-receivers/{receiverId}': { params: { receiverId: string }; answer: undefined };
    /** Take a sender away: nothing of it is taken any more */
    '/arc-senders/{senderId}': { params: { senderId: string }; answer: undefined };
    /** Remove an account; its alarms stay listed */
    '/arc/{accountId}': { params: { accountId: string }; answer: undefined };
    /** Delete a clip for good */
    '/clips/{clipId}': { params: { clipId: string }; answer: undefined };
    /** Take a shared link back */
    '/clips/{clipId}/shares/{clipShareId}': { params: { clipId: string; clipShareId: string }; answer: undefined };
    /** Take a device away; its events and clips stay */
    '/devices/{deviceId}': { params: { deviceId: string }; answer: undefined };
    /** Unlink the camera of a radar */
    '/devices/{deviceId}/linked-camera': { params: { deviceId: string }; answer: undefined };
    /** Close the device’s own page, with all that is open in it */
    '/devices/{deviceId}/remote-sessions/{remoteSessionId}': {
      params: { deviceId: string; remoteSessionId: string };
      answer: undefined;
    };
    /** Withdraw an invitation: its link is no longer valid */
    '/employee-invitations/{employeeInvitationId}': { params: { employeeInvitationId: string }; answer: undefined };
    /** End an API key at once */
    '/keys/{keyId}': { params: { keyId: string }; answer: undefined };
    /** Take my phone number away */
    '/me/phone': { answer: undefined };
    /** End all my sessions but this one */
    '/me/sessions': { answer: undefined };
    /** End one of my sessions, and what it has open */
    '/me/sessions/{sessionId}': { params: { sessionId: string }; answer: undefined };
    /** Send no more push messages to one of my browsers */
    '/notifications/push/{subscriptionId}': { params: { subscriptionId: string }; answer: undefined };
    /** Take a package away; what is being installed from it at the moment may fail */
    '/operator/firmware/{firmwareId}': { params: { firmwareId: string }; answer: undefined };
    /** Remove an employee: the account and its personal data are deleted */
    '/people/{userId}': { params: { userId: string }; answer: undefined };
    /** Delete a role that nobody has */
    '/roles/{roleId}': { params: { roleId: string }; answer: undefined };
    /** Delete a group; its sites stay, in no group */
    '/site-groups/{groupId}': { params: { groupId: string }; answer: undefined };
    /** Delete a site */
    '/sites/{siteId}': { params: { siteId: string }; answer: undefined };
    /** Withdraw a site from its centre; every service of it ends */
    '/sites/{siteId}/arc-service': { params: { siteId: string }; answer: undefined };
    /** Turn the ARC service of a device off */
    '/sites/{siteId}/arc-service/devices/{deviceId}': {
      params: { siteId: string; deviceId: string };
      answer: undefined;
    };
    /** End an assignment */
    '/sites/{siteId}/managers/{userId}': { params: { siteId: string; userId: string }; answer: undefined };
    /** Cancel the sharing with every customer */
    '/sites/{siteId}/sharing': { params: { siteId: string }; answer: undefined };
    /** End a direct live view */
    '/viewings/{viewId}': { params: { viewId: string }; answer: undefined };
  };
}
