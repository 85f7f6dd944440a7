import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeskAlarm } from '../../../protocol/wire/arc-desk.ts';
import { speakEnglish } from '../../components/testing.ts';
import { addressOf, deskQuery, filtersOf } from './filters.tsx';
import { followAlarm, nextOpen } from './follow.ts';
import { AlarmSound, MUTE_MS, type Speaker } from './sound.ts';
import { placeWords } from './words.tsx';

beforeAll(speakEnglish);

const NOW = Date.parse('2026-11-22T03:00:00Z');
let n = 0;
const alarm = (change: Partial<DeskAlarm> = {}): DeskAlarm => {
  n++;
  const takenAt = new Date(NOW - 60_000 + n).toISOString();
  return { id: `a${n}`, urgency: 1, open: true, test: false, handled: null, takenAt, ...change } as DeskAlarm;
};

describe('a list that is followed', () => {
  it('has new ones in their place, and keeps one for a while that was acknowledged', () => {
    const [burglary, fault, fire] = [alarm(), alarm({ urgency: 2 }), alarm({ urgency: 0 })];
    let items = followAlarm([], fault, {}, NOW);
    items = followAlarm(items, burglary, {}, NOW);
    items = followAlarm(items, fire, {}, NOW);
    expect(items).toEqual([fire, burglary, fault]);
    const done = { ...fire, open: false, handled: { at: new Date(NOW).toISOString(), name: 'Nina' } };
    items = followAlarm(items, done, {}, NOW);
    expect(items).toEqual([done, burglary, fault]);
    expect(nextOpen(items, fire.id)).toBe(burglary.id);
    expect(nextOpen(items, fault.id)).toBe(burglary.id);
    const later = alarm();
    expect(followAlarm(items, later, {}, NOW + 61_000)).toEqual([later, burglary, fault]);
  });

  it('takes nothing in that was not asked for', () => {
    const test = alarm({ test: true, open: false });
    expect(followAlarm([], test, {}, NOW)).toEqual([]);
    expect(followAlarm([], test, { show: 'tests' }, NOW)).toEqual([test]);
    expect(followAlarm([], test, { show: 'all', urgency: 0 }, NOW)).toEqual([]);
  });
});

describe('filters', () => {
  it('stand in the address, and only what can be looked for', () => {
    const filters = filtersOf({
      show: 'all',
      urgency: '0',
      account: ' 00a1',
      from: '2026-11-01',
      to: 'x',
      siteId: '1',
    });
    expect(filters).toEqual({ show: 'all', urgency: 0, account: '00A1', from: '2026-11-01' });
    expect(addressOf(filters)).toBe('?show=all&urgency=0&account=00A1&from=2026-11-01');
    expect(addressOf(filtersOf({}))).toBe('');
    expect(deskQuery(filters)).toMatchObject({ show: 'all', from: new Date(2026, 10, 1).toISOString() });
  });
});

describe('the sound', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const world = () => {
    const played: number[] = [];
    let allowed = true;
    const speaker: Speaker = {
      allowed: () => allowed,
      allow: () => {
        allowed = true;
      },
      play: () => played.push(Date.now()),
    };
    const states: string[] = [];
    const sound = new AlarmSound(speaker, (state) => states.push(state));
    return { sound, played, states, forbid: () => (allowed = false) };
  };

  it('goes on until nothing waits any more', () => {
    const { sound, played, states } = world();
    sound.set(1);
    vi.advanceTimersByTime(6_100);
    expect(played).toHaveLength(4);
    sound.set(null);
    vi.advanceTimersByTime(10_000);
    expect(played).toHaveLength(4);
    expect(states).toEqual(['sounding', 'silent']);
  });

  it('is muted for a while only, and an alarm of life that is new is heard', () => {
    const { sound, played, states } = world();
    sound.set(1);
    sound.mute();
    vi.advanceTimersByTime(MUTE_MS - 100);
    expect(played).toHaveLength(1);
    vi.advanceTimersByTime(200);
    expect(played).toHaveLength(2);
    sound.mute();
    sound.fresh(1);
    expect(states.at(-1)).toBe('muted');
    sound.fresh(0);
    expect(states.at(-1)).toBe('sounding');
    sound.stop();
  });

  it('says that the browser does not allow it yet, and begins when it does', () => {
    const { sound, played, states, forbid } = world();
    forbid();
    sound.set(0);
    expect([states.at(-1), played.length]).toEqual(['blocked', 0]);
    sound.pressed();
    vi.advanceTimersByTime(150);
    expect([states.at(-1), played.length]).toEqual(['sounding', 1]);
    sound.stop();
  });
});

it('a place is written once, and a panel’s number is its zone or area', () => {
  const at = (change: Partial<DeskAlarm>) =>
    placeWords(
      alarm({ deviceName: 'camera-1', channelName: null, channel: 1, zone: '005', eventType: 'motion', ...change }),
    );
  expect(at({ channelName: 'camera-1' })).toBe('camera-1');
  expect(at({ channelName: 'Gate' })).toBe('camera-1 · Gate');
  expect(at({})).toBe('camera-1 · channel 1');
  expect(at({ deviceName: 'Panel', channel: 5, eventType: 'zoneAlarm' })).toBe('Panel · zone 5');
  expect(at({ deviceName: 'Panel', channel: 2, eventType: 'areaDisarmed' })).toBe('Panel · area 2');
});
