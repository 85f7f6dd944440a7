import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { Event, type NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { DeviceCapabilities } from '../../protocol/wire/operations.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { IsapiDriver } from './driver.ts';
import { EventFolder } from './fold.ts';
import { ScriptedPanel } from './testing/scripted-panel.ts';

const log = pino({ level: 'silent' });
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});

async function until(is: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !is(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(is()).toBe(true);
}

/** A driver of a scripted device, and what becomes of its alerts. */
async function listening(model: string, o: { routes: (panel: ScriptedPanel) => void; listen?: boolean }) {
  const panel = new ScriptedPanel();
  panel.routes.set('GET /ISAPI/System/deviceInfo', () => ({
    xml: `<DeviceInfo><deviceName>Device</deviceName><model>${model}</model><serialNumber>S1</serialNumber></DeviceInfo>`,
  }));
  o.routes(panel);
  const port = await panel.start();
  const clock = new ManualClock();
  const driver = new IsapiDriver({
    host: '127.0.0.1',
    port,
    username: 'admin',
    password: 'Correct-1',
    guard: new LoginGuard(),
    clock,
    log,
  });
  const records: NewRecord[] = [];
  const fold = new EventFolder({ deviceId: uuidv7(), clock, emit: (r) => records.push(...r) });
  const stop = new AbortController();
  cleanUp.push(
    () => panel.stop(),
    () => driver.close(),
    () => stop.abort(),
  );
  expect((await driver.identify()).ok).toBe(true);
  await driver.channels();
  const listen = async () => {
    const before = panel.streams.size;
    void driver.listen({
      onOpen: () => {},
      onAlert: (alert) => fold.alert(alert, alert.channel),
      onUnreadable: () => {},
      signal: stop.signal,
    });
    await until(() => panel.streams.size > before);
  };
  if (o.listen !== false) await listen();
  const say = (body: unknown) => {
    const json = JSON.stringify(body);
    const part = `--boundary\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}\r\n`;
    for (const res of panel.streams) res.write(part);
  };
  const events = () => records.flatMap((r) => (r.kind === 'event' ? [Event.parse(r.body)] : []));
  return { panel, driver, clock, records, fold, listen, say, events, kinds: () => records.map((r) => r.kind) };
}

const zones = (panel: ScriptedPanel, now: object[]) =>
  panel.routes.set('GET /ISAPI/SecurityCP/status/zones', () => ({ json: { ZoneList: now.map((Zone) => ({ Zone })) } }));
const cid = (code: number, zone: number, trigger: string) => ({
  eventType: 'cidEvent',
  eventState: 'active',
  dateTime: 'D',
  CIDEvent: { code, standardCIDcode: code, type: 'zoneAlarm', system: 1, zone, trigger },
});

describe('a panel, when listening begins', () => {
  it('tells an alarm that began while nobody listened, once, and takes its own word for it when that comes', async () => {
    const { say, events, kinds } = await listening('DS-PWA64-L-WE', {
      routes: (panel) =>
        zones(panel, [
          { id: 0, name: 'Door', alarm: true, zoneType: 'Delay', subSystemNo: 1 },
          { id: 1, name: 'Smoke', alarm: true, zoneType: 'Fire' },
          { id: 2, alarm: false, tamperEvident: false },
        ]),
    });
    await until(() => events().length === 2);
    expect(events()).toMatchObject([
      { type: 'zoneAlarm', channel: 1, area: 1, text: 'Door' },
      { type: 'fire', channel: 2 },
    ]);
    for (let i = 0; i < 5; i++) say(cid(1131, 0, 'T1'));
    say(cid(1131, 4, 'T1'));
    await until(() => events().length === 3);
    expect(events()[2]?.channel).toBe(5);
    say(cid(3131, 0, 'T2'));
    await until(() => kinds().filter((k) => k === 'eventEnd').length === 1);
    say(cid(1131, 0, 'T1'));
    say(cid(1131, 6, 'T1'));
    await until(() => events().length === 4);
    expect(events()[3]?.channel).toBe(7);
  });

  it('ends an alarm whose restoral nobody heard', async () => {
    const now: object[] = [{ id: 0, alarm: true }];
    const { clock, events, kinds, listen } = await listening('DS-PWA64-L-WE', { routes: (panel) => zones(panel, now) });
    await until(() => events().length === 1);
    now[0] = { id: 0, alarm: false };
    await clock.advance(3_000);
    await listen();
    await until(() => kinds().length === 2);
    expect(kinds()).toEqual(['event', 'eventEnd']);
  });
});

describe('a door station', () => {
  const station = (state: { now: string }) => (panel: ScriptedPanel) => {
    panel.routes.set('GET /ISAPI/VideoIntercom/callStatus', () => ({ json: { CallStatus: { status: state.now } } }));
  };

  it('is asked whether it rings, until it tells by itself (LINK-24)', async () => {
    const state = { now: 'idle' };
    const { panel, clock, say, events, kinds } = await listening('DS-KV8113-WME1', { routes: station(state) });
    const asked = () => panel.count('GET', '/ISAPI/VideoIntercom/callStatus');
    await clock.advance(2_000);
    await until(() => asked() === 1);
    state.now = 'ring';
    await clock.advance(2_000);
    await until(() => events().length === 1);
    expect(events()[0]).toMatchObject({ type: 'call', channel: 1 });
    await clock.advance(2_000);
    state.now = 'onCall';
    await clock.advance(2_000);
    await until(() => kinds().length === 2);
    say({ eventType: 'voiceTalkEvent', eventState: 'active', VoiceTalkEvent: { cmdType: 'request' } });
    await until(() => events().length === 2);
    await clock.advance(2_000);
    const before = asked();
    await clock.advance(20_000);
    expect(asked()).toBe(before);
  });

  it('rings when it says "opened by command" and is ringing, and opened otherwise', async () => {
    const state = { now: 'ring' };
    const { say, events } = await listening('DS-KV6113-WPE1', { routes: station(state) });
    const opened = {
      eventType: 'AccessControllerEvent',
      eventState: 'active',
      dateTime: 'D',
      AccessControllerEvent: { majorEventType: 3, subEventType: 1024 },
    };
    say(opened);
    await until(() => events().length === 1);
    state.now = 'idle';
    say(opened);
    await until(() => events().length === 2);
    expect(events().map((e) => e.type)).toEqual(['call', 'doorUnlocked']);
  });
});

describe('doors, intercoms, radars and speakers', () => {
  const offered = async (driver: IsapiDriver) => {
    const asked = await driver.capabilities();
    return DeviceCapabilities.parse(asked.ok && asked.value);
  };

  it('open and stay open by commands with version and namespace (LINK-35, LINK-36)', async () => {
    const { panel, driver } = await listening('DS-KV8113-WME1', {
      listen: false,
      routes: (p) => {
        p.routes.set('GET /ISAPI/AccessControl/RemoteControl/door/capabilities', () => ({
          xml: '<RemoteControlDoor><doorNo min="1" max="2"/><cmd opt="open,alwaysOpen,resume"/></RemoteControlDoor>',
        }));
        p.routes.set('PUT /ISAPI/AccessControl/RemoteControl/door/2', () => ({
          xml: '<ResponseStatus><statusCode>1</statusCode></ResponseStatus>',
        }));
      },
    });
    const { actions, resources, category } = await offered(driver);
    expect(category).toBe('doorStation');
    expect(actions.map((a) => a.action)).toEqual(expect.arrayContaining(['doorOpen', 'doorRemainOpen', 'doorResume']));
    expect(actions.map((a) => a.action)).not.toContain('doorRemainClosed');
    expect(resources).toContainEqual({
      kind: 'doorStation',
      id: '1',
      name: 'Device',
      triggers: ['call'],
      actions: ['doorOpen'],
    });
    expect((await driver.act({ action: 'doorRemainOpen', door: 2 })).ok).toBe(true);
    expect(panel.seen.at(-1)?.body).toBe(
      '<RemoteControlDoor version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><cmd>alwaysOpen</cmd></RemoteControlDoor>',
    );
    expect(await driver.act({ action: 'doorOpen', door: 3 })).toMatchObject({ ok: false, code: 'not-found' });
    expect(await driver.readList('doors', {})).toMatchObject({ value: [{ id: '1' }, { id: '2', name: 'Door 2' }] });
  });

  it('of an access controller tell and do what a linkage wants (LINK-21, LINK-22, LINK-35)', async () => {
    const { driver } = await listening('DS-K2604', {
      listen: false,
      routes: (p) => {
        p.routes.set('GET /ISAPI/AccessControl/RemoteControl/door/capabilities', () => ({
          xml: '<RemoteControlDoor><doorNo min="1" max="1"/><cmd opt="open,close,alwaysOpen,alwaysClose"/></RemoteControlDoor>',
        }));
        p.routes.set('GET /ISAPI/AccessControl/AcsWorkStatus', () => ({
          json: { AcsWorkStatus: { doorLockStatus: [0], doorStatus: [4], magneticStatus: [1] } },
        }));
      },
    });
    expect((await offered(driver)).resources).toEqual([
      {
        kind: 'accessController',
        id: '1',
        name: 'Device',
        triggers: ['networkDisconnected', 'deviceTamper'],
        actions: [],
      },
      {
        kind: 'door',
        id: '1',
        name: 'Door 1',
        triggers: ['doorOpened', 'doorForced', 'doorHeldOpen', 'doorUnlocked', 'deviceTamper'],
        actions: ['doorOpen', 'doorRemainOpen', 'doorRemainClosed'],
      },
    ]);
    expect(await driver.readList('doors', {})).toMatchObject({
      value: [{ values: { lock: 'locked', contact: 'open', mode: 'normal' } }],
    });
  });

  it('are radars with what they can tell (RADR-01, RADR-02, RADR-03)', async () => {
    const { driver } = await listening('Fall radar', { listen: false, routes: () => {} });
    expect((await offered(driver)).resources).toMatchObject([
      {
        kind: 'radar',
        triggers: expect.arrayContaining(['fallDetected', 'outOfBed', 'heartRateHigh', 'respirationLow']),
      },
    ]);
  });

  it('are speakers that play what they hold', async () => {
    let settings = { AudioAlarm: { audioID: 1, audioVolume: 50, alarmTimes: 5, audioClass: 'alertAudio' } };
    const { panel, driver } = await listening('DS-QAZ1325G1T-E', {
      listen: false,
      routes: (p) => {
        const at = '/ISAPI/Event/triggers/notifications/AudioAlarm';
        p.routes.set(`GET ${at}`, () => ({ json: settings }));
        p.routes.set(`PUT ${at}`, ({ json }) => {
          settings = json as typeof settings;
          return {};
        });
        p.routes.set(`GET ${at}/capabilities`, () => ({
          json: {
            AudioAlarmCap: {
              audioTypeListCap: [
                { audioID: 1, audioDescription: 'Siren' },
                { audioID: 2, audioDescription: 'Keep out' },
              ],
              audioVolume: { '@min': 1, '@max': 100 },
            },
          },
        }));
        p.routes.set(`PUT ${at}/2/test`, () => ({}));
      },
    });
    expect((await offered(driver)).unverified).toEqual(expect.arrayContaining(['speaker', 'audioFiles', 'play']));
    expect(await driver.readList('audioFiles', {})).toMatchObject({ value: [{ id: '1', name: 'Siren' }, { id: '2' }] });
    expect((await driver.act({ action: 'play', file: '2', volume: 80 })).ok).toBe(true);
    expect(settings.AudioAlarm).toEqual({ audioID: 1, audioVolume: 80, alarmTimes: 5, audioClass: 'alertAudio' });
    expect(panel.seen.at(-1)?.url).toContain('/AudioAlarm/2/test');
    expect(await driver.act({ action: 'play', file: '9' })).toMatchObject({ code: 'not-found' });
    expect(await driver.writeSettings('speaker', {}, { audioID: '2' })).toMatchObject({
      ok: true,
      value: { notKept: [] },
    });
    expect(settings.AudioAlarm.audioID).toBe(2);
  });
});
