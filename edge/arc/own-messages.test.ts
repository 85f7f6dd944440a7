import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ArcTry } from '../../protocol/wire/event.ts';
import { arcRoutes } from './routes.ts';
import { nextTest } from './schedule.ts';
import { FakeRelay } from './testing/fake-relay.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { ArcBox, account, QUICK, removeTempDirs, until } from './testing/harness.ts';
import { StrictReceiver } from './testing/strict-receiver.ts';
import { addTry, replyFrame, sentFrame, triesOf } from './tries.ts';
import type { ArcTimings } from './types.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function world(given: Parameters<typeof account>[0] = {}, timings: Partial<ArcTimings> = {}) {
  const arc = new StrictReceiver({ accounts: { '00A1': given.key ?? null } });
  const target = await arc.start();
  const proxy = new FaultProxy(target, 2_000);
  const relay = new FakeRelay(target);
  await relay.start();
  const config = account({ direct: await proxy.start(), ...given });
  const box = new ArcBox({ auth: relay.auth, timings: { ...QUICK, ...timings } }).start([config]);
  stops.push(
    () => arc.stop(),
    () => proxy.stop(),
    () => relay.stop(),
    () => box.stop(),
  );
  await until(() => box.service.health()[0]!.relay !== 'down' && box.service.health()[0]!.direct === 'up');
  const said = () => arc.alarms.map((a) => a.data.split('|')[1]!);
  return { arc, proxy, relay, box, config, said };
}

describe('periodic test', () => {
  it('goes beside the supervision, and once a day over the other path (ARC-32)', async () => {
    const { arc, box, relay } = await world(
      { periodicTest: { intervalMs: 300, atMinute: null }, supervision: { kind: 'null', intervalMs: 200 } },
      { alternativeTestMs: 700 },
    );
    const tests = () => box.acknowledged().filter((r) => r.kind === 'test');
    await until(() => tests().filter((r) => r.path === 'relay').length >= 2 && tests().length >= 6);
    expect(tests()[0]).toMatchObject({ code: 'RP', zone: '000', path: 'direct' });
    expect(tests().find((r) => r.path === 'relay')).toMatchObject({ code: 'RP', zone: '002' });
    expect(arc.alarms.map((a) => a.data)).toContain('#00A1|Nri1/RP002');
    expect(arc.received.some((r) => r.token === 'NULL')).toBe(true);
    // Over a path that is lost it does not wait in front of others; that it failed is told.
    await relay.stop();
    const before = tests().length;
    await until(() => box.reports().some((r) => r.state === 'failed' && r.zone === '002'));
    await until(() => tests().length > before + 1);
    await relay.start();
  });

  it('stands at its minute of the day, whenever the last one was', () => {
    const at = (text: string) => Date.parse(`2026-03-${text}:00.000Z`);
    const day = 86_400_000;
    expect(nextTest(at('02T01:00'), day, 180)).toBe(at('02T03:00'));
    expect(nextTest(at('02T03:00'), day, 180)).toBe(at('03T03:00'));
    expect(nextTest(at('02T04:00'), day / 4, 180)).toBe(at('02T09:00'));
    expect(nextTest(at('02T04:00'), day, null)).toBe(at('03T04:00'));
  });
});

describe('messages on somebody’s word', () => {
  it('are queued through the API of the box and told like any other', async () => {
    for (const [protocol, expected] of [
      ['SIA-DCS', ['Nri1/RX000', 'Nri1/TS000', 'Nri1/TE000']],
      ['ADM-CID', ['1601 01 000', '1607 01 000', '3607 01 000']],
    ] as const) {
      const { box, config, said } = await world({ protocol });
      const api = arcRoutes({ arc: box.service });
      const post = (id: string, body: unknown) =>
        api.request(`/${id}/messages`, { method: 'POST', body: JSON.stringify(body) });
      const ids: string[] = [];
      for (const kind of ['manual-test', 'test-begin', 'test-end']) {
        const answer = await post(config.id, { kind });
        expect(answer.status).toBe(202);
        ids.push(((await answer.json()) as { id: string }).id);
      }
      await until(() => box.acknowledged().length === 3);
      expect(said()).toEqual(expected);
      expect(box.acknowledged().map((r) => [r.id, r.kind])).toEqual(ids.map((id) => [id, 'test']));
      expect((await post(box.deviceId, { kind: 'manual-test' })).status).toBe(404);
      expect((await post(config.id, { kind: 'fire' })).status).toBe(400);
    }
  });
});

