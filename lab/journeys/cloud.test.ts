import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clip, Device, Page } from '../../protocol/wire/api.ts';
import type { CloudChannel, CloudService, CloudServices, CloudSetupStarted } from '../../protocol/wire/cloud.ts';
import type { SiteJob } from '../../protocol/wire/initialise.ts';
import { Demo, until } from './demo.ts';

/* J2: channels of devices without a cloud of their own get cloud storage through the box. */

let demo: Demo;
let serial: string;
let camera: Device;
let other: Device;
const week = { retentionDays: 7, term: 'month' };
interface LabDevice {
  name: string;
  address: string;
  httpPort: number;
  username: string;
  password: string;
}
let solar: LabDevice;

const post = <T>(path: string, body: unknown, method = 'POST') =>
  demo.api<T>(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
async function signedIn(login: { email: string; password: string }) {
  const send = (path: string, body: unknown, token?: string) =>
    fetch(`${demo.ready.portal}/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
  const { token } = (await (await send('/auth/login', login)).json()) as { token: string };
  return (path: string, body: unknown) => send(path, body, token);
}
const begin = (devices: unknown[]) =>
  post<CloudSetupStarted>(`/sites/${demo.site.id}/cloud/setups`, { boxSerial: serial, devices });
const ended = (jobId: string | null) =>
  until('the end of the job', 60_000, async () => {
    const job = await demo.api<SiteJob>(`/sites/${demo.site.id}/jobs/${jobId}`);
    return job.state === 'done' && job;
  });
const services = () => demo.api<CloudServices>('/cloud/services');

beforeAll(async () => {
  demo = await new Demo({ GATEPOST_LAB_DEVICES: 'solar' }).start();
  serial = (await demo.box()).serial;
  const devices = await demo.devices();
  [camera, other] = ['camera-1', 'camera-2'].map((name) => devices.find((one) => one.name === name)!) as [
    Device,
    Device,
  ];
  solar = await demo.lab<LabDevice>('GET', '/devices/solar');
  const { operator } = JSON.parse(readFileSync(join(demo.dir, 'var/demo.json'), 'utf8'));
  const asked = { content: 'cloud-storage', quantity: 2, package: week };
  const issued = await (await signedIn(operator))('/operator/service-keys', asked);
  const { keys } = (await issued.json()) as { keys: { key: string }[] };
  await post('/company/service-keys/redeem', { keys: keys[0]?.key });
});
afterAll(() => demo.remove());

describe('cloud storage through the box (J2)', () => {
  let service: CloudService;
  let solarJob: CloudSetupStarted;

  it('is set up in five steps in the background; a wrong password is refused for its device alone (BOX-05, BOX-06, BOX-08)', async () => {
    const { address: host, httpPort, username } = solar;
    const login = { name: 'Solar', host, httpPort, username };
    const channels = [{ channel: 1, package: week, definition: '1280x720' }];
    const { jobId, refused } = await begin([
      { device: { deviceId: camera.id }, channels },
      { device: { ...login, password: 'Wrong-1234' }, channels: [{ channel: 1, package: week }] },
    ]);
    expect(refused).toMatchObject([{ index: 1, name: 'Solar', code: 'device-refused-login' }]);
    // The same with the right one, meanwhile.
    const { password } = solar;
    const right = { device: { ...login, password }, channels: [{ channel: 1, package: week }] };
    solarJob = await begin([right]);
    const job = await ended(jobId);
    const steps = job.items[0]?.steps.map((step) => [step.step, step.state]);
    expect(steps).toEqual(
      ['link', 'svc', 'capability', 'events', 'activate'].map((step) => [
        step,
        expect.stringMatching(/^done$|^skipped$/),
      ]),
    );
    expect(job.items[0]?.steps[2]?.text).toMatch(/1280 × 720, a key frame every (?:[01]\.\d|2\.[01]) s/);
    const { stock, items } = await services();
    expect(stock).toMatchObject([{ ...week, purchased: 2, remaining: 0 }]);
    service = items.find((one) => one.deviceId === camera.id) as CloudService;
    expect(service).toMatchObject({ deviceId: camera.id, channel: 1, state: expect.stringMatching(/active|expiring/) });
    const days = (Date.parse(service.until) - Date.parse(service.activatedAt)) / 86_400_000;
    expect(days).toBeGreaterThanOrEqual(28);
    expect(days).toBeLessThanOrEqual(31);
    // Who began it is told.
    const told = await demo.api<Page<{ code: string }>>('/notifications');
    expect(told.items.map((one) => one.code)).toContain('cloud-setup-done');
  });

  it('of a solar camera records motion only (CLOUD-07)', async () => {
    expect(solarJob.refused).toEqual([]);
    const job = await ended(solarJob.jobId);
    expect(job.items[0]).toMatchObject({ state: 'done' });
    const { items } = await demo.api<{ items: CloudChannel[] }>(`/sites/${demo.site.id}/cloud`);
    expect(items.find((one) => one.deviceName === 'Solar')).toMatchObject({ motionOnly: true, triggers: ['motion'] });
  });

  it('has its events set with area and sensitivity, written to the device and read back (CLOUD-06, CLOUD-08)', async () => {
    const settings = (section: string) => `/devices/${camera.id}/settings/${section}?channel=1`;
    const area = [
      [
        [0.1, 0.1],
        [0.6, 0.1],
        [0.6, 0.6],
        [0.1, 0.6],
      ],
    ];
    const set = { enabled: true, area, sensitivity: 60 };
    const written = await post<{ notKept: unknown[] }>(settings('intrusion'), { set }, 'PUT');
    expect(written.notKept).toEqual([]);
    const { fields } = await demo.api<{ fields: { name: string; value: unknown }[] }>(settings('intrusion'));
    expect(Object.fromEntries(fields.map((field) => [field.name, field.value]))).toMatchObject(set);
  });

  it('has a clip of motion in the cloud, encrypted with the site’s key and kept to the day (CLOUD-10, CLOUD-02)', async () => {
    const { id } = await demo.emit('camera-1');
    const event = await demo.arrived(id, 5_000);
    const clip = await until('the first parts in the cloud', 20_000, async () => {
      const { clip } = await demo.event(event.id);
      return clip && clip.storedFragments >= 1 && clip;
    });
    expect(clip).toMatchObject({ channel: 1, width: 1280, keyId: expect.any(String), kind: 'event' });
    const { expiresAt } = await demo.api<Clip>(`/clips/${clip.id}`);
    const kept = (Date.parse(expiresAt as string) - Date.now()) / 86_400_000;
    expect(kept).toBeGreaterThan(6);
    expect(kept).toBeLessThanOrEqual(7);
  });

  it('makes no clip once the device notifies no centre, and the list says so; with it again it does (CLOUD-09)', async () => {
    const notify = (on: boolean) =>
      post(`/devices/${camera.id}/settings/motion?channel=1`, { set: { notify: on } }, 'PUT');
    const silent = async () => {
      const { items } = await demo.api<{ items: CloudChannel[] }>(`/sites/${demo.site.id}/cloud`);
      return items.find((one) => one.deviceId === camera.id)?.silent;
    };
    expect(await silent()).toEqual([]);
    await notify(false);
    expect(await silent()).toEqual([{ trigger: 'motion', why: 'notify' }]);
    const unheard = await demo.emit('camera-1');
    // Events come in order: with this one there, that one would be.
    const tamper = await demo.emit('camera-1', 'tamper');
    await demo.arrived(tamper.id, 10_000);
    expect((await demo.events(200)).some((one) => one.sourceRef === unheard.id)).toBe(false);
    await notify(true);
    expect(await silent()).toEqual([]);
    await demo.arrived((await demo.emit('camera-1')).id, 10_000);
  });

  it('hands the time that is left to another channel; the old one makes no clip any more (CLOUD-24)', async () => {
    const to = { deviceId: other.id, channel: 1 };
    const next = await post<CloudService>(`/cloud/services/${service.id}/transfer`, to);
    expect(next).toMatchObject({ ...to, until: service.until });
    const { items } = await demo.api<{ items: CloudChannel[] }>(`/sites/${demo.site.id}/cloud`);
    expect(items.map((one) => [one.deviceName, one.recording])).toEqual(
      expect.arrayContaining([
        ['camera-1', false],
        ['camera-2', true],
      ]),
    );
  });
});
