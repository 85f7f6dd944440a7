import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { iso } from '../../../protocol/clock.ts';
import type { Page } from '../../../protocol/wire/api.ts';
import type { DeskAlarm, DeskAlarmDetail, DeskFilter, DeskNote } from '../../../protocol/wire/arc-desk.ts';
import type { Health } from '../../../protocol/wire/uplink.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import { meaningOf } from './codes.ts';

const select = (db: DbOrTrx) =>
  db
    .selectFrom('desk_alarms as m')
    .leftJoin('arc_receivers as r', 'r.id', 'm.receiverId')
    .leftJoin('sites as s', 's.id', 'm.siteId')
    .leftJoin('devices as d', 'd.id', 'm.deviceId')
    .leftJoin('arc_accounts as a', 'a.id', 'm.accountId')
    .selectAll('m')
    .select(['r.name as receiverName', 's.name as siteName', 's.timeZone', 'd.name as deviceName'])
    .select(['a.deletedAt as endedAt', 'a.endedSiteName'])
    .select((e) =>
      e
        .selectFrom('clip_events as c')
        .innerJoin('clips as f', 'f.id', 'c.clipId')
        .select('c.clipId')
        .whereRef('c.eventId', '=', 'm.eventId')
        .whereRef('f.siteId', '=', 'm.siteId')
        .orderBy('c.clipId')
        .limit(1)
        .as('clipId'),
    );
type Query = ReturnType<typeof select>;
type Row = Awaited<ReturnType<Query['execute']>>[number];

/** Whether somebody sees everything on their company's desk, or of certain sites alone. */
export const seesAll = (scope: Scope): boolean => scope.companyType === 'arc' && scope.may('manage-all-sites');

/**
 * The desk's rows that somebody may see: a centre's people all of what it was sent, also of services that have ended,
 * those with assigned sites alone what is theirs; an installer who entered a receiver what they may see of the sites now.
 */
export function onDesk<D, T extends keyof D, O>(query: SelectQueryBuilder<D, T, O>, scope: Scope) {
  const of = query.where(sql<SqlBool>`${sql.ref('m.companyId')} = ${scope.companyId}`);
  if (seesAll(scope)) return of;
  if (scope.companyType !== 'arc') return of.where(scope.reaches('m.siteId', 'm.deviceId', 'view'));
  const site = scope.siteIds('view').where('grants.siteId', '=', sql.ref<string>('m.siteId'));
  return of.where(sql<SqlBool>`exists ${site}`);
}

/** Lists of the desk. Each follows an index of its own, at any length (migration 028). */
export class AlarmList {
  readonly #db: Db;
  readonly #health: (serial: string) => Health | null;

  constructor({ db, health }: { db: Db; health: (serial: string) => Health | null }) {
    this.#db = db;
    this.#health = health;
  }

