import { expect, it } from 'vitest';
import type { CloudChannel } from '../../../protocol/wire/cloud.ts';
import { silences } from './words.ts';

const channel = (silent: string[], o: Partial<CloudChannel> = {}) =>
  ({
    recording: true,
    mode: 'event',
    triggers: ['motion', 'intrusion', 'lineCrossing'],
    ...o,
    silent: silent.map((one) => ({ trigger: one.split(':')[0], why: one.split(':')[1] })),
  }) as CloudChannel;
const levels = (...of: Parameters<typeof channel>) => silences(channel(...of)).map(([level]) => level);

it('warns of what keeps a channel from making clips: of all of them, of motion, of what was drawn and tells nobody (CLOUD-09)', () => {
  expect(levels([])).toEqual([]);
  // As most cameras come: the others are off, and nobody misses them.
  expect(levels(['intrusion:enabled', 'lineCrossing:enabled'])).toEqual([]);
  expect(levels(['motion:notify', 'intrusion:enabled'])).toEqual(['problem']);
  expect(levels(['motion:enabled'])).toEqual(['attention']);
  expect(levels(['lineCrossing:schedule', 'motion:area'])).toEqual(['problem', 'attention']);
  // Nothing is recorded at all.
  expect(levels(['motion:enabled', 'intrusion:enabled', 'lineCrossing:area'])).toEqual([
    'problem',
    'problem',
    'problem',
  ]);
  expect(levels(['intrusion:enabled'], { triggers: ['intrusion'] })).toEqual(['problem']);
  expect(levels(['motion:notify'], { triggers: ['intrusion'] })).toEqual([]);
  expect(levels(['motion:notify'], { mode: 'continuous' })).toEqual([]);
  expect(levels(['motion:notify'], { recording: false })).toEqual([]);
});
