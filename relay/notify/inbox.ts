import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import type { Delivery, Notice, NoticeCategory, Unread } from '../../protocol/wire/notify.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import { type Notifier, toView } from './notifier.ts';

interface PageAsked {
  limit: number;
  cursor?: string;
}

/** What a person does with their notifications, and the operator's view of what could not be delivered. */
export class Inbox {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #notifier: Notifier;

  constructor({ db, clock, notifier }: { db: Db; clock: Clock; notifier: Notifier }) {
    this.#db = db;
    this.#clock = clock;
    this.#notifier = notifier;
  }

  async list(
    scope: Scope,
    asked: PageAsked & { category?: NoticeCategory; unread: boolean; siteId?: string },
  ): Promise<Page<Notice>> {
    const { userId } = scope;
    const before = rowIdOf(asked.cursor);
    const rows = await this.#db
      .selectFrom('notifications')
      .selectAll()
      .where('userId', '=', userId)
      .$if(before !== null, (q) => q.where('rowId', '<', before))
      .$if(asked.category !== undefined, (q) => q.where('category', '=', asked.category!))
      .$if(asked.siteId !== undefined, (q) => q.where('siteId', '=', asked.siteId!))
      .$if(asked.unread, (q) => q.where('readMs', 'is', null))
      .orderBy('rowId', 'desc')
      .limit(asked.limit + 1)
      .execute();
    const locale = await this.#locale(userId);
    const { items, nextCursor } = pageOf(rows, asked.limit, (row) => toView(row, locale));
    return { items: await this.withinReach(scope, items), nextCursor };
  }

  /** What a notice of a site that is no longer in reach says stays; the way to the site goes. */
  async withinReach(scope: Scope, notices: Notice[]): Promise<Notice[]> {
    const siteIds = new Set(notices.flatMap(({ siteId }) => siteId ?? []));
    if (siteIds.size === 0) return notices;
    const rows = await this.#db
      .selectFrom('sites')
      .select('id')
      .where('id', 'in', [...siteIds])
      .where('deletedAt', 'is', null)
      .where('id', 'in', scope.siteIds())
      .execute();
    const reached = new Set(rows.map((row) => row.id));
    return notices.map((notice) =>
      notice.siteId === null || reached.has(notice.siteId) ? notice : { ...notice, siteId: null, link: '' },
    );
  }

  async mark(scope: Scope, id: string, read: boolean): Promise<Notice> {
    const { userId } = scope;
    const now = this.#clock.now();
    await this.#db
      .updateTable('notifications')
      .set({ readMs: read ? now : null })
      .where('id', '=', id)
      .where('userId', '=', userId)
      .$if(read, (q) => q.where('readMs', 'is', null))
      .execute();
    const row = await this.#db
      .selectFrom('notifications')
      .selectAll()
      .where('id', '=', id)
      .where('userId', '=', userId)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    await this.#notifier.tellUnread(userId);
    return (await this.withinReach(scope, [toView(row, await this.#locale(userId))]))[0]!;
  }

  async markAll(userId: string, which: { category?: NoticeCategory; until?: string }): Promise<Unread> {
    const last = which.until
      ? await this.#db
          .selectFrom('notifications')
          .select('rowId')
          .where('id', '=', which.until)
          .where('userId', '=', userId)
          .executeTakeFirst()
      : null;
    if (last === undefined) throw new ProblemError('not-found');
    await this.#db
      .updateTable('notifications')
      .set({ readMs: this.#clock.now() })
      .where('userId', '=', userId)
      .where('readMs', 'is', null)
      .$if(which.category !== undefined, (q) => q.where('category', '=', which.category!))
      .$if(last !== null, (q) => q.where('rowId', '<=', last!.rowId))
      .execute();
    await this.#notifier.tellUnread(userId);
    return this.#notifier.unread(userId);
  }

  /** For the operator: of everybody, without what they say. */
  async deliveries(asked: PageAsked & { state?: Delivery['state'] }): Promise<Page<Delivery>> {
    const before = rowIdOf(asked.cursor);
    const rows = await this.#db
      .selectFrom('outbox as o')
      .leftJoin('users as u', 'u.id', 'o.userId')
      .selectAll('o')
      .select('u.name as person')
      .$if(before !== null, (q) => q.where('o.rowId', '<', before))
      .$if(asked.state !== undefined, (q) => q.where('o.state', '=', asked.state!))
      .orderBy('o.rowId', 'desc')
      .limit(asked.limit + 1)
      .execute();
    return pageOf(rows, asked.limit, (row) => {
      const { id, channel, code, state, tries, reason } = row;
      const recipient = channel === 'push' ? (row.person ?? '') : row.address;
      const times = { createdAt: iso(Number(row.createdMs)), at: iso(Number(row.dueMs)) };
      return { id, channel, recipient, code, state, tries, reason, ...times };
    });
  }

  async #locale(userId: string): Promise<string> {
    const row = await this.#db.selectFrom('users').select('locale').where('id', '=', userId).executeTakeFirst();
    return row?.locale ?? 'en';
  }
}

function rowIdOf(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  if (!/^\d{1,15}$/.test(cursor)) throw new ProblemError('invalid-request', 'cursor: not one of this list');
  return Number(cursor);
}

function pageOf<R extends { rowId: number }, T>(rows: R[], limit: number, item: (row: R) => T): Page<T> {
  const shown = rows.slice(0, limit);
  return { items: shown.map(item), nextCursor: rows.length > limit ? String(shown.at(-1)!.rowId) : null };
}
