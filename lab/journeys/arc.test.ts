import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AddingResult } from '../../protocol/wire/adding.ts';
import type { Alarm, Page } from '../../protocol/wire/api.ts';
import type { ArcDevice, ArcRequest, ArcService, ArcServiceDone, SiteArc } from '../../protocol/wire/arc-service.ts';
import type { Notice } from '../../protocol/wire/notify.ts';
import { type Received, until } from './demo.ts';
import { LanStack } from './lan.ts';

/* An alarm receiving centre joins, devices are entrusted to it, and alarms come: direct, through the relay, and back (J3). */

const BASE = '127.93.0.';
const ARCO = { email: 'rita@centre.example', password: 'the night is quiet' };
const ACCOUNT = '1234';

let stack: LanStack;
let post: { child: ChildProcess; mailbox: string };
let arco: string;
let key = { id: '', secret: '' };
let arcId = '';
let axp = '';
let camera = '';
let ports: number[];

const freePorts = (count: number) =>
  Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<number>((resolve) => {
          const server = createServer();
          server.listen(0, '127.0.0.1', () => {
            const { port } = server.address() as { port: number };
            server.close(() => resolve(port));
          });
        }),
    ),
  );

async function startPost(): Promise<{ child: ChildProcess; mailbox: string; smtp: string }> {
  const child = spawn(process.execPath, ['lab/post.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const text of child.stdout!.setEncoding('utf8')) {
    said += text;
    const ready = /^ready (.*)\n/m.exec(said);
    if (ready) return { child, ...JSON.parse(ready[1]!) };
  }
  throw new Error('lab/post.ts does not start');
}

/** The newest e-mail to the centre. */
async function mail(about: RegExp): Promise<{ text: string; links: string[] }> {
  return until(`an e-mail about ${about}`, 15_000, async () => {
    const to = encodeURIComponent(ARCO.email);
    const { items } = (await (await fetch(`${post.mailbox}/messages?to=${to}`)).json()) as {
      items: { subject?: string; text: string; links: string[] }[];
    };
    return items.findLast((item) => about.test(`${item.subject ?? ''} ${item.text}`));
  });
}

/** As the centre. */
const centre = <T>(method: string, path: string, body?: unknown) => stack.api<T>(method, path, body, arco);
const inst = <T>(method: string, path: string, body?: unknown) => stack.api<T>(method, path, body);
const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: Error) => error.message,
  );
const site = () => `/sites/${stack.siteId}`;
const enable = (deviceId: string, account: string, events: string[]) =>
  inst<SiteArc>('PUT', `${site()}/arc-service/devices/${deviceId}`, { account, events });
const service = async (deviceId: string): Promise<ArcService> => {
  const { devices } = await inst<SiteArc>('GET', `${site()}/arc-service`);
  return devices.find((device: ArcDevice) => device.deviceId === deviceId)!.service!;
};
const act = (word: string, services: string[], more: object = {}) =>
  centre<{ items: ArcServiceDone[] }>('POST', `/arc/services/${word}`, { services, ...more }).then((r) => r.items);
const received = () => stack.labApi<{ items: Received[] }>('GET', '/arc/alarms').then((r) => r.items);
const alarms = (account = ACCOUNT) => received().then((all) => all.filter((alarm) => alarm.account === account));
const listed = () => inst<Page<Alarm>>('GET', `${site()}/alarms?limit=100`).then((r) => r.items);
const fault = (target: string, mode: string) => stack.labApi('POST', '/faults', { target, mode });
/** Everything closed, so that it arms. */
async function arm(how: 'away' | 'disarm'): Promise<void> {
  for (const zone of [0, 1, 4]) await stack.labApi('POST', '/devices/ax-pro/do/zone', { zone, active: false });
  const { items } = await inst<{ items: { done: boolean }[] }>('POST', `${site()}/arming`, {
    devices: [axp],
    arm: how,
    area: 1,
  });
  expect(items).toMatchObject([{ done: true }]);
}

/** A zone of the armed panel goes off; what the receiver got for it. */
async function zoneAlarm(ms: number, account = ACCOUNT, panelZone = 3): Promise<Received> {
  const before = (await alarms(account)).length;
  await trigger(panelZone);
  return until('the alarm at the receiver', ms, async () =>
    (await alarms(account)).slice(before).find((a) => a.code.startsWith('BA')),
  );
}
/** Panels write times by the second: what they say of one zone twice within one is a copy to the box. */
async function trigger(panelZone: number): Promise<void> {
  await sleep(1_100);
  await stack.labApi('POST', '/devices/ax-pro/do/zone', { zone: panelZone, active: false });
  const { alarm } = await stack.labApi<{ alarm: boolean }>('POST', '/devices/ax-pro/do/zone', { zone: panelZone });
  expect(alarm).toBe(true);
}

