import { describe, expect, it } from 'vitest';
import { compareFirmware, modelFits, readPackageName } from './firmware.ts';

describe('names of packages', () => {
  it.each([
    ['test_V4.26.10_230316.zip', 'test', '4.26.10', '230316'],
    ['NVR_V5.0.0_Build_220210.zip', 'NVR', '5.0.0', '220210'],
    ['DVR_V4.26.500_build200518.zip', 'DVR', '4.26.500', '200518'],
    ['DS-2CD2386G2-IU_V5.7.15_build240201.zip', 'DS-2CD2386G2-IU', '5.7.15', '240201'],
  ])('%s is taken (UPG-10)', (file, name, version, build) =>
    expect(readPackageName(file)).toEqual({ name, version, build }));

  it.each([
    'test_V4.26.10.zip',
    'test_4.26.10_230316.zip',
    'test_V4_230316.zip',
    '_V4.26.10_230316.zip',
    'test_V4.26.10_231316.zip',
    'test_V4.26.10_230332.zip',
    'test_V4.26.10_Build230316.zip',
    'test_V4.26.10_build_230316.zip',
    'test_V4.26.10_230316.rar',
    '../x_V4.26.10_230316.zip',
    'test_V4.26.10_230316.zip.exe',
  ])('%s is refused (UPG-10)', (file) => expect(readPackageName(file)).toBeNull());
});

it('versions are compared by number, builds where both have one', () => {
  const order = (a: string, b: string) => compareFirmware(a, b);
  expect(order('V5.7.15 build 240201', 'V5.7.9 build 250101')).toBe(1);
  expect(order('V5.7.15 build 240201', 'V5.7.15build 240201')).toBe(0);
  expect(order('V5.7.15 build 240201', 'V5.7.15')).toBe(0);
  expect(order('V5.7.15 build 240101', 'V5.7.15 build 240201')).toBe(-1);
  expect(order('V5.8', 'V5.7.15')).toBe(1);
  expect(order('V5.8', '')).toBeNull();
});

it('a model fits by its name, or by its beginning with a star', () => {
  expect(modelFits('DS-2CD2386G2-IU', ['DS-2CD2386G2*'])).toBe(true);
  expect(modelFits('ds-2cd2386g2-iu', ['DS-2CD2386G2-IU'])).toBe(true);
  expect(modelFits('DS-2CD2386G2-IU', ['DS-2CD2386G2'])).toBe(false);
});
