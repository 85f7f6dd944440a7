import { z } from 'zod';
import { AddDevice, Device } from './api.ts';
import { Host } from './ids.ts';
import { DEVICE_TYPES, type DeviceType } from './rights.ts';

/* Ways to add devices, and which device can come which way (Hik-Partner Pro manual, tables 3-5 and 3-6). */

export const ADDING_METHODS = ['ip', 'qr', 'serial', 'lan', 'on-site', 'sync'] as const;
export const AddingMethod = z.enum(ADDING_METHODS);
export type AddingMethod = z.infer<typeof AddingMethod>;

const all = DEVICE_TYPES;
/** The box is added by its own serial and code, or the QR code of both: never by an address. */
export const METHOD_ADDS: Record<AddingMethod, readonly DeviceType[]> = {
  ip: ['encoding'],
  qr: all,
  serial: all,
  lan: ['encoding', 'access', 'intercom', 'network', 'radar', 'audio'],
  'on-site': ['encoding'],
  sync: all.filter((type) => type !== 'box'),
};
/** Ways that a team site takes. */
export const TEAM_METHODS: readonly AddingMethod[] = ['qr', 'serial', 'lan'];

/** Devices with rules of their own. */
export const DEVICE_VARIANTS = ['ac-router', 'ax-home', 'healthcare-radar'] as const;
export type DeviceVariant = (typeof DEVICE_VARIANTS)[number];

export function variantOf(type: DeviceType, model: string): DeviceVariant | null {
  if (type === 'access' && /router/i.test(model)) return 'ac-router';
  if (type === 'panel' && /ax[\s-]?home/i.test(model)) return 'ax-home';
  if (type === 'radar' && /health/i.test(model)) return 'healthcare-radar';
  return null;
}

export type AddingRefusal = 'method' | 'team-method' | 'ac-router' | 'ax-home';
/** Why a device cannot be added this way to such a site; null: it can. */
export function addingRefused(
  method: AddingMethod,
  type: DeviceType,
  siteType: 'personal' | 'team',
  variant: DeviceVariant | null = null,
): AddingRefusal | null {
  if (variant === 'ax-home' && method !== 'serial') return 'ax-home';
  if (!METHOD_ADDS[method].includes(type)) return 'method';
  if (siteType === 'team' && variant === 'ac-router') return 'ac-router';
  if (siteType === 'team' && !TEAM_METHODS.includes(method)) return 'team-method';
  return null;
}

/** The verification code of a device: most have one; `dynamic` ones change all the time, so that none is kept. */
export const codeOf = (variant: DeviceVariant | null): 'fixed' | 'none' | 'dynamic' =>
  variant === 'ac-router' || variant === 'ax-home' ? 'none' : variant === 'healthcare-radar' ? 'dynamic' : 'fixed';

const Name = AddDevice.shape.name;
const Port = z.int().min(1).max(65535).default(80);
const Login = { username: AddDevice.shape.username, password: z.string().min(1).max(128) };

/** By the serial on its label, or in its QR code; a box is claimed by it. */
const BySerial = z.object({
  method: z.enum(['serial', 'qr', 'on-site']),
  /** The short one of 9 characters, or the long one. */
  serial: z.string().trim().min(9).max(64).meta({ example: 'T123T45R6' }),
  /** Verification code, where the device has one; a box always. */
  code: z.string().trim().max(32).nullable().default(null),
  name: Name.nullable().default(null),
  /** Of the device behind a box; not of a box. Without a password the one that is kept for it is used. */
  username: Login.username.nullable().default(null),
  password: Login.password.nullable().default(null),
  recordOn: AddDevice.shape.recordOn,
});
/** Found by a box on its LAN. */
const ByLan = AddDevice.extend({ method: z.literal('lan') });
/** By its address in the internet: encoding devices only, without what a box gives. */
const ByAddress = z.object({
  method: z.literal('ip'),
  name: Name,
  host: Host,
  port: Port,
  channelCount: z.int().min(1).max(128).default(1),
  ...Login,
});
export const AddItem = z.discriminatedUnion('method', [BySerial, ByLan, ByAddress]);
export type AddItem = z.output<typeof AddItem>;
export const AddDevices = z.object({ devices: z.array(AddItem).min(1).max(50) });
export type AddDevices = z.input<typeof AddDevices>;

/** What became of each, in the order asked. */
export const AddingResult = z.object({
  /** As the person named it: name, serial or address. */
  name: z.string(),
  result: z.enum(['added', 'failed']),
  device: Device.nullable(),
  /** Of the box, when it was one. */
  boxSerial: z.string().nullable(),
  /** The problem's code; `added-to-another-account` does not say whose. */
  code: z.string().nullable(),
  /** In words: what happened to which device, and what to do. */
  detail: z.string().nullable(),
  /** What can be done about it. */
  actions: z.array(z.enum(['add-again', 'unbind'])),
});
export type AddingResult = z.infer<typeof AddingResult>;
export const AddingResults = z.object({ items: z.array(AddingResult) });
export type AddingResults = z.infer<typeof AddingResults>;

export const EditDevice = z.object({
  name: Name.optional(),
  /** Record a clip for these events on every channel; empty: record nothing. */
  recordOn: AddDevice.shape.recordOn.unwrap().optional(),
});
export type EditDevice = z.input<typeof EditDevice>;

export const MAX_PERSONAL_CHANNELS = 128;
/** Without a package. */
export const MAX_FREE_DEVICES = 1024;
