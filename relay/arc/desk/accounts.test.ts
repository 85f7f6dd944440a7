import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../protocol/clock.ts';
import type { DeskReport, DeskTest } from '../../../protocol/wire/arc-desk.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { ArcPathChange, ArcPathHealth } from '../../../protocol/wire/uplink.ts';
import { type Company, TestRelay, until } from '../../testing/relay.ts';
import { TestStream } from '../../testing/stream.ts';
import { reportCsv } from './report-files.ts';
import { alarmRecord } from './testing/alarms.ts';
import { centreWith } from './testing/centre.ts';

const MINUTE_MS = 60_000;
const POLL_MS = 20_000;
// Time is stepped: connections, which go by the monotonic clock, live on.
const clock = new ManualClock(Date.parse('2026-11-10T00:00:00Z'));
const relay = new TestRelay({ clock });
let acme: Company;
let made: Awaited<ReturnType<typeof centreWith>>;
let api: Company['api'];
const at = (ms: number) => new Date(ms).toISOString();
const account = () => `/arc-desk/accounts/${made.accountId}`;

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  made = await centreWith(relay, acme, 'Centre');
  api = made.centre.api;
  await made.box.connect();
});
afterAll(async () => {
  made.box.disconnect();
  await relay.stop();
});

const send = async (change: Partial<Parameters<typeof alarmRecord>[1]> = {}) => {
  const now = at(clock.now());
  const times = { occurredAt: now, queuedAt: now, acknowledgedAt: now };
  const record = alarmRecord(made.box, { accountId: made.accountId, ...times, ...change });
  await made.box.journal([record]);
  return (await api('GET', `/arc-desk/alarms/${record.body.id}`)).body;
};

describe('test mode of an account', () => {
  it('marks its alarms as tests, lets nothing sound, and ends by itself (ARC-02)', async () => {
    const stream = await new TestStream().open(`${relay.url}/api/v1/arc-desk/stream`, made.centre.token);
    await stream.first('hello');
    const before = clock.now() - MINUTE_MS;
    const begun = await api('POST', `${account()}/test-mode`, { minutes: 30, note: 'Engineer on site' });
    expect(begun).toMatchObject({ status: 201, body: { startedBy: 'Owner', beginTold: 'waiting', endedAt: null } });
    expect(await stream.first('account')).toMatchObject({ id: made.accountId, test: { id: begun.body.id } });
    expect((await api('POST', `${account()}/test-mode`, { minutes: 30 })).status).toBe(409);
    expect(await send()).toMatchObject({ test: true, open: false });
    // What happened before, and only came late, is none.
    expect(await send({ occurredAt: at(before) })).toMatchObject({ test: false, open: true });
    await api('PATCH', `${account()}/test-mode`, { minutes: 10 });
    clock.step(10 * MINUTE_MS - 1_000);
    expect(await send({ code: 'FA' })).toMatchObject({ test: true, open: false });
    clock.step(2_000);
    expect(await send({ code: 'FA' })).toMatchObject({ test: false, open: true });
    await clock.advance(5_000);
    const [test] = await until('its end', async () => {
      const items: DeskTest[] = (await api('GET', `${account()}/test-modes`)).body.items;
      return items[0]?.endedAt && items[0].endTold !== 'waiting' ? items : null;
    });
    // The box was never in reach: for the receiver there was no test.
    expect(test).toMatchObject({ endedAt: test?.untilAt, endedBy: null, beginTold: 'given-up', endTold: 'given-up' });
    expect((await api('DELETE', `${account()}/test-mode`)).status).toBe(409);
    expect((await api('POST', `${account()}/test`)).body.code).toBe('box-unreachable');
    stream.close();
  });

  it('is ended by a person', async () => {
    await api('POST', `${account()}/test-mode`, { minutes: 720 });
    expect((await api('DELETE', `${account()}/test-mode`)).status).toBe(204);
    expect(await send()).toMatchObject({ test: false, open: true });
    expect((await api('GET', account())).body.test).toBeNull();
  });
});

