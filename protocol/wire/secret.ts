import { z } from 'zod';

/**
 * A secret sealed to a box's X25519 key (see protocol/codec/sealed.ts): the relay stores this and cannot open it.
 * All fields base64url.
 */
export const SealedSecret = z.object({
  v: z.literal(1),
  ephemeralKey: z.string().length(43),
  nonce: z.string().length(16),
  ciphertext: z.string().min(22).max(2048),
});
export type SealedSecret = z.infer<typeof SealedSecret>;
