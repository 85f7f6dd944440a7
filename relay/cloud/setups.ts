import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { AddDevice } from '../../protocol/wire/api.ts';
import { ProbeResult } from '../../protocol/wire/box-api.ts';
import type {
  CloudItem,
  CloudSettle,
  CloudSettled,
  CloudSetupDevice,
  CloudSetupStarted,
  StartCloudSetup,
} from '../../protocol/wire/cloud.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Job } from '../../protocol/wire/jobs.ts';
import { PROBLEMS } from '../../protocol/wire/problem.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import { maxCloudChannels } from '../compat/limits.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DeviceRow, SiteRow } from '../db/schema.ts';
import type { BoxClient } from '../devices/box-client.ts';
import type { Devices } from '../devices/devices.ts';
import { tlsOf } from '../devices/reached-by.ts';
import type { Notifier } from '../notify/notifier.ts';
import { lockCompany } from '../people/users.ts';
import { mustFit } from './fits.ts';
import type { CloudRecording } from './recording.ts';
import type { CloudRegions } from './regions.ts';
import { triggersFor } from './rules.ts';
import type { CloudTables } from './schema.ts';
import type { CloudServiceBook } from './services.ts';
import { forgetSetups } from './set-up-state.ts';
import { noneLeft, stockOf } from './stock.ts';

const JOB_TIMEOUT_MS = 15_000;
const PROBE_TIMEOUT_MS = 20_000;
const SWEEP_MS = 3_600_000;
/** A set-up of which nothing was heard for so long takes no package any more. */
const GIVEN_UP_MS = 86_400_000;

type Setup = Selectable<CloudTables['cloud_setups']>;
type Wanted = { device: DeviceRow; channels: CloudSetupDevice['channels'] };

/**
 * Set-ups of cloud storage: the box does the work and is the source of how far it is; here stands which package each
 * channel is to get, until the box says that all went well (BOX-05, BOX-06, CLOUD-17).
 */
