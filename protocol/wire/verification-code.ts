import { z } from 'zod';

/** Of a device's P2P service: 6 to 12 letters or digits; capitals matter. */
export const VerificationCode = z
  .string()
  .regex(/^[A-Za-z0-9]{6,12}$/, '6 to 12 letters or digits')
  .meta({ example: 'ABCDEF' });

/** `none`: the device has no verification code. */
export const CodeOutcome = z.enum(['set', 'none', 'failed']);
export type CodeOutcome = z.infer<typeof CodeOutcome>;
