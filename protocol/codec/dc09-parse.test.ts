import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidData, siaData } from './dc09-content.ts';
import { parseDc09Content } from './dc09-parse.ts';

const sia = (data: string, xdata: string[] = []) => parseDc09Content({ id: 'SIA-DCS', data, xdata });
const cid = (data: string, xdata: string[] = []) => parseDc09Content({ id: 'ADM-CID', data, xdata });

describe('content of foreign messages: SIA (DC-03)', () => {
  it.each([
    ['#1234|Nri1/BA003', { code: 'BA', area: 1, zone: '003', user: null, qualifier: 'begin', account: '1234' }],
    ['#12345A|NFA129', { code: 'FA', area: null, zone: '129', account: '12345A' }],
    ['12345A|NFA129', { code: 'FA', zone: '129', account: null }],
    ['#1234|NRR|Atest', { code: 'RR', zone: null, text: 'test' }],
    ['#0123|Nti20:50:26RP99', { code: 'RP', zone: '99' }],
    ['#0000|Nri1/NP501', { code: 'NP', area: 1, zone: '501' }],
    ['Nri1/WA000', { code: 'WA', area: 1, zone: '000', account: null }],
    ['#1234|Nri1/CL501', { code: 'CL', zone: '501', user: '501', qualifier: 'begin' }],
    ['#1234|Nid7/ri2/OP', { code: 'OP', zone: null, user: '7', area: 2 }],
    ['#1|Nri2^Hall^ti10:34:52BA3^Entree^|ABurglary', { code: 'BA', area: 2, zone: '3', text: 'Entree Burglary' }],
    ['#1234|Ori1/BA003', { code: 'BA', old: true }],
    ['#1234|OP001', { code: 'OP', zone: '001', old: false }],
    ['#1234|OPA1', { code: 'PA', zone: '1', old: true }],
    ['#1234|BA001', { code: 'BA', zone: '001', old: false }],
    ['#1234|Nri1/BH003', { code: 'BH', qualifier: 'end' }],
    ['#1234|Nri1/UU003', { code: 'UU', qualifier: 'end' }],
    ['#1234|Nda05-06-26/ti10:00/pi3/TA12', { code: 'TA', zone: '12', area: null }],
    ['#0000|ASystem check', { code: 'A', text: 'System check', zone: null }],
    ['#1234|AR001', { code: 'AR', zone: '001', qualifier: 'end' }],
    ['#1234|Nri1BA3*"Burglary"NM', { code: 'BA', zone: '3', area: 1, text: 'Burglary' }],
    ['xx#1234|Nri1/BA003', { code: 'BA', account: '1234' }],
  ])('%s', (data, expected) => {
    expect(sia(data)).toMatchObject([{ protocol: 'SIA-DCS', event: expected.code, ...expected }]);
  });

  it('finds every event of a block, each with what stood before it', () => {
    expect(sia('#1234|Nri1/BA003/TA004/ri2/FA005|NYT')).toMatchObject([
      { code: 'BA', area: 1, zone: '003' },
      { code: 'TA', area: 1, zone: '004' },
      { code: 'FA', area: 2, zone: '005' },
      { code: 'YT', area: null, zone: null },
    ]);
    expect(sia('')).toEqual([]);
    expect(sia('#1234|')).toEqual([]);
    expect(sia('#1234|N')).toEqual([]);
    expect(parseDc09Content({ id: 'ACR-SF', data: '#1|Nri1/BA1', xdata: [] })).toEqual([]);
  });
});

describe('content of foreign messages: Contact ID (DC-05)', () => {
  it.each([
    ['#1234|1130 01 007', { code: '1130', event: '130', qualifier: 'begin', area: 1, zone: '007', user: null }],
    ['#1234|3130 01 007', { code: '3130', qualifier: 'end' }],
    ['#1234|6302 00 000', { code: '6302', qualifier: 'still', area: null, zone: null }],
    ['#1234|1401 02 012', { code: '1401', user: '012', zone: '012' }],
    ['#1234|1423 02 012', { code: '1423', user: null, zone: '012' }],
    ['#1234|113001007', { code: '1130', area: 1, zone: '007' }],
    ['#1234|18 1130 01 007', { code: '1130', area: 1, zone: '007' }],
    ['1130 01 007', { code: '1130', account: null }],
    ['#00A1B2|11AA 01 007', { code: '11AA', event: '1AA', account: '00A1B2' }],
  ])('%s', (data, expected) => {
    expect(cid(data)).toMatchObject([{ protocol: 'ADM-CID', ...expected }]);
  });

  it('refuses what is none', () => {
    for (const data of ['', '#1234|', '#0000|0000 00 000', '#1234|2130 01 007', '#1234|Nri1/BA003', '#1|1130 01']) {
      expect(cid(data), data).toEqual([]);
    }
  });
});

describe('extended data of foreign messages', () => {
  it('gives time of occurrence, text and pictures', () => {
    const latin = Buffer.from('Tür \x80', 'latin1').toString('latin1');
    const utf8 = Buffer.from('Tür Süd').toString('latin1');
    expect(
      cid('#1|1130 01 007', ['H03:04:00,01-02-2026', `I${latin}`, 'Vhttps://a/1.jpg, https://a/2.jpg']),
    ).toMatchObject([
      { occurredAt: Date.UTC(2026, 0, 2, 3, 4), text: 'Tür €', pictures: ['https://a/1.jpg', 'https://a/2.jpg'] },
    ]);
    expect(sia('#1|NBA1', ['Hyesterday', `I${utf8}`, 'V'])).toMatchObject([
      { occurredAt: null, text: 'Tür Süd', pictures: [] },
    ]);
    const [local] = parseDc09Content({ id: 'SIA-DCS', data: '#1|NBA1', xdata: ['H03:04:00,01-02-2026'] }, 3_600_000);
    expect(local!.occurredAt).toBe(Date.UTC(2026, 0, 2, 2, 4));
  });

  it('reads what our own sender writes, and ends whatever comes', () => {
    const two = fc.constantFrom('BA', 'FA', 'TR', 'OP', 'CL', 'PA');
    const number = fc.integer({ min: 0, max: 999 }).map((n) => String(n).padStart(3, '0'));
    fc.assert(
      fc.property(two, fc.integer({ min: 1, max: 99 }), number, (code, area, zone) => {
        expect(sia(siaData('00A1', area, code, zone, 'Hall'))).toMatchObject([{ code, area, zone, text: 'Hall' }]);
        expect(cid(cidData('00A1', '130', true, area, zone))).toMatchObject([{ code: '3130', area }]);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (data) => {
        for (const { code } of [...sia(data), ...cid(data)]) expect(code).toMatch(/^(A|[A-Z]{2}|[136][0-9A-F]{3})$/);
      }),
      { numRuns: 2000 },
    );
  });
});
