import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';

/*
 * A forgotten password of a device whose site is handed over (PWD-04, PWD-05): who serves the site asks its owner, who sets
 * a new one himself; the password is told to nobody, and who asked is told that it is done.
 *
 *   installer → POST /devices/{deviceId}/password-requests   AskPasswordReset → PasswordRequest
 *   owner     → PUT  /devices/{deviceId}/password            NewDevicePassword: ends what is open for the device
 *             → POST /password-requests/{id}/refuse
 */
export const AskPasswordReset = z.object({
  /** Whether who asks is on the device's LAN. */
  atSite: z.boolean(),
  remark: z
    .string()
    .trim()
    .max(500)
    .regex(/^[^\p{Cc}]*(\n[^\p{Cc}]*)*$/u, 'text without control characters')
    .default(''),
});
export type AskPasswordReset = z.input<typeof AskPasswordReset>;

export const PasswordRequest = z.object({
  id: Uuid,
  siteId: Uuid,
  siteName: z.string(),
  timeZone: z.string(),
  deviceId: Uuid,
  deviceName: z.string(),
  /** Who asks. */
  company: z.object({ id: Uuid, name: z.string() }),
  atSite: z.boolean(),
  remark: z.string(),
  state: z.enum(['open', 'done', 'refused']),
  createdAt: Instant,
  decidedAt: Instant.nullable(),
});
export type PasswordRequest = z.infer<typeof PasswordRequest>;
