import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { type Command, candidates, TemporaryAddresses } from './temporary-address.ts';

const log = pino({ level: 'silent' });
const device = (address = '192.168.1.64') => ({
  mac: '02-00-00-00-00-01',
  address,
  subnetMask: '255.255.255.0',
  gateway: '192.168.1.1',
  httpPort: 1,
});

/** What it would have changed, on a network that is not there. */
function box(o: { may?: boolean; run?: (args: string) => string | null } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-temporary-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'temporary.json');
  const asked: string[] = [];
  const run: Command = async (program, args) => {
    const line = [program, ...args].join(' ');
    asked.push(line);
    const out = o.run?.(line);
    return { ok: out !== null, out: out ?? '' };
  };
  const interfaces = () => [{ name: 'eth0', address: '10.0.0.2', netmask: '255.255.255.0', broadcast: null }];
  const made = new TemporaryAddresses({
    file,
    interfaces,
    taken: () => ['192.168.1.254'],
    needed: async () => new Set(['192.168.1.1', '192.168.1.251']),
    clock,
    log,
    run,
    may: () => o.may ?? true,
    answers: async () => false,
  });
  return { made, asked, file };
}

describe('an address for a moment', () => {
  it('is taken for private addresses alone, never for what the Internet, the box or its own subnets have', async () => {
    const { made } = box();
    const helps = (address: string) => made.helps(device(address));
    for (const address of ['192.168.1.64', '10.9.9.9', '172.31.0.1', '169.254.3.4', '192.0.0.64'])
      expect([address, await helps(address)]).toEqual([address, true]);
    for (const address of [
      '8.8.8.8',
      '127.0.0.1',
      '10.0.0.2',
      '10.0.0.1',
      '10.0.0.64',
      '172.32.0.1',
      '224.0.0.1',
      '0.0.0.0',
      'fe80::1',
      '',
    ])
      expect([address, await helps(address)]).toEqual([address, false]);
    expect(await box({ may: false }).made.helps(device())).toBe(false);
  });

  it('puts nothing in the place of what the box talks to, and does not take its address', async () => {
    const { made, asked } = box();
    expect(await made.helps(device('192.168.1.1'))).toBe(false);
    for (const address of ['192.168.1.1', '10.0.0.64']) {
      const result = await made.with(device(address), async () => ({ ok: true, value: 1 }));
      expect(result).toMatchObject({ ok: false, code: 'device-unreachable' });
    }
    expect(asked).toEqual([]);
  });

  it('is one in the device’s subnet that nobody has, from the upper end', () => {
    expect([...candidates('192.168.1.64', '255.255.255.0')].slice(0, 2)).toEqual(['192.168.1.254', '192.168.1.253']);
    expect([...candidates('10.1.2.3', '255.0.0.0')].at(0)).toBe('10.1.2.254');
    expect([...candidates('10.1.2.3', '255.255.255.252')]).toEqual(['10.1.2.2', '10.1.2.1']);
    expect([...candidates('10.1.2.3', 'nonsense')]).toHaveLength(254);
  });

  it('goes away again, also when the device does not answer, and is on disk as long as it is there', async () => {
    let kept = '';
    const { made, asked, file } = box({
      run: (line) => {
        if (line.includes('addr add')) kept = readFileSync(file, 'utf8');
        // Somebody answers ARP for the first that is asked for.
        return line.includes('neigh show to 192.168.1.253') ? '192.168.1.253 lladdr 02:00:00:00:00:09 STALE' : '';
      },
    });
    const result = await made.with(device(), async () => ({ ok: true, value: 1 }));
    expect(result).toMatchObject({ ok: false, code: 'device-unreachable' });
    expect(JSON.parse(kept)).toEqual([{ own: '192.168.1.252', target: '192.168.1.64', device: 'eth0' }]);
    const changes = asked.filter((line) => /(addr|route) (add|del)|permanent/.test(line)).map((line) => line.slice(6));
    expect(changes).toEqual([
      'addr add 192.168.1.252/32 dev eth0 scope link valid_lft 120 preferred_lft 120',
      'route add 192.168.1.64/32 dev eth0 src 192.168.1.252 scope link',
      'neigh replace 192.168.1.64 lladdr 02:00:00:00:00:01 dev eth0 nud permanent',
      'route del 192.168.1.64/32 dev eth0',
      'addr del 192.168.1.252/32 dev eth0',
    ]);
    expect(existsSync(file)).toBe(false);
  });

  it('of a former run is taken away at the start; what stands in the file is checked before', async () => {
    const { made, asked, file } = box();
    const left = [
      { own: '192.168.1.252', target: '192.168.1.64', device: 'eth0' },
      { own: '-x', target: '192.168.1.64', device: 'eth0' },
      { own: '192.168.1.252', target: '192.168.1.64', device: '-all; reboot' },
    ];
    writeFileSync(file, JSON.stringify(left));
    await made.start();
    expect(asked.filter((line) => line.includes('addr del'))).toEqual(['ip -4 addr del 192.168.1.252/32 dev eth0']);
    expect(asked.join()).not.toContain('reboot');
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, '{"cut off');
    await made.start();
    expect(existsSync(file)).toBe(false);
  });
});
