import { describe, expect, it } from 'vitest';
import type { IsapiClient } from '../isapi/client.ts';
import { localOffset, readLabel, wallClockOf, writeLabel } from './labels.ts';
import { spansOf, trackUrl } from './playback.ts';
import { RecordedClock } from './recorded-clock.ts';
import { findLabels } from './search.ts';
import { addressOf } from './span-pull.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-23T12:00:00.000Z');

describe('labels of recordings', () => {
  it('are the wall clock of the device, with the summer time that held then', () => {
    const zone = 'CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00';
    const clock = wallClockOf('2026-11-23T13:00:03+01:00', zone, NOW)!;
    expect(clock.offsetMs).toBe(HOUR);
    const offset = localOffset(clock, NOW);
    expect(writeLabel(NOW, offset)).toBe('2026-11-23T13:00:00Z');
    const july = Date.parse('2026-07-01T12:00:00Z');
    expect(writeLabel(july, offset)).toBe('2026-07-01T14:00:00Z');
    expect(readLabel('20260701T140000Z', offset)).toBe(july);
    // Two minutes before and after the end of summer time, 25 October 03:00.
    const end = Date.parse('2026-10-25T01:00:00Z');
    expect(writeLabel(end - 120_000, offset)).toBe('2026-10-25T02:58:00Z');
    expect(writeLabel(end + 120_000, offset)).toBe('2026-10-25T02:02:00Z');
  });

  it('carry the error of a clock that is wrong, and tell an offset that is written', () => {
    const clock = wallClockOf('2026-11-23T12:17:30Z', 'CST-2:00:00', NOW)!;
    expect(Math.abs(clock.offsetMs - 17.5 * 60_000)).toBeLessThanOrEqual(1_000);
    const offset = localOffset({ offsetMs: 2 * HOUR, summer: null }, NOW);
    expect(readLabel('2026-11-23T14:00:00+02:00', offset)).toBe(NOW);
    expect(readLabel('2026-11-23 14:00:00', offset)).toBe(NOW);
    expect([readLabel('', offset), readLabel('yesterday', offset)]).toEqual([null, null]);
    expect(wallClockOf('', 'CST-2:00:00', NOW)).toBeNull();
  });
});

describe('whose clock the labels of a device are', () => {
  const now = Date.parse('2026-11-23T12:00:00.000Z');
  const EAST = 8;
  /** A device so many hours east, with what it recorded, labels of one kind, and days of its own calendar. */
  const device = (east: number, labels: 'utc' | 'local', files: [hoursAgo: number, hours: number][]) => {
    const at = (ms: number, of = labels === 'local' ? east : 0) => new Date(ms + of * HOUR).toISOString().slice(0, 19);
    const spans = files.map(([ago, hours]) => ({ from: now - ago * HOUR, to: now - (ago - hours) * HOUR }));
    const answer = (xml: string) => ({
      ok: true as const,
      value: { status: 200, headers: {}, body: Buffer.from(xml) },
    });
    const request = async (_method: string, path: string, { body }: { body: Buffer }) => {
      if (path.endsWith('/dailyDistribution')) {
        const days = new Set(
          spans.flatMap(({ from, to }) => [at(from, east), at(to - 1, east)]).map((d) => d.slice(8, 10)),
        );
        const list = [...days].map((d) => `<day><id>${d}</id><dayOfMonth>${d}</dayOfMonth><record>true</record></day>`);
        return answer(`<trackDailyDistribution><dayList>${list.join('')}</dayList></trackDailyDistribution>`);
      }
      const [from, to] = ['startTime', 'endTime'].map(
        (tag) => new RegExp(`<${tag}>(.*?)Z<`).exec(body.toString())![1]!,
      );
      const found = spans.filter((span) => at(span.to) > from! && at(span.from) < to!);
      const items = found.map(
        (span) =>
          `<searchMatchItem><timeSpan><startTime>${at(span.from)}Z</startTime><endTime>${at(span.to)}Z</endTime></timeSpan></searchMatchItem>`,
      );
      return answer(
        `<CMSearchResult><responseStatusStrg>OK</responseStatusStrg><matchList>${items.join('')}</matchList></CMSearchResult>`,
      );
    };
    const zone = `CST${east > 0 ? '-' : '+'}${Math.abs(east)}:00:00`;
    const get = async () => answer(`<Time><localTime>${at(now, east)}</localTime><timeZone>${zone}</timeZone></Time>`);
    return { get, request } as unknown as IsapiClient;
  };
  const found = async (...of: Parameters<typeof device>) => {
    const labels = await findLabels(device(...of), { track: 101, nowMs: () => now });
    if (!labels.ok) throw new Error(labels.text);
    return [labels.value.offset(now) / HOUR, labels.value.sure];
  };

  it.each([
    ['records now, and writes its own clock', EAST, 'local', [[1, 1]], [EAST, true]],
    ['records now, and writes UTC', EAST, 'utc', [[1, 1]], [0, true]],
    ['recorded hours ago: in UTC that would be of the future', EAST, 'local', [[6, 1]], [EAST, true]],
    ['recorded hours ago: by its own clock that would be of the future', -5, 'utc', [[4, 1]], [0, true]],
    [
      'recorded after its midnight, which in UTC is the day before',
      EAST,
      'utc',
      [
        [40, 1],
        [17, 1],
      ],
      [0, true],
    ],
    ['recorded before its midnight days ago', EAST, 'local', [[45, 1]], [EAST, true]],
    ['recorded at noon days ago, which shows nothing', EAST, 'utc', [[54, 1]], [EAST, false]],
  ] as const)('one that %s', async (_, east, labels, files, expected) => {
    expect(await found(east, labels, files as unknown as [number, number][])).toEqual(expected);
  });
});

