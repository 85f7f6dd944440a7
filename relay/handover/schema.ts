import type { ApplicationState, Askable, TransferMethod, TransferState } from '../../protocol/wire/handover.ts';
import type { Validity } from '../../protocol/wire/rights.ts';

/** Tables of this folder, part of the relay's Database. */
export interface HandoverTables {
  /** One row for each sending: the newest of a site is the valid one. */
  transfers: {
    id: string;
    siteId: string;
    /** Whose site it is, also when a partner's employee (`sentBy`) sends it. */
    companyId: string;
    sentBy: string;
    method: TransferMethod;
    /** E-mail address in lower case or E.164 number; null: whoever has the link. */
    recipient: string | null;
    customerName: string;
    remark: string;
    locale: string;
    /** JSON: a list of {@link TransferAsk}. */
    requests: string;
    tokenHash: string;
    sentMs: number;
    expiresMs: number;
    /** Of the sending, in the site's zone: `2026-11-22`. */
    day: string;
    /** 1: counts for the limit of the day. */
    resend: number;
    state: TransferState;
    decidedMs: number | null;
    /** Who accepted it. */
    ownerId: string | null;
  };
  permission_applications: {
    id: string;
    siteId: string;
    /** Who asks. */
    companyId: string;
    userId: string;
    /** The customer's tenant that decides: the owner, or the customer administrator of a shared site. */
    deciderId: string;
    remark: string;
    createdMs: number;
  };
  permission_application_items: {
    id: string;
    applicationId: string;
    deviceId: string | null;
    permission: Askable;
    validity: Validity;
    state: ApplicationState;
    decidedMs: number | null;
  };
}