describe('the report of a month', () => {
  const changes: ArcPathChange[] = [];
  const started = clock.now();
  const health = async (state: Partial<ArcPathHealth> = {}, bootedMs = started) => {
    const paths = { accountId: made.accountId, path: 'direct', since: at(started), direct: 'up', relay: 'up' };
    const arc = [{ ...paths, second: 'absent', waiting: 0, changes, ...state } as ArcPathHealth];
    const now = clock.now();
    await made.box.publish(made.box.topics.health, made.box.health({ at: at(now), uptimeMs: now - bootedMs, arc }));
  };
  const report = async (): Promise<DeskReport> => (await api('GET', `${account()}/report?month=2026-11`)).body;
  const note = (path: 'direct' | 'relay', up: boolean) => changes.push({ at: at(clock.now()), path, up });

  it('equals the outages that there were, also those that the relay could not see (G2)', async () => {
    const begin = clock.now();
    note('direct', true);
    note('relay', true);
    await health();
    clock.step(60 * MINUTE_MS);
    // Seen at once: the direct path is cut for five minutes, and the centre is told over the other.
    const cut = clock.now();
    note('direct', false);
    await health({ direct: 'down', path: 'relay' });
    clock.step(47_000);
    const fault = await send({ code: 'YS', zone: '001', occurredAt: at(cut), path: 'relay' });
    expect(fault).toMatchObject({ meaning: 'pathLost', urgency: 2 });
    clock.step(5 * MINUTE_MS - 47_000);
    note('direct', true);
    await health({ direct: 'down', path: 'relay' });
    clock.step(MINUTE_MS);
    await health();
    // Out of reach: the whole internet line is cut for ten minutes.
    clock.step(60 * MINUTE_MS);
    await health();
    made.box.disconnect();
    note('relay', false);
    note('direct', false);
    clock.step(10 * MINUTE_MS);
    note('direct', true);
    note('relay', true);
    await made.box.connect();
    await health();
    // Off: a power cut of four minutes.
    clock.step(30 * MINUTE_MS);
    await health();
    const off = clock.now();
    made.box.disconnect();
    clock.step(4 * MINUTE_MS);
    await made.box.connect();
    changes.length = 0;
    note('direct', true);
    note('relay', true);
    await health({}, clock.now());
    const made1 = await until('what was heard is stored', async () => {
      const found = await report();
      return found.outages.length >= 7 ? found : null;
    });
    const within = (ms: number, wanted: number) => expect(Math.abs(ms - wanted)).toBeLessThanOrEqual(POLL_MS);
    const { availability, paths, outages } = made1;
    within(availability.downMs, 14 * MINUTE_MS);
    within(paths[0]?.downMs ?? 0, 19 * MINUTE_MS);
    within(paths[1]?.downMs ?? 0, 14 * MINUTE_MS);
    within(availability.observedMs, clock.now() - begin);
    expect(paths.map((p) => [p.path, p.outages])).toEqual([
      ['direct', 3],
      ['relay', 2],
    ]);
    expect(outages[0]).toEqual({
      path: 'direct',
      from: at(cut),
      to: at(cut + 5 * MINUTE_MS),
      durationMs: 5 * MINUTE_MS,
      toldAt: fault.acknowledgedAt,
      reportingMs: 47_000,
    });
    expect(paths[0]).toMatchObject({ limitMs: 90_000, slowestReportMs: 47_000 });
    expect(outages.filter((o) => o.path === 'all').map((o) => o.durationMs)).toEqual([10 * MINUTE_MS, 4 * MINUTE_MS]);
    expect(outages.at(-1)).toMatchObject({ from: at(off) });
    expect(made1.alarms).toMatchObject({ failed: 0, waiting: 0 });
    expect(made1.testModes).toHaveLength(2);

    // Silent and not back: it lasts.
    made.box.disconnect();
    clock.step(3 * MINUTE_MS);
    const now = await report();
    within(now.availability.downMs, 17 * MINUTE_MS);
    expect(now.outages.at(-1)).toMatchObject({ to: null });
    await made.box.connect();
    await health({}, clock.now() - 7 * MINUTE_MS);
    within((await report()).availability.downMs, 14 * MINUTE_MS);
  });

  it('is a file too: CSV, and PDF whose parts lie where it says', async () => {
    const csv = await api('GET', `${account()}/report.csv?month=2026-11`);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.body).toMatch(/^\uFEFF?Section,Item,Value/);
    expect(csv.body).toContain('availability all paths,outages,2');
    expect(csv.body).toContain('outage report,direct,47000,');
    const partly = { ...(await report()), alarmsCountedTo: '2026-11-20T10:00:00.000Z' };
    expect(csv.body).not.toContain('counted only before');
    expect(reportCsv(partly)).toContain('messages,counted only before,2026-11-20T10:00:00.000Z');
    const response = await fetch(`${relay.url}/api/v1${account()}/report.pdf`, {
      headers: { authorization: `Bearer ${made.centre.token}` },
    });
    const pdf = Buffer.from(await response.arrayBuffer()).toString('latin1');
    expect(response.headers.get('content-type')).toBe('application/pdf');
    const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(pdf)?.[1]);
    expect(pdf.slice(start, start + 4)).toBe('xref');
    const offsets = [...pdf.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)].map((m) => Number(m[1]));
    expect(offsets.length).toBeGreaterThanOrEqual(7);
    for (const [i, offset] of offsets.entries()) expect(pdf.slice(offset)).toMatch(new RegExp(`^${i + 1} 0 obj\n`));
    for (const [, length, content] of pdf.matchAll(/<< \/Length (\d+) >>\nstream\n([\s\S]*?)\nendstream/g))
      expect(content?.length).toBe(Number(length));
    expect(pdf).toContain('Designed to DP4 timings');
    expect(pdf).toContain('(00A1) Tj');
    expect((await api('GET', `${account()}/report?month=2026-13`)).status).toBe(400);
    const old = await api('GET', `${account()}/report?month=2026-10`);
    expect(old.body).toMatchObject({ availability: { percent: null, outages: 0 }, alarms: { sent: 0, times: null } });
  });

  it('does not believe a box about an account of another', async () => {
    const other = await centreWith(relay, await relay.company('Elsewhere'), 'Rival');
    await other.box.connect();
    const arc = [{ accountId: made.accountId, path: 'none', since: at(started), direct: 'down', relay: 'down' }];
    const foreign = { ...arc[0], second: 'absent', waiting: 0, changes: [] } as unknown as ArcPathHealth;
    const before = await report();
    await other.box.publish(other.box.topics.health, other.box.health({ at: at(clock.now()), arc: [foreign] }));
    expect((await report()).outages).toEqual(before.outages);
    expect((await other.centre.api('GET', `${account()}/report`)).status).toBe(404);
    expect((await other.centre.api('POST', `${account()}/test-mode`, { minutes: 30 })).status).toBe(404);
    expect((await other.centre.api('GET', '/arc-desk/accounts')).body.items).toHaveLength(1);
    expect((await api('GET', '/arc-desk/accounts?q=00a')).body.items).toMatchObject([
      { account: '00A1', online: true },
    ]);
    expect((await api('GET', `/arc-desk/accounts?q=${uuidv7()}`)).body.items).toEqual([]);
    other.box.disconnect();
  });
});
