import { z } from 'zod';
import { BatchIssue } from './batch-issues.ts';
import { DevicePassword } from './device-password.ts';
import { Instant, Serial } from './ids.ts';
import { CodeOutcome, VerificationCode } from './verification-code.ts';

/** As discovery lists it. */
export const Mac = z
  .string()
  .regex(/^([0-9a-f]{2}-){5}[0-9a-f]{2}$/)
  .meta({ example: '00-00-5e-00-53-0a' });

/** Where the first password of devices comes from. `generated`: another one for each, kept by the relay. */
export const FirstPassword = z.discriminatedUnion('from', [
  z.object({ from: z.literal('generated') }),
  z.object({ from: z.literal('default') }),
  z.object({ from: z.literal('given'), password: DevicePassword, keepAsDefault: z.boolean().default(false) }),
]);
/** Where the verification code of the devices' P2P service comes from. `none`: it is left as it is. */
export const FirstCode = z.discriminatedUnion('from', [
  z.object({ from: z.literal('none') }),
  z.object({ from: z.literal('default') }),
  z.object({ from: z.literal('given'), code: VerificationCode, keepAsDefault: z.boolean().default(false) }),
]);
export const ActivateDevices = z.object({
  boxSerial: Serial,
  macs: z.array(Mac).min(1).max(64),
  password: FirstPassword,
  verificationCode: FirstCode.default({ from: 'none' }),
});
export type ActivateDevices = z.input<typeof ActivateDevices>;

/** One result a device; `weak`: it took the password and calls it a risk. */
export const ActivationResult = z.object({
  mac: Mac,
  activated: z.boolean(),
  weak: z.boolean(),
  /** How it was reached; null: it was not, or an older box did it. */
  way: z.enum(['isapi', 'temporary-address', 'sadp']).nullable(),
  /** What became of the verification code; null: none was given. */
  verificationCode: CodeOutcome.nullable(),
  /** What to know of it before it goes on (INIT-06). */
  issues: z.array(BatchIssue),
  /** Why not: a code of the API, and a sentence. */
  code: z.string().nullable(),
  detail: z.string().nullable(),
});
export type ActivationResult = z.infer<typeof ActivationResult>;

/** A device whose password the relay keeps. */
export const KeptPassword = z.object({
  mac: Mac,
  activatedAt: Instant.nullable(),
  /** False: the box went away in between, so it is not known whether the device took it. */
  certain: z.boolean(),
});
export type KeptPassword = z.infer<typeof KeptPassword>;

/** Whether there is one; neither is ever shown. */
export const DeviceDefaults = z.object({ password: z.boolean(), verificationCode: z.boolean() });
export type DeviceDefaults = z.infer<typeof DeviceDefaults>;
/** null: no default. What is left out stays (INIT-05). */
export const SetDeviceDefaults = z.object({
  password: DevicePassword.nullable().optional(),
  verificationCode: VerificationCode.nullable().optional(),
});
