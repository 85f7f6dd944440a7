import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { OpenAPIHono } from '@hono/zod-openapi';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ACTIONS, type ActionName, DeviceAction, LISTS } from '../../protocol/wire/operations.ts';
import { type ProblemCode, problem } from '../../protocol/wire/problem.ts';
import type { DevicePermission, RolePermission } from '../../protocol/wire/rights.ts';
import type { ApiEnv, AuditNote } from '../api/app.ts';
import { ProblemError, problemResponse } from '../api/problem.ts';
import { createScope } from '../auth/scope.ts';
import { type Db, openDatabase } from '../db/database.ts';
import { BoxClient, type BoxTunnel } from '../devices/box-client.ts';
import { deviceRow } from '../testing/device-row.ts';
import { registerOperationRoutes } from './routes.ts';

const clock = new ManualClock();
const dir = mkdtempSync(join(tmpdir(), 'gatepost-operations-'));
const [company, site, camera, elsewhere, user] = Array.from({ length: 5 }, () => uuidv7()) as [
  string,
  string,
  string,
  string,
  string,
];
const SERIAL = 'T123T45R6';
let db: Db;
let app: OpenAPIHono<ApiEnv>;
let audit: AuditNote | undefined;
let roles: RolePermission[];

/** A box that answers what its script says, and notes what it was asked. */
class Tunnel implements BoxTunnel {
  script: Record<string, unknown> = {};
  asked: { serial: string; method: string; path: string; body: unknown }[] = [];
  isConnected = () => true;
  async request(serial: string, { method, path, body }: Parameters<BoxTunnel['request']>[1]) {
    this.asked.push({ serial, method, path, body: body ? JSON.parse(String(body)) : null });
    const answer = this.script[`${method} ${path.split('/').slice(4).join('/')}`] ?? ('not-found' as ProblemCode);
    const said = typeof answer === 'string' ? problem(answer as ProblemCode, `It said ${answer}.`) : answer;
    const bad = typeof answer === 'string';
    return {
      status: bad ? problem(answer as ProblemCode).status : 200,
      headers: { 'content-type': bad ? 'application/problem+json' : 'application/json' },
      body: Readable.from([Buffer.from(JSON.stringify(said))]),
    };
  }
}
let tunnel: Tunnel;

