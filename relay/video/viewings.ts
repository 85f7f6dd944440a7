import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { MAX_LIVE_WINDOWS, MAX_PLAYBACK_WINDOWS, type Viewing } from '../../protocol/wire/video.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Principal } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import { pseudonymOf } from '../people/own-data.ts';

/** As long as who did what is kept elsewhere. */
const KEEP_MS = 90 * 86_400_000;
const SWEEP_MS = 3_600_000;
const SEEN_EVERY_MS = 60_000;
/** The way changes as often as a box says so; it is written down so often at most. */
const PATH_EVERY_MS = 1_000;
/** What is fetched in pieces (a clip by ranges, a picture again and again) is one look within this time. */
const SAME_LOOK_MS = 10 * 60_000;
/** A player that seeks opens the next stream before the end of the last one was heard of. */
const ROOM_WAIT_MS = 700;
const ROOM_STEP_MS = 50;
const MAX_LOOKS = 10_000;
const PAGE = 100;

type Path = 'direct' | 'relay';

/** Who looks or speaks: somebody signed in (or their program), or whoever has a shared link. */
export type Watcher = Pick<Principal, 'id' | 'userId' | 'companyId'> | { link: string };

export interface ViewingRequest {
  who: Watcher;
  device: DeviceRow;
  channel: number;
  kind: Viewing['kind'];
  /** ISO 8601, of what was recorded. */
  from?: string;
  to?: string;
  path?: Path;
}

/** A look that goes on. Its owner ends it. */
export interface OpenViewing {
  readonly id: string;
  /** By which way the pictures come now. */
  path(path: Path): void;
  /** `to`: of what was recorded, the last moment that was sent. */
  end(to?: string): Promise<void>;
}

interface Window {
  id: string;
  key: string;
  session: string;
  kind: Viewing['kind'];
  /** Each hold is one way by which the pictures come: both at once while a player changes over. */
  holds: Set<{ path: Path | null }>;
  path: Path | null;
  /** As it stands in the table, or is being written. */
  notedPath: Path | null;
  noting: boolean;
  cancelNoting: (() => void) | null;
  from: string | null;
  to: string | null;
  stored: Promise<void>;
}

/**
 * Every look at pictures: counted against the windows that a session may have open, and written down for whoever owns the
 * site. A player that shows a channel directly and has the relay's stream beside it is one window.
 */
export class Viewings {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #windows = new Map<string, Window>();
  /** Last look at the same, by who and what. */
  readonly #looks = new Map<string, { id: string; atMs: number }>();
  readonly #writing = new Set<Promise<unknown>>();
  #stops: (() => void)[] = [];

