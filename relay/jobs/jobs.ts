import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Clock } from '../../protocol/clock.ts';
import { DiscoveryList } from '../../protocol/wire/box-api.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import {
  type AskRecorder,
  type BoxRecorder,
  type InitialiseDevices,
  type InitialiseItem,
  type RecorderAsk,
  RecorderView,
  type SiteJob,
  type SiteJobs,
  type SortedRecorders,
} from '../../protocol/wire/initialise.ts';
import { type CreateJob, Job, type JobKind, JobList } from '../../protocol/wire/jobs.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import type { BoxClient } from '../devices/box-client.ts';
import { RecorderPasswords, withSightings } from './recorder-passwords.ts';

const TIMEOUT_MS = 15_000;
/** A recorder logs each camera in before it answers. */
const RECORDER_TIMEOUT_MS = 120_000;

/** What is kept of a device: its password since activation, the code for the maker's service, the firmware known here. */
export interface Known {
  password: (companyId: string, siteId: string, mac: string) => Promise<string | null>;
  verificationCode: (companyId: string) => Promise<string | null>;
  newestFirmware: (device: { model: string; firmware: string | null }) => Promise<string | null>;
}

/**
 * Long work of a site's boxes. The boxes are the source of what is known about it, the relay keeps nothing: it asks
 * them, and lets through only what was made for this site.
 */
export class SiteWork {
  readonly #db: Db;
  readonly #box: BoxClient;
  readonly #known: Known;
  readonly #passwords: RecorderPasswords;
  readonly #clock: Clock;

  constructor(deps: { db: Db; box: BoxClient; known: Known; clock: Clock }) {
    this.#clock = deps.clock;
    this.#db = deps.db;
    this.#box = deps.box;
    this.#known = deps.known;
    this.#passwords = new RecorderPasswords({ db: deps.db });
  }

  /** May look at jobs: who manages the site, or configures its devices. */
  async site(scope: Scope, siteId: string): Promise<SiteRow> {
    const site = await scope.site(siteId);
    scope.must('manage-devices', 'configure-devices');
    if (!(await scope.holds(site.id, null, 'manage')) && !(await scope.holds(site.id, null, 'configure')))
      throw new ProblemError('permission-needed');
    return site;
  }

