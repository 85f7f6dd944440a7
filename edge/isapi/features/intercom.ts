import type { Resource } from '../../../protocol/wire/operations.ts';
import type { Feature, Offer } from '../../drivers/feature.ts';
import type { Result } from '../answer.ts';
import { categoryOf } from '../category.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { readJson } from '../json.ts';
import { clean, text } from '../xml.ts';
import { readDoors } from './access.ts';
import { choice, readOnly, words } from './fields.ts';

const CALL_STATUS = '/VideoIntercom/callStatus?format=json';
const CALLER = '/VideoIntercom/callerInfo?format=json';

export type CallState = 'idle' | 'ring' | 'onCall';

/** Whether somebody rings (VideoIntercom callStatus). */
export async function readCallState(device: IsapiDevice, signal?: AbortSignal): Promise<Result<CallState>> {
  const doc = await readJson(device, CALL_STATUS, signal);
  if (!doc.ok) return doc;
  const said = text(doc.value, 'CallStatus', 'status').toLowerCase();
  return { ok: true, value: said.startsWith('ring') ? 'ring' : said === 'oncall' ? 'onCall' : 'idle' };
}

export const isStation = (category: string): boolean => category === 'doorStation' || category === 'doorbell';

/** Door stations, doorbells and indoor stations (isapi.md §15; LINK-24, LINK-27, LINK-36). Their doors: {@link access}. */
export const intercom: Feature<IsapiDevice> = {
  async offer(device, signal): Promise<Offer> {
    const category = categoryOf(device.info);
    if (!isStation(category) && category !== 'indoorStation') return {};
    const asked = await readCallState(device, signal);
    const name = device.info.name || device.info.model;
    const resources: Resource[] = [];
    if (category === 'doorStation') {
      const opens = (await readDoors(device, signal))?.commands.includes('open') ?? false;
      resources.push({ kind: 'doorStation', id: '1', name, triggers: ['call'], actions: opens ? ['doorOpen'] : [] });
    } else if (category === 'doorbell') {
      resources.push({ kind: 'doorbell', id: '1', name, triggers: ['call', 'pirDetected'], actions: [] });
    }
    return { sections: asked.ok ? [{ section: 'intercom', channels: null }] : [], resources };
  },
  sections: {
    intercom: {
      async read(device, _at, signal) {
        const state = await readCallState(device, signal);
        if (!state.ok) return state;
        const caller = await readJson(device, CALLER, signal);
        const from = caller.ok
          ? ['buildingNo', 'unitNo', 'floorNo', 'devNo']
              .map((name) => clean(text(caller.value, 'CallerInfo', name), 16))
              .filter(Boolean)
              .join('-')
          : '';
        return {
          ok: true,
          value: [
            choice('callState', state.value, ['idle', 'ring', 'onCall'], readOnly),
            ...(caller.ok ? [words('caller', from || null, 64, readOnly)] : []),
          ],
        };
      },
    },
  },
};
