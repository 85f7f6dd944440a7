import type { ActionDone } from '../../../protocol/wire/operations.ts';
import { failure, type Result } from '../answer.ts';
import { type IsapiDevice, isAbsent } from '../isapi-device.ts';
import { sendJson } from '../json.ts';
import { type Fault, faultText, readFaults, refusal } from './panel-faults.ts';
import { readAreas, readZones } from './panel-status.ts';

/** How the panel's API names all areas at once. */
const ALL = '0xffffffff';

const done = (text: string | null = null): Result<ActionDone> => ({ ok: true, value: { pending: false, text } });

async function put(
  device: IsapiDevice,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Result<ActionDone>> {
  const answer = await sendJson(device, 'PUT', path, body, signal);
  return answer.ok ? done() : refusal(answer);
}

const areaPath = (area: number): string => (area === 0 ? ALL : String(area));

/**
 * Arms an area (0: all). The panel is asked first what is amiss: an area that is not armed must not look so. `force`
 * bypasses the zones that are open or faulty; other faults are left to the panel to accept or refuse.
 */
export async function arm(
  device: IsapiDevice,
  ways: 'away' | 'stay',
  area: number,
  force: boolean,
  signal?: AbortSignal,
): Promise<Result<ActionDone>> {
  const areas = await readAreas(device, signal);
  if (!areas.ok) return areas;
  const wanted = areas.value.filter((a) => a.enabled && (area === 0 || a.id === area));
  if (wanted.length === 0) return failure('not-found', 'It has no such area in use.');
  const ids = wanted.map((a) => a.id);
  const faults = await readFaults(device, ids, ways, signal);
  // A panel that cannot be asked decides alone.
  const amiss = faults.ok ? faults.value : [];
  const told = [...new Set(amiss.map(faultText))];
  if (told.length > 0 && !force) return failure('conflict', `It was not armed: ${told.join('; ')}.`);
  const bypassed: number[] = [];
  if (force) {
    const open = await openZones(device, ids, amiss, signal);
    if (!open.ok) return open;
    for (const zone of open.value) {
      const result = await put(device, `/SecurityCP/control/bypass/${zone}?format=json`, null, signal);
      if (!result.ok)
        return { ...result, text: `Zone ${zone + 1} could not be bypassed, so it was not armed. ${result.text}` };
      bypassed.push(zone + 1);
    }
  }
  const armed = await put(device, `/SecurityCP/control/arm/${areaPath(area)}?ways=${ways}&format=json`, null, signal);
  if (!armed.ok) return armed;
  const notes = [
    ...(bypassed.length > 0 ? [`Bypassed: zone ${bypassed.join(', ')}.`] : []),
    ...(told.length > 0 ? [`Armed in spite of: ${told.join('; ')}.`] : []),
  ];
  return done(notes.join(' ').slice(0, 512) || null);
}

/** Zones of these areas that would keep them from being armed and are not bypassed yet. */
async function openZones(
  device: IsapiDevice,
  areas: number[],
  faults: Fault[],
  signal?: AbortSignal,
): Promise<Result<number[]>> {
  const zones = await readZones(device, signal);
  if (!zones.ok) return zones;
  const named = new Set(faults.map((f) => f.zone));
  const open = zones.value.filter(
    (z) =>
      !z.bypassed &&
      (named.has(z.id) ||
        ((z.area === null || areas.includes(z.area)) &&
          /^(trigger|offline|breakDown|heartbeatAbnormal)$/.test(z.status))),
  );
  return { ok: true, value: open.map((z) => z.id) };
}

export const disarm = (device: IsapiDevice, area: number, signal?: AbortSignal): Promise<Result<ActionDone>> =>
  put(device, `/SecurityCP/control/disarm/${areaPath(area)}?format=json`, null, signal);

export const silence = (device: IsapiDevice, area: number, signal?: AbortSignal): Promise<Result<ActionDone>> =>
  put(device, `/SecurityCP/control/clearAlarm/${areaPath(area)}?format=json`, null, signal);

export const bypass = (device: IsapiDevice, zone: number, signal?: AbortSignal): Promise<Result<ActionDone>> =>
  put(device, `/SecurityCP/control/bypass/${zone}?format=json`, null, signal);

/** Older firmware spells it with a capital R, newer knows only the other way round. */
export async function unbypass(device: IsapiDevice, zone: number, signal?: AbortSignal): Promise<Result<ActionDone>> {
  const path = (word: string) => `/SecurityCP/control/${word}/${zone}?format=json`;
  const first = await sendJson(device, 'PUT', path('Recoverbypass'), null, signal);
  if (first.ok) return done();
  return isAbsent(first) ? put(device, path('bypassRecover'), null, signal) : refusal(first);
}

export const setOutput = (
  device: IsapiDevice,
  output: string,
  active: boolean,
  signal?: AbortSignal,
): Promise<Result<ActionDone>> =>
  /^\d{1,5}$/.test(output)
    ? put(
        device,
        `/SecurityCP/control/outputs/${output}?format=json`,
        { OutputsCtrl: { switch: active ? 'open' : 'close' } },
        signal,
      )
    : Promise.resolve(failure('not-found', 'It has no such output.'));