  async #boxes(siteId: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('boxes')
      .select('serial')
      .where('siteId', '=', siteId)
      .where('state', '!=', 'revoked')
      .orderBy('serial')
      .execute();
    return rows.map((row) => row.serial);
  }

  async #boxAt(siteId: string, serial: string): Promise<void> {
    if (!(await this.#boxes(siteId)).includes(serial))
      throw new ProblemError('not-found', `Box ${serial} is not at this site.`);
  }

  async list(scope: Scope, siteId: string): Promise<SiteJobs> {
    const site = await this.site(scope, siteId);
    const silent: string[] = [];
    const asked = (await this.#boxes(site.id)).map(async (boxSerial) => {
      const answer = await this.#box
        .json(boxSerial, JobList, 'GET', '/v1/jobs', { timeoutMs: TIMEOUT_MS })
        .catch(expected);
      if (answer instanceof ProblemError) {
        silent.push(boxSerial);
        return [];
      }
      const own = answer.items.filter((job) => job.siteNote === site.id);
      return own.map(({ siteNote: _, ...job }) => ({ ...job, boxSerial }));
    });
    const items = (await Promise.all(asked)).flat().sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    return { items, silent: silent.sort() };
  }

  /** Whichever box of the site has it. */
  async get(scope: Scope, siteId: string, jobId: string): Promise<SiteJob> {
    const site = await this.site(scope, siteId);
    let away: ProblemError | null = null;
    const asked = (await this.#boxes(site.id)).map(async (boxSerial) => {
      try {
        const job = await this.#box.json(boxSerial, Job, 'GET', `/v1/jobs/${jobId}`, { timeoutMs: TIMEOUT_MS });
        return job.siteNote === site.id ? named(job, boxSerial) : null;
      } catch (error) {
        const failed = expected(error);
        if (failed.code !== 'not-found') away = failed;
        return null;
      }
    });
    const found = (await Promise.all(asked)).find((job) => job !== null);
    if (found) return found;
    throw away ?? new ProblemError('not-found');
  }

  /** The box's own stream of a job. */
  events(job: SiteJob, signal: AbortSignal): Promise<Readable> {
    return this.#box.open(job.boxSerial, `/v1/jobs/${job.id}/events`, 'text/event-stream', {
      timeoutMs: TIMEOUT_MS,
      signal,
    });
  }

  /** Rejects once the job's stream may not be looked at any more. */
  async check(scope: Scope, siteId: string, boxSerial: string): Promise<void> {
    await this.#boxAt((await this.site(scope, siteId)).id, boxSerial);
  }

  /** Has a box begin a job; what its kind needs was checked by the caller. */
  async make(siteId: string, boxSerial: string, kind: JobKind, items: unknown[]): Promise<SiteJob> {
    const wanted: CreateJob = { id: uuidv7(), kind, siteNote: siteId, items };
    const job = await this.#box.json(boxSerial, Job, 'POST', '/v1/jobs', { body: wanted, timeoutMs: TIMEOUT_MS });
    return named(job, boxSerial);
  }

  async initialise(scope: Scope, siteId: string, wanted: z.output<typeof InitialiseDevices>): Promise<SiteJob> {
    const site = await this.#manage(scope, siteId, wanted.boxSerial);
    const seen = await this.#seen(wanted.boxSerial);
    const verificationCode = wanted.verificationCode ?? (await this.#known.verificationCode(scope.companyId));
    const items: InitialiseItem[] = [];
    const without: string[] = [];
    for (const { mac, username, password: entered, record } of wanted.devices) {
      const password = entered ?? (await this.#known.password(scope.companyId, site.id, mac));
      const device = seen.find((one) => one.mac === mac);
      if (password === null) {
        without.push(device ? `${device.model} (${device.address})` : mac);
        continue;
      }
      const newestFirmware = device ? await this.#known.newestFirmware(device) : null;
      const timeZone = site.syncTime ? site.timeZone : null;
      items.push({ mac, username, password, timeZone, record, verificationCode, newestFirmware });
    }
    if (without.length > 0)
      throw new ProblemError('invalid-request', `No password is kept of ${without.join(', ')}: enter it.`, {
        errors: wanted.devices.flatMap(({ mac }, i) =>
          items.some((item) => item.mac === mac)
            ? []
            : [{ path: `devices.${i}.password`, message: 'No password is kept of it.' }],
        ),
      });
    return this.make(site.id, wanted.boxSerial, 'initialise', items);
  }

  /** The channels of a recorder that need not be added yet. */
  async recorder(scope: Scope, siteId: string, wanted: z.output<typeof AskRecorder>): Promise<RecorderView> {
    const { boxSerial, mac, username, ask } = wanted;
    const site = await this.#manage(scope, siteId, boxSerial);
    const kept = (of: string) => this.#known.password(scope.companyId, site.id, of);
    const password = wanted.password ?? (await kept(mac));
    if (password === null) throw new ProblemError('invalid-request', 'No password is kept of this recorder: enter it.');
    const seen = await this.#seen(boxSerial);
    const of = { siteId: site.id, mac, kept, seen };
    const answer = (asked: RecorderAsk) => {
      const body: BoxRecorder = { mac, username, password, ask: asked };
      const options = { body, timeoutMs: RECORDER_TIMEOUT_MS };
      return this.#box.json(boxSerial, RecorderView, 'POST', '/v1/lan/recorder', options);
    };
    let asked: RecorderAsk = ask;
    if (ask.do === 'add') asked = await this.#passwords.forAdding(of, ask);
    if (ask.do === 'sort') asked = await this.#passwords.forSorting(of, ask, await answer({ do: 'read' }));
    const view = withSightings(await answer(asked), seen, mac);
    await this.#remember(site.id, mac, ask, view);
    return view;
  }

  /** Whether its channels are in order: once sorted, or when there is nothing to sort by; new cameras open it again. */
  async #remember(siteId: string, mac: string, ask: RecorderAsk, view: RecorderView): Promise<void> {
    const more = view.added?.some((one) => one.ok) ?? false;
    const settled = ask.do === 'sort' || (view.channels.length > 1 && !view.sortable);
    if (settled)
      await this.#db
        .insertInto('recorder_orders')
        .values({ siteId, mac, atMs: this.#clock.now() })
        .onConflict((c) => c.columns(['siteId', 'mac']).doUpdateSet({ atMs: this.#clock.now() }))
        .execute();
    else if (more)
      await this.#db.deleteFrom('recorder_orders').where('siteId', '=', siteId).where('mac', '=', mac).execute();
  }

  /** Recorders of the site whose channels nobody needs to sort (CHAN-11). */
  async sorted(scope: Scope, siteId: string): Promise<SortedRecorders> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    const rows = await this.#db
      .selectFrom('recorder_orders')
      .select('mac')
      .where('siteId', '=', site.id)
      .orderBy('mac')
      .execute();
    return { macs: rows.map((row) => row.mac) };
  }

  async #manage(scope: Scope, siteId: string, boxSerial: string): Promise<SiteRow> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    await this.#boxAt(site.id, boxSerial);
    return site;
  }

  async #seen(boxSerial: string) {
    return (await this.#box.json(boxSerial, DiscoveryList, 'GET', '/v1/discovery', { timeoutMs: TIMEOUT_MS })).items;
  }
}

const named = ({ siteNote: _, ...job }: Job, boxSerial: string): SiteJob => ({ ...job, boxSerial });

/** Bugs are thrown on. */
function expected(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  throw error;
}
