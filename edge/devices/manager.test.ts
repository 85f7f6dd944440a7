import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { alertPart } from '../isapi/testing/alerts.ts';
import { type Script, ScriptedDevice } from '../isapi/testing/scripted-device.ts';
import { Journal } from '../journal/journal.ts';
import { Warnables } from '../warnables.ts';
import { DeviceManager } from './manager.ts';
import type { DeviceConfig } from './types.ts';

const log = pino({ level: 'silent' });
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});
const until = (check: () => unknown) => vi.waitFor(() => expect(check()).toBeTruthy(), { timeout: 5000, interval: 5 });

/** Lets time pass in steps, each with real time for the sockets, until something happened. */
async function pass(clock: ManualClock, seconds: number, done: () => unknown) {
  for (let i = 0; i < seconds && !done(); i++) {
    await clock.advance(1_000);
    await new Promise((r) => setTimeout(r, 5));
  }
  await until(done);
}

/** A search that finds what the test says. */
class Lan {
  found: Partial<DiscoveredDevice>[] = [];
  readonly #listeners = new Set<() => void>();
  byMac = (mac: string) => this.found.find((d) => d.mac === mac) as DiscoveredDevice | undefined;
  bySerial = (serial: string) => this.found.find((d) => d.serial === serial) as DiscoveredDevice | undefined;
  at = (address: string) => this.found.filter((d) => d.address === address) as DiscoveredDevice[];
  permits = (host: string) => host.startsWith('127.');
  onChange = (fn: () => void) => {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  };
  set(found: Partial<DiscoveredDevice>[]): void {
    this.found = found;
    for (const fn of this.#listeners) fn();
  }
}

async function camera(script: Partial<Script> = {}, port = 0, host = '127.0.0.1') {
  const device = new ScriptedDevice(script);
  const listening = await device.start(port, host);
  cleanUp.push(() => device.stop());
  return { device, port: listening };
}

/** A box with its journal; `start` makes another one over the same files, as after a restart. */
function box() {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-devices-'));
  cleanUp.push(() => rmSync(dir, { recursive: true }));
  const clock = new ManualClock(Date.UTC(2026, 5, 1));
  const lan = new Lan();
  const start = () => {
    const warnables = new Warnables({ clock, log });
    const journal = new Journal({ path: join(dir, 'journal.db'), clock, log, warnables });
    journal.start();
    const manager = new DeviceManager({
      journal,
      discovery: lan,
      clock,
      log,
      warnables,
      stateFile: join(dir, 'refusals.json'),
    });
    manager.start();
    const stop = async () => {
      await manager.stop();
      await journal.stop();
    };
    cleanUp.push(stop);
    const records = () => journal.read(0, 1000);
    return {
      warnables,
      manager,
      stop,
      records,
      kinds: () => records().map((r) => (r.kind === 'event' ? r.body.type : r.kind)),
      codes: () => warnables.list().map((w) => w.code),
      state: () => manager.health()[0]?.state,
    };
  };
  return { clock, lan, start };
}

const config = (port: number, o: Partial<DeviceConfig> = {}): DeviceConfig => ({
  id: uuidv7(),
  kind: 'isapi',
  name: 'Entrance',
  mac: '44-19-b6-01-02-03',
  serial: null,
  host: '127.0.0.1',
  httpPort: port,
  username: 'admin',
  password: 'Correct-1',
  credentialVersion: 1,
  ...o,
});

describe('a device', () => {
  it('comes online, says what it is, and its events are in the journal', async () => {
    const { device, port } = await camera({ rtspPort: 10554 });
    const { start } = box();
    const b = start();
    const item = config(port);
    expect(b.manager.apply([item])).toEqual([]);
    await until(() => device.streams.size === 1);
    expect(b.manager.health()).toMatchObject([
      {
        id: item.id,
        state: 'online',
        model: 'DS-2CD2386G2-IU',
        firmware: 'V5.7.15 build 240201',
        channels: [{ channel: 1, name: 'Door & yard' }],
      },
    ]);
    expect(b.manager.channels()).toMatchObject([
      {
        deviceId: item.id,
        channel: 1,
        rtspUrl: 'rtsp://127.0.0.1:10554/Streaming/Channels/101',
        username: 'admin',
        password: 'Correct-1',
      },
    ]);
    device.say(alertPart('videoloss', 'inactive'));
    device.say(alertPart('linedetection', 'active', '<UUID>u-1</UUID><dateTime>2026-05-18T20:21:00+02:00</dateTime>'));
    device.say(alertPart('linedetection', 'inactive'));
    await until(() => b.records().length === 2);
    expect(b.records()).toMatchObject([
      {
        kind: 'event',
        body: {
          type: 'lineCrossing',
          deviceId: item.id,
          channel: 1,
          occurredAt: '2026-06-01T00:00:00.000Z',
          deviceTime: '2026-05-18T20:21:00+02:00',
          sourceRef: 'u-1',
        },
      },
      { kind: 'eventEnd' },
    ]);
    expect(b.codes()).toEqual([]);
  });

  it('has each of its five events a second as an event of its own, in order', async () => {
    const { device, port } = await camera();
    const b = box().start();
    b.manager.apply([config(port)]);
    await until(() => device.streams.size === 1);
    for (let i = 0; i < 60; i++) {
      device.say(alertPart('VMD', 'active', `<UUID>u-${i}</UUID><activePostCount>1</activePostCount>`));
      device.say(alertPart('VMD', 'inactive', `<UUID>u-${i}</UUID><activePostCount>0</activePostCount>`));
    }
    await until(() => b.records().length === 120);
    const refs = b.records().flatMap((r) => (r.kind === 'event' ? [r.body.sourceRef] : []));
    expect(refs).toEqual(Array.from({ length: 60 }, (_, i) => `u-${i}`));
  });

  it('is renamed without being disturbed, and leaves nothing behind when it goes', async () => {
    const { device, port } = await camera();
    const b = box().start();
    const item = config(port);
    b.manager.apply([item]);
    await until(() => device.streams.size === 1);
    const requests = device.seen.length;
    b.manager.apply([{ ...item, name: 'Back door' }]);
    device.say(alertPart('VMD'));
    await until(() => b.records().length === 1);
    expect(device.seen.length).toBe(requests);
    b.manager.apply([]);
    await until(() => device.streams.size === 0);
    await until(() => b.kinds().at(-1) === 'eventEnd');
    expect(b.manager.health()).toEqual([]);
    expect(b.manager.channels()).toEqual([]);
    expect(b.codes()).toEqual([]);
  });

  it('that is wrong in the list holds up no other', async () => {
    const { device, port } = await camera();
    const b = box().start();
    const good = config(port);
    const far = config(port, { host: '192.168.1.64' });
    expect(b.manager.apply([far, good, good])).toMatchObject([
      { id: far.id, code: 'not-allowed' },
      { id: good.id, code: 'duplicate' },
    ]);
    await until(() => device.streams.size === 1);
  });

  it('gives a snapshot, or says why not', async () => {
    const { device, port } = await camera();
    device.routes.set('/ISAPI/Streaming/channels/101/picture', (_req, res) => res.end(Buffer.from([0xff, 0xd8, 1])));
    const b = box().start();
    const item = config(port);
    b.manager.apply([item]);
    await until(() => device.streams.size === 1);
    expect(await b.manager.snapshot(item.id, 1)).toMatchObject({ ok: true, jpeg: Buffer.from([0xff, 0xd8, 1]) });
    expect(await b.manager.snapshot(item.id, 7)).toMatchObject({ ok: false });
    expect(await b.manager.snapshot(uuidv7(), 1)).toMatchObject({ ok: false, code: 'not-found' });
  });

  it('that gives no events is online all the same, and a person is told', async () => {
    const { device, port } = await camera();
    device.routes.set('/ISAPI/Event/notification/alertStream', (_req, res) =>
      device.status(res, 503, 2, 'maxSessionUserLink'),
    );
    const b = box().start();
    b.manager.apply([config(port)]);
    await until(() => b.codes().includes('device-no-events'));
    expect(b.state()).toBe('online');
  });
});

describe('a wrong password', () => {
  it('is tried exactly once; nothing more for hours, until a person enters another', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    const b = start();
    const item = config(port, { password: 'wrong' });
    b.manager.apply([item]);
    await until(() => b.state() === 'refused');
    expect(device.wrongLogins).toBe(1);
    const requests = device.seen.length;
    for (let i = 0; i < 60; i++) await clock.advance(180_000);
    b.manager.apply([item]);
    b.manager.apply([{ ...item, name: 'Gate' }]);
    await clock.advance(600_000);
    expect(await b.manager.snapshot(item.id, 1)).toMatchObject({ ok: false });
    expect(device.seen.length).toBe(requests);
    expect(b.warnables.list()).toMatchObject([
      {
        code: 'device-login-refused',
        severity: 'error',
        text: expect.stringMatching(/Entrance.*4 tries.*Enter the right/),
      },
    ]);

    b.manager.apply([{ ...item, password: 'Correct-1', credentialVersion: 2 }]);
    await until(() => device.streams.size === 1);
    expect(device.wrongLogins).toBe(1);
    expect(b.codes()).toEqual([]);
  });

  it('is not tried again after restarts', async () => {
    const { device, port } = await camera();
    const { start } = box();
    const item = config(port, { password: 'wrong' });
    for (let i = 0; i < 6; i++) {
      const b = start();
      b.manager.apply([item]);
      await until(() => b.state() === 'refused');
      expect(b.codes()).toEqual(['device-login-refused']);
      await b.stop();
    }
    expect(device.wrongLogins).toBe(1);
    expect(device.script.locked).toBe(false);
    const b = start();
    b.manager.apply([{ ...item, password: 'Correct-1', credentialVersion: 2 }]);
    await until(() => device.streams.size === 1);
  });

  it('found by RTSP stops every new login, and leaves the open stream alone', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    const b = start();
    const item = config(port);
    b.manager.apply([item]);
    await until(() => device.streams.size === 1);
    b.manager.channels()[0]!.guard.refuse('rtsp', 'It refused user name or password.');
    expect(b.state()).toBe('refused');
    expect(b.codes()).toEqual(['device-login-refused']);
    device.say(alertPart('VMD'));
    await until(() => b.records().length === 1);
    const requests = device.seen.length;
    device.cut();
    await until(() => device.streams.size === 0);
    await clock.advance(300_000);
    expect(device.seen.length).toBe(requests);
  });

