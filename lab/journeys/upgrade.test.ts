import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AddingResult } from '../../protocol/wire/adding.ts';
import type { Device } from '../../protocol/wire/api.ts';
import type { DeviceUpgrade, PackageUpload, UpgradesStarted } from '../../protocol/wire/firmware.ts';
import type { SiteJob } from '../../protocol/wire/initialise.ts';
import type { DevicePasswordChanged } from '../../protocol/wire/lan-site.ts';
import { until } from './demo.ts';
import { type LabDevice, LanStack } from './lan.ts';
import { zipWith } from './zip.ts';

/* J14: passwords of devices, and their firmware, over real sockets. */

const stack = new LanStack('camera,nvr,door-station,ax-pro', '127.92.0.');
const lab: Record<string, LabDevice> = {};
const ids: Record<string, string> = {};
const NEW = 'Other-2233';

beforeAll(async () => {
  await stack.start();
  for (const device of await stack.labDevices()) lab[device.name] = device;
  const seen = await stack.discovered(Object.values(lab).map((device) => device.mac));
  for (const { name, mac, serial, password, kind } of Object.values(lab)) {
    // By its serial number only.
    if (kind === 'ax-pro') continue;
    const at = seen.find((one) => one.mac === mac)!;
    const login = { host: at.address, httpPort: at.httpPort, username: 'admin', password };
    const body = { boxSerial: stack.boxSerial, name, mac, serial, ...login, recordOn: [] };
    ids[name] = (await stack.api<Device>('POST', `/sites/${stack.siteId}/devices`, body)).id;
  }
  await online();
}, 90_000);
afterAll(() => stack.stop(), 30_000);

const devices = () => stack.api<{ items: Device[] }>('GET', `/sites/${stack.siteId}/devices`).then((all) => all.items);
const online = () =>
  until('all devices online', 40_000, async () =>
    (await devices()).every((device) => device.health?.state === 'online'),
  );
const state = <T>(name: string) => stack.labApi<T>('GET', `/devices/${name}`);
const change = (name: string, body: object) =>
  stack.api<DevicePasswordChanged>('PUT', `/devices/${ids[name]}/password`, body);

describe('passwords (J14)', () => {
  it('a new one directly while the site is not handed over, and the box goes on without a wrong try (PWD-03)', async () => {
    expect(await change('camera', { newPassword: NEW })).toMatchObject({ outcome: 'changed' });
    await online();
    expect((await state<{ failedLogins: number }>('camera')).failedLogins).toBe(0);
    await expect(change('camera', { newPassword: 'abcdefgh' })).rejects.toThrow('invalid-request');
  });

  it('with the old one: a wrong one costs one try and changes nothing (PWD-06)', async () => {
    const wrong = change('nvr', { oldPassword: 'Not-this-1', newPassword: NEW });
    await expect(wrong).rejects.toThrow('device-refused-login');
    expect((await state<{ failedLogins: number }>('nvr')).failedLogins).toBe(1);
    expect(await change('nvr', { oldPassword: lab.nvr!.password, newPassword: NEW })).toMatchObject({
      outcome: 'changed',
    });
    await online();
  });
});

