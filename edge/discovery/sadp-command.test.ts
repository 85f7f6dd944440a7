import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../protocol/clock.ts';
import { systemClock } from '../../protocol/clock.ts';
import type { Result } from '../isapi/answer.ts';
import { passwordElement, readReply, saltedPassword } from './sadp-command.ts';
import { SadpCommander } from './sadp-commander.ts';
import { ScriptedSadp } from './testing/scripted-sadp.ts';

const MAC = '68-6d-bc-ee-f8-f0';
const SALT = 'ab'.repeat(32);
// Waits take no time.
const clock: Clock = { ...bound(), sleep: async () => {} };
let device: ScriptedSadp;
let commander: SadpCommander;

function bound(): Clock {
  const { now, mono, after, every, sleep } = systemClock;
  return { now, mono, after, every, sleep };
}

beforeEach(() => {
  device = new ScriptedSadp();
  commander = new SadpCommander({ channel: device, clock, log: pino({ level: 'silent' }) });
});

describe('the password of a command', () => {
  it('is hidden as each generation of firmware wants it', () => {
    expect(passwordElement({ salt: null, activated: true }, 'password')).toBe(
      '<Password>X03MO1qnZdYdgyfeuILPmQ==</Password>',
    );
    expect(passwordElement({ salt: SALT, activated: true }, 'Abc12345')).toMatch(
      /^<Password bSalt="true">[A-Za-z0-9+/]{86}==<\/Password>$/,
    );
    // 64 bytes: the key once, then three blocks of zeros, which come out alike.
    const blocks = Buffer.from(saltedPassword(SALT, 'Abc12345'), 'base64').toString('hex').match(/.{32}/g)!;
    expect(new Set(blocks.slice(1)).size).toBe(1);
    expect(passwordElement({ salt: null, activated: null }, 'a<b')).toBeNull();
  });
});

describe('edit IP over SADP', () => {
  const to = { dhcp: false, address: '10.0.0.50', subnetMask: '255.255.0.0', gateway: '10.0.0.1' } as const;

  it('changes what is asked and sends the rest as the device told it (INIT-21)', async () => {
    device.fields.Salt = SALT;
    device.passwordElement = `bSalt="true">${saltedPassword(SALT, 'Right-1')}<`;
    const done = await commander.setAddressing(MAC, 'Right-1', to);
    expect(done).toMatchObject({ ok: true, value: { address: '10.0.0.50', subnetMask: '255.255.0.0', dhcp: false } });
    const sent = device.heard.find((h) => h.type === 'update')!.xml;
    expect(sent).toMatch(
      /^<\?xml version="1.0" encoding="utf-8"\?><Probe><Uuid>[0-9A-F-]{36}<\/Uuid><Types>update<\/Types><PWErrorParse>true<\/PWErrorParse><MAC>68-6d-bc-ee-f8-f0<\/MAC><Password bSalt="true">[^<]+<\/Password><IPv4Address>10.0.0.50<\/IPv4Address><CommandPort>8000<\/CommandPort><IPv4SubnetMask>255.255.0.0<\/IPv4SubnetMask><IPv4Gateway>10.0.0.1<\/IPv4Gateway><IPv6Address>::<\/IPv6Address><IPv6Gateway>::<\/IPv6Gateway><IPv6MaskLen>64<\/IPv6MaskLen><DHCP>false<\/DHCP><HttpPort>80<\/HttpPort><SDKOverTLSPort>8443<\/SDKOverTLSPort><\/Probe>$/,
    );
    // There already: no password goes out for nothing.
    await commander.setAddressing(MAC, 'Right-1', to);
    expect(device.count('update')).toBe(1);
  });

  it('an answer that got lost is settled by asking how the device is', async () => {
    device.passwordElement = '<Password>';
    device.lose.add('update');
    expect(await commander.setAddressing(MAC, 'Right-1', { dhcp: true })).toMatchObject({ ok: true });
    expect(device.count('update')).toBe(1);
  });

  it('a refused password is not sent again, and two tries stay in reserve', async () => {
    device.passwordElement = 'never';
    const first = await commander.setAddressing(MAC, 'Wrong-1', to);
    expect(first).toMatchObject({ ok: false, code: 'device-refused-login', text: expect.stringContaining('4 tries') });
    await commander.setAddressing(MAC, 'Wrong-1', to);
    expect(device.count('update')).toBe(1);
    await commander.setAddressing(MAC, 'Wrong-2', to);
    await commander.setAddressing(MAC, 'Wrong-3', to);
    expect(await commander.setAddressing(MAC, 'Wrong-4', to)).toMatchObject({ ok: false, code: 'device-locked' });
    expect([device.count('update'), device.triesLeft]).toEqual([3, 2]);
    device.fields.DeviceLock = 'true';
    expect(await commander.unbind(MAC, 'Wrong-5')).toMatchObject({ ok: false, code: 'device-locked' });
    expect(device.count('ezvizUnbind')).toBe(0);
  });

  it('answers of other devices, to other commands and of other tools mislead nobody', async () => {
    device.passwordElement = '<Password>';
    const other = (mac: string, type: string, uuid = 'X') =>
      `<ProbeMatch><Uuid>${uuid}</Uuid><MAC>${mac}</MAC><Types>${type}</Types><Result>success</Result></ProbeMatch>`;
    device.noise = [
      other('68-6d-bc-00-00-01', 'update'),
      other(MAC, 'update', '13A888A9-F1B1-4020-AE9F-05607682D23B'),
      other(MAC, 'getcode'),
      '<Probe><Types>update</Types></Probe>',
      'no xml',
      `<ProbeMatch>${'<a/>'.repeat(3_000)}</ProbeMatch>`,
    ];
    expect(await commander.setAddressing(MAC, 'Right-1', to)).toMatchObject({ ok: true });
    expect(readReply(Buffer.from(other(MAC, 'update ', '')), 'A', MAC, 'update')).toMatchObject({ result: 'success' });
  });
});

