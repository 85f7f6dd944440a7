import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { Descriptions } from './descriptions.ts';
import { readDescription, readSsdp, ssdpSearch } from './ssdp.ts';

const alive = (location: string, nts = 'ssdp:alive') =>
  Buffer.from(
    `NOTIFY * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nNTS: ${nts}\r\nLocation: ${location}\r\nUSN: uuid:4d454930-0000-1000-8001-4419b6010203::upnp:rootdevice\r\n\r\n`,
  );
const description = (o: { maker?: string; serial?: string; page?: string; udn?: string }) =>
  Buffer.from(
    `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><friendlyName>${o.maker ?? 'HIKVISION'} DS-2CD2032-I</friendlyName><manufacturer>${o.maker ?? 'HIKVISION'}</manufacturer><modelName>DS-2CD2032-I</modelName><serialNumber>${o.serial ?? 'DS-2CD2032-I20140101CCWR428356777'}</serialNumber><UDN>uuid:${o.udn ?? '4d454930-0000-1000-8001-4419b6010203'}</UDN><presentationURL>${o.page ?? 'http://10.7.0.2:85/'}</presentationURL></device></root>`,
  );

describe('reading SSDP', () => {
  it('takes where a device describes itself, from answers and notices (DISC-01)', () => {
    const uuid = '4d454930-0000-1000-8001-4419b6010203';
    const described = { port: 49152, path: '/upnpdevicedesc.xml' };
    expect(readSsdp(alive('http://10.7.0.2:49152/upnpdevicedesc.xml'), '10.7.0.2')).toEqual({ uuid, described });
    const found = alive('http://10.7.0.2:49152/upnpdevicedesc.xml')
      .toString()
      .replace(/^.*\r\n/, 'HTTP/1.1 200 OK\r\n');
    expect(readSsdp(Buffer.from(found), '10.7.0.2')).toEqual({ uuid, described });
    expect(readSsdp(alive('', 'ssdp:byebye'), '10.7.0.2')).toEqual({ gone: uuid });
  });

  it.each([
    ['another host', 'http://10.7.0.3:80/a.xml'],
    ['the metadata service', 'http://169.254.169.254/latest'],
    ['the box itself', 'http://127.0.0.1:8081/'],
    ['a name', 'http://router.example/a.xml'],
    ['another scheme', 'https://10.7.0.2/a.xml'],
    ['a login', 'http://user:pass@10.7.0.2/a.xml'],
    ['a very long path', `http://10.7.0.2/${'a'.repeat(300)}`],
  ])('never goes where a datagram points: %s', (_, location) =>
    expect(readSsdp(alive(location), '10.7.0.2')).toBe('ignore'));

  it('leaves questions and nonsense alone', () => {
    expect(readSsdp(ssdpSearch(), '10.7.0.2')).toBe('ignore');
    for (const text of ['', 'HTTP/1.1 200 OK\r\n\r\n', 'HTTP/1.1 404 No\r\nUSN: uuid:x', 'lollipop'])
      expect(readSsdp(Buffer.from(text), '10.7.0.2')).toBe('malformed');
    expect(readSsdp(alive('no url'), '10.7.0.2')).toBe('malformed');
  });

  it('takes identity and port from a description, of video and security devices alone', () => {
    expect(readDescription(description({}), '10.7.0.2', 49152)).toEqual({
      mac: '44-19-b6-01-02-03',
      serial: 'DS-2CD2032-I20140101CCWR428356777',
      model: 'DS-2CD2032-I',
      httpPort: 85,
    });
    const elsewhere = { serial: 'ACCC8E123456', page: 'http://evil.example/', udn: 'x' };
    expect(readDescription(description(elsewhere), '10.7.0.2', 80)).toMatchObject({
      mac: 'ac-cc-8e-12-34-56',
      serial: '',
      httpPort: 80,
    });
    const television = description({ maker: 'Samsung' }).toString().replaceAll('DS-2CD2032-I', 'QE55');
    expect(readDescription(Buffer.from(television), '10.7.0.2', 80)).toBeNull();
  });
});

describe('descriptions', () => {
  const ends: (() => unknown)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });
  async function device(answer: (path: string) => { status: number; body: Buffer; location?: string }) {
    const asked: string[] = [];
    const server = createServer((req, res) => {
      asked.push(req.url!);
      const { status, body, location } = answer(req.url!);
      res.writeHead(status, location ? { location } : {}).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => server.close());
    return { asked, port: (server.address() as AddressInfo).port };
  }

  it('are fetched once, without following anybody elsewhere, and only as long as they are short', async () => {
    const { asked, port } = await device((path) =>
      path === '/moved'
        ? { status: 302, body: Buffer.alloc(0), location: '/ok' }
        : { status: 200, body: path === '/ok' ? description({}) : Buffer.alloc(40_000, ' ') },
    );
    const clock = new ManualClock();
    const descriptions = new Descriptions({ clock });
    ends.push(() => descriptions.stop());
    const of = (uuid: string, path: string) => descriptions.of('127.0.0.1', uuid, { port, path });
    expect(await of('a', '/ok')).toMatchObject({ model: 'DS-2CD2032-I' });
    expect(await of('a', '/ok')).toMatchObject({ model: 'DS-2CD2032-I' });
    expect(await of('b', '/moved')).toBeNull();
    expect(await of('c', '/long')).toBeNull();
    expect(await of('c', '/long')).toBeNull();
    expect(asked).toEqual(['/ok', '/moved', '/long']);
    await clock.advance(10 * 60_000);
    await of('a', '/ok');
    expect(asked).toHaveLength(4);
  });
});
