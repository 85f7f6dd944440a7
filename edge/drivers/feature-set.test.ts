import { describe, expect, it } from 'vitest';
import type { FieldValue, SettingField } from '../../protocol/wire/operations.ts';
import type { Feature } from './feature.ts';
import { FeatureSet, fieldFault } from './feature-set.ts';

/** A device that keeps `brightness` up to 50 only, says OK to everything, and counts what it is asked. */
function device() {
  const state: Record<string, FieldValue> = { brightness: 40, codec: 'H.264', mask: [] };
  const asked = { offers: 0, writes: 0 };
  const fields = (): SettingField[] => [
    { name: 'brightness', kind: 'number', value: state.brightness as number, min: 0, max: 100, unit: '%' },
    { name: 'codec', kind: 'choice', value: state.codec as string, options: ['H.264', 'H.265'] },
    { name: 'model', kind: 'text', value: 'X', maxLength: 8, readOnly: true },
    { name: 'password', kind: 'secret', set: null, maxLength: 16 },
  ];
  const feature: Feature<null> = {
    offer: async () => {
      asked.offers++;
      return {
        sections: [{ section: 'picture', channels: [1, 2] }],
        lists: [{ list: 'presets', channels: [1] }],
        actions: [{ action: 'reboot', channels: null }],
        unverified: ['reboot'],
      };
    },
    sections: {
      picture: {
        read: async () => ({ ok: true, value: fields() }),
        write: async (_, __, set) => {
          asked.writes++;
          for (const [name, value] of Object.entries(set))
            if (name !== 'brightness' || (value as number) <= 50) state[name] = value;
          return { ok: true, value: { rebootRequired: false } };
        },
      },
    },
    lists: { presets: async () => ({ ok: true, value: [{ id: '1', name: 'Gate', values: {} }] }) },
    actions: { reboot: async () => ({ ok: true, value: { pending: true, text: null } }) },
  };
  return { set: new FeatureSet({ features: [feature], device: null, category: 'camera' }), asked };
}

