import type { Clock } from '../../protocol/clock.ts';
import type { ActionDone } from '../../protocol/wire/operations.ts';
import type { Feature, Offer } from '../drivers/feature.ts';
import { failure, type Result } from '../isapi/answer.ts';
import { num, readOnly } from '../isapi/features/fields.ts';
import { learntAt, neighbourItems, readNeighbours } from './neighbours.ts';
import { ADMIN_STATUS, DOWN, POE_SUPPLY, SYSTEM, UP } from './oids.ts';
import { type Port, portItems, readPorts } from './ports.ts';
import { numberOf, type Snmp } from './snmp.ts';

export interface SwitchDevice {
  snmp: Snmp;
  clock: Clock;
  macs: () => string[];
  /** The reading of its ports before, for rates. */
  last: { ports: Port[]; ms: number } | null;
}

const DOWN_MS = 3_000;
const UP_TRIES = 5;

/** What a switch offers by standard MIBs. */
export const switchFeature: Feature<SwitchDevice> = {
  async offer(device): Promise<Offer> {
    const ports = await readPorts(device.snmp);
    if (!ports.ok) return {};
    const neighbours = await readNeighbours(device.snmp);
    const restarts = await mayRestart(device.snmp, ports.value);
    const sees = neighbours.ok && neighbours.value.length > 0;
    return {
      sections: [{ section: 'switch', channels: null }],
      lists: [
        { list: 'switchPorts', channels: null },
        ...(sees ? ([{ list: 'neighbours', channels: null }] as const) : []),
      ],
      actions: restarts ? [{ action: 'portRestart', channels: null }] : [],
      unverified: ['switch', 'switchPorts', ...(sees ? ['neighbours'] : []), ...(restarts ? ['portRestart'] : [])],
    };
  },

  sections: {
    switch: {
      async read(device) {
        const system = await device.snmp.get([SYSTEM.upTime]);
        if (!system.ok) return system;
        const supply = await device.snmp.columns(POE_SUPPLY);
        const ticks = numberOf(system.value.get(SYSTEM.upTime));
        const watts = (column: keyof typeof POE_SUPPLY) =>
          supply.ok && supply.value[column].size > 0
            ? [...supply.value[column].values()].reduce<number>((sum, value) => sum + (numberOf(value) ?? 0), 0)
            : null;
        const [budget, used] = [watts('budget'), watts('used')];
        return {
          ok: true,
          value: [
            num('upTime', ticks === null ? null : Math.floor(ticks / 100), [null, null], 's', readOnly),
            ...(budget === null ? [] : [num('poeBudget', budget, [null, null], 'W', readOnly)]),
            ...(used === null ? [] : [num('poeUsed', used, [null, null], 'W', readOnly)]),
          ],
        };
      },
    },
  },

  lists: {
    async switchPorts(device) {
      const ports = await readPorts(device.snmp);
      if (!ports.ok) return ports;
      const now = device.clock.mono();
      const items = portItems(ports.value, device.last, now);
      device.last = { ports: ports.value, ms: now };
      return { ok: true, value: items };
    },
    async neighbours(device) {
      const neighbours = await readNeighbours(device.snmp);
      return neighbours.ok ? { ok: true, value: neighbourItems(neighbours.value) } : neighbours;
    },
  },

  actions: { portRestart: (device, { port }) => restart(device, String(port)) },
};

/** Whether ports can be switched: one is set to what it is already, which changes nothing. */
async function mayRestart(snmp: Snmp, ports: Port[]): Promise<boolean> {
  const port = ports.find((p) => p.enabled === true);
  return port !== undefined && (await snmp.setInteger(`${ADMIN_STATUS}.${port.index}`, UP)).ok;
}

/**
 * Switches a port off and on (ifAdminStatus). Not one through which the box reaches the switch: what is switched off there
 * could never be switched on again from here.
 */
async function restart(device: SwitchDevice, index: string): Promise<Result<ActionDone>> {
  const { snmp } = device;
  const ports = await readPorts(snmp);
  if (!ports.ok) return ports;
  const port = ports.value.find((p) => p.index === index);
  if (!port) return failure('not-found', 'It has no such port.');
  if (!port.enabled) return failure('conflict', `${port.name} is switched off.`);
  const unsafe = await leadsToUs(device, port);
  if (unsafe) return failure('conflict', unsafe);
  const oid = `${ADMIN_STATUS}.${index}`;
  const off = await snmp.setInteger(oid, DOWN);
  if (!off.ok) return off;
  await device.clock.sleep(DOWN_MS);
  // Whoever asked may be gone by now: the port is switched on all the same.
  for (let i = 0; i < UP_TRIES; i++) {
    if ((await snmp.setInteger(oid, UP)).ok) return { ok: true, value: { pending: true, text: null } };
  }
  return failure(
    'device-error',
    `${port.name} was switched off and could not be switched on again. Switch it on at the device.`,
  );
}

/** Why this port must not be restarted; null: nothing speaks against it. */
async function leadsToUs(device: SwitchDevice, port: Port): Promise<string | null> {
  const learnt = await learntAt(device.snmp, device.macs());
  if (learnt?.has(port.index)) return `The box itself is behind ${port.name}.`;
  const neighbours = await readNeighbours(device.snmp);
  const sees = neighbours.ok && neighbours.value.length > 0;
  if (learnt === null && !sees) return `It does not tell what is behind ${port.name}, which may be the box.`;
  const beyond = sees
    ? neighbours.value.find((n) => n.passesOn && (n.port === port.index || n.portName === port.name))
    : undefined;
  return beyond && !(learnt && learnt.size > 0)
    ? `Another switch or router is behind ${port.name} (${beyond.name}), and the box may be behind it.`
    : null;
}
