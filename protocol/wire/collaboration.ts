import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';
import { Email } from './people.ts';
import type { Permission } from './rights.ts';
import { ShareRemark } from './sharing.ts';

/*
 * Work on a site with another company. ISP (Installation Service Partner): before the handover, with all permissions for
 * the devices. MSP (Maintenance Service Partner): after a transfer, with what the installer sets and the customer approves.
 */

export const PartnerStage = z.enum(['isp', 'msp']);
export type PartnerStage = z.infer<typeof PartnerStage>;
/** `invited`: somebody has not answered yet. */
export const CollaborationState = z.enum(['invited', 'active', 'declined', 'refused', 'ended']);
export type CollaborationState = z.infer<typeof CollaborationState>;
export const PartnerAnswer = z.enum(['pending', 'yes', 'no']);

/** What an MSP may be given. */
export const PARTNER_PERMISSIONS = ['manage', 'configure', 'live', 'playback'] as const satisfies Permission[];
export const PartnerPermission = z.enum(PARTNER_PERMISSIONS);

export const CreateCollaboration = z.object({
  stage: PartnerStage,
  email: Email.meta({ example: 'mara@partner.example' }),
  permissions: z
    .array(PartnerPermission)
    .max(PARTNER_PERMISSIONS.length)
    .default([])
    .meta({ description: 'For an MSP; an ISP has all.' }),
  remark: ShareRemark,
});

export const Collaboration = z.object({
  id: Uuid,
  siteId: Uuid,
  /** Empty for a partner who does not help there any more, or never did. */
  siteName: z.string(),
  stage: PartnerStage,
  company: z.object({ id: Uuid, name: z.string() }),
  partner: z.object({ id: Uuid, name: z.string(), email: z.string().nullable() }),
  permissions: z.array(PartnerPermission),
  remark: z.string(),
  state: CollaborationState,
  partnerAnswer: PartnerAnswer,
  /** null: no customer is asked. */
  customerAnswer: PartnerAnswer.nullable(),
  createdAt: Instant,
  /** What you are in it. */
  side: z.enum(['company', 'partner', 'customer']),
});
export type Collaboration = z.infer<typeof Collaboration>;