beforeAll(async () => {
  ports = await freePorts(3);
  const started = await startPost();
  post = started;
  // The direct path is trusted again after 2 s instead of a minute: the rule is the same, the test is shorter.
  process.env.GATEPOST_HOLD_DOWN = '2000';
  process.env.GATEPOST_DC09_PORT = '0';
  const [direct, relay, receiver] = ports;
  stack = await new LanStack('ax-pro,camera', BASE, {
    lab: [
      '--accounts',
      '1234,1235,00A1',
      '--arc-direct-port',
      `${direct}`,
      '--arc-relay-port',
      `${relay}`,
      '--receiver-port',
      `${receiver}`,
    ],
    relay: ['--allow-internal', '127.0.0.0/8', '--smtp-url', started.smtp, '--mail-from', 'Gatepost <a@b.example>'],
    uplink: true,
  }).start();
  const lan = await stack.labDevices();
  await stack.discovered(lan.map((device) => device.mac));
  for (const { name, serial, password } of lan) {
    const { items } = await inst<{ items: AddingResult[] }>('POST', `${site()}/additions`, {
      devices: [{ method: 'serial', name, serial, username: 'admin', password }],
    });
    expect(items).toMatchObject([{ result: 'added' }]);
    if (name === 'ax-pro') axp = items[0]!.device!.id;
    else camera = items[0]!.device!.id;
  }
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  post?.child.kill('SIGTERM');
}, 30_000);

