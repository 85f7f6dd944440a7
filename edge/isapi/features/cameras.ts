import type { EventType } from '../../../protocol/wire/event.ts';
import type { Feature } from '../../drivers/feature.ts';
import { eventTypeOf } from '../alert.ts';
import { Caps } from '../caps.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { readTriggers } from './event-triggers.ts';

/** What of a channel can set off a linkage (LINK-28); the rest of what it tells is about the device. */
const OF_A_CHANNEL: ReadonlySet<EventType> = new Set<EventType>([
  'motion',
  'lineCrossing',
  'intrusion',
  'regionEntrance',
  'regionExiting',
  'faceDetection',
  'pirDetected',
  'tamper',
  'videoLoss',
]);
const FEW_CHANNELS = 4;

/** Words of ChannelEventCap in the event types that they stand for. */
const typesOf = (words: readonly string[]): EventType[] => [
  ...new Set(words.map(eventTypeOf).filter((type) => OF_A_CHANNEL.has(type))),
];

/** Each channel as a resource: what it can cause, and the box's own actions on it. */
export const cameras: Feature<IsapiDevice> = {
  async offer(device, signal) {
    const triggers = await readTriggers(device, signal);
    const told = triggers.ok ? triggers.value : [];
    const resources = [];
    for (const { channel, name } of device.channels) {
      const words = told.filter((t) => t.channel === channel).map((t) => t.eventType);
      // One request a channel, so only where they are few or the list above is lacking.
      if (device.channels.length <= FEW_CHANNELS || words.length === 0) {
        words.push(...(await capabilityWords(device, channel, signal)));
      }
      resources.push({
        kind: 'camera' as const,
        id: String(channel),
        name,
        triggers: typesOf(words),
        actions: ['capture' as const, 'record' as const],
      });
    }
    return { resources };
  },
};

async function capabilityWords(device: IsapiDevice, channel: number, signal?: AbortSignal): Promise<string[]> {
  const doc = await device.get(`/Event/channels/${channel}/capabilities`, signal);
  return doc.ok ? (new Caps(doc.value.source).at('eventType')?.options ?? []) : [];
}
