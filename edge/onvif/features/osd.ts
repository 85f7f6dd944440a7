import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../../isapi/answer.ts';
import { words } from '../../isapi/features/fields.ts';
import type { OnvifDevice } from '../onvif-device.ts';
import { all, attribute, copy, type Element, first, NS, serialize, textAt, xmlText } from '../tree.ts';

const MAX_TEXT = 64;

/** Plain texts on a channel's picture, as the device counts them (media service). */
async function texts(
  device: OnvifDevice,
  channel: number | undefined,
  signal?: AbortSignal,
): Promise<Result<Element[]>> {
  const source = device.source(channel);
  if (!source) return failure('not-found', 'It has no such channel.');
  const { service } = device.media;
  const prefix = service === 'media2' ? 'tr2' : 'trt';
  const answer = await device.call(service, `<${prefix}:GetOSDs/>`, { signal });
  if (!answer.ok) return answer;
  const own = new Set(source.profiles.map((p) => p.sourceConfiguration));
  const osds = all(answer.value, 'OSDs').filter(
    (osd) =>
      own.has(textAt(osd, 'VideoSourceConfigurationToken')) &&
      textAt(osd, 'TextString', 'Type') === 'Plain' &&
      first(osd, 'TextString', 'PlainText') !== undefined,
  );
  return { ok: true, value: osds.slice(0, 8) };
}

/** Text on the picture: those that are there can be changed. */
export const osd: Feature<OnvifDevice> = {
  async offer(device, signal) {
    const channels: number[] = [];
    for (const { channel } of device.media.sources) {
      const found = await texts(device, channel, signal);
      if (!found.ok) break;
      if (found.value.length > 0) channels.push(channel);
    }
    return channels.length > 0 ? { sections: [{ section: 'osd', channels }], unverified: ['osd'] } : {};
  },
  sections: {
    osd: {
      async read(device, at, signal) {
        const found = await texts(device, at.channel, signal);
        if (!found.ok) return found;
        const value = found.value.map((o, i) =>
          words(`text${i + 1}`, textAt(o, 'TextString', 'PlainText').slice(0, MAX_TEXT), MAX_TEXT),
        );
        return { ok: true, value };
      },
      async write(device, at, set, _fields, signal) {
        const found = await texts(device, at.channel, signal);
        if (!found.ok) return found;
        const { service } = device.media;
        const prefix = service === 'media2' ? 'tr2' : 'trt';
        for (const [i, element] of found.value.entries()) {
          const wanted = set[`text${i + 1}`];
          if (typeof wanted !== 'string') continue;
          const changed = copy(element);
          changed.name = 'OSD';
          changed.ns = NS[prefix];
          const text = first(changed, 'TextString', 'PlainText');
          if (text) text.text = wanted;
          const answer = await device.call(service, `<${prefix}:SetOSD>${serialize(changed)}</${prefix}:SetOSD>`, {
            signal,
          });
          if (!answer.ok) return { ...answer, text: `${xmlText(attribute(element, 'token'))}: ${answer.text}` };
        }
        return { ok: true, value: { rebootRequired: false } };
      },
    },
  },
};
