import { z } from 'zod';
import { Instant } from './ids.ts';

/**
 * Every code that box or relay may raise; what each means and what to do stands in `docs/operations.md`, kept equal by a test. On
 * the wire a code may be any: box and relay are not updated on the same day.
 */
export const WARNABLE_CODES = [
  'arc-clock',
  'arc-direct-down',
  'arc-message-refused',
  'arc-no-path',
  'arc-queue-broken',
  'arc-queue-full',
  'arc-queue-unwritable',
  'arc-refused',
  'arc-second-down',
  'box-foreign-topic',
  'box-gone',
  'box-proof-refused',
  'clip-list-damaged',
  'clip-lost',
  'clip-not-stored',
  'clip-part-refused',
  'clips-waiting',
  'configuration-not-applied',
  'configuration-unreadable',
  'continuous-lost',
  'device-certificate-changed',
  'device-clock-wrong',
  'device-events-lost',
  'device-events-unreadable',
  'device-locked',
  'device-login-refused',
  'device-https-only',
  'device-no-channels',
  'device-no-events',
  'device-not-activated',
  'device-offline',
  'device-replaced',
  'discovery-full',
  'discovery-off',
  'disk-full',
  'duplicate-identity',
  'journal-broken',
  'journal-full',
  'long-key-frame-interval',
  'message-not-understood',
  'panel-port-in-use',
  'panel-refused',
  'panel-unknown',
  'relay-message-invalid',
  'relay-refuses',
  'relay-storage-full',
  'sadp-malformed',
  'unsupported-codec',
  'unsupported-sound',
  'upload-queue-damaged',
  'video-lost',
  'video-refused',
  'video-stalled',
] as const;
export type WarnableCode = (typeof WARNABLE_CODES)[number];

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
