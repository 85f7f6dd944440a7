import type { EventType } from '../../../protocol/wire/event.ts';
import { eventTypeOf, videoChannel } from '../alert.ts';
import { failure, type Result } from '../answer.ts';
import { type Change, type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text, type XmlNode } from '../xml.ts';

export interface Trigger {
  /** As the device writes it: `VMD-1`, `vmd-1`, or a bare number. */
  id: string;
  /** The device's own word. */
  eventType: string;
  /** As streams and people count it; null: of the device, or of an input. */
  channel: number | null;
  input: number | null;
  methods: string[];
}

const CHANNELS = ['videoInputChannelID', 'dynVideoInputChannelID'];
const INPUTS = ['inputIOPortID', 'dynInputIOPortID'];
const number = (node: XmlNode, names: string[]): number | null =>
  names.map((name) => Number(text(node, name) || Number.NaN)).find((n) => Number.isInteger(n) && n > 0) ?? null;

/** What the device tells about, and to whom (ISAPI Event/triggers; V5.2.0 wraps it once more). */
export async function readTriggers(device: IsapiDevice, signal?: AbortSignal): Promise<Result<Trigger[]>> {
  const doc = await device.get('/Event/triggers', signal);
  if (!doc.ok) return doc;
  const { node } = doc.value;
  const found = [...list(node, 'EventTrigger'), ...list(node, 'EventTriggerList', 'EventTrigger')];
  return { ok: true, value: found.slice(0, 4096).map((trigger) => read(device, trigger)) };
}

function read(device: IsapiDevice, trigger: XmlNode): Trigger {
  const known = device.channels.map((c) => c.channel);
  return {
    id: text(trigger, 'id'),
    eventType: text(trigger, 'eventType'),
    channel: videoChannel(number(trigger, CHANNELS), device.info.recorder, known),
    input: number(trigger, INPUTS),
    methods: list(trigger, 'EventTriggerNotificationList', 'EventTriggerNotification').map((n) =>
      text(n, 'notificationMethod').toLowerCase(),
    ),
  };
}

const isMotion = (word: string): boolean => eventTypeOf(word) === 'motion' && !/humanvehicle/i.test(word);

/** The trigger of motion on a channel; null: the device has none. Some tell a single one and no list. */
export async function motionTrigger(
  device: IsapiDevice,
  channel: number,
  signal?: AbortSignal,
): Promise<Trigger | null> {
  const listed = await readTriggers(device, signal);
  const triggers = listed.ok ? listed.value : [];
  const found =
    triggers.find((t) => isMotion(t.eventType) && t.channel === channel) ??
    triggers.find((t) => t.channel === null && new RegExp(`^vmd-${channel}$`, 'i').test(t.id));
  if (found || triggers.length > 0) return found ?? null;
  const one = await device.get(`/Event/triggers/VMD-${channel}`, signal);
  return one.ok && one.value.root === 'EventTrigger' ? read(device, one.value.node) : null;
}

/** The trigger of another kind of event on a channel; null: the device lists none. */
export async function triggerOf(
  device: IsapiDevice,
  channel: number,
  type: EventType,
  signal?: AbortSignal,
): Promise<Trigger | null> {
  const listed = await readTriggers(device, signal);
  const own = (t: Trigger) => eventTypeOf(t.eventType) === type && t.channel === channel;
  return (listed.ok && listed.value.find(own)) || null;
}

/** "Notify Surveillance Center": without it an event is neither streamed nor posted (isapi.md §9). */
export const notifies = (trigger: Trigger): boolean => trigger.methods.includes('center');

const CENTER =
  '<EventTriggerNotification><id>center</id><notificationMethod>center</notificationMethod>' +
  '<notificationRecurrence>beginning</notificationRecurrence></EventTriggerNotification>';

/** Switches "Notify Surveillance Center" of one trigger and leaves its other notifications as they are. */
export async function setNotify(
  device: IsapiDevice,
  trigger: Trigger,
  on: boolean,
  signal?: AbortSignal,
): Promise<Result<Written>> {
  if (trigger.id === '' || /[^\w.-]/.test(trigger.id)) {
    return failure('device-error', 'It names its event in a way that cannot be written to.');
  }
  const own = `/Event/triggers/${trigger.id}`;
  // A PUT replaces the list, so it is always the whole one that goes back.
  const apart = await device.get(`${own}/notifications`, signal);
  const isList = apart.ok && apart.value.root === 'EventTriggerNotificationList';
  const below = isList ? [] : ['EventTriggerNotificationList'];
  const edit = (node: XmlNode): Change[] => {
    const entries = list(node, ...(below as []), 'EventTriggerNotification');
    const isCenter = (n: XmlNode) => text(n, 'notificationMethod').toLowerCase() === 'center';
    // A trigger that tells nobody may have no list at all.
    if (on && !isList && list(node, 'EventTriggerNotificationList').length === 0)
      return [{ path: [], append: `<EventTriggerNotificationList>${CENTER}</EventTriggerNotificationList>` }];
    if (on) return entries.some(isCenter) ? [] : [{ path: below, append: CENTER }];
    // From the last one on, because numbers of later ones change.
    return entries
      .flatMap((entry, index) => (isCenter(entry) ? [index] : []))
      .reverse()
      .map((index) => ({ path: [...below, { name: 'EventTriggerNotification', index }], value: null }));
  };
  return writeDocument(device, isList ? `${own}/notifications` : own, edit, signal);
}
