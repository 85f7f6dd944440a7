import type { ExpressionBuilder } from 'kysely';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Clip } from '../../protocol/wire/api.ts';
import type { JournalRecord } from '../../protocol/wire/event.ts';
import type { Permission } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import type { Live } from '../live/live.ts';
import { type ClipFile, type ClipRow, type FragmentRow, fragmentTiming, openClip } from './clip-file.ts';
import { type ClipPart, partsOf } from './clip-list.ts';
import { ClipContent } from './content.ts';
import { holesOf } from './holes.ts';
import type { FragmentTiming } from './mp4.ts';
import type { ObjectStore } from './object-store.ts';
import { expiryOf } from './retention.ts';
import { JOINED, LISTED } from './schema.ts';
import type { SiteKeys } from './site-keys.ts';

type ClipRecord = Extract<JournalRecord, { kind: 'clip' }>;
export type UploadedFragment = Pick<FragmentRow, 'clipId' | 'n' | 'boxSerial' | 'size' | 'sha256' | 'durationMs'> & {
  keyFrame: boolean;
};
/** Days that footage of a channel is kept that a box at this site recorded then. */
export type RetentionDays = (
  db: DbOrTrx,
  deviceId: string,
  channel: number,
  of: { siteId: string; startedMs: number },
) => Promise<number>;

/** A clip is at most 5 minutes long: one that records for longer by the relay's clock lost its box. */
const RECORDING_AT_MOST_MS = 15 * 60_000;

/** What the relay knows of clips: the box's reports, and which fragments have arrived. */
export class Clips {
  readonly #db: Db;
  readonly #store: ObjectStore;
  readonly #keys: SiteKeys;
  readonly #retentionDays: RetentionDays;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #live: Live;
  readonly #listeners = new Set<(clip: Clip) => void>();

  constructor(deps: {
    db: Db;
    store: ObjectStore;
    keys: SiteKeys;
    retentionDays: RetentionDays;
    clock: Clock;
    log: Logger;
    live: Live;
  }) {
    this.#db = deps.db;
    this.#store = deps.store;
    this.#keys = deps.keys;
    this.#retentionDays = deps.retentionDays;
    this.#clock = deps.clock;
    this.#log = deps.log.child({ module: 'clips' });
    this.#live = deps.live;
  }

  /**
   * Writes what a box says of a clip; idempotent, and an older report never replaces a newer one. Throws for a clip of
   * another box. After the commit the caller calls {@link changed}.
   */
  async applyReport(trx: DbOrTrx, box: { serial: string; siteId: string }, { seq, body }: ClipRecord): Promise<void> {
    if (!(await this.belongsTo(trx, body.id, box))) throw new Error('this clip belongs to another box');
    const held = await trx
      .selectFrom('clips')
      .select(['seq', 'boxState', 'deletedMs', 'swept'])
      .where('id', '=', body.id)
      .executeTakeFirst();
    if (held?.deletedMs != null) return;
    // Nothing more is taken of one that was closed with what it had.
    if (held?.boxState === 'incomplete' && held.swept >= JOINED) return;
    // A box that lost its journal counts from 1 again. Its word that a recording is over is newer whatever its number.
    const ends = held?.boxState === 'recording' && body.state !== 'recording';
    if (held && seq <= Number(held.seq) && !ends) return;
    const now = this.#clock.now();
    const { id, state, eventIds, gaps, ...rest } = body;
    const lists = { eventIds: JSON.stringify(eventIds), gaps: JSON.stringify(gaps) };
    const values = { ...rest, ...lists, boxState: state, seq, reportedMs: now };
    if (held) await trx.updateTable('clips').set(values).where('id', '=', id).execute();
    else {
      const expiresMs = await this.expiry(trx, box.siteId, body);
      const made = { id, siteId: box.siteId, boxSerial: box.serial, createdMs: now, swept: 0, expiresMs, ...values };
      await trx
        .insertInto('clips')
        .values(made)
        .onConflict((c) => c.column('id').doUpdateSet(values))
        .execute();
    }
    if (eventIds.length === 0) return;
    await trx
      .insertInto('clip_events')
      .values(eventIds.map((eventId) => ({ eventId, clipId: id })))
      .onConflict((c) => c.doNothing())
      .execute();
  }

