import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { InitialiseItem } from '../../protocol/wire/initialise.ts';
import type { JobItem } from '../../protocol/wire/jobs.ts';
import { failure } from '../isapi/answer.ts';
import { Jobs } from '../jobs/jobs.ts';
import { Finder } from './finder.ts';
import { InitialiseRunner } from './runner.ts';
import { ScriptedDevice, ScriptedLan } from './testing/scripted.ts';

const log = pino({ level: 'silent' });
let clock: ManualClock;
let dir: string;
let jobs: Jobs;
let lan: ScriptedLan;

const never = (signal: AbortSignal) =>
  new Promise<ReturnType<typeof failure>>((resolve) => {
    signal.addEventListener('abort', () => resolve(failure('device-unreachable', 'broken off')));
  });
function open(): void {
  jobs = new Jobs({ path: join(dir, 'jobs.db'), key: Buffer.alloc(32, 1), clock, log });
  const finder = new Finder({ discovery: lan, clock, ping: (host) => lan.ping(host) });
  jobs.register(new InitialiseRunner({ discovery: lan, hands: lan, clock, finder }));
  jobs.start();
}
function initialise(change: (device: ScriptedDevice) => Partial<InitialiseItem> = () => ({})): string {
  const items = lan.devices.map((device) => ({
    mac: device.mac,
    username: 'admin',
    password: 'Right-1',
    timeZone: 'Europe/Berlin',
    record: false,
    verificationCode: null,
    newestFirmware: null,
    ...change(device),
  }));
  const made = jobs.create({ kind: 'initialise', items });
  if (!made.ok) throw new Error(made.detail);
  return made.job.id;
}
async function finished(id: string): Promise<JobItem[]> {
  for (let i = 0; i < 400 && jobs.get(id)?.state !== 'done'; i++) await clock.advance(1_000);
  expect(jobs.get(id)?.state).toBe('done');
  return jobs.get(id)!.items;
}
const brief = (item: JobItem | undefined) =>
  Object.fromEntries(item?.steps.map((s) => [s.step, s.code ? `${s.state} ${s.code}` : s.state]) ?? []);
const setUp = (...devices: ScriptedDevice[]) => {
  lan = new ScriptedLan(...devices);
  open();
};

beforeEach(() => {
  clock = new ManualClock();
  dir = mkdtempSync(join(tmpdir(), 'gatepost-initialise-'));
});
afterEach(async () => {
  await jobs.stop();
  rmSync(dir, { recursive: true });
});

describe('what each type gets', () => {
  const nvr = () => new ScriptedDevice(1, 'nvr', 'DS-7616NI-Q2');
  const dvr = () => new ScriptedDevice(2, 'dvr', 'DS-7204HQHI-K1');
  const camera = () => new ScriptedDevice(3, 'camera', 'DS-2CD2347G2-LU');
  const access = () => new ScriptedDevice(4, 'accessController', 'DS-K1T341AMF');
  const plain = () => new ScriptedDevice(5, 'switch', 'DS-3E1510P-SI');
  const ei = () => new ScriptedDevice(6, 'switch', 'DS-3E1510P-EI');

  it('a recorder: DHCP on, time, disks; its channels are to be added, unless it has sockets for them (INIT-07, INIT-20)', async () => {
    const poe = Object.assign(new ScriptedDevice(7, 'nvr', 'DS-7608NXI-K1/8P'), { poe: true });
    setUp(nvr(), poe);
    const [item, other] = await finished(initialise());
    expect(brief(item)).toEqual({
      login: 'done',
      check: 'done',
      network: 'done dhcp-on',
      ping: 'done',
      firmware: 'skipped no-catalogue',
      time: 'done',
      storage: 'skipped no-disk',
      channels: 'done to-add',
      motion: 'skipped not-for-type',
      encoding: 'skipped not-for-type',
      platform: 'skipped not-for-type',
    });
    expect(brief(other).channels).toBe('done poe');
    expect(lan.devices[0]?.did).toEqual(['login', 'network dhcp', 'time Europe/Berlin', 'disks']);
  });

  it('a camera keeps its address, looks for motion everywhere, and gets the codec (INIT-08, INIT-16, INIT-17)', async () => {
    setUp(camera());
    const [item] = await finished(initialise());
    expect(item?.state).toBe('done');
    expect(lan.devices[0]?.did).toEqual([
      ...['login', 'network 192.0.2.3 255.255.255.0 192.0.2.254', 'time Europe/Berlin', 'disks'],
      ...['motion 1', 'encode 1'],
    ]);
    expect(item?.name).toBe('DS-2CD2347G2-LU · 192.0.2.3');
  });

  it('whoever will be recorded is told so; a recorder’s own channels only then', async () => {
    setUp(camera(), Object.assign(nvr(), { channels: [1, 2] }), dvr());
    await finished(initialise(({ category }) => ({ record: category !== 'dvr' })));
    const encoded = lan.devices.map(({ did }) => did.filter((what) => what.startsWith('encode')));
    expect(encoded).toEqual([['encode 1 for clips'], ['encode 1 for clips', 'encode 2 for clips'], []]);
  });

  it('DVRs and switches: DHCP on; the EI series and all others keep theirs; P2P service on (INIT-09, INIT-10, INIT-18)', async () => {
    setUp(dvr(), plain(), ei(), access());
    const items = await finished(initialise());
    expect(items.map((item) => brief(item).network)).toEqual([
      ...['done dhcp-on', 'done dhcp-on', 'skipped kept', 'skipped kept'],
    ]);
    expect(items.map((item) => brief(item).platform)).toEqual(Array(4).fill('done'));
  });

  it('control panels are left alone (DISC-10)', async () => {
    setUp(new ScriptedDevice(1, 'panel', 'DS-PWA96-M-WE'));
    const [item] = await finished(initialise());
    expect(item?.state).toBe('failed');
    expect(brief(item)).toMatchObject({ login: 'failed panel-excluded', network: 'skipped not-reached' });
    expect(lan.devices[0]?.did).toEqual(['login']);
  });
});

