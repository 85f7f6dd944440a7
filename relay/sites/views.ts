import { iso } from '../../protocol/clock.ts';
import type { Box, Device, Site } from '../../protocol/wire/api.ts';
import { OPERATION_NEEDS, SITE_OPERATIONS, STATUS_ALLOWS } from '../../protocol/wire/rights.ts';
import type { Warnable, WarnableCode } from '../../protocol/wire/warnable.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { BoxRow, DeviceRow, SiteRow } from '../db/schema.ts';
import type { HealthStore } from '../health/health.ts';
import type { Presence } from '../health/presence.ts';
import type { SiteWarnables } from '../health/warnables.ts';

/** Rows of the database and what the boxes tell now, put together as the API shows them. */
export class Views {
  readonly #db: Db;
  readonly #presence: Presence;
  readonly #health: HealthStore;
  readonly #warnables: SiteWarnables;
  readonly #tunnelUp: (serial: string) => boolean;

  constructor(deps: {
    db: Db;
    presence: Presence;
    health: HealthStore;
    warnables: SiteWarnables;
    tunnelUp: (serial: string) => boolean;
  }) {
    this.#db = deps.db;
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
    const { createdAt: _, deletedAt: __, ...device } = row;
    const health = row.boxSerial && this.#presence.online(row.boxSerial) ? this.#health.get(row.boxSerial) : null;
    return { ...device, health: health?.devices.find((d) => d.id === row.id) ?? null };
  }

  async sites(scope: Scope, rows: SiteRow[]): Promise<Site[]> {
    const ids = rows.map((row) => row.id);
    if (ids.length === 0) return [];
    const boxes = Map.groupBy(
      await this.#db.selectFrom('boxes').selectAll().where('siteId', 'in', ids).orderBy('serial').execute(),
      (box) => box.siteId,
    );
    const counts = await this.#db
      .selectFrom('devices')
      .select(['siteId', (e) => e.fn.countAll<number>().as('count')])
      .where('siteId', 'in', ids)
      .where('deletedAt', 'is', null)
      .groupBy('siteId')
      .execute();
    const own = await this.#warnables.list(ids);
    const held = await scope.permissionsOn(ids);
    return rows.map(({ id, name, timeZone, type, status }) => {
      const permissions = held.get(id) ?? [];
      const sees = permissions.includes('view');
      const here = sees ? (boxes.get(id) ?? []) : [];
      return {
        id,
        name,
        timeZone,
        type,
        status,
        permissions,
        operations: SITE_OPERATIONS.filter(
          (operation) => STATUS_ALLOWS[operation].includes(status) && permissions.includes(OPERATION_NEEDS[operation]),
        ),
        deviceCount: Number(counts.find((c) => c.siteId === id)?.count ?? 0),
        boxes: here.map((row) => {
          const { health: _, ...box } = this.box(row);
          return box;
        }),
        warnables: [...(sees ? (own.get(id) ?? []) : []), ...here.flatMap((row) => this.#boxWarnables(row))],
      };
    });
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
