import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import { nameOf } from './permissions.ts';
import { type AuthorizationOver, covers, GIVEN_SOURCES, live, refreshStatus } from './rules.ts';
import type { Transfers } from './transfers.ts';

/** How often it is looked anew, also for what another relay on the same database wrote. */
const LOOK_MS = 30_000;
/** After a failure. */
const AGAIN_MS = 1_000;
const AT_ONCE = 500;

/**
 * Ends what has an end: permissions, and transfers that nobody accepted. A right is gone at its very millisecond anyway,
 * because every query compares its end with the clock. What is stored and follows from it, the status of sites, is put right
 * here: by a timer, and by {@link due} before any request is answered, so that nobody reads a status that is over.
 */
export class Deadlines {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notifier: Notifier;
  readonly #transfers: Transfers;
  readonly #over: AuthorizationOver;
  /** The earliest end; -Infinity: not known. */
  #next = Number.NEGATIVE_INFINITY;
  #written = false;
  #running: Promise<void> | null = null;
  #release: (() => void) | null = null;
  #stopped = false;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    notifier: Notifier;
    transfers: Transfers;
    over: AuthorizationOver;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notifier = deps.notifier;
    this.#transfers = deps.transfers;
    this.#over = deps.over;
  }

  start(): void {
    this.#tick();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#release?.();
    await this.#running;
  }

  /** Something that may end sooner than what was known was written. */
  changed(): void {
    this.#written = true;
    this.#next = Number.NEGATIVE_INFINITY;
  }

  /** Resolves when everything whose end has come has ended, or could not be. Cheap while there is nothing. */
  async due(): Promise<void> {
    while (this.#clock.now() >= this.#next && !this.#stopped) {
      this.#running ??= this.#run().finally(() => {
        this.#running = null;
      });
      await this.#running;
    }
  }

  #tick(): void {
    this.#release?.();
    this.changed();
    this.due().then(() => {
      if (this.#stopped) return;
      const wait = Math.max(1, Math.min(this.#next - this.#clock.now(), LOOK_MS));
      this.#release = this.#clock.after(wait, () => this.#tick());
    });
  }

  async #run(): Promise<void> {
    const now = this.#clock.now();
    // It stays due until it is done: who asks meanwhile waits. What is written meanwhile is looked at again.
    this.#written = false;
    try {
      const told = await this.#db.transaction().execute(async (trx) => {
        await this.#transfers.registrations(trx);
        return (await this.#endGrants(trx, now)) + (await this.#endTransfers(trx, now));
      });
      if (told > 0) this.#notifier.kick();
      const next = told >= AT_ONCE ? now : await this.#earliest();
      if (!this.#written) this.#next = next;
    } catch (error) {
      this.#log.error({ err: error }, 'what was to end could not be ended');
      this.#next = now + AGAIN_MS;
    }
  }

  async #earliest(): Promise<number> {
    const grant = await this.#db
      .selectFrom('grants')
      .select('untilMs')
      .where('untilMs', 'is not', null)
      .where('source', 'in', GIVEN_SOURCES)
      .orderBy('untilMs')
      .limit(1)
      .executeTakeFirst();
    const transfer = await this.#db
      .selectFrom('transfers')
      .select('expiresMs')
      .where('state', '=', 'sent')
      .orderBy('expiresMs')
      .limit(1)
      .executeTakeFirst();
    return Math.min(Number(grant?.untilMs ?? Infinity), Number(transfer?.expiresMs ?? Infinity));
  }

  async #endGrants(trx: DbOrTrx, now: number): Promise<number> {
    const rows = await trx
      .deleteFrom('grants')
      .where('id', 'in', (e) =>
        e
          .selectFrom('grants as g')
          .select('g.id')
          .where('g.untilMs', 'is not', null)
          .where('g.untilMs', '<=', now)
          .where('g.source', 'in', GIVEN_SOURCES)
          .orderBy('g.untilMs')
          .limit(AT_ONCE),
      )
      .returningAll()
      .execute();
    for (const ended of Map.groupBy(rows, (row) => `${row.companyId} ${row.siteId}`).values()) {
      const { companyId, siteId } = ended[0]!;
      const site = await trx.selectFrom('sites').selectAll().where('id', '=', siteId).executeTakeFirstOrThrow();
      await refreshStatus(trx, siteId, now, this.#over);
      if (site.deletedAt) continue;
      const left = await trx
        .selectFrom('grants')
        .select(['permission', 'deviceId', 'untilMs'])
        .where('siteId', '=', siteId)
        .where('companyId', '=', companyId)
        .execute();
      // Who was given it again for longer has lost nothing.
      const lost = ended.filter(
        (row) => !left.some((other) => live(other, now) && covers(other, row.permission, row.deviceId)),
      );
      if (lost.length === 0) continue;
      const values = { site: site.name, company: await nameOf(trx, companyId), count: String(lost.length) };
      const notice = { category: 'site' as const, values, siteId };
      const after = await trx.selectFrom('sites').select('status').where('id', '=', siteId).executeTakeFirstOrThrow();
      const over = site.status === 'authorized' && after.status === 'not-authorized';
      const code = over ? ('authorization-ended' as const) : ('permissions-ended' as const);
      await this.#notifier.toCompany(trx, companyId, { ...notice, code, link: `/sites/${siteId}/customer` });
      if (site.ownerId) {
        await this.#notifier.toCompany(trx, site.ownerId, {
          ...notice,
          code: 'permissions-ended-owner',
          link: `/sites/${siteId}/access`,
        });
      }
    }
    return rows.length;
  }

  async #endTransfers(trx: DbOrTrx, now: number): Promise<number> {
    const rows = await trx
      .selectFrom('transfers as t')
      .innerJoin('sites as s', 's.id', 't.siteId')
      .select(['t.id', 't.siteId', 't.companyId', 's.name', 's.deletedAt'])
      .where('t.state', '=', 'sent')
      .where('t.expiresMs', '<=', now)
      .orderBy('t.expiresMs')
      .limit(AT_ONCE)
      .execute();
    for (const { id, siteId, companyId, name, deletedAt } of rows) {
      const { numUpdatedRows } = await trx
        .updateTable('transfers')
        .set({ state: 'expired', decidedMs: now })
        .where('id', '=', id)
        .where('state', '=', 'sent')
        .executeTakeFirst();
      if (numUpdatedRows === 0n || deletedAt) continue;
      await trx
        .updateTable('sites')
        .set({ status: 'not-handed-over' })
        .where('id', '=', siteId)
        .where('status', 'in', ['not-registered', 'to-be-accepted'])
        .execute();
      await this.#notifier.toCompany(trx, companyId, {
        category: 'site',
        code: 'transfer-expired',
        values: { site: name },
        link: `/sites/${siteId}/customer`,
        siteId,
      });
    }
    return rows.length;
  }
}
