import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActivationResult } from '../../protocol/wire/activation.ts';
import type { AddingResult } from '../../protocol/wire/adding.ts';
import type { Device } from '../../protocol/wire/api.ts';
import type { LanQuestions, LanResult } from '../../protocol/wire/lan.ts';
import type { DevicePasswordChanged } from '../../protocol/wire/lan-site.ts';
import type { PasswordRequest } from '../../protocol/wire/password-request.ts';
import { Mailbox } from '../mail/mailbox.ts';
import { until } from './demo.ts';
import { LanStack } from './lan.ts';

/*
 * J14, forgotten passwords: what is prepared before a device is added, and whom to ask once its site is a customer's. A box,
 * a relay, a lab and a mail server over real sockets. In order: one story.
 */

const mailbox = new Mailbox();
let stack: LanStack;
let mac: string;
let id: string;
let mara: string;

beforeAll(async () => {
  const smtp = await mailbox.start(0);
  const post = ['--smtp-url', `smtp://127.0.0.1:${smtp}`, '--mail-from', 'Gatepost <post@example.org>'];
  stack = new LanStack('camera:unactivated', '127.93.0.', { relay: post });
  await stack.start();
  mac = (await stack.labDevices())[0]!.mac;
  await stack.discovered([mac]);
}, 90_000);
afterAll(async () => {
  await stack.stop();
  await mailbox.stop();
}, 30_000);

const site = () => `/sites/${stack.siteId}`;
const onLan = <T>(what: string, more: object = {}) =>
  stack.api<T>('POST', `${site()}/lan/${what}`, { boxSerial: stack.boxSerial, mac, ...more });
const lab = () => stack.labApi<{ failedLogins: number; passwordNow: string | null }>('GET', '/devices/camera');
const online = () =>
  until('the camera online', 40_000, async () => {
    const { items } = await stack.api<{ items: Device[] }>('GET', `${site()}/devices`);
    return items[0]?.health?.state === 'online';
  });
/** The box goes on with that password, and has not tried another one. */
const works = async (password: string) => {
  expect(await lab()).toMatchObject({ passwordNow: password, failedLogins: 0 });
  await online();
};
const answersOf = (...words: string[]) => words.map((answer, i) => ({ id: i + 1, answer }));
const ANSWERS = answersOf('Bello', 'Hamburg', 'Blue');
const told = async (code: string) =>
  until(`a notice ${code}`, 10_000, async () => {
    const { items } = await stack.api<{ items: { code: string; link: string }[] }>('GET', '/notifications');
    return items.find((notice) => notice.code === code);
  });

describe('before a device is added', () => {
  it('its reserved e-mail and three answers are kept by the device, once (PWD-08)', async () => {
    const password = { from: 'given', password: 'First-11' };
    const activation = { boxSerial: stack.boxSerial, macs: [mac], password };
    const { items } = await stack.api<{ items: ActivationResult[] }>('POST', `${site()}/activations`, activation);
    expect(items.map((item) => item.activated)).toEqual([true]);
    const none = await onLan<LanQuestions>('questions');
    expect([none.mail, none.questions.some((question) => question.set)]).toEqual([true, false]);
    const recovery = { email: 'owner@home.example', answers: ANSWERS };
    expect(await onLan<LanResult>('recovery', { recovery })).toMatchObject({ done: true });
    const { questions } = await onLan<LanQuestions>('questions');
    expect(questions.filter((question) => question.set).map((question) => question.id)).toEqual([1, 2, 3]);
  });

  it('and no more when it is (PWD-08)', async () => {
    const [seen] = await stack.discovered([mac]);
    const { serial, address: host, httpPort } = seen!;
    const at = { host, httpPort: httpPort ?? 80, username: 'admin', recordOn: [] };
    const device = { method: 'lan', boxSerial: stack.boxSerial, name: 'Gate', mac, serial, ...at };
    const { items } = await stack.api<{ items: AddingResult[] }>('POST', `${site()}/additions`, { devices: [device] });
    expect(items.map((item) => item.result)).toEqual(['added']);
    id = (await stack.api<{ items: Device[] }>('GET', `${site()}/devices`)).items[0]!.id;
    await online();
    const recovery = { email: 'thief@home.example', answers: null };
    await expect(onLan('recovery', { recovery })).rejects.toThrow('conflict');
  }, 60_000);

  it('wrong answers change nothing; the right ones set a new password, which the box goes on with (PWD-07)', async () => {
    const reset = (answers: object) => onLan<LanResult>('password-resets', { answers, newPassword: 'Second-22' });
    await expect(reset(answersOf('Bello', 'Bremen', 'Blue'))).rejects.toThrow('device-refused-login');
    expect((await lab()).passwordNow).toBe('First-11');
    expect(await reset(ANSWERS)).toMatchObject({ done: true });
    await works('Second-22');
  }, 60_000);
});

