import { randomBytes } from 'node:crypto';
import QRCode from 'qrcode';
import type { Clock } from '../../protocol/clock.ts';
import {
  type CreateTransfer,
  RESENDS_PER_DAY,
  type SentTransfer,
  SITE_WIDE,
  type TransferAsk,
  type TransferStatus,
} from '../../protocol/wire/handover.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import { hashToken } from '../auth/sessions.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import type { Notifier } from '../notify/notifier.ts';
import { accountOf, boxCount, devicesOf, type TransferRow, transferOf } from './lookups.ts';
import { askableOf, blocked, dayIn, obstaclesOf } from './rules.ts';

const DAY_MS = 86_400_000;
/** How long a customer can accept. A QR code is for who stands beside it or was sent it: it gives the site to anybody. */
const LASTS_MS = { email: 30 * DAY_MS, phone: 30 * DAY_MS, qr: 3 * DAY_MS } as const;

type Content = Pick<TransferRow, 'method' | 'recipient' | 'customerName' | 'remark' | 'locale' | 'requests'>;

/** The installer's side of a handover by transfer: send it, send it again, take it back. */
export class Transfers {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #notifier: Notifier;

  constructor({ db, clock, notifier }: { db: Db; clock: Clock; notifier: Notifier }) {
    this.#db = db;
    this.#clock = clock;
    this.#notifier = notifier;
  }

  async status(scope: Scope, siteId: string): Promise<TransferStatus> {
    const site = await scope.site(siteId);
    if (scope.companyId !== site.companyId && !(await scope.holds(site.id, null, 'manage'))) {
      throw new ProblemError('not-allowed', 'Only who serves the site sees its handover.');
    }
    return this.#status(this.#db, site);
  }

