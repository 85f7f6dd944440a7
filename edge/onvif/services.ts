import type { Result } from '../isapi/answer.ts';
import type { Address, OnvifClient } from './client.ts';
import { all, type Element, first, NS, textAt } from './tree.ts';

export type ServiceName = 'media' | 'media2' | 'events' | 'ptz' | 'imaging' | 'deviceIo';
export type Services = Partial<Record<ServiceName, Address>>;

const BY_NAMESPACE: Record<string, ServiceName> = {
  [NS.trt]: 'media',
  [NS.tr2]: 'media2',
  [NS.tev]: 'events',
  [NS.tptz]: 'ptz',
  [NS.timg]: 'imaging',
  [NS.tmd]: 'deviceIo',
};

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
      const name = BY_NAMESPACE[textAt(service, 'Namespace').replace(/\/$/, '')];
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
  } else if (!services.ok) return capabilities;
  return { ok: true, value: found };
}
