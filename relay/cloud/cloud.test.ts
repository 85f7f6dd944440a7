import { PassThrough } from 'node:stream';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { CloudSettle, type RetentionDays, StartCloudSetup, type Term } from '../../protocol/wire/cloud.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { SettingField } from '../../protocol/wire/operations.ts';
import { ProblemError } from '../api/problem.ts';
import { createScope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import { DesiredStates } from '../desired/desired.ts';
import { BoxClient } from '../devices/box-client.ts';
import { TestBox } from '../testing/box.ts';
import { openTestDatabase } from '../testing/database.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { CloudChannelList } from './channels.ts';
import { CloudPlans } from './plans.ts';
import { CloudRecording } from './recording.ts';
import { CloudRegions } from './regions.ts';
import { termEnd } from './rules.ts';
import { CloudServiceBook } from './services.ts';
import { CloudSetups } from './setups.ts';
import { noteEvent } from './silence.ts';
import { addToStock, stockOf } from './stock.ts';

const DAY_MS = 86_400_000;
const clock = new ManualClock(Date.UTC(2026, 0, 31, 12));
const relay = new TestRelay({ clock });
const log = pino({ level: 'silent' });
let db: Db;
let acme: Company;
let rival: Company;
let box: TestBox;
let services: CloudServiceBook;
let setups: CloudSetups;
let channels: CloudChannelList;
let recording: CloudRecording;
const told: { to: string; code: string; values: Record<string, string> }[] = [];
// biome-ignore lint/suspicious/noExplicitAny: what the box was asked
let jobs: any[] = [];
let away = false;
const tunnel = {
  isConnected: () => !away,
  request: async (_: string, { path, body }: { path: string; body?: Buffer }) => {
    const stream = new PassThrough();
    const asked = body ? JSON.parse(String(body)) : null;
    if (path === '/v1/jobs') jobs.push(asked);
    const { id, kind, siteNote } = asked ?? {};
    stream.end(JSON.stringify({ id, kind, siteNote, state: 'running', createdAt: iso(0), endedAt: null, items: [] }));
    return { status: 200, headers: { 'content-type': 'application/json' }, body: stream };
  },
};
const scope = (who: Company = acme) => createScope(db, clock, who);

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  rival = await relay.company('Rival');
  box = await new TestBox(relay).claimedBy(acme);
  db = await openTestDatabase(relay.dir);
  const desired = new DesiredStates({ db });
  const notifier = {
    toCompany: async (_: unknown, to: string, { code, values }: (typeof told)[0]) =>
      void told.push({ to, code, values }),
    toUsers: async (_: unknown, [to]: string[], { code, values }: (typeof told)[0]) =>
      void told.push({ to: to!, code, values }),
    kick: () => {},
  } as never;
  const regions = new CloudRegions();
  recording = new CloudRecording({ db, clock, desired, key: async () => null });
  services = new CloudServiceBook({ db, clock, log, notifier, recording, regions });
  channels = new CloudChannelList({ db, clock, services, recording, regions });
  const devices = {
    add: async () => {
      throw new ProblemError('device-refused-login');
    },
  } as never;
  setups = new CloudSetups({
    db,
    clock,
    log,
    notifier,
    services,
    recording,
    regions,
    devices,
    box: new BoxClient({ tunnel }),
  });
});
beforeEach(() => {
  told.length = 0;
  jobs = [];
  away = false;
});
afterAll(async () => {
  await db.destroy();
  await relay.stop();
});

