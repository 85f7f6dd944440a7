import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDc09 } from '../../protocol/codec/dc09.ts';
import { parseDc09Content } from '../../protocol/codec/dc09-parse.ts';
import { EVENT_TYPES } from '../../protocol/wire/event.ts';
import { CODES, type MessageType, PRIORITY } from './codes.ts';
import { DirectState } from './direct-state.ts';
import { buildMessage, buildNull, codeOf, encodeFor, judge } from './message.ts';
import { messageId } from './queue.ts';
import { account } from './testing/harness.ts';
import { queuedMessage as queued } from './testing/queued-message.ts';
import { arcTimings } from './types.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 6);

describe('code map', () => {
  it('has a line for every event class, three digits and two letters', () => {
    for (const type of [...EVENT_TYPES, 'test'] as MessageType[]) {
      expect(CODES[type].cid).toMatch(/^\d{3}$/);
      expect(CODES[type].sia).toMatch(/^[A-Z]{2}$/);
    }
  });

  it.each([
    ['motion', 'BA', '1130', 'BH', '3130'],
    ['lineCrossing', 'BA', '1131', 'BH', '3131'],
    ['tamper', 'TA', '1144', 'TR', '3144'],
    ['videoLoss', 'UT', '1380', 'UJ', '3380'],
    ['deviceOffline', 'ET', '1333', 'ER', '3333'],
    ['other', 'UA', '1150', 'UH', '3150'],
  ] as const)('%s is %s / %s and ends as %s / %s', (type, sia, cid, siaEnd, cidEnd) => {
    expect(codeOf(queued({ type }), 'SIA-DCS')).toBe(sia);
    expect(codeOf(queued({ type }), 'ADM-CID')).toBe(cid);
    expect(codeOf(queued({ type, kind: 'restore' }), 'SIA-DCS')).toBe(siaEnd);
    expect(codeOf(queued({ type, kind: 'restore' }), 'ADM-CID')).toBe(cidEnd);
  });

  it('opens and closes as Contact ID does: arming is a 3', () => {
    expect(codeOf(queued({ type: 'areaArmedAway' }), 'ADM-CID')).toBe('3401');
    expect(codeOf(queued({ type: 'areaArmedStay' }), 'ADM-CID')).toBe('3441');
    expect(codeOf(queued({ type: 'areaDisarmed' }), 'ADM-CID')).toBe('1401');
    expect(codeOf(queued({ type: 'areaArmedAway' }), 'SIA-DCS')).toBe('CL');
    expect(codeOf(queued({ type: 'areaDisarmed' }), 'SIA-DCS')).toBe('OP');
  });

  it("passes a panel's own number on, and the letters that belong to it", () => {
    const perimeter = queued({ type: 'zoneAlarm', cid: '1131', area: 2, zone: '012' });
    expect(codeOf(perimeter, 'ADM-CID')).toBe('1131');
    expect(codeOf({ ...perimeter, kind: 'restore' }, 'ADM-CID')).toBe('3131');
    expect(codeOf({ ...perimeter, kind: 'restore' }, 'SIA-DCS')).toBe('BH');
    const battery = queued({ type: 'batteryLow', cid: '1384' });
    expect([codeOf(battery, 'SIA-DCS'), codeOf({ ...battery, kind: 'restore' }, 'SIA-DCS')]).toEqual(['XT', 'XR']);
    expect(codeOf(queued({ type: 'areaArmedAway', cid: '3403' }), 'SIA-DCS')).toBe('CA');
    expect(codeOf(queued({ type: 'areaDisarmed', cid: '1403' }), 'SIA-DCS')).toBe('OA');
    expect(buildMessage(account({ protocol: 'ADM-CID' }), perimeter, NOW).data).toBe('#00A1|1131 02 012');
    expect(buildMessage(account({ protocol: 'ADM-CID', partition: 5 }), perimeter, NOW).data).toBe('#00A1|1131 05 012');
    const armed = queued({ type: 'areaArmedAway', cid: '3401', area: 1, zone: '000', text: 'Müller, Office' });
    expect(buildMessage(account({ protocol: 'SIA-DCS' }), armed, NOW).data).toBe('#00A1|Nri1/CL000|AMueller, Office');
    expect(buildMessage(account({ protocol: 'ADM-CID' }), armed, NOW).data).toBe('#00A1|3401 01 000');
  });

  it('puts alarms before faults and both before tests', () => {
    expect(CODES.test.priority).toBe(PRIORITY.test);
    for (const type of EVENT_TYPES.filter((t) => t !== 'panelTest'))
      expect(CODES[type].priority).toBeLessThan(PRIORITY.test);
    expect(CODES.intrusion.priority).toBeLessThan(CODES.videoLoss.priority);
  });
});

