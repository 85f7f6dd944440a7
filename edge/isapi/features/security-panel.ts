import type { EventType } from '../../../protocol/wire/event.ts';
import type { ActionDone, Resource } from '../../../protocol/wire/operations.ts';
import type { Feature, Offer } from '../../drivers/feature.ts';
import { failure, type Result } from '../answer.ts';
import { categoryOf } from '../category.ts';
import { writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { boolAt, readJson, sendJson } from '../json.ts';
import { text, type XmlNode } from '../xml.ts';
import { choice, optionsOf } from './fields.ts';
import { arm, bypass, disarm, setOutput, silence, unbypass } from './panel-control.ts';
import { faultItem, readFaults } from './panel-faults.ts';
import { isGeneric, panelKind } from './panel-kind.ts';
import { compact, readAreas, readOutputs, readPeripherals, readZones } from './panel-status.ts';

const LANGUAGE = '/System/DeviceLanguage';
const WALK_TEST = '/SecurityCP/paceTest?format=json';
/** What a zone can cause, by its detector and type. */
export const ZONE_ALARMS: readonly EventType[] = [
  'zoneAlarm',
  'panic',
  'fire',
  'gas',
  'waterLeak',
  'temperature',
  'medical',
];

/**
 * A security control panel: areas, zones, peripherals, faults and relays (isapi.md §16; PANL-01…08). Its zones are read
 * only while somebody looks at them; what happens comes by its events.
 */
export const securityPanel: Feature<IsapiDevice> = {
  async offer(device, signal): Promise<Offer> {
    if (categoryOf(device.info) !== 'panel') return {};
    const areas = await readAreas(device, signal);
    if (!areas.ok) return {};
    const kind = panelKind(device.info);
    const zones = await readZones(device, signal);
    const outputs = await readOutputs(device, signal);
    const peripherals = await device.has('/SecurityCP/status/exDevStatus?format=json', signal);
    const language = await device.has(LANGUAGE, signal);
    const whole = <T>(names: readonly (T | false)[]) => names.flatMap((name) => (name === false ? [] : [name]));
    const lists = whole([
      'areas',
      zones.ok && 'zones',
      peripherals && 'peripherals',
      'faults',
      outputs.ok && outputs.value.length > 0 && 'alarmOutputs',
    ] as const).map((list) => ({ list, channels: null }));
    if (isGeneric(kind)) return { lists };
    const walkTest = (await walkTestState(device, signal)).ok;
    const actions = whole([
      'areaArmAway',
      kind !== 'home' && 'areaArmStay',
      'areaDisarm',
      kind !== 'hybridPro' && 'areaSilence',
      zones.ok && 'zoneBypass',
      zones.ok && 'zoneUnbypass',
      outputs.ok && outputs.value.length > 0 && 'alarmOutput',
      walkTest && 'walkTestStart',
      walkTest && 'walkTestStop',
    ] as const).map((action) => ({ action, channels: null }));
    const used = areas.value.filter((a) => a.enabled);
    const resources: Resource[] = [
      ...used.map(
        (a): Resource => ({
          kind: 'area',
          id: String(a.id),
          name: a.name,
          triggers: ['areaArmedAway', 'areaArmedStay', 'areaDisarmed', ...ZONE_ALARMS],
          actions: kind === 'home' ? ['areaArmAway', 'areaDisarm'] : ['areaArmStay', 'areaArmAway', 'areaDisarm'],
        }),
      ),
      // The number that its events carry, which is the one that people see.
      ...(zones.ok ? zones.value : []).map(
        (z): Resource => ({
          kind: 'zone',
          id: String(z.id + 1),
          name: z.name,
          triggers: [...ZONE_ALARMS, 'deviceTamper'],
          actions: [],
        }),
      ),
      ...(outputs.ok ? outputs.value : []).map(
        (o): Resource => ({
          kind: 'alarmOutput',
          id: o.id,
          name: o.name,
          triggers: [],
          actions: ['alarmOutput'],
        }),
      ),
    ];
    return {
      sections: language ? [{ section: 'panel', channels: null }] : [],
      lists,
      actions,
      resources,
      unverified: whole([
        'faults',
        language && 'panel',
        walkTest && 'walkTestStart',
        walkTest && 'walkTestStop',
      ] as const),
    };
  },

  sections: {
    panel: {
      async read(device, _at, signal) {
        const doc = await device.get(LANGUAGE, signal);
        if (!doc.ok) return doc;
        const caps = await device.get(`${LANGUAGE}/capabilities`, signal);
        const options = caps.ok ? optionsOf(caps.value.source, 'language') : [];
        return { ok: true, value: [choice('language', text(doc.value.node, 'language'), options)] };
      },
      write: changeLanguage,
    },
  },

  lists: {
    async areas(device, _at, signal) {
      const areas = await readAreas(device, signal);
      if (!areas.ok) return areas;
      const value = areas.value.map(({ id, name, arming, alarm, enabled, delay }) => ({
        id: String(id),
        name,
        values: compact({ number: id, arming, alarm, enabled, delay }),
      }));
      return { ok: true, value };
    },
    async zones(device, _at, signal) {
      const zones = await readZones(device, signal);
      return zones.ok ? { ok: true, value: zones.value.map((z) => z.item) } : zones;
    },
    peripherals: (device, _at, signal) => readPeripherals(device, signal),
    async faults(device, _at, signal) {
      const areas = await readAreas(device, signal);
      if (!areas.ok) return areas;
      const ids = areas.value.filter((a) => a.enabled).map((a) => a.id);
      const faults = await readFaults(device, ids, 'disArm', signal);
      return faults.ok ? { ok: true, value: faults.value.map(faultItem) } : faults;
    },
    async alarmOutputs(device, _at, signal) {
      const outputs = await readOutputs(device, signal);
      if (!outputs.ok) return outputs;
      const value = outputs.value.map(({ id, name, status }) => ({
        id,
        name,
        values: { active: status === 'on', status },
      }));
      return { ok: true, value };
    },
  },

  actions: {
    areaArmAway: (device, { area, force }, signal) => arm(device, 'away', area, force ?? false, signal),
    areaArmStay: (device, { area, force }, signal) => arm(device, 'stay', area, force ?? false, signal),
    areaDisarm: (device, { area }, signal) => disarm(device, area, signal),
    areaSilence: (device, { area }, signal) => silence(device, area, signal),
    zoneBypass: (device, { zone }, signal) => bypass(device, zone, signal),
    zoneUnbypass: (device, { zone }, signal) => unbypass(device, zone, signal),
    alarmOutput: (device, { output, active }, signal) => setOutput(device, output, active, signal),
    walkTestStart: (device, _action, signal) => walkTest(device, true, signal),
    walkTestStop: (device, _action, signal) => walkTest(device, false, signal),
  },
};

/** Panels translate the names of their areas with their language; they are put back as they were (PANL-05). */
async function changeLanguage(
  device: IsapiDevice,
  _at: object,
  set: Record<string, unknown>,
  _fields: unknown,
  signal?: AbortSignal,
): Promise<Result<{ rebootRequired: boolean }>> {
  const before = await readAreas(device, signal);
  const written = await writeDocument(device, LANGUAGE, [{ path: ['language'], value: String(set.language) }], signal);
  if (!written.ok) return written;
  const after = before.ok ? await readAreas(device, signal) : before;
  if (before.ok && after.ok) {
    for (const { id, name } of before.value) {
      const now = after.value.find((a) => a.id === id);
      if (!now || now.name === name) continue;
      const path = `/SecurityCP/Configuration/subSys/${id}?format=json`;
      const renamed = await sendJson(device, 'PUT', path, { SubSys: { id, name } }, signal);
      if (!renamed.ok)
        return { ...renamed, text: `The language was changed, but area “${name}” is now “${now.name}”.` };
    }
  }
  return { ok: true, value: { rebootRequired: written.value.rebootRequired } };
}

/** Where the walk test is and whether it runs; its document is known by name only, so its switch is looked for. */
async function walkTestState(
  device: IsapiDevice,
  signal?: AbortSignal,
): Promise<Result<{ root: string; doc: XmlNode }>> {
  const doc = await readJson(device, WALK_TEST, signal);
  if (!doc.ok) return doc;
  const root =
    typeof doc.value === 'string'
      ? undefined
      : Object.keys(doc.value).find((key) => boolAt(doc.value, key, 'enabled') !== null);
  return root === undefined
    ? failure('not-found', 'It has no walk test.')
    : { ok: true, value: { root, doc: doc.value } };
}

async function walkTest(device: IsapiDevice, on: boolean, signal?: AbortSignal): Promise<Result<ActionDone>> {
  const state = await walkTestState(device, signal);
  if (!state.ok) return state;
  const sent = await sendJson(device, 'PUT', WALK_TEST, { [state.value.root]: { enabled: on } }, signal);
  return sent.ok ? { ok: true, value: { pending: false, text: null } } : sent;
}
