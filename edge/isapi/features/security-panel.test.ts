import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '../../../protocol/clock.ts';
import type { DeviceAction, ListName } from '../../../protocol/wire/operations.ts';
import { DeviceCapabilities } from '../../../protocol/wire/operations.ts';
import { LoginGuard } from '../../devices/login-guard.ts';
import { FeatureSet } from '../../drivers/feature-set.ts';
import { IsapiClient } from '../client.ts';
import { IsapiDevice } from '../isapi-device.ts';
import { ScriptedPanel } from '../testing/scripted-panel.ts';
import { panelReporting } from './panel-reporting.ts';
import { securityPanel } from './security-panel.ts';

const log = pino({ level: 'silent' });
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});

const ZONES = [
  { id: 0, name: 'Front door ', status: 'online', armed: false, alarm: false, bypassed: false, tamperEvident: false },
  {
    id: 1,
    name: '',
    status: 'trigger',
    subSystemNo: 1,
    bypassed: 'false',
    chargeValue: '80',
    signal: 121,
    temperature: 23,
  },
  { id: 2, name: 'Cellar', status: 'offline', linkageSubSystem: [2], zoneAttrib: 'wired', zoneType: 'Fire' },
];

async function panelWith(o: { model?: string; clock?: ManualClock; faults?: unknown; armed?: () => object } = {}) {
  const panel = new ScriptedPanel();
  const json = (route: string, answer: () => object) => panel.routes.set(route, () => ({ json: answer() }));
  json('GET /ISAPI/SecurityCP/status/subSystems', () => ({
    SubSysList: [
      { SubSys: { id: 1, name: 'House', arming: 'disarm', alarm: false, enabled: true, delayTime: 0 } },
      { SubSys: { id: 2, name: '', arming: 'away', alarm: true, enabled: 'true' } },
      { SubSys: { id: 3, name: 'Spare', arming: 'disarm', enabled: false } },
    ],
  }));
  json('GET /ISAPI/SecurityCP/status/zones', () => ({ ZoneList: ZONES.map((Zone) => ({ Zone })) }));
  json('GET /ISAPI/SecurityCP/status/exDevStatus', () => ({
    ExDevStatus: {
      SirenList: [
        { Siren: { id: 1, name: 'Siren', status: 'online', tamperEvident: false, chargeValue: 95, signal: 120 } },
      ],
      KeypadList: [{ Keypad: { id: 1, seq: 'K1', status: 'offline', charge: 'lowPower', temperature: 22 } }],
      OutputModList: [{ OutputMod: { id: 1, seq: 'Q0', voltValueV20: 12.1, relayList: [{ id: 0 }] } }],
      RemoteList: [],
    },
  }));
  json('GET /ISAPI/SecurityCP/status/batteries', () => ({
    BatteryList: [{ Battery: { id: 1, status: 'normal', percent: 90, voltage: 13 } }],
  }));
  json('POST /ISAPI/SecurityCP/status/outputStatus', () => ({
    OutputSearch: {
      responseStatusStrg: 'OK',
      OutputList: [{ Output: { id: 0, name: 'Gate', status: 'off' } }, { Output: { id: 1, status: 'notRelated' } }],
    },
  }));
  json('POST /ISAPI/SecurityCP/status/systemFault', () => (o.faults ?? { ArmFault: {} }) as object);
  for (const path of ['arm/1', 'arm/0xffffffff', 'disarm/1', 'clearAlarm/1', 'bypass/1', 'bypass/2', 'outputs/0'])
    panel.routes.set(`PUT /ISAPI/SecurityCP/control/${path}`, () => ({}));
  const port = await panel.start();
  const clock = o.clock ?? systemClock;
  const client = new IsapiClient({
    host: '127.0.0.1',
    port,
    username: 'admin',
    password: 'Correct-1',
    guard: new LoginGuard(),
    clock,
    log,
  });
  cleanUp.push(
    () => panel.stop(),
    () => client.close(),
  );
  const model = o.model ?? 'DS-PWA64-L-WE';
  const info = { name: 'Panel', model, serial: 'S', mac: null, firmware: null, deviceType: 'PWA', recorder: false };
  const device = new IsapiDevice({ client, info, channels: [], clock, log });
  const features = new FeatureSet({ features: [securityPanel, panelReporting], device, category: 'panel' });
  const act = (action: DeviceAction) => features.act(action);
  const list = async (name: ListName) => {
    const result = await features.list(name, {});
    if (!result.ok) throw new Error(result.text);
    return result.value;
  };
  const sent = () =>
    panel.seen.filter((s) => s.method === 'PUT' && s.url.includes('/control/')).map((s) => s.url.slice(18));
  return { panel, features, act, list, sent, clock };
}