describe('what is told of each try', () => {
  it('is path, receiver, outcome, frames and times; of what waits too', async () => {
    const key = Buffer.from('000102030405060708090A0B0C0D0E0F', 'hex');
    const { arc, proxy, relay, box, config } = await world({ key });
    await proxy.set('refuse');
    await relay.stop();
    await box.event('motion', 1);
    await until(() => box.reports().some((r) => r.state === 'waiting'));
    const waiting = box.reports()[0]!;
    expect(waiting.log[0]).toMatchObject({
      path: 'direct',
      outcome: expect.stringMatching(/refused|reset/),
      reply: null,
    });
    await relay.start();
    await until(() => box.acknowledged().length === 1);
    const [report] = box.acknowledged();
    expect(report!.log.length).toBe(Math.min(8, report!.tries));
    const last = report!.log.at(-1)!;
    expect(last).toMatchObject({ path: 'relay', outcome: 'acknowledged', receiver: new URL(relay.auth.relayUrl).host });
    expect(last.frame).toMatch(/^[0-9A-F]{8}"\*SIA-DCS"\d{4}R0L0#00A1\[[0-9A-F]+$/);
    expect(last.reply).toMatch(/^[0-9A-F]{8}"\*ACK"\d{4}R0L0#00A1\[/);
    expect(report!.log.find((one) => one.path === 'direct')!.receiver).toBe(`127.0.0.1:${config.direct.port}`);
    for (const one of report!.log) expect(ArcTry.safeParse(one).success).toBe(true);
    arc.options.clockMs = 600_000;
    await box.event('motion', 2);
    await until(() => box.acknowledged().some((r) => r.zone === '002'));
    const corrected = box.acknowledged().find((r) => r.zone === '002')!;
    expect(corrected.log.map((one) => one.outcome)).toEqual(['nak', 'acknowledged']);
    // No key, in whichever form, stands in what leaves the box.
    const text = JSON.stringify(box.journal.read(0, 10_000));
    for (const form of [key.toString('hex'), key.toString('base64'), key.toString('latin1')])
      expect(text.toLowerCase()).not.toContain(form.toLowerCase());
  });

  it('holds no key that a receiver sends along, no token of a picture, and nothing but ASCII', () => {
    const frame = (body: string) => Buffer.from(`\nAB120030${body}\r`, 'latin1');
    expect(
      sentFrame(frame('"SIA-DCS"0001R0L0#1[#1|Nri1/BA001|AT\xfcr][Vhttps://r.example/v/a-B_9,https://r.example/v/c]')),
    ).toBe('AB120030"SIA-DCS"0001R0L0#1[#1|Nri1/BA001|AT?r][Vhttps://r.example/v/***,https://r.example/v/***]');
    expect(replyFrame(frame('"RSP"0001R0L0#1[][K0011223344556677]_03:04:05,01-02-2026'))).toBe(
      'AB120030"RSP"0001R0L0#1[][K***]_03:04:05,01-02-2026',
    );
    expect(replyFrame(Buffer.from('x'.repeat(2_000)))).toHaveLength(512);
    expect(sentFrame(Buffer.from('x'.repeat(4_000)))).toHaveLength(1_024);
    const m = { log: '[]' };
    const one = { path: 'direct', receiver: 'r:1', outcome: 'timeout', frame: '', reply: null } as const;
    for (let i = 0; i < 12; i++) addTry(m, { ...one, at: '2026-01-02T03:04:05.000Z', tookMs: i });
    expect(triesOf(m).map((t) => t.tookMs)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  });
});