describe('when the site is handed over with the site authorisation', () => {
  const ask = (atSite: boolean, remark = '') =>
    stack.api<PasswordRequest>('POST', `/devices/${id}/password-requests`, { atSite, remark });
  const received = async () =>
    (await stack.api<{ items: PasswordRequest[] }>('GET', '/password-requests', undefined, mara)).items;
  const change = (newPassword: string, token?: string) =>
    stack.api<DevicePasswordChanged>('PUT', `/devices/${id}/password`, { newPassword }, token);

  it('the device is the customer’s: the installer sets no new password without the old one (PWD-04)', async () => {
    await expect(ask(true)).rejects.toThrow('conflict');
    const email = 'mara@home.example';
    await stack.api('POST', '/auth/register', { kind: 'customer', country: 'DE', email, name: 'Mara Winter' });
    const secret = await until('the mail', 20_000, async () => {
      const { items } = (await (await mailbox.routes().request(`/messages?to=${email}`)).json()) as {
        items: { links: string[] }[];
      };
      return items[0]?.links.find((link) => link.includes('#'))?.split('#')[1];
    });
    const made = { token: secret, password: 'a good password of Mara' };
    mara = (await stack.api<{ token: string }>('POST', '/auth/register/link', made)).token;
    await stack.api('POST', `${site()}/transfer`, {
      method: 'email',
      email,
      customerName: 'Mara',
      requests: [{ permission: 'manage', validity: 'permanent' }],
    });
    const { items } = await stack.api<{ items: { id: string }[] }>('GET', '/handovers', undefined, mara);
    await stack.api('POST', `/handovers/${items[0]!.id}/accept`, {}, mara);
    expect((await stack.api<{ status: string }>('GET', site())).status).toBe('authorized');
    await expect(change('Third-333')).rejects.toThrow('site-status');
  }, 60_000);

  it('“I am at the site”: he is asked, sets it himself, and the installer is told (PWD-04)', async () => {
    const asked = await ask(true, 'I stand before the gate.');
    await expect(ask(false)).rejects.toThrow('conflict');
    expect(await received()).toMatchObject([
      { id: asked.id, deviceName: 'Gate', atSite: true, remark: 'I stand before the gate.', state: 'open' },
    ]);
    expect(await change('Third-333', mara)).toMatchObject({ outcome: 'changed' });
    await works('Third-333');
    expect((await told('password-reset-done')).link).toBe(`${site()}/devices/${id}/password`);
    const mine = await stack.api<{ items: PasswordRequest[] }>('GET', `/devices/${id}/password-requests`);
    expect(mine.items.map((one) => one.state)).toEqual(['done']);
  }, 60_000);

  it('“I am not at the site”: the same; and he may refuse (PWD-05)', async () => {
    const { id: first } = await ask(false);
    await stack.api('POST', `/password-requests/${first}/refuse`, undefined, mara);
    await told('password-reset-refused');
    expect((await lab()).passwordNow).toBe('Third-333');
    await ask(false);
    await change('Fourth-44', mara);
    await works('Fourth-44');
    expect((await received()).map((one) => [one.atSite, one.state])).toEqual([
      [false, 'done'],
      [false, 'refused'],
      [true, 'done'],
    ]);
  }, 60_000);
});