describe('a security control panel', () => {
  it('offers what it has, and its areas, zones and outputs for linkage (PANL-01, PANL-03, LINK-25, LINK-26, LINK-34)', async () => {
    const { features } = await panelWith();
    const offered = DeviceCapabilities.parse(await features.capabilities());
    expect(offered.lists.map((l) => l.list)).toEqual(['areas', 'zones', 'peripherals', 'faults', 'alarmOutputs']);
    expect(offered.actions.map((a) => a.action)).toEqual([
      ...['areaArmAway', 'areaArmStay', 'areaDisarm', 'areaSilence', 'zoneBypass', 'zoneUnbypass', 'alarmOutput'],
    ]);
    expect(offered.resources.map((r) => [r.kind, r.id, r.name])).toEqual([
      ['area', '1', 'House'],
      ['area', '2', 'Area 2'],
      ['zone', '1', 'Front door'],
      ['zone', '2', 'Zone 2'],
      ['zone', '3', 'Cellar'],
      ['alarmOutput', '0', 'Gate'],
    ]);
    expect(offered.resources[0]).toMatchObject({ actions: ['areaArmStay', 'areaArmAway', 'areaDisarm'] });
  });

  it('lists areas, zones counted from 0 and shown from 1, peripherals and batteries, whatever types firmware writes', async () => {
    const { list } = await panelWith();
    expect(await list('areas')).toMatchObject([
      { id: '1', name: 'House', values: { arming: 'disarm', alarm: false, enabled: true } },
      { id: '2', name: 'Area 2', values: { arming: 'away', alarm: true, enabled: true } },
      { id: '3', values: { enabled: false } },
    ]);
    const zones = await list('zones');
    expect(zones).toMatchObject([
      { id: '0', name: 'Front door', values: { number: 1, status: 'online', tamper: false } },
      {
        id: '1',
        name: 'Zone 2',
        values: { number: 2, area: 1, bypassed: false, battery: 80, signal: 121, temperature: 23 },
      },
      { id: '2', name: 'Cellar', values: { number: 3, area: 2, wired: true } },
    ]);
    expect(zones[2]?.values).not.toHaveProperty('battery');
    expect(await list('peripherals')).toMatchObject([
      { id: 'battery-1', values: { battery: 90, voltage: 13 } },
      { id: 'siren-1', name: 'Siren', values: { kind: 'siren', battery: 95, tamper: false } },
      { id: 'keypad-1', name: 'K1', values: { status: 'offline', batteryState: 'lowPower' } },
      { id: 'outputMod-1', values: { voltage: 12.1 } },
    ]);
    expect(await list('alarmOutputs')).toEqual([{ id: '0', name: 'Gate', values: { active: false, status: 'off' } }]);
  });

  it('is asked for its zones only when somebody looks, and at most once in two seconds', async () => {
    const clock = new ManualClock();
    const { panel, list } = await panelWith({ clock });
    const asked = () => panel.count('GET', '/ISAPI/SecurityCP/status/zones');
    await Promise.all([list('zones'), list('zones'), list('zones')]);
    expect(asked()).toBe(1);
    await clock.advance(1_900);
    await list('zones');
    expect(asked()).toBe(1);
    await clock.advance(200);
    await list('zones');
    expect(asked()).toBe(2);
    await clock.advance(60_000);
    expect(asked()).toBe(2);
  });

  it('is armed away, stay and disarmed, silenced, its zones bypassed and its outputs switched (PANL-08)', async () => {
    const { act, sent, panel } = await panelWith();
    expect(await act({ action: 'areaArmAway', area: 1 })).toEqual({ ok: true, value: { pending: false, text: null } });
    await act({ action: 'areaArmStay', area: 0 });
    await act({ action: 'areaDisarm', area: 1 });
    await act({ action: 'areaSilence', area: 1 });
    await act({ action: 'zoneBypass', zone: 1 });
    await act({ action: 'alarmOutput', output: '0', active: true });
    expect(sent()).toEqual([
      'control/arm/1?ways=away&format=json',
      'control/arm/0xffffffff?ways=stay&format=json',
      'control/disarm/1?format=json',
      'control/clearAlarm/1?format=json',
      'control/bypass/1?format=json',
      'control/outputs/0?format=json',
    ]);
    expect(panel.seen.at(-1)?.body).toBe('{"OutputsCtrl":{"switch":"open"}}');
    expect(await act({ action: 'areaArmAway', area: 3 })).toMatchObject({ ok: false, code: 'not-found' });
  });

  it('recovers a bypassed zone by either spelling of firmware', async () => {
    const { act, sent, panel } = await panelWith();
    panel.routes.set('PUT /ISAPI/SecurityCP/control/Recoverbypass/1', () => ({}));
    panel.routes.set('PUT /ISAPI/SecurityCP/control/bypassRecover/2', () => ({}));
    expect((await act({ action: 'zoneUnbypass', zone: 1 })).ok).toBe(true);
    expect((await act({ action: 'zoneUnbypass', zone: 2 })).ok).toBe(true);
    expect(sent()).toEqual([
      'control/Recoverbypass/1?format=json',
      'control/Recoverbypass/2?format=json',
      'control/bypassRecover/2?format=json',
    ]);
  });

  it('is not armed while something is amiss, and says what in words', async () => {
    const faults = {
      ArmFault: {
        SysFault: { FaultList: [{ Fault: { info: 'batteryMiss' } }, { Fault: { info: 'somethingNew' } }] },
        ZoneFault: { ZoneList: [{ Zone: { id: 1, name: 'Back door', info: 'zoneTrigger' } }] },
      },
    };
    const { act, sent, list } = await panelWith({ faults });
    const refused = await act({ action: 'areaArmAway', area: 1 });
    expect(refused).toMatchObject({ ok: false, code: 'conflict' });
    expect(!refused.ok && refused.text).toBe(
      'It was not armed: the battery is missing; something new; zone 2 (Back door): open or triggered.',
    );
    expect(sent()).toEqual([]);
    expect((await list('faults')).map((f) => f.name)).toEqual([
      'the battery is missing',
      'something new',
      'zone 2 (Back door): open or triggered',
    ]);
    const forced = await act({ action: 'areaArmAway', area: 1, force: true });
    expect(sent()).toEqual(['control/bypass/1?format=json', 'control/arm/1?ways=away&format=json']);
    expect(forced.ok && forced.value.text).toContain('Bypassed: zone 2.');
  });

  it('says why it refused, with the faults of its answer', async () => {
    const { act, panel } = await panelWith();
    panel.routes.set('PUT /ISAPI/SecurityCP/control/arm/1', () => ({
      status: 400,
      json: { statusCode: 4, subStatusCode: 'armingFailed', errorMsg: 'x', FaultList: [{ Fault: { info: 'ACLoss' } }] },
    }));
    expect(await act({ action: 'areaArmAway', area: 1 })).toMatchObject({
      ok: false,
      text: 'It could not be armed: mains power is missing.',
    });
    panel.routes.set('PUT /ISAPI/SecurityCP/control/arm/1', () => ({
      status: 400,
      json: { statusCode: 4, subStatusCode: 'armedStatus' },
    }));
    expect(await act({ action: 'areaArmStay', area: 1 })).toMatchObject({ text: 'It is armed: disarm it first.' });
  });

  it.each([
    ['AX HOME', ['areaArmAway', 'areaDisarm', 'areaSilence'], 'no stay arming'],
    ['DS-PHA64-LP', ['areaArmAway', 'areaArmStay', 'areaDisarm'], 'no silencing'],
    ['DS-PWA32-HR', [], 'generic management only'],
    ['DS-PHA20-P', [], 'generic management only'],
  ])('%s: %o (PANL-02, PANL-08)', async (model, areas) => {
    const { features } = await panelWith({ model });
    const offered = await features.capabilities();
    expect(offered.actions.map((a) => a.action).filter((a) => a.startsWith('area'))).toEqual(areas);
  });

  it('runs a walk test where it has one, and keeps the names of its areas over a change of language (PANL-05, PANL-06)', async () => {
    const { panel, features, act } = await panelWith();
    const walk = { running: false };
    panel.routes.set('GET /ISAPI/SecurityCP/paceTest', () => ({ json: { PaceTest: { enabled: walk.running } } }));
    panel.routes.set('PUT /ISAPI/SecurityCP/paceTest', ({ json }) => {
      walk.running = (json as { PaceTest: { enabled: boolean } }).PaceTest.enabled;
      return {};
    });
    let language = 'English';
    let name = 'House';
    const xml = () => `<DeviceLanguage version="2.0"><language>${language}</language></DeviceLanguage>`;
    panel.routes.set('GET /ISAPI/System/DeviceLanguage', () => ({ xml: xml() }));
    panel.routes.set('GET /ISAPI/System/DeviceLanguage/capabilities', () => ({
      xml: '<DeviceLanguage><language opt="English,German">English</language></DeviceLanguage>',
    }));
    panel.routes.set('PUT /ISAPI/System/DeviceLanguage', ({ body }) => {
      language = /<language>(\w+)/.exec(body)![1]!;
      name = 'Bereich 1';
      return {};
    });
    panel.routes.set('GET /ISAPI/SecurityCP/status/subSystems', () => ({
      json: { SubSysList: [{ SubSys: { id: 1, name, arming: 'disarm', enabled: true } }] },
    }));
    panel.routes.set('PUT /ISAPI/SecurityCP/Configuration/subSys/1', ({ json }) => {
      name = (json as { SubSys: { name: string } }).SubSys.name;
      return {};
    });
    expect((await act({ action: 'walkTestStart' })).ok).toBe(true);
    expect(walk.running).toBe(true);
    await act({ action: 'walkTestStop' });
    expect(walk.running).toBe(false);
    const written = await features.write('panel', {}, { language: 'German' });
    expect(written).toMatchObject({ ok: true, value: { notKept: [] } });
    expect([language, name]).toEqual(['German', 'House']);
    expect(await features.write('panel', {}, { language: 'Klingon' })).toMatchObject({ code: 'invalid-request' });
  });
});

