import type { FieldValue, SettingField, Target } from '../../../protocol/wire/operations.ts';
import type { Feature, SectionHandler } from '../../drivers/feature.ts';
import { failure, type Result } from '../../isapi/answer.ts';
import { bool, choice, num } from '../../isapi/features/fields.ts';
import { done, type OnvifDevice } from '../onvif-device.ts';
import { booleanOf } from '../soap.ts';
import { all, copy, type Element, first, NS, numberAt, serialize, xmlText } from '../tree.ts';

/** `words`: the device's own words by ours; a leaf of `on` and `off` is a switch. */
interface Leaf {
  name: string;
  path: string[];
  words?: Record<string, string>;
  toggle?: true;
}

const PICTURE: Leaf[] = [
  { name: 'brightness', path: ['Brightness'] },
  { name: 'contrast', path: ['Contrast'] },
  { name: 'saturation', path: ['ColorSaturation'] },
  { name: 'sharpness', path: ['Sharpness'] },
  { name: 'dayNight', path: ['IrCutFilter'], words: { day: 'ON', night: 'OFF', auto: 'AUTO' } },
];
const BACKLIGHT: Leaf[] = [
  { name: 'blc', path: ['BacklightCompensation', 'Mode'], words: { on: 'ON', off: 'OFF' }, toggle: true },
  { name: 'blcLevel', path: ['BacklightCompensation', 'Level'] },
  { name: 'wdr', path: ['WideDynamicRange', 'Mode'], words: { on: 'ON', off: 'OFF' } },
  { name: 'wdrLevel', path: ['WideDynamicRange', 'Level'] },
];
/** Where the options of a leaf stand under another name. */
const OPTION_NAMES: Record<string, string> = { IrCutFilter: 'IrCutFilterModes' };

const sourceToken = (device: OnvifDevice, channel: number | undefined): string | null =>
  device.source(channel)?.token || null;
const naming = (token: string) => `<timg:VideoSourceToken>${xmlText(token)}</timg:VideoSourceToken>`;

/** GetImagingSettings of a channel, and what its values may be where it says so. */
async function readImaging(
  device: OnvifDevice,
  channel: number | undefined,
  signal?: AbortSignal,
): Promise<Result<{ token: string; settings: Element; options: Element | undefined }>> {
  const token = sourceToken(device, channel);
  if (token === null) return failure('not-found', 'It has no such channel.');
  const answer = await device.call('imaging', `<timg:GetImagingSettings>${naming(token)}</timg:GetImagingSettings>`, {
    signal,
  });
  if (!answer.ok) return answer;
  const settings = first(answer.value, 'ImagingSettings');
  if (!settings) return failure('device-error', 'It does not tell its picture settings.');
  const asked = await device.call('imaging', `<timg:GetOptions>${naming(token)}</timg:GetOptions>`, { signal });
  return { ok: true, value: { token, settings, options: asked.ok ? first(asked.value, 'ImagingOptions') : undefined } };
}

function fieldsOf(leaves: Leaf[], settings: Element, options: Element | undefined): SettingField[] {
  return leaves.flatMap(({ name, path, words, toggle }): SettingField[] => {
    const element = first(settings, ...path);
    if (!element) return [];
    const named = [...path.slice(0, -1), OPTION_NAMES[path.at(-1)!] ?? path.at(-1)!];
    if (!words) {
      const range = first(options, ...named);
      return [num(name, numberAt(settings, ...path), [numberAt(range, 'Min'), numberAt(range, 'Max')])];
    }
    if (toggle) return [bool(name, booleanOf(element.text))];
    const ours = (theirs: string) => Object.keys(words).find((w) => words[w] === theirs.toUpperCase());
    const offered = all(options, ...named).flatMap((o) => ours(o.text) ?? []);
    return [choice(name, ours(element.text) ?? null, offered.length > 0 ? offered : Object.keys(words))];
  });
}

