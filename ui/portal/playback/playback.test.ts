import { describe, expect, it } from 'vitest';
import { partsOf } from './cut.tsx';
import { clockOf, dayAfter, dayOf, linesOf, namedClockOf, sameTime, startOf } from './day.ts';
import { joined, mergedMarkers, nextMarker } from './footage.ts';
import { type Follower, InStep } from './in-step.ts';
import { moved, zoomed } from './timeline.tsx';

const BERLIN = 'Europe/Berlin';
const HOUR = 3_600_000;

describe('days of the site', () => {
  it('begin at its own midnight, and have 23 and 25 hours when clocks change', () => {
    const length = (day: string) => (startOf(dayAfter(day, 1), BERLIN)! - startOf(day, BERLIN)!) / HOUR;
    expect(startOf('2026-11-23', BERLIN)).toBe(Date.parse('2026-11-22T23:00:00Z'));
    expect([length('2026-11-23'), length('2026-03-29'), length('2026-10-25')]).toEqual([24, 23, 25]);
    expect(dayOf(Date.parse('2026-11-22T23:30:00Z'), BERLIN)).toBe('2026-11-23');
    expect(clockOf(Date.parse('2026-11-22T23:30:00Z'), BERLIN)).toBe('00:30:00');
    expect(startOf('yesterday', BERLIN)).toBeNull();
  });

  it('whose clocks change have their lines at round times, and tell the hour that comes twice apart', () => {
    const at = (day: string, zone: string, most = 12) =>
      linesOf(startOf(day, zone)!, startOf(dayAfter(day, 1), zone)!, zone, most).map((ms) =>
        clockOf(ms, zone).slice(0, 5),
      );
    const even = [
      '00:00',
      '02:00',
      '04:00',
      '06:00',
      '08:00',
      '10:00',
      '12:00',
      '14:00',
      '16:00',
      '18:00',
      '20:00',
      '22:00',
    ];
    expect(at('2026-10-25', BERLIN, 13)).toEqual(['00:00', '02:00', ...even.slice(1)]);
    expect(at('2026-03-29', BERLIN)).toEqual(even.filter((time) => time !== '02:00'));
    const twice = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'].map((time) => Date.parse(time));
    expect(twice.map((ms) => clockOf(ms, BERLIN))).toEqual(['02:30:00', '02:30:00']);
    expect(twice.map((ms) => namedClockOf(ms, BERLIN))).toEqual(['02:30:00 CEST', '02:30:00 CET']);
    // The clock skips midnight there.
    expect(clockOf(startOf('2026-04-24', 'Africa/Cairo')!, 'Africa/Cairo')).toBe('01:00:00');
    expect(clockOf(startOf('2026-10-30', 'Africa/Cairo')!, 'Africa/Cairo')).toBe('00:00:00');
    const noon = Date.parse('2026-10-24T10:00:00Z');
    expect(clockOf(sameTime(noon, '2026-10-24', '2026-10-25', BERLIN)!, BERLIN)).toBe('12:00:00');
    expect(clockOf(sameTime(noon + 86_400_000 + HOUR, '2026-10-25', '2026-10-24', BERLIN)!, BERLIN)).toBe('12:00:00');
  });

  it('have lines at round times, as many as there is room for', () => {
    const from = Date.parse('2026-11-22T23:00:00Z');
    const lines = linesOf(from, from + 24 * HOUR, BERLIN, 12);
    expect(lines.map((ms) => clockOf(ms, BERLIN).slice(0, 5)).slice(0, 3)).toEqual(['00:00', '02:00', '04:00']);
    expect(linesOf(from, from + HOUR, BERLIN, 4).length).toBe(4);
  });
});

it('spans of one kind that follow one another are one; events are found in both directions', () => {
  const kind = 'continuous' as const;
  const spans = [
    { fromMs: 0, toMs: 1000, kind },
    { fromMs: 2000, toMs: 3000, kind },
    { fromMs: 3000, toMs: 4000, kind: 'motion' as const },
    { fromMs: 60_000, toMs: 61_000, kind: 'motion' as const },
  ];
  expect(joined(spans)).toHaveLength(3);
  const markers = [10_000, 20_000].map((atMs) => ({ atMs, type: null, eventId: null, clipId: null, name: null }));
  expect(nextMarker(markers, 10_000, false)?.atMs).toBe(20_000);
  expect(nextMarker(markers, 20_000, true)?.atMs).toBe(10_000);
  expect(nextMarker(markers, 10_000, true)).toBeNull();
  const [first, second] = markers.map((marker, i) => ({ ...marker, eventId: `e${i}` }));
  const clip = { ...second!, clipId: 'c1' };
  const alone = { ...first!, eventId: null, atMs: 15_000, clipId: 'c2' };
  expect(mergedMarkers([first!, second!], [clip, alone])).toEqual([first, alone, clip]);
});

it('what is long is taken in parts that follow one another', () => {
  const parts = partsOf({ fromMs: 0, toMs: HOUR / 2 + 1 });
  expect(parts.map(({ fromMs, toMs }) => toMs - fromMs)).toEqual([HOUR / 6, HOUR / 6, HOUR / 6, 1]);
  expect(partsOf({ fromMs: 0, toMs: 5 * HOUR })).toEqual([]);
});

it('the time line stays within its day', () => {
  const day = { fromMs: 0, toMs: 24 * HOUR };
  const view = zoomed(day, day, 0.25, 6 * HOUR);
  expect(view.toMs - view.fromMs).toBe(6 * HOUR);
  expect(view.fromMs).toBe(4.5 * HOUR);
  expect(moved(view, day, -10 * HOUR).fromMs).toBe(0);
  expect(moved(view, day, 30 * HOUR).toMs).toBe(24 * HOUR);
  expect(zoomed(view, day, 100, 0)).toEqual(day);
});

