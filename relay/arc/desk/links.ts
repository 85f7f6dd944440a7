import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, iso } from '../../../protocol/clock.ts';
import type { DeskLink, DeskView } from '../../../protocol/wire/arc-desk.ts';
import type { EventType } from '../../../protocol/wire/event.ts';
import { ProblemError } from '../../api/problem.ts';
import { createScope, type Scope } from '../../auth/scope.ts';
import type { Vault } from '../../auth/vault.ts';
import type { Db } from '../../db/database.ts';

const LIFETIME_MS = 72 * 3_600_000;
/** One that is good for so long yet is given again instead of another. */
const REUSE_MS = 48 * 3_600_000;
const KEPT_MS = 30 * 86_400_000;
const SWEEP_MS = 3_600_000;
/** Of an address: so many bytes of name, then so many of its signature; 12 characters each. */
const [ID_BYTES, MAC_BYTES] = [9, 9];
const ID_CHARS = 12;
const PURPOSE = 'desk:links';

/**
 * Short signed addresses of an alarm's picture and clip (`/v/…`), to be handed on to whom a centre sends, and to stand in
 * the alarm itself (DC-09 `[V…]`). Who has one needs no account; what it shows follows from what the centre may see when it
 * is opened, and it ends with its time.
 */
export class Links {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #vault: Vault;
  readonly #publicUrl: () => URL | null;
  #key: Promise<Buffer> | null = null;
  #cancel: (() => void) | null = null;

  constructor(deps: { db: Db; clock: Clock; vault: Vault; publicUrl: () => URL | null }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#vault = deps.vault;
    this.#publicUrl = deps.publicUrl;
  }