describe('where a panel reports to', () => {
  it('is told and changed, the rest of its document left as it was (PANL-07)', async () => {
    const { panel, features } = await panelWith();
    const path = '/ISAPI/SecurityCP/Configuration/messageSendARC';
    let kept = {
      ARCList: [
        {
          ARC: {
            id: 1,
            enabled: false,
            spareEnabled: true,
            addrType: 'ipAddress',
            ipAddress: '0.0.0.0',
            port: 0,
            centerAccount: '',
            protocol: 'NAL2300',
            transMode: 'TCP',
            heartBeatInterval: 60,
            retryTime: 3,
          },
        },
        { ARC: { id: 2, enabled: false, centerAccount: '77', port: 1 } },
      ],
    };
    panel.routes.set(`GET ${path}`, () => ({ json: kept }));
    panel.routes.set(`PUT ${path}`, ({ json }) => {
      kept = json as typeof kept;
      return { json: { statusCode: 1, statusString: 'OK' } };
    });
    expect((await features.capabilities()).sections.map((s) => s.section)).toContain('alarmReceiver');
    const set = {
      enabled: true,
      address: '192.168.1.20',
      port: 12_128,
      account: '00A1',
      protocol: '*ADM-CID',
      heartbeat: 90,
      key: '00112233445566778899AABBCCDDEEFF',
    };
    const written = await features.write('alarmReceiver', {}, set);
    expect(written).toMatchObject({ ok: true });
    expect(kept.ARCList[0]!.ARC).toMatchObject({
      id: 1,
      enabled: true,
      spareEnabled: true,
      addrType: 'ipAddress',
      ipAddress: '192.168.1.20',
      port: 12_128,
      centerAccount: '00A1',
      protocol: '*ADM-CID',
      heartBeatInterval: 90,
      retryTime: 3,
      algorithm: 'AES',
      bits: 128,
      key: set.key,
    });
    expect(kept.ARCList[1]!.ARC).toMatchObject({ id: 2, centerAccount: '77' });
    const read = await features.read('alarmReceiver', {});
    expect(JSON.stringify(read)).not.toContain(set.key);
    expect(await features.write('alarmReceiver', {}, { key: 'short' })).toMatchObject({ ok: false });
    expect(await features.write('alarmReceiver', {}, { address: 'box.example' })).toMatchObject({ ok: true });
    expect(kept.ARCList[0]!.ARC).toMatchObject({ addrType: 'hostName', hostName: 'box.example' });
  });

  it('is not offered where it has no such document', async () => {
    const { features } = await panelWith();
    expect((await features.capabilities()).sections.map((s) => s.section)).not.toContain('alarmReceiver');
  });
});
