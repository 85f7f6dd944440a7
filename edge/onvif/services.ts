import type { Result } from '../isapi/answer.ts';
import type { Address, OnvifClient } from './client.ts';
import { all, type Element, first, NS, textAt } from './tree.ts';

export type ServiceName = (typeof BY_NAMESPACE)[keyof typeof BY_NAMESPACE];
export type Services = Partial<Record<ServiceName, Address>>;

const BY_NAMESPACE = {
  [NS.trt]: 'media',
  [NS.tr2]: 'media2',
  [NS.tev]: 'events',
  [NS.tptz]: 'ptz',
  [NS.timg]: 'imaging',
  [NS.tmd]: 'deviceIo',
  [NS.trc]: 'recording',
  [NS.tse]: 'search',
  [NS.trp]: 'replay',
} as const;
const named = new Map<string, ServiceName>(Object.entries(BY_NAMESPACE));

/** Where each service answers: from GetServices, and what that leaves out from GetCapabilities. */
export async function readServices(client: OnvifClient, signal?: AbortSignal): Promise<Result<Services>> {
  const found: Services = {};
  const add = (name: ServiceName, written: string) => {
    const address = written === '' ? null : client.address(written);
    if (address) found[name] ??= address;
  };
  const services = await client.call(
    client.device,
    '<tds:GetServices><tds:IncludeCapability>false</tds:IncludeCapability></tds:GetServices>',
    { signal },
  );
  if (services.ok) {
    for (const service of all(services.value, 'Service')) {
      const name = named.get(textAt(service, 'Namespace').replace(/\/$/, ''));
      if (name) add(name, textAt(service, 'XAddr'));
    }
    if (found.events && (found.media || found.media2)) return { ok: true, value: found };
  } else if (services.code !== 'device-error') return services;
  const capabilities = await client.call(
    client.device,
    '<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>',
    { signal },
  );
  if (capabilities.ok) {
    const inside = first(capabilities.value, 'Capabilities');
    const at = (element: Element | undefined, ...path: string[]) => textAt(element, ...path, 'XAddr');
    add('media', at(inside, 'Media'));
    add('events', at(inside, 'Events'));
    add('ptz', at(inside, 'PTZ'));
    add('imaging', at(inside, 'Imaging'));
    add('deviceIo', at(inside, 'Extension', 'DeviceIO'));
    add('recording', at(inside, 'Extension', 'Recording'));
    add('search', at(inside, 'Extension', 'Search'));
    add('replay', at(inside, 'Extension', 'Replay'));
  } else if (!services.ok) return capabilities;
  return { ok: true, value: found };
}
