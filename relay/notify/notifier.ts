import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { NoticeCategory, NoticeCode, Notice as NoticeView, Unread } from '../../protocol/wire/notify.ts';
import { ProblemError } from '../api/problem.ts';
import { Limiter, retryAfter } from '../auth/limiter.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { isMailAddress } from './email.ts';
import type { NotifyLive } from './live.ts';
import type { NewMessage, Outbox } from './outbox.ts';
import type { NotificationRow } from './schema.ts';
import { notBefore, settingsOf } from './settings.ts';
import { isPhoneNumber } from './sms.ts';
import { noticeText, oneLine } from './texts.ts';

const KEEP_MS = 90 * 86_400_000;
const SWEEP_MS = 3_600_000;
/** What the people of one company have sent to others, invitations of every kind, in an hour. */
export const SENDS_PER_COMPANY = 200;
const HOUR_MS = 3_600_000;
/** A notice whose transaction has not committed by then never will. */
const TELL_WITHIN_MS = 60_000;
/** A path of the portal: never another host. */
const PATH = /^\/(?![/\\])[^\s\\\p{C}]{0,1000}$/u;

export interface Notice {
  category: NoticeCategory;
  code: NoticeCode;
  values: Record<string, string>;
  /** Portal path, or empty. */
  link: string;
  siteId?: string | null;
}

/** What people are told: in the portal always, by e-mail and push as each of them wishes. */
export class Notifier {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #outbox: Outbox;
  readonly #live: NotifyLive;
  readonly #sends: Limiter;
  /** Written, but perhaps not committed yet; told to open pages as soon as they can be read. */
  readonly #untold = new Map<string, { userId: string; sinceMono: number }>();
  #telling: Promise<void> | null = null;
  #owned: (() => void)[] = [];

  constructor(deps: { db: Db; clock: Clock; log: Logger; outbox: Outbox; live: NotifyLive }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#outbox = deps.outbox;
    this.#live = deps.live;
    this.#sends = new Limiter({ clock: deps.clock, limit: SENDS_PER_COMPANY, windowMs: HOUR_MS });
  }

