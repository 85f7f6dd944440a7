import type { Resource } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import type { Result } from '../../isapi/answer.ts';
import { clean } from '../../isapi/xml.ts';
import { done, isFault, type OnvifDevice } from '../onvif-device.ts';
import { all, attribute, textAt, xmlText } from '../tree.ts';

interface Output {
  token: string;
  mode: string;
  delay: string;
  by: 'deviceIo' | 'device';
}

const MAX_CONNECTORS = 256;

/** Relay outputs: of the I/O service where it has one, else of the device service. */
async function outputs(device: OnvifDevice, signal?: AbortSignal): Promise<Result<Output[]>> {
  const from = async (by: Output['by']): Promise<Result<Output[]>> => {
    const answer = await device.call(by, by === 'deviceIo' ? '<tmd:GetRelayOutputs/>' : '<tds:GetRelayOutputs/>', {
      signal,
    });
    if (!answer.ok) return answer;
    const value = all(answer.value, 'RelayOutputs').flatMap((r): Output[] => {
      const token = attribute(r, 'token').slice(0, 64);
      const part = (name: string) => clean(textAt(r, 'Properties', name), 32);
      return token === '' ? [] : [{ token, mode: part('Mode'), delay: part('DelayTime'), by }];
    });
    return { ok: true, value: value.slice(0, MAX_CONNECTORS) };
  };
  const own = await from('deviceIo');
  if ((own.ok && own.value.length > 0) || (!own.ok && !isFault(own))) return own;
  const general = await from('device');
  return general.ok || !own.ok ? general : own;
}

/** Tokens of the digital inputs, in the order that counts them. */
export async function inputs(device: OnvifDevice, signal?: AbortSignal): Promise<string[]> {
  if (!device.has('deviceIo')) return [];
  const answer = await device.call('deviceIo', '<tmd:GetDigitalInputs/>', { signal });
  if (!answer.ok) return [];
  return all(answer.value, 'DigitalInputs')
    .map((i) => attribute(i, 'token').slice(0, 64))
    .filter((token) => token !== '')
    .slice(0, MAX_CONNECTORS);
}

/** Relay outputs and digital inputs (onvif.md §4.4). */
export const inputsOutputs: Feature<OnvifDevice> = {
  async offer(device, signal) {
    const [out, into] = [await outputs(device, signal), await inputs(device, signal)];
    const relays = out.ok ? out.value : [];
    const resources: Resource[] = [
      ...relays.map(
        ({ token }, i): Resource => ({
          kind: 'alarmOutput',
          id: token,
          name: `Output ${i + 1}`,
          triggers: [],
          actions: ['alarmOutput'],
        }),
      ),
      ...into.map(
        (_, i): Resource => ({
          kind: 'alarmInput',
          id: String(i + 1),
          name: `Input ${i + 1}`,
          triggers: ['alarmInput'],
          actions: [],
        }),
      ),
    ];
    return {
      lists: [
        ...(relays.length > 0 ? [{ list: 'alarmOutputs', channels: null } as const] : []),
        ...(into.length > 0 ? [{ list: 'alarmInputs', channels: null } as const] : []),
      ],
      actions: relays.length > 0 ? [{ action: 'alarmOutput', channels: null }] : [],
      resources,
      unverified: [
        ...(relays.length > 0 ? ['alarmOutput', 'alarmOutputs'] : []),
        ...(into.length > 0 ? ['alarmInputs'] : []),
      ],
    };
  },
  lists: {
    async alarmOutputs(device, _at, signal) {
      const found = await outputs(device, signal);
      if (!found.ok) return found;
      const value = found.value.map(({ token, mode, delay }, i) => ({
        id: token,
        name: `Output ${i + 1}`,
        values: { mode: mode || null, delay: delay || null },
      }));
      return { ok: true, value };
    },
    async alarmInputs(device, _at, signal) {
      const tokens = await inputs(device, signal);
      return {
        ok: true,
        value: tokens.map((_, i) => ({ id: String(i + 1), name: `Input ${i + 1}`, values: {} })),
      };
    },
  },
  actions: {
    async alarmOutput(device, { output, active }, signal) {
      const found = await outputs(device, signal);
      if (!found.ok) return found;
      const relay = found.value.find((r) => r.token === output) ?? found.value[Number(output) - 1];
      if (!relay) return { ok: false, code: 'not-found', text: 'It has no such output.' };
      const name = relay.by === 'deviceIo' ? 'tmd' : 'tds';
      const answer = await device.call(
        relay.by,
        `<${name}:SetRelayOutputState><${name}:RelayOutputToken>${xmlText(relay.token)}</${name}:RelayOutputToken><${name}:LogicalState>${active ? 'active' : 'inactive'}</${name}:LogicalState></${name}:SetRelayOutputState>`,
        { signal },
      );
      return answer.ok ? done(relay.mode === 'Monostable' ? 'It falls back by itself.' : null) : answer;
    },
  },
};
