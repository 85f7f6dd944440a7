import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import type { ClipDays, ClipEvent, ClipQuery, ClipStorage, LibraryClip } from '../../protocol/wire/clips.ts';
import type { EventType } from '../../protocol/wire/event.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { Clips } from './clips.ts';
import { startOfDay } from './retention.ts';

const MOST_EVENTS = 20;
/** Event clips of one month that are counted; beyond it days show fewer than there are. */
const MOST_COUNTED = 50_000;

type Filter = Pick<ClipQuery, 'deviceId' | 'channel'>;

/** Looks through a site's clips. Every query follows an index in order of time and takes one page. */
export class ClipLibrary {
  readonly #db: Db;
  readonly #clips: Clips;
  readonly #clock: Clock;

  constructor({ db, clips, clock }: { db: Db; clips: Clips; clock: Clock }) {
    this.#db = db;
    this.#clips = clips;
    this.#clock = clock;
  }

  /** Newest first. Of two streams of the same recording only the one that is sent at once is listed. */
  async list(scope: Scope, siteId: string, query: ClipQuery): Promise<Page<LibraryClip>> {
    const site = await scope.site(siteId);
    const { limit, cursor, from, to, kind, type } = query;
    const before = cursor === undefined ? null : positionOf(cursor);
    const rows = await this.#of(scope, site.id, query)
      .select(['c.id', 'c.startedAt'])
      .$if(from !== undefined, (q) => q.where('c.startedAt', '>=', iso(Date.parse(from!))))
      .$if(to !== undefined, (q) => q.where('c.startedAt', '<', iso(Date.parse(to!))))
      .$if(kind !== undefined, (q) => q.where('c.kind', '=', kind!))
      .$if(type !== undefined, (q) =>
        q.where((e) =>
          e.exists(
            e
              .selectFrom('clip_events as ce')
              .innerJoin('events as ev', 'ev.id', 'ce.eventId')
              .select('ce.clipId')
              .whereRef('ce.clipId', '=', 'c.id')
              .where('ev.type', '=', type as string),
          ),
        ),
      )
      .$if(before !== null, (q) =>
        q.where((e) =>
          e.or([
            e('c.startedAt', '<', before!.startedAt),
            e.and([e('c.startedAt', '=', before!.startedAt), e('c.id', '<', before!.id)]),
          ]),
        ),
      )
      .orderBy('c.startedAt', 'desc')
      .orderBy('c.id', 'desc')
      .limit(limit + 1)
      .execute();
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: await this.#items(shown.map((row) => row.id)),
      nextCursor: rows.length > limit && last ? `${last.startedAt}_${last.id}` : null,
    };
  }

  /** One of them; throws `not-found`. */
  async get(scope: Scope, id: string): Promise<LibraryClip> {
    const clip = await this.#clips.get(scope, id);
    const [item] = clip ? await this.#items([id]) : [];
    if (!clip || !item) throw new ProblemError('not-found');
    return { ...item, gaps: clip.gaps };
  }

  /** Days of a month, by the site's own clock, that have footage. */
  async days(scope: Scope, siteId: string, month: string, filter: Filter): Promise<ClipDays> {
    const site = await scope.site(siteId);
    const [year = 0, monthNumber = 0] = month.split('-').map(Number);
    const count = new Date(Date.UTC(year, monthNumber, 0)).getUTCDate();
    // One more: the end of the last day.
    const starts = Array.from({ length: count + 1 }, (_, i) =>
      iso(startOfDay(year, monthNumber, i + 1, site.timeZone)),
    );
    const [first = '', end = ''] = [starts[0], starts.at(-1)];
    const events = await this.#of(scope, site.id, filter)
      .select('c.startedAt')
      .where('c.kind', '=', 'event')
      .where('c.startedAt', '>=', first)
      .where('c.startedAt', '<', end)
      .limit(MOST_COUNTED)
      .execute();
    const counted = new Map<number, number>();
    for (const { startedAt } of events) {
      const day = starts.findLastIndex((start) => start <= startedAt) + 1;
      counted.set(day, (counted.get(day) ?? 0) + 1);
    }
    const days: ClipDays['days'] = [];
    for (let day = 1; day <= count; day++) {
      // Of a day of 24/7 recording there are thousands: whether there is one is found by the index at once.
      const continuous = await this.#of(scope, site.id, filter)
        .select('c.id')
        .where('c.kind', '=', 'continuous')
        .where('c.startedAt', '>=', starts[day - 1] as string)
        .where('c.startedAt', '<', starts[day] as string)
        .limit(1)
        .executeTakeFirst();
      const found = { day, events: counted.get(day) ?? 0, continuous: continuous !== undefined };
      if (found.events > 0 || found.continuous) days.push(found);
    }
    return { days };
  }

  /** What a site's footage takes; for who may look after the site. */
  async storage(scope: Scope, siteId: string): Promise<ClipStorage> {
    const site = await scope.site(siteId, 'view');
    const held = await this.#db
      .selectFrom('site_storage')
      .select('bytes')
      .where('siteId', '=', site.id)
      .executeTakeFirst();
    const oldest = await this.#of(scope, site.id, {})
      .select('c.startedAt')
      .orderBy('c.startedAt')
      .limit(1)
      .executeTakeFirst();
    return { bytes: Math.max(0, Number(held?.bytes ?? 0)), oldestAt: oldest?.startedAt ?? null };
  }

  #of(scope: Scope, siteId: string, { deviceId, channel }: Filter) {
    return this.#db
      .selectFrom('clips as c')
      .where('c.siteId', '=', siteId)
      .where('c.deletedMs', 'is', null)
      .where((e) => e.or([e('c.expiresMs', 'is', null), e('c.expiresMs', '>', this.#clock.now())]))
      .where((e) => e.or([e('c.twinId', 'is', null), e('c.stream', '=', 'sub')]))
      .where(scope.reaches('c.siteId', 'c.deviceId', 'view'))
      .$if(deviceId !== undefined, (q) => q.where('c.deviceId', '=', deviceId!))
      .$if(channel !== undefined, (q) => q.where('c.channel', '=', channel!));
  }

  async #items(ids: string[]): Promise<LibraryClip[]> {
    if (ids.length === 0) return [];
    const clips = new Map((await this.#clips.read(ids)).map((clip) => [clip.id, clip]));
    const deviceIds = [...new Set([...clips.values()].map((clip) => clip.deviceId))];
    const devices =
      deviceIds.length === 0
        ? []
        : await this.#db
            .selectFrom('devices')
            .select(['id', 'name'])
            .where('id', 'in', deviceIds)
            .where('deletedAt', 'is', null)
            .execute();
    const nameOf = new Map(devices.map(({ id, name }) => [id, name]));
    const events = await this.#eventsOf(ids);
    return ids.flatMap((id) => {
      const clip = clips.get(id);
      if (!clip) return [];
      const { eventIds: _, ...rest } = clip;
      return [{ ...rest, deviceName: nameOf.get(clip.deviceId) ?? null, events: events.get(id) ?? [] }];
    });
  }

  async #eventsOf(clipIds: string[]): Promise<Map<string, ClipEvent[]>> {
    const rows = await this.#db
      .selectFrom('clip_events as ce')
      .innerJoin('events as e', 'e.id', 'ce.eventId')
      .innerJoin('clips as c', 'c.id', 'ce.clipId')
      // A clip of one box names events of its own site only.
      .whereRef('e.siteId', '=', 'c.siteId')
      .select(['ce.clipId', 'e.id', 'e.type', 'e.occurredAt', 'e.endedAt'])
      .where('ce.clipId', 'in', clipIds)
      .orderBy('e.occurredAt')
      .limit(clipIds.length * MOST_EVENTS)
      .execute();
    const out = new Map<string, ClipEvent[]>();
    for (const { clipId, type, ...event } of rows) {
      const list = out.get(clipId) ?? [];
      if (list.length < MOST_EVENTS) list.push({ ...event, type: type as EventType });
      out.set(clipId, list);
    }
    return out;
  }
}

function positionOf(cursor: string): { startedAt: string; id: string } {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_([0-9a-f-]{36})$/.exec(cursor);
  if (!found) throw new ProblemError('invalid-request', 'cursor: take it from the page before');
  return { startedAt: found[1] as string, id: found[2] as string };
}