describe('windows in step', () => {
  class Fake implements Follower {
    state: Follower['state'] = { state: 'playing', error: null, speed: null };
    wallMs: number | null = null;
    shown = false;
    openedMs = 0;
    held = false;
    parked = false;
    /** When its pictures were taken. */
    pictures: number[] = [];
    shownAt: number | null = null;
    sought: number[] = [];
    seek(fromMs: number) {
      this.sought.push(fromMs);
    }
    hold(on: boolean) {
      this.held = on;
    }
    park() {
      this.parked = true;
    }
    neighbourMs(back: boolean) {
      const at = this.wallMs ?? 0;
      return (back ? this.pictures.findLast((ms) => ms < at) : this.pictures.find((ms) => ms > at)) ?? null;
    }
    showAt(ms: number) {
      this.wallMs = this.pictures.findLast((one) => one <= ms) ?? null;
    }
  }
  const make = () => {
    let now = 0;
    const on = { ended: 0, goesOn: false };
    const group = new InStep({
      headMs: 1000,
      range: { fromMs: 0, toMs: 100_000 },
      onChange: () => {},
      onEnd: () => on.ended++ >= 0 && on.goesOn,
      now: () => now,
    });
    const [a, b] = [new Fake(), new Fake()];
    group.add('a', a);
    group.add('b', b);
    return { group, a, b, on, pass: (ms: number) => (now += ms) };
  };

  it('wait for the one that is behind, and no longer', () => {
    const { group, a, b } = make();
    expect([a.sought, b.sought]).toEqual([[1000], [1000]]);
    a.wallMs = 5_000;
    b.wallMs = 4_000;
    group.look();
    expect([a.held, b.held, group.state.headMs]).toEqual([true, false, 4_000]);
    b.wallMs = 4_950;
    group.look();
    expect([a.held, b.held]).toEqual([false, false]);
    // It has nothing more: the other one goes on alone.
    b.shown = true;
    a.wallMs = 9_000;
    group.look();
    expect([a.held, group.state.headMs]).toEqual([false, 9_000]);
  });

  it('wait for one that opens, but not for ever', () => {
    const { group, a, b, pass } = make();
    a.wallMs = 1_000;
    b.state = { ...b.state, state: 'loading' };
    group.look();
    expect(a.held).toBe(true);
    pass(9_000);
    group.look();
    expect(a.held).toBe(false);
  });

  it('stop at the end of everything; paused for long they let the devices go, and come back to where they were', () => {
    const { group, a, b, pass } = make();
    a.shown = b.shown = true;
    a.wallMs = b.wallMs = 50_000;
    group.look();
    expect(group.state.playing).toBe(false);
    pass(13_000);
    group.look();
    expect([a.parked, b.parked]).toEqual([true, true]);
    group.play();
    expect(a.sought).toEqual([1000, 1000]);
  });

  it('go one picture on or back together, whatever times their pictures have', () => {
    const { group, a, b, pass } = make();
    a.pictures = [1000, 1040, 1080];
    b.pictures = [1010, 1060];
    a.wallMs = 1000;
    b.wallMs = 1010;
    expect(group.step(false)).toBe(true);
    expect([a.wallMs, b.wallMs, group.state]).toMatchObject([1040, 1010, { playing: false, headMs: 1040 }]);
    group.step(false);
    expect([a.wallMs, b.wallMs]).toEqual([1040, 1060]);
    group.step(true);
    expect([a.wallMs, b.wallMs]).toEqual([1000, 1010]);
    expect(group.step(true)).toBe(false);
    // Let go of, they are opened again.
    pass(13_000);
    group.look();
    expect([a.parked, group.step(false), a.sought.length]).toEqual([true, true, 2]);
  });

  it('backward wait for the one that is later; what was not recorded is told for a while', () => {
    const { group, a, b } = make();
    group.setSpeed(-2);
    a.wallMs = 800;
    b.wallMs = 50;
    group.look();
    expect([a.held, b.held, group.state.headMs]).toEqual([false, true, 800]);
    group.setSpeed(1);
    a.wallMs = b.wallMs = 60_000;
    group.look();
    expect(group.state.skipped).toEqual({ fromMs: 800, toMs: 60_000 });
    a.wallMs = b.wallMs = 61_000;
    group.look();
    expect(group.state.skipped).not.toBeNull();
    for (const ms of [64_000, 67_000]) {
      a.wallMs = b.wallMs = ms;
      group.look();
    }
    expect(group.state.skipped).toBeNull();
  });

  it('go on behind what was asked for where there is more', () => {
    const { group, a, b, on } = make();
    a.shown = b.shown = true;
    a.wallMs = b.wallMs = 100_000;
    on.goesOn = true;
    group.look();
    expect([group.state.playing, on.ended]).toEqual([true, 1]);
    on.goesOn = false;
    group.look();
    expect(group.state.playing).toBe(false);
    // Where there never was anything nobody is sent further.
    const refused = make();
    for (const one of [refused.a, refused.b]) one.state = { state: 'refused', error: null, speed: null };
    refused.group.look();
    expect([refused.on.ended, refused.group.state.playing]).toEqual([0, false]);
    // What is tried again then is to play; what a person has stopped stays so.
    refused.group.again();
    expect(refused.group.state.playing).toBe(true);
    group.again();
    expect(group.state.playing).toBe(false);
  });
});