  start(): void {
    this.#outbox.start();
    this.#owned = [
      this.#clock.every(2_000, () => this.#tellSoon()),
      this.#clock.every(SWEEP_MS, () => {
        this.#sweep().catch((error) => this.#log.error({ err: error }, 'old notifications could not be swept'));
      }),
    ];
  }

  async stop(): Promise<void> {
    for (const release of this.#owned) release();
    await this.#telling;
    await this.#outbox.stop();
  }

  /** After the commit of what was written: delivered at once instead of within two seconds. */
  kick(): void {
    this.#outbox.kick();
    this.#tellSoon();
  }

  /** Inside the caller's transaction; delivered after its commit. Who was disabled or deleted is left out. */
  async toUsers(trx: DbOrTrx, userIds: string[], notice: Notice): Promise<void> {
    checkLink(notice.link);
    const people = await trx
      .selectFrom('users')
      .select(['id', 'email', 'name', 'locale'])
      .where('id', 'in', [...new Set(userIds), ''])
      .where('enabled', '=', 1)
      .where('deletedAt', 'is', null)
      .execute();
    if (people.length === 0) return;
    const { category, code, values, link } = notice;
    const now = this.#clock.now();
    const rows = people.map((person) => ({
      id: uuidv7(now),
      userId: person.id,
      category,
      code,
      args: JSON.stringify(values),
      link,
      siteId: notice.siteId ?? null,
      createdMs: now,
      readMs: null,
    }));
    for (let i = 0; i < rows.length; i += 500) {
      await trx
        .insertInto('notifications')
        .values(rows.slice(i, i + 500))
        .execute();
    }
    for (const { id, userId } of rows) this.#untold.set(id, { userId, sinceMono: this.#clock.mono() });

    const ids = people.map((person) => person.id);
    const wishes = await settingsOf(trx, ids);
    const browsers = await trx
      .selectFrom('push_subscriptions')
      .select(['id', 'userId'])
      .where('userId', 'in', ids)
      .execute();
    const messages = people.flatMap((person): NewMessage[] => {
      const { email, push, quiet } = wishes.get(person.id)!;
      const common = { userId: person.id, name: person.name, locale: person.locale, code, values, link };
      const dueMs = notBefore(quiet, now);
      const mail: NewMessage[] =
        email[category] && person.email
          ? [{ ...common, channel: 'email', lane: `notice:${person.id}`, address: person.email, dueMs }]
          : [];
      const pushes = push[category] ? browsers.filter((browser) => browser.userId === person.id) : [];
      return [
        ...mail,
        ...pushes.map(({ id }): NewMessage => ({ ...common, channel: 'push', lane: `push:${id}`, address: id, dueMs })),
      ];
    });
    for (const channel of ['email', 'push'] as const) {
      const own = messages.filter((message) => message.channel === channel);
      if (own.length === 0) continue;
      // It stands in the portal all the same: what it tells about must not fail for that.
      if (await this.#outbox.isFull(trx, channel, code)) {
        this.#log.error({ channel, code, dropped: own.length }, 'the outbox is full: only told in the portal');
      } else await this.#outbox.add(trx, own);
    }
  }

  /** Administrators of a company, and with a site those whom it is assigned to. */
  async toCompany(trx: DbOrTrx, companyId: string, notice: Notice): Promise<void> {
    const now = this.#clock.now();
    const rows = await trx
      .selectFrom('users as u')
      .select('u.id')
      .where('u.companyId', '=', companyId)
      .where((e) =>
        e.or([
          e('u.admin', '=', 1),
          e.exists(
            e
              .selectFrom('site_managers as m')
              .select('m.userId')
              .whereRef('m.userId', '=', 'u.id')
              .where('m.siteId', '=', notice.siteId ?? '')
              .where((f) => f.or([f('m.untilMs', 'is', null), f('m.untilMs', '>', now)])),
          ),
        ]),
      )
      .execute();
    await this.toUsers(
      trx,
      rows.map((row) => row.id),
      notice,
    );
  }

  /**
   * E-mail to somebody who may have no account. Throws `outbox-full` when it cannot be taken, and `too-many-requests` when
   * the company that causes it (`senderId`) has sent enough.
   */
  async mail(
    trx: DbOrTrx,
    to: { email: string; locale: string; name?: string },
    code: NoticeCode,
    values: Record<string, string>,
    link: string,
    senderId?: string,
  ): Promise<void> {
    if (!isMailAddress(to.email)) throw new ProblemError('invalid-request', 'email: not an e-mail address');
    const address = to.email.trim();
    await this.#direct(trx, 'email', address, { name: to.name ?? '', locale: to.locale, code, values, link }, senderId);
  }

  /** Text message to somebody who may have no account; the same applies. */
  async sms(
    trx: DbOrTrx,
    to: { phone: string; locale: string },
    code: NoticeCode,
    values: Record<string, string>,
    link: string,
    senderId?: string,
  ): Promise<void> {
    if (!isPhoneNumber(to.phone))
      throw new ProblemError('invalid-request', 'phone: a number like +4930123456 is needed');
    await this.#direct(trx, 'sms', to.phone, { name: '', locale: to.locale, code, values, link }, senderId);
  }

  async #direct(
    trx: DbOrTrx,
    channel: 'email' | 'sms',
    address: string,
    message: Pick<NewMessage, 'name' | 'locale' | 'values' | 'link'> & { code: NoticeCode },
    senderId: string | undefined,
  ): Promise<void> {
    checkLink(message.link);
    if (await this.#outbox.isFull(trx, channel, message.code)) throw new ProblemError('outbox-full');
    const waitMs = senderId === undefined ? 0 : this.#sends.take(senderId);
    if (waitMs > 0)
      throw new ProblemError(
        'too-many-requests',
        `Your company has sent ${SENDS_PER_COMPANY} invitations and messages in an hour: go on in ${Math.ceil(waitMs / 60_000)} minutes.`,
        { headers: retryAfter(waitMs) },
      );
    const lane = `${channel}:${address.toLowerCase()}`;
    await this.#outbox.add(trx, [{ ...message, name: oneLine(message.name), channel, lane, address, userId: null }]);
  }

  /** Takes away everything of a person who deletes their account. */
  async forget(trx: DbOrTrx, userId: string): Promise<void> {
    for (const table of ['notifications', 'notification_settings', 'push_subscriptions', 'outbox'] as const)
      await trx.deleteFrom(table).where('userId', '=', userId).execute();
  }

  async unread(userId: string): Promise<Unread> {
    const rows = await this.#db
      .selectFrom('notifications')
      .select(({ fn }) => ['category', fn.countAll<number>().as('n')])
      .where('userId', '=', userId)
      .where('readMs', 'is', null)
      .groupBy('category')
      .execute();
    const of = (category: string) => Number(rows.find((row) => row.category === category)?.n ?? 0);
    const counts = { business: of('business'), arc: of('arc'), site: of('site') };
    return { total: counts.business + counts.arc + counts.site, ...counts };
  }

  /** Open pages of a person count anew. */
  async tellUnread(userId: string): Promise<void> {
    if (this.#live.watched(userId)) this.#live.publish(userId, { event: 'unread', data: await this.unread(userId) });
  }

  #tellSoon(): void {
    if (this.#untold.size === 0 || this.#telling) return;
    this.#telling = this.#tell()
      .catch((error) => this.#log.error({ err: error }, 'notifications could not be told live'))
      .finally(() => {
        this.#telling = null;
      });
  }

  async #tell(): Promise<void> {
    const watched: string[] = [];
    for (const [id, { userId, sinceMono }] of this.#untold) {
      if (!this.#live.watched(userId) || this.#clock.mono() - sinceMono > TELL_WITHIN_MS) this.#untold.delete(id);
      else watched.push(id);
    }
    for (let i = 0; i < watched.length; i += 500) {
      const rows = await this.#db
        .selectFrom('notifications as n')
        .innerJoin('users as u', 'u.id', 'n.userId')
        .selectAll('n')
        .select('u.locale')
        .where('n.id', 'in', watched.slice(i, i + 500))
        .orderBy('n.rowId')
        .execute();
      for (const { locale, ...row } of rows) {
        this.#untold.delete(row.id);
        const unread = await this.unread(row.userId);
        this.#live.publish(row.userId, { event: 'notice', data: { notice: toView(row, locale), unread } });
      }
    }
  }

  async #sweep(): Promise<void> {
    await this.#db
      .deleteFrom('notifications')
      .where('createdMs', '<', this.#clock.now() - KEEP_MS)
      .execute();
  }
}

/** As the person reads it. */
export function toView(row: NotificationRow, locale: string): NoticeView {
  const { id, category, code, link, siteId } = row;
  const { subject, text } = noticeText(code, locale, JSON.parse(row.args));
  const readAt = row.readMs === null ? null : iso(Number(row.readMs));
  return { id, category, code, title: subject, text, link, siteId, createdAt: iso(Number(row.createdMs)), readAt };
}

function checkLink(link: string): void {
  if (link !== '' && !PATH.test(link)) throw new Error(`${oneLine(link).slice(0, 64)} is no path of the portal`);
}
