import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../protocol/clock.ts';
import { LoginGuard } from '../../devices/login-guard.ts';
import { OnvifDriver } from '../driver.ts';
import type { Source } from '../media.ts';
import { SoapCamera } from '../testing/soap-camera.ts';
import { parseTree } from '../tree.ts';
import { type OnvifRecording, readDateTime, readJobs, readRecorded, recordingsOf } from './recordings.ts';
import { findSpans, readTrackState, spansOf, withoutDoubles } from './spans.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

const T0 = Date.UTC(2026, 10, 20);
const at = (s: number) => new Date(T0 + s * 1000).toISOString();
const information = (n: number, more = '') =>
  `<tt:RecordingInformation><tt:RecordingToken>R${n}</tt:RecordingToken><tt:Source><tt:SourceId>VideoSource_1</tt:SourceId></tt:Source><tt:EarliestRecording>${at(0)}</tt:EarliestRecording><tt:LatestRecording>${at(1000)}</tt:LatestRecording><tt:Track><tt:TrackToken>V${n}</tt:TrackToken><tt:TrackType>Video</tt:TrackType></tt:Track>${more}</tt:RecordingInformation>`;
const state = (n: number, s: number, present: boolean, track = `V${n}`) =>
  `<tt:Result><tt:RecordingToken>R${n}</tt:RecordingToken><tt:TrackToken>${track}</tt:TrackToken><tt:Time>${at(s)}</tt:Time><tt:Event><wsnt:Topic>tns1:RecordingHistory/Track/State</wsnt:Topic><wsnt:Message><tt:Message UtcTime="${at(s)}"><tt:Data><tt:SimpleItem Name="IsDataPresent" Value="${present}"/></tt:Data></tt:Message></wsnt:Message></tt:Event><tt:StartStateEvent>false</tt:StartStateEvent></tt:Result>`;

/** A device whose answers to searches are given one after the other; the last one again and again. */
async function world(
  answers: { recordings?: string[]; events?: string[] },
  o: { clock?: Clock; begin?: { status: number; code: string; reason: string } } = {},
) {
  const camera = new SoapCamera();
  const services = ['search', 'replay', 'recording'].map(
    (name) =>
      `<tds:Service><tds:Namespace>http://www.onvif.org/ver10/${name}/wsdl</tds:Namespace><tds:XAddr>http://192.0.2.9/onvif/${name}</tds:XAddr></tds:Service>`,
  );
  const known = camera.handlers.get('GetServices')!;
  camera.handlers.set('GetServices', (asked, c) =>
    (known(asked, c) as string).replace('</tds:GetServicesResponse>', `${services.join('')}</tds:GetServicesResponse>`),
  );
  const told = { recordings: [...(answers.recordings ?? [])], events: [...(answers.events ?? [])] };
  let begun = 0;
  for (const [find, results, list] of [
    ['FindRecordings', 'GetRecordingSearchResults', 'recordings'],
    ['FindEvents', 'GetEventSearchResults', 'events'],
  ] as const) {
    camera.handlers.set(
      find,
      () =>
        o.begin ?? `<tse:${find}Response><tse:SearchToken>t &amp; ${++begun}</tse:SearchToken></tse:${find}Response>`,
    );
    camera.handlers.set(results, () => {
      const next = told[list].length > 1 ? told[list].shift()! : told[list][0]!;
      if (next.startsWith('fault:')) return { status: 400, code: `ter:${next.slice(6)}`, reason: 'no' };
      const [word, ...items] = next.split('|');
      return `<tse:${results}Response><tse:ResultList><tt:SearchState>${word}</tt:SearchState>${items.join('')}</tse:ResultList></tse:${results}Response>`;
    });
  }
  camera.handlers.set('EndSearch', () => '<tse:EndSearchResponse/>');
  const port = await camera.start();
  const driver = new OnvifDriver({
    host: '127.0.0.1',
    port,
    username: 'admin',
    password: 'Correct-1',
    guard: new LoginGuard(),
    clock: o.clock ?? systemClock,
    log: pino({ enabled: false }),
  });
  cleanup.push(
    () => camera.stop(),
    () => driver.close(),
  );
  expect(await driver.identify()).toMatchObject({ ok: true });
  expect(await driver.channels()).toMatchObject({ ok: true });
  return { camera, device: driver.device()! };
}