const written = ({ words, toggle }: Leaf, value: FieldValue | undefined): string =>
  toggle ? (value === true ? 'ON' : 'OFF') : (words?.[String(value)] ?? String(value));

/** The settings go back whole, with what is to change; only what is there is changed. */
async function writeImaging(
  device: OnvifDevice,
  at: Target,
  leaves: Leaf[],
  set: Record<string, FieldValue>,
  signal?: AbortSignal,
): Promise<Result<{ rebootRequired: boolean }>> {
  const read = await readImaging(device, at.channel, signal);
  if (!read.ok) return read;
  const { token, settings } = read.value;
  const wanted = copy(settings);
  wanted.ns = NS.timg;
  for (const leaf of leaves) {
    const element = leaf.name in set ? first(wanted, ...leaf.path) : undefined;
    if (element) element.text = written(leaf, set[leaf.name]);
  }
  const answer = await device.call(
    'imaging',
    `<timg:SetImagingSettings>${naming(token)}${serialize(wanted)}<timg:ForcePersistence>true</timg:ForcePersistence></timg:SetImagingSettings>`,
    { signal },
  );
  return answer.ok ? { ok: true, value: { rebootRequired: false } } : answer;
}

const section = (leaves: Leaf[]): SectionHandler<OnvifDevice> => ({
  async read(device, at, signal) {
    const read = await readImaging(device, at.channel, signal);
    return read.ok ? { ok: true, value: fieldsOf(leaves, read.value.settings, read.value.options) } : read;
  },
  write: (device, at, set, _fields, signal) => writeImaging(device, at, leaves, set, signal),
});

const focusStop = (device: OnvifDevice, token: string) =>
  device.call('imaging', `<timg:Stop>${naming(token)}</timg:Stop>`);

/** Picture, backlight and focus (imaging service). */
export const imaging: Feature<OnvifDevice> = {
  async offer(device, signal) {
    if (!device.has('imaging')) return {};
    const channels = { picture: [] as number[], backlight: [] as number[], focus: [] as number[] };
    for (const { channel, token } of device.media.sources) {
      const read = await readImaging(device, channel, signal);
      if (!read.ok) continue;
      const { settings, options } = read.value;
      if (fieldsOf(PICTURE, settings, options).length > 0) channels.picture.push(channel);
      if (fieldsOf(BACKLIGHT, settings, options).length > 0) channels.backlight.push(channel);
      if (!first(settings, 'Focus')) continue;
      const moves = await device.call('imaging', `<timg:GetMoveOptions>${naming(token)}</timg:GetMoveOptions>`, {
        signal,
      });
      if (moves.ok && first(moves.value, 'MoveOptions', 'Continuous')) channels.focus.push(channel);
    }
    const { picture, backlight, focus } = channels;
    return {
      sections: [
        ...(picture.length > 0 ? [{ section: 'picture', channels: picture } as const] : []),
        ...(backlight.length > 0 ? [{ section: 'backlight', channels: backlight } as const] : []),
      ],
      actions: focus.length > 0 ? [{ action: 'focus', channels: focus }] : [],
      unverified: [...(backlight.length > 0 ? ['backlight'] : []), ...(focus.length > 0 ? ['focus'] : [])],
    };
  },
  sections: { picture: section(PICTURE), backlight: section(BACKLIGHT) },
  actions: {
    async focus(device, { channel, speed, ms }, signal) {
      const token = sourceToken(device, channel);
      if (token === null) return failure('not-found', 'It has no such channel.');
      if (speed === 0) {
        const stopped = await focusStop(device, token);
        return stopped.ok ? done() : stopped;
      }
      const answer = await device.call(
        'imaging',
        `<timg:Move>${naming(token)}<timg:Focus><tt:Continuous><tt:Speed>${speed}</tt:Speed></tt:Continuous></timg:Focus></timg:Move>`,
        { signal },
      );
      if (!answer.ok) return answer;
      device.clock.after(ms ?? 1_000, () => void focusStop(device, token));
      return done();
    },
  },
};
