import { z } from 'zod';
import { DesiredPanel } from './desired.ts';
import { Serial, Uuid } from './ids.ts';

/** Arming or disarming alarm devices of a site together (PANL-09). */
export const ArmDevices = z.object({
  devices: z.array(Uuid).min(1).max(64),
  arm: z.enum(['away', 'stay', 'disarm']),
  /** The panel's own number; 0: all of its areas. */
  area: z.int().min(0).max(64).default(0),
  /** Arms although zones are open, by bypassing them. */
  force: z.boolean().default(false),
});
export type ArmDevices = z.input<typeof ArmDevices>;
export const ArmedDevice = z.object({
  deviceId: Uuid,
  name: z.string(),
  done: z.boolean(),
  /** Why not. */
  code: z.string().nullable(),
  /** What the panel said, or why not; for a person. */
  text: z.string().nullable(),
});
export type ArmedDevice = z.infer<typeof ArmedDevice>;

/** The camera channel that shows what a radar tells of. */
export const RadarCamera = z.object({ cameraId: Uuid, channel: z.int().min(1).max(9999) });
export type RadarCamera = z.infer<typeof RadarCamera>;
export const LinkedCamera = z.object({ camera: RadarCamera.extend({ name: z.string() }).nullable() });
export type LinkedCamera = z.infer<typeof LinkedCamera>;

/* Alarm panels of any maker that send DC-09 to a box; it keeps, folds and forwards what they say. */
const PanelAccount = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[0-9A-F]{3,16}$/)
  .meta({ example: '1234' });
const PanelKey = {
  /** AES: 32, 48 or 64 hexadecimal digits, or 16, 24 or 32 characters; null: it sends in clear. */
  key: z.string().max(64).nullable(),
  keyFormat: z.enum(['hex', 'characters']).default('hex'),
};
export const AddAlarmPanel = z.object({
  boxSerial: Serial,
  name: z.string().trim().min(1).max(64),
  /** 3 to 16 hexadecimal digits, as the panel sends it; leading zeros are significant. */
  account: PanelAccount,
  ...PanelKey,
  localTime: DesiredPanel.shape.localTime,
  supervisionMs: DesiredPanel.shape.supervisionMs,
});
export type AddAlarmPanel = z.input<typeof AddAlarmPanel>;
export const EditAlarmPanel = z.object({
  account: PanelAccount,
  /** Left out: it stays. */
  key: PanelKey.key.optional(),
  keyFormat: PanelKey.keyFormat,
  localTime: z.boolean(),
  supervisionMs: DesiredPanel.shape.supervisionMs.unwrap(),
});
export type EditAlarmPanel = z.input<typeof EditAlarmPanel>;
/** What is set, and what to enter in the panel. */
export const AlarmPanel = z.object({
  deviceId: Uuid,
  account: z.string(),
  encrypted: z.boolean(),
  localTime: z.boolean(),
  supervisionMs: z.int().nullable(),
  /** Where it sends to, TCP or UDP; null and none: the box cannot be asked now, or does not listen. */
  port: z.int().nullable(),
  addresses: z.array(z.string()),
});
export type AlarmPanel = z.infer<typeof AlarmPanel>;
