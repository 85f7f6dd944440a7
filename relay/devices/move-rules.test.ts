import { describe, expect, it } from 'vitest';
import type { SiteStatus } from '../../protocol/wire/rights.ts';
import { planMove, settingsOf } from './move-rules.ts';

const device = (
  id: string,
  boxSerial: string | null,
  more: { accessMode?: 'p2p' | 'ip'; channelCount?: number } = {},
) => ({
  id,
  boxSerial,
  accessMode: 'p2p' as const,
  channelCount: 1,
  ...more,
});
const here = [
  device('a1', 'A'),
  device('a2', 'A'),
  device('b1', 'B'),
  device('free', null),
  device('ip', null, { accessMode: 'ip' }),
  device('big', null, { channelCount: 100 }),
];
const plan = (
  wishes: string[],
  more: { channelsThere?: number; type?: 'personal' | 'team'; status?: SiteStatus } = {},
) => {
  const { obstacles, moving, boxes } = planMove({
    wishes: wishes.map((wish) => ({ deviceId: wish.split('>')[0]!, via: wish.split('>')[1] ?? null })),
    here,
    boxesThere: ['C'],
    channelsThere: more.channelsThere ?? 0,
    from: { status: more.status ?? 'not-handed-over' },
    to: { type: more.type ?? 'personal' },
  });
  return { obstacles: Object.fromEntries(obstacles), moving: moving.map((d) => d.id), boxes };
};

describe('planMove', () => {
  it.each([
    ['a device without a box goes alone', ['free'], {}, { moving: ['free'] }],
    ['a box goes with all its devices', ['a1', 'a2'], {}, { moving: ['a1', 'a2'], boxes: ['A'] }],
    ['its only device takes a box along', ['b1'], {}, { moving: ['b1'], boxes: ['B'] }],
    ['a part of a box stays: nobody would reach it', ['a1'], {}, { obstacles: { a1: 'behind-box' } }],
    ['a box at the new site takes one over', ['a1>C'], {}, { moving: ['a1'] }],
    ['the rest of the box goes with the box', ['a1>C', 'a2'], {}, { moving: ['a1', 'a2'], boxes: ['A'] }],
    ['a box that is not at the new site takes none', ['a1>X'], {}, { obstacles: { a1: 'box-not-here' } }],
    [
      'one that cannot go keeps the box and the others',
      ['a1>X', 'a2'],
      {},
      { obstacles: { a1: 'box-not-here', a2: 'behind-box' } },
    ],
    ['by address: not P2P (MOVE-01)', ['ip', 'free'], {}, { obstacles: { ip: 'not-p2p' }, moving: ['free'] }],
    ['from a shared site: none (SHAR-17)', ['free'], { status: 'shared' }, { obstacles: { free: 'shared' } }],
    ['128 channels in a personal site', ['big'], { channelsThere: 28 }, { moving: ['big'] }],
    ['129 are too many', ['big'], { channelsThere: 29 }, { obstacles: { big: 'channels' } }],
    ['but not in a team site', ['big'], { channelsThere: 29, type: 'team' }, { moving: ['big'] }],
    [
      'a box that does not fit stays with all its devices',
      ['a1', 'a2', 'free'],
      { channelsThere: 127 },
      { obstacles: { a1: 'channels', a2: 'channels' }, moving: ['free'] },
    ],
  ] as const)('%s', (_, wishes, more, expected) => {
    expect(plan([...wishes], more)).toEqual({ obstacles: {}, moving: [], boxes: [], ...expected });
  });
});

describe('settingsOf', () => {
  it('names what a device loses (MOVE-03, MOVE-04)', () => {
    const accounts = [{ zones: [{ deviceId: 'b' }] }];
    expect(settingsOf('a', [{ deviceId: 'a' }], accounts)).toEqual(['recording']);
    expect(settingsOf('b', [{ deviceId: 'a' }], accounts)).toEqual(['arc']);
    expect(settingsOf('c', [{ deviceId: 'a' }], accounts)).toEqual([]);
  });
});
