import { expect, it } from 'vitest';
import { sameSerial, shortSerial } from './serial.ts';

it('finds the 9 characters that end at the last digit (SN-09)', () => {
  expect(shortSerial('DS-7604NI20230101AAWRT123T45R6UVWXYZ')).toBe('T123T45R6');
  expect(shortSerial('DS-2CD2386G2-IU20230412AAWRZ123T45R6')).toBe('Z123T45R6');
  expect(shortSerial('T123T45R6')).toBe('T123T45R6');
  expect(shortSerial(' t12 ')).toBe('T12');
  expect(shortSerial('ABCDEFGHIJKLM')).toBe('ABCDEFGHIJKLM');
});

it('takes a long and a short serial of one device for the same', () => {
  expect(sameSerial('DS-7604NI20230101CCWRG00112233WCVU', 'G00112233')).toBe(true);
  expect(sameSerial('G00112234', 'G00112233')).toBe(false);
  expect(sameSerial('', '')).toBe(false);
});
