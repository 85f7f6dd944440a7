import type { MakePart } from '../../devices/device.ts';
import { OK, type Reply, refusal, statusJson } from '../answer.ts';
import { type Area, panelAreas, panelZones, peripherals, type Zone, zoneStatus } from './panel-state.ts';

const ALL = 0xffffffff;
type Json = Record<string, unknown>;

/** Security control panel (isapi §16): zones from 0, areas from 1, 0xffffffff all of them. */
export const panel: MakePart = (device) => {
  const { profile: p } = device;
  const areas = panelAreas();
  const zones = panelZones(p.kind);
  const outputs = [
    { id: 0, name: 'Gate', on: false },
    { id: 1, name: 'Light', on: false },
  ];
  let walkTest = false;
  let mains = true;
  let user = 'admin';
  const timers = new Set<NodeJS.Timeout>();
  device.users.set('installer', 'Lab-installer-1');

  const area = (id: number) => (id === ALL ? areas.filter((a) => a.enabled) : areas.filter((a) => a.id === id));
  const faults = (of: Area[]) =>
    zones.filter((z) => of.some((a) => a.id === z.area) && !z.bypassed && (z.status !== 'online' || z.tamper));
  const faultList = (list: Zone[]) =>
    list.map((z) => ({
      Fault: {
        id: z.id,
        zone: z.id,
        name: z.name,
        faultType: z.tamper ? 'zoneTampered' : z.status === 'trigger' ? 'zoneTriggered' : 'zoneOffline',
        subSystem: z.area,
      },
    }));

  /** Null: armed. Zones in trouble prevent it, unless they are bypassed. */
  const arm = (of: Area[], way: string): { sub: string; more: Json } | null => {
    if (of.length === 0) return { sub: 'invalidID', more: {} };
    if (of.some((a) => !a.enabled)) return { sub: 'subSystemNotEnabled', more: {} };
    if (of.some((a) => a.alarm)) return { sub: 'alarmingCannotBeArmed', more: {} };
    if (way !== 'away' && way !== 'stay') return { sub: 'badParameters', more: {} };
    const bad = faults(of);
    if (bad.length > 0) return { sub: 'armingFailed', more: { FaultList: faultList(bad) } };
    for (const a of of) {
      a.arming = way;
      device.events.begin('armed', { area: a.id }, user);
    }
    return null;
  };
  const disarm = (of: Area[]): string | null => {
    if (of.length === 0) return 'invalidID';
    for (const a of of) {
      a.arming = 'disarm';
      a.alarm = false;
      for (const z of zones) if (z.area === a.id) z.alarm = false;
      // Bypassed until the next disarming, as panels do it.
      for (const z of zones) if (z.area === a.id) z.bypassed = false;
      device.events.begin('disarmed', { area: a.id }, user);
    }
    return null;
  };

  const config = (z: Zone) => ({
    Zone: {
      id: z.id,
      zoneName: z.name,
      detectorType: z.detectorType,
      zoneType: z.zoneType,
      subSystemNo: z.area,
      linkageSubSystem: [z.area],
      zoneAttrib: z.wireless ? 'wireless' : 'wired',
      enterDelay: 30,
      exitDelay: 30,
      // A string in one firmware, a list in the next.
      stayAwayEnabled: false,
      chimeEnabled: 'false',
      silentEnabled: false,
      relatedKeypadNo: z.wireless ? 0 : [1],
    },
  });

  const triggerZone = (body: Json) => {
    const z = zones.find((one) => one.id === Number(body.zone ?? 0));
    if (!z) return { error: 'there is no such zone' };
    const active = body.active !== false;
    z.status = active ? 'trigger' : 'online';
    const a = areas.find((one) => one.id === z.area)!;
    const always = z.zoneType === 'Fire' || z.zoneType === '24hSilent';
    if (active && !z.bypassed && (always || a.arming === 'away' || a.arming === 'stay')) {
      z.alarm = true;
      a.alarm = true;
      const type = z.zoneType === 'Fire' ? 'fireAlarm' : always ? 'panic' : 'zoneAlarm';
      return { ...device.events.begin(type, { zone: z.id, area: z.area }), alarm: true };
    }
    if (!active && z.alarm) {
      z.alarm = false;
      device.events.end('zoneAlarm', { zone: z.id, area: z.area });
    }
    return { alarm: z.alarm };
  };

  const status = (what: string): Json | null => {
    switch (what) {
      case 'subSystems':
        return {
          SubSysList: areas.map((a) => ({
            SubSys: { id: a.id, arming: a.arming, alarm: a.alarm, enabled: a.enabled, name: a.name, delayTime: 0 },
          })),
        };
      case 'zones':
      case 'zoneStatus':
        return { ZoneList: zones.map((z) => ({ Zone: zoneStatus(z, areas) })) };
      case 'host':
        return {
          HostStatus: { id: 1, tamperEvident: false, ACConnect: mains, mode: walkTest ? 'walkTest' : 'normal' },
        };
      case 'batteries':
        return { BatteryList: [{ Battery: { id: 1, percent: 98, status: 'normal' } }] };
      case 'exDevStatus':
        return peripherals(p.kind === 'ax-pro') as Json;
      case 'outputStatus':
        return {
          OutputList: outputs.map((o) => ({
            Output: { id: o.id, name: o.name, status: o.on ? 'on' : 'off', relayAttrib: 'wired' },
          })),
        };
      case 'sirenStatus':
        return { SirenList: [{ Siren: { id: 1, name: 'Siren', status: 'online' } }] };
      case 'armStatus':
        return { ArmStatusList: areas.map((a) => ({ ArmStatus: { subSystemNo: a.id, status: a.arming } })) };
      case 'systemFault':
        return { FaultList: faultList(faults(area(ALL))) };
      default:
        return null;
    }
  };

  return {
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
    },
    state: () => ({ areas, zones, panelOutputs: outputs, walkTest, mains }),
    control: {
      zone: triggerZone,
      tamper: (body) => {
        const z = zones.find((one) => one.id === Number(body.zone ?? 0))!;
        z.tamper = body.active !== false;
        return z.tamper
          ? device.events.begin('zoneTamper', { zone: z.id, area: z.area })
          : { id: device.events.end('zoneTamper', { zone: z.id, area: z.area }) };
      },
      mains: (body) => {
        mains = Boolean(body.on);
        return mains ? { id: device.events.end('mainsLost') } : device.events.begin('mainsLost');
      },
    },
    answer: ({ method, path, query, body, url, user: asks }): Reply | null => {
      const rest = /^\/SecurityCP\/(.*)$/.exec(path)?.[1];
      if (rest === undefined) return null;
      // The walk test is known by its name only.
      if (rest === 'paceTest' && method === 'GET')
        return { status: 200, type: 'application/json', body: JSON.stringify({ PaceTest: { enabled: walkTest } }) };
      if (rest === 'paceTest' && method === 'PUT') {
        walkTest =
          (JSON.parse(body.toString() || '{}') as { PaceTest?: { enabled?: boolean } }).PaceTest?.enabled === true;
        return { status: 200, type: 'application/json', body: statusJson(url, OK) };
      }
      user = asks;
      const reply = (value: Json): Reply => ({ status: 200, type: 'application/json', body: JSON.stringify(value) });
      const said = (sub: string | null, more: Json = {}): Reply => {
        const what = sub ? refusal(sub) : OK;
        return { status: what.http, type: 'application/json', body: statusJson(url, what, more) };
      };
      // Without it, XML: what these trees do not speak.
      if (query.get('format') !== 'json') return { ...said('methodNotAllowed'), status: 404 };
      let sent: Json = {};
      if (body.length > 0) {
        try {
          sent = JSON.parse(body.toString('utf8'));
        } catch {
          return said('badJsonFormat');
        }
      }
      if (rest === 'capabilities')
        return reply({
          SecurityCPCap: {
            isSptZone: true,
            isSptSubSys: true,
            isSptOutput: true,
            isSptSystemFault: true,
            isSptBypass: true,
            isSptWalkTest: true,
            isSptSilentAlarm: true,
            zoneNum: zones.length,
            subSystemNum: areas.length,
          },
        });
      const [, what] = /^status\/(\w+)$/.exec(rest) ?? [];
      if (what) {
        const posted = ['systemFault', 'armStatus', 'zoneStatus'].includes(what);
        if (method !== 'GET' && !(posted && method === 'POST')) return { ...said('methodNotAllowed'), status: 404 };
        const found = status(what);
        return found ? reply(found) : said('notSupport');
      }
      const [, group, item] = /^Configuration\/(\w+)(?:\/(\d+))?$/.exec(rest) ?? [];
      if (group === 'zones') {
        const z = zones.find((one) => String(one.id) === item);
        if (item !== undefined && !z) return said('invalidID');
        if (method === 'GET') return reply(z ? config(z) : { List: zones.map(config) });
        if (method !== 'PUT' || !z) return said('methodNotAllowed');
        const wanted = sent.Zone as Json | undefined;
        if (!wanted || typeof wanted.zoneName !== 'string') return said('badJsonContent');
        Object.assign(z, { name: wanted.zoneName, zoneType: wanted.zoneType ?? z.zoneType });
        return said(null);
      }
      if (group === 'subSys') {
        const a = areas.find((one) => String(one.id) === item);
        const xml = (one: Area) => ({ SubSys: { id: one.id, name: one.name, enabled: one.enabled } });
        if (method === 'GET') return reply(a ? xml(a) : { List: areas.map(xml) });
        const wanted = sent.SubSys as Json | undefined;
        if (!a || !wanted) return said('badJsonContent');
        Object.assign(a, { name: wanted.name ?? a.name, enabled: wanted.enabled ?? a.enabled });
        return said(null);
      }
      if (group === 'outputs')
        return reply({ List: outputs.map((o) => ({ Output: { id: o.id, name: o.name, related: true } })) });
      if (method !== 'PUT') return { ...said('methodNotAllowed'), status: 404 };
      const [, verb, number] = /^control\/(\w+)(?:\/(0x[\da-f]+|\d+))?$/.exec(rest) ?? [];
      const id = Number(number ?? Number.NaN);
      if (verb === 'arm' && number === undefined) {
        const list = (sent.SubSysList as { SubSys: { id: number; armType?: string } }[] | undefined) ?? [];
        if (list.length === 0) return said('badJsonContent');
        for (const { SubSys } of list) {
          const failed = arm(area(SubSys.id), SubSys.armType ?? 'away');
          if (failed) return said(failed.sub, failed.more);
        }
        return said(null);
      }
      if (verb === 'arm') {
        const failed = arm(area(id), query.get('ways') ?? '');
        return failed ? said(failed.sub, failed.more) : said(null);
      }
      if (verb === 'disarm') return said(disarm(area(id)));
      if (verb === 'clearAlarm') {
        const of = area(id);
        if (of.length === 0) return said('invalidID');
        for (const a of of) a.alarm = false;
        for (const z of zones) if (of.some((a) => a.id === z.area)) z.alarm = false;
        return said(null);
      }
      if (verb === 'bypass' || verb === 'Recoverbypass') {
        const z = zones.find((one) => one.id === id);
        if (!z) return said('zoneNotSupport');
        if (areas.find((a) => a.id === z.area)!.arming !== 'disarm') return said('armedStatus');
        z.bypassed = verb === 'bypass';
        return said(null);
      }
      if (verb === 'outputs') {
        const o = outputs.find((one) => one.id === id);
        const wanted = (sent.OutputsCtrl as Json | undefined)?.switch;
        if (!o) return said('invalidID');
        if (wanted !== 'open' && wanted !== 'close') return said('badJsonContent');
        o.on = wanted === 'open';
        return said(null);
      }
      if (verb === 'walkTest') {
        // Its body was not captured.
        walkTest = !/stop|false|close|exit/i.test(JSON.stringify(sent));
        return said(null);
      }
      return { ...said('methodNotAllowed'), status: 404 };
    },
  };
};