/** One valid body of each action. */
const VALUES: Record<string, unknown> = {
  pan: 0.5,
  tilt: 0,
  zoom: 0,
  speed: 1,
  preset: '1',
  name: 'Gate',
  patrol: 1,
  pattern: 1,
  output: '1',
  active: true,
  door: 1,
  area: 1,
  zone: 1,
  file: '1',
  mode: 'basic',
  disk: '1',
  confirm: 'hdd1',
  timeZone: 'UTC',
  address: '10.0.0.7',
  port: 1,
  protocol: 'ISAPI',
  username: 'root',
  password: 'Hidden-77',
  order: [2, 1],
  channel: 1,
};
const bodyOf = (name: ActionName) => {
  const shape = DeviceAction.options.find((option) => option.shape.action.value === name)!.shape;
  const fields = Object.keys(shape).filter((key) => key in VALUES);
  return { action: name, ...Object.fromEntries(fields.map((key) => [key, VALUES[key]])) };
};
const call = async (method: string, path: string, body?: unknown, device = camera) => {
  const answer = await app.request(`/devices/${device}/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, body: await answer.json() };
};
const holding = (...permissions: DevicePermission[]) =>
  db
    .insertInto('grants')
    .values(
      permissions.map((permission) => ({
        id: uuidv7(),
        companyId: company,
        siteId: site,
        deviceId: camera,
        permission,
        source: 'application',
      })),
    )
    .execute();

beforeAll(async () => {
  db = await openDatabase({ path: join(dir, 'relay.db') });
  const createdAt = iso(clock.now());
  await db.insertInto('companies').values({ id: company, name: 'Acme', createdAt }).execute();
  const person = { id: user, companyId: company, email: 'a@b.example', name: 'A', passwordHash: '', createdAt };
  await db.insertInto('users').values(person).execute();
  const place = { id: site, companyId: company, name: 'S', sortName: 's', timeZone: 'UTC', createdAt };
  await db.insertInto('sites').values(place).execute();
  const box = { serial: SERIAL, publicKey: '', sealKey: '', codeHash: '', state: 'claimed' as const, siteId: site };
  await db
    .insertInto('boxes')
    .values({ ...box, version: null, enrolledMs: 0, companyId: company, boot: null, epoch: null, seenMs: null })
    .execute();
  for (const [id, boxSerial] of [
    [camera, SERIAL],
    [elsewhere, null],
  ] as const)
    await db
      .insertInto('devices')
      .values(deviceRow({ id, siteId: site, boxSerial, name: 'Camera 1' }))
      .execute();
  app = new OpenAPIHono<ApiEnv>();
  app.use('*', async (c, next) => {
    const who = { userId: user, companyId: company, companyType: 'installer', admin: false, limited: false } as const;
    c.set('scope', createScope(db, clock, { ...who, permissions: new Set(roles) }));
    await next();
    audit = c.get('audit');
  });
  app.onError((error) => {
    if (error instanceof ProblemError) return problemResponse(error.code, error.detail, error);
    throw error;
  });
  registerOperationRoutes(app, {
    box: new BoxClient({ tunnel: { isConnected: () => true, request: (...a) => tunnel.request(...a) } }),
    sectionSeen: async () => {},
  });
});
beforeEach(async () => {
  await db.deleteFrom('grants').execute();
  tunnel = new Tunnel();
  tunnel.script['POST actions'] = { pending: false, text: null };
  audit = undefined;
  roles = ['manage-all-sites', 'configure-devices', 'live-view'];
});
afterAll(async () => {
  await db.destroy();
  rmSync(dir, { recursive: true });
});

const WATCHING = ['ptzMove', 'ptzStop', 'ptzHome', 'focus', 'presetCall', 'patrolStart', 'patrolStop'];
describe('who may', () => {
  it.each(
    ACTIONS.map((name) => [name, WATCHING.includes(name) ? 'live' : 'configure'] as const),
  )('%s: who holds “%s” on the device, and nobody else (HAND-06, RCFG-06)', async (name, needed) => {
    await holding(needed === 'live' ? 'configure' : 'live', 'playback');
    expect(await call('POST', 'actions', bodyOf(name))).toMatchObject({ body: { code: 'permission-needed' } });
    expect(tunnel.asked).toEqual([]);
    await holding(needed);
    expect((await call('POST', 'actions', bodyOf(name))).status).toBe(200);
    const path = `/v1/devices/${camera}/actions`;
    expect(tunnel.asked).toEqual([{ serial: SERIAL, method: 'POST', path, body: bodyOf(name) }]);
    roles = ['manage-all-sites'];
    expect(await call('POST', 'actions', bodyOf(name))).toMatchObject({ body: { code: 'not-allowed' } });
    expect(tunnel.asked).toHaveLength(1);
  });

  it('lists presets and patrols: who watches, as they may start them; all else: who configures', async () => {
    await holding('live');
    for (const list of LISTS) tunnel.script[`GET lists/${list}?channel=1`] = { items: [] };
    const open: string[] = [];
    for (const list of LISTS) if ((await call('GET', `lists/${list}?channel=1`)).status === 200) open.push(list);
    expect(open).toEqual(['presets', 'patrols']);
    await holding('configure');
    for (const list of LISTS) expect((await call('GET', `lists/${list}?channel=1`)).status).toBe(200);
  });

  it('settings: who configures; what it can do: whoever sees it', async () => {
    await holding('live');
    const capabilities = { category: 'camera', sections: [], lists: [], actions: [], resources: [], unverified: [] };
    tunnel.script['GET capabilities'] = capabilities;
    tunnel.script['GET settings/video?channel=1'] = { fields: [] };
    expect(await call('GET', 'capabilities')).toEqual({ status: 200, body: capabilities });
    expect((await call('GET', 'settings/video?channel=1')).body.code).toBe('permission-needed');
    expect((await call('PUT', 'settings/video?channel=1', { set: {} })).body.code).toBe('permission-needed');
    await holding('configure');
    expect((await call('GET', 'settings/video?channel=1')).status).toBe(200);
  });

  it('is nobody where nothing is held, and no device that has no box is operated (DDNS-02)', async () => {
    expect((await call('GET', 'capabilities')).body.code).toBe('not-found');
    await db
      .insertInto('grants')
      .values({ id: uuidv7(), companyId: company, siteId: site, permission: 'all', source: 'application' })
      .execute();
    expect((await call('GET', 'capabilities', undefined, elsewhere)).body.code).toBe('conflict');
    expect(tunnel.asked).toEqual([]);
  });
});

describe('what is logged', () => {
  it.each(ACTIONS)('%s names the device and what was done, never a password', async (name) => {
    await holding('configure', 'live');
    await call('POST', 'actions', bodyOf(name));
    expect(audit).toMatchObject({ siteId: site, target: { kind: 'device', id: camera, name: 'Camera 1' } });
    expect(audit!.detail).toMatch(new RegExp(`^${name}(: |$)`));
    expect(audit!.detail).not.toContain('Hidden-77');
  });

  it('a change of settings names them, not what was typed', async () => {
    await holding('configure');
    await call('PUT', 'settings/ddns?channel=2', { set: { userName: 'me', password: 'Hidden-77' } });
    expect(audit!.detail).toBe('ddns of channel 2: userName, password');
  });
});

describe('what the box answers', () => {
  it('of a change is passed on with what the device did not keep', async () => {
    await holding('configure');
    const written = {
      fields: [{ name: 'codec', kind: 'choice', value: 'H.264', options: ['H.264', 'H.265'] }],
      notKept: [{ name: 'codec', wanted: 'H.265', is: 'H.264' }],
      rebootRequired: true,
    };
    tunnel.script['PUT settings/video?channel=1&stream=2'] = written;
    const set = { codec: 'H.265' };
    expect(await call('PUT', 'settings/video?channel=1&stream=2', { set })).toEqual({ status: 200, body: written });
    expect(tunnel.asked.at(-1)!.body).toEqual({ set });
  });

  it.each([
    'device-refused-login',
    'device-locked',
    'device-unreachable',
    'device-error',
  ] as const)('of a failure is its own code: %s', async (code) => {
    await holding('configure');
    tunnel.script['POST actions'] = code;
    expect((await call('POST', 'actions', { action: 'reboot' })).body).toMatchObject({
      code,
      detail: `It said ${code}.`,
    });
  });

  it('of another shape is not believed', async () => {
    await holding('configure');
    tunnel.script['GET settings/video'] = { fields: [{ name: 'codec', kind: 'magic' }] };
    expect((await call('GET', 'settings/video')).body.code).toBe('device-error');
  });
});
