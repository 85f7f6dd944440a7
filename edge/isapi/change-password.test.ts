import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { changePassword } from './change-password.ts';
import { Documents } from './testing/documents.ts';
import { ScriptedDevice } from './testing/scripted-device.ts';

let scripted: ScriptedDevice;
let documents: Documents;
let port: number;
/** What the device does with the document that holds the new password. */
let take: (body: string) => 'take' | 'take and die' | { refuse: string } | 'say yes only';

beforeEach(async () => {
  scripted = new ScriptedDevice();
  documents = new Documents(scripted);
  port = await scripted.start();
  const users =
    '<UserList><User><id>1</id><userName>admin</userName><userLevel>Administrator</userLevel></User><User><id>2</id><userName>guard</userName></User></UserList>';
  documents.set('/Security/users', users);
  take = () => 'take';
  documents.set('/Security/users/1', '', (body) => {
    const done = take(body);
    if (typeof done === 'object') return done;
    if (done !== 'say yes only') {
      scripted.script.password = /<password>([^<]*)</.exec(body)![1]!;
      scripted.forgetNonces();
    }
    if (done === 'take and die') scripted.cut();
    return null;
  });
});
afterEach(() => scripted.stop());

const change = (oldPassword: string, accept: () => string | null = () => null) =>
  changePassword({
    host: '127.0.0.1',
    port,
    username: 'admin',
    oldPassword,
    newPassword: 'Other-22',
    accept,
    clock: systemClock,
    log: pino({ level: 'silent' }),
  });

it('changes it with the old one, and knows that the new one works (PWD-06)', async () => {
  expect(await change('Correct-1')).toEqual({ ok: true, value: undefined });
  expect(scripted.script.password).toBe('Other-22');
  expect(scripted.wrongLogins).toBe(0);
});

it('firmware that wants the old password in the document too gets it', async () => {
  take = (body) => (body.includes('<loginPassword>Correct-1<') ? 'take' : { refuse: 'badXmlContent' });
  expect(await change('Correct-1')).toMatchObject({ ok: true });
  expect(documents.written).toHaveLength(2);
});

it('what asks for no login is told neither the new password nor the old one', async () => {
  scripted.script.open = /./;
  take = () => ({ refuse: 'needLoginPassword' });
  expect(await change('Correct-1')).toMatchObject({ ok: false, code: 'device-error' });
  expect(documents.written).toEqual([]);
});

it('a wrong old password costs one try, and no new one is sent', async () => {
  expect(await change('Wrong-1')).toMatchObject({ ok: false, code: 'device-refused-login' });
  expect([scripted.wrongLogins, documents.written.length]).toEqual([1, 0]);
  // Two tries stay in reserve.
  scripted.script.tries = 2;
  expect(await change('Wrong-1')).toMatchObject({ ok: false, code: 'device-locked' });
  expect(scripted.wrongLogins).toBe(1);
});

it('an answer that got lost is settled by one login with the new one', async () => {
  take = () => 'take and die';
  expect(await change('Correct-1')).toEqual({ ok: true, value: undefined });
  expect(scripted.wrongLogins).toBe(0);
});

it('a device that says yes and keeps the old one is found out, by one try', async () => {
  take = () => 'say yes only';
  expect(await change('Correct-1')).toMatchObject({ ok: false, code: 'device-error' });
  expect([scripted.script.password, scripted.wrongLogins]).toEqual(['Correct-1', 1]);
});

it('another device at that address never gets the new password', async () => {
  expect(await change('Correct-1', () => 'It is another device.')).toMatchObject({ ok: false, code: 'device-error' });
  expect(documents.written).toEqual([]);
});

it('a refusal is told in words (PWD-11)', async () => {
  take = () => ({ refuse: 'riskPassword' });
  expect(await change('Correct-1')).toMatchObject({ ok: false, text: expect.stringContaining('too weak') });
});