  it('of others has locked the device: one try when the lock is over, none before', async () => {
    const { device, port } = await camera({ locked: true });
    const { clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => b.state() === 'locked');
    expect(b.warnables.list()).toMatchObject([{ code: 'device-locked', text: expect.stringContaining('30 min') }]);
    await clock.advance(1_750_000);
    expect(device.seen).toHaveLength(1);
    device.script.locked = false;
    await clock.advance(5_000);
    await until(() => device.streams.size === 1);
    expect(b.codes()).toEqual([]);
    expect(device.wrongLogins).toBe(0);
  });

  it('does not matter to a device that is not activated: it is asked again without credentials', async () => {
    const { device, port } = await camera({ activated: false });
    const { clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => b.state() === 'notActivated');
    expect(b.codes()).toEqual(['device-not-activated']);
    device.script.activated = true;
    await clock.advance(60_000);
    await until(() => device.streams.size === 1);
    expect(b.codes()).toEqual([]);
  });
});

describe('an absent device', () => {
  it('at the start is tried for ever, at most a minute apart, and is an event only after 60 s', async () => {
    const { device, port } = await camera();
    await device.stop();
    const { clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => b.state() === 'offline');
    expect(b.codes()).toEqual(['device-offline']);
    await clock.advance(55_000);
    expect(b.kinds()).toEqual([]);
    await clock.advance(5_000);
    await until(() => b.kinds().length === 1);
    expect(b.records()[0]).toMatchObject({
      body: { type: 'deviceOffline', occurredAt: '2026-06-01T00:00:00.000Z', channel: null },
    });
    for (let i = 0; i < 20; i++) await clock.advance(60_000);
    const back = await camera({}, port);
    await pass(clock, 61, () => back.device.connections > 0);
    await until(() => back.device.streams.size === 1);
    await until(() => b.kinds().at(-1) === 'eventEnd');
    expect(b.kinds()).toEqual(['deviceOffline', 'eventEnd']);
    expect(b.codes()).toEqual([]);
  });

  it('for a moment makes no event, and is listened to again at once', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => device.streams.size === 1);
    for (let i = 0; i < 5; i++) {
      device.cut();
      await until(() => device.streams.size === 0);
      const { connections } = device;
      await pass(clock, 60, () => device.connections > connections);
      await until(() => device.streams.size === 1);
    }
    expect(b.state()).toBe('online');
    await clock.advance(60_000);
    expect(b.kinds()).toEqual([]);
  });

  it('that closes its stream in good order after a while is listened to again without a pause', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    start().manager.apply([config(port)]);
    await until(() => device.streams.size === 1);
    await clock.advance(40_000);
    const [old] = device.streams;
    old!.end();
    await until(() => device.streams.size === 1 && !device.streams.has(old!));
  });

  it('is followed to another address by its MAC', async () => {
    const { device, port } = await camera();
    const { lan, clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => device.streams.size === 1);
    await device.stop();
    await until(() => b.state() !== 'online');
    const moved = await camera({}, 0, '127.0.3.7');
    await clock.advance(1_000);
    lan.set([{ mac: '44-19-b6-01-02-03', serial: 'x', address: '127.0.3.7', httpPort: moved.port }]);
    await until(() => moved.device.streams.size === 1);
    expect(b.manager.channels()[0]?.rtspUrl).toContain('rtsp://127.0.3.7:');
  });
});

