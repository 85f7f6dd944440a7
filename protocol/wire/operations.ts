import { z } from 'zod';
import type { DevicePermission } from './rights.ts';

/*
 * What a device can do, and doing it. The box's API, asked through the tunnel; the portal's API has the same shapes under
 * `/api/v1/devices/{deviceId}/…`.
 *
 *   GET  /v1/devices/{id}/capabilities                          → DeviceCapabilities
 *   GET  /v1/devices/{id}/settings/{section}?channel=&stream=   → Settings
 *   PUT  /v1/devices/{id}/settings/{section}?channel=&stream=   SettingsChange → SettingsWritten
 *   GET  /v1/devices/{id}/lists/{list}?channel=                 → DeviceListing
 *   POST /v1/devices/{id}/actions          DeviceAction         → ActionDone
 *
 * Settings are told as fields that describe themselves, because what a device has differs from model to model: a page
 * shows what is there and nothing else (CHAN-02).
 */

/** 1-based video channel; null or absent: the device as a whole. `stream`: 1 main, 2 sub, 3 third. */
export const Target = z.object({
  channel: z.coerce.number().int().min(1).max(9999).optional(),
  stream: z.coerce.number().int().min(1).max(4).optional(),
});
export type Target = z.infer<typeof Target>;

export const SECTIONS = [
  // of a channel
  'video',
  'picture',
  'osd',
  'backlight',
  'privacyMask',
  'motion',
  'intrusion',
  'lineCrossing',
  'channel',
  // of the device
  'network',
  'ports',
  'time',
  'ddns',
  'platform',
  'onvif',
  'passwordRecovery',
  'device',
  'panel',
  'alarmReceiver',
  'intercom',
  'radar',
  'speaker',
  'switch',
] as const;
export const Section = z.enum(SECTIONS);
export type Section = z.infer<typeof Section>;

export const LISTS = [
  'presets',
  'patrols',
  'patterns',
  'disks',
  'users',
  'recorderChannels',
  /** Cameras that a recorder finds by itself. */
  'camerasSeen',
  'alarmInputs',
  'alarmOutputs',
  'doors',
  'areas',
  'zones',
  'peripherals',
  'faults',
  'audioFiles',
  'switchPorts',
  'neighbours',
] as const;
export const ListName = z.enum(LISTS);
export type ListName = z.infer<typeof ListName>;

const Value = z.union([z.string().max(2048), z.number(), z.boolean(), z.null()]);
/** Corners in parts of the picture's width and height, from its upper left. */
export const Region = z
  .array(z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]))
  .min(2)
  .max(16);
export type Region = z.infer<typeof Region>;
export const FieldValue = z.union([Value, z.array(Region).max(32)]);
export type FieldValue = z.infer<typeof FieldValue>;

const fieldBase = {
  /** The field's own standard word in camelCase; pages name it by `operations.field.{name}`. */
  name: z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/),
  readOnly: z.literal(true).optional(),
};
/** One setting with what it may be. A value of null: the device does not say. */
export const SettingField = z.discriminatedUnion('kind', [
  z.object({ ...fieldBase, kind: z.literal('boolean'), value: z.boolean().nullable() }),
  z.object({
    ...fieldBase,
    kind: z.literal('number'),
    value: z.number().nullable(),
    min: z.number().nullable(),
    max: z.number().nullable(),
    /** `fps`, `kbit/s`, `s`, `ms`, `%`, …; null: a bare number. */
    unit: z.string().max(12).nullable(),
  }),
  z.object({
    ...fieldBase,
    kind: z.literal('choice'),
    value: z.string().max(64).nullable(),
    options: z.array(z.string().max(64)).max(256),
  }),
  z.object({ ...fieldBase, kind: z.literal('text'), value: z.string().max(256).nullable(), maxLength: z.int() }),
  /** Can be written and is never shown. `set`: whether there is one, where the device says. */
  z.object({ ...fieldBase, kind: z.literal('secret'), set: z.boolean().nullable(), maxLength: z.int() }),
  /** Times of a week: `1 08:00-18:00, 2 00:00-24:00` (week.ts); 1 is Monday. */
  z.object({ ...fieldBase, kind: z.literal('week'), value: z.string().max(1024).nullable(), maxRanges: z.int() }),
  z.object({ ...fieldBase, kind: z.literal('regions'), value: z.array(Region).max(32), maxRegions: z.int() }),
  /** Of two points each. */
  z.object({ ...fieldBase, kind: z.literal('lines'), value: z.array(Region).max(32), maxLines: z.int() }),
]);
export type SettingField = z.infer<typeof SettingField>;

