import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDns } from './dns.ts';
import { mdnsQuery, readMdns } from './mdns.ts';

const name = (...labels: string[]) =>
  Buffer.concat([...labels.flatMap((l) => [Buffer.from([Buffer.byteLength(l)]), Buffer.from(l)]), Buffer.from([0])]);
const record = (owner: Buffer, type: number, data: Buffer, ttl = 120) => {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(ttl, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, head, data]);
};
const answer = (...records: Buffer[]) => {
  const head = Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, ...records]);
};
const service = (instance: string, kind: string) => name(instance, kind, '_tcp', 'local');
const ptr = (instance: string, kind: string, ttl?: number) =>
  record(name(kind, '_tcp', 'local'), 12, service(instance, kind), ttl);
const srv = (instance: string, kind: string, port: number) =>
  record(
    service(instance, kind),
    33,
    Buffer.concat([Buffer.from([0, 0, 0, 0, port >> 8, port & 255]), name('ipc', 'local')]),
  );
const txt = (instance: string, kind: string, ...texts: string[]) =>
  record(service(instance, kind), 16, Buffer.concat(texts.flatMap((t) => [Buffer.from([t.length]), Buffer.from(t)])));
const a = (address: string) => record(name('ipc', 'local'), 1, Buffer.from(address.split('.').map(Number)));

const CAMERA = 'HIKVISION DS-2CD2385G1-I - 733050127';
const first = (bytes: Buffer, source = '10.7.0.2') => {
  const read = readMdns(bytes, source);
  return typeof read === 'object' ? read.found[0] : read;
};

describe('reading multicast DNS', () => {
  it('takes model, serial and web port from the name and its services (DISC-01)', () => {
    const said = [ptr(CAMERA, '_http'), srv(CAMERA, '_http', 8080), ptr(CAMERA, '_rtsp'), srv(CAMERA, '_rtsp', 554)];
    expect(first(answer(...said, a('10.7.0.2')))).toEqual({
      instance: CAMERA,
      mac: null,
      serial: '733050127',
      model: 'DS-2CD2385G1-I',
      httpPort: 8080,
    });
  });

  it('takes a MAC from the name or its texts', () => {
    expect(first(answer(ptr('AXIS M1065-L - ACCC8E123456', '_http')))).toMatchObject({
      mac: 'ac-cc-8e-12-34-56',
      serial: '',
      model: 'M1065-L',
    });
    const doorbell = 'Front door';
    const said = txt(doorbell, '_axis-video', 'macaddress=00408C123456', 'model=A8105-E');
    expect(first(answer(ptr(doorbell, '_axis-video'), said))).toMatchObject({
      mac: '00-40-8c-12-34-56',
      model: 'A8105-E',
    });
  });

  it('says who goes, and leaves printers, questions and what a reflector brings from elsewhere alone', () => {
    expect(readMdns(answer(ptr(CAMERA, '_http', 0)), '10.7.0.2')).toEqual({ found: [], gone: [CAMERA] });
    expect(first(answer(ptr('Brother HL-5340D series', '_http')))).toBe('ignore');
    expect(first(answer(ptr(CAMERA, '_http'), a('10.9.9.9')))).toBe('ignore');
    expect(first(mdnsQuery())).toBe('ignore');
    expect(first(Buffer.from('lollipop'))).toBe('malformed');
  });

  it('reads names with pointers, and none that go in circles or out of the message', () => {
    const pointed = answer(record(Buffer.from([0xc0, 12]), 12, Buffer.from([0])));
    expect(readDns(pointed)).toBeNull();
    const owner = name('_http', '_tcp', 'local');
    const data = Buffer.concat([Buffer.from([4]), Buffer.from('DS-2'), Buffer.from([0xc0, 12])]);
    expect(first(answer(record(owner, 12, data)))).toMatchObject({ instance: 'DS-2' });
    expect(readDns(answer(record(owner, 12, Buffer.from([0xff, 0xff]))))).toBeNull();
    expect(readDns(answer(record(owner, 12, data)).subarray(0, -3))).toBeNull();
  });

  it('never throws, whatever comes', () => {
    const original = answer(ptr(CAMERA, '_psia'), srv(CAMERA, '_psia', 80), txt(CAMERA, '_psia', 'a=b'), a('10.7.0.2'));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of changes) bytes[at] = value;
        expect(() => readMdns(bytes, '10.7.0.2')).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });
});
