import { randomBytes } from 'node:crypto';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { ClipShare, MadeClipShare } from '../../protocol/wire/clips.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ProblemError } from '../api/problem.ts';
import { createScope, type Scope } from '../auth/scope.ts';
import { hashToken, permissionsOf } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import type { ClipRow } from './clip-file.ts';
import type { Clips } from './clips.ts';

const MOST_LIVE = 20;
const HOUR_MS = 3_600_000;

export interface OpenShare {
  clip: ClipRow;
  /** Of who shared it, as they are now. */
  scope: Scope;
  share: { id: string; note: string; untilMs: number };
}

/**
 * Links by which somebody without an account sees one clip until a moment that is told beforehand. A link shows what who
 * made it may still see: it ends with their account, their company's grant, the clip, when it is taken back, and with its
 * time. Only a hash of its token is stored.
 */
export class ClipShares {
  readonly #db: Db;
  readonly #clips: Clips;
  readonly #clock: Clock;
  readonly #publicUrl: () => URL | null;

  constructor(deps: { db: Db; clips: Clips; clock: Clock; publicUrl: () => URL | null }) {
    this.#db = deps.db;
    this.#clips = deps.clips;
    this.#clock = deps.clock;
    this.#publicUrl = deps.publicUrl;
  }

  /** Throws as playing it would, and `limit-reached`. */
  async make(scope: Scope, clipId: string, { hours, note }: { hours: number; note: string }): Promise<MadeClipShare> {
    const clip = await this.#clips.toPlay(scope, clipId);
    const now = this.#clock.now();
    const live = await this.#db
      .selectFrom('clip_shares')
      .select((e) => e.fn.countAll().as('n'))
      .where('clipId', '=', clip.id)
      .where('untilMs', '>', now)
      .where('revokedMs', 'is', null)
      .executeTakeFirstOrThrow();
    if (Number(live.n) >= MOST_LIVE)
      throw new ProblemError('limit-reached', `This clip has ${MOST_LIVE} links already: take one back first.`);
    const token = randomBytes(32).toString('base64url');
    const row = {
      id: uuidv7(now),
      tokenHash: hashToken(token),
      clipId: clip.id,
      note,
      companyId: scope.companyId,
      userId: scope.userId,
      createdMs: now,
      untilMs: now + hours * HOUR_MS,
      revokedMs: null,
      views: 0,
      viewedMs: null,
    };
    await this.#db.insertInto('clip_shares').values(row).execute();
    const [share] = await this.list(scope, clipId, row.id);
    const path = `/s/${token}`;
    const base = this.#publicUrl();
    return { ...(share as ClipShare), path, url: base ? new URL(path, base).href : null };
  }

  /** Links that are good yet: those of the own company; to who owns the site, all. */
  async list(scope: Scope, clipId: string, id?: string): Promise<ClipShare[]> {
    const clip = await this.#clips.toPlay(scope, clipId);
    const rows = await (await this.#visible(scope, clip, id))
      .leftJoin('users as u', 'u.id', 's.userId')
      .selectAll('s')
      .select(['u.name as userName', 'u.deletedAt as userDeletedAt'])
      .where('s.untilMs', '>', this.#clock.now())
      .orderBy('s.createdMs')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      note: row.note,
      createdAt: iso(Number(row.createdMs)),
      expiresAt: iso(Number(row.untilMs)),
      by: row.userDeletedAt === null ? (row.userName ?? '') : '',
      views: row.views,
      viewedAt: row.viewedMs === null ? null : iso(Number(row.viewedMs)),
    }));
  }

  /** Takes a link back; throws `not-found`. */
  async revoke(scope: Scope, clipId: string, id: string): Promise<ClipRow> {
    const clip = await this.#clips.toPlay(scope, clipId);
    const [found] = await (await this.#visible(scope, clip, id)).select('s.id').execute();
    if (!found) throw new ProblemError('not-found');
    await this.#db.updateTable('clip_shares').set({ revokedMs: this.#clock.now() }).where('id', '=', id).execute();
    return clip;
  }

  /** What stands behind a token now; throws `link-invalid`, whatever the reason: strangers learn none. */
  async open(token: string): Promise<OpenShare> {
    const share = /^[\w-]{43}$/.test(token)
      ? await this.#db
          .selectFrom('clip_shares as s')
          .innerJoin('users as u', 'u.id', 's.userId')
          .innerJoin('companies as c', 'c.id', 's.companyId')
          .select(['s.id', 's.clipId', 's.note', 's.untilMs', 's.companyId', 's.userId', 'u.admin', 'u.limited'])
          .select('c.type as companyType')
          .where('s.tokenHash', '=', hashToken(token))
          .where('s.untilMs', '>', this.#clock.now())
          .where('s.revokedMs', 'is', null)
          .whereRef('u.companyId', '=', 's.companyId')
          .where('u.enabled', '=', 1)
          .where('u.deletedAt', 'is', null)
          .where('c.suspendedMs', 'is', null)
          .executeTakeFirst()
      : undefined;
    if (!share) throw new ProblemError('link-invalid');
    const { id, clipId, note, untilMs, userId, companyId, companyType } = share;
    const admin = share.admin === 1;
    const scope = createScope(this.#db, this.#clock, {
      userId,
      companyId,
      companyType,
      admin,
      limited: share.limited === 1,
      permissions: await permissionsOf(this.#db, userId, admin),
    });
    const clip = await this.#clips.toPlay(scope, clipId).catch((error) => {
      throw error instanceof ProblemError ? new ProblemError('link-invalid') : error;
    });
    return { clip, scope, share: { id, note, untilMs: Number(untilMs) } };
  }

  /** Somebody looked. */
  async viewed(id: string): Promise<void> {
    await this.#db
      .updateTable('clip_shares')
      .set((e) => ({ views: e('views', '+', 1), viewedMs: this.#clock.now() }))
      .where('id', '=', id)
      .execute();
  }

  async #ofAll(scope: Scope, { siteId }: ClipRow): Promise<boolean> {
    return (await scope.holds(siteId, null, 'own')) || (await scope.holds(siteId, null, 'all'));
  }

  async #visible(scope: Scope, clip: ClipRow, id?: string) {
    const all = await this.#ofAll(scope, clip);
    return this.#db
      .selectFrom('clip_shares as s')
      .where('s.clipId', '=', clip.id)
      .where('s.revokedMs', 'is', null)
      .$if(id !== undefined, (q) => q.where('s.id', '=', id as string))
      .$if(!all, (q) => q.where('s.companyId', '=', scope.companyId));
  }
}
