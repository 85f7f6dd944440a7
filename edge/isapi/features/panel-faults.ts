import type { DeviceListItem } from '../../../protocol/wire/operations.ts';
import { document, failure, type IsapiFailure, type Result } from '../answer.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { sendJson } from '../json.ts';
import { clean, text, type XmlNode } from '../xml.ts';

export interface Fault {
  /** The panel's own word. */
  word: string;
  /** The zone that it is about, counted from 0. */
  zone: number | null;
  name: string | null;
}

const WORDS: Record<string, string> = {
  ACLoss: 'mains power is missing',
  lowBatteryVoltage: 'the battery is low',
  batteryMiss: 'the battery is missing',
  batteryFault: 'the battery is faulty',
  hostTamperEvident: 'the panel is opened',
  tamperEvident: 'a case is opened',
  devRemove: 'a device is missing',
  wirelessKeypadTamperEvident: 'a keypad is opened',
  wirelessSirenTamperEvident: 'a siren is opened',
  wirelessRepeaterTamperEvident: 'a repeater is opened',
  wirelessCardReaderTamperEvident: 'a card reader is opened',
  wirelessOutputModTamperEvident: 'an output module is opened',
  wirelessKeypadOffline: 'a keypad does not answer',
  wirelessSirenOffline: 'a siren does not answer',
  wirelessRepeaterOffline: 'a repeater does not answer',
  wirelessCardReaderOffline: 'a card reader does not answer',
  wirelessOutputModOffline: 'an output module does not answer',
  wiredNetAbnormal: 'the network cable or network fails',
  wifiAbnormal: 'the Wi-Fi fails',
  GPRSAbnormal: 'the mobile network fails',
  SIMCardAbnormal: 'the SIM card fails',
  RFAbnormal: 'the radio is disturbed',
  ipcDisconnect: 'a camera does not answer',
  IPCIPconflict: 'two cameras have the same address',
  zoneFault: 'a zone is faulty',
  trigger: 'open or triggered',
  offline: 'does not answer',
  breakDown: 'broken',
  heartbeatAbnormal: 'not heard of in time',
  zoneOffline: 'does not answer',
  zoneTamperEvident: 'opened',
  zoneTrigger: 'open or triggered',
  zoneTriggered: 'open or triggered',
  zoneTampered: 'opened',
};

/** A fault as a person says it. */
export function faultText(fault: Fault): string {
  const what = WORDS[fault.word] ?? fault.word.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  if (fault.zone === null) return fault.name ? `${fault.name}: ${what}` : what;
  return `zone ${fault.zone + 1}${fault.name ? ` (${fault.name})` : ''}: ${what}`;
}

export const faultItem = (fault: Fault, index: number): DeviceListItem => ({
  id: `${index + 1}`,
  name: faultText(fault).slice(0, 128),
  values: { kind: fault.word.slice(0, 64), ...(fault.zone === null ? {} : { number: fault.zone + 1 }) },
});

/** Every `info` of a fault document, wherever firmware puts it, with the zone that stands beside it. */
export function faultsIn(node: XmlNode, inZone = false, depth = 0): Fault[] {
  if (typeof node === 'string' || depth > 12) return [];
  const found: Fault[] = [];
  const word = clean(text(node, 'info') || text(node, 'faultType'), 64);
  if (word) {
    const id = text(node, 'zoneID') || text(node, 'zoneNo') || text(node, 'zone') || (inZone ? text(node, 'id') : '');
    found.push({ word, zone: /^\d{1,4}$/.test(id) ? Number(id) : null, name: clean(text(node, 'name'), 64) || null });
  }
  for (const [key, child] of Object.entries(node)) {
    for (const one of Array.isArray(child) ? child : [child])
      found.push(...faultsIn(one, /zone/i.test(key), depth + 1));
  }
  return found.slice(0, 64);
}

/** What keeps areas from being armed, or is amiss altogether (SecurityCP status/systemFault). */
export async function readFaults(
  device: IsapiDevice,
  areas: number[],
  operation: 'disArm' | 'away' | 'stay',
  signal?: AbortSignal,
): Promise<Result<Fault[]>> {
  const path = '/SecurityCP/status/systemFault?format=json';
  const body = { SubSysList: areas.map((id) => ({ SubSys: { id } })), operationStatus: operation };
  const answer = await sendJson(device, 'POST', path, body, signal);
  if (answer.ok) return { ok: true, value: faultsIn(answer.value) };
  // The same with plain numbers, as other firmware has it.
  if (!/^bad|Parameter/i.test(answer.subStatus ?? '')) return answer;
  const plain = await sendJson(device, 'POST', path, { ...body, SubSysList: areas }, signal);
  return plain.ok ? { ok: true, value: faultsIn(plain.value) } : plain;
}

const REFUSALS: Record<string, string> = {
  armingFailed: 'It could not be armed',
  disarmingFailed: 'It could not be disarmed',
  clearAlarmFailed: 'The alarm could not be silenced',
  armedStatus: 'It is armed: disarm it first',
  zoneNotSupport: 'This zone cannot do that',
  zoneFault: 'A zone is faulty',
  subSystemNotEnabled: 'This area is not in use',
  alarmingCannotBeArmed: 'There is an alarm: silence it first',
  lowPrivilege: 'This user may not do that on the panel',
};

/** What a panel said when it refused, with its list of faults put into words. */
export function refusal(failed: IsapiFailure & { body?: Buffer }): IsapiFailure {
  const { body, ...rest } = failed;
  const said = REFUSALS[failed.subStatus ?? ''];
  const node = body ? document(body, 'ResponseStatus') : null;
  const faults = node ? [...new Set(faultsIn(node).map(faultText))] : [];
  if (!said && faults.length === 0) return rest;
  const refused = said ?? 'It refused';
  const text = faults.length > 0 ? `${refused}: ${faults.join('; ')}.` : `${refused}.`;
  return failure('conflict', text, { status: failed.status, subStatus: failed.subStatus });
}
