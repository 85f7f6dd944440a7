import type { Logger } from 'pino';
import type { Clock } from '../../../protocol/clock.ts';
import type { ArcPathName } from '../../../protocol/wire/event.ts';
import type { ArcPathHealth, Health } from '../../../protocol/wire/uplink.ts';
import type { Db } from '../../db/database.ts';

const FLUSH_MS = 20_000;
const PATHS = ['direct', 'relay', 'second'] as const;

interface Known {
  boxSerial: string;
  /** By the box's clock: of the last health that told of this account. */
  heardMs: number;
  savedMs: number;
  /** Up to here its changes are stored. */
  changedMs: number;
  last: Map<ArcPathName, number>;
  told: string;
}
type Change = { path: ArcPathName | 'all'; atMs: number; up: number };

/**
 * What an account's paths did, kept for reports. The box notes each change itself and tells the last ones with its health, so
 * that a change while the relay was out of reach is known afterwards; what it was silent for because it was off, follows
 * from how long it has been running.
 */
export class PathLog {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #changed: (accountId: string) => void;
  readonly #known = new Map<string, Known>();
  /** By box: one health after the other. */
  readonly #work = new Map<string, Promise<void>>();
  #cancel: (() => void) | null = null;

  constructor(deps: { db: Db; clock: Clock; log: Logger; changed: (accountId: string) => void }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#changed = deps.changed;
  }

  start(): void {
    this.#cancel = this.#clock.every(FLUSH_MS, () => {
      this.#flush().catch((error) => this.#log.error({ err: error }, 'when boxes were heard could not be saved'));
    });
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await Promise.all(this.#work.values());
    await this.#flush();
  }

  /** A box told its health. */
  heard(serial: string, health: Health): void {
    if (health.arc.length === 0) return;
    const work = (this.#work.get(serial) ?? Promise.resolve())
      .then(() => this.#take(serial, health))
      .catch((error) => this.#log.error({ err: error, serial }, 'changes of paths could not be stored'))
      .finally(() => {
        if (this.#work.get(serial) === work) this.#work.delete(serial);
      });
    this.#work.set(serial, work);
  }

  /** Resolves when all that was heard is stored. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work.values());
  }

  /** By the box's clock: when the account was last heard of; null: never since the relay knows it. */
  heardMs(accountId: string): number | null {
    return this.#known.get(accountId)?.heardMs ?? null;
  }

  async #take(serial: string, health: Health): Promise<void> {
    const nowMs = Date.parse(health.at);
    for (const paths of health.arc) {
      const known = await this.#find(serial, paths.accountId, nowMs);
      if (known?.boxSerial !== serial) continue;
      const changes = changesOf(known, paths, nowMs, nowMs - health.uptimeMs);
      if (changes.length > 0) {
        await this.#db
          .insertInto('desk_paths')
          .values(changes.map((change) => ({ accountId: paths.accountId, ...change })))
          .onConflict((c) => c.columns(['accountId', 'path', 'atMs']).doNothing())
          .execute();
      }
      for (const { path, up } of changes) if (path !== 'all') known.last.set(path, up);
      known.changedMs = Math.max(known.changedMs, ...(paths.changes ?? []).map((c) => Date.parse(c.at)));
      known.heardMs = nowMs;
      const told = JSON.stringify([paths.path, paths.direct, paths.relay, paths.second]);
      if (told !== known.told) this.#changed(paths.accountId);
      known.told = told;
    }
  }

  /** Null for what is no account of this box. */
  async #find(serial: string, accountId: string, nowMs: number): Promise<Known | null> {
    const held = this.#known.get(accountId);
    if (held) return held;
    const account = await this.#db
      .selectFrom('arc_accounts')
      .select('boxSerial')
      .where('id', '=', accountId)
      .where('boxSerial', '=', serial)
      .executeTakeFirst();
    if (!account) return null;
    const heard = await this.#db
      .selectFrom('desk_heard')
      .select('heardMs')
      .where('accountId', '=', accountId)
      .executeTakeFirst();
    if (!heard) {
      await this.#db.insertInto('desk_heard').values({ accountId, sinceMs: nowMs, heardMs: nowMs }).execute();
    }
    const heardMs = Number(heard?.heardMs ?? nowMs);
    const last = new Map<ArcPathName, number>();
    for (const path of PATHS) {
      const row = await this.#db
        .selectFrom('desk_paths')
        .select('up')
        .where('accountId', '=', accountId)
        .where('path', '=', path)
        .orderBy('atMs', 'desc')
        .limit(1)
        .executeTakeFirst();
      if (row) last.set(path, row.up);
    }
    const known = { boxSerial: serial, heardMs, savedMs: heardMs, changedMs: 0, last, told: '' };
    this.#known.set(accountId, known);
    return known;
  }

  async #flush(): Promise<void> {
    const moved = [...this.#known].filter(([, known]) => known.heardMs !== known.savedMs);
    if (moved.length === 0) return;
    await this.#db.transaction().execute(async (trx) => {
      for (const [accountId, known] of moved) {
        await trx
          .updateTable('desk_heard')
          .set({ heardMs: known.heardMs })
          .where('accountId', '=', accountId)
          .execute();
        known.savedMs = known.heardMs;
      }
    });
  }
}

function changesOf(known: Known, paths: ArcPathHealth, nowMs: number, startedMs: number): Change[] {
  const out: Change[] = [];
  // It was started since it was last heard: it was off in between, for as long as nobody can say more exactly.
  if (startedMs > known.heardMs) {
    out.push({ path: 'all', atMs: known.heardMs, up: 0 }, { path: 'all', atMs: startedMs, up: 1 });
  }
  const told =
    paths.changes?.filter(({ at, path, up }) => {
      const atMs = Date.parse(at);
      return atMs > known.changedMs || (atMs === known.changedMs && known.last.get(path) !== (up ? 1 : 0));
    }) ?? [];
  for (const { at, path, up } of told) out.push({ path, atMs: Date.parse(at), up: up ? 1 : 0 });
  for (const path of PATHS) {
    const state = paths[path];
    if (state !== 'up' && state !== 'down') continue;
    const up = state === 'up' ? 1 : 0;
    const before = out.findLast((change) => change.path === path)?.up ?? known.last.get(path);
    // A box that notes changes itself knows better when; only what it does not say at all is taken from what it is now.
    const unsaid = paths.changes ? before === undefined : before !== up;
    if (unsaid) out.push({ path, atMs: nowMs, up });
  }
  return out;
}
