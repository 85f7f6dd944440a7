import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { Warnables } from '../warnables.ts';
import { Discovery } from './discovery.ts';
import { pingLevel, tcpPing } from './ping.ts';

const log = pino({ level: 'silent' });
const GROUP = '239.255.255.250';
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});

const match = (o: { mac: string; address: string; port?: number; serial?: string }) =>
  `<?xml version="1.0" encoding="UTF-8"?><ProbeMatch><Uuid>x</Uuid><Types>inquiry</Types><DeviceDescription>DS-2CD</DeviceDescription><DeviceSN>${o.serial ?? 'DS-2CDA12345678'}</DeviceSN>${o.port ? `<HttpPort>${o.port}</HttpPort>` : ''}<MAC>${o.mac}</MAC><IPv4Address>${o.address}</IPv4Address><Activated>false</Activated></ProbeMatch>`;

/** A free UDP port, on which a device listens to the group as the box does. */
async function lan() {
  const ear = createSocket({ type: 'udp4', reuseAddr: true });
  ear.bind({ address: GROUP, port: 0 });
  await once(ear, 'listening');
  ear.addMembership(GROUP, '127.0.0.1');
  ear.setMulticastInterface('127.0.0.1');
  cleanUp.push(() => ear.close());
  const port = ear.address().port;
  const inquiries: { text: string; port: number }[] = [];
  const heard = { probes: 0 };
  ear.on('message', (m, from) => {
    if (m.includes('discovery/Probe<')) heard.probes++;
    if (m.includes('<Probe>')) inquiries.push({ text: m.toString(), port: from.port });
  });
  return {
    ear,
    port,
    inquiries,
    get probes() {
      return heard.probes;
    },
  };
}

function box(sadpPort: number, clock = new ManualClock(), wsdPort = 0) {
  const warnables = new Warnables({ clock, log });
  const discovery = new Discovery({ interface: 'lo', sadpPort, wsdPort, clock, log, warnables });
  cleanUp.push(() => discovery.stop());
  return { discovery, clock, warnables };
}

const send = (socket: Socket, text: string | Buffer, port: number, to: string) =>
  new Promise((resolve) => socket.send(text, port, to, resolve));
const until = (check: () => unknown) => vi.waitFor(() => expect(check()).toBeTruthy(), { timeout: 3000, interval: 5 });

