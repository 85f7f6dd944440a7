import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';
import { Email } from './people.ts';

/** A customer gives an installer one of his devices to configure and operate, without telling a password. */

/** An invitation is valid for so long. */
export const DEVICE_INVITATION_MS = 3 * 86_400_000;
export const DeviceInvitationState = z.enum(['sent', 'accepted', 'declined', 'expired', 'withdrawn']);
export type DeviceInvitationState = z.infer<typeof DeviceInvitationState>;

export const CreateDeviceInvitation = z.object({
  deviceId: Uuid,
  email: Email.meta({ example: 'ines@installer.example', description: 'Of the installer’s account' }),
});

export const DeviceInvitation = z.object({
  id: Uuid,
  deviceId: Uuid,
  /** The names and the serial number are empty for an installer who has nothing of the device (any more) nor may accept it. */
  deviceName: z.string(),
  deviceSerial: z.string().nullable(),
  siteId: Uuid,
  siteName: z.string(),
  /** The customer's account: his e-mail or phone number. */
  customer: z.string(),
  /** The installer's. */
  email: z.string(),
  invitedAt: Instant,
  validUntil: Instant,
  state: DeviceInvitationState,
  /** `received`: you may accept or decline it. */
  direction: z.enum(['sent', 'received']),
});
export type DeviceInvitation = z.infer<typeof DeviceInvitation>;
