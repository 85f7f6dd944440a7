import { beforeEach, describe, expect, it } from 'vitest';
import type { DeviceAction, SettingsWritten } from '../../protocol/wire/operations.ts';
import { PROBLEMS, type ProblemCode } from '../../protocol/wire/problem.ts';
import type { Driver } from '../drivers/driver.ts';
import type { DeviceManager } from './manager.ts';
import { deviceRoutes } from './routes.ts';

const WRITTEN: SettingsWritten = {
  fields: [{ name: 'codec', kind: 'choice', value: 'H.264', options: ['H.264'] }],
  notKept: [{ name: 'codec', wanted: 'H.265', is: 'H.264' }],
  rebootRequired: false,
};
const CAPABILITIES = { category: 'camera', sections: [], lists: [], actions: [], resources: [], unverified: [] };
let asked: unknown[];
let failing: ProblemCode | null;

const note =
  <T>(name: string, value: T) =>
  async (...args: unknown[]) => {
    asked.push([name, ...args.filter((arg) => !(arg instanceof AbortSignal))]);
    return { ok: true as const, value };
  };
const driver = {
  capabilities: note('capabilities', CAPABILITIES),
  snapshot: note('snapshot', Buffer.from('JPEG')),
  readSettings: note('readSettings', WRITTEN.fields),
  writeSettings: note('writeSettings', WRITTEN),
  readList: note('readList', [{ id: '1', name: 'Gate', values: {} }]),
  act: note('act', { pending: true, text: null }),
} as unknown as Driver;
const none = { ok: false as const, code: 'not-found' as const, detail: 'This box does not look after such a device.' };
const operate = (async (id: string, fn: (driver: Driver) => Promise<unknown>) => {
  if (id !== 'gate') return none;
  return failing ? { ok: false, code: failing, detail: `Gate: ${failing}.` } : fn(driver);
}) as unknown as DeviceManager['operate'];
const app = deviceRoutes({
  operate,
  act: (id: string, action: DeviceAction) => operate(id, (one) => one.act(action)),
  changePassword: async (id, oldPassword, newPassword) => {
    if (id !== 'gate') return none;
    asked.push(['changePassword', oldPassword, newPassword]);
    return { ok: true, value: { outcome: 'changed', text: null } };
  },
});
const call = async (method: string, path: string, body?: unknown) => {
  const answer = await app.request(`/${path}`, {
    method,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const json = answer.headers.get('content-type')?.includes('json');
  return { status: answer.status, body: json ? await answer.json() : await answer.text(), headers: answer.headers };
};

beforeEach(() => {
  asked = [];
  failing = null;
});

/** Every route with something valid, as the driver gets it, and its answer. */
const ROUTES = [
  ['GET', 'capabilities', undefined, ['capabilities'], CAPABILITIES],
  ['GET', 'snapshot?channel=2', undefined, ['snapshot', 2], 'JPEG'],
  [
    ...(['GET', 'settings/video?channel=1&stream=2', undefined] as const),
    ...([['readSettings', 'video', { channel: 1, stream: 2 }], { fields: WRITTEN.fields }] as const),
  ],
  [
    ...(['PUT', 'settings/video?channel=1', { set: { codec: 'H.265' } }] as const),
    ...([['writeSettings', 'video', { channel: 1 }, { codec: 'H.265' }], WRITTEN] as const),
  ],
  [
    ...(['GET', 'lists/presets?channel=1', undefined] as const),
    ...([['readList', 'presets', { channel: 1 }], { items: [{ id: '1', name: 'Gate', values: {} }] }] as const),
  ],
  [
    ...(['POST', 'actions', { action: 'reboot' }] as const),
    ...([['act', { action: 'reboot' }], { pending: true, text: null }] as const),
  ],
] as const;

describe.each(ROUTES)('%s %s', (method, path, body, expected, answer) => {
  it('reaches the driver, whose answer is told', async () => {
    expect(await call(method, `gate/${path}`, body)).toMatchObject({ status: 200, body: answer });
    expect(asked).toEqual([expected]);
  });
  it('of a device that the box does not look after is not found', async () => {
    expect(await call(method, `another/${path}`, body)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });
  it.each([
    'device-refused-login',
    'device-locked',
    'device-unreachable',
    'conflict',
  ] as const)('says what went wrong: %s', async (code) => {
    failing = code;
    const failed = await call(method, `gate/${path}`, body);
    expect(failed).toMatchObject({ status: PROBLEMS[code][0], body: { code, detail: `Gate: ${code}.` } });
    expect(failed.headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('what is not valid never reaches a driver', () => {
  it.each([
    ['GET', 'settings/elsewhere', undefined, 'not-found'],
    ['PUT', 'settings/elsewhere', { set: {} }, 'not-found'],
    ['GET', 'lists/elsewhere', undefined, 'not-found'],
    ['GET', 'snapshot?channel=0', undefined, 'invalid-request'],
    ['GET', 'settings/video?channel=x', undefined, 'invalid-request'],
    ['GET', 'lists/presets?stream=9', undefined, 'invalid-request'],
    ['PUT', 'settings/video', { set: { codec: { deep: 1 } } }, 'invalid-request'],
    ['PUT', 'settings/video?stream=0', { set: {} }, 'invalid-request'],
    ['PUT', 'settings/video', 'no json', 'invalid-request'],
    ['POST', 'actions', 'no json', 'invalid-request'],
    ['POST', 'actions', { action: 'explode' }, 'invalid-request'],
    ['POST', 'actions', { action: 'reboot', now: true }, 'invalid-request'],
    ['POST', 'actions', { action: 'ptzMove', channel: 1, pan: 2, tilt: 0, zoom: 0 }, 'invalid-request'],
    ['POST', 'password', { newPassword: '' }, 'invalid-request'],
  ] as const)('%s %s %j: %4$s', async (method, path, body, code) => {
    expect((await call(method, `gate/${path}`, body)).body).toMatchObject({ code });
    expect(asked).toEqual([]);
  });
});

it('a change of the password goes to who keeps it', async () => {
  const body = { oldPassword: null, newPassword: 'Another-22' };
  expect(await call('POST', 'gate/password', body)).toMatchObject({ status: 200, body: { outcome: 'changed' } });
  expect(asked).toEqual([['changePassword', null, 'Another-22']]);
  expect(await call('POST', 'another/password', body)).toMatchObject({ status: 404, body: { code: 'not-found' } });
});
