import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { Networks, type Program } from './testing/netns.ts';

/* The search on real networks: interfaces, subnets, ARP. CI runs as root, so there it must run. */
const missing = Networks.missing();
if (missing && process.env.CI) throw new Error(`${missing}; these tests must run in CI`);

const SERIAL = 'DS-2CD2385G1-I20230412AAWRL1122334';
const one = { mac: '02-10-00-00-00-01', address: '10.77.1.11', serial: `${SERIAL}1`, names: true };
const two = { mac: '02-10-00-00-00-02', address: '10.77.2.12', serial: `${SERIAL}2` };
const factory = [3, 4, 5].map((n) => ({
  mac: `02-10-00-00-00-0${n}`,
  address: '192.168.1.64',
  serial: `${SERIAL}${n}`,
  http: n !== 5,
}));

describe.skipIf(missing)(missing ?? 'in network namespaces', () => {
  const networks = new Networks();
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-netns-'));
  const file = join(dir, 'temporary.json');
  const devices = new Map<string, { ns: string; program: Program }>();
  let box: Program;

  const startBox = (before: string[] = []) => {
    box = networks.run(networks.box, 'netns-box.ts', { file }, { before });
  };
  /** Everything that is listed, by MAC, as soon as it is so. */
  const listed = async (check: (all: Map<string, DiscoveredDevice>) => void, timeout = 8_000) => {
    const asking = setInterval(() => box.say('list'), 100);
    try {
      await vi.waitFor(
        () => {
          const lists = box.lines.filter((line) => line.startsWith('['));
          const all = JSON.parse(lists.at(-1) ?? '[]') as DiscoveredDevice[];
          check(new Map(all.map((d) => [d.mac, d])));
        },
        { timeout, interval: 50 },
      );
    } finally {
      clearInterval(asking);
    }
  };
  const activate = async (mac: string, password: string) => {
    box.say(`activate ${mac} ${password}`);
    return vi.waitFor(
      () => {
        const line = box.lines.find((l) => l.startsWith(`{"activated":"${mac}"`));
        expect(line).toBeDefined();
        return JSON.parse(line!).answer;
      },
      { timeout: 20_000, interval: 50 },
    );
  };
  const addresses = () => networks.ip(networks.box, '-4', '-o', 'addr', 'show', 'dev', 'lan1');
  const leftovers = () =>
    [addresses(), networks.ip(networks.box, 'route'), networks.ip(networks.box, 'neigh')]
      .join('\n')
      .split('\n')
      .filter((line) => line.includes('192.168.1.'));

  beforeAll(async () => {
    networks.make();
    const plug = (d: typeof two, lan: string, ...more: string[]) => {
      const ns = networks.plug(`d${d.mac.slice(-1)}`, lan, d.mac, `${d.address}/24`, ...more);
      devices.set(d.mac, { ns, program: networks.run(ns, 'netns-device.ts', d) });
    };
    plug(one, 'lan1');
    plug(two, 'lan2');
    // All three as from the factory on one wire; one of them has the address that the box would try first, too.
    for (const [i, d] of factory.entries()) plug(d, 'lan1', ...(i === 1 ? ['192.168.1.254/24'] : []));
    startBox();
  });
  afterAll(async () => {
    await networks.remove();
    rmSync(dir, { recursive: true });
  });

  it('finds devices on two interfaces, in a foreign subnet and with one address, and says who can be talked to (DISC-01, DISC-02)', async () => {
    await listed((all) => {
      expect([...all.keys()].sort()).toEqual([one, two, ...factory].map((d) => d.mac));
      expect(all.get(one.mac)).toMatchObject({ address: one.address, interface: 'lan1', reachable: true });
      expect(all.get(two.mac)).toMatchObject({ address: two.address, interface: 'lan2', reachable: true });
      // Multicast DNS and SSDP told it by its serial alone.
      expect(all.get(one.mac)?.protocols).toEqual(['sadp', 'mdns', 'ssdp']);
      for (const { mac } of factory) {
        expect(all.get(mac)).toMatchObject({ reachable: false, addressConflict: true, pingLevel: null });
        expect(all.get(mac)?.issues).toEqual(['same-address', 'other-subnet']);
      }
      for (const { mac } of [one, two]) expect(all.get(mac)?.pingLevel).toBe('green');
    });
  });

  it('keeps a device that changes its address (DISC-03)', async () => {
    const { ns, program } = devices.get(one.mac)!;
    networks.ip(ns, 'addr', 'del', `${one.address}/24`, 'dev', 'eth0');
    networks.ip(ns, 'addr', 'add', '10.77.1.99/24', 'dev', 'eth0');
    networks.ip(ns, 'route', 'replace', '224.0.0.0/4', 'dev', 'eth0');
    program.say('address 10.77.1.99');
    box.say('scan');
    await listed((all) => {
      expect(all.get(one.mac)).toMatchObject({ address: '10.77.1.99', serial: one.serial });
      expect(all.size).toBe(5);
    });
  });

  it('gives two devices with one foreign address a password each, by an address of its own for a moment (INIT-02)', async () => {
    const [first, second] = factory as [(typeof factory)[0], (typeof factory)[0]];
    const answers = await Promise.all([activate(first.mac, 'Aa345671'), activate(second.mac, 'Aa345672')]);
    for (const answer of answers) expect(answer).toMatchObject({ ok: true, result: { way: 'temporary-address' } });
    expect(devices.get(first.mac)!.program.lines).toEqual(['activated isapi Aa345671']);
    expect(devices.get(second.mac)!.program.lines).toEqual(['activated isapi Aa345672']);
    expect(leftovers()).toEqual([]);
  });

  it('takes away what it had set when it died (DISC-03)', async () => {
    const [, , third] = factory as [unknown, unknown, (typeof factory)[0]];
    // It has no web page; the address is set before that is found out.
    const { ns } = devices.get(third.mac)!;
    const web = networks.run(ns, 'netns-web.ts', {});
    await vi.waitFor(() => expect(web.lines).toEqual(['up']), { timeout: 5_000 });
    box.say(`hang ${third.mac}`);
    await vi.waitFor(() => expect(box.lines.at(-1)).toContain('hangs'), { timeout: 8_000 });
    expect(addresses()).toContain('192.168.1.253/32');
    expect(addresses()).toMatch(/valid_lft 1[0-2]\dsec/);
    await box.stop();
    await web.stop();
    expect(leftovers()).not.toEqual([]);
    startBox();
    await listed((all) => expect(all.size).toBe(5));
    expect(leftovers()).toEqual([]);
  });

  it('activates over SADP what has no web page, and everything where it may set no address (INIT-02)', async () => {
    await box.stop();
    startBox(['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin']);
    await listed((all) => expect(all.size).toBe(5));
    const third = factory[2]!;
    expect(await activate(third.mac, 'Aa345673')).toMatchObject({ ok: true, result: { way: 'sadp' } });
    expect(devices.get(third.mac)!.program.lines).toEqual(['activated sadp Aa345673']);
  });

  it('follows interfaces: one whose cable is pulled is not searched, and is again afterwards (DISC-03)', async () => {
    networks.ip(networks.wires, 'link', 'set', 'lan2', 'down');
    const port = networks.ip(networks.wires, '-o', 'link', 'show', 'master', 'lan2').split(': ')[1]!.split('@')[0]!;
    networks.ip(networks.wires, 'link', 'set', port, 'down');
    box.say('scan');
    await listed((all) => expect(all.get(two.mac)?.reachable).toBe(false));
    networks.ip(networks.wires, 'link', 'set', 'lan2', 'up');
    networks.ip(networks.wires, 'link', 'set', port, 'up');
    // Its neighbours learn of the cable within a second.
    await vi.waitFor(() => expect(networks.ip(networks.box, 'link', 'show', 'lan2')).toContain('LOWER_UP'));
    box.say('scan');
    await listed((all) => expect(all.get(two.mac)).toMatchObject({ reachable: true, interface: 'lan2' }));
  });
});
