import type { Generated, Selectable } from 'kysely';
import type { ArcTables } from '../arc/schema.ts';
import type { ClipTables } from '../clips/schema.ts';

/*
 * Tables of the relay. Portable between SQLite and PostgreSQL: ids are text (UUIDv7), booleans 0/1, times of the wire
 * ISO 8601 text (`…At`), times only computed with integer milliseconds (`…Ms`), documents JSON text. Table names are
 * snake_case, columns camelCase like the API, so that rows need no renaming.
 */
export interface Database extends ArcTables, ClipTables {
  companies: { id: string; name: string; createdAt: string };
  users: { id: string; companyId: string; email: string; name: string; passwordHash: string; createdAt: string };
  /** What a user may reach: all sites of a company, or one site; until `untilMs`. Exactly one of the two ids is set. */
  grants: {
    id: string;
    userId: string;
    companyId: string | null;
    siteId: string | null;
    permission: Permission;
    untilMs: number | null;
  };
  /** View over grants: one row for each site a user may reach. */
  user_sites: { userId: string; siteId: string; permission: Permission; untilMs: number | null };
  sessions: { tokenHash: string; userId: string; createdMs: number; expiresMs: number };
  sites: { id: string; companyId: string; name: string; timeZone: string; createdAt: string };
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
    boxSerial: string;
    name: string;
    kind: 'isapi';
    mac: string | null;
    serial: string | null;
    host: string;
    httpPort: number;
    username: string;
    createdAt: string;
    /** A device taken away keeps its row: its events keep its name. */
    deletedAt: string | null;
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

export type Permission = 'view' | 'manage';
export type BoxState = 'unclaimed' | 'claimed' | 'duplicate' | 'revoked';
export type BoxRow = Selectable<Database['boxes']>;
