import { sql } from 'kysely';
import type { Alarm, Clip, EventDetail, EventItem, EventQuery, Page } from '../../protocol/wire/api.ts';
import type { EventType } from '../../protocol/wire/event.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';

/** What clips and alarms tell about events; by event id. */
export interface EventParts {
  clips(eventIds: string[]): Promise<Map<string, Clip>>;
  alarms(eventIds: string[]): Promise<Map<string, Alarm[]>>;
}

const select = (db: Db) =>
  db
    .selectFrom('events as e')
    .leftJoin('devices as d', 'd.id', 'e.deviceId')
    .select(['e.rowId', 'e.id', 'e.siteId', 'e.boxSerial', 'e.deviceId', 'e.channel', 'e.occurredAt', 'e.receivedAt'])
    .select(['e.endedAt', 'e.text', 'e.sourceRef', 'd.name as deviceName', sql<EventType>`e.type`.as('type')]);
type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number];

/**
 * Lists of events in the relay's own order. Every query follows an index and takes one page, a fraction of a
 * millisecond, so that none holds up the commit behind a PUBACK on SQLite's one connection; what scans (reports,
 * exports) will need a worker with a connection of its own.
 */
export class EventQueries {
  readonly #db: Db;
  readonly #parts: EventParts;

  constructor({ db, parts }: { db: Db; parts: EventParts }) {
    this.#db = db;
    this.#parts = parts;
  }

  /** Newest first; the cursor is the row id of the last item. Of a time: in the order in which they happened. */
  async list(scope: Scope, siteId: string, page: EventQuery): Promise<Page<EventItem>> {
    const site = await scope.site(siteId);
    if (page.from !== undefined && page.to !== undefined)
      return this.#between(scope, site.id, { ...page, from: page.from, to: page.to });
    const before = page.cursor === undefined ? null : rowIdOf(page.cursor);
    const rows = await select(this.#db)
      .where('e.siteId', '=', site.id)
      .where(scope.reaches('e.siteId', 'e.deviceId', 'view'))
      .$if(page.type !== undefined, (q) => q.where('e.type', '=', page.type as string))
      .$if(before !== null, (q) => q.where('e.rowId', '<', before))
      .orderBy('e.rowId', 'desc')
      .limit(page.limit + 1)
      .execute();
    const shown = rows.slice(0, page.limit);
    const last = shown.at(-1);
    return {
      items: (await this.#details(shown)).map(toItem),
      nextCursor: rows.length > page.limit && last ? String(last.rowId) : null,
    };
  }

  /** Earliest first; the cursor is when the last item happened, and its row id. */
  async #between(
    scope: Scope,
    siteId: string,
    page: EventQuery & { from: string; to: string },
  ): Promise<Page<EventItem>> {
    const after = page.cursor === undefined ? null : placeOf(page.cursor);
    const [from, to] = [page.from, page.to].map((at) => new Date(at).toISOString());
    const rows = await select(this.#db)
      .where('e.siteId', '=', siteId)
      .where(scope.reaches('e.siteId', 'e.deviceId', 'view'))
      .where('e.occurredAt', '>=', after?.at ?? from!)
      .where('e.occurredAt', '<', to!)
      .$if(page.type !== undefined, (q) => q.where('e.type', '=', page.type as string))
      .$if(page.deviceId !== undefined, (q) => q.where('e.deviceId', '=', page.deviceId as string))
      .$if(page.channel !== undefined, (q) => q.where('e.channel', '=', page.channel as number))
      .$if(after !== null, (q) =>
        q.where((e) => e.or([e('e.occurredAt', '>', after!.at), e('e.rowId', '>', after!.rowId)])),
      )
      .orderBy('e.occurredAt')
      .orderBy('e.rowId')
      .limit(page.limit + 1)
      .execute();
    const shown = rows.slice(0, page.limit);
    const last = shown.at(-1);
    return {
      items: (await this.#details(shown)).map(toItem),
      nextCursor: rows.length > page.limit && last ? `${last.occurredAt}_${last.rowId}` : null,
    };
  }

  async detail(scope: Scope, id: string): Promise<EventDetail> {
    const rows = await select(this.#db)
      .where('e.id', '=', id)
      .where(scope.reaches('e.siteId', 'e.deviceId', 'view'))
      .execute();
    const [detail] = await this.#details(rows);
    if (!detail) throw new ProblemError('not-found');
    return detail;
  }

  /** For the live stream: not limited by a scope, because the stream is. */
  async items(ids: string[]): Promise<EventItem[]> {
    if (ids.length === 0) return [];
    const rows = await select(this.#db).where('e.id', 'in', ids).orderBy('e.rowId').execute();
    return (await this.#details(rows)).map(toItem);
  }

  async #details(rows: Row[]): Promise<EventDetail[]> {
    const ids = rows.map((row) => row.id);
    if (ids.length === 0) return [];
    const clips = await this.#parts.clips(ids);
    const alarms = await this.#parts.alarms(ids);
    return rows.map(({ rowId: _, ...row }) => ({
      ...row,
      clip: clips.get(row.id) ?? null,
      alarms: alarms.get(row.id) ?? [],
    }));
  }
}

function toItem({ clip, alarms, ...event }: EventDetail): EventItem {
  return {
    ...event,
    clip: clip && { id: clip.id, state: clip.state, durationMs: clip.durationMs },
    alarms: alarms.map(({ id, state, kind, path, tries, occurredAt, acknowledgedAt }) => ({
      id,
      state,
      kind,
      path,
      tries,
      occurredAt,
      acknowledgedAt,
    })),
  };
}

function placeOf(cursor: string): { at: string; rowId: number } {
  const found = /^(\d{4}-\d\d-\d\dT[\d:.]{8,12}Z)_(\d{1,15})$/.exec(cursor);
  if (!found) throw new ProblemError('invalid-request', 'cursor: take it from nextCursor');
  return { at: found[1]!, rowId: Number(found[2]) };
}

function rowIdOf(cursor: string): number {
  if (!/^[0-9]{1,15}$/.test(cursor)) throw new ProblemError('invalid-request', 'cursor: take it from nextCursor');
  return Number(cursor);
}
