import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import {
  type ApiKey,
  type CreateApiKey,
  type CreatedApiKey,
  KEY_PERMISSIONS,
  MAX_KEYS,
} from '../../protocol/wire/keys.ts';
import { RolePermission } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import { hashToken, type Principal, permissionsOf, type Sessions } from '../auth/sessions.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { AccessTokens } from './access-tokens.ts';
import { isToken, newToken, SHOWN } from './token.ts';

/** How exactly "last used" is kept. */
const USED_EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
/** The key of a centre stays until it is taken away. */
const NEVER_MS = Date.UTC(9999, 11, 31);

/**
 * Keys of programs. A key holds what it was given of its maker's permissions, as long as they hold it, until its end; only a
 * hash of it is stored. Key and secret (its id and its token) can be exchanged for an access token, too. The key of an alarm
 * receiving centre acts for its company, as its administrator may, and only by such a token.
 */
export class ApiKeys {
  readonly tokens: AccessTokens;
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #sessions: Sessions;

  constructor({ db, clock, log, sessions }: { db: Db; clock: Clock; log: Logger; sessions: Sessions }) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#sessions = sessions;
    this.tokens = new AccessTokens({ db, clock });
  }

  /** Null for what is no key, an ended one, and one whose maker or company is no longer let in. */
  async find(token: string): Promise<Principal | null> {
    const access = await this.tokens.keyOf(token);
    if (!access && !isToken(token)) return null;
    const now = this.#clock.now();
    const row = await this.#db
      .selectFrom('api_keys as k')
      .innerJoin('users as u', (join) =>
        join.on((e) =>
          e.or([
            e.and([e('k.purpose', '=', 'program'), e('u.id', '=', e.ref('k.userId'))]),
            e.and([e('k.purpose', '=', 'arc'), e('u.companyId', '=', e.ref('k.companyId')), e('u.admin', '=', 1)]),
          ]),
        ),
      )
      .innerJoin('companies as c', 'c.id', 'k.companyId')
      .select([
        'k.id',
        'k.name',
        'k.companyId',
        'u.id as userId',
        'k.permissions',
        'k.readOnly',
        'k.sites',
        'k.expiresMs',
      ])
      .select(['k.usedMs', 'u.admin', 'u.limited', 'c.type as companyType'])
      .$if(access !== null, (q) => q.where('k.id', '=', access!.keyId))
      .$if(access === null, (q) => q.where('k.tokenHash', '=', hashToken(token)).where('k.purpose', '=', 'program'))
      .where('k.expiresMs', '>', now)
      .where('k.revokedMs', 'is', null)
      .where('u.enabled', '=', 1)
      .where('u.deletedAt', 'is', null)
      .where('c.suspendedMs', 'is', null)
      .executeTakeFirst();
    if (!row) return null;
    if ((row.usedMs ?? 0) <= now - USED_EVERY_MS)
      await this.#db.updateTable('api_keys').set({ usedMs: now }).where('id', '=', row.id).execute();
    const held = await permissionsOf(this.#db, row.userId, row.admin === 1);
    return {
      kind: 'key',
      id: row.id,
      name: row.name,
      userId: row.userId,
      companyId: row.companyId,
      companyType: row.companyType,
      admin: false,
      limited: row.limited === 1,
      permissions: new Set(permissionList(row.permissions).filter((permission) => held.has(permission))),
      readOnly: row.readOnly === 1,
      sites: row.sites === null ? undefined : (JSON.parse(row.sites) as string[]),
      expiresMs: access?.expiresMs ?? row.expiresMs,
    };
  }

  /** The company's keys that have not ended, newest first. */
  async list(scope: Scope): Promise<ApiKey[]> {
    scope.must('manage-accounts');
    const rows = await this.#db
      .selectFrom('api_keys as k')
      .innerJoin('users as u', 'u.id', 'k.userId')
      .selectAll('k')
      .select('u.name as userName')
      .where('k.companyId', '=', scope.companyId)
      .where('k.purpose', '=', 'program')
      .where('k.revokedMs', 'is', null)
      .where('k.expiresMs', '>', this.#clock.now())
      .orderBy('k.id', 'desc')
      .limit(MAX_KEYS)
      .execute();
    const sites = await this.#siteNames(rows.flatMap((row) => (JSON.parse(row.sites ?? '[]') as string[]) ?? []));
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      prefix: row.prefix,
      permissions: permissionList(row.permissions),
      readOnly: row.readOnly === 1,
      sites:
        row.sites === null
          ? null
          : (JSON.parse(row.sites) as string[]).flatMap((id) => (sites.has(id) ? [{ id, name: sites.get(id)! }] : [])),
      createdBy: { userId: row.userId, name: row.userName },
      createdAt: iso(row.createdMs),
      expiresAt: iso(row.expiresMs),
      lastUsedAt: row.usedMs === null ? null : iso(row.usedMs),
    }));
  }

  async create(scope: Scope, wanted: z.output<typeof CreateApiKey>): Promise<CreatedApiKey> {
    scope.must('manage-accounts');
    const lacking = wanted.permissions.filter((permission) => !scope.may(permission));
    if (lacking.length > 0) {
      throw new ProblemError('not-allowed', `A key cannot hold what you do not hold: ${lacking.join(', ')}.`);
    }
    const sites = wanted.sites && [...new Set(wanted.sites)];
    // Each through the scope, so that a foreign one is not found.
    for (const siteId of sites ?? []) await scope.site(siteId);
    const token = newToken();
    const now = this.#clock.now();
    const id = uuidv7(now);
    await this.#db.transaction().execute(async (trx) => {
      const { count } = await trx
        .selectFrom('api_keys')
        .select((e) => e.fn.countAll<number>().as('count'))
        .where('companyId', '=', scope.companyId)
        .where('purpose', '=', 'program')
        .where('revokedMs', 'is', null)
        .where('expiresMs', '>', now)
        .executeTakeFirstOrThrow();
      if (Number(count) >= MAX_KEYS)
        throw new ProblemError('limit-reached', `A company has at most ${MAX_KEYS} keys: revoke one first.`);
      await trx
        .insertInto('api_keys')
        .values({
          id,
          companyId: scope.companyId,
          userId: scope.userId,
          name: wanted.name,
          prefix: token.slice(0, SHOWN),
          tokenHash: hashToken(token),
          permissions: JSON.stringify([...new Set(wanted.permissions)]),
          readOnly: wanted.readOnly ? 1 : 0,
          sites: sites && JSON.stringify(sites),
          createdMs: now,
          expiresMs: now + wanted.days * DAY_MS,
          usedMs: null,
          revokedMs: null,
        })
        .execute();
    });
    this.#log.info({ keyId: id, companyId: scope.companyId, userId: scope.userId }, 'API key made');
    const key = (await this.list(scope)).find((one) => one.id === id);
    if (!key) throw new ProblemError('not-found');
    return { ...key, token };
  }

  /** Ends a key at once, with what it has open. Returns its name. */
  async revoke(scope: Scope, keyId: string): Promise<string> {
    const row = await this.#db
      .selectFrom('api_keys')
      .select('name')
      .where('id', '=', keyId)
      .where('companyId', '=', scope.companyId)
      .where('purpose', '=', 'program')
      .where('revokedMs', 'is', null)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    scope.must('manage-accounts');
    await this.#db.updateTable('api_keys').set({ revokedMs: this.#clock.now() }).where('id', '=', keyId).execute();
    await this.#sessions.end(keyId);
    this.#log.info({ keyId, companyId: scope.companyId, userId: scope.userId }, 'API key revoked');
    return row.name;
  }

  /**
   * ARC ID and ARC key of a centre: a key that acts for its company. With `keyId` the key gets another secret, and what the
   * old one was exchanged for ends; the caller calls {@link cut} after its commit.
   */
  async issueForCentre(
    trx: DbOrTrx,
    centre: { companyId: string; userId: string; keyId: string | null },
  ): Promise<{ keyId: string; secret: string }> {
    const secret = newToken();
    const now = this.#clock.now();
    const fresh = { prefix: secret.slice(0, SHOWN), tokenHash: hashToken(secret), usedMs: null };
    if (centre.keyId !== null) {
      await trx.updateTable('api_keys').set(fresh).where('id', '=', centre.keyId).execute();
      await trx.deleteFrom('api_access_tokens').where('keyId', '=', centre.keyId).execute();
      return { keyId: centre.keyId, secret };
    }
    const keyId = uuidv7(now);
    await trx
      .insertInto('api_keys')
      .values({
        id: keyId,
        companyId: centre.companyId,
        userId: centre.userId,
        name: 'ARC',
        purpose: 'arc',
        ...fresh,
        permissions: JSON.stringify(KEY_PERMISSIONS),
        readOnly: 0,
        sites: null,
        createdMs: now,
        expiresMs: NEVER_MS,
        revokedMs: null,
      })
      .execute();
    return { keyId, secret };
  }

  async endForCentre(trx: DbOrTrx, keyId: string): Promise<void> {
    await trx.updateTable('api_keys').set({ revokedMs: this.#clock.now() }).where('id', '=', keyId).execute();
    await trx.deleteFrom('api_access_tokens').where('keyId', '=', keyId).execute();
  }

  /** What a key has open ends. */
  async cut(keyId: string): Promise<void> {
    await this.#sessions.end(keyId);
  }

  async #siteNames(ids: string[]): Promise<Map<string, string>> {
    if (ids.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom('sites')
      .select(['id', 'name'])
      .where('id', 'in', [...new Set(ids)])
      .execute();
    return new Map(rows.map((row) => [row.id, row.name]));
  }
}

const permissionList = (text: string) => RolePermission.array().catch([]).parse(JSON.parse(text)).filter(isForKeys);
const isForKeys = (permission: RolePermission): permission is (typeof KEY_PERMISSIONS)[number] =>
  (KEY_PERMISSIONS as readonly RolePermission[]).includes(permission);