/** Sessions do not outlive the jumps of time here. */
async function call(method: string, path: string, body?: unknown) {
  const { token } = (await relay.call('POST', '/api/v1/auth/login', acme)).body;
  return relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}` });
}
async function device(more: Partial<DeviceRow> = {}): Promise<DeviceRow> {
  const row: DeviceRow = {
    id: uuidv7(),
    siteId: acme.siteId,
    boxSerial: box.serial,
    name: 'NVR',
    kind: 'isapi',
    mac: null,
    serial: null,
    host: '192.0.2.1',
    httpPort: 80,
    certificate: null,
    oldTls: 0,
    username: 'admin',
    createdAt: iso(clock.now()),
    deletedAt: null,
    accessMode: 'p2p',
    type: 'encoding',
    model: 'OLD-NVR',
    firmware: '',
    channelCount: 4,
    ...more,
  };
  await db.insertInto('devices').values(row).execute();
  return row;
}
const stock = (n: number, retentionDays: RetentionDays = 7, term: Term = 'month') =>
  addToStock(db, acme.companyId, { retentionDays, term }, n);
const left = async (retentionDays: RetentionDays = 7, term: Term = 'month') =>
  (await stockOf(db, acme.companyId)).find((one) => one.retentionDays === retentionDays && one.term === term);
const week = { retentionDays: 7, term: 'month' } as const;
const begin = (of: { id: string }, numbers: number[], more: object = {}) =>
  setups.begin(
    scope(),
    acme.siteId,
    StartCloudSetup.parse({
      boxSerial: box.serial,
      devices: [
        { device: { deviceId: of.id }, channels: numbers.map((channel) => ({ channel, package: week, ...more })) },
      ],
    }),
  );
const settle = (jobId: string | null, deviceId: string, channel: number, ok = true) =>
  setups.settle(
    box.serial,
    CloudSettle.parse({ jobId, deviceId, channel, ok, code: ok ? null : 'device-unreachable' }),
  );
const recorded = async () => {
  const { sections } = await new DesiredStates({ db }).get(box.serial);
  return sections.recording.items.map(({ deviceId, channel, mode, stream, triggers }) => ({
    deviceId,
    channel,
    mode,
    stream,
    triggers,
  }));
};
/** A channel with a service of 7 days for a month. */
async function active(more: Partial<DeviceRow> = {}): Promise<{ of: DeviceRow; serviceId: string }> {
  await stock(1);
  const of = await device(more);
  const { jobId } = await begin(of, [1]);
  await settle(jobId, of.id, 1);
  const found = (await services.list(scope())).items.find((one) => one.deviceId === of.id);
  return { of, serviceId: found!.id };
}

it('a service lasts a month or a year of the calendar (CLOUD-21)', () => {
  const end = (from: string, term: Term) => iso(termEnd(Date.parse(from), term)).slice(0, 16);
  expect(end('2026-01-31T12:00:00Z', 'month')).toBe('2026-02-28T12:00');
  expect(end('2026-12-15T23:59:00Z', 'month')).toBe('2027-01-15T23:59');
  expect(end('2028-02-29T00:00:00Z', 'year')).toBe('2029-02-28T00:00');
});

describe('a set-up', () => {
  it('takes packages aside, has the box work, and activates each channel when the box says so (BOX-06, CLOUD-19, CLOUD-21)', async () => {
    await stock(2);
    const of = await device();
    const { jobId, refused } = await begin(of, [1, 2], { definition: '1280x720' });
    expect(refused).toEqual([]);
    const item = {
      jobId,
      deviceId: of.id,
      deviceName: 'NVR',
      variant: 'box',
      definition: '1280x720',
      stream: 'main',
      mode: 'event',
    };
    expect(jobs[0]).toMatchObject({ id: jobId, kind: 'cloud', siteNote: acme.siteId });
    expect(jobs[0].items).toEqual([1, 2].map((channel) => ({ ...item, channel })));
    expect(await left()).toMatchObject({ purchased: 2, used: 0, reserved: 2, remaining: 0 });
    await expect(begin(await device(), [1])).rejects.toMatchObject({ code: 'limit-reached' });
    expect(await recorded()).toEqual([]);

    await clock.jump(3_600_000);
    const { until } = await settle(jobId, of.id, 1);
    expect(until).toBe('2026-02-28T13:00:00.000Z');
    // Whoever asks again, because the answer was lost, gets the same and pays nothing.
    expect(await settle(jobId, of.id, 1)).toEqual({ until });
    expect(told).toEqual([]);
    await settle(jobId, of.id, 2, false);
    expect(told).toMatchObject([{ to: acme.userId, code: 'cloud-setup-done', values: { done: '1', all: '2' } }]);
    expect(await left()).toMatchObject({ purchased: 2, used: 1, reserved: 0, remaining: 1 });
    const triggers = ['motion', 'intrusion', 'lineCrossing'];
    expect(await recorded()).toEqual([{ deviceId: of.id, channel: 1, mode: 'event', stream: 'main', triggers }]);
    const [one] = (await channels.list(scope(), acme.siteId)).items;
    expect(one).toMatchObject({ channel: 1, enabled: true, recording: true, definition: '1280x720' });
    expect(one?.service).toMatchObject({ retentionDays: 7, term: 'month', state: 'active', until });
    expect(one?.silent).toEqual([]);
    // What its device says of its events, in whatever order, is kept of each by itself (CLOUD-09).
    const says = (section: 'motion' | 'intrusion' | 'lineCrossing' | 'osd', ...fields: SettingField[]) =>
      noteEvent(db, { deviceId: of.id, channel: 1, section, fields });
    const is = (name: string, value: boolean): SettingField => ({ name, kind: 'boolean', value });
    await Promise.all([
      says('intrusion', is('enabled', true), { name: 'area', kind: 'regions', value: [], maxRegions: 4 }),
      says('lineCrossing', is('enabled', false), { name: 'lines', kind: 'lines', value: [], maxLines: 4 }),
      says('osd', is('enabled', false)),
    ]);
    await says('motion', is('notify', false));
    const silent = async () => (await channels.get(scope(), of.id, 1)).silent;
    const inOrder = ['motion,notify', 'intrusion,area', 'lineCrossing,enabled'];
    expect((await silent()).map(({ trigger, why }) => [trigger, why].join())).toEqual(inOrder);
    await says('lineCrossing', is('enabled', true), { name: 'schedule', kind: 'week', value: '', maxRanges: 8 });
    await says('motion', is('enabled', true), is('notify', true));
    await says('intrusion', is('enabled', true));
    expect(await silent()).toEqual([{ trigger: 'lineCrossing', why: 'schedule' }]);
    await says('lineCrossing', is('enabled', true));
    // Another box, and a job that nobody ordered.
    const answer = { jobId: jobId as string, deviceId: of.id, channel: 1, ok: true, code: null };
    await expect(setups.settle('AAAAAAAAA', answer)).rejects.toMatchObject({ code: 'not-found' });
    await expect(setups.settle(box.serial, { ...answer, jobId: uuidv7() })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('says of each device why it cannot be: its address, another box, no video, its limit, its password (BOX-03, BOX-04, CLOUD-13)', async () => {
    await stock(9);
    const other = await new TestBox(relay).claimedBy(acme);
    const ip = await device({ name: 'ByAddress', accessMode: 'ip', boxSerial: null });
    const far = await device({ name: 'OtherLan', boxSerial: other.serial });
    const small = await device({ name: 'Small', model: 'LIMITED-2', firmware: 'V4.72.107' });
    await db
      .insertInto('compatibility')
      .values({
        id: uuidv7(),
        list: 'cloud-nvr',
        deviceType: 'nvr',
        series: '',
        model: 'LIMITED-2',
        modelKey: 'LIMITED-2',
        baseKey: 'LIMITED-2',
        firmware: 'V4.72.107',
        maxChannels: 2,
        maxWidth: 4096,
        maxHeight: 2160,
        maxKbps: null,
        features: '{}',
        remarks: '',
        words: '',
        importedMs: null,
      })
      .execute();
    const good = await device({ name: 'Good' });
    const on = (of: { id: string }, ...numbers: number[]) => ({
      device: { deviceId: of.id },
      channels: numbers.map((channel) => ({ channel, package: week })),
    });
    const found = { name: 'Found', host: '192.0.2.9', username: 'admin', password: 'wrong' };
    const wanted = StartCloudSetup.parse({
      boxSerial: box.serial,
      devices: [
        ...[on(ip, 1), on(far, 1), on(small, 1, 2, 3), on(good, 1), on(good, 9)],
        { device: found, channels: [{ channel: 1, package: week }] },
      ],
    });
    const { jobId, refused } = await setups.begin(scope(), acme.siteId, wanted);
    expect(refused.map(({ index, name, code }) => [index, name, code])).toEqual([
      ...[
        [0, 'ByAddress', 'conflict'],
        [1, 'OtherLan', 'conflict'],
        [2, 'Small', 'limit-reached'],
      ],
      ...[
        [4, 'Good', 'conflict'],
        [5, 'Found', 'device-refused-login'],
      ],
    ]);
    expect(refused[2]?.detail).toContain('2 channels');
    // The others go on.
    expect(jobs[0].items).toMatchObject([{ deviceId: good.id, channel: 1 }]);
    await settle(jobId, good.id, 1, false);
    const large = await begin(small, [1], { definition: '5120x2880' });
    expect(large.refused).toMatchObject([{ code: 'limit-reached', detail: expect.stringContaining('4096x2160') }]);
    const two = await begin(small, [1, 2], { definition: '1920x1080' });
    expect(jobs[1].items[0]).toMatchObject({ variant: 'device' });
    for (const channel of [1, 2]) await settle(two.jobId, small.id, channel);
    await expect(channels.edit(scope(), small.id, 1, { definition: '4096x2304' })).rejects.toMatchObject({
      code: 'limit-reached',
    });
    expect((await begin(small, [3])).refused).toMatchObject([{ code: 'limit-reached' }]);
    // The form says so before it is sent.
    const rooms = (await channels.list(scope(), acme.siteId)).devices;
    const room = (of: { id: string }) => rooms.find((one) => one.deviceId === of.id);
    expect(room(small)).toMatchObject({ maxChannels: 2, paid: [1, 2], setups: [] });
    expect(room(good)).toMatchObject({ maxChannels: null, paid: [], setups: [{ channel: 1, state: 'failed' }] });
  });

  it('begins nothing while its box is away, and frees the packages of one that nothing was heard of (BOX-08)', async () => {
    await stock(1, 30);
    const of = await device();
    away = true;
    const monthly = { package: { retentionDays: 30, term: 'month' } };
    await expect(begin(of, [1], monthly)).rejects.toMatchObject({ code: 'box-unreachable' });
    away = false;
    const { jobId } = await begin(of, [1], monthly);
    expect(await left(30)).toMatchObject({ reserved: 1, remaining: 0 });
    setups.start();
    await clock.jump(DAY_MS + 3_700_000);
    setups.stop();
    await expect.poll(() => left(30)).toMatchObject({ reserved: 0, remaining: 1 });
    await expect(settle(jobId, of.id, 1)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is remembered for so many times and not for ever, and the last one counts however often the box was away', async () => {
    const { of } = await active();
    const again = () => begin(of, [1], { package: undefined });
    for (let i = 0; i < 25; i++) {
      await clock.jump(1_000);
      await settle((await again()).jobId, of.id, 1, i === 24);
    }
    away = true;
    for (let i = 0; i < 25; i++) {
      await clock.jump(1_000);
      await again().catch(() => {});
    }
    away = false;
    const rows = await db.selectFrom('cloud_setups').select('state').where('deviceId', '=', of.id).execute();
    expect(rows.length).toBeLessThanOrEqual(22);
    expect((await channels.get(scope(), of.id, 1)).setUp).toMatchObject({ state: 'done' });
  });

  it('of a solar camera records motion only (CLOUD-07)', async () => {
    const { of } = await active({ name: 'Solar', model: 'DS-2XS2T41G1-ID/4G/C05S07', channelCount: 1 });
    expect(await channels.get(scope(), of.id, 1)).toMatchObject({ motionOnly: true, triggers: ['motion'] });
    for (const set of [
      { triggers: ['intrusion' as const] },
      { mode: 'continuous' as const },
      { mode: 'both' as const },
    ])
      await expect(channels.edit(scope(), of.id, 1, set)).rejects.toMatchObject({ code: 'conflict' });
    await stock(1);
    const other = await device({ name: 'Solar 2', model: 'DS-2XS2T41G1-ID/4G/C05S07', channelCount: 1 });
    expect((await begin(other, [1], { mode: 'continuous' })).refused).toMatchObject([{ code: 'conflict' }]);
  });
});

describe('a channel', () => {
  it('is recorded as it is switched and set, whatever is set for its device as a whole (CLOUD-10, CLOUD-01)', async () => {
    const { of } = await active();
    const own = async () => (await recorded()).filter((one) => one.deviceId === of.id);
    await channels.edit(scope(), of.id, 1, { mode: 'both', stream: 'adaptive', triggers: ['motion'] });
    expect(await own()).toMatchObject([{ mode: 'both', stream: 'adaptive', triggers: ['motion'] }]);
    expect((await call('PATCH', `/devices/${of.id}`, { recordOn: [] })).status).toBe(200);
    expect(await own()).toMatchObject([{ mode: 'both' }]);
    expect(await channels.edit(scope(), of.id, 1, { enabled: false })).toMatchObject({ recording: false });
    expect(await own()).toEqual([]);
    await expect(channels.edit(scope(), of.id, 2, { enabled: true })).rejects.toMatchObject({ code: 'not-found' });
    await expect(channels.edit(scope(rival), of.id, 1, { enabled: true })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('keeps footage for as long as its package says, others for the basic time (CLOUD-20)', async () => {
    const plans = new CloudPlans({ basicDays: 5 });
    const { of } = await active();
    const now = clock.now();
    const days = (channel: number, startedMs = now, siteId = acme.siteId) =>
      plans.retentionDays(db, of.id, channel, { siteId, startedMs });
    expect([await days(1), await days(2)]).toEqual([7, 5]);
    // A box elsewhere names this channel.
    expect(await days(1, now, rival.siteId)).toBe(5);
    // Before it began and once its time was over; what was recorded while it lasted may come later.
    expect([await days(1, now - DAY_MS), await days(1, now + 40 * DAY_MS)]).toEqual([5, 5]);
    await services.devicesLeave(db, [of.id]);
    expect([await days(1), await days(1, now + DAY_MS)]).toEqual([7, 5]);
  });
});

describe('a service', () => {
  it('is told of 30, 7 and 1 days before its end and at its end, when recording ends (CLOUD-24, CLOUD-25)', async () => {
    const { of, serviceId } = await active();
    const mine = () => told.filter((one) => one.code.startsWith('cloud-service')).filter((o) => o.values.keep === '7');
    const at = async (beforeEndMs: number) => {
      const { until } = (await services.list(scope())).items.find((one) => one.id === serviceId)!;
      told.length = 0;
      clock.step(Date.parse(until) - beforeEndMs - clock.now());
      for (let twice = 0; twice < 2; twice++) await services.sweep();
      return mine().filter((one) => one.to === acme.companyId).length > 0 ? mine().at(-1)!.values.days : null;
    };
    // A month has hardly begun then.
    expect(await at(28 * DAY_MS)).toBe(null);
    expect(await at(7 * DAY_MS)).toBe('7');
    expect((await services.list(scope())).items.find((one) => one.id === serviceId)?.state).toBe('expiring');
    expect(await at(6 * DAY_MS)).toBe(null);
    expect(await at(3_600_000)).toBe('1');
    expect((await recorded()).some((one) => one.deviceId === of.id)).toBe(true);
    expect(await at(0)).toBe('0');
    expect(mine().at(-1)).toMatchObject({ code: 'cloud-service-over', values: { device: 'NVR', channel: '1' } });
    expect((await recorded()).some((one) => one.deviceId === of.id)).toBe(false);
    const [one] = (await channels.list(scope(), acme.siteId)).items.filter((c) => c.deviceId === of.id);
    expect(one).toMatchObject({ enabled: true, recording: false, service: { state: 'expired' } });
    expect(await at(-DAY_MS)).toBe(null);

    // Renewed after its end it begins anew, before its end it is longer; each uses a package.
    await expect(services.renew(scope(), serviceId, 'year')).rejects.toMatchObject({ code: 'limit-reached' });
    await stock(1, 7, 'year');
    const renewed = await services.renew(scope(), serviceId, 'year');
    expect(renewed).toMatchObject({ state: 'active', until: iso(termEnd(clock.now(), 'year')) });
    expect((await recorded()).some((o) => o.deviceId === of.id)).toBe(true);
    expect(await at(31 * DAY_MS)).toBe(null);
    expect(await at(29.5 * DAY_MS)).toBe('30');
    expect(await at(7 * DAY_MS)).toBe('7');
    await stock(1);
    const longer = await services.renew(scope(), serviceId, 'month');
    expect(longer.until).toBe(iso(termEnd(Date.parse(renewed.until), 'month')));
    await expect(services.renew(scope(rival), serviceId, 'month')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('hands its time to another channel with the same end; the old one is not recorded any more (CLOUD-24)', async () => {
    const { of, serviceId } = await active();
    const before = (await services.list(scope())).items.find((one) => one.id === serviceId)!;
    const to = await device({ name: 'NVR2' });
    await clock.jump(60_000);
    await expect(services.transfer(scope(), serviceId, { deviceId: to.id, channel: 9 })).rejects.toMatchObject({
      code: 'conflict',
    });
    const next = await services.transfer(scope(), serviceId, { deviceId: to.id, channel: 1 });
    expect(next).toMatchObject({ deviceId: to.id, channel: 1, until: before.until, retentionDays: 7 });
    const now = (await recorded()).map((one) => one.deviceId);
    expect([now.includes(of.id), now.includes(to.id)]).toEqual([false, true]);
    // No box has prepared it: that is told until one has, or has tried.
    const setUp = async () => (await channels.get(scope(), to.id, 1)).setUp;
    expect(await setUp()).toEqual({ state: 'never', code: null, jobId: null });
    const first = await begin(to, [1], { package: undefined });
    expect(await setUp()).toMatchObject({ state: 'running', jobId: first.jobId });
    await settle(first.jobId, to.id, 1, false);
    expect(await setUp()).toMatchObject({ state: 'failed', code: 'device-unreachable' });
    // The later one counts.
    await clock.jump(1_000);
    const second = await begin(to, [1], { package: undefined });
    await settle(second.jobId, to.id, 1);
    expect(await setUp()).toMatchObject({ state: 'done' });
    away = true;
    await expect(begin(to, [1], { package: undefined })).rejects.toMatchObject({ code: 'box-unreachable' });
    away = false;
    expect(await setUp()).toMatchObject({ state: 'done' });
    const old = (await services.list(scope())).items.find((one) => one.id === serviceId);
    expect(old).toMatchObject({ state: 'ended', ended: 'transferred', transferable: false });
    await expect(services.transfer(scope(), serviceId, { deviceId: of.id, channel: 1 })).rejects.toMatchObject({
      code: 'conflict',
    });
    const foreign = { deviceId: to.id, channel: 2 };
    await expect(services.transfer(scope(rival), next.id, foreign)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('ends when its device leaves the site, settings and all; its time can go elsewhere (CLOUD-26)', async () => {
    const { of, serviceId } = await active();
    expect((await call('DELETE', `/devices/${of.id}`)).status).toBe(204);
    expect(await db.selectFrom('cloud_channels').select('channel').where('deviceId', '=', of.id).execute()).toEqual([]);
    expect((await recorded()).some((one) => one.deviceId === of.id)).toBe(false);
    const gone = (await services.list(scope())).items.find((one) => one.id === serviceId);
    expect(gone).toMatchObject({ state: 'ended', ended: 'left', transferable: true });
    const to = await device({ name: 'Next' });
    expect(await services.transfer(scope(), serviceId, { deviceId: to.id, channel: 3 })).toMatchObject({
      channel: 3,
      until: gone?.until,
      ended: null,
    });
  });
});
