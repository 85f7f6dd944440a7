import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { MEDIA_TYPES } from '../../protocol/wire/media.ts';
import { FanOut } from './fan-out.ts';

const partner = { name: 'partner', owner: false };
const owner = { name: 'owner', owner: true };

function start() {
  const bodies: PassThrough[] = [];
  const open = async () => {
    const body = new PassThrough();
    bodies.push(body);
    return body;
  };
  const fanOut = new FanOut({ clock: new ManualClock(0), open });
  const watch = (path: string, by = partner) => {
    const seen = { bytes: 0, code: null as string | null };
    fanOut.join('BOX', path, by).start({
      message: ({ length }) => (seen.bytes += length),
      end: ({ code }) => (seen.code = code),
    });
    return seen;
  };
  return { fanOut, bodies, watch };
}
const message = (type: number, size: number) => {
  const bytes = Buffer.alloc(4 + size, type);
  bytes.writeUInt32BE(size);
  return bytes;
};
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

it('leaves streams of a box for its owner, whoever else looks', () => {
  const { fanOut, watch } = start();
  const codes = (by: typeof partner, count: number) =>
    Array.from({ length: count }, (_, i) => watch(`${by.name} ${i}`, by).code);
  expect(codes(partner, 16)).toEqual(Array(16).fill(null));
  expect(codes({ name: 'third', owner: false }, 1)).toEqual(['limit-reached']);
  // What is fetched already costs nothing.
  expect(watch('partner 0', { name: 'third', owner: false }).code).toBeNull();
  expect(codes(owner, 17)).toEqual([...Array(16).fill(null), 'limit-reached']);
  fanOut.stop();
});

it('keeps so much of a box’s pictures for who comes later, and takes no long beginning', async () => {
  const { fanOut, bodies, watch } = start();
  const paths = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  for (const path of paths) watch(path);
  const ended = watch('i', owner);
  await settled();
  bodies[8]!.write(message(MEDIA_TYPES.init, 65_537));
  for (const body of bodies.slice(0, 8)) body.write(message(MEDIA_TYPES.key, 15_000_000));
  await settled();
  const later = paths.map((path) => watch(path).bytes);
  expect(later.reduce((sum, bytes) => sum + bytes, 0)).toBe(60_000_000);
  expect(ended).toEqual({ bytes: 0, code: 'device-error' });
  fanOut.stop();
});
