import type { z } from 'zod';
import type { CollaborationState, PartnerAnswer, PartnerStage } from '../../protocol/wire/collaboration.ts';

type Answer = z.infer<typeof PartnerAnswer>;

/** Tables of this folder, part of the relay's Database. */
export interface CollaborationTables {
  collaborations: {
    id: string;
    siteId: string;
    /** Whose site it is. */
    companyId: string;
    stage: PartnerStage;
    partnerId: string;
    /** The partner's account that was invited. */
    userId: string;
    /** JSON: a list of permissions. */
    permissions: string;
    remark: string;
    state: CollaborationState;
    partnerAnswer: Answer;
    /** The owner who is asked too; null: nobody. */
    customerId: string | null;
    customerAnswer: Answer | null;
    createdMs: number;
    endedMs: number | null;
  };
}