describe('frames', () => {
  it('are fresh at each transmission: time and pad change, number and data do not', () => {
    const config = account({ key: Buffer.alloc(16, 1) });
    const first = buildMessage(config, queued(), NOW);
    const second = buildMessage(config, queued(), NOW + 5_000);
    expect(second).toEqual({ ...first, timestamp: NOW + 5_000 });
    expect(encodeFor(config, first)).not.toEqual(encodeFor(config, first));
  });

  it('say when it happened once it is older than a minute, by the receiver’s clock', () => {
    const xdata = (now: number, offsetMs = 0) => buildMessage(account(), queued(), now, offsetMs).xdata;
    expect(xdata(NOW)).toEqual([]);
    expect(xdata(NOW + 58_000)).toEqual([]);
    expect(xdata(NOW + 60_000)).toEqual(['H03:04:05,01-02-2026']);
    expect(xdata(NOW, 600_000)).toEqual([]);
    expect(xdata(NOW + 60_000, 600_000)).toEqual(['H03:14:05,01-02-2026']);
  });

  it('have at most one block of extended data, in ASCII, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), fc.nat(200_000), (text, isCid, age) => {
        const config = account({ protocol: isCid ? 'ADM-CID' : 'SIA-DCS', key: Buffer.alloc(24, 2) });
        const message = buildMessage(config, queued({ type: 'other', text }), NOW + age);
        expect(message.xdata.length).toBeLessThanOrEqual(1);
        const decoded = decodeDc09(encodeFor(config, message), config.key);
        expect(decoded).toMatchObject({ ok: true, message: { data: message.data, xdata: message.xdata } });
        expect(`${message.data}${message.xdata}`).toMatch(/^[ -~]*$/);
      }),
    );
  });

  it('can be read back whatever the event: one code, one area, one zone, its words', () => {
    const digits = fc.stringMatching(/^[13]\d{3}$/);
    fc.assert(
      fc.property(
        fc.record({
          type: fc.constantFrom(...EVENT_TYPES),
          text: fc.option(fc.oneof(fc.string({ unit: 'binary', maxLength: 512 }), fc.stringMatching(/^[A-Z]\d{0,4}$/))),
          cid: fc.option(digits),
          area: fc.option(fc.oneof(fc.integer({ min: 1, max: 99 }), fc.integer())),
          zone: fc.integer({ min: 0, max: 999 }).map((n) => String(n).padStart(3, '0')),
          kind: fc.constantFrom('alarm', 'restore'),
          generic: fc.constantFrom(0, 1),
        }),
        fc.boolean(),
        fc.boolean(),
        (event, isCid, asksForText) => {
          const protocol = isCid ? 'ADM-CID' : 'SIA-DCS';
          const extended = { blocks: 4, text: asksForText, picture: false, path: false };
          const config = account({ protocol, key: Buffer.alloc(16, 2), extended });
          const message = queued(event);
          const decoded = decodeDc09(encodeFor(config, buildMessage(config, message, NOW)), config.key);
          if (!decoded.ok) throw new Error(decoded.code);
          const read = parseDc09Content(decoded.message);
          const code = codeOf(message, protocol);
          const known = event.area !== null && event.area >= 1 && event.area <= 99;
          const zone = isCid && event.zone === '000' ? null : event.zone;
          expect(read).toMatchObject([{ code, area: known ? event.area : 1, zone, account: '00A1' }]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are acknowledged only by our number, our account and our key', () => {
    const config = account({ key: Buffer.alloc(16, 1) });
    const sent = buildMessage(config, queued(), NOW);
    const reply = (change: object, key = config.key) =>
      encodeFor({ ...config, key }, { ...sent, id: 'ACK', data: '', xdata: [], ...change });
    const verdict = (frame: Buffer) => judge(frame, sent, config.key)?.is ?? null;
    expect(verdict(reply({}))).toBe('acknowledged');
    expect(verdict(reply({ sequence: 13 }))).toBeNull();
    expect(verdict(reply({ account: 'A1' }))).toBeNull();
    expect(verdict(reply({}, Buffer.alloc(16, 9)))).toBe('other-key');
    expect(verdict(reply({ encrypted: false }))).toBe('other-key');
    expect(verdict(reply({ id: 'DUH', encrypted: false }))).toBe('duh');
    const broken = reply({});
    broken[20]! ^= 1;
    expect(verdict(broken)).toBeNull();
    const nak = { id: 'NAK', encrypted: false, sequence: 0, account: null };
    expect(judge(reply(nak), sent, config.key)).toEqual({ is: 'nak', timeMs: NOW });
    expect(judge(reply({ ...nak, timestamp: null }), sent, config.key)).toEqual({ is: 'nak', timeMs: null });
    expect(verdict(encodeFor(config, buildNull(config, NOW)))).toBeNull();
  });

  it('have an id that is the same for the same message and different for any other', () => {
    const id = messageId(queued());
    expect(messageId(queued({ sequence: 99, tries: 5 }))).toBe(id);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    const others = [queued({ kind: 'restore' }), queued({ accountId: 'b' }), queued({ eventId: 'f' })].map((m) =>
      messageId(m),
    );
    expect(new Set([id, ...others, messageId(queued(), ' 1')]).size).toBe(5);
  });
});

describe('trust in the direct path', () => {
  const { goodPolls, holdDownMs, probeIntervalMs } = arcTimings({});
  /** Polls every 20 s a path whose state at a time `up` tells; gives the times of each change. */
  const switches = (up: (ms: number) => boolean, forMs: number): number[] => {
    const state = new DirectState({ goodPolls, holdDownMs });
    const changes: number[] = [];
    for (let t = 0; t <= forMs; t += probeIntervalMs) {
      const before = state.state;
      if (up(t)) state.good(t);
      else state.bad();
      if (state.state !== before) changes.push(t);
    }
    return changes;
  };

  it('comes back after 3 good polls and 60 s, within 120 s (ARC-24)', () => {
    const [known, down, back] = switches((t) => t < 100_000 || t >= 213_000, 600_000);
    expect([known, down]).toEqual([0, 100_000]);
    expect(back! - 213_000).toBeGreaterThanOrEqual(60_000);
    expect(back! - 213_000).toBeLessThanOrEqual(120_000);
  });

  it('does not follow a path that flaps', () => {
    for (const halfPeriodMs of [10_000, 20_000, 40_000]) {
      const changes = switches((t) => Math.floor(t / halfPeriodMs) % 2 === 0, 600_000);
      // Known, down, and that is all.
      expect(changes.length).toBeLessThanOrEqual(2);
    }
  });

  it('needs as many good polls as it says, however long they take', () => {
    const state = new DirectState({ goodPolls: 3, holdDownMs: 10 });
    state.bad();
    expect([state.good(0), state.good(1_000), state.good(2_000)]).toEqual([false, false, true]);
    state.bad();
    expect([state.good(0), state.good(1), state.good(2), state.good(10)]).toEqual([false, false, false, true]);
  });
});