export const Settings = z.object({ fields: z.array(SettingField).max(64) });
export type Settings = z.infer<typeof Settings>;
/** Only what is to change, by field name. */
export const SettingsChange = z.object({
  set: z.record(z.string().max(40), FieldValue).refine((set) => Object.keys(set).length <= 64, 'too many fields'),
});
export type SettingsChange = z.infer<typeof SettingsChange>;
/** What the device says after the change (it was read back), and what it took without keeping. */
export const SettingsWritten = Settings.extend({
  notKept: z.array(z.object({ name: z.string(), wanted: FieldValue, is: FieldValue })).max(64),
  rebootRequired: z.boolean(),
});
export type SettingsWritten = z.infer<typeof SettingsWritten>;

/** `values`: names as in fields, told by `operations.field.{name}`. */
export const DeviceListItem = z.object({
  id: z.string().max(64),
  name: z.string().max(128),
  values: z.record(z.string().max(40), Value),
});
export type DeviceListItem = z.infer<typeof DeviceListItem>;
export const DeviceListing = z.object({ items: z.array(DeviceListItem).max(1024) });
export type DeviceListing = z.infer<typeof DeviceListing>;

const n = (max: number) => z.int().min(0).max(max);
const channel = z.int().min(1).max(9999);
const speed = z.number().min(-1).max(1);
const Password = z.string().min(1).max(128);
const action = <N extends string, S extends z.ZodRawShape>(name: N, shape: S) =>
  z.strictObject({ action: z.literal(name), ...shape });

/** Everything that can be done to a device at once. Area 0 = all areas; zone and area numbers are the panel's own. */
export const DeviceAction = z.discriminatedUnion('action', [
  /** Moves until `ptzStop`, or for `ms`; the box stops it after 10 s in any case. */
  action('ptzMove', { channel, pan: speed, tilt: speed, zoom: speed, ms: z.int().min(50).max(10_000).optional() }),
  action('ptzStop', { channel }),
  action('ptzHome', { channel }),
  action('focus', { channel, speed, ms: z.int().min(50).max(10_000).optional() }),
  action('presetCall', { channel, preset: z.string().min(1).max(64) }),
  action('presetSet', { channel, preset: z.string().max(64).nullable(), name: z.string().min(1).max(64) }),
  action('presetDelete', { channel, preset: z.string().min(1).max(64) }),
  action('patrolStart', { channel, patrol: n(255) }),
  action('patrolStop', { channel, patrol: n(255) }),
  action('patternRun', { channel, pattern: n(255) }),
  action('patternStop', { channel, pattern: n(255) }),
  action('privacyMaskOn', { channel }),
  action('privacyMaskOff', { channel }),
  action('alarmOutput', { output: z.string().min(1).max(64), active: z.boolean() }),
  action('doorOpen', { door: n(65_535) }),
  action('doorRemainOpen', { door: n(65_535) }),
  action('doorRemainClosed', { door: n(65_535) }),
  action('doorResume', { door: n(65_535) }),
  action('areaArmAway', { area: n(64), force: z.boolean().optional() }),
  action('areaArmStay', { area: n(64), force: z.boolean().optional() }),
  action('areaDisarm', { area: n(64) }),
  action('areaSilence', { area: n(64) }),
  action('zoneBypass', { zone: n(9999) }),
  action('zoneUnbypass', { zone: n(9999) }),
  action('walkTestStart', {}),
  action('walkTestStop', {}),
  action('play', { file: z.string().min(1).max(64), volume: n(100).optional() }),
  action('reboot', {}),
  /** `basic` keeps network and users. */
  action('restore', { mode: z.enum(['basic', 'full']) }),
  /** `confirm`: the disk's name, because what is on it is gone. */
  action('diskFormat', { disk: z.string().min(1).max(64), confirm: z.string().max(128) }),
  action('syncTime', { timeZone: z.string().max(64) }),
  action('channelAdd', {
    address: z.string().min(1).max(64),
    port: z.int().min(1).max(65_535),
    protocol: z.string().min(1).max(32),
    username: z.string().min(1).max(64),
    password: Password,
  }),
  action('channelEdit', {
    channel,
    name: z.string().min(1).max(64).optional(),
    address: z.string().min(1).max(64).optional(),
    port: z.int().min(1).max(65_535).optional(),
    username: z.string().min(1).max(64).optional(),
    /** Recorders forget the camera's password at every change, so it is part of each. */
    password: Password,
  }),
  action('channelDelete', { channel }),
  /** The channels in their new order. */
  action('channelsSort', { order: z.array(channel).min(1).max(256), password: Password.optional() }),
  action('portRestart', { port: n(128) }),
]);
export type DeviceAction = z.infer<typeof DeviceAction>;
export type ActionName = DeviceAction['action'];
export const ACTIONS = DeviceAction.options.map((o) => o.shape.action.value) as [ActionName, ...ActionName[]];

