import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import {
  type CreateDeviceInvitation,
  DEVICE_INVITATION_MS,
  type DeviceInvitation,
  type DeviceInvitationState,
} from '../../protocol/wire/device-invitation.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { NoticeCode } from '../../protocol/wire/notify.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import { assignGuest, dismissGuests } from '../collaboration/assigned.ts';
import { findInstaller } from '../collaboration/suitable.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import { timeIn } from '../handover/share-notices.ts';
import { lockSite } from '../handover/sharing-rules.ts';
import type { Notifier } from '../notify/notifier.ts';

type Row = Selectable<Database['device_invitations']>;
/** What accepting gives on the device: to configure it and to operate it. */
const GIVEN = ['configure', 'live', 'playback'] as const;
const SWEEP_MS = 60_000;

/** A customer gives an installer one of his devices to configure and operate. */
export class DeviceInvitations {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notifier: Notifier;
  #release: () => void = () => {};

  constructor(deps: { db: Db; clock: Clock; log: Logger; notifier: Notifier }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notifier = deps.notifier;
  }

  start(): void {
    this.#release = this.#clock.every(SWEEP_MS, () => {
      this.#sweep().catch((error) => this.#log.error({ err: error }, 'invitations could not be swept'));
    });
  }

  stop(): void {
    this.#release();
  }

  /** Of a customer: those he sent; of an installer: those to him (an Installer Admin: to his company). Newest first. */
  async list(scope: Scope, limit: number, cursor: string | undefined): Promise<Page<DeviceInvitation>> {
    const [column, id] = mineOf(scope);
    const rows = await this.#db
      .selectFrom('device_invitations')
      .selectAll()
      .where(column, '=', id)
      .$if(cursor !== undefined, (q) => q.where('id', '<', cursor!))
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = await Promise.all(rows.slice(0, limit).map((row) => this.#view(this.#db, scope, row)));
    return { items, nextCursor: rows.length > limit ? rows[limit - 1]!.id : null };
  }

  async get(scope: Scope, id: string): Promise<DeviceInvitation> {
    return this.#view(this.#db, scope, await this.#find(this.#db, scope, id));
  }

  /** Invites the installer whose account has this address; valid three days. */
  async send(scope: Scope, wanted: z.output<typeof CreateDeviceInvitation>): Promise<DeviceInvitation> {
    const device = await scope.device(wanted.deviceId);
    const owner = (await scope.holds(device.siteId, null, 'own')) || (await scope.holds(device.siteId, null, 'all'));
    if (scope.companyType !== 'customer' || !owner) {
      throw new ProblemError('not-allowed', 'Only the owner of a device invites an installer to it.');
    }
    return this.#change(async (trx, now) => {
      const site = await lockSite(trx, device.siteId);
      const installer = await findInstaller(trx, wanted.email);
      if (!installer?.manages) {
        throw new ProblemError(
          'cannot-be-invited',
          'No installer who manages sites has an account with this address. Ask him which address his account has.',
        );
      }
      const open = await trx
        .selectFrom('device_invitations')
        .selectAll()
        .where('deviceId', '=', device.id)
        .where('companyId', '=', installer.companyId)
        .where('state', 'in', ['sent', 'accepted'])
        .execute();
      if (open.some((row) => stateAt(row, now) !== 'expired')) {
        throw new ProblemError('conflict', 'This company has the device already, or has not answered yet.');
      }
      const me = await trx
        .selectFrom('users')
        .select(['email', 'phone'])
        .where('id', '=', scope.userId)
        .executeTakeFirstOrThrow();
      const row: Row = {
        id: uuidv7(now),
        customerId: scope.companyId,
        siteId: device.siteId,
        deviceId: device.id,
        account: me.email ?? me.phone ?? '',
        userId: installer.userId,
        companyId: installer.companyId,
        state: 'sent',
        invitedMs: now,
        expiresMs: now + DEVICE_INVITATION_MS,
      };
      await trx.insertInto('device_invitations').values(row).execute();
      const values = {
        device: device.name,
        serial: device.serial ?? '–',
        site: site.name,
        account: row.account,
        time: timeIn(site.timeZone, now),
      };
      const link = `/invitations/devices/${row.id}`;
      const { email } = wanted;
      const { locale, name } = installer;
      await this.#notifier.mail(trx, { email, locale, name }, 'device-invitation', values, link, scope.companyId);
      // Of no site: whoever is invited does not reach it yet.
      const notice = { category: 'business', code: 'device-invitation', values, link } as const;
      await this.#notifier.toUsers(trx, [row.userId], notice);
      return this.#view(trx, scope, row);
    });
  }

  /** The device appears on the site that it is at, with the permissions to configure and operate it. */
  async answer(scope: Scope, id: string, yes: boolean): Promise<DeviceInvitation> {
    return this.#change(async (trx, now) => {
      const row = await this.#find(trx, scope, id);
      if (scope.companyId !== row.companyId) throw new ProblemError('not-allowed', 'The installer answers this.');
      if (scope.limited) throw new ProblemError('account-limited');
      await lockSite(trx, row.siteId);
      const next = await this.#settle(trx, row, yes ? 'accepted' : 'declined', ['sent'], now);
      if (yes) {
        const { companyId, siteId, deviceId } = row;
        const common = { companyId, siteId, deviceId, source: 'invitation' as const, sourceId: row.id };
        await trx
          .insertInto('grants')
          .values(GIVEN.map((permission) => ({ ...common, id: uuidv7(now), permission })))
          .execute();
        await assignGuest(trx, siteId, row.userId);
      }
      await this.#tell(trx, row, row.customerId, yes ? 'device-invitation-accepted' : 'device-invitation-declined');
      return this.#view(trx, scope, next);
    });
  }

  /** The customer takes it back: before an answer, or what the installer has had since. */
  async withdraw(scope: Scope, id: string): Promise<DeviceInvitation> {
    return this.#change(async (trx, now) => {
      const row = await this.#find(trx, scope, id);
      if (scope.companyId !== row.customerId) throw new ProblemError('not-allowed', 'The customer withdraws this.');
      await lockSite(trx, row.siteId);
      const next = await this.#settle(trx, row, 'withdrawn', ['sent', 'accepted'], now);
      await trx.deleteFrom('grants').where('source', '=', 'invitation').where('sourceId', '=', id).execute();
      await dismissGuests(trx, row.siteId, row.companyId, now);
      await this.#tell(trx, row, row.companyId, 'device-invitation-withdrawn');
      return this.#view(trx, scope, next);
    });
  }

  async #settle(
    trx: DbOrTrx,
    row: Row,
    state: DeviceInvitationState,
    from: DeviceInvitationState[],
    now: number,
  ): Promise<Row> {
    const current = stateAt(row, now);
    if (current === 'expired') {
      throw new ProblemError(
        'link-invalid',
        'The invitation was valid for three days: the customer can send another one.',
      );
    }
    const { numUpdatedRows } = await trx
      .updateTable('device_invitations')
      .set({ state })
      .where('id', '=', row.id)
      .where('state', 'in', from)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new ProblemError('conflict', 'The invitation was answered or withdrawn before.');
    return { ...row, state };
  }

  /** Tells customers of what nobody answered in three days; what counts is the time, not that it was told. */
  async #sweep(): Promise<void> {
    const now = this.#clock.now();
    const rows = await this.#db
      .selectFrom('device_invitations')
      .selectAll()
      .where('state', '=', 'sent')
      .where('expiresMs', '<=', now)
      .limit(500)
      .execute();
    for (const row of rows) {
      await this.#change(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('device_invitations')
          .set({ state: 'expired' })
          .where('id', '=', row.id)
          .where('state', '=', 'sent')
          .executeTakeFirst();
        if (numUpdatedRows > 0n) await this.#tell(trx, row, row.customerId, 'device-invitation-expired');
      });
    }
  }

  async #change<T>(fn: (trx: DbOrTrx, now: number) => Promise<T>): Promise<T> {
    const result = await this.#db.transaction().execute((trx) => fn(trx, this.#clock.now()));
    this.#notifier.kick();
    return result;
  }

  async #find(db: DbOrTrx, scope: Scope, id: string): Promise<Row> {
    const [column, own] = mineOf(scope);
    const row = await db
      .selectFrom('device_invitations')
      .selectAll()
      .where('id', '=', id)
      .where(column, '=', own)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return row;
  }

  async #tell(trx: DbOrTrx, row: Row, companyId: string, code: NoticeCode): Promise<void> {
    const { device, site } = await this.#names(trx, row);
    const values = { device: device.name, site: site.name, account: row.account };
    const link = `/invitations/devices/${row.id}`;
    await this.#notifier.toCompany(trx, companyId, { category: 'business', code, values, link });
  }

  async #names(db: DbOrTrx, row: Row) {
    const device = await db
      .selectFrom('devices')
      .select(['name', 'serial'])
      .where('id', '=', row.deviceId)
      .executeTakeFirstOrThrow();
    const site = await db.selectFrom('sites').select('name').where('id', '=', row.siteId).executeTakeFirstOrThrow();
    return { device, site };
  }

  async #view(db: DbOrTrx, scope: Scope, row: Row): Promise<DeviceInvitation> {
    const sent = row.customerId === scope.companyId;
    const state = stateAt(row, this.#clock.now());
    const shown = sent || state === 'sent' || (state === 'accepted' && (await this.#holds(db, row)));
    const names = shown ? await this.#names(db, row) : null;
    const user = await db.selectFrom('users').select('email').where('id', '=', row.userId).executeTakeFirst();
    return {
      id: row.id,
      deviceId: row.deviceId,
      deviceName: names?.device.name ?? '',
      deviceSerial: names?.device.serial ?? null,
      siteId: row.siteId,
      siteName: names?.site.name ?? '',
      customer: row.account,
      email: user?.email ?? '',
      invitedAt: iso(Number(row.invitedMs)),
      validUntil: iso(Number(row.expiresMs)),
      state,
      direction: sent ? 'sent' : 'received',
    };
  }

  /** Whether who accepted still has something of the device: it can be given back, or taken, without the invitation. */
  async #holds(db: DbOrTrx, { companyId, siteId, deviceId }: Row): Promise<boolean> {
    const grant = await db
      .selectFrom('grants')
      .select('id')
      .where('companyId', '=', companyId)
      .where('siteId', '=', siteId)
      .where((e) => e.or([e('deviceId', 'is', null), e('deviceId', '=', deviceId)]))
      .where((e) => e.or([e('untilMs', 'is', null), e('untilMs', '>', this.#clock.now())]))
      .executeTakeFirst();
    return grant !== undefined;
  }
}

const stateAt = (row: Pick<Row, 'state' | 'expiresMs'>, now: number): DeviceInvitationState =>
  row.state === 'sent' && Number(row.expiresMs) <= now ? 'expired' : row.state;

function mineOf(scope: Scope): ['customerId' | 'companyId' | 'userId', string] {
  if (scope.companyType === 'customer') return ['customerId', scope.companyId];
  return scope.admin ? ['companyId', scope.companyId] : ['userId', scope.userId];
}
