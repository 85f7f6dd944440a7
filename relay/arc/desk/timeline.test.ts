import { describe, expect, it } from 'vitest';
import { type PathChange, timelineOf } from './timeline.ts';

const change = (path: PathChange['path'], atMs: number, up: boolean): PathChange => ({ path, atMs, up });

describe('availability', () => {
  it('of all paths together is lost only while none is there', () => {
    const changes = [
      ...[change('direct', 0, true), change('relay', 0, true)],
      ...[change('direct', 100, false), change('relay', 150, false), change('relay', 170, true)],
      change('direct', 300, true),
    ];
    const lines = timelineOf(changes, 0, 1_000);
    expect(lines.direct).toEqual({ observedMs: 1_000, downMs: 200, gaps: [{ fromMs: 100, toMs: 300 }] });
    expect(lines.relay).toEqual({ observedMs: 1_000, downMs: 20, gaps: [{ fromMs: 150, toMs: 170 }] });
    expect(lines.all).toEqual({ observedMs: 1_000, downMs: 20, gaps: [{ fromMs: 150, toMs: 170 }] });
    expect(lines.second.observedMs).toBe(0);
  });

  it('counts a box that was off, and nothing before a path is known', () => {
    const changes = [change('direct', 200, true), change('all', 500, false), change('all', 600, true)];
    const lines = timelineOf(changes, 0, 1_000);
    expect(lines.direct).toEqual({ observedMs: 800, downMs: 100, gaps: [{ fromMs: 500, toMs: 600 }] });
    expect(lines.all).toEqual(lines.direct);
  });

  it('begins with what was before the month, and takes changes in any order', () => {
    const changes = [change('direct', 900, true), change('direct', -50, false), change('direct', -90, true)];
    const lines = timelineOf(changes, 0, 1_000);
    expect(lines.direct).toEqual({ observedMs: 1_000, downMs: 900, gaps: [{ fromMs: 0, toMs: 900 }] });
  });
});
