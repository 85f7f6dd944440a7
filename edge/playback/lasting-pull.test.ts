import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { PullError } from '../video/pull.ts';
import { LastingPull } from './lasting-pull.ts';
import type { Pull, SpanWays } from './span-download.ts';

/** What one session brings: times of its pictures, and how it ends. */
interface Session {
  at: number[];
  end?: PullError | null;
  /** What it says that it plays at. */
  grants?: number;
}
const closed = () => new PullError('closed', 'the camera closed the connection');

async function play(sessions: Session[], o: { speed?: number; file?: boolean; uri?: string; toMs?: number } = {}) {
  const clock = new ManualClock();
  const asked: { fromMs: number; speed: number; uri?: string }[] = [];
  const seen: { ms: number; shown: number }[] = [];
  const gaps: number[] = [];
  const speeds: number[] = [];
  const { speed = 1, file = false, uri, toMs = 60_000 } = o;
  const make = (ways: SpanWays): Pull => {
    const { span } = ways;
    asked.push({ fromMs: span.fromMs, speed: ways.speed, uri: span.uri });
    const { at, end = null, grants } = sessions[asked.length - 1] ?? { at: [] };
    return {
      shownTo: null,
      hold: () => {},
      release: () => {},
      run: async () => {
        if (grants !== undefined) ways.onSpeed(grants);
        for (const ms of at) {
          const shown = ways.shown + Math.round(((ms - at[0]!) * 90) / (grants ?? ways.speed));
          ways.onPicture({ recordedMs: ms, shown, unit: { compositionOffset: 0 } as never });
        }
        return end;
      },
    };
  };
  const ways = {
    span: { fromMs: 0, toMs, uri },
    speed,
    shown: 0,
    onPicture: ({ recordedMs, shown }: { recordedMs: number; shown: number }) => seen.push({ ms: recordedMs, shown }),
    onSpeed: (granted: number) => speeds.push(granted),
  } as never;
  const log = pino({ level: 'silent' });
  const pull = new LastingPull({ ways, make, clock, log, file, onGap: (ms) => gaps.push(ms) });
  let end: PullError | null | undefined;
  const running = pull.run(new AbortController().signal).then((value) => {
    end = value;
  });
  for (let i = 0; i < 20 && end === undefined; i++) await clock.advance(1_000);
  await running;
  return { end, asked, seen, gaps, speeds };
}
const row = (fromMs: number, toMs: number, step = 1_000) =>
  Array.from({ length: (toMs - fromMs) / step + 1 }, (_, i) => fromMs + i * step);

describe('a recorder that ends its sessions in the middle', () => {
  it.each([
    ['with a goodbye', null],
    ['by closing the connection', closed()],
    ['by silence', new PullError('stalled', 'no video for 6 s')],
  ])('%s is asked for the rest, and what it repeats is not seen again', async (_, end) => {
    const found = await play([
      { at: row(0, 20_000), end },
      // From the key frame before.
      { at: row(18_000, 40_000), end },
      { at: row(40_000, 59_500, 500), end },
    ]);
    expect(found.end).toBeNull();
    expect(found.asked.map(({ fromMs }) => fromMs)).toEqual([0, 20_000, 40_000]);
    for (const [i, { shown }] of found.seen.entries()) expect(shown).toBeGreaterThan(found.seen[i - 1]?.shown ?? -1);
    // A second is a second, with what was decoded again in a tick each.
    for (const { ms, shown } of found.seen) expect(Math.abs(shown - ms * 90)).toBeLessThan(5);
    expect(found.gaps).toEqual([]);
  });

  it('that has no more of it, twice, has come to its end; one that breaks off for good says why', async () => {
    const over = await play([{ at: row(0, 20_000) }, { at: row(18_000, 20_000) }]);
    expect([over.end, over.asked.length]).toEqual([null, 2]);
    const broken = await play([{ at: row(0, 20_000), end: closed() }, ...Array(9).fill({ at: [], end: closed() })]);
    expect([broken.end?.code, broken.asked.length]).toEqual(['closed', 4]);
    const refused = await play([{ at: row(0, 9_000), end: new PullError('refused', 'no') }]);
    expect([refused.end?.code, refused.asked.length]).toEqual(['refused', 1]);
  });

  it('tells what is missing where it goes on, which in a file takes as long as it was', async () => {
    const sessions = [{ at: row(0, 20_000), end: closed() }, { at: row(45_000, 60_000) }];
    const watched = await play(sessions);
    expect(watched.gaps).toEqual([45_000]);
    expect(watched.seen.at(-1)!.shown).toBeLessThan(36_000 * 90);
    const kept = await play(sessions, { file: true });
    expect(kept.seen.at(-1)).toEqual({ ms: 60_000, shown: 60_000 * 90 });
  });

  it('or gives nothing in the way it was asked is asked in another one', async () => {
    const protocol = { at: [], end: new PullError('protocol', 'PLAY was answered 400') };
    const named = await play([protocol, { at: row(0, 59_000) }], { uri: 'rtsp://…?name=1' });
    expect(named.asked.map(({ uri }) => uri)).toEqual(['rtsp://…?name=1', undefined]);
    // A connection that it cuts when it hears of Scale.
    const fast = await play([{ at: [], end: closed() }, { at: row(0, 59_000) }], { speed: 8 });
    expect([fast.speeds, fast.asked.map(({ speed }) => speed), fast.end]).toEqual([[1], [8, 1], null]);
    const away = await play([{ at: [], end: new PullError('unreachable', 'no answer') }], { speed: 8 });
    expect([away.end?.code, away.asked.length]).toEqual(['unreachable', 1]);
  });

  it('plays on at the speed that it granted before', async () => {
    const found = await play([{ at: row(0, 20_000), end: closed(), grants: 4 }, { at: row(20_000, 59_000) }], {
      speed: 16,
    });
    expect(found.asked.map(({ speed }) => speed)).toEqual([16, 4]);
  });
});
