import snmp from 'net-snmp';
import type { Device, MakePart } from '../devices/device.ts';
import { SnmpAgent } from './agent.ts';

const { Integer, OctetString, Gauge, Counter, Counter64, TimeTicks, OID } = snmp.ObjectType;
const IF = '1.3.6.1.2.1.2.2.1';
const IFX = '1.3.6.1.2.1.31.1.1.1';
const POE = '1.3.6.1.2.1.105.1.1.1';
const REMOTE = '1.0.8802.1.1.2.1.4.1.1';
/** Eight ports of copper with power, and an uplink. */
const PORTS = 8;

const octets = (mac: string) => Buffer.from(mac.replaceAll('-', ''), 'hex');
const counter64 = (n: number) => Buffer.from(BigInt(n).toString(16).padStart(16, '0'), 'hex');

/**
 * A PoE switch by SNMP (SNMPv2-MIB, IF-MIB, ENTITY-MIB, BRIDGE-MIB, POWER-ETHERNET-MIB, LLDP-MIB): on the UDP port of its web
 * page's number, or 161 beside port 80. Its neighbours are the lab's other devices, port by port.
 */
export const networkSwitch: MakePart = (device) => {
  const { profile: p } = device;
  let agent: SnmpAgent | null = null;
  const port = () => (device.httpPort === 80 ? 161 : device.httpPort);
  const neighbours = () =>
    device
      .neighbours()
      .filter((d) => d !== device && d.powered)
      .slice(0, PORTS);

  const fill = (to: SnmpAgent) => {
    const there = neighbours();
    to.scalar('1.3.6.1.2.1.1.1', OctetString, `${p.model} ${p.firmware} ${p.build}`);
    to.scalar('1.3.6.1.2.1.1.2', OID, '1.3.6.1.4.1.39165.1.6');
    to.scalar('1.3.6.1.2.1.1.3', TimeTicks, Math.floor((Date.now() - device.bootedAt.ms) / 10));
    to.scalar('1.3.6.1.2.1.1.5', OctetString, p.name);
    to.scalar('1.3.6.1.2.1.1.6', OctetString, 'cellar');
    to.scalar('1.3.6.1.2.1.17.1.1', OctetString, octets(p.mac));
    to.scalar('1.0.8802.1.1.2.1.3.2', OctetString, octets(p.mac));
    to.table(
      '1.3.6.1.2.1.47.1.1.1.1',
      [
        ...([[5, Integer]] as [number, number][]),
        ...([9, 10, 11, 13].map((n) => [n, OctetString]) as [number, number][]),
      ],
      [[[1], [3, p.firmware, `${p.firmware} ${p.build}`, p.serial, p.model]]],
    );
    const numbers = [...Array(PORTS + 1).keys()].map((i) => i + 1);
    const on = (n: number) => n > PORTS || there[n - 1] !== undefined;
    to.table(
      IF,
      [
        [2, OctetString],
        [3, Integer],
        [5, Gauge],
        [7, Integer, true],
        [8, Integer],
        [10, Counter],
        [14, Counter],
        [16, Counter],
        [20, Counter],
      ],
      numbers.map((n) => [
        [n],
        [
          n > PORTS ? 'Uplink' : `Port ${n}`,
          6,
          on(n) ? 100_000_000 * (n > PORTS ? 10 : 1) : 0,
          1,
          on(n) ? 1 : 2,
          1000 * n,
          0,
          2000 * n,
          n === 2 ? 3 : 0,
        ],
      ]),
    );
    to.table(
      IFX,
      [
        [1, OctetString],
        [6, Counter64],
        [10, Counter64],
        [15, Gauge],
        [18, OctetString],
      ],
      numbers.map((n) => [
        [n],
        [`Gi1/0/${n}`, counter64(5e9 + n), counter64(7e9 + n), on(n) ? (n > PORTS ? 1000 : 100) : 0, ''],
      ]),
    );
    to.table(
      POE,
      [
        [3, Integer, true],
        [6, Integer],
        [10, Integer],
      ],
      numbers.slice(0, PORTS).map((n) => [
        [1, n],
        [1, on(n) ? 3 : 2, on(n) ? 4 : 1],
      ]),
    );
    to.table(
      '1.3.6.1.2.1.105.1.3.1.1',
      [
        [2, Gauge],
        [3, Integer],
        [4, Gauge],
      ],
      [[[1], [110, 1, 7 * there.length]]],
    );
    if (there.length > 0)
      to.table(
        REMOTE,
        [
          [4, Integer],
          [5, OctetString],
          [6, Integer],
          [7, OctetString],
          [8, OctetString],
          [9, OctetString],
          [10, OctetString],
          [12, OctetString],
        ],
        there.map((d, i) => [[0, i + 1, 1], neighbour(d)]),
      );
  };
  const neighbour = ({ profile }: Device) => [
    ...[4, octets(profile.mac), 3, octets(profile.mac), 'eth0', profile.model, `${profile.model} ${profile.firmware}`],
    Buffer.from([0x01, 0]),
  ];

  const down = () => {
    agent?.stop();
    agent = null;
  };
  const up = (address: string) => {
    // Its community is its password; there is none before it is activated.
    if (!device.factory.activated) return;
    agent = new SnmpAgent({ address, port: port(), community: device.factory.password, username: p.username });
    fill(agent);
  };
  device.factory.onChange = () => {
    down();
    if (device.up) up(p.address);
  };

  return {
    state: () => ({
      snmpPort: port(),
      ports: agent
        ? [...Array(PORTS).keys()].map((i) => ({
            port: i + 1,
            admin: agent!.cell(IF, 7, [i + 1]),
            poe: agent!.cell(POE, 3, [1, i + 1]),
          }))
        : [],
    }),
    up,
    down,
  };
};