describe('activation over SADP', () => {
  it('hides the first password with the random text of the device', async () => {
    device.fields.Activated = 'false';
    expect(await commander.activate(MAC, 'Camera-2026')).toEqual({ ok: true, value: { weak: false } });
    expect(device.password).toBe('Camera-2026');
    expect(await commander.activate(MAC, 'Camera-2027')).toMatchObject({ ok: false, subStatus: 'hasActivated' });
    expect(device.password).toBe('Camera-2026');
  });

  it('a lost answer counts when the device says that it is activated', async () => {
    device.fields.Activated = 'false';
    device.lose.add('activate');
    expect(await commander.activate(MAC, 'Camera-2026')).toEqual({ ok: true, value: { weak: false } });
    expect(device.count('activate')).toBe(1);
  });
});

describe('somebody who answers in the name of the device', () => {
  const secrets = () => device.heard.filter((h) => /Right-1|Password/.test(h.xml));
  const answer = [{ id: 1, answer: 'Rex' }];
  const commands: [string, () => Promise<Result<unknown>>][] = [
    ['unbind', () => commander.unbind(MAC, 'Right-1')],
    ['mailbox', () => commander.setMailbox(MAC, 'Right-1', 'a@example.com')],
    ['questions', () => commander.setQuestions(MAC, 'Right-1', answer)],
    ['update', () => commander.setAddressing(MAC, 'Right-1', { dhcp: true })],
    ['reset', () => commander.answerReset(MAC, answer, 'Right-1')],
    ['activate', () => commander.activate(MAC, 'Right-1')],
  ];

  it.each(commands.slice(0, 4))('is told no password in plain text: %s', async (_, act) => {
    delete device.fields.Activated;
    expect(await act()).toMatchObject({ ok: false, code: 'device-error', text: expect.stringContaining('plain text') });
    expect(secrets()).toEqual([]);
  });

  it.each(commands)('is told nothing where the device answers as well: %s', async (name, act) => {
    device.fields.Salt = SALT;
    if (name === 'activate') device.fields.Activated = 'false';
    device.imposter = new ScriptedSadp();
    device.imposter.fields = { ...device.fields };
    // Of what it says in an inquiry only one word is another; where that is the same, the text for a new password is.
    if (name === 'reset' || name === 'activate') device.imposter.random = 'another-random-text-of-24';
    else delete device.imposter.fields.Salt;
    expect(await act()).toMatchObject({ ok: false, text: expect.stringContaining('Several devices') });
    expect(secrets()).toEqual([]);
  });

  it('one that answers twice, by multicast and unicast, is one', async () => {
    device.fields.Salt = SALT;
    device.passwordElement = `bSalt="true">${saltedPassword(SALT, 'Right-1')}<`;
    device.imposter = new ScriptedSadp();
    device.imposter.fields = { ...device.fields };
    device.imposter.lose = new Set(['ezvizUnbind']);
    expect(await commander.unbind(MAC, 'Right-1')).toEqual({ ok: true });
  });
});

describe('a new password by security questions', () => {
  const answers = (rex: string) => [1, 2, 3].map((id) => ({ id, answer: id === 2 ? rex : 'x' }));

  it('is set for the right answers, and wrong ones count as tries (PWD-07)', async () => {
    expect(await commander.answerReset(MAC, answers('Bello'), 'New-pass-1')).toMatchObject({
      ok: false,
      code: 'device-refused-login',
    });
    expect(device.password).toBeNull();
    expect(await commander.answerReset(MAC, answers('Rex & Max'), 'New-pass-1')).toEqual({ ok: true });
    expect(device.password).toBe('New-pass-1');
  });
});
