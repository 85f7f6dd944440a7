import type { DeviceListItem } from '../../protocol/wire/operations.ts';
import type { Result } from '../isapi/answer.ts';
import { BRIDGE_PORTS, LEARNT, LEARNT_Q, LOCAL_PORTS, NEIGHBOURS } from './oids.ts';
import { macOf, numberOf, type Snmp, textOf, type Value } from './snmp.ts';

export interface Neighbour {
  /** The port's number in LLDP, and what the switch calls it. */
  port: string;
  portName: string;
  name: string;
  mac: string | null;
  peerPort: string;
  descr: string;
  /** It passes on what others send: a switch, a router, an access point. */
  passesOn: boolean;
  key: string;
}

const MAC_CHASSIS = 4;
const MAC_PORT = 3;
/** Bits of LldpSystemCapabilitiesMap from the left: other, repeater, bridge, access point, router. */
const PASSES_ON = 0b0111_1000;

/** What its ports are connected to (LLDP-MIB lldpRemTable). */
export async function readNeighbours(snmp: Snmp): Promise<Result<Neighbour[]>> {
  const remote = await snmp.columns(NEIGHBOURS);
  if (!remote.ok) return remote;
  const local = await snmp.columns(LOCAL_PORTS);
  const r = remote.value;
  const found = [...r.chassis.keys()].slice(0, 1024).flatMap((key): Neighbour[] => {
    // Index: time mark, local port, number.
    const port = /^\d+\.(\d+)\.\d+$/.exec(key)?.[1];
    if (port === undefined) return [];
    const ids = (subtype: Value | undefined, value: Value | undefined, mac: number) =>
      numberOf(subtype) === mac ? (macOf(value) ?? textOf(value)) : textOf(value);
    const chassis = ids(r.chassisSubtype.get(key), r.chassis.get(key), MAC_CHASSIS);
    const mac = numberOf(r.chassisSubtype.get(key)) === MAC_CHASSIS ? macOf(r.chassis.get(key)) : null;
    const bits = r.capabilities.get(key);
    const own = local.ok ? textOf(local.value.descr.get(port)) || textOf(local.value.id.get(port)) : '';
    return [
      {
        port,
        key,
        mac,
        portName: own || `Port ${port}`,
        name: textOf(r.name.get(key)) || chassis || 'Unknown',
        peerPort: textOf(r.portDescr.get(key)) || ids(r.portSubtype.get(key), r.port.get(key), MAC_PORT),
        descr: textOf(r.descr.get(key)),
        passesOn: Buffer.isBuffer(bits) && bits.length > 0 && (bits[0]! & PASSES_ON) !== 0,
      },
    ];
  });
  return { ok: true, value: found };
}

export const neighbourItems = (neighbours: Neighbour[]): DeviceListItem[] =>
  neighbours.map((n) => ({
    id: n.key.slice(0, 64),
    name: n.name,
    values: Object.fromEntries(
      Object.entries({ port: n.portName, peerPort: n.peerPort, mac: n.mac, description: n.descr }).filter(([, v]) => v),
    ),
  }));

/** The interfaces behind which these addresses were learnt; null: the switch does not tell. */
export async function learntAt(snmp: Snmp, macs: string[]): Promise<Set<string> | null> {
  const bridge = await snmp.column(BRIDGE_PORTS);
  const suffixes = macs.map((mac) =>
    mac
      .split(/[:-]/)
      .map((byte) => Number.parseInt(byte, 16))
      .join('.'),
  );
  const found = new Set<string>();
  let tells = false;
  for (const oid of [LEARNT, LEARNT_Q]) {
    const table = await snmp.column(oid);
    if (!table.ok || table.value.size === 0) continue;
    tells = true;
    for (const [index, port] of table.value) {
      if (!suffixes.some((suffix) => index === suffix || index.endsWith(`.${suffix}`))) continue;
      const interfaceIndex = bridge.ok ? bridge.value.get(String(port)) : undefined;
      found.add(String(interfaceIndex ?? port));
    }
  }
  return tells ? found : null;
}
