import { expect, it } from 'vitest';
import { addPage } from './found.ts';

it('a type that is not added from the LAN leads to the form with its serial (ADD-01)', () => {
  const page = (model: string, serial = 'Q12345678') =>
    addPage('/sites/s', { mac: '02:00:00:00:00:01', serial, model });
  expect(page('DS-PWA96-M-WE')).toBe('/sites/s/devices/add-many?way=serial&serial=Q12345678');
  expect(page('DS-HD1')).toBe('/sites/s/devices/add-many?way=serial&serial=Q12345678');
  expect(page('AX PRO', '')).toBe('/sites/s/devices/add-many?way=serial');
  for (const model of ['DS-2CD2143G2-I', 'DS-K1T341AMF', ''])
    expect(page(model)).toBe('/sites/s/devices/add?mac=02:00:00:00:00:01');
});
