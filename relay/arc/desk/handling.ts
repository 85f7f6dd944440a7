import type { Clock } from '../../../protocol/clock.ts';
import type { DeskNote } from '../../../protocol/wire/arc-desk.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import { type AlarmList, onDesk } from './alarm-list.ts';

/** What people at the desk do about alarms: acknowledge, note, and take an acknowledgement back that was a slip. */
export class Handling {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #list: AlarmList;

  constructor({ db, clock, list }: { db: Db; clock: Clock; list: AlarmList }) {
    this.#db = db;
    this.#clock = clock;
    this.#list = list;
  }

  /** Throws `conflict` when somebody else was first, with their name: two people must not both think it is theirs. */
  async acknowledge(scope: Scope, id: string, note: string): Promise<void> {
    const row = await this.#find(scope, id);
    await this.#db.transaction().execute(async (trx) => {
      if (await this.#close(trx, scope, [id], note)) return;
      const now = await trx
        .selectFrom('desk_alarms')
        .select(['handledBy', 'handledName'])
        .where('id', '=', row.id)
        .executeTakeFirst();
      if (now?.handledBy === scope.userId) return;
      throw new ProblemError(
        'conflict',
        now?.handledBy
          ? `${now.handledName} has acknowledged this alarm already.`
          : 'Nobody has to acknowledge this message.',
      );
    });
  }

  /** Those of them that are still open and in sight; returns their ids. */
  async acknowledgeMany(scope: Scope, ids: string[], note: string): Promise<string[]> {
    scope.must('manage-all-sites', 'manage-assigned-sites');
    return this.#db.transaction().execute(async (trx) => {
      const rows = await onDesk(trx.selectFrom('desk_alarms as m').select('m.id'), scope)
        .where('m.id', 'in', ids)
        .where('m.open', '=', 1)
        .execute();
      const open = rows.map((row) => row.id);
      if (open.length > 0) await this.#close(trx, scope, open, note);
      return open;
    });
  }

  /** It waits for somebody again. */
  async reopen(scope: Scope, id: string): Promise<void> {
    await this.#find(scope, id);
    await this.#db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('desk_alarms')
        .set({ open: 1, handledMs: null, handledBy: null, handledName: null })
        .where('id', '=', id)
        .where('handledMs', 'is not', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new ProblemError('conflict', 'Nobody has acknowledged this alarm.');
      await this.#note(trx, scope, [id], 'reopened', '');
    });
  }

  async addNote(scope: Scope, id: string, text: string): Promise<void> {
    await this.#find(scope, id);
    await this.#db.transaction().execute((trx) => this.#note(trx, scope, [id], 'note', text));
  }

  async #find(scope: Scope, id: string) {
    const row = await this.#list.find(scope, id);
    scope.must('manage-all-sites', 'manage-assigned-sites');
    return row;
  }

  /** False when none of them was open. */
  async #close(trx: DbOrTrx, scope: Scope, ids: string[], note: string): Promise<boolean> {
    const { numUpdatedRows } = await trx
      .updateTable('desk_alarms')
      .set({ open: 0, handledMs: this.#clock.now(), handledBy: scope.userId, handledName: await nameOf(trx, scope) })
      .where('id', 'in', ids)
      .where('open', '=', 1)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await this.#note(trx, scope, ids, 'acknowledged', note);
    return true;
  }

  async #note(trx: DbOrTrx, scope: Scope, ids: string[], kind: DeskNote['kind'], text: string): Promise<void> {
    const said = { userId: scope.userId, name: await nameOf(trx, scope), atMs: this.#clock.now(), kind, text };
    await trx
      .insertInto('desk_notes')
      .values(ids.map((alarmId) => ({ alarmId, ...said })))
      .execute();
    if (text === '') return;
    await trx
      .updateTable('desk_alarms')
      .set((e) => ({ notes: e('notes', '+', 1) }))
      .where('id', 'in', ids)
      .execute();
  }
}

export async function nameOf(db: DbOrTrx, scope: Scope): Promise<string> {
  const row = await db.selectFrom('users').select('name').where('id', '=', scope.userId).executeTakeFirst();
  return row?.name ?? '';
}