  start(): void {
    this.#cancel = this.#clock.every(SWEEP_MS, () => {
      const before = this.#clock.now() - KEPT_MS;
      // What is left behind is found expired all the same.
      this.#db
        .deleteFrom('desk_links')
        .where('expiresMs', '<', before)
        .execute()
        .catch(() => {});
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** For a person who sees the event; throws `permission-needed` where their company may not play what was recorded. */
  async forEvent(scope: Scope, eventId: string): Promise<DeskLink> {
    const event = await this.#db
      .selectFrom('events')
      .select(['siteId', 'deviceId'])
      .where('id', '=', eventId)
      .executeTakeFirst();
    if (!event) throw new ProblemError('not-found');
    if (!(await scope.holds(event.siteId, event.deviceId, 'playback'))) throw new ProblemError('permission-needed');
    return this.#make(scope.companyId, eventId, null);
  }

  /** For the box whose event it is, or will be: alarms are faster than the journal. Throws `not-found`. */
  async forBox(serial: string, accountId: string, eventId: string): Promise<DeskLink> {
    const account = await this.#db
      .selectFrom('arc_accounts as a')
      .innerJoin('arc_receivers as r', 'r.id', 'a.receiverId')
      .select('r.companyId')
      .where('a.id', '=', accountId)
      .where('a.boxSerial', '=', serial)
      .where('a.deletedAt', 'is', null)
      .executeTakeFirst();
    if (!account) throw new ProblemError('not-found', 'This box has no such account.');
    return this.#make(account.companyId, eventId, serial);
  }

  /** What stands behind an address; throws `link-invalid`. `clip`: to be played, null where there is none to see. */
  async open(token: string): Promise<{ view: DeskView; clip: { id: string; scope: Scope } | null }> {
    const link = (await this.#signed(token))
      ? await this.#db
          .selectFrom('desk_links')
          .selectAll()
          .where('id', '=', token.slice(0, ID_CHARS))
          .where('expiresMs', '>', this.#clock.now())
          .executeTakeFirst()
      : undefined;
    if (!link) throw new ProblemError('link-invalid');
    const scope = await this.#scopeOf(link.companyId);
    const event = await this.#db
      .selectFrom('events as e')
      .innerJoin('sites as s', 's.id', 'e.siteId')
      .leftJoin('devices as d', 'd.id', 'e.deviceId')
      .select(['e.siteId', 'e.deviceId', 'e.type', 'e.text', 'e.occurredAt', 'e.endedAt', 's.name as siteName'])
      .select(['s.timeZone', 'd.name as deviceName'])
      .where('e.id', '=', link.eventId)
      .$if(link.boxSerial !== null, (q) => q.where('e.boxSerial', '=', link.boxSerial as string))
      .where(scope.reaches('e.siteId', 'e.deviceId', 'playback'))
      .executeTakeFirst();
    if (!event)
      throw new ProblemError('link-invalid', 'What it shows may not be shown (any more), or is not there yet.');
    const clip = await this.#db
      .selectFrom('clip_events as l')
      .innerJoin('clips as c', 'c.id', 'l.clipId')
      .select('l.clipId')
      .where('l.eventId', '=', link.eventId)
      .where('c.siteId', '=', event.siteId)
      .orderBy('l.clipId')
      .limit(1)
      .executeTakeFirst();
    const { siteId: _site, deviceId: _device, type, ...rest } = event;
    const view = { ...rest, eventType: type as EventType, expiresAt: iso(Number(link.expiresMs)), clip: null };
    return { view, clip: clip ? { id: clip.clipId, scope } : null };
  }

  /** Somebody looked. */
  async opened(token: string): Promise<void> {
    await this.#db
      .updateTable('desk_links')
      .set((e) => ({ opened: e('opened', '+', 1), openedMs: this.#clock.now() }))
      .where('id', '=', token.slice(0, ID_CHARS))
      .execute();
  }

  async #make(companyId: string, eventId: string, boxSerial: string | null): Promise<DeskLink> {
    const now = this.#clock.now();
    const held = await this.#db
      .selectFrom('desk_links')
      .select(['id', 'expiresMs'])
      .where('eventId', '=', eventId)
      .where('companyId', '=', companyId)
      .where('boxSerial', boxSerial === null ? 'is' : '=', boxSerial)
      .where('expiresMs', '>', now + REUSE_MS)
      .limit(1)
      .executeTakeFirst();
    const id = held?.id ?? randomBytes(ID_BYTES).toString('base64url');
    const expiresMs = held ? Number(held.expiresMs) : now + LIFETIME_MS;
    if (!held) {
      const row = { id, companyId, eventId, boxSerial, madeMs: now, expiresMs, opened: 0, openedMs: null };
      await this.#db.insertInto('desk_links').values(row).execute();
    }
    const path = `/v/${id}${(await this.#mac(id)).toString('base64url')}`;
    const base = this.#publicUrl();
    return { path, url: base ? new URL(path, base).href : null, expiresAt: iso(expiresMs) };
  }

  async #signed(token: string): Promise<boolean> {
    if (!/^[\w-]{24}$/.test(token)) return false;
    const given = Buffer.from(token.slice(ID_CHARS), 'base64url');
    return timingSafeEqual(given, await this.#mac(token.slice(0, ID_CHARS)));
  }

  async #mac(id: string): Promise<Buffer> {
    this.#key ??= this.#readKey();
    return createHmac('sha256', await this.#key)
      .update(`${PURPOSE}:${id}`)
      .digest()
      .subarray(0, MAC_BYTES);
  }

  /** Made once; relays on one database share it. */
  async #readKey(): Promise<Buffer> {
    const sealed = this.#vault.seal(PURPOSE, randomBytes(32).toString('base64'));
    await this.#db
      .insertInto('desk_keys')
      .values({ name: PURPOSE, sealed })
      .onConflict((c) => c.column('name').doNothing())
      .execute();
    const row = await this.#db
      .selectFrom('desk_keys')
      .select('sealed')
      .where('name', '=', PURPOSE)
      .executeTakeFirstOrThrow();
    return Buffer.from(this.#vault.open(PURPOSE, row.sealed), 'base64');
  }

  /** What the company may see now, by nobody in particular. */
  async #scopeOf(companyId: string): Promise<Scope> {
    const company = await this.#db
      .selectFrom('companies')
      .select(['type', 'suspendedMs'])
      .where('id', '=', companyId)
      .executeTakeFirst();
    if (!company || company.suspendedMs !== null) throw new ProblemError('link-invalid');
    const who = { userId: '', companyId, companyType: company.type, admin: true, limited: false } as const;
    return createScope(this.#db, this.#clock, { ...who, permissions: new Set() });
  }
}