describe('upgrades (J14)', () => {
  const bring = async (name: string, fileName: string, firmware: string) => {
    const zip = zipWith('digicap.dav', Buffer.concat([Buffer.from(firmware), Buffer.alloc(700_000, 7)]));
    const begun = await stack.api<PackageUpload>('POST', `/devices/${ids[name]}/firmware`, {
      fileName,
      size: zip.length,
    });
    const put = await fetch(stack.relay + begun.url, { method: 'PUT', body: new Uint8Array(zip) });
    return { firmwareId: begun.package.id, status: put.status };
  };
  const upgrade = async (items: { deviceId: string; firmwareId: string }[]) => {
    const started = await stack.api<UpgradesStarted>('POST', `/sites/${stack.siteId}/upgrades`, { items });
    expect(started.refused).toEqual([]);
    return until('the end of the upgrade', 60_000, async () => {
      const path = `/sites/${stack.siteId}/jobs/${started.jobs[0]!.jobId}`;
      const job = await stack.api<SiteJob>('GET', path).catch(() => null);
      return job?.state === 'done' && job;
    });
  };

  it('a batch: each its package, in the form that it takes; what is for other models is refused by the device (UPG-08, UPG-10, UPG-13)', async () => {
    const wanted: [string, string, string][] = [
      ['camera', 'IPC_V9.9.0_260101.zip', 'GATEPOST-LAB-FIRMWARE * V9.9.0 260101 '],
      ['nvr', 'NVR_V9.9.1_Build_260102.zip', 'GATEPOST-LAB-FIRMWARE DS-OTHER V9.9.1 260102 '],
      ['door-station', 'DS_V9.9.2_build260103.zip', 'GATEPOST-LAB-FIRMWARE * V9.9.2 260103 '],
    ];
    const items = [];
    for (const [name, file, firmware] of wanted) {
      const { firmwareId, status } = await bring(name, file, firmware);
      expect([name, status]).toEqual([name, 200]);
      items.push({ deviceId: ids[name]!, firmwareId });
    }
    const job = await upgrade(items);
    const ends = job.items.map((item) => [
      item.name,
      item.state,
      item.steps.find((s) => s.state === 'failed')?.code ?? null,
    ]);
    expect(ends).toEqual([
      ['camera', 'done', null],
      ['nvr', 'failed', 'badDevType'],
      ['door-station', 'done', null],
    ]);
    expect((await state<{ firmware: string }>('camera')).firmware).toContain('V9.9.0');
    await until('the new firmware in the list', 30_000, async () => {
      const { items: now } = await stack.api<{ items: DeviceUpgrade[] }>('GET', `/sites/${stack.siteId}/upgrades`);
      return now.some((one) => one.name === 'camera' && one.firmware.includes('V9.9.0'));
    });
  }, 90_000);

  it('online: the operator’s newest for a model is offered and installed; it cannot be stopped, and got by hand (UPG-02, UPG-06, UPG-07)', async () => {
    const offered = async () =>
      (await stack.api<{ items: DeviceUpgrade[] }>('GET', `/sites/${stack.siteId}/upgrades`)).items.find(
        (one) => one.deviceId === ids['door-station'],
      )!;
    const { model, available } = await offered();
    expect(available).toBeNull();
    const zip = zipWith('digicap.dav', Buffer.from(`GATEPOST-LAB-FIRMWARE ${model} V9.9.4 260104 ${' '.repeat(500)}`));
    const announced = { fileName: 'DS_V9.9.4_Build_260104.zip', size: zip.length, models: [model] };
    const token = await stack.operator();
    const begun = await stack.api<PackageUpload>('POST', '/operator/firmware', announced, token);
    await fetch(stack.relay + begun.url, { method: 'PUT', body: new Uint8Array(zip) });
    const firmwareId = (await offered()).available!.id;
    const job = await upgrade([{ deviceId: ids['door-station']!, firmwareId }]);
    expect(job.items.map((item) => item.state)).toEqual(['done']);
    expect((await state<{ firmware: string }>('door-station')).firmware).toContain('V9.9.4');
    const document = await stack.api<{ paths: Record<string, object> }>('GET', '/openapi.json');
    const ofJobs = Object.entries(document.paths).filter(([path]) => path.includes('/sites/{siteId}/jobs'));
    expect(
      ofJobs.flatMap(([path, methods]) => Object.keys(methods).map((m) => `${m} ${path.split('/jobs')[1]}`)),
    ).toEqual(['get ', 'post ', 'get /{jobId}', 'get /{jobId}/stream']);
    const got = await stack.download(`/firmware/${firmwareId}/package`);
    expect(Buffer.compare(got, zip)).toBe(0);
  }, 90_000);

  it('a panel is not upgraded without its password (UPG-05)', async () => {
    const { serial, password } = lab['ax-pro']!;
    const panel = { method: 'serial', name: 'ax-pro', serial, username: 'admin', password };
    const { items: added } = await stack.api<{ items: AddingResult[] }>('POST', `/sites/${stack.siteId}/additions`, {
      devices: [panel],
    });
    expect(added).toMatchObject([{ result: 'added' }]);
    ids['ax-pro'] = (await devices()).find((device) => device.name === 'ax-pro')!.id;
    const fileName = 'AXPRO_V9.9.6_260106.zip';
    const { firmwareId } = await bring('ax-pro', fileName, 'GATEPOST-LAB-FIRMWARE * V9.9.6 260106 ');
    const items = [{ deviceId: ids['ax-pro']!, firmwareId }];
    const started = await stack.api<UpgradesStarted>('POST', `/sites/${stack.siteId}/upgrades`, { items });
    expect([started.jobs, started.refused[0]?.code]).toEqual([[], 'invalid-request']);
    expect(started.refused[0]?.detail).toContain('password');
  });

  it('a box that is killed in between says afterwards what became of the device (UPG-06)', async () => {
    await stack.labApi('POST', '/devices/nvr/do/upgradeSeconds', { seconds: 6 });
    const { firmwareId } = await bring('nvr', 'NVR_V9.9.3_Build_260104.zip', 'GATEPOST-LAB-FIRMWARE * V9.9.3 260104 ');
    const items = [{ deviceId: ids.nvr!, firmwareId }];
    const started = await stack.api<UpgradesStarted>('POST', `/sites/${stack.siteId}/upgrades`, { items });
    const read = () => stack.api<SiteJob>('GET', `/sites/${stack.siteId}/jobs/${started.jobs[0]!.jobId}`);
    await until('the device installing', 20_000, async () => (await state<{ upgrading: boolean }>('nvr')).upgrading);
    await stack.kill('box');
    await stack.startBox();
    await stack.boxOnline();
    const job = await until('the end of the upgrade', 60_000, async () => {
      const now = await read().catch(() => null);
      return now?.state === 'done' && now;
    });
    expect(job.items.map((item) => item.state)).toEqual(['done']);
    expect((await state<{ firmware: string; uploads: number }>('nvr')).firmware).toContain('V9.9.3');
  }, 120_000);

  it('a device that loses power in between comes back as it was, and that is said (UPG-06, UPG-07)', async () => {
    await stack.labApi('POST', '/devices/camera/do/upgradeSeconds', { seconds: 8 });
    const { firmwareId } = await bring('camera', 'IPC_V9.9.5_260105.zip', 'GATEPOST-LAB-FIRMWARE * V9.9.5 260105 ');
    const ending = upgrade([{ deviceId: ids.camera!, firmwareId }]);
    await until('the device installing', 20_000, async () => (await state<{ upgrading: boolean }>('camera')).upgrading);
    await stack.labApi('POST', '/devices/camera/do/powerCut', { seconds: 4 });
    const job = await ending;
    const failed = job.items[0]!.steps.find((step) => step.state === 'failed');
    expect([failed?.step, failed?.code]).toEqual(['verify', 'not-kept']);
    expect(failed?.text).toContain('V9.9.0');
  }, 120_000);
});
