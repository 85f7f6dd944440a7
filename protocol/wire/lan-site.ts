import { z } from 'zod';
import { Mac } from './activation.ts';
import { DevicePassword } from './device-password.ts';
import { Serial } from './ids.ts';
import { Recovery, SecurityAnswers } from './lan.ts';

/** One device of a LAN, of a site's page (PWD-07, PWD-08, UNBD-02). `password` left out: the one kept since activation. */
export const LanDevice = z.object({ boxSerial: Serial, mac: Mac });
const Password = z.string().min(1).max(128);
export const SetRecovery = LanDevice.extend({ password: Password.optional(), recovery: Recovery });
export const ResetPassword = LanDevice.extend({ answers: SecurityAnswers, newPassword: DevicePassword });
export const Unbind = LanDevice.extend({ password: Password });
/** `from`: it was added to another account here; false: only the maker's own cloud was told. */
export const Unbound = z.object({ fromAccount: z.boolean(), text: z.string().nullable() });
export type Unbound = z.infer<typeof Unbound>;
/** `oldPassword` left out: the one that the box has (PWD-03). */
export const NewDevicePassword = z.object({ oldPassword: Password.optional(), newPassword: DevicePassword });
/** `uncertain`: the device went away in between; enter either password again when it is back. */
export const DevicePasswordChanged = z.object({
  outcome: z.enum(['changed', 'uncertain']),
  text: z.string().nullable(),
});
export type DevicePasswordChanged = z.infer<typeof DevicePasswordChanged>;
