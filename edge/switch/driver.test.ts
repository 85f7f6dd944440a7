import snmp from 'net-snmp';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { DeviceCapabilities } from '../../protocol/wire/operations.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { SwitchDriver } from './driver.ts';
import { TestAgent } from './testing/agent.ts';

const log = pino({ level: 'silent' });
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});

const { Integer, OctetString, Gauge, Counter, Counter64, TimeTicks, OID } = snmp.ObjectType;
const IF = '1.3.6.1.2.1.2.2.1';
const CAMERA = Buffer.from('4419b6010203', 'hex');
const counter = (n: bigint) => Buffer.from(n.toString(16).padStart(16, '0'), 'hex');
const BOX_MAC = '02:00:00:00:00:09';

async function switchWith(o: { writable?: boolean; username?: string; password?: string; bare?: boolean } = {}) {
  const agent = await TestAgent.start();
  agent.scalar('1.3.6.1.2.1.1.1.0', OctetString, 'Smart managed PoE switch');
  agent.scalar('1.3.6.1.2.1.1.2.0', OID, '1.3.6.1.4.1.39165.1.1');
  agent.scalar('1.3.6.1.2.1.1.3.0', TimeTicks, 360_000);
  agent.scalar('1.3.6.1.2.1.1.5.0', OctetString, 'Cellar');
  agent.scalar('1.3.6.1.2.1.17.1.1.0', OctetString, Buffer.from('bc9b5e000001', 'hex'));
  agent.table(
    IF,
    {
      2: OctetString,
      3: Integer,
      5: Gauge,
      7: Integer,
      8: Integer,
      10: Counter,
      14: Counter,
      16: Counter,
      20: Counter,
    },
    {
      1: { 2: 'port1', 3: 6, 5: 100_000_000, 7: 1, 8: 1, 10: 500, 14: 1, 16: 600, 20: 2 },
      2: { 2: 'port2', 3: 6, 5: 0, 7: 1, 8: 2, 10: 0, 14: 0, 16: 0, 20: 0 },
      3: { 2: 'port3', 3: 6, 5: 1_000_000_000, 7: 1, 8: 1, 10: 7, 14: 0, 16: 7, 20: 0 },
      9: { 2: 'vlan1', 3: 53, 5: 0, 7: 1, 8: 1, 10: 0, 14: 0, 16: 0, 20: 0 },
    },
    o.writable === false ? [] : [7],
  );
  if (!o.bare) {
    agent.table(
      '1.3.6.1.2.1.47.1.1.1.1',
      { 5: Integer, 9: OctetString, 10: OctetString, 11: OctetString, 13: OctetString },
      {
        1: { 5: 3, 9: 'F1', 10: 'V1.2.3', 11: 'SW1234567', 13: 'DS-3E1309P' },
        2: { 5: 10, 9: '', 10: '', 11: 'other', 13: '' },
      },
    );
    agent.table(
      '1.3.6.1.2.1.31.1.1.1',
      { 1: OctetString, 6: Counter64, 10: Counter64, 15: Gauge, 18: OctetString },
      {
        1: { 1: 'Gi1', 6: counter(5_000_000_000n), 10: counter(6_000_000_000n), 15: 100, 18: 'Camera gate' },
        3: { 1: 'Gi3', 6: counter(7n), 10: counter(7n), 15: 1000, 18: '' },
      },
    );
    agent.table(
      '1.3.6.1.2.1.105.1.1.1',
      { 3: Integer, 6: Integer, 10: Integer },
      { '1.1': { 3: 1, 6: 3, 10: 3 }, '1.2': { 3: 1, 6: 2, 10: 1 } },
    );
    agent.table('1.3.6.1.2.1.105.1.3.1.1', { 2: Gauge, 4: Gauge }, { 1: { 2: 110, 4: 7 } });
    agent.table(
      '1.0.8802.1.1.2.1.4.1.1',
      ...([
        {
          4: Integer,
          5: OctetString,
          6: Integer,
          7: OctetString,
          8: OctetString,
          9: OctetString,
          10: OctetString,
          12: OctetString,
        },
      ] as const),
      {
        '0.1.1': { 4: 4, 5: CAMERA, 6: 3, 7: CAMERA, 8: '', 9: 'Gate camera', 10: 'DS-2CD', 12: Buffer.from([0x01]) },
        '0.3.2': {
          4: 4,
          5: Buffer.from('001122334455', 'hex'),
          6: 5,
          7: 'g0/1',
          8: 'uplink',
          9: 'Router',
          10: '',
          12: Buffer.from([0x28]),
        },
      },
    );
    agent.table(
      '1.0.8802.1.1.2.1.3.7.1',
      { 2: Integer, 3: OctetString, 4: OctetString },
      { 1: { 2: 5, 3: 'Gi1', 4: 'Port one' } },
    );
    agent.table('1.3.6.1.2.1.17.1.4.1', { 2: Integer }, { 11: { 2: 1 }, 12: { 2: 2 } });
    agent.table('1.3.6.1.2.1.17.4.3.1', { 2: Integer }, { '2.0.0.0.0.9': { 2: 12 }, '68.25.182.1.2.3': { 2: 11 } });
  }
  const clock = new ManualClock();
  const guard = new LoginGuard();
  const driver = new SwitchDriver({
    host: '127.0.0.1',
    port: agent.port,
    username: o.username ?? 'community',
    password: o.password ?? 'secret',
    guard,
    clock,
    log,
    macs: () => [BOX_MAC],
    timeoutMs: 150,
  });
  cleanUp.push(
    () => agent.stop(),
    () => driver.close(),
  );
  return { agent, driver, clock, guard };
}

