import { type Clock, iso } from '../../../protocol/clock.ts';
import { DELAYED_MS, type DeskOutage, type DeskReport, type Meaning } from '../../../protocol/wire/arc-desk.ts';
import type { ArcPathName } from '../../../protocol/wire/event.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db } from '../../db/database.ts';
import type { Accounts } from './account-list.ts';
import { meaningOf } from './codes.ts';
import type { PathLog } from './path-log.ts';
import { toTest } from './test-row.ts';
import { type Gap, type Line, type PathChange, timelineOf } from './timeline.ts';

/** How long a path may be lost before the centre is told (EN 50136-1, DP4: primary, alternative while the primary is there). */
const LIMITS_MS: Record<ArcPathName, number> = { direct: 90_000, relay: 5 * 3_600_000, second: 5 * 3_600_000 };
const ZONES: Record<string, ArcPathName> = { '001': 'direct', '002': 'relay', '003': 'second' };
const OF_PATHS: readonly Meaning[] = ['pathLost', 'pathsLost'];
/** A box that was silent for longer is taken to have no path until it says otherwise. */
const SILENT_MS = 90_000;
/** The message of an outage gives its beginning as the box first noticed it. */
const NEAR_MS = 25_000;
const MAX_OUTAGES = 500;
const MAX_ALARMS = 200_000;

interface Told {
  path: ArcPathName | 'all';
  atMs: number;
  acknowledgedAt: string;
}
type Sent = Awaited<ReturnType<Reports['alarms']>>[number];

/** The monthly report of an account: was it there, how soon was a fault told, how fast were alarms. Months are UTC. */
export class Reports {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #accounts: Accounts;
  readonly #paths: PathLog;

  constructor({ db, clock, accounts, paths }: { db: Db; clock: Clock; accounts: Accounts; paths: PathLog }) {
    this.#db = db;
    this.#clock = clock;
    this.#accounts = accounts;
    this.#paths = paths;
  }

  async make(scope: Scope, accountId: string, month = iso(this.#clock.now()).slice(0, 7)): Promise<DeskReport> {
    const { id, account, receiverName, site, boxSerial } = await this.#accounts.get(scope, accountId);
    await this.#paths.settled();
    const now = this.#clock.now();
    const fromMs = Date.parse(`${month}-01T00:00:00Z`);
    const endMs = Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1);
    const toMs = Math.max(fromMs, Math.min(endMs, now));
    const lines = timelineOf(await this.#changes(accountId, toMs, now), fromMs, toMs);
    const found = await this.alarms(accountId, fromMs, toMs);
    const [sent, first] = [found.slice(0, MAX_ALARMS), found[MAX_ALARMS]];
    const told = toldOf(sent);
    const outages = (['all', 'direct', 'relay', 'second'] as const)
      .flatMap((path) => lines[path].gaps.map((gap) => outageOf(path, gap, toMs, now, told)))
      .sort((a, b) => Date.parse(a.from) - Date.parse(b.from));
    return {
      account: { id, account, receiverName, site, boxSerial },
      month,
      from: iso(fromMs),
      to: iso(toMs),
      madeAt: iso(now),
      availability: availabilityOf(lines.all),
      paths: (['direct', 'relay', 'second'] as const)
        .filter((path) => lines[path].observedMs > 0)
        .map((path) => ({
          path,
          ...availabilityOf(lines[path]),
          limitMs: LIMITS_MS[path],
          slowestReportMs: slowest(outages.filter((outage) => outage.path === path)),
        })),
      outages: outages.slice(0, MAX_OUTAGES),
      outagesLeftOut: Math.max(0, outages.length - MAX_OUTAGES),
      ...figuresOf(sent),
      alarmsCountedTo: first?.occurredAt ?? null,
      testModes: await this.#tests(accountId, fromMs, toMs),
    };
  }

  /** What was sent in that time, by when it happened; one more than are counted, where there are. */
  alarms(accountId: string, fromMs: number, toMs: number) {
    return this.#db
      .selectFrom('desk_alarms')
      .select(['kind', 'source', 'state', 'path', 'protocol', 'code', 'zone', 'possibleRepeat'])
      .select(['occurredAt', 'acknowledgedAt'])
      .where('accountId', '=', accountId)
      .where('occurredAt', '>=', iso(fromMs))
      .where('occurredAt', '<', iso(toMs))
      .orderBy('occurredAt')
      .limit(MAX_ALARMS + 1)
      .execute();
  }

  async #changes(accountId: string, toMs: number, now: number): Promise<PathChange[]> {
    const rows = await this.#db
      .selectFrom('desk_paths')
      .select(['path', 'atMs', 'up'])
      .where('accountId', '=', accountId)
      .where('atMs', '<', toMs)
      .orderBy('atMs')
      .orderBy('rowId')
      .execute();
    const changes: PathChange[] = rows.map(({ path, atMs, up }) => ({ path, atMs: Number(atMs), up: up === 1 }));
    const saved = await this.#db
      .selectFrom('desk_heard')
      .select('heardMs')
      .where('accountId', '=', accountId)
      .executeTakeFirst();
    const heardMs = this.#paths.heardMs(accountId) ?? (saved ? Number(saved.heardMs) : null);
    if (heardMs !== null && now - heardMs > SILENT_MS) changes.push({ path: 'all', atMs: heardMs, up: false });
    return changes;
  }

