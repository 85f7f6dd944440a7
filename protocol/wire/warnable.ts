import { z } from 'zod';
import { Instant } from './ids.ts';

/**
 * A problem a person should know of: what happened, to which device, what to do. One registry a program; shown alike in
 * UI, API, MQTT and log. `code` is stable and searchable, `subject` says whose problem it is (`box`, `device:{id}`,
 * `arc:{accountId}`, `channel:{deviceId}/{n}`).
 */
export const Warnable = z.object({
  code: z.string().regex(/^[a-z][a-z0-9-]{2,63}$/),
  subject: z.string().max(128),
  severity: z.enum(['info', 'warning', 'error']),
  text: z.string().max(512),
  since: Instant,
});
export type Warnable = z.infer<typeof Warnable>;
