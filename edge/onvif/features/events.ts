import type { EventType } from '../../../protocol/wire/event.ts';
import type { Feature } from '../../drivers/feature.ts';
import type { OnvifDevice } from '../onvif-device.ts';
import { booleanOf } from '../soap.ts';
import { typeOf } from '../topics.ts';
import { attribute, type Element, first } from '../tree.ts';

/** Topics that a TopicSet names, as paths of local names. */
export function topicsOf(set: Element | undefined, path: string[] = []): string[][] {
  return (set?.children ?? []).flatMap((child) => {
    if (path.length > 8 || child.name === 'MessageDescription') return [];
    const here = [...path, child.name];
    return [...(booleanOf(attribute(child, 'topic')) ? [here] : []), ...topicsOf(child, here)];
  });
}

/** What a channel can set off: what the device lists, which is often too little, and motion. */
export const events: Feature<OnvifDevice> = {
  async offer(device, signal) {
    if (!device.has('events')) return {};
    const answer = await device.call('events', '<tev:GetEventProperties/>', { signal });
    const listed = answer.ok ? topicsOf(first(answer.value, 'TopicSet')).map(typeOf) : [];
    const types = new Set(listed.filter((t): t is EventType => t !== null && t !== 'other' && t !== 'alarmInput'));
    const triggers = [...types.add('motion')];
    return {
      resources: device.media.sources.map(({ channel, name, profiles }) => ({
        kind: 'camera',
        id: String(channel),
        name,
        triggers,
        actions: ['capture', 'record', ...(profiles.some((p) => p.ptz !== '') ? (['presetCall'] as const) : [])],
      })),
    };
  },
};