describe('another device at the address', () => {
  it('gets no more credentials once it said who it is; the right one is taken up when it is found', async () => {
    const { device, port } = await camera({ serial: 'DS-2CD2020AAWR000000001', mac: '44:19:b6:00:00:09' });
    const { lan, clock, start } = box();
    const b = start();
    b.manager.apply([config(port, { serial: 'DS-2CD2386G2-IU20230412AAWRL11223344' })]);
    await until(() => b.codes().includes('device-replaced'));
    const requests = device.seen.length;
    for (let i = 0; i < 20; i++) await clock.advance(60_000);
    expect(device.seen.length).toBe(requests);
    expect(b.warnables.list()[0]?.text).toContain('DS-2CD2020AAWR000000001');
    const right = await camera({}, 0, '127.0.3.8');
    lan.set([
      {
        mac: '44-19-b6-01-02-03',
        serial: 'DS-2CD2386G2-IU20230412AAWRL11223344',
        address: '127.0.3.8',
        httpPort: right.port,
      },
    ]);
    await until(() => right.device.streams.size === 1);
    expect(b.codes()).toEqual([]);
  });

  it('gets none at all when the search already knows it', async () => {
    const { device, port } = await camera();
    const { lan, start } = box();
    lan.set([{ mac: '44-19-b6-00-00-09', serial: 'DS-OTHER00000001', address: '127.0.0.1', httpPort: port }]);
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => b.codes().includes('device-replaced'));
    expect(device.seen).toEqual([]);
  });
});

