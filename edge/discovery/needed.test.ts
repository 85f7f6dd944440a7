import { expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { NeededAddresses } from './needed.ts';

const FILES: Record<string, string> = {
  '/proc/net/route':
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\neth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\neth1\t0000010A\tFE00000A\t0003\t0\t0\t0\t0000FFFF\n',
  '/etc/resolv.conf': '# nameserver 10.9.9.9\nnameserver 127.0.0.53\nnameserver fe80::1\nsearch lan\n',
  '/run/systemd/resolve/resolv.conf': 'nameserver 192.168.1.2\n',
};

it('what the box talks to: gateways, name servers, relay, receivers and devices', async () => {
  let names: Record<string, string[]> = { 'relay.example': ['10.5.0.1', '10.5.0.2'], 'arc.example': ['10.6.0.1'] };
  const needed = new NeededAddresses({
    clock,
    read: async (file) => FILES[file] ?? '',
    resolve: async (name) => names[name] ?? Promise.reject(new Error('ENOTFOUND')),
  });
  needed.set('relay', ['relay.example']);
  needed.set('receivers', ['arc.example', '10.7.0.1', 'unknown.example']);
  needed.set('devices', ['10.8.0.1']);
  const own = ['192.168.1.1', '10.0.0.254', '127.0.0.53', '192.168.1.2'];
  const all = [...own, '10.5.0.1', '10.5.0.2', '10.6.0.1', '10.7.0.1', '10.8.0.1'];
  expect([...(await needed.list())].sort()).toEqual(all.sort());
  // Without a way to the name server they are where they were.
  names = {};
  expect((await needed.list()).size).toBe(all.length);
  needed.set('receivers', []);
  needed.set('devices', []);
  expect([...(await needed.list())].sort()).toEqual([...own, '10.5.0.1', '10.5.0.2'].sort());
});
