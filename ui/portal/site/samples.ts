import type { Alarm, ArcAccount, Box, Clip, Device, EventItem } from '../../../protocol/wire/api.ts';
import type { ArcPathHealth } from '../../../protocol/wire/uplink.ts';

/* Things for tests, as the relay sends them. */

const SITE = '019ab000-0000-7000-8000-000000000001';
const AT = '2026-11-22T14:00:00.000Z';
export const plus = (ms: number) => new Date(Date.parse(AT) + ms).toISOString();

export const box = (change: Partial<Box> = {}): Box => ({
  serial: '3467ACDEF',
  siteId: SITE,
  state: 'claimed',
  online: true,
  since: AT,
  tunnel: true,
  version: '0.1.0',
  health: null,
  ...change,
});

export const device = (id: string, state: NonNullable<Device['health']>['state'] | null): Device => ({
  id,
  siteId: SITE,
  boxSerial: '3467ACDEF',
  name: `Camera ${id}`,
  kind: 'isapi',
  type: 'encoding',
  accessMode: 'p2p',
  model: 'Turret',
  firmware: 'V1',
  channelCount: 1,
  mac: null,
  serial: null,
  host: '192.0.2.64',
  httpPort: 80,
  certificate: null,
  oldTls: false,
  username: 'admin',
  health: state && { id, state, since: AT, model: null, firmware: null, serial: null, channels: [] },
});

export const account = (
  health: Partial<ArcPathHealth> | null,
  mode: ArcAccount['mode'] = 'direct-or-relay',
): ArcAccount => ({
  id: 'account',
  siteId: SITE,
  boxSerial: '3467ACDEF',
  receiverId: 'receiver',
  receiverName: 'North',
  arcId: null,
  account: '001234',
  protocol: 'SIA-DCS',
  encrypted: false,
  mode,
  events: ['motion'],
  zones: [],
  supervision: { kind: 'test', intervalMs: 86_400_000 },
  health: health && {
    accountId: 'account',
    path: 'direct',
    since: AT,
    direct: 'up',
    relay: 'unknown',
    second: 'absent',
    waiting: 0,
    ...health,
  },
});

export const alarm = (change: Partial<Alarm> = {}): Alarm => ({
  id: 'alarm',
  eventId: 'event',
  kind: 'alarm',
  origin: 'box',
  accountId: 'account',
  account: '001234',
  receiverId: 'receiver',
  protocol: 'SIA-DCS',
  code: 'BA',
  zone: '1',
  sequence: 7,
  state: 'acknowledged',
  path: 'direct',
  log: [],
  tries: 1,
  occurredAt: AT,
  queuedAt: plus(14),
  acknowledgedAt: plus(196),
  possibleRepeat: false,
  reason: null,
  siteId: SITE,
  deviceId: null,
  receiverName: 'North',
  ...change,
});

export const event = (id: string, change: Partial<EventItem> = {}): EventItem => ({
  id,
  siteId: SITE,
  boxSerial: '3467ACDEF',
  type: 'motion',
  deviceId: null,
  deviceName: 'Yard',
  channel: 1,
  occurredAt: AT,
  receivedAt: plus(80),
  endedAt: null,
  text: null,
  sourceRef: null,
  clip: null,
  alarms: [],
  ...change,
});

export const clip = (change: Partial<Clip> = {}): Clip => ({
  id: 'clip',
  deviceId: 'd1',
  channel: 1,
  kind: 'event',
  stream: 'main',
  twinId: null,
  keyId: null,
  audioCodec: null,
  gaps: [],
  expiresAt: null,
  eventIds: ['event'],
  startedAt: plus(-5_000),
  preRollMs: 5_000,
  durationMs: 12_000,
  codec: 'avc1.64001f',
  width: 1280,
  height: 720,
  fragments: null,
  reason: null,
  siteId: SITE,
  state: 'recording',
  storedFragments: 6,
  sizeBytes: 1_000_000,
  ...change,
});
