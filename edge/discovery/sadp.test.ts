import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inquiry, macOf, readDatagram } from './sadp.ts';

// Written by hand after the shape of captured answers: order, blanks and misspellings are the devices' own.
const RECORDER = `<?xml version="1.0" encoding="UTF-8" ?>
<ProbeMatch>
<Uuid>0BD7A1D6-0000-4000-8000-000000000001</Uuid>
<Types>inquiry </Types>
<Encrypt>true</Encrypt>
<Salt>${'ab'.repeat(32)}</Salt>
<DeviceType>44322</DeviceType>
<DeviceDescription>DS-7604HQH-K1 </DeviceDescription>
<DeviceSN>DS-7604HQH-K10420210101CCWRG00112233WCVU</DeviceSN>
<CommandPort>8000</CommandPort>
<HttpPort>8080</HttpPort>
<MAC>68-6D-BC-00-11-22</MAC>
<IPv4Address>10.1.2.3</IPv4Address>
<IPv4SubnetMask>255.255.255.0</IPv4SubnetMask>
<IPv4Gateway>10.1.2.1</IPv4Gateway>
<DHCP>flase</DHCP>
<SoftwareVersion>V3.5.38build 191215</SoftwareVersion>
<Activated>true</Activated>
<DeviceLock>true</DeviceLock>
</ProbeMatch>
`;
const read = (xml: string, source = '10.9.9.9') => readDatagram(Buffer.from(xml), source);
const without = (...names: string[]) =>
  names.reduce((xml, name) => xml.replace(new RegExp(`<${name}>.*?</${name}>\\n`), ''), RECORDER);

describe('ProbeMatch', () => {
  it('is read in any order, with blanks and misspelled booleans', () => {
    expect(read(RECORDER)).toEqual({
      mac: '68-6d-bc-00-11-22',
      serial: 'DS-7604HQH-K10420210101CCWRG00112233WCVU',
      model: 'DS-7604HQH-K1',
      firmware: 'V3.5.38 build 191215',
      address: '10.1.2.3',
      subnetMask: '255.255.255.0',
      gateway: '10.1.2.1',
      httpPort: 8080,
      dhcp: false,
      activated: true,
      locked: true,
    });
  });

  it('may lack nearly everything', () => {
    const bare = without(
      'HttpPort',
      'IPv4Address',
      'IPv4SubnetMask',
      'IPv4Gateway',
      'DHCP',
      'SoftwareVersion',
      'Activated',
      'DeviceLock',
      'DeviceSN',
    );
    expect(read(bare)).toMatchObject({
      address: '10.9.9.9',
      httpPort: null,
      dhcp: null,
      activated: null,
      locked: false,
      serial: '',
      firmware: null,
    });
    expect(read(without('MAC'))).toBe('malformed');
    expect(read(without('DeviceSN', 'DeviceDescription'))).toBe('malformed');
  });

  it('is not taken from an inquiry, nor from the answer to another command', () => {
    expect(readDatagram(inquiry('a-b'), '10.0.0.1')).toBe('ignore');
    expect(read(RECORDER.replace('inquiry ', 'update'))).toBe('ignore');
  });

  it('keeps control characters and endless texts out', () => {
    const found = read(RECORDER.replace('DS-7604HQH-K1 ', `a\u0007<![CDATA[<b>]]>${'x'.repeat(300)}`));
    expect(found).toMatchObject({ model: expect.stringMatching(/^a <b>x{1,60}$/) });
    expect(read(RECORDER.replace('<HttpPort>8080', '<HttpPort>99999'))).toMatchObject({ httpPort: null });
    expect(read(RECORDER.replace('10.1.2.3', 'evil.example'))).toMatchObject({ address: '10.9.9.9' });
    expect(read(RECORDER + ' '.repeat(9000))).toBe('malformed');
  });

  it('stays as short as the relay takes it, with the blank that is put into a firmware', () => {
    const long = RECORDER.replace(/<SoftwareVersion>[^<]*/, `<SoftwareVersion>V3.5.38build ${'1'.repeat(80)}`);
    const found = readDatagram(Buffer.from(long), '10.9.9.9');
    expect(typeof found === 'object' && found.firmware).toHaveLength(64);
  });

  it('is not read when it has more elements than any device sends', () => {
    const padded = (tags: number) => RECORDER.replace('</ProbeMatch>', `${'<a/>'.repeat(tags)}</ProbeMatch>`);
    expect(typeof readDatagram(Buffer.from(padded(300)), '10.9.9.9')).toBe('object');
    expect(readDatagram(Buffer.from(padded(1_500)), '10.9.9.9')).toBe('malformed');
  });

  it('takes nothing from noise and breaks on none of it', () => {
    fc.assert(
      fc.property(fc.nat(RECORDER.length), fc.nat(40), fc.uint8Array({ maxLength: 40 }), (at, cut, noise) => {
        const bytes = Buffer.from(RECORDER);
        const found = readDatagram(Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at + cut)]), '10.9.9.9');
        if (typeof found === 'object') {
          expect(found.mac).toMatch(/^([0-9a-f]{2}-){5}[0-9a-f]{2}$/);
          expect(found.model.length).toBeLessThanOrEqual(64);
        }
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        (noise) => readDatagram(Buffer.from(noise), '1.2.3.4') === 'malformed',
      ),
    );
  });
});

it('compares MACs in one form', () => {
  expect(macOf('44:19:B6:01:02:03')).toBe('44-19-b6-01-02-03');
  expect(macOf('4419b6010203')).toBe('44-19-b6-01-02-03');
  expect(macOf('00:00:00:00:00:00')).toBeNull();
  expect(macOf('no')).toBeNull();
});