  /** When a clip is deleted: as its channel's footage is kept when it is heard of first. */
  async expiry(
    db: DbOrTrx,
    siteId: string,
    clip: { deviceId: string; channel: number; startedAt: string },
  ): Promise<number> {
    const site = await db.selectFrom('sites').select('timeZone').where('id', '=', siteId).executeTakeFirst();
    // Nothing was recorded in the future, whatever a box says.
    const startedMs = Math.min(Date.parse(clip.startedAt), this.#clock.now());
    const days = await this.#retentionDays(db, clip.deviceId, clip.channel, { siteId, startedMs });
    return expiryOf(startedMs, days, site?.timeZone ?? 'UTC');
  }

  /** Tells the open pages and the joiner; call it after a commit. */
  async changed(clipIds: string[]): Promise<void> {
    for (const clip of await this.read(clipIds)) {
      this.#live.publish(clip.siteId, { event: 'clip', data: clip });
      for (const fn of this.#listeners) fn(clip);
    }
  }

  onChange(fn: (clip: Clip) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** Clip of each event that has one; the first where an event is in several. */
  async forEvents(eventIds: string[]): Promise<Map<string, Clip>> {
    if (eventIds.length === 0) return new Map();
    const links = await this.#db
      .selectFrom('clip_events as l')
      .innerJoin('clips as c', 'c.id', 'l.clipId')
      // A box may name any event: of another site it means nothing.
      .innerJoin('events as e', (join) => join.onRef('e.id', '=', 'l.eventId').onRef('e.siteId', '=', 'c.siteId'))
      .select(['l.eventId', 'l.clipId'])
      .where('l.eventId', 'in', eventIds)
      .orderBy('l.clipId')
      .execute();
    const clips = new Map((await this.read([...new Set(links.map((l) => l.clipId))])).map((clip) => [clip.id, clip]));
    const out = new Map<string, Clip>();
    for (const { eventId, clipId } of links) {
      const clip = clips.get(clipId);
      const before = out.get(eventId);
      // Of two streams of the same, the one that was sent.
      if (clip && (!before || (before.state === 'held' && clip.state !== 'held'))) out.set(eventId, clip);
    }
    return out;
  }

  /** Null when there is none in the scope. What is missing of one that stays incomplete is told with it. */
  async get(scope: Scope, id: string): Promise<Clip | null> {
    const row = await this.#inScope(scope, id, 'view');
    const [clip] = row ? await this.read([id]) : [];
    if (!row || clip?.state !== 'incomplete') return clip ?? null;
    return { ...clip, gaps: holesOf(await this.parts(row), clip) };
  }

  /** A clip that may be played; throws `not-found`, or `permission-needed` when it may only be seen in lists. */
  async toPlay(scope: Scope, id: string): Promise<ClipRow> {
    const clip = await this.#inScope(scope, id, 'playback');
    if (clip) return clip;
    throw new ProblemError((await this.#inScope(scope, id, 'view')) ? 'permission-needed' : 'not-found');
  }

  /** The clip's file; `empty` while nothing of it can be played. */
  async open(scope: Scope, id: string): Promise<{ clip: ClipRow; file: ClipFile | 'empty' }> {
    for (let again = true; ; again = false) {
      const clip = await this.toPlay(scope, id);
      const content = await this.content(clip);
      const file = content && (await openClip(content, clip, await this.parts(clip)));
      // It may have been joined, and its parts gone, while it was looked for.
      if (file || !again || clip.etag !== null) return { clip, file: file ?? 'empty' };
    }
  }

  /** What stands in a clip's objects; null when its key is not its site's: it cannot be shown here. */
  async content(clip: Pick<ClipRow, 'id' | 'siteId' | 'keyId'>): Promise<ClipContent | null> {
    const key = clip.keyId === null ? null : await this.#keys.byId(clip.siteId, clip.keyId);
    if (clip.keyId !== null && !key) return null;
    return new ClipContent({ store: this.#store, clipId: clip.id, key });
  }

  /** All stored fragments of a clip in order of n. */
  fragments(clipId: string): Promise<FragmentRow[]> {
    return this.#db.selectFrom('clip_fragments').selectAll().where('clipId', '=', clipId).orderBy('n').execute();
  }

  /** The same of a clip whose rows may be gone: what is left of each. */
  async parts(clip: Pick<ClipRow, 'id' | 'swept'>): Promise<ClipPart[] | FragmentRow[]> {
    if (clip.swept !== LISTED) return this.fragments(clip.id);
    const list = await this.#db
      .selectFrom('clip_lists')
      .select('parts')
      .where('clipId', '=', clip.id)
      .executeTakeFirst();
    return list ? partsOf(list.parts) : [];
  }

  /** Whether a box may write to this clip: nobody else has, and it is of where the box is now. */
  async belongsTo(
    db: DbOrTrx,
    clipId: string,
    { serial, siteId }: { serial: string; siteId: string },
  ): Promise<boolean> {
    const clip = await db
      .selectFrom('clips')
      .select(['boxSerial', 'siteId'])
      .where('id', '=', clipId)
      .executeTakeFirst();
    if (clip && (clip.boxSerial !== serial || clip.siteId !== siteId)) return false;
    const other = await db
      .selectFrom('clip_fragments')
      .select('boxSerial')
      .where('clipId', '=', clipId)
      .where('boxSerial', '<>', serial)
      .limit(1)
      .executeTakeFirst();
    return other === undefined;
  }

  /** Whether all of it is there, and no rows of its parts: what its box still offers of it is stored. */
  async whole(clipId: string): Promise<boolean> {
    const row = await this.#db.selectFrom('clips').select('swept').where('id', '=', clipId).executeTakeFirst();
    return row !== undefined && row.swept >= JOINED;
  }

  /** Whether somebody deleted it: what its box still has of it is not wanted. */
  async deleted(clipId: string): Promise<boolean> {
    const row = await this.#db.selectFrom('clips').select('deletedMs').where('id', '=', clipId).executeTakeFirst();
    return row?.deletedMs != null;
  }

  /** Notes a fragment whose object is stored; `siteId`: where its box is. */
  async fragmentStored(fragment: UploadedFragment, siteId: string): Promise<void> {
    const { clipId, n, size, keyFrame } = fragment;
    const timing = n === 0 ? null : await this.#timing(fragment, siteId);
    if (n > 0 && !timing) this.#log.warn({ clipId, n }, 'a fragment does not say its duration');
    const row = {
      ...fragment,
      keyFrame: keyFrame ? 1 : 0,
      storedMs: this.#clock.now(),
      decodeTime: timing?.decodeTime ?? null,
      ticks: timing?.ticks ?? null,
    };
    await this.#db.transaction().execute(async (trx) => {
      const { numInsertedOrUpdatedRows } = await trx
        .insertInto('clip_fragments')
        .values(row)
        .onConflict((c) => c.columns(['clipId', 'n']).doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows !== 1n) return;
      await trx
        .insertInto('site_storage')
        .values({ siteId, bytes: size })
        .onConflict((c) => c.column('siteId').doUpdateSet((e) => ({ bytes: e('site_storage.bytes', '+', size) })))
        .execute();
    });
    await this.changed([clipId]);
  }

  /** A fragment may come before the first word of its clip: it is encrypted then as its site's footage is, or not at all. */
  async #timing({ clipId, n, size }: UploadedFragment, siteId: string): Promise<FragmentTiming | null> {
    const clip = await this.#db
      .selectFrom('clips')
      .select(['id', 'siteId', 'keyId'])
      .where('id', '=', clipId)
      .executeTakeFirst();
    const known = clip && (await this.content(clip));
    if (known) return fragmentTiming(known, n, size);
    const { key } = await this.#keys.ofSite(this.#db, siteId);
    const as = (siteKey: Buffer | null) => new ClipContent({ store: this.#store, clipId, key: siteKey });
    return (await fragmentTiming(as(key), n, size)) ?? fragmentTiming(as(null), n, size);
  }

  #inScope(scope: Scope, id: string, permission: Permission): Promise<ClipRow | undefined> {
    return this.#db
      .selectFrom('clips')
      .selectAll()
      .where('id', '=', id)
      .where('deletedMs', 'is', null)
      .where((e) => this.#lasts(e))
      .where(scope.reaches('clips.siteId', 'clips.deviceId', permission))
      .executeTakeFirst();
  }

  /** Its time is not over: what is swept later is shown no longer. */
  #lasts(e: ExpressionBuilder<Database, 'clips'>) {
    return e.or([e('expiresMs', 'is', null), e('expiresMs', '>', this.#clock.now())]);
  }

  /** Those that are there, in no order; for who may see them. */
  async read(ids: string[]): Promise<Clip[]> {
    if (ids.length === 0) return [];
    const rows = await this.#db
      .selectFrom('clips')
      .selectAll()
      .where('id', 'in', ids)
      .where('deletedMs', 'is', null)
      .where((e) => this.#lasts(e))
      .execute();
    const parts = await this.#db
      .selectFrom('clip_fragments')
      .select((e) => ['clipId', e.fn.countAll().as('count'), e.fn.min('n').as('first'), e.fn.sum('size').as('bytes')])
      .where('clipId', 'in', ids)
      .groupBy('clipId')
      .execute();
    const partsOfClip = new Map(parts.map((p) => [p.clipId, p]));
    const closed = rows.filter((row) => row.boxState === 'incomplete' && row.swept >= JOINED).map((row) => row.id);
    const kept = await this.#kept(closed);
    return rows.map((row) => {
      const part = partsOfClip.get(row.id);
      const hasInit = part !== undefined && Number(part.first) === 0;
      const there = Number(part?.count ?? 0) - (hasInit ? 1 : 0);
      const {
        boxState,
        seq,
        createdMs,
        reportedMs,
        joinedSize,
        swept,
        etag,
        boxSerial,
        expiresMs,
        deletedMs,
        ...rest
      } = row;
      const whole = swept >= JOINED;
      const stored = whole ? (kept.get(row.id) ?? row.fragments ?? 0) : there;
      return {
        ...rest,
        eventIds: JSON.parse(row.eventIds) as string[],
        gaps: JSON.parse(row.gaps) as Clip['gaps'],
        expiresAt: expiresMs === null ? null : iso(Number(expiresMs)),
        preRollMs: Number(row.preRollMs),
        durationMs: Number(row.durationMs),
        state: this.#state(row, hasInit || whole ? stored : -1),
        storedFragments: stored,
        sizeBytes: Number(joinedSize ?? part?.bytes ?? 0),
      };
    });
  }

  /** How many parts there are of clips that were closed incomplete. */
  async #kept(ids: string[]): Promise<Map<string, number>> {
    if (ids.length === 0) return new Map();
    const lists = await this.#db.selectFrom('clip_lists').selectAll().where('clipId', 'in', ids).execute();
    return new Map(lists.map(({ clipId, parts }) => [clipId, partsOf(parts).filter(({ n }) => n > 0).length]));
  }

  #state(row: ClipRow, stored: number): Clip['state'] {
    if (row.boxState === 'incomplete') return 'incomplete';
    if (row.boxState === 'held') return 'held';
    if (row.boxState === 'ended') return row.fragments !== null && stored >= row.fragments ? 'complete' : 'uploading';
    return this.#clock.now() - Number(row.createdMs) > RECORDING_AT_MOST_MS ? 'uploading' : 'recording';
  }
}
