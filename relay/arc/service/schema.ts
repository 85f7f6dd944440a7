import type { Selectable } from 'kysely';
import type { ArcConnection, ArcServiceState } from '../../../protocol/wire/arc-service.ts';

/** Tables of this folder, part of the relay's Database. */
export interface ArcServiceTables {
  /** Which centre a site's alarms may go to; one at a time. */
  arc_authorizations: {
    id: string;
    siteId: string;
    arcId: string;
    /** Who authorised it. */
    companyId: string;
    createdMs: number;
    endedMs: number | null;
  };
  /** The service of one device. One that was turned off or withdrawn keeps its row. */
  arc_services: {
    id: string;
    siteId: string;
    deviceId: string;
    boxSerial: string;
    arcId: string;
    /** Who enabled it. */
    companyId: string;
    /** Chosen by the centre when it accepts. */
    receiverId: string | null;
    state: ArcServiceState;
    account: string;
    /** JSON */
    events: string;
    mode: ArcConnection;
    picture: number;
    clip: number;
    offlineDelayMs: number | null;
    /** JSON */
    zones: string;
    note: string;
    createdMs: number;
    decidedMs: number | null;
    endedMs: number | null;
  };
  /** A change that waits, or waited, for somebody's approval. */
  arc_requests: {
    id: string;
    serviceId: string;
    kind: 'events' | 'media';
    /** JSON */
    events: string | null;
    picture: number;
    clip: number;
    state: 'pending' | 'approved' | 'refused' | 'withdrawn';
    createdMs: number;
    decidedMs: number | null;
    decidedBy: string | null;
  };
}

export type ServiceRow = Selectable<ArcServiceTables['arc_services']>;
export type RequestRow = Selectable<ArcServiceTables['arc_requests']>;