describe('a restart', () => {
  it('in the middle of an event makes no second one of it, and ends what is over', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    const item = config(port);
    const first = start();
    first.manager.apply([item]);
    await until(() => device.streams.size === 1);
    device.say(alertPart('VMD', 'active', '<UUID>u-1</UUID><activePostCount>1</activePostCount>'));
    device.say(alertPart('linedetection', 'active', '<UUID>u-2</UUID><activePostCount>1</activePostCount>'));
    await until(() => first.records().length === 2);
    await first.stop();
    await until(() => device.streams.size === 0);
    const second = start();
    second.manager.apply([item]);
    await until(() => device.streams.size === 1);
    device.say(alertPart('VMD', 'active', '<UUID>u-1</UUID><activePostCount>3</activePostCount>'));
    device.say(alertPart('fielddetection', 'active', '<UUID>u-3</UUID>'));
    await until(() => second.records().length === 3);
    await clock.advance(5_000);
    await until(() => second.records().length === 6);
    expect(second.kinds()).toEqual(['motion', 'lineCrossing', 'intrusion', 'eventEnd', 'eventEnd', 'eventEnd']);
  });
});

describe('a probe', () => {
  const request = (httpPort: number, password = 'Correct-1') => ({
    host: '127.0.0.1',
    httpPort,
    username: 'admin',
    password,
  });

  it('says what is there', async () => {
    const { port } = await camera();
    const b = box().start();
    expect(await b.manager.probe(request(port))).toEqual({
      ok: true,
      result: {
        model: 'DS-2CD2386G2-IU',
        serial: 'DS-2CD2386G2-IU20230412AAWRL11223344',
        mac: '44-19-b6-01-02-03',
        firmware: 'V5.7.15 build 240201',
        deviceType: 'IPCamera',
        channels: [{ channel: 1, name: 'Door & yard' }],
      },
    });
  });

  it('is one login, and never goes beyond what this box may reach', async () => {
    const { device, port } = await camera();
    const b = box().start();
    expect(await b.manager.probe(request(port, 'wrong'))).toMatchObject({ ok: false, code: 'device-refused-login' });
    expect(device.wrongLogins).toBe(1);
    const requests = device.seen.length;
    expect(await b.manager.probe({ ...request(port), host: '10.0.0.1' })).toMatchObject({ ok: false });
    await device.stop();
    expect(await b.manager.probe(request(port))).toMatchObject({ ok: false, code: 'device-unreachable' });
    expect(device.seen.length).toBe(requests);
  });
});
