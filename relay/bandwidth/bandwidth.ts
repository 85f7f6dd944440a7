import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import {
  type BandwidthTest,
  MAX_TEST_BYTES,
  Recommendation,
  type StartBandwidthTest,
  TEST_TIMES,
  type TestTimes,
  UplinkTestDone,
} from '../../protocol/wire/bandwidth.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import { cloudLimit } from '../compat/limits.ts';
import type { Db } from '../db/database.ts';
import type { Database, DeviceRow } from '../db/schema.ts';
import type { BoxClient } from '../devices/box-client.ts';
import { Meter } from './meter.ts';
import { recommend } from './recommend.ts';

type Row = Pick<Database['bandwidth_tests'], keyof Database['bandwidth_tests']>;
/** What one test may ask of the relay's own line, times this: more at once would measure one another. */
const MAX_AT_ONCE = 4;
/** Nobody's tests keep those of all others waiting. */
const MAX_OF_A_COMPANY = 2;
const KEPT_A_BOX = 20;
const MAX_CHANNELS_OF_A_BOX = 16;

interface Running {
  serial: string;
  companyId: string;
  tokenHash: Buffer;
  meter: Meter;
  /** Monotonic; what comes after it is not taken. */
  untilMs: number;
}

/** Tests of the uplink of boxes (protocol/wire/bandwidth.ts): asks the box to send, and measures what arrives. */
export class BandwidthTests {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #box: Pick<BoxClient, 'json' | 'isConnected'>;
  readonly #times: TestTimes;
  readonly #running = new Map<string, Running>();
  readonly #ends = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(o: {
    db: Db;
    clock: Clock;
    log: Logger;
    box: Pick<BoxClient, 'json' | 'isConnected'>;
    times?: TestTimes;
  }) {
    this.#db = o.db;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#box = o.box;
    this.#times = o.times ?? TEST_TIMES;
  }

  /** A test in which the relay went down has no result. */
  async start(): Promise<void> {
    await this.#db
      .updateTable('bandwidth_tests')
      .set({
        state: 'failed',
        endedMs: this.#clock.now(),
        code: 'interrupted',
        text: 'The relay was restarted in the middle of the test. Start it again.',
      })
      .where('state', '=', 'running')
      .execute();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#ends);
  }

  /** Begins a test and answers at once; {@link get} tells how it goes on. */
  async begin(scope: Scope, siteId: string, wanted: StartBandwidthTest): Promise<BandwidthTest> {
    const { serial, device, channels } = await this.#subject(scope, siteId, wanted);
    if (!this.#box.isConnected(serial))
      throw new ProblemError('box-unreachable', `Box ${serial} is not connected: there is no uplink to be tested.`);
    if ([...this.#running.values()].some((test) => test.serial === serial))
      throw new ProblemError('conflict', 'The uplink of this box is being tested already: wait for the result.');
    const ours = [...this.#running.values()].filter((test) => test.companyId === scope.companyId);
    if (this.#running.size >= MAX_AT_ONCE || ours.length >= MAX_OF_A_COMPANY)
      throw new ProblemError('too-many-requests', 'Other uplinks are being tested: try again in half a minute.');
    const id = uuidv7(this.#clock.now());
    const token = randomBytes(24).toString('base64url');
    const test: Running = {
      serial,
      companyId: scope.companyId,
      tokenHash: hash(token),
      meter: new Meter(this.#times),
      untilMs: this.#clock.mono() + this.#times.testMs + this.#times.spareMs,
    };
    this.#running.set(id, test);
    const row: Row = {
      id,
      siteId,
      boxSerial: serial,
      deviceId: device?.id ?? null,
      userId: scope.userId,
      state: 'running',
      startedMs: this.#clock.now(),
      endedMs: null,
      bytes: 0,
      kbps: null,
      yielded: 0,
      code: null,
      text: null,
      recommended: null,
    };
    try {
      await this.#db.insertInto('bandwidth_tests').values(row).execute();
      await this.#forgetOld(serial);
    } catch (error) {
      this.#running.delete(id);
      throw error;
    }
    const limit = device ? await cloudLimit(this.#db, device.model, device.firmware) : null;
    const end = this.#run(id, token, test)
      .then(({ kbps, ...result }) => {
        const recommended = kbps === null ? null : recommend(kbps, channels, limit);
        const slow = kbps !== null &&
          !recommended && {
            code: 'too-slow',
            text: 'This uplink is too slow for any channel. Ask for a faster connection, or keep footage on a disk at the site.',
          };
        return this.#note(id, { ...result, kbps, recommended, ...slow });
      })
      .catch((error) => this.#log.error({ err: error, test: id }, 'the result of an uplink test could not be kept'))
      .finally(() => {
        this.#running.delete(id);
        this.#ends.delete(end);
      });
    this.#ends.add(end);
    return view(row);
  }

  async get(scope: Scope, siteId: string, id: string): Promise<BandwidthTest> {
    await scope.site(siteId, 'view');
    const row = await this.#visible(scope, siteId).where('t.id', '=', id).executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return view(row);
  }

  /** Newest first. */
  async list(scope: Scope, siteId: string): Promise<BandwidthTest[]> {
    await scope.site(siteId, 'view');
    const rows = await this.#visible(scope, siteId).orderBy('t.id', 'desc').limit(KEPT_A_BOX).execute();
    return rows.map(view);
  }

  /** Of a test that runs and whose token it is: what takes its bytes; null: nothing is to be sent here. */
  sink(id: string, token: string): { add(bytes: number): boolean } | null {
    const test = this.#running.get(id);
    if (!test || !timingSafeEqual(test.tokenHash, hash(token))) return null;
    const open = () => this.#clock.mono() < test.untilMs && test.meter.bytes < MAX_TEST_BYTES;
    if (!open()) return null;
    return {
      add: (bytes) => {
        test.meter.add(bytes, this.#clock.mono());
        return open();
      },
    };
  }

  #visible(scope: Scope, siteId: string) {
    return this.#db
      .selectFrom('bandwidth_tests as t')
      .selectAll('t')
      .where('t.siteId', '=', siteId)
      .where((e) =>
        e.or([
          e.and([e('t.deviceId', 'is', null), scope.reaches('t.siteId', null, 'view')]),
          e.and([e('t.deviceId', 'is not', null), scope.reaches('t.siteId', 't.deviceId', 'view')]),
        ]),
      );
  }

  /** What is tested, and the channels that could use it (CLOUD-15). */
  async #subject(
    scope: Scope,
    siteId: string,
    wanted: StartBandwidthTest,
  ): Promise<{ serial: string; device: DeviceRow | null; channels: number }> {
    if ('deviceId' in wanted) {
      const device = await scope.device(wanted.deviceId, 'configure');
      if (device.siteId !== siteId) throw new ProblemError('not-found');
      if (device.boxSerial === null || device.accessMode === 'ip') {
        throw new ProblemError(
          'conflict',
          `“${device.name}” was added by its address: only the uplink of what stands behind a box can be tested.`,
        );
      }
      return { serial: device.boxSerial, device, channels: Math.max(1, device.channelCount) };
    }
    await scope.site(siteId, 'manage');
    const box = await this.#db
      .selectFrom('boxes')
      .select('serial')
      .where('serial', '=', wanted.boxSerial)
      .where('siteId', '=', siteId)
      .where('state', '=', 'claimed')
      .executeTakeFirst();
    if (!box) throw new ProblemError('not-found');
    const { channels } = await this.#db
      .selectFrom('devices')
      .select((e) => e.fn.sum<number | null>('channelCount').as('channels'))
      .where('boxSerial', '=', box.serial)
      .where('type', '=', 'encoding')
      .where('deletedAt', 'is', null)
      .executeTakeFirstOrThrow();
    return { serial: box.serial, device: null, channels: Math.min(MAX_CHANNELS_OF_A_BOX, Number(channels ?? 0) || 1) };
  }

  async #run(id: string, token: string, { serial, meter }: Running): Promise<Result> {
    const body = { path: `${TESTS_PATH}/${id}/${token}`, ms: this.#times.testMs };
    const options = { body, timeoutMs: this.#times.testMs + this.#times.spareMs, signal: this.#stopping.signal };
    let done: UplinkTestDone | null = null;
    let problem: ProblemError | null = null;
    try {
      done = await this.#box.json(serial, UplinkTestDone, 'POST', '/v1/uplink-test', options);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      problem = error;
    }
    const yielded = done?.yielded ?? false;
    const { bytes, kbps } = meter.result(this.#clock.mono());
    if (kbps !== null) {
      const others = done && done.ms > 0 ? Math.round((done.otherBytes * 8) / done.ms) : 0;
      return { bytes, kbps: kbps + others, yielded, code: null, text: null };
    }
    const failed = (code: string, text: string): Result => ({ bytes, kbps: null, yielded, code, text });
    if (yielded) return failed('interrupted', 'An alarm had to be sent, and the test made way for it. Start it again.');
    if (bytes > 0) return failed('interrupted', 'The connection broke off in the middle of the test. Start it again.');
    if (problem && problem.code !== 'box-unreachable') return failed(problem.code, problem.message);
    return failed('no-uplink', 'Nothing arrived: the box has no uplink at the moment. Check its internet connection.');
  }

  async #note(id: string, o: Result & { recommended: Recommendation | null }): Promise<void> {
    const { recommended, yielded, ...columns } = o;
    const set = {
      ...columns,
      state: o.kbps === null ? ('failed' as const) : ('done' as const),
      endedMs: this.#clock.now(),
      yielded: yielded ? 1 : 0,
      recommended: recommended && JSON.stringify(recommended),
    };
    await this.#db.updateTable('bandwidth_tests').set(set).where('id', '=', id).execute();
    this.#log.info({ test: id, kbps: o.kbps, bytes: o.bytes, code: o.code }, 'an uplink was tested');
  }

  async #forgetOld(serial: string): Promise<void> {
    const old = await this.#db
      .selectFrom('bandwidth_tests')
      .select('id')
      .where('boxSerial', '=', serial)
      .orderBy('id', 'desc')
      .limit(200)
      .offset(KEPT_A_BOX)
      .execute();
    const ids = old.map((row) => row.id);
    if (ids.length > 0) await this.#db.deleteFrom('bandwidth_tests').where('id', 'in', ids).execute();
  }
}

/** Where boxes send to. */
export const TESTS_PATH = '/box/v1/uplink-tests';
const hash = (token: string) => createHash('sha256').update(token).digest();

interface Result {
  bytes: number;
  kbps: number | null;
  yielded: boolean;
  code: string | null;
  text: string | null;
}

const view = (row: Row): BandwidthTest => ({
  id: row.id,
  siteId: row.siteId,
  boxSerial: row.boxSerial,
  deviceId: row.deviceId,
  state: row.state,
  startedAt: iso(Number(row.startedMs)),
  endedAt: row.endedMs === null ? null : iso(Number(row.endedMs)),
  expectedMs: TEST_TIMES.testMs + 1_000,
  kbps: row.kbps,
  yielded: row.yielded === 1,
  code: row.code,
  text: row.text,
  recommended: row.recommended === null ? null : Recommendation.parse(JSON.parse(row.recommended)),
});