  async list(
    scope: Scope,
    { limit, cursor, ...filter }: DeskFilter & { limit: number; cursor?: string },
  ): Promise<Page<DeskAlarm>> {
    const rows = await (await this.query(scope, filter, cursor)).limit(limit + 1).execute();
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const next = last && (filter.show === 'open' ? `${last.urgency}.${last.rowId}` : String(last.rowId));
    return { items: shown.map((row) => this.#toAlarm(row)), nextCursor: rows.length > limit && next ? next : null };
  }

  /** The list's query, before its limit. */
  async query(scope: Scope, filter: DeskFilter, cursor?: string): Promise<Query> {
    const { show, urgency, siteId, accountId, account, from, to } = filter;
    const after = cursor === undefined ? null : positionOf(cursor, show);
    const [first, last] = await Promise.all([
      from === undefined ? null : this.#edge(scope, from, 'asc'),
      to === undefined ? null : this.#edge(scope, to, 'desc'),
    ]);
    let q: Query = onDesk(select(this.#db), scope)
      .$if(urgency !== undefined, (b) => b.where('m.urgency', '=', urgency as number))
      .$if(siteId !== undefined, (b) => b.where('m.siteId', '=', siteId as string))
      .$if(accountId !== undefined, (b) => b.where('m.accountId', '=', accountId as string))
      .$if(account !== undefined, (b) => b.where('m.account', '=', account as string))
      .$if(from !== undefined, (b) => b.where('m.rowId', '>=', first ?? Number.MAX_SAFE_INTEGER))
      .$if(to !== undefined, (b) => b.where('m.rowId', '<=', last ?? 0));
    if (show === 'open') {
      q = q.where('m.open', '=', 1).orderBy('m.urgency');
      if (after)
        q = q.where((e) =>
          e.or([
            e('m.urgency', '>', after.urgency),
            e.and([e('m.urgency', '=', after.urgency), e('m.rowId', '<', after.rowId)]),
          ]),
        );
    } else {
      if (show === 'tests') q = q.where('m.test', '=', 1);
      if (after) q = q.where('m.rowId', '<', after.rowId);
    }
    return q.orderBy('m.rowId', 'desc');
  }

  async detail(scope: Scope, id: string): Promise<DeskAlarmDetail> {
    const row = await this.find(scope, id);
    const notes = await this.#db
      .selectFrom('desk_notes')
      .select(['atMs', 'name', 'kind', 'text'])
      .where('alarmId', '=', id)
      .orderBy('rowId')
      .execute();
    const history = notes.map(({ atMs, ...note }): DeskNote => ({ ...note, at: iso(Number(atMs)) }));
    return { ...this.#toAlarm(row), sequence: row.sequence, log: JSON.parse(row.log), history };
  }

  /** The row of an alarm that may be seen; throws `not-found`. */
  async find(scope: Scope, id: string): Promise<Row> {
    const row = await onDesk(select(this.#db), scope).where('m.id', '=', id).executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return row;
  }

  /** For the live stream: not limited by a scope, because the stream is. With the alarms that restores among them end. */
  async items(ids: string[]): Promise<(DeskAlarm & { companyId: string })[]> {
    if (ids.length === 0) return [];
    const rows = await select(this.#db).where('m.id', 'in', ids).orderBy('m.rowId').execute();
    const ended = rows.filter((row) => row.kind === 'restore').flatMap((row) => row.eventId ?? []);
    const begun = ended.length
      ? await select(this.#db).where('m.eventId', 'in', ended).where('m.kind', '=', 'alarm').execute()
      : [];
    return [...rows, ...begun].map((row) => ({ ...this.#toAlarm(row), companyId: row.companyId }));
  }

  /** Ids of alarms about these events. */
  async idsOf(eventIds: string[]): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('desk_alarms')
      .select('id')
      .where('eventId', 'in', eventIds)
      .where('kind', '=', 'alarm')
      .execute();
    return rows.map((row) => row.id);
  }

  /** The first row that the relay heard of at or after a time, or the last before it; rows come in that order. */
  async #edge(scope: Scope, at: string, order: 'asc' | 'desc'): Promise<number | null> {
    const row = await this.#db
      .selectFrom('desk_alarms')
      .select('rowId')
      .where('companyId', '=', scope.companyId)
      .where('takenMs', order === 'asc' ? '>=' : '<', Date.parse(at))
      .orderBy('takenMs', order)
      .orderBy('rowId', order)
      .limit(1)
      .executeTakeFirst();
    return row?.rowId ?? null;
  }

  #toAlarm(row: Row): DeskAlarm {
    const { id, kind, account, receiverId, protocol, code, zone, state, path, tries, occurredAt, queuedAt } = row;
    const { acknowledgedAt, reason, source, accountId, eventType, eventId, boxSerial, deviceId, deviceName } = row;
    const { channel, text, restoredAt, notes, urgency, clipId } = row;
    // Of an account that has ended: as its centre knew it.
    const ended = row.endedAt !== null;
    const siteName = ended ? row.endedSiteName : row.siteName;
    return {
      id,
      kind,
      account,
      receiverId,
      protocol,
      code,
      zone,
      state,
      path,
      tries,
      occurredAt,
      queuedAt,
      acknowledgedAt,
      reason,
      source,
      accountId,
      eventType,
      eventId,
      boxSerial,
      deviceId,
      deviceName,
      channel,
      text,
      restoredAt,
      notes,
      clipId,
      urgency: urgency as DeskAlarm['urgency'],
      meaning: meaningOf(row),
      receiverName: row.receiverName ?? '',
      possibleRepeat: row.possibleRepeat === 1,
      site: row.siteId === null ? null : { id: row.siteId, name: siteName ?? '', timeZone: row.timeZone ?? 'UTC' },
      channelName: ended ? null : this.#channelName(boxSerial, deviceId, channel),
      takenAt: iso(Number(row.takenMs)),
      open: row.open === 1,
      test: row.test === 1,
      handled: row.handledMs === null ? null : { at: iso(Number(row.handledMs)), name: row.handledName ?? '' },
    };
  }

  #channelName(serial: string | null, deviceId: string | null, channel: number | null): string | null {
    if (serial === null || deviceId === null || channel === null) return null;
    const device = this.#health(serial)?.devices.find((one) => one.id === deviceId);
    return device?.channels.find((one) => one.channel === channel)?.name || null;
  }
}

function positionOf(cursor: string, show: DeskFilter['show']): { urgency: number; rowId: number } {
  const [, urgency = '0', rowId] = /^(?:([0-3])\.)?([0-9]{1,15})$/.exec(cursor) ?? [];
  if (rowId === undefined || (show === 'open') !== cursor.includes('.'))
    throw new ProblemError('invalid-request', 'cursor: take it from nextCursor');
  return { urgency: Number(urgency), rowId: Number(rowId) };
}