it('a device with a new address is found again by its MAC, and must answer there (INIT-11)', async () => {
  const [moves, vanishes] = [new ScriptedDevice(1, 'nvr', 'DS-7616NI-Q2'), new ScriptedDevice(2, 'dvr', 'DS-7204')];
  moves.dhcpAddress = '192.0.2.77';
  vanishes.dhcpAddress = '192.0.2.78';
  setUp(moves, vanishes);
  const id = initialise();
  await clock.advance(100);
  vanishes.down = true;
  const [item, gone] = await finished(id);
  expect(item?.steps.find((s) => s.step === 'ping')?.text).toContain('It answers at 192.0.2.77');
  expect(item?.name).toContain('192.0.2.77');
  expect(brief(gone)).toMatchObject({ ping: 'failed device-unreachable', time: 'skipped not-reached' });
});

it('the firmware and the batch are checked, and told as warnings (INIT-06, INIT-12)', async () => {
  const device = new ScriptedDevice(1, 'accessController', 'DS-K1T341AMF');
  device.issues = ['weak-firmware', 'same-serial'];
  setUp(device);
  const [item] = await finished(initialise(() => ({ newestFirmware: 'V1.2.0 build 250101' })));
  expect(item?.state).toBe('done');
  expect(brief(item)).toMatchObject({ check: 'warning weak-firmware', firmware: 'warning firmware-update' });
  await jobs.stop();
  rmSync(join(dir, 'jobs.db'));
  open();
  const [newest] = await finished(initialise(() => ({ newestFirmware: 'V1.0.0 Build 240101' })));
  expect(brief(newest).firmware).toBe('done');
});

it('a step that fails has a code and a sentence, and stops neither the others nor other devices', async () => {
  const [bad, good] = [new ScriptedDevice(1, 'camera', 'DS-2CD1'), new ScriptedDevice(2, 'camera', 'DS-2CD2')];
  bad.says = {
    time: () => failure('device-error', 'It took the time, and its clock is 9 s off all the same.'),
    motion: () => failure('device-error', 'It answered "busy".'),
  };
  bad.disks = [{ disk: 'SD 1', result: 'failed', text: 'it answered "diskError".' }];
  const refuses = new ScriptedDevice(3, 'camera', 'DS-2CD3');
  refuses.password = 'Another-1';
  const breaks = new ScriptedDevice(4, 'camera', 'DS-2CD4');
  breaks.says.network = () => {
    throw new Error('a bug');
  };
  setUp(bad, good, refuses, breaks);
  const items = await finished(initialise());
  expect(items.map((item) => item.state)).toEqual(['failed', 'done', 'failed', 'failed']);
  expect(brief(items[0])).toMatchObject({
    network: 'done dhcp-off',
    time: 'failed device-error',
    storage: 'failed disk-failed',
    motion: 'failed not-kept',
    encoding: 'done',
  });
  expect(items[0]?.steps.find((s) => s.step === 'time')?.text).toContain('9 s off');
  expect(brief(items[2])).toMatchObject({ login: 'failed device-refused-login', encoding: 'skipped login-failed' });
  // One wrong password is one try.
  expect(refuses.did).toEqual(['login']);
  expect(brief(items[3])).toMatchObject({ network: 'failed internal-error' });
  expect(lan.open).toBe(0);
});