describe('the ARC joins (J3, 1–3)', () => {
  it('by type, application and approval; ID and key come by e-mail (ARC-07, ARC-08, ARC-09, ARC-10)', async () => {
    expect(await inst('GET', '/arc-joining')).toMatchObject({ offered: false });
    const about = { kind: 'company', type: 'arc', companyName: 'ARCO', country: 'DE', name: 'Rita' };
    await inst('POST', '/auth/register', { ...about, email: ARCO.email, locale: 'en' });
    const token = /[=#/]([\w-]{40,})$/.exec((await mail(/./)).links[0]!)![1];
    await inst('POST', '/auth/register/link', { token, password: ARCO.password });
    arco = (await inst<{ token: string }>('POST', '/auth/login', ARCO)).token;
    const { agreement } = await centre<{ agreement: string }>('GET', '/arc-joining');
    const information = {
      contactName: 'Rita',
      email: 'service@centre.example',
      phone: '+49 40 123456',
      address: 'Hafenstr. 1',
      website: '',
      certificates: 'EN 50518',
      about: '',
      countries: ['DE'],
    };
    const operator = await stack.operator();
    const { asked } = await centre<{ asked: { field: string }[] }>('GET', '/company/authentication');
    const fields = Object.fromEntries(asked.map(({ field }) => [field, '12345']));
    await centre('POST', '/company/authentication', { fields });
    expect(await centre('POST', '/arc-joining', { information, agreement })).toMatchObject({ state: 'submitted' });
    const { companyId } = (await stack.api<Page<{ companyId: string }>>('GET', '/operator/arcs', undefined, operator))
      .items[0]!;
    arcId = companyId;
    const decide = (path: string) =>
      stack.api('PUT', `/operator/${path}/${companyId}/decision`, { approved: true }, operator);
    await decide('companies');
    await decide('arcs');
    const { text } = await mail(/ARC Key/i);
    key = { id: /ARC ID: (\S+)/.exec(text)![1]!, secret: /ARC key: (\S+)/.exec(text)![1]! };
    const { items } = await inst<{ items: unknown[] }>('GET', '/arcs');
    expect(items).toEqual([]);
    expect(await centre('POST', '/arc-joining/completed')).toMatchObject({ state: 'listed' });
    const arcs = await inst<{ items: { name: string }[] }>('GET', `/arcs?siteId=${stack.siteId}`);
    expect(arcs.items).toMatchObject([{ name: 'ARCO', information: { contactName: 'Rita' } }]);
    await centre('POST', '/arc-receivers', {
      name: 'RX',
      direct: { host: `${BASE}21`, port: ports[0] },
      relay: { host: `${BASE}22`, port: ports[1] },
      supervision: { kind: 'off', intervalMs: 86_400_000 },
    });
  });
});

describe('devices are entrusted to it (J3, 4–6)', () => {
  it('a personal site is authorised, then its devices are listed; not a team site (ARC-04, ARC-13)', async () => {
    const team = await inst<{ id: string }>('POST', '/sites', { name: 'Team', timeZone: 'UTC', type: 'team' });
    expect(await refused(inst('PUT', `/sites/${team.id}/arc-service`, { arcId }))).toContain('personal sites');
    const { devices } = await inst<SiteArc>('PUT', `${site()}/arc-service`, { arcId });
    expect(devices.map((device) => [device.name, device.obstacle])).toEqual(
      expect.arrayContaining([
        ['ax-pro', null],
        ['camera', null],
      ]),
    );
  });

  it('nothing reaches the centre while it has not accepted; it rejects, then accepts (ARC-15, ARC-16, ARC-17)', async () => {
    await enable(axp, ACCOUNT, ['zoneAlarm', 'panic', 'fire']);
    expect((await service(axp)).state).toBe('waiting');
    await arm('away');
    await trigger(4);
    await sleep(1_500);
    expect(await received()).toEqual([]);
    const told = async (as: typeof inst, code: string) =>
      (await as<Page<Notice>>('GET', '/notifications?category=arc')).items.some((notice) => notice.code === code);
    expect(await told(centre, 'arc-service-requested')).toBe(true);
    expect(await act('reject', [(await service(axp)).id], { note: 'Call us first' })).toMatchObject([{ done: true }]);
    expect(await service(axp)).toMatchObject({ state: 'rejected', note: 'Call us first' });
    expect(await told(inst, 'arc-service-rejected')).toBe(true);
    await enable(axp, ACCOUNT, ['zoneAlarm', 'panic', 'fire']);
    expect(await act('accept', [(await service(axp)).id])).toMatchObject([{ done: true }]);
    expect((await service(axp)).state).toBe('active');
    await until('the account on the box', 15_000, async () => (await service(axp)).path);
  }, 30_000);
});

describe('alarms come (J3, 7–12)', () => {
  it('directly, with account and zone (ARC-16, ARC-24)', async () => {
    const alarm = await zoneAlarm(10_000, ACCOUNT, 1);
    expect(alarm).toMatchObject({ account: ACCOUNT, via: 'direct' });
    const seen = await until('the alarm in the portal', 5_000, async () =>
      (await listed()).find((one) => one.state === 'acknowledged' && one.kind === 'alarm' && one.code === 'BA'),
    );
    expect(seen.path).toBe('direct');
    await until('the delay on the leg', 5_000, async () => {
      const { items } = await inst<{ items: { directMs: number | null }[] }>('GET', `${site()}/arc-paths`);
      return items[0]?.directMs !== null;
    });
  }, 20_000);

  it('by another connection only after the panel was disarmed (ARC-23)', async () => {
    const { id } = await service(axp);
    const to = (mode: string) => centre<ArcService>('PUT', `/arc/services/${id}/connection`, { mode });
    expect(await refused(to('relay'))).toContain('is armed');
    await arm('disarm');
    expect((await to('relay')).mode).toBe('relay');
    expect((await to('direct-or-relay')).mode).toBe('direct-or-relay');
    await arm('away');
  }, 30_000);

  it('through the relay when the direct path refuses, and directly again by itself (ARC-24)', async () => {
    await until('direct again', 30_000, async () => (await service(axp)).path?.path === 'direct');
    await fault('arc-direct', 'refuse');
    expect(await zoneAlarm(30_000, ACCOUNT, 1)).toMatchObject({ via: 'relay' });
    await until('the portal to say relay', 10_000, async () => (await service(axp)).path?.path === 'relay');
    await fault('arc-direct', 'none');
    await until('direct again', 90_000, async () => (await service(axp)).path?.path === 'direct');
    expect(await zoneAlarm(10_000, ACCOUNT, 1)).toMatchObject({ via: 'direct' });
  }, 150_000);

  it('always through the relay when the centre chooses that (ARC-25)', async () => {
    const { id } = await service(axp);
    await arm('disarm');
    await centre('PUT', `/arc/services/${id}/connection`, { mode: 'relay' });
    await arm('away');
    await until('the relay in use', 20_000, async () => (await service(axp)).mode === 'relay');
    await sleep(1_000);
    expect(await zoneAlarm(10_000, ACCOUNT, 1)).toMatchObject({ via: 'relay' });
    await arm('disarm');
    await centre('PUT', `/arc/services/${id}/connection`, { mode: 'direct-or-relay' });
    await arm('away');
  }, 60_000);

  it('in order after both ways were cut, none lost and none twice (ARC-24)', async () => {
    const before = (await alarms()).length;
    await fault('arc-direct', 'refuse');
    await stack.uplink(false);
    for (const zone of [1, 0, 1]) {
      await trigger(zone);
    }
    expect((await alarms()).length).toBe(before);
    await fault('arc-direct', 'none');
    await stack.uplink(true);
    const began = (list: Received[]) => list.slice(before).filter((alarm) => alarm.code.startsWith('BA'));
    await until('the three alarms', 60_000, async () => began(await alarms()).length >= 3);
    await sleep(1_000);
    expect(began(await alarms()).map((alarm) => Number(alarm.zone))).toEqual([2, 1, 2]);
    await stack.boxOnline();
  }, 120_000);
});

describe('the centre manages them (J3, 13–17)', () => {
  it('its test mode and its test go out once each, and are acknowledged (ARC-32)', async () => {
    const { items } = await centre<{ items: { id: string; account: string }[] }>('GET', '/arc-desk/accounts');
    const path = `/arc-desk/accounts/${items.find((one) => one.account === ACCOUNT)!.id}`;
    const codes = async () => (await alarms()).map((a) => a.code).filter((code) => /^(TS|TE|RX)/.test(code));
    const came = (what: string) => until(what, 15_000, async () => (await codes()).at(-1)?.startsWith(what));
    await centre('POST', `${path}/test-mode`, { minutes: 10 });
    await came('TS');
    await centre('POST', `${path}/test`);
    await came('RX');
    await centre('DELETE', `${path}/test-mode`);
    await came('TE');
    expect((await codes()).map((code) => code.slice(0, 2))).toEqual(['TS', 'RX', 'TE']);
  });

  it('suspends and resumes (ARC-19)', async () => {
    const { id } = await service(axp);
    await act('suspend', [id], { note: 'Works on site' });
    expect(await service(axp)).toMatchObject({ state: 'suspended', note: 'Works on site' });
    const before = (await alarms()).length;
    await sleep(1_000);
    await trigger(1);
    await sleep(1_500);
    expect((await alarms()).length).toBe(before);
    await act('resume', [id]);
    await until('the account on the box', 20_000, async () => (await service(axp)).path);
    await zoneAlarm(10_000, ACCOUNT, 1);
  }, 45_000);

  it('asks for other event types of the camera; the panel offers none (ARC-20)', async () => {
    await enable(camera, '1235', ['motion']);
    const id = (await service(camera)).id;
    await act('accept', [id]);
    expect(await act('events', [id, (await service(axp)).id], { events: ['motion', 'lineCrossing'] })).toMatchObject([
      { done: true },
      { done: false },
    ]);
    const pending = () =>
      inst<Page<ArcRequest>>('GET', '/arc-requests?pending=true').then((requests) => requests.items[0]!);
    await inst('POST', `/arc-requests/${(await pending()).id}/decide`, { approve: false });
    expect((await service(camera)).events).toEqual(['motion']);
    await act('events', [id], { events: ['motion', 'lineCrossing'] });
    await inst('POST', `/arc-requests/${(await pending()).id}/decide`, { approve: true });
    expect((await service(camera)).events).toEqual(['motion', 'lineCrossing']);
  });

  it('changes the account number, at once (ARC-21)', async () => {
    const { id } = await service(axp);
    expect(await centre('PUT', `/arc/services/${id}/account`, { account: '00A1' })).toMatchObject({ account: '00A1' });
    await until('the account on the box', 20_000, async () => (await service(axp)).path);
    expect(await zoneAlarm(10_000, '00A1', 1)).toMatchObject({ account: '00A1' });
  }, 40_000);

  it('reaches its devices by the API with ARC ID and key, and only those (ARC-18, API-02)', async () => {
    const { accessToken } = await inst<{ accessToken: string }>('POST', '/token', {
      apiKey: key.id,
      apiSecret: key.secret,
    });
    const program = <T>(path: string) => stack.api<T>('GET', path, undefined, accessToken);
    const { items } = await program<Page<ArcService>>('/arc/services');
    expect(items.map((item) => item.device.name).sort()).toEqual(['ax-pro', 'camera']);
    await act('suspend', [(await service(camera)).id]);
    const devices = await program<{ items: { id: string }[] }>(`${site()}/devices`);
    expect(devices.items.map((device) => device.id)).toEqual([axp]);
  });

  it('hears nothing after the site was withdrawn, which stands in the log (ARC-14)', async () => {
    await inst('DELETE', `${site()}/arc-service`).catch((error: Error) => {
      // An empty answer is none that this client reads.
      if (!/JSON/.test(error.message)) throw error;
    });
    expect(await inst<SiteArc>('GET', `${site()}/arc-service`)).toMatchObject({ authorization: null });
    await sleep(1_000);
    const before = (await received()).length;
    await trigger(1);
    await sleep(1_500);
    expect((await received()).length).toBe(before);
    const log = await inst<Page<{ action: string }>>('GET', '/log?limit=20');
    expect(log.items.map((entry) => entry.action)).toContain('withdrawSiteFromArc');
    expect((await centre<Page<ArcService>>('GET', '/arc/services')).items).toEqual([]);
  }, 20_000);
});