describe('the search on loopback', () => {
  it('asks three times, every 15 s, from the port that answers come back to (DISC-03)', async () => {
    const { port, inquiries } = await lan();
    const { discovery, clock } = box(port);
    discovery.start();
    await until(() => inquiries.length === 1);
    await clock.advance(300);
    await until(() => inquiries.length === 2);
    await clock.advance(300);
    await until(() => inquiries.length === 3);
    await clock.advance(10_000);
    await clock.advance(4_399);
    expect(inquiries.length).toBe(3);
    await clock.advance(1);
    await until(() => inquiries.length === 4);
    expect(inquiries.every((i) => i.port === port && i.text.includes('<Types>inquiry</Types>'))).toBe(true);
  });

  it('hears answers to the group and to itself, doubled or not, and lists by MAC (DISC-01)', async () => {
    const { ear, port, inquiries } = await lan();
    const { discovery, clock } = box(port);
    const changed = vi.fn();
    discovery.onChange(changed);
    discovery.start();
    await until(() => inquiries.length > 0);
    await send(ear, match({ mac: '44-19-b6-00-00-01', address: '127.0.2.1', serial: 'DS-1A00000001' }), port, GROUP);
    for (let i = 0; i < 2; i++) {
      await send(ear, match({ mac: '44-19-B6-00-00-02', address: '127.0.2.2' }), port, '127.0.0.1');
    }
    await until(() => discovery.list().length === 2);
    expect(discovery.byMac('44:19:b6:00:00:02')).toMatchObject({
      address: '127.0.2.2',
      protocols: ['sadp'],
      activated: false,
    });
    expect(discovery.bySerial('A00000001')?.mac).toBe('44-19-b6-00-00-01');
    await clock.advance(500);
    expect(changed).toHaveBeenCalledTimes(1);
  });

  it('tells two devices with one address, and follows a device to another (DISC-01)', async () => {
    const { ear, port, inquiries } = await lan();
    const { discovery } = box(port);
    discovery.start();
    await until(() => inquiries.length > 0);
    await send(ear, match({ mac: '44-19-b6-00-00-01', address: '127.0.2.1' }), port, GROUP);
    await send(ear, match({ mac: '44-19-b6-00-00-02', address: '127.0.2.1' }), port, GROUP);
    await until(() => discovery.list().length === 2);
    expect(discovery.list().map((d) => d.addressConflict)).toEqual([true, true]);
    await send(ear, match({ mac: '44-19-b6-00-00-02', address: '127.0.2.9' }), port, GROUP);
    await until(() => discovery.byMac('44-19-b6-00-00-02')?.address === '127.0.2.9');
    expect(discovery.list().map((d) => d.addressConflict)).toEqual([false, false]);
  });

  it('merges what ONVIF and SADP say of one device, and lists a device that only ONVIF names (DISC-01)', async () => {
    const { ear, port, inquiries } = await lan();
    const onvif = await lan();
    const { discovery, clock } = box(port, new ManualClock(), onvif.port);
    discovery.start();
    await until(() => inquiries.length > 0 && onvif.probes > 0);
    const wsd = (kind: string, mac: string) =>
      `<e:Envelope xmlns:e="x" xmlns:d="y"><e:Body><d:${kind}><EndpointReference><Address>urn:uuid:9e1c7a40-0f6e-11b3-81d0-${mac}</Address></EndpointReference><Scopes>onvif://www.onvif.org/hardware/Dome</Scopes><XAddrs>http://127.0.0.1:88/onvif/device_service</XAddrs></d:${kind}></e:Body></e:Envelope>`;
    await send(ear, match({ mac: '44-19-b6-00-00-01', address: '127.0.2.1', port: 80 }), port, GROUP);
    await send(onvif.ear, wsd('Hello', '4419b6000001'), onvif.port, GROUP);
    await send(onvif.ear, wsd('Hello', '4419b6000002'), onvif.port, GROUP);
    await until(() => discovery.list().length === 2 && discovery.list()[0]?.protocols.length === 2);
    expect(discovery.list()).toMatchObject([
      { mac: '44-19-b6-00-00-01', protocols: ['sadp', 'onvif'], address: '127.0.2.1', model: 'DS-2CD', httpPort: 80 },
      { mac: '44-19-b6-00-00-02', protocols: ['onvif'], model: 'Dome', activated: null, httpPort: 88 },
    ]);
    await send(onvif.ear, wsd('Bye', '4419b6000002'), onvif.port, GROUP);
    await until(() => discovery.list().length === 1);
    // What one protocol no longer says goes; the device stays while the other names it.
    await clock.advance(30_000);
    await send(ear, match({ mac: '44-19-b6-00-00-01', address: '127.0.2.1', port: 81 }), port, GROUP);
    await until(() => discovery.list()[0]?.httpPort === 81);
    await clock.advance(15_000);
    expect(discovery.list().map((d) => d.protocols)).toEqual([['sadp']]);
  });

  it('drops what was silent for 45 s', async () => {
    const { ear, port, inquiries } = await lan();
    const { discovery, clock } = box(port);
    discovery.start();
    await until(() => inquiries.length > 0);
    await send(ear, match({ mac: '44-19-b6-00-00-01', address: '127.0.2.1' }), port, GROUP);
    await until(() => discovery.list().length === 1);
    await clock.advance(44_000);
    expect(discovery.list()).toHaveLength(1);
    await clock.advance(1_000);
    expect(discovery.list()).toHaveLength(0);
  });

  it('is not disturbed by malformed datagrams, counts them and says so when they are many', async () => {
    const { ear, port, inquiries } = await lan();
    const { discovery, clock, warnables } = box(port);
    discovery.start();
    await until(() => inquiries.length > 0);
    for (let i = 0; i < 60; i++) await send(ear, Buffer.from([0xff, 0xd8, i]), port, '127.0.0.1');
    await send(ear, Buffer.alloc(20_000, 0x3c), port, '127.0.0.1');
    await send(ear, '<ProbeMatch><MAC>nonsense</MAC></ProbeMatch>', port, '127.0.0.1');
    await send(ear, match({ mac: '44-19-b6-00-00-01', address: '127.0.2.1' }), port, '127.0.0.1');
    await until(() => discovery.list().length === 1);
    expect(discovery.stats().malformed).toBeGreaterThanOrEqual(61);
    await clock.advance(15_000);
    expect(warnables.list().map((w) => w.code)).toEqual(['sadp-malformed']);
    await clock.advance(15_000);
    expect(warnables.list()).toEqual([]);
  });

  it('hears and lists nothing beyond 127.0.0.0/8', async () => {
    const { ear, port, inquiries } = await lan();
    const { discovery } = box(port);
    discovery.start();
    await until(() => inquiries.length > 0);
    await send(ear, match({ mac: '44-19-b6-00-00-01', address: '192.168.1.64' }), port, '127.0.0.1');
    await send(ear, match({ mac: '44-19-b6-00-00-02', address: '127.0.2.1' }), port, '127.0.0.1');
    await until(() => discovery.list().length > 0);
    expect(discovery.list().map((d) => d.address)).toEqual(['127.0.2.1']);
    expect(discovery.permits('192.168.1.64')).toBe(false);
    expect(discovery.permits('camera.example')).toBe(false);
    expect(discovery.permits('127.0.2.1')).toBe(true);
  });

  it('measures the way to each device (DISC-04)', async () => {
    const { ear, port, inquiries } = await lan();
    const server = createServer((s) => s.destroy()).listen(0, '127.0.2.1');
    await once(server, 'listening');
    cleanUp.push(() => server.close());
    const { discovery, clock } = box(port);
    discovery.start();
    await until(() => inquiries.length > 0);
    const httpPort = (server.address() as { port: number }).port;
    await send(ear, match({ mac: '44-19-b6-00-00-01', address: '127.0.2.1', port: httpPort }), port, GROUP);
    await until(() => discovery.list().length === 1);
    expect(discovery.list()[0]).toMatchObject({ pingMs: null, pingLevel: null });
    await clock.advance(1_000);
    await until(() => discovery.list()[0]?.pingMs !== null);
    expect(discovery.list()[0]).toMatchObject({ pingMethod: 'tcp', pingLevel: 'green' });
  });

  it('says when there is nothing to search', async () => {
    const clock = new ManualClock();
    const warnables = new Warnables({ clock, log });
    const discovery = new Discovery({ interface: 'none0', clock, log, warnables });
    cleanUp.push(() => discovery.stop());
    discovery.start();
    await until(() => warnables.list().length > 0);
    expect(warnables.list()[0]?.text).toContain('none0');
  });
});

describe('ping', () => {
  it('is green below 50 ms, yellow to 200 ms, red above (DISC-05, DISC-06, DISC-07, DISC-08)', () => {
    expect([0, 49.9, 50, 200, 200.1, null].map(pingLevel)).toEqual([
      'green',
      'green',
      'yellow',
      'yellow',
      'red',
      'red',
    ]);
  });

  it('counts a refusal as an answer and a silence as none', async () => {
    expect(await tcpPing('127.0.0.1', 1, 1000, systemClock)).toBeGreaterThanOrEqual(0);
    // Time is up before the connection is made.
    const clock = Object.assign(new ManualClock(), {
      after: (_ms: number, fn: () => void) => {
        queueMicrotask(fn);
        return () => {};
      },
    });
    expect(await tcpPing('127.0.0.1', 1, 1000, clock)).toBeNull();
  });
});