describe('a switch by SNMP', () => {
  it('says who it is, and what it has; all of it by standards only', async () => {
    const { driver } = await switchWith();
    expect(await driver.identify()).toEqual({
      ok: true,
      value: {
        name: 'Cellar',
        model: 'DS-3E1309P',
        serial: 'SW1234567',
        mac: 'bc-9b-5e-00-00-01',
        firmware: 'V1.2.3',
        deviceType: 'switch',
        recorder: false,
      },
    });
    const asked = await driver.capabilities();
    const offered = DeviceCapabilities.parse(asked.ok && asked.value);
    expect(offered).toMatchObject({
      category: 'switch',
      lists: [{ list: 'switchPorts' }, { list: 'neighbours' }],
      actions: [{ action: 'portRestart' }],
      unverified: ['switch', 'switchPorts', 'neighbours', 'portRestart'],
    });
    expect(await driver.readSettings('switch', {})).toMatchObject({
      value: [
        { name: 'upTime', value: 3_600 },
        { name: 'poeBudget', value: 110 },
        { name: 'poeUsed', value: 7 },
      ],
    });
    expect(await driver.channels()).toEqual({ ok: true, value: [] });
  });

  it('is not said to lack what it did not answer', async () => {
    const { driver, agent } = await switchWith();
    await driver.identify();
    agent.stop();
    expect(await driver.readList('switchPorts', {})).toMatchObject({ ok: false, code: 'device-unreachable' });
  });

  it('lists its ports with link, speed, power and traffic, and what is behind them', async () => {
    const { driver, clock } = await switchWith();
    await driver.identify();
    const ports = await driver.readList('switchPorts', {});
    expect(ports.ok && ports.value).toEqual([
      {
        id: '1',
        name: 'Gi1 (Camera gate)',
        values: { enabled: true, up: true, speed: 100, rx: 5e9, tx: 6e9, errors: 3, poe: 'delivering', poeClass: 3 },
      },
      {
        id: '2',
        name: 'port2',
        values: { enabled: true, up: false, rx: 0, tx: 0, errors: 0, poe: 'searching', poeClass: 1 },
      },
      { id: '3', name: 'Gi3', values: { enabled: true, up: true, speed: 1000, rx: 7, tx: 7, errors: 0 } },
    ]);
    await clock.advance(2_000);
    const again = await driver.readList('switchPorts', {});
    expect(again.ok && again.value[0]?.values).toMatchObject({ rxRate: 0, txRate: 0 });
    expect(await driver.readList('neighbours', {})).toMatchObject({
      value: [
        { name: 'Gate camera', values: { port: 'Port one', mac: '44-19-b6-01-02-03', peerPort: '44-19-b6-01-02-03' } },
        { name: 'Router', values: { port: 'Port 3', peerPort: 'uplink' } },
      ],
    });
  });

  it('restarts a port, but never the one that the box is behind (NET-33)', async () => {
    const { driver, agent, clock } = await switchWith();
    await driver.identify();
    expect(await driver.act({ action: 'portRestart', port: 2 })).toMatchObject({
      ok: false,
      text: 'The box itself is behind port2.',
    });
    const restarted = driver.act({ action: 'portRestart', port: 1 });
    for (let i = 0; i < 400 && agent.cell(IF, 7, [1]) !== 2; i++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(agent.cell(IF, 7, [1])).toBe(2);
    for (let i = 0; i < 400 && agent.cell(IF, 7, [1]) !== 1; i++) {
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await restarted).toMatchObject({ ok: true });
    expect(agent.cell(IF, 7, [1])).toBe(1);
    expect(await driver.act({ action: 'portRestart', port: 77 })).toMatchObject({ ok: false, code: 'not-found' });
  });

  it('does not restart ports where it is not allowed, or does not know what is behind them', async () => {
    const readOnly = await switchWith({ writable: false });
    await readOnly.driver.identify();
    expect(await readOnly.driver.act({ action: 'portRestart', port: 1 })).toMatchObject({
      ok: false,
      code: 'not-found',
    });
    const bare = await switchWith({ bare: true });
    expect(await bare.driver.identify()).toMatchObject({ value: { model: 'Smart managed PoE switch', serial: '' } });
    expect(await bare.driver.act({ action: 'portRestart', port: 1 })).toMatchObject({ ok: false, code: 'conflict' });
  });

  it('is asked over SNMPv3, too; whoever is silent may have been asked with a wrong password', async () => {
    const good = await switchWith({ username: 'operator', password: 'Correct-1' });
    expect(await good.driver.identify()).toMatchObject({ ok: true, value: { serial: 'SW1234567' } });
    const bad = await switchWith({ username: 'operator', password: 'Wrong-pass-1' });
    expect(await bad.driver.identify()).toMatchObject({
      ok: false,
      code: 'device-unreachable',
      text: expect.stringContaining('wrong user name or password'),
    });
  });

  it('is lost when it stops answering', async () => {
    const { driver, agent, clock } = await switchWith();
    await driver.identify();
    let open = false;
    const stop = new AbortController();
    const ended = driver.listen({
      onOpen: () => (open = true),
      onAlert: () => {},
      onUnreadable: () => {},
      signal: stop.signal,
    });
    expect(open).toBe(true);
    agent.stop();
    const end = await Promise.race([
      ended,
      (async () => {
        for (;;) {
          await clock.advance(15_000);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      })(),
    ]);
    expect(end).toMatchObject({ how: 'lost' });
  }, 20_000);
});
