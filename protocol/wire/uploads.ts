import { z } from 'zod';
import { Uuid } from './ids.ts';

/*
 * Clip fragments go up as objects of their own while the event still runs.
 *
 *   POST /box/v1/uploads  UploadRequest (box auth)  → UploadGrants
 *   PUT  {url}  Content-Length, x-gatepost-sha256   → 200 {size}; the same object again → 200; another content → 409
 *   POST /box/v1/uploads/stored  UploadRequest (box auth, purpose /box/v1/uploads) → UploadsStored; after PUTs whose grants
 *                         say `confirm`
 *
 * Object names: `clips/{clipId}/init.mp4` (fragment 0) and `clips/{clipId}/{n}.m4s` (n from 1). An object is stored
 * whole or not at all. The relay records the fragment's row before it answers.
 */
const MAX_FRAGMENT_BYTES = 32 * 1024 * 1024;

export const FragmentInfo = z.object({
  clipId: Uuid,
  /** 0 is the init segment. */
  n: z.int().min(0).max(100_000),
  size: z.int().min(1).max(MAX_FRAGMENT_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  durationMs: z.int().min(0).max(60_000),
  /** The fragment begins with a key frame. */
  keyFrame: z.boolean(),
});
export type FragmentInfo = z.infer<typeof FragmentInfo>;

export const UploadRequest = z.object({ fragments: z.array(FragmentInfo).min(1).max(64) });
export const UploadGrants = z.object({
  grants: z.array(
    z.object({
      clipId: Uuid,
      n: z.int(),
      /** Already stored with this hash: nothing to send. */
      stored: z.boolean(),
      /**
       * Absolute path on the relay or absolute URL of an object store; good for `expiresInMs`. Null although not stored:
       * refused, the clip is another box's or another content stands there.
       */
      url: z.string().max(4096).nullable(),
      expiresInMs: z.int(),
      /** Sent with the PUT instead of `x-gatepost-sha256`: what an object store's address was signed for. */
      headers: z.record(z.string().max(64), z.string().max(1024)).default({}),
      /** The relay does not see the PUT: tell it that the object is stored. */
      confirm: z.boolean().default(false),
    }),
  ),
});
export type UploadGrants = z.infer<typeof UploadGrants>;

/** `stored` false: the object store does not have it, or not with this size and hash; it is to be sent again. */
export const UploadsStored = z.object({
  fragments: z.array(z.object({ clipId: Uuid, n: z.int(), stored: z.boolean() })),
});
export type UploadsStored = z.infer<typeof UploadsStored>;