/** A clock on which nobody waits. */
function skipping(onSleep = () => {}): Clock {
  let ahead = 0;
  return {
    now: () => Date.now(),
    mono: () => systemClock.mono() + ahead,
    after: systemClock.after.bind(systemClock),
    every: systemClock.every.bind(systemClock),
    sleep: async (ms) => {
      ahead += ms;
      onSleep();
    },
  };
}

describe('a search', () => {
  it('takes results in pieces and in any order, each once, and gives the search back', async () => {
    const { camera, device } = await world({
      recordings: ['Searching', `Searching|${information(2)}`, `Completed|${information(1)}|${information(2)}`],
    });
    const found = await readRecorded(device);
    if (!found.ok) throw new Error(found.text);
    expect(found.value.recordings.map((r) => r.token)).toEqual(['R2', 'R1']);
    expect(found.value.complete).toBe(true);
    expect(camera.count('EndSearch')).toBe(1);
    // Its token is written as it was read.
    expect(camera.seen.find((s) => s.operation === 'EndSearch')!.body).toContain('t &amp; 1');
  });

  it('that the device forgot is begun once more, and then a person is told', async () => {
    const once = await world({ recordings: ['Searching', 'fault:InvalidToken', `Completed|${information(1)}`] });
    expect(await readRecorded(once.device)).toMatchObject({ ok: true, value: { recordings: [{ token: 'R1' }] } });
    expect(once.camera.count('FindRecordings')).toBe(2);
    const always = await world({ recordings: ['fault:InvalidToken'] });
    expect(await readRecorded(always.device)).toMatchObject({ ok: false, text: expect.stringContaining('try again') });
    expect(always.camera.count('FindRecordings')).toBe(2);
  });

  it('waits for a place: two at once are asked for, and where others hold them it is tried again', async () => {
    // Somebody else has both of its places for a while.
    let others = 2;
    let [open, most] = [0, 0];
    const clock = skipping(() => others--);
    const { camera, device } = await world({ recordings: [`Completed|${information(1)}`] }, { clock });
    const find = camera.handlers.get('FindRecordings')!;
    camera.handlers.set('FindRecordings', (asked, c) => {
      if (open + Math.max(0, others) >= 2) return { status: 500, code: 'ter:ResourceProblem', reason: 'x' };
      most = Math.max(most, ++open);
      return find(asked, c);
    });
    camera.handlers.set('EndSearch', () => {
      open--;
      return '<tse:EndSearchResponse/>';
    });
    const found = await Promise.all(Array.from({ length: 5 }, () => readRecorded(device)));
    expect(found.map((one) => one.ok)).toEqual(Array(5).fill(true));
    expect([most, camera.count('EndSearch')]).toEqual([2, 5]);
  });

  it('that nobody waits for any more is given back as well', async () => {
    const { camera, device } = await world({ recordings: ['Searching'] });
    const abort = new AbortController();
    const find = camera.handlers.get('FindRecordings')!;
    camera.handlers.set('FindRecordings', (asked, c) => {
      abort.abort();
      return find(asked, c);
    });
    expect(await readRecorded(device, abort.signal)).toMatchObject({ ok: false });
    expect(camera.count('EndSearch')).toBe(1);
  });

  it('that finds no place is refused in words', async () => {
    const begin = { status: 500, code: 'ter:ResourceProblem', reason: 'x' };
    const full = await world({}, { begin, clock: skipping() });
    expect(await readRecorded(full.device)).toMatchObject({
      ok: false,
      text: expect.stringContaining('as many searches'),
    });
  });

  it('that never ends, or finds more than anybody has, is given up', async () => {
    const endless = await world({ recordings: ['Searching'] }, { clock: skipping() });
    expect(await readRecorded(endless.device)).toMatchObject({ ok: true, value: { recordings: [], complete: false } });
    expect(endless.camera.count('GetRecordingSearchResults')).toBeLessThan(210);
    const many = Array.from({ length: 500 }, (_, i) => information(i)).join('|');
    const flood = await world({ recordings: [`Searching|${many}`] });
    expect(await readRecorded(flood.device)).toMatchObject({ ok: true, value: { complete: false } });
    expect(flood.camera.count('GetRecordingSearchResults')).toBe(4);
    const huge = await world({ recordings: [`Completed|${information(1, 'x'.repeat(5_000_000))}`] });
    expect(await readRecorded(huge.device)).toMatchObject({ ok: false });
  });
});

