import type { ColumnType, Generated, Selectable } from 'kysely';
import type { DeviceKind } from '../../protocol/wire/desired.ts';
import type { CompanyType, DeviceType, Permission, SiteStatus } from '../../protocol/wire/rights.ts';
import type { ActivationTables } from '../activation/schema.ts';
import type { DeskTables } from '../arc/desk/schema.ts';
import type { ArcTables } from '../arc/schema.ts';
import type { ArcServiceTables } from '../arc/service/schema.ts';
import type { AuditTables } from '../audit/schema.ts';
import type { BandwidthTables } from '../bandwidth/schema.ts';
import type { ClipTables } from '../clips/schema.ts';
import type { CloudTables } from '../cloud/schema.ts';
import type { CollaborationTables } from '../collaboration/schema.ts';
import type { CompatTables } from '../compat/schema.ts';
import type { FirmwareTables } from '../firmware/schema.ts';
import type { HandoverTables } from '../handover/schema.ts';
import type { SharingTables } from '../handover/sharing-schema.ts';
import type { InvitationTables } from '../invitations/schema.ts';
import type { JobTables } from '../jobs/schema.ts';
import type { KeyTables } from '../keys/schema.ts';
import type { LanTables } from '../lan/schema.ts';
import type { NotifyTables } from '../notify/schema.ts';
import type { OperatorTables } from '../operator/schema.ts';
import type { PanelTables } from '../panels/schema.ts';
import type { PeopleTables } from '../people/schema.ts';
import type { ReceiverTables } from '../receiver/schema.ts';
import type { SiteTables } from '../sites/schema.ts';
import type { VideoTables } from '../video/schema.ts';

/*
 * Tables of the relay. Portable between SQLite and PostgreSQL: ids are text (UUIDv7), booleans 0/1, times of the wire
 * ISO 8601 text (`…At`), times only computed with integer milliseconds (`…Ms`), documents JSON text. Table names are
 * snake_case, columns camelCase like the API, so that rows need no renaming.
 */
