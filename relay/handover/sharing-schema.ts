import type { SharedPermission, ShareMode, ShareState } from '../../protocol/wire/sharing.ts';

/** Tables of sites shared with customers, part of the relay's Database. */
export interface SharingTables {
  /** At most one of a site that has not ended. */
  sharings: {
    id: string;
    siteId: string;
    /** Whose site it is, also when a partner's employee (`userId`) shares it. */
    companyId: string;
    userId: string;
    mode: ShareMode;
    /** JSON: what the customer administrator is asked for once he has accepted. */
    requests: string;
    createdMs: number;
    endedMs: number | null;
  };
  share_customers: {
    id: string;
    sharingId: string;
    siteId: string;
    /** The tenant that the address belongs to, once that is known. */
    customerId: string | null;
    email: string | null;
    phone: string | null;
    name: string;
    remark: string;
    locale: string;
    administrator: number;
    /** As last written; what is over since then, `stateAt` of sharing-rules.ts tells. */
    state: ShareState;
    tokenHash: string;
    invitedMs: number;
    acceptByMs: number;
    answeredMs: number | null;
    /** End of the service period. */
    untilMs: number | null;
    /** How often the invitation was sent on which day. */
    sentDay: string;
    sentCount: number;
  };
  share_resources: { shareId: string; deviceId: string; permission: SharedPermission };
}
