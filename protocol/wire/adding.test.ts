import { describe, expect, it } from 'vitest';
import { ADDING_METHODS, type AddingMethod, addingRefused, codeOf, DEVICE_VARIANTS, variantOf } from './adding.ts';
import { DEVICE_TYPES, type DeviceType } from './rights.ts';
import { WHERE_FOUND } from './where-found.ts';

/** Table 3-6 as it is printed; the box beside it: by serial and code, or the QR code of both. */
const TABLE: Record<AddingMethod, string> = {
  //           enc pan acc int net rad aud door box
  ip: '        √   ×   ×   ×   ×   ×   ×   ×    ×',
  qr: '        √   √   √   √   √   √   √   √    √',
  serial: '    √   √   √   √   √   √   √   √    √',
  lan: '       √   ×   √   √   √   √   √   ×    ×',
  'on-site': ' √   ×   ×   ×   ×   ×   ×   ×    ×',
  sync: '      √   √   √   √   √   √   √   √    ×',
};
const TEAM = new Set<AddingMethod>(['qr', 'serial', 'lan']);
const cells = ADDING_METHODS.flatMap((method) =>
  DEVICE_TYPES.map((type, i) => [method, type, TABLE[method].trim().split(/\s+/)[i] === '√'] as const),
);

describe('ways to add devices (ADD-01, ADD-02, ADD-04, ADD-05, ADD-06)', () => {
  it.each(cells)('%s for %s: %s', (method, type, allowed) => {
    expect(addingRefused(method, type, 'personal')).toBe(allowed ? null : 'method');
    const onTeam = allowed ? (TEAM.has(method) ? null : 'team-method') : 'method';
    expect(addingRefused(method, type, 'team')).toBe(onTeam);
  });

  it('has all six ways and eight types of the table, and the box', () => {
    expect(cells).toHaveLength(6 * 9);
  });

  it('takes access control routers on personal sites only (ADD-21, SITE-14)', () => {
    for (const method of ADDING_METHODS) {
      const personal = addingRefused(method, 'access', 'personal', 'ac-router');
      if (personal === null) expect(addingRefused(method, 'access', 'team', 'ac-router')).toBe('ac-router');
    }
  });

  it('takes AX HOME by its serial only, on either kind of site (ADD-24)', () => {
    for (const method of ADDING_METHODS)
      for (const site of ['personal', 'team'] as const)
        expect(addingRefused(method, 'panel', site, 'ax-home')).toBe(method === 'serial' ? null : 'ax-home');
  });

  it('takes no radar by its address (ADD-23)', () => {
    expect(addingRefused('ip', 'radar', 'personal')).toBe('method');
  });
});

describe('verification codes', () => {
  it('are there for all but two, and change all the time for one (SN-08)', () => {
    expect([null, ...DEVICE_VARIANTS].map(codeOf)).toEqual(['fixed', 'none', 'none', 'dynamic']);
    const models: [DeviceType, string][] = [
      ['access', 'DS-K2700 Access Control Router'],
      ['panel', 'AX HOME'],
      ['panel', 'AX PRO'],
      ['radar', 'Healthcare Radar'],
      ['encoding', 'AX HOME'],
    ];
    expect(models.map(([type, model]) => variantOf(type, model))).toEqual([
      'ac-router',
      'ax-home',
      null,
      'healthcare-radar',
      null,
    ]);
  });

  it('and serials have a place for each of the twelve kinds (SN-01, SN-07, SN-02, SN-03, SN-04, SN-05, SN-06)', () => {
    expect(WHERE_FOUND).toHaveLength(12);
    const inQr = WHERE_FOUND.filter((row) => (row.code as readonly string[]).includes('labelQr')).map(
      (row) => row.device,
    );
    expect(inQr).toEqual(['nvs', 'panel', 'speaker']);
  });
});
