import { createHash, randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import {
  compareFirmware,
  type FirmwarePackage,
  firmwareText,
  modelFits,
  type NewFirmware,
  type NewPackage,
  type PackageUpload,
  readPackageName,
} from '../../protocol/wire/firmware.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import { firmwareKey, type ObjectStore, packageKey, StoreError } from '../clips/object-store.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import { PackageError, unpack } from './package-reader.ts';
import type { FirmwareTables } from './schema.ts';

export type FirmwareRow = FirmwareTables['firmware'];
const UPLOAD_MS = 3_600_000;
/** Uploads that a company has under way, or left behind, at a time. */
const MAX_UPLOADING = 5;
const SWEEP_MS = 600_000;
/** Of one company, with the files in its packages. */
export const MAX_COMPANY_BYTES = 4 * 1024 ** 3;
/** What a company brought and no box fetched for so long goes; a page of upgrades that stays open loses it too. */
const UNUSED_MS = 30 * 86_400_000;
const DAY_MS = 86_400_000;

/** Packages of firmware: the operator's for everybody, and those that installers bring for single devices. */
export class Catalogue {
  readonly #db: Db;
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #taking = new Set<string>();
  readonly #maxBytes: number;
  #cancel: () => void = () => {};

  constructor(deps: { db: Db; store: ObjectStore; clock: Clock; log: Logger; maxCompanyBytes?: number }) {
    this.#maxBytes = deps.maxCompanyBytes ?? MAX_COMPANY_BYTES;
    this.#db = deps.db;
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** Forgets uploads that were never finished, and packages that nobody needs any more. */
  start(): void {
    const sweep = () => this.#sweep().catch((error) => this.#log.error({ err: error }, 'firmware was not tidied up'));
    this.#cancel = this.#clock.every(SWEEP_MS, () => void sweep());
    void sweep();
  }

  stop(): void {
    this.#cancel();
  }

  /** The operator's own, newest first. */
  async list(): Promise<FirmwarePackage[]> {
    const rows = await this.#rows().where('companyId', 'is', null).orderBy('id', 'desc').limit(1_000).execute();
    return rows.map(view);
  }

  /** For everybody; who may was checked. */
  add(scope: Scope, wanted: z.output<typeof NewFirmware>): Promise<z.infer<typeof PackageUpload>> {
    return this.#add(scope, wanted, { companyId: null, deviceId: null, models: wanted.models, note: wanted.note });
  }

  /** For one device that the asker may configure (UPG-08, UPG-09). */
  async bring(
    scope: Scope,
    device: DeviceRow,
    wanted: z.output<typeof NewPackage>,
  ): Promise<z.infer<typeof PackageUpload>> {
    const { name } = readPackageName(wanted.fileName)!;
    // A name that is a model must be this one's (UPG-11); a family's name (NVR, DVR) says nothing.
    if (/^i?DS-/i.test(name) && !device.model.toLowerCase().startsWith(name.toLowerCase()))
      throw new ProblemError('conflict', `The package is for ${name}, “${device.name}” is a ${device.model}.`);
    const own = { companyId: scope.companyId, deviceId: device.id, models: [], note: '' };
    return this.#add(scope, wanted, own);
  }

  async #add(
    scope: Scope,
    { fileName, size }: z.output<typeof NewPackage>,
    own: { companyId: string | null; deviceId: string | null; models: string[]; note: string },
  ): Promise<z.infer<typeof PackageUpload>> {
    const uploading = await this.#rows().where('userId', '=', scope.userId).where('state', '=', 'uploading').execute();
    if (uploading.length >= MAX_UPLOADING)
      throw new ProblemError('limit-reached', `${MAX_UPLOADING} uploads of yours are under way: finish or delete one.`);
    const token = randomBytes(32).toString('base64url');
    const now = this.#clock.now();
    const row: FirmwareRow = {
      id: uuidv7(now),
      ...own,
      models: JSON.stringify(own.models),
      fileName,
      size,
      version: firmwareText(readPackageName(fileName)!),
      state: 'uploading',
      reason: null,
      firmwareSize: null,
      sha256: null,
      tokenHash: hash(token),
      tokenUntilMs: now + UPLOAD_MS,
      createdMs: now,
      usedMs: now,
      userId: scope.userId,
    };
    await this.#db.transaction().execute(async (trx) => {
      await this.#mustFit(trx, row.companyId, size);
      await trx.insertInto('firmware').values(row).execute();
    });
    return { package: view(row), url: `/firmware-uploads/${row.id}/${token}` };
  }

  /** Takes the ZIP of an upload and unpacks it; a package that is none is kept as failed, with the reason. */
  async take(id: string, token: string, length: number, body: AsyncIterable<Uint8Array>): Promise<FirmwarePackage> {
    const row = await this.#rows().where('id', '=', id).executeTakeFirst();
    const good = row?.tokenHash === hash(token) && Number(row.tokenUntilMs) > this.#clock.now();
    if (!row || !good || row.state !== 'uploading')
      throw new ProblemError('link-invalid', 'This upload is over: begin a new one.');
    if (length !== Number(row.size))
      throw new ProblemError('invalid-request', `The file has ${length} bytes, ${row.size} were announced.`);
    if (this.#taking.has(id)) throw new ProblemError('conflict', 'This package is being uploaded already.');
    this.#taking.add(id);
    try {
      await this.#store.put(packageKey(id), body, { size: length });
      const paths = { from: packageKey(id), size: length, to: firmwareKey(id) };
      const { size, sha256 } = await unpack(this.#store, { ...paths, admit: (bytes) => this.#admit(row, bytes) });
      return await this.#set(row, { state: 'ready', firmwareSize: size, sha256 });
    } catch (error) {
      if (error instanceof StoreError && error.code === 'full') throw new ProblemError('storage-full');
      const over = error instanceof ProblemError && error.code === 'limit-reached';
      if (!over && !(error instanceof PackageError)) throw error;
      await this.#drop(id);
      await this.#set(row, { state: 'failed', reason: error.message, firmwareSize: null });
      throw over ? error : new ProblemError('invalid-request', error.message);
    } finally {
      this.#taking.delete(id);
    }
  }

  /** Reserves room for the file in a package before it is written. */
  async #admit({ id, companyId }: FirmwareRow, bytes: number): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await this.#mustFit(trx, companyId, bytes);
      await trx.updateTable('firmware').set({ firmwareSize: bytes }).where('id', '=', id).execute();
    });
  }

  /** Throws `limit-reached` when a company would have more than its share; what failed takes no room. */
  async #mustFit(trx: DbOrTrx, companyId: string | null, bytes: number): Promise<void> {
    if (companyId === null) return;
    const { zips, files } = await trx
      .selectFrom('firmware')
      .select(({ fn }) => [fn.sum<number | null>('size').as('zips'), fn.sum<number | null>('firmwareSize').as('files')])
      .where('companyId', '=', companyId)
      .where('state', '!=', 'failed')
      .executeTakeFirstOrThrow();
    if (Number(zips ?? 0) + Number(files ?? 0) + bytes <= this.#maxBytes) return;
    const gigabytes = Math.floor(this.#maxBytes / 1024 ** 3);
    throw new ProblemError(
      'limit-reached',
      `Packages of your company take ${gigabytes} GB at most: remove devices that are no longer there, or wait. A package goes 30 days after its last use.`,
    );
  }

  async #set(row: FirmwareRow, more: Partial<FirmwareRow>): Promise<FirmwarePackage> {
    const values = { ...more, tokenHash: null, tokenUntilMs: null };
    await this.#db.updateTable('firmware').set(values).where('id', '=', row.id).execute();
    this.#log.info({ firmware: row.id, fileName: row.fileName, state: more.state }, 'firmware package');
    // A new one for a device takes the place of those before.
    if (more.state === 'ready' && row.deviceId) {
      const former = await this.#rows()
        .where('deviceId', '=', row.deviceId)
        .where('id', '!=', row.id)
        .where('state', '!=', 'uploading')
        .execute();
      for (const { id } of former) await this.#remove(id);
    }
    return view({ ...row, ...values });
  }

  /** The operator's package, or one of the asker's company. */
  async get(companyId: string, id: string): Promise<FirmwareRow> {
    const row = await this.#rows()
      .where('id', '=', id)
      .where((e) => e.or([e('companyId', 'is', null), e('companyId', '=', companyId)]))
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return row;
  }

  async removeCommon(id: string): Promise<FirmwareRow> {
    const row = await this.#rows().where('id', '=', id).where('companyId', 'is', null).executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    await this.#remove(id);
    return row;
  }

  /** The newest that fits a model and is newer than what a device has; null: none. */
  async newest({ model, firmware }: { model: string; firmware: string | null }): Promise<FirmwareRow | null> {
    const rows = await this.#rows().where('companyId', 'is', null).where('state', '=', 'ready').execute();
    let best: FirmwareRow | null = null;
    for (const row of rows) {
      if (!modelFits(model, JSON.parse(row.models)) || compareFirmware(row.version, firmware ?? '') !== 1) continue;
      if (!best || compareFirmware(row.version, best.version) === 1) best = row;
    }
    return best;
  }

  /** What was brought for a device last; it stays chosen when the page is closed (UPG-12). */
  async broughtFor(companyId: string, deviceIds: string[]): Promise<Map<string, FirmwareRow>> {
    if (deviceIds.length === 0) return new Map();
    const rows = await this.#rows()
      .where('companyId', '=', companyId)
      .where('deviceId', 'in', deviceIds)
      .orderBy('id')
      .execute();
    return new Map(rows.map((row) => [row.deviceId as string, row]));
  }

  /** For a box: what it may fetch. */
  async forBox(id: string, companyId: string | null): Promise<FirmwareRow | null> {
    const row = await this.#rows().where('id', '=', id).where('state', '=', 'ready').executeTakeFirst();
    if (!row || (row.companyId !== null && row.companyId !== companyId)) return null;
    const now = this.#clock.now();
    // Not with each of many requests for parts.
    if (now - Number(row.usedMs) > DAY_MS)
      await this.#db.updateTable('firmware').set({ usedMs: now }).where('id', '=', id).execute();
    return row;
  }

  #rows() {
    return this.#db.selectFrom('firmware').selectAll();
  }

  async #remove(id: string): Promise<void> {
    await this.#db.deleteFrom('firmware').where('id', '=', id).execute();
    await this.#drop(id);
  }

  async #drop(id: string): Promise<void> {
    await this.#store.delete(packageKey(id));
    await this.#store.delete(firmwareKey(id));
  }

  async #sweep(): Promise<void> {
    const over = await this.#rows()
      .where('state', '=', 'uploading')
      .where('tokenUntilMs', '<', this.#clock.now())
      .execute();
    const unused = await this.#db
      .selectFrom('firmware as f')
      .innerJoin('devices as d', 'd.id', 'f.deviceId')
      .select('f.id')
      .where('f.state', '!=', 'uploading')
      .where((e) => e.or([e('d.deletedAt', 'is not', null), e('f.usedMs', '<', this.#clock.now() - UNUSED_MS)]))
      .execute();
    for (const { id } of [...over, ...unused]) if (!this.#taking.has(id)) await this.#remove(id);
  }
}

export const view = (row: FirmwareRow): FirmwarePackage => ({
  id: row.id,
  fileName: row.fileName,
  version: row.version,
  models: JSON.parse(row.models),
  note: row.note,
  state: row.state,
  reason: row.reason,
  size: Number(row.size),
  sha256: row.sha256,
  deviceId: row.deviceId,
  firmwareSize: row.firmwareSize === null ? null : Number(row.firmwareSize),
  createdAt: iso(Number(row.createdMs)),
});
const hash = (token: string) => createHash('sha256').update(token).digest('hex');
