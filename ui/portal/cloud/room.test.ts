import { expect, it } from 'vitest';
import type { CloudDevice, CloudStock } from '../../../protocol/wire/cloud.ts';
import { allowed, leftOver, recommendedOf, roomOf, sharePackages } from './room.ts';

const of = (retentionDays: 7 | 30, remaining: number): CloudStock => ({
  retentionDays,
  term: 'month',
  purchased: 9,
  used: 0,
  reserved: 0,
  remaining,
});
const line = (key: string, packages = 1) => ({ key, packages });

it('packages are shared out: what was picked first, then the first kind that is left; nobody gets what another has (CLOUD-24)', () => {
  const stock = [of(7, 1), of(30, 2)];
  const one = sharePackages(stock, [line('a'), line('b'), line('paid', 0)], {});
  expect([...one.of]).toEqual([
    ['a', '7 month'],
    ['b', '30 month'],
  ]);
  expect(leftOver(one)).toBe(1);
  const picked = sharePackages(stock, [line('a'), line('b')], { b: '7 month' });
  expect([picked.of.get('a'), picked.of.get('b')]).toEqual(['30 month', '7 month']);
  const many = sharePackages(stock, [line('new', 3)], {});
  expect([many.of.get('new'), leftOver(many)]).toEqual([undefined, 3]);
});

it('a device has room for what the compatibility list allows, less what has it, runs or is chosen (CLOUD-13)', () => {
  const device: CloudDevice = {
    deviceId: 'd',
    deviceName: 'NVR',
    model: 'M',
    maxChannels: 3,
    motionOnly: false,
    maxWidth: 1920,
    maxHeight: 1080,
    paid: [1],
    setups: [
      { channel: 2, state: 'running', code: null, jobId: null, at: '2026-01-01T00:00:00Z' },
      { channel: 4, state: 'failed', code: 'x', jobId: null, at: '2026-01-01T00:00:00Z' },
    ],
  };
  expect(roomOf(device, [])).toMatchObject({ most: 3, free: 1 });
  // One that has it is set up again, which takes no room.
  expect([roomOf(device, [1]).free, roomOf(device, [3]).free]).toEqual([1, 0]);
  expect(roomOf({ ...device, maxChannels: null }, [5, 6]).free).toBe(Number.POSITIVE_INFINITY);
  expect(allowed(['3840x2160', '1920x1080', '640x360'], device)).toEqual(['1920x1080', '640x360']);
  expect(recommendedOf(['1920x1080', '1280x960', '640x360'], '1280*720')).toBe('640x360');
});
