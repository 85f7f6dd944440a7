import { describe, expect, it } from 'vitest';
import { ACTIONS, type DeviceCapabilities, LISTS, SECTIONS } from '../../../protocol/wire/operations.ts';
import { holds } from '../site/rights.ts';
import { permitted } from './permitted.tsx';

const all: DeviceCapabilities = {
  category: 'ptzCamera',
  sections: SECTIONS.map((section) => ({ section, channels: null })),
  lists: LISTS.map((list) => ({ list, channels: null })),
  actions: ACTIONS.map((action) => ({ action, channels: null })),
  resources: [],
  unverified: [],
};
const names = (held: readonly string[]) => {
  const { sections, lists, actions } = permitted(all, (permission) => held.includes(permission));
  return [
    sections.map((s) => s.section),
    lists.map((l) => l.list),
    actions.map((a) => a.action).filter((a) => !a.startsWith('ptz')),
  ];
};

describe('what is shown of a device', () => {
  it('to who only watches: turning it, and where it was told to go', () => {
    expect(names(['live'])).toEqual([[], ['presets', 'patrols'], ['focus', 'presetCall', 'patrolStart', 'patrolStop']]);
  });
  it('to who holds nothing of it: nothing; to who holds all: all', () => {
    expect(names(['playback'])).toEqual([[], [], []]);
    expect(permitted(all, () => true)).toEqual(all);
  });
  it('follows the device; one that came live follows its site', () => {
    const site = { permissions: ['list', 'view', 'live'] as const };
    expect(holds({ permissions: [...site.permissions] }, { permissions: ['configure'] }, 'live')).toBe(false);
    expect(holds({ permissions: [...site.permissions] }, {}, 'live')).toBe(true);
  });
});