/** Who watches may also turn the camera, to where it was told to go before; everything else changes the device. */
const WATCHING: ReadonlySet<string> = new Set<ActionName | ListName>([
  'ptzMove',
  'ptzStop',
  'ptzHome',
  'focus',
  'presets',
  'presetCall',
  'patrols',
  'patrolStart',
  'patrolStop',
]);
/** What a person must hold on the device for an action, or to read a list. Settings need `configure`. */
export const permissionFor = (what: ActionName | ListName): DevicePermission =>
  WATCHING.has(what) ? 'live' : 'configure';

export const ActionDone = z.object({
  /** The device takes it and works on it; it may be gone for a while. */
  pending: z.boolean(),
  /** What the device said beyond yes; for a person. */
  text: z.string().max(512).nullable(),
});
export type ActionDone = z.infer<typeof ActionDone>;

/** What can set off a linkage (table 4-4) and what a linkage can do there (table 4-5). */
export const RESOURCE_KINDS = [
  'camera',
  'accessController',
  'door',
  'doorStation',
  'doorbell',
  'area',
  'zone',
  'alarmInput',
  'alarmOutput',
  'radar',
  'speaker',
] as const;
export const Resource = z.object({
  kind: z.enum(RESOURCE_KINDS),
  /** Unique within kind and device: channel, door, area, zone, input or output number. */
  id: z.string().max(64),
  name: z.string().max(128),
  /** Event types (protocol/wire/event.ts) that it can cause. */
  triggers: z.array(z.string().max(40)).max(32),
  /** Actions of {@link DeviceAction}; `capture` and `record` are the box's own. */
  actions: z.array(z.enum(['capture', 'record', ...ACTIONS])).max(32),
});
export type Resource = z.infer<typeof Resource>;

export const DEVICE_CATEGORIES = [
  'camera',
  'ptzCamera',
  'thermalCamera',
  'nvr',
  'dvr',
  'doorStation',
  'doorbell',
  'indoorStation',
  'accessController',
  'panel',
  'radar',
  'speaker',
  'switch',
  'other',
] as const;
export const DeviceCategory = z.enum(DEVICE_CATEGORIES);
export type DeviceCategory = z.infer<typeof DeviceCategory>;

const Channels = z.array(z.int().min(1).max(9999)).max(256).nullable();
export const DeviceCapabilities = z.object({
  category: DeviceCategory,
  /** `channels` null: of the device as a whole. */
  sections: z
    .array(z.object({ section: Section, channels: Channels, streams: z.array(z.int()).max(4).optional() }))
    .max(64),
  lists: z.array(z.object({ list: ListName, channels: Channels })).max(32),
  actions: z.array(z.object({ action: z.enum(ACTIONS), channels: Channels })).max(64),
  resources: z.array(Resource).max(2048),
  /** Of the above (section, list or action), what no captured device proves: pages say so. */
  unverified: z.array(z.string().max(40)).max(64),
});
export type DeviceCapabilities = z.infer<typeof DeviceCapabilities>;
