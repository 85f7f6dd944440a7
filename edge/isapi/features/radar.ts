import type { EventType } from '../../../protocol/wire/event.ts';
import type { Feature, Offer } from '../../drivers/feature.ts';
import { categoryOf } from '../category.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { readZones } from './panel-status.ts';

const CARE: readonly EventType[] = ['outOfBed', 'heartRateHigh', 'heartRateLow', 'respirationHigh', 'respirationLow'];

/**
 * Radars (RADR-01…03): what they can tell, and for security radars the zones that they watch, which they give as a panel
 * does. No care or fall radar was captured: its events are known by their words only, and nothing of it is set from here.
 */
export const radar: Feature<IsapiDevice> = {
  async offer(device, signal): Promise<Offer> {
    if (categoryOf(device.info) !== 'radar') return {};
    const zones = await readZones(device, signal);
    const secures = zones.ok && zones.value.length > 0;
    const triggers: EventType[] = secures
      ? ['zoneAlarm', 'deviceTamper', 'presence']
      : ['fallDetected', ...CARE, 'presence'];
    const name = device.info.name || device.info.model;
    return {
      lists: secures ? [{ list: 'zones', channels: null }] : [],
      resources: [{ kind: 'radar', id: '1', name, triggers, actions: [] }],
      unverified: secures ? ['zones'] : [],
    };
  },
  lists: {
    async zones(device, _at, signal) {
      const zones = await readZones(device, signal);
      return zones.ok ? { ok: true, value: zones.value.map((z) => z.item) } : zones;
    },
  },
};