export interface Database
  extends ActivationTables,
    ArcTables,
    DeskTables,
    ArcServiceTables,
    AuditTables,
    KeyTables,
    BandwidthTables,
    ClipTables,
    CompatTables,
    CloudTables,
    FirmwareTables,
    HandoverTables,
    LanTables,
    PanelTables,
    PeopleTables,
    ReceiverTables,
    SiteTables,
    SharingTables,
    InvitationTables,
    JobTables,
    CollaborationTables,
    NotifyTables,
    OperatorTables,
    VideoTables {
  /** Every tenant: installers' companies, customers' households, the operator. */
  companies: {
    id: string;
    name: string;
    createdAt: string;
    type: ColumnType<CompanyType, CompanyType | undefined>;
    /** ISO 3166 alpha-2, or empty. */
    country: WithDefault<string>;
    address: WithDefault<string>;
    phone: WithDefault<string>;
    authentication: ColumnType<Authentication, Authentication | undefined>;
    channelPartner: WithDefault<number>;
    /** Employee account add-ons bought. */
    slots: WithDefault<number>;
    suspendedMs: ColumnType<number | null, number | null | undefined>;
  };
  users: {
    id: string;
    companyId: string;
    /** Lower case; a customer may have a phone number only. */
    email: string | null;
    name: string;
    passwordHash: string;
    createdAt: string;
    /** E.164. */
    phone: ColumnType<string | null, string | null | undefined>;
    locale: WithDefault<string>;
    /** The first account of a company. */
    admin: WithDefault<number>;
    enabled: WithDefault<number>;
    /** May sign in, but not manage sites and devices until the account limit is removed. */
    limited: WithDefault<number>;
    emailVerifiedMs: ColumnType<number | null, number | null | undefined>;
    phoneVerifiedMs: ColumnType<number | null, number | null | undefined>;
    deletedAt: ColumnType<string | null, string | null | undefined>;
  };
  /** `permissions`: a JSON list of {@link RolePermission}. */
  roles: { id: string; companyId: string; name: string; permissions: string };
  user_roles: { userId: string; roleId: string };
  sessions: {
    id: string;
    tokenHash: string;
    userId: string;
    createdMs: number;
    expiresMs: number;
    seenMs: number;
    remote: string;
    userAgent: string;
  };
  /** What a tenant may reach of a site, or of one device of it. Read through a scope (relay/auth/scope.ts). */
  grants: {
    id: string;
    companyId: string;
    siteId: string;
    /** Null: the whole site. */
    deviceId: ColumnType<string | null, string | null | undefined>;
    permission: Permission;
    /** Null: permanent. */
    untilMs: ColumnType<number | null, number | null | undefined>;
    source: GrantSource;
    sourceId: ColumnType<string | null, string | null | undefined>;
    /** 1: on a site of another company; the database sets it. */
    guest: WithDefault<number>;
  };
  site_groups: { id: string; companyId: string; name: string };
  sites: {
    id: string;
    companyId: string;
    name: string;
    timeZone: string;
    createdAt: string;
    type: ColumnType<'personal' | 'team', 'personal' | 'team' | undefined>;
    status: ColumnType<SiteStatus, SiteStatus | undefined>;
    /** The customer's tenant, after a transfer. */
    ownerId: ColumnType<string | null, string | null | undefined>;
    groupId: ColumnType<string | null, string | null | undefined>;
    syncTime: WithDefault<number>;
    scene: WithDefault<string>;
    address: WithDefault<string>;
    city: WithDefault<string>;
    region: WithDefault<string>;
    country: WithDefault<string>;
    remark: WithDefault<string>;
    latitude: ColumnType<number | null, number | null | undefined>;
    longitude: ColumnType<number | null, number | null | undefined>;
    /** {@link sortName} of the name: the order of lists. */
    sortName: string;
    deletedAt: ColumnType<string | null, string | null | undefined>;
  };
  /** Employees a site is assigned to; `untilMs` null: Lifetime. */
  site_managers: { siteId: string; userId: string; untilMs: number | null };
  boxes: {
    serial: string;
    publicKey: string;
    sealKey: string;
    codeHash: string;
    version: string | null;
    state: BoxState;
    siteId: string | null;
    companyId: string | null;
    /** Boot id and epoch last seen: two boxes with one identity show as two boots in one epoch, or an epoch going back. */
    boot: string | null;
    epoch: number | null;
    enrolledMs: number;
    /** When it was last heard; null: never. */
    seenMs: number | null;
  };
  /** Health as last told, and what the relay holds of the box's journal. */
  box_health: { serial: string; document: string; receivedMs: number };
  box_journals: { serial: string; journalId: string; seq: number };
  desired_states: { serial: string; version: number; document: string; reported: string | null };
  devices: {
    id: string;
    siteId: string;
    /** Null: reached by address, not through a box. */
    boxSerial: string | null;
    name: string;
    kind: DeviceKind;
    mac: string | null;
    serial: string | null;
    host: string;
    httpPort: number;
    /** SHA-256 of the one certificate that it may show; null: it is spoken to over plain HTTP. */
    certificate: ColumnType<string | null, string | null | undefined>;
    /** 0/1: it can nothing newer than TLS 1.1, or weak ciphers only. */
    oldTls: WithDefault<number>;
    username: string;
    createdAt: string;
    /** A device taken away keeps its row: its events keep its name. */
    deletedAt: string | null;
    accessMode: ColumnType<'p2p' | 'ip', 'p2p' | 'ip' | undefined>;
    type: ColumnType<DeviceType, DeviceType | undefined>;
    model: WithDefault<string>;
    firmware: WithDefault<string>;
    channelCount: WithDefault<number>;
  };
  events: {
    /** The relay's own order; the cursor of lists. */
    rowId: Generated<number>;
    id: string;
    siteId: string;
    boxSerial: string;
    type: string;
    deviceId: string | null;
    channel: number | null;
    occurredAt: string;
    seenAt: string;
    deviceTime: string | null;
    receivedAt: string;
    endedAt: string | null;
    text: string | null;
    sourceRef: string | null;
  };
  /** What a box sent and the relay could not understand; kept for support, a bounded number a box. */
  quarantine: {
    rowId: Generated<number>;
    serial: string;
    hash: string;
    topic: string;
    reason: string;
    payload: string;
    receivedAt: string;
  };
  /** Answers to creating requests, for who asks again with the same `Idempotency-Key`. */
  idempotency_keys: {
    userId: string;
    key: string;
    requestHash: string;
    status: number;
    body: string;
    createdMs: number;
  };
  /** Problems that the relay itself found; those of the boxes stand in their health. */
  warnables: {
    siteId: string;
    code: string;
    subject: string;
    severity: 'info' | 'warning' | 'error';
    text: string;
    since: string;
    /** null: until it is cleared. */
    untilMs: number | null;
  };
}

type WithDefault<T> = ColumnType<T, T | undefined>;
export type Authentication = 'none' | 'submitted' | 'approved' | 'rejected';
/** What a grant came from; `sourceId` says which. */
export type GrantSource =
  | 'arc'
  | 'site'
  | 'transfer'
  | 'application'
  | 'authorization'
  | 'sharing'
  | 'invitation'
  | 'collaboration';
export type BoxState = 'unclaimed' | 'claimed' | 'duplicate' | 'revoked';
export type BoxRow = Selectable<Database['boxes']>;

export type SiteRow = Selectable<Database['sites']>;
export type DeviceRow = Selectable<Database['devices']>;

/** How lists order names. */
export const sortName = (name: string): string => name.normalize('NFKD').toLowerCase().slice(0, 64);