describe('times of recorded pictures', () => {
  /** Pictures of so many media seconds, with an RTP clock that runs at `rtp` times the media's. */
  const play = (speed: number, rtp: number, granted: number | null = speed) => {
    const clock = new RecordedClock({ fromMs: 1_000, speed, shown: 0 });
    clock.started(null, granted ?? 1);
    const real = granted ?? 1;
    const places = [];
    for (let media = 0; media <= 16_000; media += 400)
      places.push(clock.place(90_000 + media * rtp * 90, media / real));
    return places.at(-1)!;
  };

  it('are the same whether timestamps run as what is shown or as what was recorded', () => {
    expect(play(1, 1)).toEqual({ recordedMs: 17_000, shown: 16_000 * 90 });
    expect(play(8, 1 / 8).recordedMs).toBe(17_000);
    expect(play(8, 1).recordedMs).toBe(17_000);
    expect(play(0.5, 2).recordedMs).toBe(17_000);
    // A device that plays at 1 whatever is asked.
    expect(play(8, 1, null)).toEqual({ recordedMs: 17_000, shown: 16_000 * 90 });
  });

  it('begin where the device says that it begins', () => {
    const clock = new RecordedClock({ fromMs: 1_000, speed: 1, shown: 90 });
    clock.started(500, 1);
    expect(clock.place(7, 0)).toEqual({ recordedMs: 500, shown: 90 });
  });
});

it('files that follow one another are one span; the address is that of the box’s own camera', () => {
  const files = [
    { fromMs: 0, toMs: 1_000 },
    { fromMs: 2_000, toMs: 9_000 },
    { fromMs: 20_000, toMs: 30_000 },
  ];
  expect(spansOf(files, { fromMs: 500, toMs: 25_000 })).toEqual([
    { fromMs: 500, toMs: 9_000 },
    { fromMs: 20_000, toMs: 25_000 },
  ]);
  expect(spansOf(files, { fromMs: 10_000, toMs: 11_000 })).toEqual([]);
  const live = 'rtsp://192.0.2.7:10554/Streaming/Channels/201';
  expect(trackUrl(live, 'rtsp://10.0.0.1/Streaming/tracks/201?starttime=1&size=2', 201)).toBe(
    'rtsp://192.0.2.7:10554/Streaming/tracks/201',
  );
  expect(trackUrl(live, 'http://elsewhere/', 201)).toBe('rtsp://192.0.2.7:10554/Streaming/tracks/201/');
});

it('asks for a file by all that the device told of it, for the time that is wanted; joined files by time alone', () => {
  const uri = 'rtsp://10.0.0.1/Streaming/tracks/201/?starttime=1&endtime=2&name=ch1_0001&size=77';
  const range = { fromMs: 10_000, toMs: 90_000 };
  const file = (fromMs: number, toMs: number) => ({ fromMs, toMs, uri });
  expect(spansOf([file(0, 20_000), file(40_000, 50_000), file(51_000, 99_000)], range)).toEqual([
    { fromMs: 10_000, toMs: 20_000, uri },
    { fromMs: 40_000, toMs: 90_000 },
  ]);
  expect(addressOf('rtsp://c/t/', uri, 'A', 'B')).toBe('rtsp://c/t/?starttime=A&endtime=B&name=ch1_0001&size=77');
  expect(addressOf('rtsp://c/t/', 'rtsp://c/t/ ?x\r\n=1', 'A', 'B')).toBe('rtsp://c/t/?starttime=A&endtime=B');
});
