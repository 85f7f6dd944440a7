import { z } from 'zod';
import { Serial, Uuid } from './ids.ts';

/** Devices that go to another site, and what that takes from them. */

/** What is set up for a device and does not go with it. */
export const MovedSetting = z.enum(['recording', 'arc']);
export type MovedSetting = z.infer<typeof MovedSetting>;

/** Why a device cannot go. */
export const MoveObstacle = z.enum(['not-p2p', 'shared', 'behind-box', 'box-not-here', 'channels']);
export type MoveObstacle = z.infer<typeof MoveObstacle>;

export const MoveCandidate = z.object({
  deviceId: Uuid,
  name: z.string(),
  boxSerial: Serial.nullable(),
  /** What it loses. */
  settings: z.array(MovedSetting),
  /** What keeps it here; null: it may go (with the rest of its box). */
  obstacle: MoveObstacle.nullable(),
});
export type MoveCandidate = z.infer<typeof MoveCandidate>;
export const MoveCandidates = z.object({
  items: z.array(MoveCandidate),
  /** Where they may go: sites of the same owner that are in reach and not shared. */
  targets: z.array(z.object({ id: Uuid, name: z.string(), boxes: z.array(Serial) })),
});
export type MoveCandidates = z.infer<typeof MoveCandidates>;

export const MoveDevices = z.object({
  devices: z
    .array(
      z.object({
        deviceId: Uuid,
        /** Another box, at the new site, that sees the device; it needs the device's password once more. */
        via: z
          .object({ boxSerial: Serial, password: z.string().min(1).max(64) })
          .nullable()
          .default(null),
      }),
    )
    .min(1)
    .max(200),
  target: z.union([
    z.object({ siteId: Uuid }),
    z.object({
      name: z.string().trim().min(1).max(64).meta({ example: 'Depot' }),
      timeZone: z.string().min(1).max(64).meta({ example: 'Europe/Berlin' }),
    }),
  ]),
});
export type MoveDevices = z.input<typeof MoveDevices>;

export const MoveResult = z.object({
  siteId: Uuid.nullable().meta({ description: 'Where they are now; null: none was moved.' }),
  items: z.array(
    z.object({
      deviceId: Uuid,
      moved: z.boolean(),
      dropped: z.array(MovedSetting),
      /** Why not: an obstacle, or the code of what the other box answered. */
      code: z.string().nullable(),
      detail: z.string().nullable(),
    }),
  ),
});
export type MoveResult = z.infer<typeof MoveResult>;
