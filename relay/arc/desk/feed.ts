import type { Logger } from 'pino';
import type { DeskAccount, DeskMessage } from '../../../protocol/wire/arc-desk.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Accounts } from './account-list.ts';
import { type AlarmList, seesAll } from './alarm-list.ts';

interface Watcher {
  scope: Scope;
  push: (message: DeskMessage) => void;
}

/** Tells open desks what is new. Nothing is kept: who connects later reads the lists. */
export class DeskFeed {
  readonly #list: AlarmList;
  readonly #accounts: Accounts;
  readonly #log: Logger;
  readonly #watchers = new Map<string, Set<Watcher>>();

  constructor({ list, accounts, log }: { list: AlarmList; accounts: Accounts; log: Logger }) {
    this.#list = list;
    this.#accounts = accounts;
    this.#log = log;
  }

  /** `scope` may be replaced by the caller while it lasts. */
  watch(watcher: Watcher): () => void {
    const { companyId } = watcher.scope;
    const all = this.#watchers.get(companyId) ?? new Set();
    this.#watchers.set(companyId, all.add(watcher));
    return () => {
      all.delete(watcher);
      if (all.size === 0 && this.#watchers.get(companyId) === all) this.#watchers.delete(companyId);
    };
  }

  /** These alarms are new or have changed; after the commit. */
  alarms(ids: string[]): void {
    if (this.#watchers.size === 0 || ids.length === 0) return;
    this.#tellAlarms(ids).catch((error) => this.#log.error({ err: error }, 'alarms could not be told'));
  }

  /** The clip of these events has begun to arrive. */
  events(eventIds: string[]): void {
    if (this.#watchers.size === 0 || eventIds.length === 0) return;
    this.#list
      .idsOf(eventIds)
      .then((ids) => this.alarms(ids))
      .catch((error) => this.#log.error({ err: error }, 'clips could not be told'));
  }

  /** Paths, presence or test mode of an account have changed. */
  account(accountId: string): void {
    if (this.#watchers.size === 0) return;
    this.#tellAccount(accountId).catch((error) => this.#log.error({ err: error }, 'an account could not be told'));
  }

  async #tellAlarms(ids: string[]): Promise<void> {
    for (const { companyId, ...data } of await this.#list.items(ids)) {
      for (const { scope, push } of this.#watchers.get(companyId) ?? []) {
        if (seesAll(scope) || (await seen(this.#list.find(scope, data.id)))) push({ event: 'alarm', data });
      }
    }
  }

  async #tellAccount(accountId: string): Promise<void> {
    const companyId = await this.#accounts.companyOf(accountId);
    if (companyId === null) return;
    for (const { scope, push } of this.#watchers.get(companyId) ?? []) {
      const found = await seen(this.#accounts.get(scope, accountId));
      if (found) push({ event: 'account', data: found as DeskAccount });
    }
  }
}

/** What was found; null when it may not be seen. */
const seen = <T>(found: Promise<T>): Promise<T | null> =>
  found.catch((error) => {
    if (error instanceof ProblemError) return null;
    throw error;
  });
