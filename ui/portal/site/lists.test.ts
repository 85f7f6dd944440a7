import { describe, expect, it } from 'vitest';
import { followAlarms, followBoxes, followDevices, followEvents, joinPages } from './lists.ts';
import { alarm, box, clip, device, event } from './samples.ts';

describe('lists that follow the live connection', () => {
  const list = [event('event'), event('older')];

  it('puts a new event on top and replaces a known one where it stands', () => {
    const added = followEvents(list, { event: 'event', data: event('new') }, undefined);
    expect(added.map((item) => item.id)).toEqual(['new', 'event', 'older']);
    const ended = followEvents(
      list,
      { event: 'event', data: event('older', { endedAt: '2026-11-22T14:01:00.000Z' }) },
      undefined,
    );
    expect(ended.map((item) => [item.id, item.endedAt])).toEqual([
      ['event', null],
      ['older', '2026-11-22T14:01:00.000Z'],
    ]);
  });

  it('keeps what the filter leaves out off the list', () => {
    const tamper = event('new', { type: 'tamper' });
    expect(followEvents(list, { event: 'event', data: tamper }, 'motion')).toBe(list);
    expect(followEvents(list, { event: 'event', data: tamper }, 'tamper')).toHaveLength(3);
  });

  it('shows the state of clips and alarms at the events that they belong to', () => {
    const withClip = followEvents(list, { event: 'clip', data: clip({ state: 'complete' }) }, undefined);
    expect(withClip.map((item) => item.clip?.state)).toEqual(['complete', undefined]);
    const waiting = followEvents(list, { event: 'alarm', data: alarm({ state: 'waiting' }) }, undefined);
    const done = followEvents(waiting, { event: 'alarm', data: alarm() }, undefined);
    expect(done.map((item) => item.alarms.map((one) => one.state))).toEqual([['acknowledged'], []]);
  });

  it('keeps one line an alarm, box and device', () => {
    const waiting = followAlarms([], { event: 'alarm', data: alarm({ state: 'waiting' }) });
    expect(followAlarms(waiting, { event: 'alarm', data: alarm() })).toEqual([alarm()]);
    expect(followBoxes([box()], { event: 'box', data: box({ online: false }) })).toEqual([box({ online: false })]);
    const devices = followDevices([device('d1', 'online')], { event: 'device', data: device('d2', 'online') });
    expect(devices.map((item) => item.id)).toEqual(['d1', 'd2']);
    const held = followDevices([{ ...device('d1', 'online'), permissions: ['live'] }], {
      event: 'device',
      data: device('d1', 'offline'),
    });
    expect(held).toEqual([{ ...device('d1', 'offline'), permissions: ['live'] }]);
  });

  it('shows an item once when pages overlap', () => {
    expect(joinPages([event('a'), event('b')], [event('b'), event('c')]).map((item) => item.id)).toEqual([
      'a',
      'b',
      'c',
    ]);
  });
});
