import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import type { Target } from '../tunnel/connect.ts';
import { CertificatePins } from './pins.ts';
import { RemotePolicy } from './policy.ts';

/* What is open, counted and kept; what is refused stands in bench/remote/refusals-box.test.ts, over real sockets. */

const clock = new ManualClock();
const camera = (n: number) => ({
  id: `018f0000-0000-7000-8000-00000000000${n}`,
  name: `Camera ${n}`,
  mac: `02-00-00-00-00-0${n}`,
  serial: null,
  host: `192.168.1.${10 + n}`,
  httpPort: 80,
});
const one = camera(1);
let dir: string;
let logged: Record<string, unknown>[];
let policy: RemotePolicy;
let pins: CertificatePins;
/** Who is at every address, by the kernel. */
let neighbour: string | null;

function build(): RemotePolicy {
  pins = new CertificatePins({ dir });
  pins.start();
  const made = new RemotePolicy({
    dir,
    networks: { permits: (host) => host.startsWith('192.168.1.') },
    seen: {
      byMac: (mac) =>
        ({
          mac,
          address: `192.168.1.1${mac.at(-1)}`,
          httpPort: 80,
          protocols: ['sadp'],
        }) as unknown as DiscoveredDevice,
      bySerial: () => undefined,
      at: () => [],
    },
    isOnline: () => false,
    pins,
    ownPorts: [8081],
    loopback: false,
    relayUrl: new URL('https://relay.example'),
    neighbour: async () => neighbour,
    clock,
    log: pino({}, { write: (line: string) => logged.push(JSON.parse(line)) }),
  });
  made.apply([one]);
  return made;
}
const ask = (device = one, headers = {}) => policy.resolve(`${device.id}:80`, headers);
const open = async (cut = () => {}, device = one) => ((await ask(device)) as Target).opened!(cut);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-policy-'));
  logged = [];
  neighbour = null;
  policy = build();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('remote configuration at the box', () => {
  it('tells where the device is, and goes to no more of it than its page', async () => {
    expect(await ask()).toMatchObject({ host: one.host, port: 80, headers: { 'gatepost-address': '192.168.1.11:80' } });
    expect(await ask(one, { 'gatepost-tls': '1' })).toMatchObject({ refused: 403 });
    expect(await policy.resolve(`${one.id}:443`, { 'gatepost-tls': '1' })).toMatchObject({ port: 443 });
  });

  it('goes to a device that was heard only where the kernel knows nobody else', async () => {
    neighbour = one.mac;
    expect(await ask()).toMatchObject({ host: one.host });
    neighbour = '66-66-66-66-66-66';
    expect(await ask()).toMatchObject({ refused: 403, headers: { 'gatepost-refusal': 'replaced' } });
  });

  it('is switched off for what is open too, and over a restart', async () => {
    let cuts = 0;
    await open(() => cuts++);
    policy.allow(false);
    expect([cuts, policy.allowed]).toEqual([1, false]);
    policy = build();
    expect(policy.allowed).toBe(false);
    expect(await ask()).toMatchObject({ headers: { 'gatepost-refusal': 'switched-off' } });
    policy.allow(true);
    expect(build().allowed).toBe(true);
  });

  it('cuts what is open to a device that goes or is said to be elsewhere, and to no other', async () => {
    const cuts: string[] = [];
    policy.apply([one, camera(2), camera(3)]);
    await open(() => cuts.push('one'));
    await open(() => cuts.push('two'), camera(2));
    await open(() => cuts.push('three'), camera(3));
    policy.apply([
      { ...one, name: 'Another name' },
      { ...camera(2), host: '192.168.1.99' },
    ]);
    expect(cuts).toEqual(['two', 'three']);
  });

  it('takes twelve connections a device', async () => {
    const closers = [];
    for (let i = 0; i < 12; i++) closers.push(await open());
    expect(await ask()).toEqual({ refused: 403, headers: { 'gatepost-refusal': 'busy' } });
    closers[0]!(0, 0);
    expect(await ask()).toMatchObject({ port: 80 });
  });

  it('logs a visit once, with what went through', async () => {
    const [first, second] = [await open(), await open()];
    first(1_000, 10);
    second(2_000, 20);
    await clock.advance(59_000);
    (await open())(5, 5);
    await clock.advance(60_000);
    expect(logged.map(({ msg, connections, bytesIn, bytesOut }) => [msg, connections, bytesIn, bytesOut])).toEqual([
      ['remote configuration begins', undefined, undefined, undefined],
      ['remote configuration ended', 3, 3_005, 35],
    ]);
  });

  it('goes to a device that was added over HTTPS by TLS alone, and trusts the certificate that it was added with', async () => {
    const [own, other] = ['AA', 'BB'].map((byte) => Array(32).fill(byte).join(':')) as [string, string];
    const secure = { ...one, httpPort: 8443, tls: { certificate: own, old: false } };
    const over = (port: number, headers = {}) => policy.resolve(`${one.id}:${port}`, headers);
    const tls = { 'gatepost-tls': '1' };
    policy.apply([secure]);
    for (const port of [443, 8443]) {
      const target = (await over(port, tls)) as Target;
      expect([target.port, target.modern, target.trusts!(other), target.trusts!(own)]).toEqual([
        port,
        true,
        false,
        true,
      ]);
    }
    // Not even at the port that the search announces, which a page of before may go on asking for.
    for (const port of [80, 8443]) expect(await over(port)).toMatchObject({ headers: { 'gatepost-refusal': 'port' } });
    expect(await over(8444, tls)).toMatchObject({ headers: { 'gatepost-refusal': 'port' } });
    // Another one was accepted: what is open was opened with the former.
    let cuts = 0;
    ((await over(8443, tls)) as Target).opened!(() => cuts++);
    policy.apply([{ ...secure, tls: { certificate: other, old: false } }]);
    expect(cuts).toBe(1);
  });

  it('keeps certificates over a restart, and forgets those of devices that have gone', async () => {
    expect([pins.trusts(one.id, 'AA'), pins.trusts(one.id, 'BB'), pins.trusts(one.id, '')]).toEqual([
      true,
      false,
      false,
    ]);
    policy = build();
    expect([pins.trusts(one.id, 'BB'), pins.trusts(one.id, 'AA')]).toEqual([false, true]);
    policy.apply([camera(2)]);
    expect(pins.trusts(one.id, 'BB')).toBe(true);
    pins.forget(one.id);
    expect(pins.trusts(one.id, 'CC')).toBe(true);
  });
});
