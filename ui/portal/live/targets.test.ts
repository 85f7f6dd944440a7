import { describe, expect, it } from 'vitest';
import type { Device, Site } from '../../../protocol/wire/api.ts';
import { fitting, type LiveTarget, neighbour, targetsOf, viewOf } from './targets.ts';

const site = { id: 's', name: 'Yard', timeZone: 'UTC', permissions: ['all'] } as unknown as Site;
const device = (id: string, more: Partial<Device> = {}) =>
  ({
    id,
    name: id,
    type: 'encoding',
    kind: 'isapi',
    boxSerial: 'B',
    channelCount: 1,
    health: null,
    ...more,
  }) as unknown as Device;
const channels = (...names: string[]) => ({
  state: 'online',
  channels: names.map((name, i) => ({ channel: i + 1, name })),
});

describe('what can be looked at', () => {
  it('is every channel of every device at a box, by names that tell them apart', () => {
    const found = targetsOf(
      site,
      [
        device('Camera', { health: channels('IPCamera 01') as never }),
        device('NVR', { health: channels('Gate', '') as never }),
        device('Away', { channelCount: 2 }),
        device('Panel', { type: 'panel' }),
        device('By address', { boxSerial: null }),
      ],
      [{ serial: 'B', online: true }],
    );
    expect(found.map(({ key, name, state }) => [key, name, state])).toEqual([
      ['Camera-1', 'Camera', 'online'],
      ['NVR-1', 'NVR · Gate', 'online'],
      ['NVR-2', 'NVR · 2', 'online'],
      ['Away-1', 'Away · 1', 'unknown'],
      ['Away-2', 'Away · 2', 'unknown'],
    ]);
  });

  it('says of each whether the person may see it (PERM-04)', () => {
    const held = { ...site, permissions: ['list'] } as unknown as Site;
    const seen = targetsOf(held, [device('a', { permissions: ['live'] }), device('b')], null);
    expect(seen.map(({ may }) => may)).toEqual([true, false]);
  });

  it('stands in pages of 1, 4, 9 or 16 windows (LIVE-02)', () => {
    const targets = Array.from({ length: 20 }, (_, i) => ({ key: `d-${i + 1}` }) as LiveTarget);
    expect([1, 2, 5, 10, 40].map(fitting)).toEqual([1, 4, 9, 16, 16]);
    const view = (query: Record<string, string>) => viewOf(targets, query);
    expect(view({})).toMatchObject({ grid: 16, page: 1, pages: 2, large: null });
    expect(view({ page: '2' }).shown.map(({ key }) => key)).toEqual(['d-17', 'd-18', 'd-19', 'd-20']);
    expect(view({ grid: '4', page: '99' })).toMatchObject({ grid: 4, page: 5 });
    expect(view({ grid: '7', page: 'x', show: 'd-3' })).toMatchObject({ grid: 16, page: 1, large: { key: 'd-3' } });
  });

  it('is gone through with the arrow keys', () => {
    const go = (index: number, key: string) => neighbour(index, 4, 2, key);
    expect([go(0, 'ArrowRight'), go(1, 'ArrowRight'), go(0, 'ArrowDown'), go(2, 'ArrowUp')]).toEqual([1, null, 2, 0]);
    expect([go(0, 'ArrowLeft'), go(3, 'ArrowDown'), go(0, 'a')]).toEqual([null, null, null]);
  });
});
