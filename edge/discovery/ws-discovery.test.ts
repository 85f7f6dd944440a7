import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { macOfNeighbour } from './neighbours.ts';
import { probes, readWsd } from './ws-discovery.ts';

const envelope = (body: string) =>
  Buffer.from(
    `<?xml version="1.0"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`,
  );
const match = (o: { uuid?: string; scopes?: string; xaddrs?: string; types?: string }) =>
  `<d:ProbeMatch><wsa:EndpointReference><wsa:Address>\n urn:uuid:${o.uuid ?? '5BA18C57-1787-4E12-AB8B-4567327B23C6'} </wsa:Address></wsa:EndpointReference><d:Types>${o.types ?? 'tdn:NetworkVideoTransmitter'}</d:Types><d:Scopes>${o.scopes ?? ' onvif://www.onvif.org/name/SRVD\nonvif://www.onvif.org/hardware/Turret%204K '}</d:Scopes><d:XAddrs>${o.xaddrs ?? 'http://10.7.0.2:8090/onvif/device_service'}</d:XAddrs></d:ProbeMatch>`;
const matches = (o: Parameters<typeof match>[0] = {}) => envelope(`<d:ProbeMatches>${match(o)}</d:ProbeMatches>`);
const first = (bytes: Buffer, source = '10.7.0.2') => {
  const read = readWsd(bytes, source);
  return typeof read === 'object' && 'found' in read ? read.found[0] : read;
};

describe('reading WS-Discovery', () => {
  it('takes identity, model and port, with blanks and line ends in every element (DISC-01)', () => {
    expect(first(matches())).toEqual({
      uuid: '5ba18c57-1787-4e12-ab8b-4567327b23c6',
      mac: null,
      model: 'Turret 4K',
      address: '10.7.0.2',
      httpPort: 8090,
    });
  });

  it.each([
    ['0.0.0.0 in it', 'http://0.0.0.0:8080/onvif/device_service', 8080],
    ['several, the one that answered wins', 'http://169.254.3.4/x http://10.7.0.2:85/x http://10.9.9.9:86/x', 85],
    ['IPv6 only beside it', 'http://[fe80::1]:99/x http://10.7.0.9/x', 80],
    ['https', 'https://10.7.0.2/onvif/device_service', 443],
  ])('addresses: %s', (_, xaddrs, httpPort) => {
    // Somebody else's address inside is never used: the box would be made to knock there.
    expect(first(matches({ xaddrs }))).toMatchObject({ address: '10.7.0.2', httpPort });
  });

  it('takes a MAC from the scopes, or from a UUID that is made of one, never from a random UUID', () => {
    const scopes = 'onvif://www.onvif.org/MAC/4C:11:AE:00:00:07 onvif://www.onvif.org/hardware/x';
    expect(first(matches({ scopes }))).toMatchObject({ mac: '4c-11-ae-00-00-07' });
    expect(first(matches({ uuid: '9e1c7a40-0f6e-11b3-81d0-4c11ae000008' }))).toMatchObject({
      mac: '4c-11-ae-00-00-08',
    });
    expect(first(matches({ uuid: '9e1c7a40-0f6e-41b3-81d0-4c11ae000008' }))).toMatchObject({ mac: null });
  });

  it('says who came and who went, and leaves printers, probes and nonsense alone', () => {
    const hello = envelope(match({}).replaceAll('ProbeMatch', 'Hello'));
    expect(first(hello)).toMatchObject({ model: 'Turret 4K' });
    const bye = envelope(match({}).replaceAll('ProbeMatch', 'Bye'));
    expect(readWsd(bye, '10.7.0.2')).toEqual({ gone: '5ba18c57-1787-4e12-ab8b-4567327b23c6' });
    const printer = { types: 'wprt:PrintDeviceType', scopes: '', xaddrs: 'http://10.7.0.3/wsd' };
    expect(readWsd(matches(printer), '10.7.0.3')).toBe('ignore');
    for (const probe of probes(() => 'x')) expect(readWsd(probe, '10.7.0.2')).toBe('ignore');
    for (const text of ['lollipop', '', '<a/>', '<Envelope><Body>x</Body></Envelope>', `${matches()}`.slice(0, 200)])
      expect(readWsd(Buffer.from(text), '10.7.0.2')).toBe('malformed');
    expect(readWsd(Buffer.alloc(20_000, '<a>'), '10.7.0.2')).toBe('malformed');
  });

  it('never throws and never names another address than the sender’s, whatever comes', () => {
    const original = matches();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }),
        fc.nat(original.length),
        (changes, cut) => {
          const bytes = Buffer.from(original).subarray(0, Math.max(cut, original.length - cut));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const found = first(bytes, '10.7.0.77');
          if (found !== undefined && typeof found === 'object' && 'address' in found)
            expect(found.address).toBe('10.7.0.77');
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

describe('the table of neighbours', () => {
  it('gives the MAC of who was talked to, and none for an entry without an answer', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gatepost-arp-'));
    const file = join(dir, 'arp');
    writeFileSync(
      file,
      `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.64     0x1         0x2         4c:11:ae:00:00:01     *        eth0
192.168.1.65     0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.6      0x1         0x6         4C:11:AE:00:00:03     *        eth0
`,
    );
    expect(await macOfNeighbour('192.168.1.64', file)).toBe('4c-11-ae-00-00-01');
    expect(await macOfNeighbour('192.168.1.65', file)).toBeNull();
    expect(await macOfNeighbour('192.168.1.6', file)).toBe('4c-11-ae-00-00-03');
    expect(await macOfNeighbour('192.168.1.7', file)).toBeNull();
    expect(await macOfNeighbour('192.168.1.64', join(dir, 'none'))).toBeNull();
    rmSync(dir, { recursive: true });
  });
});
