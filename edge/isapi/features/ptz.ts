import type { ActionName, ListName, Resource } from '../../../protocol/wire/operations.ts';
import type { Feature, Offer } from '../../drivers/feature.ts';
import { failure } from '../answer.ts';
import { Caps } from '../caps.ts';
import { putDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { encodeText } from '../xml-scan.ts';
import { ptzPaths } from './channel-paths.ts';
import { freePreset, noSuchPreset, PATROLS, PATTERNS, presetNumber, readPresets, readTours } from './ptz-lists.ts';
import { Moves, type SendOptions } from './ptz-moves.ts';

/** What one channel's camera can be turned by. */
interface Ptz {
  path: string;
  move: boolean;
  presets: boolean;
  patrols: boolean;
  patterns: boolean;
  home: boolean;
}

const most = (caps: Caps, ...names: string[]): number | null => {
  for (const name of names) {
    const cap = caps.at(name);
    if (cap && /^\d+$/.test(cap.text)) return Number(cap.text);
    if (cap && cap.max !== null) return cap.max;
  }
  return null;
};

/** Both spellings are in use. */
const said = (caps: Caps, ...names: string[]): boolean | null => {
  const word = names.map((name) => caps.at(name)?.text ?? '').find((w) => w !== '');
  return word === undefined ? null : /^true$/i.test(word);
};

/** What its capability document says; cameras that do not turn have one too. The root is misspelled on most (`PTZChanelCap`). */
async function readPtz(device: IsapiDevice, channel: number, signal?: AbortSignal): Promise<Ptz | null> {
  for (const path of ptzPaths(device, channel)) {
    const doc = await device.get(`${path}/capabilities`, signal);
    if (!doc.ok || !/^PTZChan/i.test(doc.value.root)) continue;
    const caps = new Caps(doc.value.source);
    const move = caps.has(/^(Continuous|Momentary|Relative|Absolute)\w*(PanTilt|Zoom|Pan|Tilt)/i);
    const [presets, patrols, patterns] = [
      most(caps, 'maxPresetNum', 'maxPresetsNum'),
      most(caps, 'maxPatrolNum', 'maxPatrolsNum'),
      most(caps, 'maxPatternNum', 'maxPatternsNum'),
    ];
    if (!move && !presets) return null;
    return {
      path,
      move,
      presets: presets === null ? await device.has(`${path}/presets`, signal) : presets > 0,
      patrols: patrols === null ? await device.has(`${path}/patrols`, signal) : patrols > 0,
      patterns: patterns === null ? await device.has(`${path}/patterns`, signal) : patterns > 0,
      home:
        said(caps, 'homePostionSupport', 'homePositionSupport') ?? (await device.has(`${path}/homeposition`, signal)),
    };
  }
  return null;
}

/** Where each channel is turned, as the offer found it: a stop has no time to look. */
class Places {
  readonly #found = new WeakMap<IsapiDevice, Map<number, string>>();

  keep(device: IsapiDevice, can: readonly [number, Ptz][]): void {
    this.#found.set(device, new Map(can.map(([channel, { path }]) => [channel, path])));
  }
  of(device: IsapiDevice, channel: number): string {
    return this.#found.get(device)?.get(channel) ?? ptzPaths(device, channel).at(-1)!;
  }
}

const focusPath = (channel: number): string => `/System/Video/inputs/channels/${channel}/focus`;
const percent = (speed: number): number => Math.round(Math.max(-1, Math.min(1, speed)) * 100);

async function command(device: IsapiDevice, path: string, body = '', signal?: AbortSignal, method?: 'DELETE') {
  const result = await putDocument(device, path, body, signal, { timeoutMs: 5_000, ...(method && { method }) });
  return result.ok ? DONE : result;
}
/** Says one speed, for {@link Moves}. */
const sender = (device: IsapiDevice, path: string, body: string) => (o: SendOptions) =>
  putDocument(device, path, body, o.signal, { timeoutMs: 5_000, last: o.last });
const DONE = { ok: true as const, value: { pending: false, text: null } };

/** Turning, zooming and focusing, presets, patrols and patterns (isapi.md §13). */
export function ptzFeature(): Feature<IsapiDevice> {
  const moves = new Moves();
  const places = new Places();
  return {
    async offer(device, signal) {
      const can: [number, Ptz][] = [];
      // Each channel is asked, because one camera of many may turn; two at a time, as the device takes them.
      for (let i = 0; i < device.channels.length && !signal?.aborted; i += 2) {
        const pair = device.channels.slice(i, i + 2).map(async ({ channel }): Promise<[number, Ptz][]> => {
          const found = await readPtz(device, channel, signal);
          return found ? [[channel, found]] : [];
        });
        can.push(...(await Promise.all(pair)).flat());
      }
      places.keep(device, can);
      const focus: number[] = [];
      for (const [channel] of can) if (await device.has(focusPath(channel), signal)) focus.push(channel);
      return offerOf(can, focus);
    },
    lists: {
      presets: (device, at, signal) => readPresets(device, places.of(device, at.channel ?? 1), signal),
      patrols: (device, at, signal) => readTours(device, places.of(device, at.channel ?? 1), PATROLS, signal),
      patterns: (device, at, signal) => readTours(device, places.of(device, at.channel ?? 1), PATTERNS, signal),
    },
    actions: {
      async ptzMove(device, { channel, pan, tilt, zoom, ms }, signal) {
        const path = `${places.of(device, channel)}/continuous`;
        const moved = await moves.start(device, `ptz ${channel}`, {
          move: sender(device, path, ptzData(percent(pan), percent(tilt), percent(zoom))),
          stop: sender(device, path, ptzData(0, 0, 0)),
          ms,
          signal,
        });
        return moved.ok ? { ok: true, value: { pending: ms === undefined, text: null } } : moved;
      },
      async ptzStop(device, { channel }) {
        const path = `${places.of(device, channel)}/continuous`;
        const stopped = await moves.stop(device, `ptz ${channel}`, sender(device, path, ptzData(0, 0, 0)));
        return stopped.ok ? DONE : stopped;
      },
      async focus(device, { channel, speed, ms }, signal) {
        const send = (to: number) => sender(device, focusPath(channel), `<FocusData><focus>${to}</focus></FocusData>`);
        const moved = await moves.start(device, `focus ${channel}`, {
          move: send(percent(speed)),
          stop: send(0),
          ms,
          signal,
        });
        return moved.ok ? { ok: true, value: { pending: ms === undefined, text: null } } : moved;
      },
      async ptzHome(device, { channel }, signal) {
        return command(device, `${places.of(device, channel)}/homeposition/goto`, '', signal);
      },
      async presetCall(device, { channel, preset }, signal) {
        const n = presetNumber(preset);
        if (n === null) return noSuchPreset();
        return command(device, `${places.of(device, channel)}/presets/${n}/goto`, '', signal);
      },
      async presetSet(device, { channel, preset, name }, signal) {
        const before = await readPresets(device, places.of(device, channel), signal);
        if (!before.ok) return before;
        const n = preset === null ? freePreset(before.value) : presetNumber(preset);
        if (n === null) return preset === null ? failure('conflict', 'All its presets are in use.') : noSuchPreset();
        const body = `<PTZPreset><id>${n}</id><presetName>${encodeText(name)}</presetName></PTZPreset>`;
        const set = await command(device, `${places.of(device, channel)}/presets/${n}`, body, signal);
        if (!set.ok) return set;
        const after = await readPresets(device, places.of(device, channel), signal);
        if (!after.ok) return after;
        const kept = after.value.find((p) => p.id === String(n));
        if (!kept) return failure('device-error', 'It said yes and kept no such preset.');
        return { ok: true, value: { pending: false, text: `${n}: ${kept.name}` } };
      },
      async presetDelete(device, { channel, preset }, signal) {
        const n = presetNumber(preset);
        if (n === null) return noSuchPreset();
        const path = `${places.of(device, channel)}/presets/${n}`;
        const deleted = await command(device, path, '', signal, 'DELETE');
        if (!deleted.ok) return deleted;
        const after = await readPresets(device, places.of(device, channel), signal);
        const still = after.ok && after.value.some((p) => p.id === String(n));
        return still ? failure('device-error', 'It said yes and kept the preset.') : DONE;
      },
      patrolStart: (device, a, signal) =>
        command(device, `${places.of(device, a.channel)}/patrols/${a.patrol}/start`, '', signal),
      patrolStop: (device, a, signal) =>
        command(device, `${places.of(device, a.channel)}/patrols/${a.patrol}/stop`, '', signal),
      patternRun: (device, a, signal) =>
        command(device, `${places.of(device, a.channel)}/patterns/${a.pattern}/run`, '', signal),
      patternStop: (device, a, signal) =>
        command(device, `${places.of(device, a.channel)}/patterns/${a.pattern}/stop`, '', signal),
    },
  };
}

const ptzData = (pan: number, tilt: number, zoom: number): string =>
  `<PTZData><pan>${pan}</pan><tilt>${tilt}</tilt><zoom>${zoom}</zoom></PTZData>`;

/** No capture proves PTZ; two independent programs use these paths. */
function offerOf(can: [number, Ptz][], focus: number[]): Offer {
  const those = (what: keyof Ptz) => can.filter(([, ptz]) => ptz[what]).map(([channel]) => channel);
  const actions: [ActionName[], number[]][] = [
    [['ptzMove', 'ptzStop'], those('move')],
    [['ptzHome'], those('home')],
    [['focus'], focus],
    [['presetCall', 'presetSet', 'presetDelete'], those('presets')],
    [['patrolStart', 'patrolStop'], those('patrols')],
    [['patternRun', 'patternStop'], those('patterns')],
  ];
  const lists = (['presets', 'patrols', 'patterns'] as const satisfies ListName[])
    .map((name) => ({ list: name, channels: those(name) }))
    .filter(({ channels }) => channels.length > 0);
  const offered = actions.flatMap(([names, channels]) =>
    channels.length > 0 ? names.map((action) => ({ action, channels })) : [],
  );
  const resources = can.map(
    ([channel, ptz]): Resource => ({
      kind: 'camera',
      id: String(channel),
      name: '',
      triggers: [],
      actions: [
        ...(ptz.presets ? (['presetCall'] as const) : []),
        ...(ptz.patrols ? (['patrolStart'] as const) : []),
        ...(ptz.patterns ? (['patternRun'] as const) : []),
      ],
    }),
  );
  const unverified = [...offered.map(({ action }) => action), ...lists.map((l) => l.list)];
  return { lists, actions: offered, resources, unverified };
}
