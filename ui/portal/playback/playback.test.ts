import { describe, expect, it } from 'vitest';
import { partsOf } from './cut.tsx';
import { clockOf, dayAfter, dayOf, linesOf, startOf } from './day.ts';
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
  }
  const make = () => {
    let now = 0;
    const group = new InStep({ headMs: 1000, toMs: 100_000, onChange: () => {}, now: () => now });
    const [a, b] = [new Fake(), new Fake()];
    group.add('a', a);
    group.add('b', b);
    return { group, a, b, pass: (ms: number) => (now += ms) };
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
});
