import type { Logger } from 'pino';
import type { z } from 'zod';
import {
  compareFirmware,
  type DeviceUpgrade,
  modelFits,
  type StartUpgrades,
  type UpgradeItem,
  type UpgradesStarted,
} from '../../protocol/wire/firmware.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import type { HealthStore } from '../health/health.ts';
import type { SiteWork } from '../jobs/jobs.ts';
import { type Catalogue, view } from './catalogue.ts';

/** What the firmware of a device is, by its box; the relay's row is from when it was added. */
type Told = (serial: string) => ReturnType<HealthStore['get']>;

/** Upgrades of the devices of a site: what there is for them, and beginning them as jobs of their boxes. */
export class SiteUpgrades {
  readonly #db: Db;
  readonly #catalogue: Catalogue;
  readonly #work: Pick<SiteWork, 'make'>;
  readonly #health: Told;
  readonly #log: Logger;

  constructor(deps: { db: Db; catalogue: Catalogue; work: Pick<SiteWork, 'make'>; health: Told; log: Logger }) {
    this.#db = deps.db;
    this.#catalogue = deps.catalogue;
    this.#work = deps.work;
    this.#health = deps.health;
    this.#log = deps.log;
  }

  /** Devices that the asker may configure. */
  async list(scope: Scope, siteId: string): Promise<DeviceUpgrade[]> {
    const site = await scope.site(siteId);
    const rows = await this.#db
      .selectFrom('devices')
      .selectAll()
      .where('siteId', '=', site.id)
      .where('deletedAt', 'is', null)
      .where(scope.reaches('devices.siteId', 'devices.id', 'configure'))
      .orderBy('createdAt')
      .execute();
    const brought = await this.#catalogue.broughtFor(
      scope.companyId,
      rows.map((row) => row.id),
    );
    return Promise.all(
      rows.map(async (row) => {
        const { model, firmware, online } = this.#now(row);
        const available = await this.#catalogue.newest({ model, firmware });
        const own = brought.get(row.id);
        return {
          deviceId: row.id,
          name: row.name,
          model,
          firmware,
          boxSerial: row.boxSerial,
          online,
          available: available && view(available),
          own: own ? view(own) : null,
          passwordNeeded: needsPassword(row),
        };
      }),
    );
  }

  async start(scope: Scope, siteId: string, { items }: z.output<typeof StartUpgrades>): Promise<UpgradesStarted> {
    const site = await scope.site(siteId);
    const jobs = new Map<string, UpgradeItem[]>();
    const refused: UpgradesStarted['refused'] = [];
    for (const { deviceId, firmwareId, password } of items) {
      // What is foreign is not there; everything else is an answer of its own.
      const device = await scope.device(deviceId, 'configure');
      if (device.siteId !== site.id) throw new ProblemError('not-found');
      const row = await this.#catalogue.get(scope.companyId, firmwareId);
      const { model, firmware } = this.#now(device);
      const models = JSON.parse(row.models) as string[];
      const why = this.#fault(device, row, models, model, firmware, password);
      if (why) {
        refused.push({ deviceId, ...why });
        continue;
      }
      const list = jobs.get(device.boxSerial as string) ?? [];
      jobs.set(device.boxSerial as string, list);
      list.push({
        deviceId,
        name: device.name,
        firmwareId,
        version: row.version,
        models,
        size: Number(row.firmwareSize),
        sha256: row.sha256 as string,
        password: password ?? null,
      });
    }
    const started: UpgradesStarted['jobs'] = [];
    for (const [boxSerial, list] of jobs) {
      try {
        const job = await this.#work.make(site.id, boxSerial, 'upgrade', list);
        started.push({ boxSerial, jobId: job.id });
        this.#log.info({ siteId, boxSerial, job: job.id, devices: list.length, userId: scope.userId }, 'upgrade begun');
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        for (const { deviceId } of list) refused.push({ deviceId, code: error.code, detail: error.message });
      }
    }
    return { jobs: started, refused };
  }

  #fault(
    device: DeviceRow,
    row: { state: string; deviceId: string | null; version: string },
    models: string[],
    model: string,
    firmware: string,
    password: string | undefined,
  ): { code: string; detail: string } | null {
    const refuse = (detail: string, code = 'conflict') => ({ code, detail: `“${device.name}”: ${detail}` });
    if (!device.boxSerial) return refuse('It was added by its address: upgrade it on its own page.');
    if (row.state !== 'ready') return refuse('The package was not uploaded whole.');
    if (row.deviceId !== null && row.deviceId !== device.id)
      return refuse('The package was brought for another device.');
    if (models.length > 0 && !modelFits(model, models)) return refuse(`The package is not for a ${model}.`);
    if (firmware && compareFirmware(row.version, firmware) === 0) return refuse(`It has ${firmware} already.`);
    if (needsPassword(device) && !password) return refuse('Enter its password.', 'invalid-request');
    return null;
  }

  #now(row: DeviceRow): { model: string; firmware: string; online: boolean } {
    const told = row.boxSerial ? this.#health(row.boxSerial)?.devices.find((d) => d.id === row.id) : undefined;
    const online = told?.state === 'online';
    return { model: told?.model || row.model, firmware: told?.firmware || row.firmware, online };
  }
}

/** Panels may run in EN 50131 mode, in which they want the password for an upgrade (UPG-05). */
const needsPassword = (device: DeviceRow): boolean => device.type === 'panel' || /^DS-P[HW]/i.test(device.model);
