import type { ActionDone, ActionName, DeviceListItem, Resource } from '../../../protocol/wire/operations.ts';
import type { Feature, Offer } from '../../drivers/feature.ts';
import { failure, judge, type Result } from '../answer.ts';
import { Caps } from '../caps.ts';
import { categoryOf } from '../category.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { numberAt, readJson } from '../json.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';
import { compact } from './panel-status.ts';

const DOORS = '/AccessControl/RemoteControl/door';
const STATUS = '/AccessControl/AcsWorkStatus?format=json';
/** All doors of a controller at once. */
const ALL_DOORS = 65_535;
const MAX_DOORS = 64;
const MAX_NAMED = 8;
/** Our actions and the device's commands for them. */
const COMMANDS = {
  doorOpen: 'open',
  doorRemainOpen: 'alwaysOpen',
  doorRemainClosed: 'alwaysClose',
  doorResume: 'resume',
} as const satisfies Partial<Record<ActionName, string>>;

export interface Doors {
  first: number;
  last: number;
  commands: string[];
}

/** Its doors and what can be done to them (RemoteControl/door/capabilities); null: it has none that can be operated. */
export async function readDoors(device: IsapiDevice, signal?: AbortSignal): Promise<Doors | null> {
  const doc = await device.get(`${DOORS}/capabilities`, signal);
  if (!doc.ok) return null;
  const caps = new Caps(doc.value.source);
  const [number, command] = [caps.at('doorNo'), caps.at('cmd')];
  const first = number?.min ?? 1;
  const last = Math.min(number?.max ?? first, first + MAX_DOORS - 1);
  return { first, last, commands: command?.options.length ? command.options : ['open'] };
}

/** What the device calls its doors; devices without names, and the rest of many, get a number. */
async function names(device: IsapiDevice, doors: Doors, signal?: AbortSignal): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (let door = doors.first; door <= doors.last; door++) {
    const doc = door < doors.first + MAX_NAMED ? await device.get(`/AccessControl/Door/param/${door}`, signal) : null;
    found.set(door, (doc?.ok ? clean(text(doc.value.node, 'doorName'), 128) : '') || `Door ${door}`);
  }
  return found;
}

/** Doors of access controllers, door stations and doorbells (isapi.md §15; LINK-22, LINK-35). */
export const access: Feature<IsapiDevice> = {
  async offer(device, signal): Promise<Offer> {
    const category = categoryOf(device.info);
    if (!['accessController', 'doorStation', 'doorbell', 'indoorStation', 'other'].includes(category)) return {};
    const doors = await readDoors(device, signal);
    if (!doors) return category === 'accessController' ? { resources: [controller(device)] } : {};
    const can = (Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]).filter((a) =>
      doors.commands.includes(COMMANDS[a]),
    );
    const named = await names(device, doors, signal);
    const linkable = can.filter((a) => a !== 'doorResume');
    const resources: Resource[] =
      category === 'accessController' || category === 'other'
        ? [
            controller(device),
            ...[...named].map(
              ([door, name]): Resource => ({
                kind: 'door',
                id: String(door),
                name,
                triggers: ['doorOpened', 'doorForced', 'doorHeldOpen', 'doorUnlocked', 'deviceTamper'],
                actions: linkable,
              }),
            ),
          ]
        : [];
    return {
      lists: [{ list: 'doors', channels: null }],
      actions: can.map((action) => ({ action, channels: null })),
      resources,
      unverified: ['doors'],
    };
  },

  lists: {
    async doors(device, _at, signal) {
      const doors = await readDoors(device, signal);
      if (!doors) return failure('not-found', 'It has no doors.');
      const status = await readJson(device, STATUS, signal);
      const state = status.ok ? (list(status.value, 'AcsWorkStatus')[0] ?? status.value) : '';
      const named = await names(device, doors, signal);
      const value = [...named].map(
        ([door, name]): DeviceListItem => ({ id: String(door), name, values: doorState(state, door - doors.first) }),
      );
      return { ok: true, value };
    },
  },

  actions: {
    doorOpen: (device, { door }, signal) => command(device, door, 'open', signal),
    doorRemainOpen: (device, { door }, signal) => command(device, door, 'alwaysOpen', signal),
    doorRemainClosed: (device, { door }, signal) => command(device, door, 'alwaysClose', signal),
    doorResume: (device, { door }, signal) => command(device, door, 'resume', signal),
  },
};

const controller = (device: IsapiDevice): Resource => ({
  kind: 'accessController',
  id: '1',
  name: device.info.name || device.info.model,
  triggers: ['networkDisconnected', 'deviceTamper'],
  actions: [],
});

/** Codes as the maker's SDK counts them; the arrays have a place a door. */
const LOCK = ['locked', 'unlocked', 'shortCircuit', 'brokenCircuit', 'exception'];
const CONTACT = ['closed', 'open', 'shortCircuit', 'brokenCircuit', 'exception'];
const MODE = ['', 'sleeping', 'remainOpen', 'remainClosed', 'normal'];

function doorState(state: XmlNode, at: number): DeviceListItem['values'] {
  const word = (name: string, words: string[]) => {
    const code = numberAt(list(state, name)[at] ? { code: list(state, name)[at]! } : '', 'code');
    return code === null ? null : (words[code] ?? String(code));
  };
  return compact({
    lock: word('doorLockStatus', LOCK),
    contact: word('magneticStatus', CONTACT),
    mode: word('doorStatus', MODE),
  });
}

/** Without version and namespace some devices say OK and the relay does not move. */
async function command(
  device: IsapiDevice,
  door: number,
  cmd: string,
  signal?: AbortSignal,
): Promise<Result<ActionDone>> {
  const doors = await readDoors(device, signal);
  if (!doors) return failure('not-found', 'It has no doors.');
  const there = door === ALL_DOORS || (door >= doors.first && door <= doors.last);
  if (!there) return failure('not-found', `It has doors ${doors.first} to ${doors.last}.`);
  const body = `<RemoteControlDoor version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><cmd>${cmd}</cmd></RemoteControlDoor>`;
  const answer = await device.client.request('PUT', `${DOORS}/${door}`, { body: Buffer.from(body), signal });
  if (!answer.ok) return answer;
  return judge(answer.value) ?? { ok: true, value: { pending: false, text: null } };
}