describe('recorded spans', () => {
  const recording = (n: number, more: Partial<OnvifRecording> = {}): OnvifRecording => ({
    token: `R${n}`,
    sourceId: '',
    name: '',
    fromMs: T0,
    toMs: T0 + 1_000_000,
    growing: false,
    tracks: [`V${n}`],
    ...more,
  });
  const range = { fromMs: T0 + 100_000, toMs: T0 + 900_000 };
  const seconds = (spans: { fromMs: number; toMs: number }[]) =>
    spans.map((s) => [(s.fromMs - T0) / 1000, (s.toMs - T0) / 1000]);

  it('come of what tracks told, in any order, of those with pictures', async () => {
    const events = [state(1, 400, true), state(1, 200, false), state(1, 100, true), state(1, 300, false, 'A1')];
    const { device, camera } = await world({ events: [`Completed|${events.join('|')}`] });
    const found = await findSpans(device, { recordings: [recording(1)], ...range });
    expect(found.ok && seconds(found.value.spans)).toEqual([
      [100, 200],
      [400, 900],
    ]);
    expect(camera.seen.find((s) => s.operation === 'FindEvents')!.body).toContain(
      '<tt:IncludedRecordings>R1</tt:IncludedRecordings>',
    );
  });

  it('of a device that cannot search for gaps are from beginning to end; another fault is one', async () => {
    const none = await world({}, { begin: { status: 400, code: 'ter:ActionNotSupported', reason: 'x' } });
    const found = await findSpans(none.device, { recordings: [recording(1, { toMs: T0 + 500_000 })], ...range });
    expect(found.ok && seconds(found.value.spans)).toEqual([[100, 500]]);
    const full = await world({}, { begin: { status: 500, code: 'ter:ResourceProblem', reason: 'x' } });
    expect(await findSpans(full.device, { recordings: [recording(1)], ...range })).toMatchObject({ ok: false });
  });

  it('are of what grows up to now, and begin open where the first word is an end', () => {
    const states = [{ recording: 'R1', track: 'V1', atMs: T0 + 150_000, present: false }];
    expect(seconds(spansOf(recording(1), states, range))).toEqual([[100, 150]]);
    const grown = recording(1, { growing: true, toMs: T0 + 200_000 });
    expect(seconds(spansOf(grown, [], range))).toEqual([[100, 900]]);
  });

  it('never overlap, however many recordings tell of one moment, and stay within what was asked', () => {
    const span = fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 200 }));
    fc.assert(
      fc.property(fc.array(fc.array(span, { maxLength: 6 }), { maxLength: 5 }), (lists) => {
        const own = lists.map((list, i) => {
          const states = list.flatMap(([from, long]) => [
            { recording: `R${i}`, track: `V${i}`, atMs: T0 + from * 1000, present: true },
            { recording: `R${i}`, track: `V${i}`, atMs: T0 + (from + long) * 1000, present: false },
          ]);
          return spansOf(recording(i), states, range);
        });
        const all = withoutDoubles(own);
        for (const [i, s] of all.entries()) {
          expect(s.fromMs).toBeLessThan(s.toMs);
          expect(s.fromMs).toBeGreaterThanOrEqual(range.fromMs);
          expect(s.toMs).toBeLessThanOrEqual(range.toMs);
          if (i > 0) expect(s.fromMs).toBeGreaterThanOrEqual(all[i - 1]!.toMs);
        }
        // Nothing is lost either.
        const covered = (spans: typeof all, ms: number) => spans.some((s) => s.fromMs <= ms && ms < s.toMs);
        for (let ms = range.fromMs; ms < range.toMs; ms += 7_300)
          expect(covered(all, ms)).toBe(own.some((list) => covered(list, ms)));
      }),
      { numRuns: 100 },
    );
  });
});