export class CloudSetups {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #box: BoxClient;
  readonly #devices: Devices;
  readonly #notifier: Notifier;
  readonly #services: CloudServiceBook;
  readonly #recording: CloudRecording;
  readonly #regions: CloudRegions;
  #cancel: (() => void) | null = null;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    box: BoxClient;
    devices: Devices;
    notifier: Notifier;
    services: CloudServiceBook;
    recording: CloudRecording;
    regions: CloudRegions;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#box = deps.box;
    this.#devices = deps.devices;
    this.#notifier = deps.notifier;
    this.#services = deps.services;
    this.#recording = deps.recording;
    this.#regions = deps.regions;
  }

  start(): void {
    this.#cancel = this.#clock.every(SWEEP_MS, () => {
      this.#giveUp().catch((error) => this.#log.error({ err: error }, 'old set-ups could not be given up'));
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /**
   * Links devices, takes packages aside and has the box begin. What one device refuses leaves the others alone; where no
   * package is left nothing begins.
   */
  async begin(scope: Scope, siteId: string, wanted: z.output<typeof StartCloudSetup>): Promise<CloudSetupStarted> {
    const site = await scope.site(siteId);
    scope.must('configure-devices', 'manage-devices');
    await this.#regions.must(this.#db, { companyId: scope.companyId, siteId: site.id });
    const { boxSerial } = wanted;
    const box = await this.#db
      .selectFrom('boxes')
      .select('serial')
      .where('serial', '=', boxSerial)
      .where('siteId', '=', site.id)
      .where('state', '=', 'claimed')
      .executeTakeFirst();
    if (!box) throw new ProblemError('not-found', `Box ${boxSerial} is not at this site.`);
    if (!this.#box.isConnected(boxSerial)) throw new ProblemError('box-unreachable');
    await this.#mustHave(
      this.#db,
      scope.companyId,
      wanted.devices.flatMap((one) => one.channels),
    );

    const refused: CloudSetupStarted['refused'] = [];
    const linked: Wanted[] = [];
    for (const [index, { device, channels }] of wanted.devices.entries()) {
      try {
        const row = await this.#link(scope, site, boxSerial, device);
        if (linked.some((one) => one.device.id === row.id)) throw new ProblemError('conflict', 'It stands here twice.');
        await this.#services.mustTake(
          this.#db,
          row,
          channels.map((one) => one.channel),
        );
        for (const channel of channels) await mustFit(this.#db, row, channel);
        await this.#mustBePaid(row, channels);
        linked.push({ device: row, channels });
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        const { code } = error;
        const name = 'name' in device ? device.name : await this.#nameOf(scope, device.deviceId);
        refused.push({ index, name, code, detail: error.detail ?? PROBLEMS[code][1] });
      }
    }
    const jobId = linked.length === 0 ? null : await this.#order(scope, site, boxSerial, linked);
    return { jobId, refused };
  }

  /** The device of the site that is meant; one of the LAN is added, which tries its password. */
  async #link(scope: Scope, site: SiteRow, boxSerial: string, of: CloudSetupDevice['device']): Promise<DeviceRow> {
    if (!('deviceId' in of)) {
      const { name, host, httpPort, username, password } = of;
      const device = AddDevice.parse({ boxSerial, name, host, httpPort, username, password, recordOn: [] });
      const added = await this.#devices.add(scope, site.id, device);
      return scope.device(added.id, 'configure');
    }
    const row = await scope.device(of.deviceId, 'configure');
    if (row.siteId !== site.id)
      throw new ProblemError('conflict', `“${row.name}” is at another site. The box and what it records share one.`);
    if (row.boxSerial !== null && row.boxSerial !== boxSerial)
      throw new ProblemError('conflict', `“${row.name}” is on the network of box ${row.boxSerial}, not of this one.`);
    if (of.login) {
      await scope.device(row.id, 'manage', 'manage-devices');
      const { host, httpPort, kind } = row;
      await this.#box.json(boxSerial, ProbeResult, 'POST', '/v1/devices/probe', {
        body: { host, httpPort, tls: tlsOf(row), ...of.login, kind },
        timeoutMs: PROBE_TIMEOUT_MS,
      });
      await this.#devices.keepCredentials(scope, row, of.login);
    }
    return row;
  }

  async #nameOf(scope: Scope, deviceId: string): Promise<string> {
    const device = await scope.device(deviceId).catch(() => null);
    return device?.name ?? '';
  }

  async #mustBePaid(device: DeviceRow, channels: CloudSetupDevice['channels']): Promise<void> {
    for (const { channel, package: of } of channels) {
      const service = await this.#services.active(this.#db, { deviceId: device.id, channel });
      if (!of && !service) throw new ProblemError('conflict', `Channel ${channel} needs a package: it has no service.`);
      if (of && service)
        throw new ProblemError('conflict', `Channel ${channel} has a service already: renew that, or set it up again.`);
    }
  }

  async #mustHave(db: DbOrTrx, companyId: string, channels: CloudSetupDevice['channels']): Promise<void> {
    const stock = await stockOf(db, companyId);
    const wanted = channels.flatMap((one) => one.package ?? []);
    for (const same of Map.groupBy(wanted, (one) => `${one.retentionDays} ${one.term}`).values()) {
      const of = same[0]!;
      const left = stock.find((one) => one.retentionDays === of.retentionDays && one.term === of.term)?.remaining ?? 0;
      if (left < same.length) throw noneLeft(of);
    }
  }

  async #order(scope: Scope, site: SiteRow, boxSerial: string, linked: Wanted[]): Promise<string> {
    const now = this.#clock.now();
    const jobId = uuidv7(now);
    const items: CloudItem[] = [];
    await this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, scope.companyId);
      await this.#mustHave(
        trx,
        scope.companyId,
        linked.flatMap((one) => one.channels),
      );
      for (const { device, channels } of linked) {
        const known = await maxCloudChannels(trx, device.model, device.firmware);
        for (const { channel, package: of, definition, mode, stream, audio } of channels) {
          const variant = known === null ? 'box' : 'device';
          items.push({
            jobId,
            deviceId: device.id,
            deviceName: device.name,
            channel,
            variant,
            definition,
            stream,
            mode,
          });
          await forgetSetups(trx, { deviceId: device.id, channel });
          await trx
            .insertInto('cloud_setups')
            .values({
              jobId,
              deviceId: device.id,
              channel,
              siteId: site.id,
              boxSerial,
              companyId: scope.companyId,
              userId: scope.userId,
              retentionDays: of?.retentionDays ?? null,
              term: of?.term ?? null,
              mode,
              stream,
              definition,
              audio: audio ? 1 : 0,
              state: 'pending',
              createdMs: now,
            })
            .execute();
        }
      }
    });
    try {
      const body = { id: jobId, kind: 'cloud', siteNote: site.id, items };
      await this.#box.json(boxSerial, Job, 'POST', '/v1/jobs', { body, timeoutMs: JOB_TIMEOUT_MS });
    } catch (error) {
      // Whether it has begun all the same is not known: what it then says of it is refused.
      await this.#db
        .updateTable('cloud_setups')
        .set({ state: 'failed', code: 'box-unreachable', settledMs: this.#clock.now() })
        .where('jobId', '=', jobId)
        .execute();
      throw error;
    }
    this.#log.info(
      { jobId, siteId: site.id, boxSerial, channels: items.length, userId: scope.userId },
      'cloud set-up begun',
    );
    return jobId;
  }

  /**
   * The box's word on one channel. Where all went well its package is used and it is recorded from now on; asked again it
   * answers the same. Throws what keeps the service from being activated.
   */
  async settle(serial: string, { jobId, deviceId, channel, ok, code }: CloudSettle): Promise<CloudSettled> {
    const place = { deviceId, channel };
    const settled = await this.#db.transaction().execute(async (trx) => {
      const found = await this.#setup(trx, serial, jobId, place);
      if (!found) throw new ProblemError('not-found', 'Nobody asked this box for that.');
      // Two answers of one channel at a time would use two packages.
      await lockCompany(trx, found.companyId);
      const setup = (await this.#setup(trx, serial, jobId, place))!;
      if (setup.state === 'pending') {
        if (ok) await this.#activate(trx, setup);
        await trx
          .updateTable('cloud_setups')
          .set({ state: ok ? 'done' : 'failed', code, settledMs: this.#clock.now() })
          .where('jobId', '=', jobId)
          .where('deviceId', '=', deviceId)
          .where('channel', '=', channel)
          .execute();
        await this.#finished(trx, setup);
      } else if (ok && setup.state === 'failed') {
        throw new ProblemError('conflict', 'This set-up was given up: begin it again.');
      }
      return this.#services.active(trx, place);
    });
    this.#notifier.kick();
    if (ok) await this.#recording.announce([deviceId]);
    return { until: settled ? iso(Number(settled.untilMs)) : null };
  }

  #setup(trx: DbOrTrx, serial: string, jobId: string, { deviceId, channel }: { deviceId: string; channel: number }) {
    return trx
      .selectFrom('cloud_setups')
      .selectAll()
      .where('jobId', '=', jobId)
      .where('deviceId', '=', deviceId)
      .where('channel', '=', channel)
      .where('boxSerial', '=', serial)
      .executeTakeFirst();
  }

  async #activate(trx: DbOrTrx, setup: Setup): Promise<void> {
    const { deviceId, channel, siteId, companyId, retentionDays, term, mode, stream, definition, audio } = setup;
    const device = await trx.selectFrom('devices').selectAll().where('id', '=', deviceId).executeTakeFirstOrThrow();
    if (device.deletedAt !== null || device.siteId !== siteId)
      throw new ProblemError('conflict', 'The device has left the site.');
    const paid = await this.#services.active(trx, { deviceId, channel });
    if (!paid) {
      if (retentionDays === null || term === null)
        throw new ProblemError('conflict', 'Its service has ended meanwhile: begin again with a package.');
      await this.#services.activate(trx, { siteId, companyId, deviceId, channel, retentionDays, term });
    }
    // The box saw to it that the device tells of motion, before it said that all went well.
    const set = { siteId, enabled: 1, mode, stream, definition, audio, silent: null };
    const triggers = JSON.stringify(triggersFor(device.model));
    await trx
      .insertInto('cloud_channels')
      .values({ deviceId, channel, ...set, triggers, createdMs: this.#clock.now() })
      .onConflict((c) => c.columns(['deviceId', 'channel']).doUpdateSet(set))
      .execute();
    await this.#recording.apply(trx, [deviceId]);
  }

  /** After the last channel of a job, who began it is told (BOX-08). */
  async #finished(
    trx: DbOrTrx,
    { jobId, siteId, userId }: { jobId: string; siteId: string; userId: string },
  ): Promise<void> {
    const rows = await trx.selectFrom('cloud_setups').select('state').where('jobId', '=', jobId).execute();
    if (rows.some((row) => row.state === 'pending')) return;
    const site = await trx.selectFrom('sites').select('name').where('id', '=', siteId).executeTakeFirstOrThrow();
    const done = rows.filter((row) => row.state === 'done').length;
    await this.#notifier.toUsers(trx, [userId], {
      category: 'site',
      code: 'cloud-setup-done',
      link: `/sites/${siteId}/jobs/${jobId}`,
      siteId,
      values: { site: site.name, done: String(done), all: String(rows.length) },
    });
  }

  async #giveUp(): Promise<void> {
    const now = this.#clock.now();
    await this.#db
      .updateTable('cloud_setups')
      .set({ state: 'failed', code: 'given-up', settledMs: now })
      .where('state', '=', 'pending')
      .where('createdMs', '<', now - GIVEN_UP_MS)
      .execute();
  }
}
