import { z } from 'zod';
import { Uuid } from './ids.ts';

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
