import type { DeviceInvitationState } from '../../protocol/wire/device-invitation.ts';

/** Tables of this folder, part of the relay's Database. */
export interface InvitationTables {
  device_invitations: {
    id: string;
    /** The customer's tenant. */
    customerId: string;
    siteId: string;
    deviceId: string;
    /** The customer's e-mail or phone number, as the installer is told. */
    account: string;
    /** Who is invited, and his company. */
    userId: string;
    companyId: string;
    state: DeviceInvitationState;
    invitedMs: number;
    expiresMs: number;
  };
}
