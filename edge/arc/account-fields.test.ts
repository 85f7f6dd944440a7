import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { buildMessage, encodeFor } from './message.ts';
import type { QueuedMessage } from './queue.ts';
import { FakeRelay } from './testing/fake-relay.ts';
import { ArcBox, account, removeTempDirs, until } from './testing/harness.ts';
import { queuedMessage } from './testing/queued-message.ts';
import { StrictReceiver } from './testing/strict-receiver.ts';
import type { ArcAccountConfig } from './types.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function world(
  given: Partial<ArcAccountConfig>,
  options: Partial<ConstructorParameters<typeof StrictReceiver>[0]> = {},
) {
  const arc = new StrictReceiver({ accounts: { '00A1': given.key ?? null }, ...options });
  const direct = await arc.start();
  const config = account({ direct, ...given });
  const box = new ArcBox().start([config]);
  stops.push(
    () => arc.stop(),
    () => box.stop(),
  );
  const said = () =>
    arc.alarms.map((a) =>
      a.data
        .split('|')
        .slice(1)
        .join('|')
        .replace(/^Nri\d+\//, ''),
    );
  return { arc, box, config, said };
}

describe('an account', () => {
  it('gets of each of its devices what was chosen for it, and of no other (ARC-15)', async () => {
    const other = uuidv7();
    const { box, said } = await world({
      events: ['boxRestarted'],
      devices: [
        { deviceId: '01890000-0000-7000-8000-0000000000d1', events: ['motion'], offlineDelayMs: 0 },
        { deviceId: other, events: ['tamper'], offlineDelayMs: 0 },
      ],
    });
    await box.event('motion', 1);
    await box.event('tamper', 2);
    await box.event('motion', 3, { deviceId: other });
    const tampered = await box.event('tamper', 4, { deviceId: other });
    await box.event('motion', 5, { deviceId: uuidv7() });
    await box.event('boxRestarted', null, { deviceId: null });
    await box.end(tampered);
    await until(() => box.acknowledged().length === 4);
    expect(said().sort()).toEqual(['BA001', 'RR000', 'TA004', 'TR004']);
  });

  it('calls things as its receiver wants, in either protocol, and does not tell an end that it does not want', async () => {
    const codes = [
      { type: 'motion' as const, cid: '139', sia: 'BV' },
      { type: 'tamper' as const, cid: '137', siaEnd: null },
    ];
    for (const [protocol, motion, tamper] of [
      ['SIA-DCS', ['BV001', 'BH001'], 'TA002'],
      ['ADM-CID', ['1139 01 001', '3139 01 001'], '1137 01 002'],
    ] as const) {
      const { box, said } = await world({ protocol, codes });
      await box.end(await box.event('motion', 1));
      await box.end(await box.event('tamper', 2));
      await box.event('videoLoss', 3);
      await until(() => box.acknowledged().length === 4);
      expect(said().slice(0, 3)).toEqual([...motion, tamper]);
      expect(box.acknowledged()[2]!.code).toBe(protocol === 'SIA-DCS' ? 'TA' : '1137');
    }
  });

  it('waits for its receiver, and tries a path, as long and as often as is set (ARC-32)', async () => {
    const { arc, box } = await world({ attempts: 4 }, { mute: true });
    await until(() => box.service.health()[0]!.direct === 'down');
    arc.options.mute = false;
    await until(() => box.service.health()[0]!.direct === 'up');
    arc.options.mute = true;
    arc.received.length = 0;
    const before = Date.now();
    await box.event('motion', 1);
    await until(() => box.service.health()[0]!.direct === 'down');
    const tries = arc.received.filter((r) => r.token === 'SIA-DCS');
    expect(tries).toHaveLength(4);
    expect(new Set(tries.map((r) => r.sequence)).size).toBe(1);
    // 500 ms for the first, three fifths of it for each repetition.
    expect(Date.now() - before).toBeGreaterThan(500 + 3 * 300 - 50);
    arc.options.mute = false;
    await until(() => box.acknowledged().length === 1);
    expect(box.acknowledged()[0]).toMatchObject({ possibleRepeat: true });
  });

  it('tells an event whose code the receiver does not know as an untyped alarm with text', async () => {
    for (const refuse of ['duh', 'poison'] as const) {
      const { arc, box, said } = await world({ events: ['motion', 'gas', 'zoneAlarm'] });
      arc.options[refuse] = /GA\d|1151/;
      const gas = await box.event('gas', 7, { text: 'Kitchen' });
      if (refuse === 'poison') {
        await until(() => box.warnings().includes('arc-refused'));
        await box.event('motion', 8);
        await until(() => box.acknowledged().length === 2);
      } else await until(() => box.acknowledged().length === 1);
      expect(said()).toContain('UA007|AKitchen (GA)');
      expect(box.acknowledged().find((r) => r.eventId === gas)).toMatchObject({ code: 'UA', state: 'acknowledged' });
      expect(box.reports().map((r) => r.state)).not.toContain('failed');
    }
  });

  it('does not send a number of a panel that Contact ID does not have', async () => {
    const { box, said } = await world({ protocol: 'ADM-CID', events: ['other', 'batteryLow'] });
    await box.event('other', 1, { cid: '1999', text: 'Strange' });
    await box.event('batteryLow', 2, { cid: '1399' });
    await until(() => box.acknowledged().length === 2);
    expect(said()).toEqual(['1150 01 001', '1302 01 002']);
  });

  it('tells that a device is offline only when it stays so, and its return only then (ARC-26)', async () => {
    const deviceId = '01890000-0000-7000-8000-0000000000d1';
    const { box, said, config } = await world({
      events: [],
      devices: [{ deviceId, events: ['deviceOffline', 'motion'], offlineDelayMs: 400 }],
    });
    const short = await box.event('deviceOffline', null);
    await box.event('motion', 1);
    await until(() => box.acknowledged().length === 1);
    await box.end(short);
    const long = await box.event('deviceOffline', null);
    const at = Date.now();
    await until(() => box.acknowledged().length === 2);
    expect(Date.now() - at).toBeGreaterThan(350);
    await box.end(long);
    await until(() => box.acknowledged().length === 3);
    expect(said()).toEqual(['BA001', 'ET000', 'ER000']);
    expect(box.service.waiting()).toBe(0);
    // Read again after a restart, what was never told is not told either.
    box.journal.consumer('arc', 'end').commit(0);
    await box.stop();
    const again = new ArcBox({ dir: box.dir }).start([config]);
    stops.push(() => again.stop());
    await again.event('motion', 2);
    await until(() => again.acknowledged().length === 4);
    expect(said()).toEqual(['BA001', 'ET000', 'ER000', 'BA002']);
  });

  it('with a wrong key or an unknown number is a fault at the box at once, and holds nobody else up', async () => {
    const key = Buffer.alloc(16, 1);
    const { arc, box, config } = await world(
      { account: '00A1' },
      { accounts: { '00A1': null, '00C3': Buffer.alloc(16, 2) } },
    );
    const wrongKey = { ...account({ direct: config.direct, account: '00C3', key }), id: uuidv7() };
    const unknown = { ...account({ direct: config.direct, account: '00D4' }), id: uuidv7() };
    box.service.apply([config, wrongKey, unknown]);
    const before = Date.now();
    await box.event('motion', 1);
    const subjects = () => box.warnables.list().map((w) => `${w.code} ${w.subject}`);
    await until(() => [wrongKey, unknown].every((a) => subjects().includes(`arc-refused arc:${a.id}`)));
    expect(Date.now() - before).toBeLessThan(5_000);
    await until(() => box.acknowledged().length === 1);
    expect(arc.alarms.map((a) => a.account)).toEqual(['00A1']);
    expect(box.reports().filter((r) => r.state === 'acknowledged')).toHaveLength(1);
  });

  it('that is not answered at all is a fault at the box before 30 s', async () => {
    const { box } = await world({ attempts: 5 }, { mute: true });
    await box.event('motion', 1);
    await until(() => box.warnings().includes('arc-no-path'));
  });
});

describe('what goes along in brackets', () => {
  const blocks = (
    extended: Partial<ArcAccountConfig['extended']>,
    protocol: ArcAccountConfig['protocol'] = 'ADM-CID',
  ) => account({ protocol, extended: { blocks: 1, text: false, picture: false, path: false, ...extended } });
  const NOW = Date.UTC(2026, 0, 2, 3, 4, 6);
  const message = (change: Partial<QueuedMessage> = {}) =>
    queuedMessage({ priority: 1, text: 'Tür Süd', link: 'https://r.example/v/abc', ...change });

  it('is one block unless more are asked for, by weight: when, pictures, words, path', () => {
    const all = { text: true, picture: true, path: true };
    const late = NOW + 120_000;
    const xdata = (extended: Parameters<typeof blocks>[0], now = NOW) =>
      buildMessage(blocks(extended), message(), now, 0, 'second').xdata;
    expect(xdata({})).toEqual([]);
    expect(xdata({ ...all })).toEqual(['Vhttps://r.example/v/abc']);
    expect(xdata({ ...all }, late)).toEqual(['H03:04:05,01-02-2026']);
    expect(xdata({ ...all, blocks: 4 }, late)).toEqual([
      'H03:04:05,01-02-2026',
      'Vhttps://r.example/v/abc',
      'ITuer Sued',
      'J3',
    ]);
    expect(xdata({ path: true })).toEqual(['J3']);
    expect(xdata({ text: true })).toEqual(['ITuer Sued']);
    const sia = buildMessage(blocks({ ...all, blocks: 2 }, 'SIA-DCS'), message(), NOW, 0, 'relay');
    expect([sia.data, sia.xdata]).toEqual(['#00A1|Nri1/BA007|ATuer Sued', ['Vhttps://r.example/v/abc', 'J2']]);
  });

  it('is ASCII and never too long, whatever the text and the address', () => {
    const long = message({ text: `[|^"]\n${'ü'.repeat(400)}`, link: `https://r.example/v/${'x'.repeat(300)}` });
    const built = buildMessage(blocks({ text: true, picture: true, blocks: 4 }), long, NOW);
    expect(built.xdata).toHaveLength(1);
    expect(built.xdata[0]).toMatch(/^I(ue){64}$/);
    const full = message({ text: 'ü'.repeat(400), link: `https://r.example/v/${'x'.repeat(230)}` });
    const key = Buffer.alloc(32, 1);
    const config = { ...blocks({ text: true, picture: true, path: true, blocks: 4 }), key };
    // One datagram, encrypted and with everything in it.
    expect(encodeFor(config, buildMessage(config, full, NOW + 120_000)).length).toBeLessThan(1_200);
  });

  it('has the address of pictures that was there when it happened; none is waited for', async () => {
    const arc = new StrictReceiver({ accounts: { '00A1': null } });
    const direct = await arc.start();
    const relay = new FakeRelay(direct);
    await relay.start();
    const box = new ArcBox({ auth: relay.auth, recorded: (event) => event.type === 'motion' });
    stops.push(
      () => arc.stop(),
      () => relay.stop(),
      () => box.stop(),
    );
    const extended = { blocks: 1, text: false, picture: true, path: false };
    box.start([account({ direct, extended })]);
    await box.event('motion', 1);
    await until(() => box.acknowledged().length === 1 && relay.links >= 4);
    const id = await box.event('motion', 2);
    await box.event('tamper', 3);
    await box.end(id);
    await until(() => box.acknowledged().length === 4);
    expect(arc.alarms.map((a) => a.extended)).toEqual([
      [],
      [expect.stringMatching(/^Vhttps:\/\/relay\.example\/v\/a+\d$/)],
      [],
      [],
    ]);
    const report = box.acknowledged().find((r) => r.eventId === id && r.kind === 'alarm')!;
    expect(report.linkId).toMatch(/^[0-9a-f-]{36}$/);
    // Who reads what was sent is not thereby let in.
    expect(report.log[0]!.frame).toMatch(/\[Vhttps:\/\/relay\.example\/v\/\*\*\*\]/);
    expect(box.acknowledged().filter((r) => r.linkId)).toHaveLength(1);
  });
});

describe('urgency', () => {
  it('lets danger to life overtake alarms, these faults, these tests; each class keeps its order, restores come after', async () => {
    const { box, config, said } = await world({ events: ['motion', 'panic', 'fire', 'videoLoss', 'panelTest'] });
    box.service.apply([{ ...config, direct: { host: '127.0.0.1', port: 9 } }]);
    await box.event('panelTest', 1);
    await box.event('videoLoss', 2);
    const motion = await box.event('motion', 3);
    await box.event('panic', 4);
    await box.end(motion);
    await box.event('fire', 5);
    await box.event('motion', 6);
    await until(() => box.service.waiting() === 7);
    box.service.apply([config]);
    await until(() => box.acknowledged().length === 7);
    expect(said()).toEqual(['PA004', 'FA005', 'BA003', 'BH003', 'BA006', 'UT002', 'RX001']);
  });
});
