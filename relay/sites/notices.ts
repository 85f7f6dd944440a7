import type { NoticeCode } from '../../protocol/wire/notify.ts';
import type { Scope } from '../auth/scope.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';

type Named = { id: string; name: string; timeZone: string };
export type Telling = Pick<Notifier, 'toUsers' | 'kick'>;

/** What people are told when they become, stay or cease to be managers of sites. */
export class SiteNotices {
  readonly #notifier: Telling;

  constructor({ notifier }: { notifier: Telling }) {
    this.#notifier = notifier;
  }

  kick(): void {
    this.#notifier.kick();
  }

  /** One message to a person, however many sites it is about. `untilMs` null: Lifetime. */
  async assigned(trx: DbOrTrx, userId: string, sites: Named[], untilMs: number | null, by: string): Promise<void> {
    const until = untilMs === null || !sites[0] ? '' : timeIn(sites[0].timeZone, untilMs);
    await this.#tell(trx, [userId], sites, until ? 'site-assigned-until' : 'site-assigned', { by, until });
  }

  async unassigned(trx: DbOrTrx, userId: string, sites: Named[], by: string): Promise<void> {
    await this.#tell(trx, [userId], sites, 'site-unassigned', { by });
  }

  async ended(trx: DbOrTrx, userIds: string[], site: Named): Promise<void> {
    await this.#tell(trx, userIds, [site], 'site-validity-ended', {});
  }

  /** To the other managers: who they work with changed. */
  async othersChanged(trx: DbOrTrx, sites: Named[], except: string[]): Promise<void> {
    const people = [...(await managersOf(trx, sites))].filter(([userId]) => !except.includes(userId));
    // Those who manage the same of them are told together.
    for (const same of Map.groupBy(people, ([, own]) => [...own].sort().join()).values()) {
      const about = sites.filter((site) => same[0]![1].has(site.id));
      const userIds = same.map(([userId]) => userId);
      await this.#tell(trx, userIds, about, 'site-managers-changed', {});
    }
  }

  async toManagers(trx: DbOrTrx, sites: Named[], code: NoticeCode, by: Scope): Promise<void> {
    const people = [...(await managersOf(trx, sites)).keys()].filter((userId) => userId !== by.userId);
    await this.#tell(trx, people, sites, code, {}, '/sites');
  }

  async #tell(
    trx: DbOrTrx,
    userIds: string[],
    sites: Named[],
    code: NoticeCode,
    values: Record<string, string>,
    page?: string,
  ): Promise<void> {
    const [first] = sites;
    if (!first || userIds.length === 0) return;
    const single = sites.length === 1;
    const link = page ?? (single ? `/sites/${first.id}` : '/sites');
    await this.#notifier.toUsers(trx, userIds, {
      category: 'site',
      code,
      values: { sites: names(sites), ...values },
      link,
      siteId: single ? first.id : null,
    });
  }
}

async function managersOf(trx: DbOrTrx, sites: Named[]): Promise<Map<string, Set<string>>> {
  const ids = sites.map((site) => site.id);
  const rows = await trx
    .selectFrom('site_managers')
    .select(['userId', 'siteId'])
    .where('siteId', 'in', [...ids, ''])
    .execute();
  return new Map(
    [...Map.groupBy(rows, (row) => row.userId)].map(([userId, list]) => [userId, new Set(list.map((r) => r.siteId))]),
  );
}

const SHOWN = 3;
const names = (sites: Named[]) =>
  sites
    .slice(0, SHOWN)
    .map((site) => site.name)
    .join(', ') + (sites.length > SHOWN ? ` (+${sites.length - SHOWN})` : '');

/** As people read it anywhere: `2026-11-22 18:00 Europe/Berlin`. */
const timeIn = (timeZone: string, ms: number) =>
  `${new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(ms)} ${timeZone}`;