  /** Hands the site over. `origin`: how browsers reach the portal, for the QR code. */
  async send(scope: Scope, siteId: string, input: CreateTransfer, origin: string): Promise<SentTransfer> {
    const site = await scope.site(siteId, 'manage', 'transfer');
    if (input.requests.some((ask) => ask.permission !== 'manage' && ask.permission !== 'services'))
      scope.must('manage-devices');
    await this.#mustBeAskable(site, input.requests);
    const recipient = input.method === 'email' ? input.email : input.method === 'phone' ? input.phone : null;
    const { method, customerName, remark, locale } = input;
    const content = { method, recipient, customerName, remark, locale, requests: JSON.stringify(input.requests) };
    const { row, token } = await this.#sending(scope, site, content, false, async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('sites')
        .set({ status: 'not-registered' })
        .where('id', '=', site.id)
        .where('status', '=', 'not-handed-over')
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new ProblemError('site-status');
    });
    return this.#sent(row, token, origin);
  }

  /** Sends it again to the same customer; the former one ends. */
  async resend(scope: Scope, siteId: string, origin: string): Promise<SentTransfer> {
    const site = await scope.site(siteId, 'manage', 'resend-transfer');
    const old = await this.#current(this.#db, site.id);
    if (!old) throw new ProblemError('link-invalid');
    const { row, token } = await this.#sending(scope, site, old, true, (trx) => this.#finish(trx, old, 'superseded'));
    return this.#sent(row, token, origin);
  }

  async cancel(scope: Scope, siteId: string): Promise<TransferStatus> {
    const site = await scope.site(siteId, 'manage', 'resend-transfer');
    await this.#db.transaction().execute(async (trx) => {
      const row = await this.#current(trx, site.id);
      if (!row) throw new ProblemError('link-invalid');
      await this.#finish(trx, row, 'cancelled');
      await trx.updateTable('sites').set({ status: 'not-handed-over' }).where('id', '=', site.id).execute();
      const account = await accountOf(trx, row);
      if (account)
        await this.#notifier.toUsers(trx, [account], await this.#notice(trx, 'transfer-cancelled', site, row));
    });
    this.#notifier.kick();
    return this.#status(this.#db, await this.#site(this.#db, site.id));
  }

  /**
   * A customer's address or number was verified: what was sent to it waits for his acceptance now. Inside the
   * registration's transaction.
   */
  async registered(trx: DbOrTrx, userId: string): Promise<void> {
    const user = await trx.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirstOrThrow();
    const addresses = [user.emailVerifiedMs && user.email, user.phoneVerifiedMs && user.phone].filter((a) => !!a);
    if (addresses.length === 0) return;
    const rows = await trx
      .selectFrom('transfers as t')
      .innerJoin('sites as s', 's.id', 't.siteId')
      .selectAll('t')
      .where('t.recipient', 'in', addresses as string[])
      .where('t.state', '=', 'sent')
      .where('s.status', '=', 'not-registered')
      .where('s.deletedAt', 'is', null)
      .execute();
    for (const row of rows) if ((await accountOf(trx, row)) === userId) await this.#waiting(trx, row, userId);
  }

  /** As {@link registered}, for every transfer that waits for a registration. */
  async registrations(trx: DbOrTrx): Promise<void> {
    const rows = await trx
      .selectFrom('transfers as t')
      .innerJoin('sites as s', 's.id', 't.siteId')
      .innerJoin('users as u', (j) =>
        j.on((e) => e.or([e('u.email', '=', e.ref('t.recipient')), e('u.phone', '=', e.ref('t.recipient'))])),
      )
      .selectAll('t')
      .where('t.state', '=', 'sent')
      .where('s.status', '=', 'not-registered')
      .where('s.deletedAt', 'is', null)
      .execute();
    for (const row of rows) {
      const account = await accountOf(trx, row);
      if (account) await this.#waiting(trx, row, account);
    }
  }

  async #waiting(trx: DbOrTrx, row: TransferRow, userId: string): Promise<void> {
    await trx.updateTable('sites').set({ status: 'to-be-accepted' }).where('id', '=', row.siteId).execute();
    const site = await this.#site(trx, row.siteId);
    await this.#notifier.toUsers(trx, [userId], await this.#notice(trx, 'transfer-received', site, row));
  }

  /** One sending: the limit of the day, the row, the status, the message. `begin` makes sure that it is the only one. */
  async #sending(
    scope: Scope,
    site: SiteRow,
    content: Content,
    again: boolean,
    begin: (trx: DbOrTrx) => Promise<void>,
  ): Promise<{ row: TransferRow; token: string }> {
    const token = randomBytes(32).toString('base64url');
    const row = await this.#db.transaction().execute(async (trx) => {
      await begin(trx);
      const [devices, boxes] = [await devicesOf(trx, site.id), await boxCount(trx, site.id)];
      const obstacles = obstaclesOf(devices, boxes);
      if (obstacles.length > 0) throw blocked(obstacles);
      const now = this.#clock.now();
      const day = dayIn(site.timeZone, now);
      const today = await this.#sentOn(trx, site.id, day);
      // The first of a day is a resend too when the one before it was sent on that day: cancelling gives no more tries.
      const resend = again || today.length > 0;
      if (resend && today.filter((t) => t.resend === 1).length >= RESENDS_PER_DAY) {
        throw new ProblemError(
          'limit-reached',
          `This handover was sent again ${RESENDS_PER_DAY} times today. It can be from midnight on, at the site’s time.`,
        );
      }
      const { method, recipient, customerName, remark, locale, requests } = content;
      const row: TransferRow = {
        method,
        recipient,
        customerName,
        remark,
        locale,
        requests,
        id: uuidv7(now),
        siteId: site.id,
        companyId: site.companyId,
        sentBy: scope.userId,
        tokenHash: hashToken(token),
        sentMs: now,
        expiresMs: now + LASTS_MS[method],
        day,
        resend: resend ? 1 : 0,
        state: 'sent',
        decidedMs: null,
        ownerId: null,
      };
      await trx.insertInto('transfers').values(row).execute();
      const account = await accountOf(trx, row);
      // A QR code is for somebody unknown: there is nobody to wait for who would register.
      const status = account || method === 'qr' ? 'to-be-accepted' : 'not-registered';
      await trx.updateTable('sites').set({ status }).where('id', '=', site.id).execute();
      await this.#tell(trx, site, row, account, `/handover#${token}`);
      return row;
    });
    this.#notifier.kick();
    return { row, token };
  }

  /** The customer hears of it, with the owning company's data only: also when a partner's employee sends it. */
  async #tell(trx: DbOrTrx, site: SiteRow, row: TransferRow, account: string | null, link: string): Promise<void> {
    const notice = await this.#notice(trx, 'transfer-received', site, row);
    if (account) await this.#notifier.toUsers(trx, [account], notice);
    if (row.recipient === null) return;
    const { locale, recipient } = row;
    if (row.method === 'phone') {
      await this.#notifier.sms(
        trx,
        { phone: recipient, locale },
        'transfer-message',
        notice.values,
        link,
        row.companyId,
      );
    } else if (!account) {
      const to = { email: recipient, locale, name: row.customerName || undefined };
      await this.#notifier.mail(trx, to, 'transfer-invitation', notice.values, link, row.companyId);
    }
  }

  async #notice(trx: DbOrTrx, code: 'transfer-received' | 'transfer-cancelled', site: SiteRow, row: TransferRow) {
    const company = await trx
      .selectFrom('companies')
      .select('name')
      .where('id', '=', row.companyId)
      .executeTakeFirstOrThrow();
    const values = { company: company.name, site: site.name, remark: row.remark || '–' };
    return { category: 'site' as const, code, values, link: `/handovers/${row.id}`, siteId: site.id };
  }

  async #finish(trx: DbOrTrx, row: TransferRow, state: 'superseded' | 'cancelled'): Promise<void> {
    const { numUpdatedRows } = await trx
      .updateTable('transfers')
      .set({ state, decidedMs: this.#clock.now() })
      .where('id', '=', row.id)
      .where('state', '=', 'sent')
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new ProblemError('link-invalid');
  }

  async #mustBeAskable(site: SiteRow, asks: readonly TransferAsk[]): Promise<void> {
    const devices = new Set((await devicesOf(this.#db, site.id)).map((device) => device.id));
    for (const { permission, deviceIds } of asks) {
      if (!askableOf(site.type).includes(permission)) {
        throw new ProblemError(
          'invalid-request',
          `requests: “${permission}” cannot be asked for at a ${site.type} site`,
        );
      }
      if (deviceIds && SITE_WIDE.includes(permission)) {
        throw new ProblemError('invalid-request', `requests: “${permission}” is for the whole site, not for devices`);
      }
      const foreign = deviceIds?.find((id) => !devices.has(id));
      if (foreign) throw new ProblemError('invalid-request', `requests: device ${foreign} is not at this site`);
    }
  }

  async #status(db: DbOrTrx, site: SiteRow): Promise<TransferStatus> {
    const devices = await devicesOf(db, site.id);
    const row =
      (await this.#current(db, site.id)) ??
      (await db
        .selectFrom('transfers')
        .selectAll()
        .where('siteId', '=', site.id)
        .orderBy('sentMs', 'desc')
        .orderBy('id', 'desc')
        .executeTakeFirst());
    const today = await this.#sentOn(db, site.id, dayIn(site.timeZone, this.#clock.now()));
    const owner = site.ownerId
      ? await db.selectFrom('companies').select('name').where('id', '=', site.ownerId).executeTakeFirstOrThrow()
      : null;
    return {
      siteId: site.id,
      type: site.type,
      status: site.status,
      transfer: row ? transferOf(row, devices) : null,
      resendsLeft: RESENDS_PER_DAY - today.filter((t) => t.resend === 1).length,
      obstacles: site.ownerId ? [] : obstaclesOf(devices, await boxCount(db, site.id)),
      owner,
    };
  }

  async #sent(row: TransferRow, token: string, origin: string): Promise<SentTransfer> {
    const url = new URL(`/handover#${token}`, origin).href;
    const qr = row.method === 'qr' ? { url, svg: await QRCode.toString(url, { type: 'svg', margin: 1 }) } : null;
    return { ...(await this.#status(this.#db, await this.#site(this.#db, row.siteId))), qr };
  }

  #current(db: DbOrTrx, siteId: string): Promise<TransferRow | undefined> {
    return db
      .selectFrom('transfers')
      .selectAll()
      .where('siteId', '=', siteId)
      .where('state', '=', 'sent')
      .executeTakeFirst();
  }

  #sentOn(db: DbOrTrx, siteId: string, day: string): Promise<{ resend: number }[]> {
    return db.selectFrom('transfers').select('resend').where('siteId', '=', siteId).where('day', '=', day).execute();
  }

  #site(db: DbOrTrx, siteId: string): Promise<SiteRow> {
    return db.selectFrom('sites').selectAll().where('id', '=', siteId).executeTakeFirstOrThrow();
  }
}