  async #tests(accountId: string, fromMs: number, toMs: number) {
    const rows = await this.#db
      .selectFrom('desk_tests')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('startedMs', '<', toMs)
      .where('untilMs', '>=', fromMs)
      .orderBy('rowId')
      .limit(200)
      .execute();
    return rows.map(toTest);
  }
}

function availabilityOf({ observedMs, downMs, gaps }: Line): DeskReport['availability'] {
  const lengths = gaps.map(({ fromMs, toMs }) => (toMs ?? fromMs) - fromMs);
  const percent = observedMs === 0 ? null : Math.floor((1 - downMs / observedMs) * 1e6) / 1e4;
  return { observedMs, downMs, percent, outages: gaps.length, longestMs: Math.max(0, ...lengths) };
}

function outageOf(path: DeskOutage['path'], gap: Gap, toMs: number, now: number, told: Told[]): DeskOutage {
  const endMs = gap.toMs ?? toMs;
  const lasts = endMs === toMs && toMs === now;
  const word = told.find((one) => one.path === path && one.atMs >= gap.fromMs - NEAR_MS && one.atMs <= endMs);
  return {
    path,
    from: iso(gap.fromMs),
    to: lasts ? null : iso(endMs),
    durationMs: endMs - gap.fromMs,
    toldAt: word?.acknowledgedAt ?? null,
    reportingMs: word ? Math.max(0, Date.parse(word.acknowledgedAt) - gap.fromMs) : null,
  };
}

function slowest(outages: DeskOutage[]): number | null {
  const times = outages.flatMap((outage) => outage.reportingMs ?? []);
  return times.length === 0 ? null : Math.max(...times);
}

/** Messages about lost paths that a receiver has acknowledged. */
function toldOf(sent: Sent[]): Told[] {
  return sent.flatMap(({ kind, zone, occurredAt, acknowledgedAt, ...code }) => {
    if (kind !== 'alarm' || acknowledgedAt === null || !OF_PATHS.includes(meaningOf(code))) return [];
    const path = code.source === 'relay' ? 'all' : ZONES[zone];
    return path ? [{ path, atMs: Date.parse(occurredAt), acknowledgedAt }] : [];
  });
}

function figuresOf(all: Sent[]): Pick<DeskReport, 'alarms' | 'tests'> {
  const tests = all.filter((one) => one.kind === 'test');
  // Messages about the paths themselves are told late by their nature: they stand with the outages.
  const sent = all.filter((one) => one.kind !== 'test' && !OF_PATHS.includes(meaningOf(one)));
  const of = (state: Sent['state']) => sent.filter((one) => one.state === state).length;
  const times = sent
    .filter((one) => one.acknowledgedAt !== null)
    .map((one) => Math.max(0, Date.parse(one.acknowledgedAt as string) - Date.parse(one.occurredAt)))
    .sort((a, b) => a - b);
  const paths = Map.groupBy(
    sent.filter((one) => one.state === 'acknowledged'),
    (one) => one.path,
  );
  return {
    alarms: {
      sent: sent.length,
      acknowledged: of('acknowledged'),
      waiting: of('waiting'),
      failed: of('failed'),
      possibleRepeats: sent.filter((one) => one.possibleRepeat === 1).length,
      delayed: times.filter((ms) => ms > DELAYED_MS).length,
      byPath: (['direct', 'relay', 'second'] as const).flatMap((path) => {
        const count = paths.get(path)?.length ?? 0;
        return count > 0 ? [{ path, count }] : [];
      }),
      times:
        times.length === 0
          ? null
          : {
              meanMs: Math.round(times.reduce((sum, ms) => sum + ms, 0) / times.length),
              p95Ms: times[Math.ceil(times.length * 0.95) - 1] as number,
              maxMs: times.at(-1) as number,
            },
    },
    tests: { sent: tests.length, acknowledged: tests.filter((one) => one.state === 'acknowledged').length },
  };
}
