// Written by `npm run client` from the relay's OpenAPI document. Do not edit.

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
  path: 'direct' | 'relay' | null;
  tries: number;
  occurredAt: string;
  queuedAt: string;
  acknowledgedAt: string | null;
  possibleRepeat: boolean;
  reason: string | null;
  siteId: string;
  deviceId: string | null;
  receiverName: string;
};
export type ArcAccount = {
  id: string;
  siteId: string;
  boxSerial: string;
  receiverId: string;
  receiverName: string;
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
    path: 'direct' | 'relay' | 'none';
    since: string;
    direct: 'up' | 'down' | 'unknown';
    relay: 'up' | 'down' | 'unknown';
    waiting: number;
  } | null;
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
      path: 'direct' | 'relay' | 'none';
      since: string;
      direct: 'up' | 'down' | 'unknown';
      relay: 'up' | 'down' | 'unknown';
      waiting: number;
    }[];
    warnables: { code: string; subject: string; severity: 'info' | 'warning' | 'error'; text: string; since: string }[];
  } | null;
};
export type Device = {
  id: string;
  siteId: string;
  boxSerial: string;
  name: string;
  kind: 'isapi';
  mac: string | null;
  serial: string | null;
  host: string;
  httpPort: number;
  username: string;
  health: {
    id: string;
    state: 'connecting' | 'online' | 'offline' | 'refused' | 'locked' | 'notActivated';
    since: string;
    model: string | null;
    firmware: string | null;
    serial: string | null;
    channels: {
      channel: number;
      name: string;
      video: 'none' | 'connecting' | 'streaming' | 'stalled' | 'refused';
      codec: string | null;
      keyFrameIntervalMs: number | null;
    }[];
  } | null;
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
    boxSerial: string;
  }[];
  unreachable: string[];
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
    eventIds: string[];
    startedAt: string;
    preRollMs: number;
    durationMs: number;
    codec: string;
    width: number;
    height: number;
    fragments: number | null;
    reason: string | null;
    siteId: string;
    state: 'recording' | 'uploading' | 'complete' | 'incomplete';
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
    path: 'direct' | 'relay' | null;
    tries: number;
    occurredAt: string;
    queuedAt: string;
    acknowledgedAt: string | null;
    possibleRepeat: boolean;
    reason: string | null;
    siteId: string;
    deviceId: string | null;
    receiverName: string;
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
  clip: { id: string; state: 'recording' | 'uploading' | 'complete' | 'incomplete'; durationMs: number } | null;
  alarms: {
    id: string;
    state: 'waiting' | 'acknowledged' | 'failed';
    kind: 'alarm' | 'restore' | 'test';
    path: 'direct' | 'relay' | null;
    tries: number;
    occurredAt: string;
    acknowledgedAt: string | null;
  }[];
};
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  errors?: { path: string; message: string }[];
};
export type Receiver = {
  id: string;
  name: string;
  direct: { host: string; port: number };
  relay: { host: string; port: number };
  transport: 'tcp' | 'udp';
};
export type Site = {
  id: string;
  name: string;
  timeZone: string;
  deviceCount: number;
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

/** By method, then by path below /api/v1. An `answer` that is `never` is no JSON: make its address with `address()`. */
export interface Routes {
  get: {
    /** Who is signed in */
    '/auth/me': { answer: { userId: string; email: string; name: string; company: { id: string; name: string } } };
    /** A clip and how much of it has arrived */
    '/clips/{clipId}': {
      params: { clipId: string };
      answer: {
        id: string;
        deviceId: string;
        channel: number;
        eventIds: string[];
        startedAt: string;
        preRollMs: number;
        durationMs: number;
        codec: string;
        width: number;
        height: number;
        fragments: number | null;
        reason: string | null;
        siteId: string;
        state: 'recording' | 'uploading' | 'complete' | 'incomplete';
        storedFragments: number;
        sizeBytes: number;
      };
    };
    /** The clip as MP4, by range; while it arrives, what is there so far */
    '/clips/{clipId}/video': { params: { clipId: string }; query?: { download?: string }; answer: never };
    /** A picture of now */
    '/devices/{deviceId}/snapshot': { params: { deviceId: string }; query?: { channel?: number }; answer: never };
    /** One event with its clip and what became of its alarms */
    '/events/{eventId}': { params: { eventId: string }; answer: EventDetail };
    /** Receivers that the company has entered */
    '/receivers': { answer: { items: Receiver[] } };
    /** Sites in reach */
    '/sites': { answer: { items: Site[] } };
    /** One site */
    '/sites/{siteId}': { params: { siteId: string }; answer: Site };
    /** Messages to alarm receiving centres, newest first, each with its path, tries and times */
    '/sites/{siteId}/alarms': {
      params: { siteId: string };
      query?: { limit?: number; cursor?: string };
      answer: { items: Alarm[]; nextCursor: string | null };
    };
    /** Accounts of a site at receivers, with the path each uses now */
    '/sites/{siteId}/arc': { params: { siteId: string }; answer: { items: ArcAccount[] } };
    /** Boxes of a site */
    '/sites/{siteId}/boxes': { params: { siteId: string }; answer: { items: Box[] } };
    /** Devices of a site */
    '/sites/{siteId}/devices': { params: { siteId: string }; answer: { items: Device[] } };
    /** Devices that the boxes of a site see on their LANs */
    '/sites/{siteId}/discovery': { params: { siteId: string }; answer: Discovery };
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
          | 'diskError'
          | 'diskFull'
          | 'illegalLogin'
          | 'deviceOffline'
          | 'boxRestarted'
          | 'eventsLost'
          | 'clipLost'
          | 'other';
      };
      answer: { items: EventItem[]; nextCursor: string | null };
    };
    /** What changes at a site, as server-sent events */
    '/sites/{siteId}/stream': { params: { siteId: string }; answer: never };
  };
  post: {
    /** Sign in */
    '/auth/login': {
      body: { email: string; password: string };
      answer: {
        token: string;
        expiresAt: string;
        me: { userId: string; email: string; name: string; company: { id: string; name: string } };
      };
    };
    /** Sign out: the session ends, and what it had open */
    '/auth/logout': { answer: undefined };
    /** Let a box in again whose identity was used twice */
    '/boxes/{serial}/clear-duplicate': { params: { serial: string }; answer: Box };
    /** Revoke a box for good */
    '/boxes/{serial}/revoke': { params: { serial: string }; answer: Box };
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
    /** Make a site */
    '/sites': { body: { name: string; timeZone: string }; answer: Site };
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
    /** Claim a box for a site */
    '/sites/{siteId}/boxes': { params: { siteId: string }; body: { serial: string; code: string }; answer: Box };
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
        password: string;
        recordOn?: (
          | 'motion'
          | 'lineCrossing'
          | 'intrusion'
          | 'regionEntrance'
          | 'regionExiting'
          | 'tamper'
          | 'videoLoss'
          | 'alarmInput'
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
  };
  put: {
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
    /** Enter user name and password again; the box tries them once */
    '/devices/{deviceId}/credentials': {
      params: { deviceId: string };
      body: { username: string; password: string };
      answer: Device;
    };
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
  };
  patch: Record<never, never>;
  delete: {
    /** Remove an account; its alarms stay listed */
    '/arc/{accountId}': { params: { accountId: string }; answer: undefined };
    /** Take a device away; its events and clips stay */
    '/devices/{deviceId}': { params: { deviceId: string }; answer: undefined };
  };
}