describe('the features of a device', () => {
  it('are asked for once, and shown with what is not verified (CHAN-02)', async () => {
    const { set, asked } = device();
    await Promise.all([set.capabilities(), set.read('picture', { channel: 1 })]);
    expect(await set.capabilities()).toMatchObject({
      category: 'camera',
      sections: [{ section: 'picture', channels: [1, 2] }],
      unverified: ['reboot'],
    });
    expect(asked.offers).toBe(1);
  });

  it('are asked for again when the device was silent for a moment, and only those (CHAN-02)', async () => {
    let silent = true;
    let missed = 0;
    const asked: string[] = [];
    const feature = (section: 'picture' | 'time'): Feature<null> => ({
      offer: async () => {
        asked.push(section);
        if (section === 'time' || !silent) return { sections: [{ section, channels: null }] };
        missed++;
        return {};
      },
      sections: { [section]: { read: async () => ({ ok: true, value: [] }) } },
    });
    const set = new FeatureSet({
      features: [feature('picture'), feature('time')],
      device: null,
      category: 'camera',
      missed: () => missed,
    });
    expect((await set.capabilities()).sections).toMatchObject([{ section: 'time' }]);
    expect(await set.read('picture', {})).toMatchObject({ ok: false, code: 'device-unreachable' });
    silent = false;
    expect(await set.read('time', {})).toMatchObject({ ok: true });
    expect(asked).toEqual(['picture', 'time', 'picture']);
    expect(await set.read('picture', {})).toMatchObject({ ok: true });
    expect((await set.capabilities()).sections).toMatchObject([{ section: 'picture' }, { section: 'time' }]);
    expect(await set.read('osd', {})).toMatchObject({ ok: false, code: 'not-found' });
    expect(asked).toEqual(['picture', 'time', 'picture', 'picture']);
  });

  it('are asked for to the end when the first who asked goes away', async () => {
    const answer = Promise.withResolvers<void>();
    const feature: Feature<null> = {
      offer: async (_, signal) => {
        await answer.promise;
        return signal?.aborted ? {} : { sections: [{ section: 'picture', channels: null }] };
      },
      sections: { picture: { read: async () => ({ ok: true, value: [] }) } },
    };
    const set = new FeatureSet({ features: [feature, feature], device: null, category: 'camera' });
    const gone = new AbortController();
    const first = set.read('picture', {}, gone.signal);
    const second = set.read('picture', {});
    gone.abort();
    expect(await first).toMatchObject({ ok: false });
    answer.resolve();
    expect(await second).toMatchObject({ ok: true });
  });

  it('say that there is no such thing, for sections, channels, lists and actions alike', async () => {
    const { set } = device();
    const gone = { ok: false, code: 'not-found' };
    expect(await set.read('osd', { channel: 1 })).toMatchObject(gone);
    expect(await set.read('picture', { channel: 3 })).toMatchObject(gone);
    expect(await set.read('picture', {})).toMatchObject(gone);
    expect(await set.list('presets', { channel: 2 })).toMatchObject(gone);
    expect(await set.act({ action: 'ptzStop', channel: 1 })).toMatchObject(gone);
    expect(await set.act({ action: 'reboot' })).toMatchObject({ ok: true, value: { pending: true } });
  });

  it('read back what was written and tell what the device did not keep', async () => {
    const { set } = device();
    const kept = await set.write('picture', { channel: 1 }, { brightness: 45, password: 'secret-1' });
    expect(kept).toMatchObject({ ok: true, value: { notKept: [] } });
    const dropped = await set.write('picture', { channel: 1 }, { brightness: 80, codec: 'H.265' });
    expect(dropped).toMatchObject({ ok: true, value: { notKept: [{ name: 'brightness', wanted: 80, is: 45 }] } });
  });

  it('are written one after the other: of two changes of one document at once both stay', async () => {
    let document: Record<string, number> = { brightness: 40, contrast: 40 };
    const pause = () => new Promise((resolve) => setImmediate(resolve));
    const writing: Promise<unknown>[] = [];
    const field = ([name, value]: [string, number]): SettingField => ({
      name,
      kind: 'number',
      value,
      min: 0,
      max: 100,
      unit: null,
    });
    const changed = async (set: Record<string, FieldValue>) => {
      const read = { ...document };
      await pause();
      document = { ...read, ...(set as Record<string, number>) };
    };
    const feature: Feature<null> = {
      offer: async () => ({
        sections: [{ section: 'picture', channels: null }],
        actions: (['doorOpen', 'privacyMaskOn'] as const).map((action) => ({ action, channels: null })),
      }),
      sections: {
        picture: {
          read: async () => ({ ok: true, value: Object.entries(document).map(field) }),
          write: async (_, __, set) => {
            await changed(set);
            return { ok: true, value: { rebootRequired: false } };
          },
        },
      },
      actions: {
        privacyMaskOn: async () => {
          await changed({ mask: 1 });
          return { ok: true, value: { pending: false, text: null } };
        },
        doorOpen: async () => ({ ok: true, value: { pending: false, text: String(document.brightness) } }),
      },
    };
    const set = new FeatureSet({ features: [feature], device: null, category: 'camera' });
    await set.capabilities();
    writing.push(set.write('picture', {}, { brightness: 50 }), set.write('picture', {}, { contrast: 60 }));
    writing.push(set.act({ action: 'privacyMaskOn', channel: 1 }));
    // A door does not wait for that.
    expect(await set.act({ action: 'doorOpen', door: 1 })).toMatchObject({ value: { text: '40' } });
    expect(await Promise.all(writing)).toMatchObject([
      { ok: true, value: { notKept: [] } },
      { ok: true, value: { notKept: [] } },
      { ok: true },
    ]);
    expect(document).toEqual({ brightness: 50, contrast: 60, mask: 1 });
    const gone = new AbortController();
    const first = set.write('picture', {}, { brightness: 51 });
    const second = set.write('picture', {}, { brightness: 52 }, gone.signal);
    gone.abort();
    expect(await second).toMatchObject({ ok: false });
    await first;
    expect(document.brightness).toBe(51);
  });

  it.each([
    ['an unknown field', { colour: 'red' }],
    ['a number out of range', { brightness: 101 }],
    ['a text for a number', { brightness: '5' }],
    ['none of the choices', { codec: 'AV1' }],
    ['what cannot be changed', { model: 'Y' }],
    ['a secret that is too long', { password: 'x'.repeat(17) }],
    ['null', { brightness: null }],
  ])('never let %s reach the device', async (_, wanted) => {
    const { set, asked } = device();
    expect(await set.write('picture', { channel: 1 }, wanted as Record<string, FieldValue>)).toMatchObject({
      ok: false,
      code: 'invalid-request',
    });
    expect(asked.writes).toBe(0);
  });

  it('limit areas by number', () => {
    const field: SettingField = { name: 'mask', kind: 'regions', value: [], maxRegions: 1 };
    const area: [number, number][] = [
      [0, 0],
      [1, 0],
      [1, 1],
    ];
    expect(fieldFault(field, 'mask', [area])).toBeNull();
    expect(fieldFault(field, 'mask', [area, area])).toContain('at most 1');
  });
});
