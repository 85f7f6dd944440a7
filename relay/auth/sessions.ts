import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ROLE_PERMISSIONS, RolePermission } from '../../protocol/wire/rights.ts';
import type { Db } from '../db/database.ts';
import type { Identity } from './scope.ts';

/** Who a request comes from, and until when. */
export interface Principal extends Identity {
  /** Of the session or the key. */
  id: string;
  kind: 'session' | 'key';
  name: string;
  expiresMs: number;
  /** Of a key that may change nothing. */
  readOnly?: boolean;
}

export const hashToken = (token: string) => createHash('sha256').update(token).digest('hex');
/** How exactly "last used" is kept. */
const SEEN_EVERY_MS = 60_000;

/** Sign-in sessions. Only a hash of each token is stored: who reads the database cannot sign in with it. */
export class Sessions {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #ended = new Set<(sessionId: string) => void>();

  constructor({ db, clock, lifetimeMs = 12 * 3_600_000 }: { db: Db; clock: Clock; lifetimeMs?: number }) {
    this.#db = db;
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
  }

  async create(
    userId: string,
    from: { remote: string; userAgent: string },
  ): Promise<{ token: string; expiresMs: number }> {
    const token = randomBytes(32).toString('base64url');
    const now = this.#clock.now();
    const expiresMs = now + this.#lifetimeMs;
    await this.#db.deleteFrom('sessions').where('expiresMs', '<=', now).execute();
    await this.#db
      .insertInto('sessions')
      .values({
        id: uuidv7(now),
        tokenHash: hashToken(token),
        userId,
        createdMs: now,
        expiresMs,
        seenMs: now,
        remote: from.remote,
        userAgent: from.userAgent.slice(0, 256),
      })
      .execute();
    return { token, expiresMs };
  }

  /** Null for an unknown or ended session, and for who was disabled or whose company was suspended. */
  async find(token: string): Promise<Principal | null> {
    const now = this.#clock.now();
    const row = await this.#db
      .selectFrom('sessions as s')
      .innerJoin('users as u', 'u.id', 's.userId')
      .innerJoin('companies as c', 'c.id', 'u.companyId')
      .select(['s.id', 's.expiresMs', 's.seenMs', 'u.id as userId', 'u.companyId', 'u.name', 'u.admin', 'u.limited'])
      .select('c.type as companyType')
      .where('s.tokenHash', '=', hashToken(token))
      .where('s.expiresMs', '>', now)
      .where('u.enabled', '=', 1)
      .where('u.deletedAt', 'is', null)
      .where('c.suspendedMs', 'is', null)
      .executeTakeFirst();
    if (!row) return null;
    const { seenMs, ...who } = row;
    if (Number(seenMs) <= now - SEEN_EVERY_MS)
      await this.#db.updateTable('sessions').set({ seenMs: now }).where('id', '=', row.id).execute();
    return {
      ...who,
      kind: 'session',
      expiresMs: Number(row.expiresMs),
      admin: row.admin === 1,
      limited: row.limited === 1,
      permissions: await permissionsOf(this.#db, row.userId, row.admin === 1),
    };
  }

  /** Ends one session, or several: what they have open ends with them. */
  async end(...ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#db.deleteFrom('sessions').where('id', 'in', ids).execute();
    for (const id of ids) for (const fn of this.#ended) fn(id);
  }

  /** Ends every session of a user; `except` goes on. */
  async endAllOf(userId: string, except?: string): Promise<void> {
    const rows = await this.#db.selectFrom('sessions').select('id').where('userId', '=', userId).execute();
    await this.end(...rows.map((row) => row.id).filter((id) => id !== except));
  }

  /** Open streams of a session end with it. */
  onEnd(fn: (sessionId: string) => void): () => void {
    this.#ended.add(fn);
    return () => this.#ended.delete(fn);
  }
}

/** What a person's roles hold. */
export async function permissionsOf(db: Db, userId: string, admin: boolean): Promise<Set<RolePermission>> {
  if (admin) return new Set(ROLE_PERMISSIONS);
  const roles = await db
    .selectFrom('user_roles')
    .innerJoin('roles', 'roles.id', 'user_roles.roleId')
    .select('roles.permissions')
    .where('user_roles.userId', '=', userId)
    .execute();
  return new Set(roles.flatMap((role) => RolePermission.array().catch([]).parse(JSON.parse(role.permissions))));
}