it('a disk that may hold something is told to be left as it is (INIT-14)', async () => {
  const nvr = new ScriptedDevice(1, 'nvr', 'DS-7616NI-Q2');
  nvr.disks = [
    { disk: 'HDD 1', result: 'formatted', text: null },
    { disk: 'HDD 2', result: 'kept', text: 'ok' },
  ];
  setUp(nvr);
  const [item] = await finished(initialise());
  const { text } = item!.steps.find((s) => s.step === 'storage')!;
  expect(text).toBe('Initialised: HDD 1. Left as they are: HDD 2 (ok).');
});

it.each([
  'network',
  'time',
  'disks',
  'motion',
  'encode',
])('a box that goes down in the step %s goes on there, and does nothing twice that was done', async (what) => {
  const camera = new ScriptedDevice(1, 'camera', 'DS-2CD2347G2-LU');
  camera.says[what] = never;
  setUp(camera);
  const id = initialise();
  await clock.advance(5_000);
  const before = camera.did.filter((did) => did !== 'login');
  await jobs.stop();
  camera.says = {};
  open();
  const [item] = await finished(id);
  expect(item?.state).toBe('done');
  const whole = ['network', 'time', 'disks', 'motion', 'encode'];
  expect(camera.did.filter((did) => did !== 'login').map((did) => did.split(' ')[0])).toEqual(whole);
  expect(camera.did.filter((did) => did !== 'login').slice(0, before.length)).toEqual(before);
  expect(camera.did.filter((did) => did === 'login')).toHaveLength(2);
});

it('a login whose outcome got lost is tried once more, and not again', async () => {
  const camera = new ScriptedDevice(1, 'camera', 'DS-2CD2347G2-LU');
  camera.says.login = never;
  setUp(camera);
  const id = initialise();
  for (let i = 0; i < 3; i++) {
    await clock.advance(1_000);
    await jobs.stop();
    open();
  }
  const [item] = await finished(id);
  expect(camera.did).toEqual(['login', 'login']);
  expect(brief(item).login).toBe('failed device-error');
});

it('two devices at one address, or one without a password yet: nothing is sent to them', async () => {
  const [a, b] = [new ScriptedDevice(1, 'camera', 'DS-2CD1'), new ScriptedDevice(2, 'camera', 'DS-2CD2')];
  b.address = a.address;
  const fresh = Object.assign(new ScriptedDevice(3, 'camera', 'DS-2CD3'), { activated: false });
  setUp(a, b, fresh);
  const items = await finished(initialise());
  expect(items.map((item) => brief(item).login)).toEqual([
    ...['failed conflict', 'failed conflict', 'failed device-not-activated'],
  ]);
  expect(lan.logins).toBe(0);
});

it('another device behind the login is not touched', async () => {
  const [mac, serial] = [
    new ScriptedDevice(1, 'camera', 'DS-2CD2143G2-I'),
    new ScriptedDevice(2, 'nvr', 'DS-7608NI-K2'),
  ];
  serial.saysSerial = 'DS-7608NI-K220200101AAWR999999999';
  mac.saysMac = '66-66-66-66-66-66';
  setUp(mac, serial);
  // Some say no serial number to the search.
  const list = lan.list;
  lan.byMac = (m) => {
    const found = list().find((d) => d.mac === m);
    return found && { ...found, serial: m === mac.mac ? '' : found.serial };
  };
  const items = await finished(initialise());
  expect(items.map((item) => brief(item).login)).toEqual(['failed conflict', 'failed conflict']);
  expect([mac.did, serial.did, lan.open]).toEqual([['login'], ['login'], 0]);
});

it('64 devices, 16 at a time', async () => {
  setUp(...Array.from({ length: 64 }, (_, i) => new ScriptedDevice(i + 1, 'camera', `DS-2CD${i}`)));
  const items = await finished(initialise());
  expect(items.every((item) => item.state === 'done')).toBe(true);
  expect(lan.mostOpen).toBe(16);
});
