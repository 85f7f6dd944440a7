import type { DeviceListItem, SettingField } from '../../../protocol/wire/operations.ts';
import type { Feature, Offer } from '../../drivers/feature.ts';
import { failure, type Result } from '../answer.ts';
import { categoryOf } from '../category.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { numberAt, readJson, sendJson } from '../json.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';
import { choice, num } from './fields.ts';

const AUDIO = '/Event/triggers/notifications/AudioAlarm';
const SETTINGS = `${AUDIO}?format=json`;
const CAPABILITIES = `${AUDIO}/capabilities?format=json`;

/** Sounds that it holds, its own and those that were uploaded (AudioAlarm capabilities); names vary with the firmware. */
async function readSounds(device: IsapiDevice, signal?: AbortSignal): Promise<Result<DeviceListItem[]>> {
  const doc = await readJson(device, CAPABILITIES, signal);
  if (!doc.ok) return doc;
  const caps = list(doc.value, 'AudioAlarmCap')[0] ?? doc.value;
  const nodes = ['audioTypeListCap', 'AlertAudioTypeListCap', 'customAudioListCap', 'CustomAudioList'].flatMap((name) =>
    list(caps, name),
  );
  const sounds = new Map<string, string>();
  for (const node of nodes) {
    const id = text(node, 'audioID') || text(node, 'alertAudioID') || text(node, 'customAudioID');
    const name = ['audioDescription', 'alertAudioDescription', 'customAudioName', 'audioName']
      .map((n) => clean(text(node, n), 128))
      .find(Boolean);
    if (/^\d{1,6}$/.test(id)) sounds.set(id, name ?? `Sound ${id}`);
  }
  return { ok: true, value: [...sounds].map(([id, name]) => ({ id, name, values: {} })) };
}

/** Network speakers: choosing and playing a sound. Written from what cameras with a loudspeaker do; no speaker was captured. */
export const speaker: Feature<IsapiDevice> = {
  async offer(device, signal): Promise<Offer> {
    if (categoryOf(device.info) !== 'speaker') return {};
    const name = device.info.name || device.info.model;
    const settings = await device.has(SETTINGS, signal);
    const sounds = await readSounds(device, signal);
    const plays = sounds.ok && sounds.value.length > 0;
    return {
      sections: settings ? [{ section: 'speaker', channels: null }] : [],
      lists: plays ? [{ list: 'audioFiles', channels: null }] : [],
      actions: plays ? [{ action: 'play', channels: null }] : [],
      resources: [{ kind: 'speaker', id: '1', name, triggers: [], actions: plays ? ['play'] : [] }],
      unverified: [...(settings ? ['speaker'] : []), ...(plays ? ['audioFiles', 'play'] : [])],
    };
  },
  sections: { speaker: { read: readSettings, write: writeSettings } },
  lists: { audioFiles: (device, _at, signal) => readSounds(device, signal) },
  actions: {
    async play(device, { file, volume }, signal) {
      const sounds = await readSounds(device, signal);
      if (!sounds.ok) return sounds;
      if (!sounds.value.some((sound) => sound.id === file)) return failure('not-found', 'It has no such sound.');
      if (volume !== undefined) {
        const set = await writeSettings(device, {}, { audioVolume: volume }, [], signal);
        if (!set.ok) return set;
      }
      const played = await sendJson(device, 'PUT', `${AUDIO}/${file}/test?format=json`, null, signal);
      return played.ok ? { ok: true, value: { pending: false, text: null } } : played;
    },
  },
};

async function readSettings(device: IsapiDevice, _at: object, signal?: AbortSignal): Promise<Result<SettingField[]>> {
  const doc = await readJson(device, SETTINGS, signal);
  if (!doc.ok) return doc;
  const caps = await readJson(device, CAPABILITIES, signal);
  const range = (name: string): [number | null, number | null] =>
    caps.ok ? [limit(caps.value, name, '@min'), limit(caps.value, name, '@max')] : [null, null];
  const sounds = await readSounds(device, signal);
  const ids = sounds.ok ? sounds.value.map((s) => s.id) : [];
  const has = (name: string) => text(doc.value, 'AudioAlarm', name) !== '';
  return {
    ok: true,
    value: [
      ...(has('audioID') ? [choice('audioID', text(doc.value, 'AudioAlarm', 'audioID'), ids)] : []),
      ...(has('audioVolume')
        ? [num('audioVolume', numberAt(doc.value, 'AudioAlarm', 'audioVolume'), range('audioVolume'), '%')]
        : []),
      ...(has('alarmTimes')
        ? [num('alarmTimes', numberAt(doc.value, 'AudioAlarm', 'alarmTimes'), range('alarmTimes'))]
        : []),
    ],
  };
}

const limit = (caps: XmlNode, name: string, end: '@min' | '@max') => numberAt(caps, 'AudioAlarmCap', name, end);

/** The whole document goes back as the device wrote it, with what is to change. */
async function writeSettings(
  device: IsapiDevice,
  _at: object,
  set: Record<string, unknown>,
  _fields: unknown,
  signal?: AbortSignal,
): Promise<Result<{ rebootRequired: boolean }>> {
  const got = await device.client.get(SETTINGS, { signal });
  if (!got.ok) return got;
  const doc = asObject(got.value.body);
  if (!doc) return failure('device-error', 'It does not give its settings in a form that can be read.');
  const numbers = Object.entries(set).map(([name, value]) => [name, name === 'audioID' ? Number(value) : value]);
  const body = { ...doc, AudioAlarm: { ...(doc.AudioAlarm as object), ...Object.fromEntries(numbers) } };
  const sent = await sendJson(device, 'PUT', SETTINGS, body, signal);
  return sent.ok ? { ok: true, value: { rebootRequired: false } } : sent;
}

function asObject(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return value !== null && typeof value === 'object' && 'AudioAlarm' in value
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