  constructor({ db, clock, log }: { db: Db; clock: Clock; log: Logger }) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
  }

  async start(): Promise<void> {
    // Of a relay that broke off: they ended when they were last seen.
    await this.#db
      .updateTable('viewings')
      .set((e) => ({ endedMs: e.ref('seenMs') }))
      .where('endedMs', 'is', null)
      .execute();
    const sweep = () =>
      this.#write(
        this.#db
          .deleteFrom('viewings')
          .where('startedMs', '<', this.#clock.now() - KEEP_MS)
          .execute(),
      );
    sweep();
    this.#stops = [this.#clock.every(SWEEP_MS, sweep), this.#clock.every(SEEN_EVERY_MS, () => this.#seen())];
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    for (const window of [...this.#windows.values()]) this.#ended(window);
    while (this.#writing.size > 0) await Promise.all(this.#writing);
  }

  /** Windows open now, of all sessions. */
  count(kind: Viewing['kind']): number {
    let sum = 0;
    for (const window of this.#windows.values()) if (window.kind === kind) sum++;
    return sum;
  }

  /** @throws ProblemError too-many-windows */
  async open(o: ViewingRequest): Promise<OpenViewing> {
    const session = 'link' in o.who ? `link:${o.who.link}` : o.who.id;
    if (o.kind !== 'live' && o.kind !== 'playback' && o.kind !== 'talk') return this.#look(session, o);
    const joined = o.kind === 'live' ? this.#sameWindow(session, o) : undefined;
    if (joined) return this.#hold(joined, o.path ?? null);
    // Each time that somebody speaks is a line of its own; a channel is spoken to by one at a time.
    const window = o.kind === 'talk' ? this.#opened(session, o) : await this.#inRoom(session, o.kind, o);
    // Before anything is shown it stands in the log.
    try {
      await window.stored;
    } catch (error) {
      this.#windows.delete(window.id);
      throw error;
    }
    return this.#hold(window, o.path ?? null);
  }

  /** Newest first; of a site, as far as the asker may see its devices' pictures. */
  async list(
    scope: Scope,
    siteId: string,
    o: { cursor?: string; deviceId?: string; from?: string; to?: string },
  ): Promise<{ items: Viewing[]; nextCursor: string | null }> {
    const site = await scope.site(siteId);
    const rows = await this.#db
      .selectFrom('viewings as v')
      .leftJoin('users as u', 'u.id', 'v.userId')
      .leftJoin('companies as c', 'c.id', 'v.companyId')
      .selectAll('v')
      .select(['u.name as userName', 'u.email as userEmail', 'u.deletedAt as userDeletedAt', 'c.name as companyName'])
      .where('v.siteId', '=', site.id)
      .where((e) =>
        e.or([
          scope.reaches('v.siteId', 'v.deviceId', 'live'),
          scope.reaches('v.siteId', 'v.deviceId', 'playback'),
          scope.reaches('v.siteId', null, 'own'),
          scope.reaches('v.siteId', null, 'manage'),
        ]),
      )
      .$if(o.deviceId !== undefined, (q) => q.where('v.deviceId', '=', o.deviceId!))
      .$if(o.from !== undefined, (q) => q.where('v.startedMs', '>=', Date.parse(o.from!)))
      .$if(o.to !== undefined, (q) => q.where('v.startedMs', '<', Date.parse(o.to!)))
      // Ids are UUIDv7: in order of time.
      .$if(o.cursor !== undefined, (q) => q.where('v.id', '<', o.cursor!))
      .orderBy('v.id', 'desc')
      .limit(PAGE + 1)
      .execute();
    const items = rows.slice(0, PAGE).map((row): Viewing => {
      const { userId, link, fromAt, toAt, startedMs, endedMs } = row;
      const erased = userId !== null && (row.userName === null || row.userDeletedAt !== null);
      const name = erased ? pseudonymOf(userId) : row.userName || row.userEmail;
      return {
        id: row.id,
        siteId: row.siteId,
        deviceId: row.deviceId,
        deviceName: row.deviceName,
        channel: row.channel,
        kind: row.kind,
        path: row.path,
        from: fromAt,
        to: toAt,
        user: { id: erased ? null : userId, name: name || (link ?? 'Deleted'), company: row.companyName ?? '' },
        startedAt: iso(Number(startedMs)),
        endedAt: endedMs === null ? null : iso(Number(endedMs)),
      };
    });
    return { items, nextCursor: rows.length > PAGE ? (items.at(-1)?.id ?? null) : null };
  }

  /** A window of the same session at the same channel whose pictures do not come by this way yet. */
  #sameWindow(session: string, o: ViewingRequest): Window | undefined {
    const key = keyOf(o);
    for (const window of this.#windows.values()) {
      if (window.session !== session || window.kind !== o.kind || window.key !== key) continue;
      if (![...window.holds].some((hold) => hold.path === (o.path ?? null))) return window;
    }
    return undefined;
  }

  /** A window counts from the look in which there was room for it: of several that ask at once, none slips in. */
  async #inRoom(session: string, kind: 'live' | 'playback', o: ViewingRequest): Promise<Window> {
    const most = kind === 'live' ? MAX_LIVE_WINDOWS : MAX_PLAYBACK_WINDOWS;
    const full = () => {
      let open = 0;
      for (const window of this.#windows.values()) if (window.session === session && window.kind === kind) open++;
      return open >= most;
    };
    const until = this.#clock.mono() + ROOM_WAIT_MS;
    while (full()) {
      if (this.#clock.mono() >= until)
        throw new ProblemError('too-many-windows', `${most} windows are open already: close one first.`);
      await this.#clock.sleep(ROOM_STEP_MS);
    }
    return this.#opened(session, o);
  }

  #opened(session: string, o: ViewingRequest): Window {
    const window = this.#begin(session, o);
    this.#windows.set(window.id, window);
    return window;
  }

  #begin(session: string, o: ViewingRequest): Window {
    const now = this.#clock.now();
    const id = uuidv7(now);
    const { device, channel, kind, who } = o;
    const row = {
      id,
      siteId: device.siteId,
      deviceId: device.id,
      deviceName: device.name,
      channel,
      kind,
      path: o.path ?? null,
      fromAt: o.from ?? null,
      toAt: o.to ?? null,
      ...('link' in who
        ? { userId: null, companyId: null, link: who.link.slice(0, 128) }
        : { userId: who.userId, companyId: who.companyId, link: null }),
      startedMs: now,
      seenMs: now,
      endedMs: null,
    };
    const stored = this.#db
      .insertInto('viewings')
      .values(row)
      .execute()
      .then(() => {});
    const path = o.path ?? null;
    const window = { id, key: keyOf(o), session, kind, holds: new Set<{ path: Path | null }>(), stored };
    return {
      ...window,
      path,
      notedPath: path,
      noting: false,
      cancelNoting: null,
      from: asIso(o.from),
      to: asIso(o.to),
    };
  }

  #hold(window: Window, path: Path | null): OpenViewing {
    const hold = { path };
    window.holds.add(hold);
    if (path) this.#setPath(window, path);
    return {
      id: window.id,
      path: (now) => {
        hold.path = now;
        this.#setPath(window, now);
      },
      end: async (to) => {
        if (!window.holds.delete(hold)) return;
        if (to && window.from && window.to && to > window.from && to < window.to) window.to = to;
        const [left] = window.holds;
        if (left) {
          if (left.path) this.#setPath(window, left.path);
        } else await this.#ended(window);
      },
    };
  }

  /** One write at a time, of what holds then. */
  #setPath(window: Window, path: Path): void {
    window.path = path;
    if (window.noting || window.notedPath === path || !this.#windows.has(window.id)) return;
    window.noting = true;
    window.notedPath = path;
    const written = this.#write(this.#db.updateTable('viewings').set({ path }).where('id', '=', window.id).execute());
    void written.then(() => {
      // Its end is written with the way that was the last.
      if (!this.#windows.has(window.id)) return;
      window.cancelNoting = this.#clock.after(PATH_EVERY_MS, () => {
        window.noting = false;
        if (window.path) this.#setPath(window, window.path);
      });
    });
  }

  #ended(window: Window): Promise<void> {
    this.#windows.delete(window.id);
    window.cancelNoting?.();
    const now = this.#clock.now();
    const over = { seenMs: now, endedMs: now, path: window.path, ...(window.to && { toAt: window.to }) };
    return this.#write(this.#db.updateTable('viewings').set(over).where('id', '=', window.id).execute());
  }

  /** A clip, a file, a picture: no window, and one row however often it is fetched within ten minutes. */
  async #look(session: string, o: ViewingRequest): Promise<OpenViewing> {
    const key = `${session} ${o.kind} ${keyOf(o)} ${o.from ?? ''} ${o.to ?? ''}`;
    const former = this.#looks.get(key);
    const atMs = this.#clock.now();
    let id = former?.id;
    if (!former || atMs - former.atMs > SAME_LOOK_MS || id === undefined) {
      const begun = this.#begin(session, o);
      await begun.stored;
      id = begun.id;
    }
    this.#looks.delete(key);
    this.#looks.set(key, { id, atMs });
    if (this.#looks.size > MAX_LOOKS) this.#looks.delete(this.#looks.keys().next().value as string);
    const touch = (set: { path: Path } | { seenMs: number; endedMs: number }) =>
      this.#write(this.#db.updateTable('viewings').set(set).where('id', '=', id).execute());
    return {
      id,
      path: (path) => void touch({ path }),
      end: () => touch({ seenMs: this.#clock.now(), endedMs: this.#clock.now() }),
    };
  }

  #seen(): void {
    const ids = [...this.#windows.keys()];
    if (ids.length === 0) return;
    this.#write(this.#db.updateTable('viewings').set({ seenMs: this.#clock.now() }).where('id', 'in', ids).execute());
  }

  /** What of it fails later is logged: a look is not cut for a line in a table. */
  #write(work: Promise<unknown>): Promise<void> {
    const done = work.then(
      () => {},
      (error) => this.#log.error({ err: error }, 'a viewing could not be written'),
    );
    this.#writing.add(done);
    void done.finally(() => this.#writing.delete(done));
    return done;
  }
}

const asIso = (time?: string) => (time === undefined ? null : iso(Date.parse(time)));
const keyOf = (o: ViewingRequest) => `${o.device.id}/${o.channel}`;
