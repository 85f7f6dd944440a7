import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Networks } from '../../edge/remote-config/networks.ts';
import { TunnelClient } from '../../edge/tunnel/client.ts';
import { systemClock } from '../../protocol/clock.ts';
import { TunnelError } from '../../protocol/tunnel/errors.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { TestRelay } from '../../relay/testing/relay.ts';
import { TunnelHub } from '../../relay/tunnel/hub.ts';
import { DevicePages } from './device.ts';
import { type Device, Site, startRelay } from './harness.ts';

/*
 * Ways to reach what the tunnel must not reach, each tried over real sockets: from the browser's side at the relay, and from the
 * relay's side at the box, as by a relay that somebody else has taken over. Behind every one stands something that would answer.
 */

/** Listens where it must not be reached, and counts who came. */
const traps: Server[] = [];
let trapped = 0;
async function trap(host: string, port = 0): Promise<number> {
  const server = createServer((socket) => {
    trapped++;
    socket.on('error', () => {});
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ncaught');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  traps.push(server);
  return (server.address() as { port: number }).port;
}

describe('at the box: what a relay may ask for by CONNECT', () => {
  const lan = (address: string, netmask: string, internal = false) =>
    ({ address, netmask, internal, family: 'IPv4', mac: '', cidr: null }) as NetworkInterfaceInfo;
  /** A box in 192.168.77.0/24 and 10.9.0.0/16, and one that stands on loopback as in the demo. */
  const real = new Networks({
    read: () => ({
      lo: [lan('127.0.0.1', '255.0.0.0', true)],
      eth0: [lan('192.168.77.2', '255.255.255.0'), lan('169.254.3.4', '255.255.0.0')],
      eth1: [lan('10.9.0.2', '255.255.0.0')],
      vpn0: [lan('100.64.0.9', '255.255.255.255')],
    }),
  });

  let relay: TestRelay;
  let site: Site;
  let pages: DevicePages;
  let camera: Device;
  let hub: TunnelHub;
  let stop: () => Promise<void>;
  let other: number;

  beforeAll(async () => {
    relay = await startRelay();
    site = new Site(relay, await relay.company('Boxed'));
    pages = await new DevicePages('127.88.2.11').start();
    camera = {
      id: uuidv7(),
      name: 'C',
      mac: '02-00-00-00-03-01',
      serial: 'DS-C',
      host: pages.host,
      httpPort: pages.port,
    };
    site.devices = [camera];
    other = await trap(pages.host);
    // A bare hub in the relay's place: it asks for whatever it likes.
    hub = new TunnelHub({ clock: systemClock, log: pino({ level: 'silent' }) });
    const server = createHttpServer();
    server.on('upgrade', (request, socket, head) =>
      hub.handleUpgrade(request, socket, head, { serial: 'B', boot: 'b', epoch: 1 }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
    const client = new TunnelClient({
      auth: { relayUrl: url, header: async () => 'B' },
      handler: () => new Response(),
      connectPolicy: (authority, headers) => site.policy.resolve(authority, headers),
      clock: systemClock,
      log: pino({ level: 'silent' }),
    });
    client.start();
    while (!hub.isConnected('B')) await new Promise((resolve) => setTimeout(resolve, 5));
    stop = async () => {
      await client.stop();
      await hub.stop();
      server.closeAllConnections();
      server.close();
    };
  });
  afterAll(async () => {
    for (const server of traps) server.close();
    await stop?.();
    await site?.stop();
    await pages?.stop();
    await relay?.stop();
  });

  /** Resolves with why it was refused; the connection is tried for real. */
  async function dial(authority: string, headers: Record<string, string> = {}): Promise<string> {
    try {
      const { stream } = await hub.dial('B', authority, { headers, timeoutMs: 5_000 });
      stream.destroy();
      return 'REACHED';
    } catch (error) {
      return error instanceof TunnelError && error.code === 'refused'
        ? (error.reason ?? error.code)
        : `refused: ${error}`;
    }
  }
  const usual = () => {
    site.policy.apply(site.devices);
    site.lan.found = [];
    site.see(camera);
    site.online.clear();
    site.neighbours.clear();
  };

  it('the page of its device, so that what follows is worth something', async () => {
    usual();
    expect(await dial(`${camera.id}:${camera.httpPort}`)).toBe('REACHED');
  });

  const id = '018f0000-0000-7000-8000-000000000001';
  /** Authorities that name a host, or a device in another spelling than its own. */
  const AUTHORITIES: string[] = [
    ...[
      '127.0.0.1:80',
      'localhost:80',
      '192.168.77.9:80',
      '192.168.77.2:8081',
      '10.9.0.9:22',
      'example.org:443',
      'camera:80',
    ],
    ...['[::1]:80', '[::ffff:127.0.0.1]:80', '[::ffff:7f00:1]:80', '[fe80::1]:80', '[::]:80', '[0:0:0:0:0:0:0:1]:80'],
    ...[
      '2130706433:80',
      '0x7f000001:80',
      '0177.0.0.1:80',
      '0177.0.0.01:80',
      '127.1:80',
      '127.0.1:80',
      '0:80',
      '0.0.0.0:80',
    ],
    ...['169.254.169.254:80', 'metadata.google.internal:80', '2852039166:80', '0xA9FEA9FE:80', '255.255.255.255:80'],
    ...['127.0.0.1.nip.io:80', '127。0。0。1:80', '127.0.0.1%00:80', 'user@127.0.0.1:80', '127.0.0.1:80#x', '/:80'],
    ...[`${id}`, `${id}:`, `${id}:0`, `${id}:65536`, `${id}:080`, `${id}:8e1`, `${id}:-1`, `${id}: 80`, `${id}:80:80`],
    ...[
      `x@${id}:80`,
      `${id}@127.0.0.1:80`,
      `127.0.0.1@${id}:80`,
      `${id.toUpperCase()}:80`,
      `{${id}}:80`,
      `${id}.:80`,
      '*:80',
    ],
  ];
  it.each(AUTHORITIES)('no CONNECT to %s', async (authority) => {
    usual();
    expect(await dial(authority)).toMatch(/^malformed$|^refused/);
  });

  /** What a relay could put into the desired state: the box believes none of it. */
  const PLACES: [what: string, host: string, on?: 'lan'][] = [
    ['loopback', '127.0.0.1', 'lan'],
    ['another loopback address', '127.88.2.11', 'lan'],
    ['this network', '0.0.0.0', 'lan'],
    ['link-local', '169.254.3.9', 'lan'],
    ['the metadata service', '169.254.169.254', 'lan'],
    ['the box itself', '192.168.77.2', 'lan'],
    ['the box on its other interface', '10.9.0.2', 'lan'],
    ['the box in its VPN', '100.64.0.9', 'lan'],
    ['a foreign subnet', '192.168.78.9', 'lan'],
    ['another private network', '172.16.0.9', 'lan'],
    ['the Internet', '203.0.113.7', 'lan'],
    ['carrier-grade NAT', '100.64.0.10', 'lan'],
    ['broadcast of the subnet', '192.168.77.255', 'lan'],
    ['the subnet itself', '192.168.77.0', 'lan'],
    ['multicast', '239.255.255.250', 'lan'],
    ['reserved', '250.1.1.1', 'lan'],
    ['broadcast', '255.255.255.255', 'lan'],
    ['a name', 'localhost', 'lan'],
    ['a name of the Internet', 'example.org', 'lan'],
    ['a name that resolves to the LAN', '192.168.77.9.nip.io', 'lan'],
    ['IPv6 loopback', '::1', 'lan'],
    ['IPv4 in IPv6', '::ffff:192.168.77.9', 'lan'],
    ['unspecified IPv6', '::', 'lan'],
    ['unique local IPv6', 'fd00::9', 'lan'],
    ['IPv6 with a zone', 'fe80::1%eth0', 'lan'],
    ['a decimal number', '3232255241', 'lan'],
    ['a hexadecimal number', '0xC0A84D09', 'lan'],
    ['octal', '0300.0250.0115.011', 'lan'],
    ['leading zeros', '192.168.077.009', 'lan'],
    ['two parts', '192.11087113', 'lan'],
    ['an empty name', '', 'lan'],
    ['blanks', ' 192.168.77.9', 'lan'],
    ['a user before it', 'a@192.168.77.9', 'lan'],
    ['full-width digits', '１９２.168.77.9', 'lan'],
    ['on a box of loopback, the LAN', '192.168.77.9'],
    ['on a box of loopback, the Internet', '203.0.113.7'],
    ['on a box of loopback, the metadata service', '169.254.169.254'],
    ['on a box of loopback, IPv6 loopback', '::1'],
  ];
  it.each(PLACES)('no device that is said to be at %s (%s)', async (_, host, on) => {
    usual();
    const policy = on ? new Site(relay, site.company, real) : site;
    if (policy !== site) policy.lan.found = site.lan.found;
    const said = { ...camera, host };
    policy.policy.apply([said]);
    policy.lan.found = [];
    // Even if it answers the search from there, and the box is logged in.
    policy.see(said);
    policy.online.add(camera.id);
    const answer = await policy.policy.resolve(`${camera.id}:${camera.httpPort}`, {});
    expect(answer).toEqual({ refused: 403, headers: { 'gatepost-refusal': 'address' } });
    if (policy !== site) await policy.stop();
  });

  const OWN = 22;
  const SITUATIONS: [
    what: string,
    change: () => unknown,
    why: string,
    ask?: () => [string, Record<string, string>?],
  ][] = [
    ['a device that it does not look after', () => {}, 'unknown-device', () => [`${uuidv7()}:${camera.httpPort}`]],
    ['a device that was removed', () => site.policy.apply([]), 'unknown-device'],
    ['another port of the device', () => {}, 'port', () => [`${camera.id}:${other}`]],
    ['the device’s SSH', () => {}, 'port', () => [`${camera.id}:22`]],
    ['the device’s RTSP', () => {}, 'port', () => [`${camera.id}:554`]],
    ['the page’s port by TLS', () => {}, 'port', () => [`${camera.id}:${camera.httpPort}`, { 'gatepost-tls': '1' }]],
    ['port 443 without TLS', () => {}, 'port', () => [`${camera.id}:443`]],
    [
      'a header of another value',
      () => {},
      'malformed',
      () => [`${camera.id}:${camera.httpPort}`, { 'gatepost-tls': '0' }],
    ],
    [
      'SSH, called the page’s port by the relay',
      () => {
        site.policy.apply([{ ...camera, httpPort: OWN }]);
        site.lan.found = [];
        site.see(camera, { httpPort: null });
      },
      'port',
      () => [`${camera.id}:${OWN}`],
    ],
    [
      'another port, called the page’s port by the relay',
      () => site.policy.apply([{ ...camera, httpPort: other }]),
      'port',
      () => [`${camera.id}:${other}`],
    ],
    ['a device that is not on the LAN any more', () => site.lan.found.splice(0), 'not-seen'],
    [
      'a place without a device, for which the relay gives no identity',
      () => {
        site.lan.found = [];
        site.policy.apply([{ ...camera, mac: null, serial: null }]);
      },
      'not-seen',
    ],
    [
      'an address at which another device answers the search',
      () => {
        site.lan.found = [];
        site.see({ ...camera, mac: '02-00-00-00-99-99', serial: 'DS-OTHER' });
      },
      'replaced',
    ],
    [
      'an address at which two devices answer',
      () => site.see({ ...camera, mac: '02-00-00-00-99-98', serial: 'DS-OTHER' }),
      'replaced',
    ],
    [
      'an address that has another MAC than the device that was heard there',
      () => {
        site.neighbours.set(camera.host, '02-00-00-00-99-97');
      },
      'replaced',
    ],
    [
      'an address that has another MAC now',
      () => {
        site.lan.found = [];
        site.neighbours.set(camera.host, '02-00-00-00-99-97');
      },
      'replaced',
    ],
    [
      'the address from which the device has moved away',
      () => {
        site.lan.found = [];
        site.see(camera, { address: '203.0.113.7' });
      },
      'address',
    ],
    [
      'the relay itself, as a device on loopback',
      () => {
        site.policy.apply([{ ...camera, httpPort: relay.port }]);
        site.lan.found = [];
        site.see(camera, { httpPort: relay.port });
      },
      'address',
      () => [`${camera.id}:${relay.port}`],
    ],
    [
      'the box’s own set-up page, as a device on loopback',
      () => {
        site.policy.apply([{ ...camera, httpPort: 8081 }]);
        site.lan.found = [];
        site.see(camera, { httpPort: 8081 });
      },
      'address',
      () => [`${camera.id}:8081`],
    ],
    [
      'anything, when it is switched off at the box',
      () => {
        site.policy.allow(false);
      },
      'switched-off',
    ],
  ];
  it.each(SITUATIONS)('not %s', async (_, change, why, ask) => {
    site.policy.allow(true);
    usual();
    await change();
    const [authority, headers] = ask?.() ?? [`${camera.id}:${camera.httpPort}`];
    expect(await dial(authority, headers)).toBe(why);
    site.policy.allow(true);
  });

  it('nothing came through', () => {
    expect(trapped).toBe(0);
    expect(AUTHORITIES.length + PLACES.length + SITUATIONS.length).toBeGreaterThanOrEqual(100);
  });
});
