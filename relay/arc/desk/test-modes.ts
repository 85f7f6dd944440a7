import { type SqlBool, sql } from 'kysely';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../../protocol/clock.ts';
import type { DeskTest, TestSent } from '../../../protocol/wire/arc-desk.ts';
import { type ArcMessageKind, ArcMessageQueued } from '../../../protocol/wire/arc-message.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db } from '../../db/database.ts';
import type { BoxClient } from '../../devices/box-client.ts';
import type { Accounts } from './account-list.ts';
import { nameOf } from './handling.ts';
import { type TestRow, toTest } from './test-row.ts';

const SWEEP_MS = 5_000;
const ASK_MS = 10_000;
/** A receiver that could not be told of a test's end for so long is not told any more. */
const GIVE_UP_MS = 24 * 3_600_000;

/**
 * Test mode of accounts: while it is on, alarms are marked as tests and nobody is called; it ends by itself. The receiver
 * is told of its begin and its end (TS, TE) through the box, as soon as that can be reached. "Send a test now" beside it.
 */
export class TestModes {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #box: BoxClient;
  readonly #accounts: Accounts;
  readonly #changed: (accountId: string) => void;
  readonly #telling = new Set<string>();
  #cancel: (() => void) | null = null;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    box: BoxClient;
    accounts: Accounts;
    changed: (accountId: string) => void;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#box = deps.box;
    this.#accounts = deps.accounts;
    this.#changed = deps.changed;
  }

  start(): void {
    const sweep = () => {
      this.#sweeping = this.#sweeping.then(() =>
        this.#sweep().catch((error) => this.#log.error({ err: error }, 'test modes could not be looked after')),
      );
    };
    sweep();
    this.#cancel = this.#clock.every(SWEEP_MS, sweep);
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#sweeping;
  }

  async begin(scope: Scope, accountId: string, wanted: { minutes: number; note: string }): Promise<DeskTest> {
    const account = await this.#accounts.toUse(scope, accountId);
    const now = this.#clock.now();
    const row: Omit<TestRow, 'rowId'> = {
      id: uuidv7(now),
      accountId,
      companyId: scope.companyId,
      startedMs: now,
      note: wanted.note,
      startedBy: await nameOf(this.#db, scope),
      untilMs: now + wanted.minutes * 60_000,
      endedMs: null,
      endedBy: null,
      beginTold: 'waiting',
      endTold: 'waiting',
    };
    await this.#db.transaction().execute(async (trx) => {
      const on = await trx
        .selectFrom('desk_tests')
        .select(['untilMs', 'startedBy'])
        .where('accountId', '=', accountId)
        .where('endedMs', 'is', null)
        .where('untilMs', '>', now)
        .executeTakeFirst();
      if (on)
        throw new ProblemError(
          'conflict',
          `Account ${account.account} is in test mode already (${on.startedBy}, until ${iso(Number(on.untilMs))}).`,
        );
      await trx.insertInto('desk_tests').values(row).execute();
    });
    this.#log.info({ accountId, userId: scope.userId, untilMs: row.untilMs }, 'test mode begun');
    return this.#told(row.id, accountId);
  }

  /** It lasts so many minutes from now. */
  async change(scope: Scope, accountId: string, minutes: number): Promise<DeskTest> {
    const test = await this.#current(scope, accountId);
    await this.#db
      .updateTable('desk_tests')
      .set({ untilMs: this.#clock.now() + minutes * 60_000 })
      .where('id', '=', test.id)
      .execute();
    return this.#told(test.id, accountId);
  }

  async end(scope: Scope, accountId: string): Promise<void> {
    const test = await this.#current(scope, accountId);
    await this.#db
      .updateTable('desk_tests')
      .set({ endedMs: this.#clock.now(), endedBy: await nameOf(this.#db, scope) })
      .where('id', '=', test.id)
      .where('endedMs', 'is', null)
      .execute();
    this.#log.info({ accountId, userId: scope.userId }, 'test mode ended');
    await this.#told(test.id, accountId);
  }

  /** Newest first. */
  async list(scope: Scope, accountId: string): Promise<DeskTest[]> {
    await this.#accounts.get(scope, accountId);
    const rows = await this.#db
      .selectFrom('desk_tests')
      .selectAll()
      .where('accountId', '=', accountId)
      .orderBy('rowId', 'desc')
      .limit(100)
      .execute();
    return rows.map(toTest);
  }

  /** Asks the box for a test message; what becomes of it is in the lists, under the id that comes back. */
  async send(scope: Scope, accountId: string): Promise<TestSent> {
    const { boxSerial } = await this.#accounts.toUse(scope, accountId);
    const askedAt = iso(this.#clock.now());
    const { id } = await this.#ask(boxSerial, accountId, 'manual-test');
    return { alarmId: id, askedAt };
  }

  async #current(scope: Scope, accountId: string): Promise<TestRow> {
    await this.#accounts.get(scope, accountId);
    scope.must('manage-all-sites', 'manage-assigned-sites');
    const row = await this.#db
      .selectFrom('desk_tests')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('endedMs', 'is', null)
      .where('untilMs', '>', this.#clock.now())
      .executeTakeFirst();
    if (!row) throw new ProblemError('conflict', 'This account is not in test mode.');
    return row;
  }

  async #told(id: string, accountId: string): Promise<DeskTest> {
    const row = await this.#db.selectFrom('desk_tests').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    this.#changed(accountId);
    void this.#tell(id);
    return toTest(row);
  }

  async #sweep(): Promise<void> {
    const now = this.#clock.now();
    const rows = await this.#db
      .selectFrom('desk_tests')
      .selectAll()
      .where(sql<SqlBool>`${sql.ref('endTold')} = 'waiting'`)
      .execute();
    for (const row of rows) {
      if (row.endedMs === null && Number(row.untilMs) <= now) {
        await this.#set(row, { endedMs: Number(row.untilMs) });
      }
      void this.#tell(row.id);
    }
  }

  /** Tells the receiver what it does not know yet; what fails is tried again by the sweep. */
  async #tell(id: string): Promise<void> {
    if (this.#telling.has(id)) return;
    this.#telling.add(id);
    try {
      // As it is now: somebody may have told it since the caller looked.
      const row = await this.#db.selectFrom('desk_tests').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      const over = row.endedMs !== null;
      const late = over && this.#clock.now() - Number(row.endedMs) > GIVE_UP_MS;
      // One that was over before its begin could be told was none for the receiver.
      if (over && row.beginTold === 'waiting') await this.#set(row, { beginTold: 'given-up', endTold: 'given-up' });
      else if (late) await this.#set(row, { endTold: 'given-up' });
      else if (over || row.beginTold === 'waiting') {
        const account = await this.#db
          .selectFrom('arc_accounts')
          .select(['boxSerial', 'deletedAt'])
          .where('id', '=', row.accountId)
          .executeTakeFirst();
        if (!account || account.deletedAt !== null) await this.#set(row, { endTold: 'given-up' });
        else if (this.#box.isConnected(account.boxSerial)) {
          await this.#ask(account.boxSerial, row.accountId, over ? 'test-end' : 'test-begin');
          await this.#set(row, over ? { endTold: 'told' } : { beginTold: 'told' });
        }
      }
    } catch (error) {
      this.#log.warn({ err: error, test: id }, 'the receiver could not be told of a test yet');
    } finally {
      this.#telling.delete(id);
    }
  }

  async #set(row: TestRow, change: Partial<Pick<TestRow, 'endedMs' | 'beginTold' | 'endTold'>>): Promise<void> {
    await this.#db.updateTable('desk_tests').set(change).where('id', '=', row.id).execute();
    this.#changed(row.accountId);
  }

  #ask(serial: string, accountId: string, kind: ArcMessageKind) {
    const path = `/v1/arc/${accountId}/messages`;
    return this.#box.json(serial, ArcMessageQueued, 'POST', path, { body: { kind }, timeoutMs: ASK_MS });
  }
}
