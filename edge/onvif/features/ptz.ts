import type { DeviceAction } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../../isapi/answer.ts';
import { clean } from '../../isapi/xml.ts';
import { done, isFault, type OnvifDevice } from '../onvif-device.ts';
import { all, attribute, first, textAt, xmlText } from '../tree.ts';

/** Nothing moves longer than this, whoever forgets to stop it. */
const LONGEST_MS = 10_000;
/** Some devices have room for hundreds and list the empty places. */
const MAX_PRESETS = 300;

/** The profile that moves a channel's camera; undefined: it cannot be moved. */
const mover = (device: OnvifDevice, channel: number): string | undefined =>
  device.source(channel)?.profiles.find((p) => p.ptz !== '')?.token;
const movers = (device: OnvifDevice): number[] =>
  device.has('ptz') ? device.media.sources.map((s) => s.channel).filter((c) => mover(device, c) !== undefined) : [];

/** `body` names the profile as its first element. */
function ask(device: OnvifDevice, channel: number, name: string, more = '', signal?: AbortSignal, alone?: 'last') {
  const token = mover(device, channel);
  if (token === undefined) return Promise.resolve(failure('not-found', 'This channel cannot be moved.'));
  return device.call(
    'ptz',
    `<tptz:${name}><tptz:ProfileToken>${xmlText(token)}</tptz:ProfileToken>${more}</tptz:${name}>`,
    { signal, alone },
  );
}

const told = (result: Awaited<ReturnType<typeof ask>>) => (result.ok ? done() : result);
const stop = (device: OnvifDevice, channel: number, signal?: AbortSignal, alone?: 'last') =>
  ask(device, channel, 'Stop', '<tptz:PanTilt>true</tptz:PanTilt><tptz:Zoom>true</tptz:Zoom>', signal, alone);
const preset = (token: string) => `<tptz:PresetToken>${xmlText(token)}</tptz:PresetToken>`;

/** The stop that is due, when the connection is closed at the latest; a new move replaces the former one's. */
function stopAfter(device: OnvifDevice, channel: number, ms: number | null): void {
  device.stops.get(channel)?.();
  device.stops.delete(channel);
  if (ms === null) return;
  const over = device.client.lastWords.due(() => {
    cancel();
    return stop(device, channel, undefined, 'last');
  });
  const cancel = device.clock.after(ms, () => void stop(device, channel).then(over));
  device.stops.set(channel, () => {
    cancel();
    over();
  });
}

type Move = Extract<DeviceAction, { action: 'ptzMove' }>;

/** ContinuousMove with a time-out of the device's own, and a Stop of ours: some devices know only one of them. */
async function move(device: OnvifDevice, { channel, pan, tilt, zoom, ms }: Move, signal?: AbortSignal) {
  const lasting = Math.min(ms ?? LONGEST_MS, LONGEST_MS);
  if (pan === 0 && tilt === 0 && zoom === 0) {
    stopAfter(device, channel, null);
    return told(await stop(device, channel, signal));
  }
  const velocity = `<tptz:Velocity>${pan !== 0 || tilt !== 0 ? `<tt:PanTilt x="${pan}" y="${tilt}"/>` : ''}${zoom !== 0 ? `<tt:Zoom x="${zoom}"/>` : ''}</tptz:Velocity>`;
  // Whole seconds, at least one: our own Stop comes in time.
  const timeout = `<tptz:Timeout>PT${Math.ceil(lasting / 1000)}S</tptz:Timeout>`;
  let moved = await ask(device, channel, 'ContinuousMove', velocity + timeout, signal);
  if (!moved.ok && isFault(moved) && moved.subStatus !== 'NotAuthorized') {
    moved = await ask(device, channel, 'ContinuousMove', velocity, signal);
  }
  // Also after a failure: a move whose answer got lost goes on.
  if (moved.ok || moved.code === 'device-unreachable') stopAfter(device, channel, lasting);
  return told(moved);
}

/** Moving a camera, its presets and its home position (onvif.md §5). */
export const ptz: Feature<OnvifDevice> = {
  async offer(device) {
    const channels = movers(device);
    if (channels.length === 0) return {};
    const actions = ['ptzMove', 'ptzStop', 'ptzHome', 'presetCall', 'presetSet', 'presetDelete'] as const;
    return {
      lists: [{ list: 'presets', channels }],
      actions: actions.map((action) => ({ action, channels })),
      unverified: ['ptzHome', 'presetSet', 'presetDelete'],
    };
  },
  lists: {
    async presets(device, at, signal) {
      const answer = await ask(device, at.channel ?? 1, 'GetPresets', '', signal);
      if (!answer.ok) return answer;
      const presets = all(answer.value, 'Preset').map((p) => ({
        id: attribute(p, 'token').slice(0, 64),
        name: clean(textAt(p, 'Name'), 128),
        placed: first(p, 'PTZPosition') !== undefined,
      }));
      // Where positions are told, one without is an empty place.
      const positions = presets.some((p) => p.placed);
      const value = presets
        .filter((p) => p.id !== '' && p.name !== '' && (p.placed || !positions))
        .slice(0, MAX_PRESETS)
        .map(({ id, name }) => ({ id, name, values: {} }));
      return { ok: true, value };
    },
  },
  actions: {
    ptzMove: move,
    async ptzStop(device, { channel }, signal) {
      stopAfter(device, channel, null);
      return told(await stop(device, channel, signal));
    },
    ptzHome: async (device, { channel }, signal) => told(await ask(device, channel, 'GotoHomePosition', '', signal)),
    presetCall: async (device, { channel, preset: token }, signal) =>
      told(await ask(device, channel, 'GotoPreset', preset(token), signal)),
    async presetSet(
      device,
      { channel, preset: token, name },
      signal,
    ): Promise<Result<ReturnType<typeof done>['value']>> {
      const more = `<tptz:PresetName>${xmlText(name)}</tptz:PresetName>${token === null ? '' : preset(token)}`;
      return told(await ask(device, channel, 'SetPreset', more, signal));
    },
    presetDelete: async (device, { channel, preset: token }, signal) =>
      told(await ask(device, channel, 'RemovePreset', preset(token), signal)),
  },
};
