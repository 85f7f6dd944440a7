import type { Expression, SqlBool } from 'kysely';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Box, Device, Site } from '../../protocol/wire/api.ts';
import type { Warnable, WarnableCode } from '../../protocol/wire/warnable.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { BoxRow, DeviceRow, SiteRow } from '../db/schema.ts';
import type { HealthStore } from '../health/health.ts';
import type { Presence } from '../health/presence.ts';
import type { SiteWarnables } from '../health/warnables.ts';
import { operationsOf } from './operations.ts';

const SHOWN_MANAGERS = 3;

/** Rows of the database and what the boxes tell now, put together as the API shows them. */
export class Views {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #presence: Presence;
  readonly #health: HealthStore;
  readonly #warnables: SiteWarnables;
  readonly #tunnelUp: (serial: string) => boolean;

  constructor(deps: {
    db: Db;
    clock: Clock;
    presence: Presence;
    health: HealthStore;
    warnables: SiteWarnables;
    tunnelUp: (serial: string) => boolean;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#presence = deps.presence;
    this.#health = deps.health;
    this.#warnables = deps.warnables;
    this.#tunnelUp = deps.tunnelUp;
  }

  box(row: BoxRow): Box {
    const online = this.#presence.online(row.serial);
    const sinceMs = this.#presence.sinceMs(row.serial) ?? row.seenMs;
    // What a box said before it went is no longer known to be so.
    const health = online ? this.#health.get(row.serial) : null;
    return {
      serial: row.serial,
      siteId: row.siteId as string,
      state: row.state as Box['state'],
      online,
      since: sinceMs === null ? null : iso(Number(sinceMs)),
      tunnel: this.#tunnelUp(row.serial),
      version: health?.version ?? row.version,
      health,
    };
  }

  device(row: DeviceRow): Device {
    const { createdAt: _, deletedAt: __, oldTls, ...device } = row;
    const health = row.boxSerial && this.#presence.online(row.boxSerial) ? this.#health.get(row.boxSerial) : null;
    return { ...device, oldTls: oldTls === 1, health: health?.devices.find((d) => d.id === row.id) ?? null };
  }

  /** As many queries for one site as for two hundred. */
  async sites(scope: Scope, rows: SiteRow[]): Promise<Site[]> {
    const ids = rows.map((row) => row.id);
    if (ids.length === 0) return [];
    const db = this.#db;
    const named = (values: (string | null)[]) => [...new Set(values.filter((value) => value !== null))];
    const boxRows = await db.selectFrom('boxes').selectAll().where('siteId', 'in', ids).orderBy('serial').execute();
    const boxes = Map.groupBy(boxRows, (box) => box.siteId);
    // Of the company's own sites all devices count; of others' those that may be seen.
    const own = rows.filter((row) => row.companyId === scope.companyId).map((row) => row.id);
    const others = rows.filter((row) => row.companyId !== scope.companyId).map((row) => row.id);
    const counts = [
      ...(await this.#counts(own)),
      ...(await this.#counts(others, scope.reaches('devices.siteId', 'devices.id', 'list'))),
    ];
    const countOf = new Map(counts.map((row) => [row.siteId, row]));
    const companies = await db
      .selectFrom('companies')
      .select(['id', 'name'])
      .where('id', 'in', named(rows.flatMap((row) => [row.companyId, row.ownerId])))
      .execute();
    const nameOf = new Map(companies.map((row) => [row.id, row.name]));
    const groupIds = named(rows.map((row) => row.groupId));
    const groups =
      groupIds.length === 0
        ? []
        : await db.selectFrom('site_groups').select(['id', 'name']).where('id', 'in', groupIds).execute();
    const found = await this.#warnables.list(ids);
    const held = await scope.permissionsOn(ids);
    const managers = await this.#managers(scope, ids);
    return rows.map((row) => {
      const { id, companyId, latitude, longitude } = row;
      const permissions = held.get(id) ?? [];
      const sees = permissions.includes('view');
      const mine = companyId === scope.companyId;
      const here = sees ? (boxes.get(id) ?? []) : [];
      const shown = (text: string) => (mine || sees ? text : '');
      return {
        id,
        name: row.name,
        timeZone: row.timeZone,
        type: row.type,
        status: row.status,
        permissions,
        operations: operationsOf(scope, row, permissions),
        syncTime: row.syncTime === 1,
        scene: shown(row.scene),
        address: shown(row.address),
        city: shown(row.city),
        region: shown(row.region),
        country: shown(row.country),
        latitude: mine || sees ? latitude : null,
        longitude: mine || sees ? longitude : null,
        remark: mine ? row.remark : null,
        group: mine ? (groups.find((group) => group.id === row.groupId) ?? null) : null,
        own: mine,
        companyName: nameOf.get(companyId) ?? '',
        ownerName: row.ownerId === null ? null : (nameOf.get(row.ownerId) ?? null),
        managers: managers.get(id) ?? { count: 0, first: [] },
        deviceCount: Number(countOf.get(id)?.count ?? 0),
        channelCount: Number(countOf.get(id)?.sum ?? 0),
        boxes: here.map((box) => {
          const { health: _, ...shownBox } = this.box(box);
          return shownBox;
        }),
        warnables: [...(sees ? (found.get(id) ?? []) : []), ...here.flatMap((box) => this.#boxWarnables(box))],
      };
    });
  }

  #counts(siteIds: string[], where?: Expression<SqlBool>) {
    if (siteIds.length === 0) return [];
    return this.#db
      .selectFrom('devices')
      .select(['siteId', (e) => e.fn.countAll<number>().as('count'), (e) => e.fn.sum<number>('channelCount').as('sum')])
      .where('siteId', 'in', siteIds)
      .where('deletedAt', 'is', null)
      .$if(where !== undefined, (q) => q.where(where!))
      .groupBy('siteId')
      .execute();
  }

  /** Of the caller's own company; those whose time ends first come first. */
  async #managers(scope: Scope, ids: string[]): Promise<Map<string, Site['managers']>> {
    const rows = await this.#db
      .selectFrom('site_managers as m')
      .innerJoin('users as u', 'u.id', 'm.userId')
      .select(['m.siteId', 'm.userId', 'm.untilMs', 'u.name'])
      .where('m.siteId', 'in', ids)
      .where('u.companyId', '=', scope.companyId)
      .where('u.deletedAt', 'is', null)
      .where((f) => f.or([f('m.untilMs', 'is', null), f('m.untilMs', '>', this.#clock.now())]))
      .execute();
    const end = (row: { untilMs: number | null }) => row.untilMs ?? Number.POSITIVE_INFINITY;
    return new Map(
      [...Map.groupBy(rows, (row) => row.siteId)].map(([siteId, list]) => [
        siteId,
        {
          count: list.length,
          first: list
            .sort((a, b) => (end(a) < end(b) ? -1 : end(a) > end(b) ? 1 : a.name.localeCompare(b.name)))
            .slice(0, SHOWN_MANAGERS)
            .map(({ userId, name, untilMs }) => ({ userId, name, until: untilMs === null ? null : iso(untilMs) })),
        },
      ]),
    );
  }

  #boxWarnables(row: BoxRow): Warnable[] {
    if (row.state !== 'claimed') return [];
    const box = this.box(row);
    const subject = `box:${row.serial}`;
    if (!box.online) {
      return [
        {
          code: 'box-gone' satisfies WarnableCode,
          subject,
          severity: 'error',
          text: `Box ${row.serial} is not connected. What happens there is kept on the box and arrives when it is back. Check its power and its internet connection.`,
          since: box.since ?? iso(Number(row.enrolledMs)),
        },
      ];
    }
    return (box.health?.warnables ?? []).map((w) => (w.subject === 'box' ? { ...w, subject } : w));
  }
}