describe('what belongs to a channel', () => {
  const source = (channel: number, token: string): Source => ({
    channel,
    token,
    name: '',
    streams: [],
    profiles: [{ token: `P${channel}`, sourceConfiguration: `C${channel}` }] as Source['profiles'],
  });
  const sources = [source(1, 'VideoSource_1'), source(2, 'VideoSource_2')];
  const of = (token: string, more: Partial<OnvifRecording> = {}): OnvifRecording => ({
    token,
    sourceId: '',
    name: '',
    fromMs: null,
    toMs: null,
    growing: false,
    tracks: ['V'],
    ...more,
  });
  const tokens = (channel: number, recordings: OnvifRecording[], jobs: [string, string[]][] = [], from = sources) =>
    recordingsOf(channel, from, { recordings, jobs: new Map(jobs), complete: true }).map((r) => r.token);

  it('is told by jobs, else by sources, else by their numbers', () => {
    const two = [of('A', { name: 'Camera 2' }), of('B', { name: 'Camera 1' })];
    expect(
      tokens(1, two, [
        ['A', ['P1']],
        ['B', ['C2']],
      ]),
    ).toEqual(['A']);
    expect(tokens(2, [of('A', { sourceId: 'VideoSource_2' }), of('B')])).toEqual(['A']);
    expect(tokens(1, two)).toEqual(['B']);
  });

  it('is everything on a device with one camera, and nothing where nobody can tell', () => {
    expect(tokens(1, [of('A'), of('B')], [], [sources[0]!])).toEqual(['A', 'B']);
    expect(tokens(1, [of('A'), of('B')])).toEqual([]);
    expect(tokens(1, [of('Rec_17'), of('Rec_1')])).toEqual([]);
  });
});

describe('words of devices', () => {
  it('are times, with any zone and fraction, or none', () => {
    expect(readDateTime(' 2026-11-20T00:00:01.25Z\n')).toBe(T0 + 1_250);
    expect(readDateTime('2026-11-20T02:00:00+02:00')).toBe(T0);
    expect(readDateTime('2026-11-20T00:00:00')).toBe(T0);
    for (const none of ['', '0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2026-13-01T00:00:00Z', `${'9'.repeat(9)}`])
      expect(readDateTime(none)).toBeNull();
    fc.assert(fc.property(fc.string(), (text) => readDateTime(text) === null || Number.isFinite(readDateTime(text))));
  });

  it('are events of tracks and jobs, or nothing', () => {
    const read = (xml: string) => readTrackState(parseTree(xml)!);
    expect(read(state(1, 5, true))).toEqual({ recording: 'R1', track: 'V1', atMs: T0 + 5_000, present: true });
    expect(read(state(1, 5, true).replace('Track/State', 'Recording/State'))).toBeNull();
    expect(read(state(1, 5, true).replace('"true"', '"perhaps"'))).toBeNull();
    expect(read('<Result/>')).toBeNull();
    const jobs = parseTree(
      '<R><JobItem><JobConfiguration><RecordingToken>R1</RecordingToken><Source><SourceToken><Token>P1</Token></SourceToken></Source></JobConfiguration></JobItem></R>',
    )!;
    expect([...readJobs(jobs)]).toEqual([['R1', ['P1']]]);
  });
});
