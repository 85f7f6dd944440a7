import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../protocol/clock.ts';
import { decodeDc09 } from '../../../protocol/codec/dc09.ts';
import { Dc09Listener } from '../../../protocol/dc09/listener.ts';
import type { ReceivedEvent } from '../../../protocol/wire/receiver.ts';
import { until } from '../../testing/relay.ts';
import { sample, TestCentre } from '../testing/centre.ts';
import { fittingFrame } from './dc09-fit.ts';
import { Mlr2Accounts } from './mlr2-accounts.ts';

const HEX = '00112233445566778899aabbccddeeff';
const KEY = Buffer.from(HEX, 'hex');
const event: ReceivedEvent = { event: '130', qualifier: 'begin', area: 1, zone: '001', text: null };
const message = {
  id: 'ADM-CID',
  encrypted: true,
  sequence: 1,
  receiver: '0',
  line: '0',
  account: 'AAAA',
  data: '#AAAA|1130 01 001',
  xdata: [] as string[],
  timestamp: Date.UTC(2026, 0, 1),
};
const END = String.fromCharCode(0x14);
const H = 'H03:04:05,01-01-2026';

describe('whatever a sender puts into a message, its code is handed on (ARC-22)', () => {
  const read = (more: Partial<typeof message>, events = [event]) => {
    const decoded = decodeDc09(fittingFrame({ ...message, ...more }, events, KEY)!, KEY);
    return decoded.ok ? { data: decoded.message.data, xdata: decoded.message.xdata } : null;
  };

  it('as it is, cleaned, without extended data, or without its text', () => {
    const text = '\xfc'.repeat(2_500);
    expect(read({ xdata: [H, 'Ia'] })).toEqual({ data: message.data, xdata: [H, 'Ia'] });
    expect(read({ data: '#AAAA|1130 01 001|\n\0\u20ac]' })!.data).toMatch(/^#AAAA\|1130 01 001\|\s+$/);
    expect(read({ xdata: [`I${text}`, H] })).toEqual({ data: message.data, xdata: [H] });
    expect(read({ data: `#AAAA|1130 01 001|${text}`, xdata: [H] })).toEqual({ data: message.data, xdata: [H] });
    const sia = { ...event, event: 'BA' };
    expect(
      read({ id: 'SIA-DCS', data: `#AAAA|Nri1/BA001|A${text}` }, [sia, { ...sia, area: null, zone: null }]),
    ).toEqual({ data: '#AAAA|Nri1/BA001/BA', xdata: [] });
    const many = Array<ReceivedEvent>(500).fill(event);
    expect(read({ data: text }, many)!.data).toBe(message.data);
    expect(fittingFrame({ ...message, data: text }, [], KEY)).toBeNull();
  });

  it('to MLR2, too', () => {
    const accounts = new Mlr2Accounts({ accounts: [], otherAccount: '9999' });
    const from = { receiver: '01', line: '1' };
    const more = { data: '\n\x14]', extended: ['\x06'], event: '\x14', zone: '\x06\u20ac', area: -5, text: '\x14' };
    for (const protocol of ['SIA-DCS', 'ADM-CID'] as const) {
      const odd = { account: 'A'.repeat(16), protocol, events: [{ ...event, ...more }], ...more };
      const frames = accounts.frames(from, odd as unknown as Parameters<typeof accounts.frames>[1]);
      expect(frames.map((f) => f.toString('latin1'))).toEqual([expect.stringMatching(new RegExp(`^[ -~]+${END}$`))]);
    }
  });
});

describe('one message that cannot be handed on (ARC-22)', () => {
  let centre: TestCentre;
  beforeEach(async () => {
    centre = await new TestCentre().start();
  });
  afterEach(() => centre.stop());

  it('is set aside, and the others go on', async () => {
    const taken: string[] = [];
    const listener = new Dc09Listener({
      host: '127.0.0.1',
      port: 0,
      transports: ['tcp'],
      clock: systemClock,
      log: pino({ level: 'silent' }),
      known: () => ({ key: KEY }),
      received: async (r) => {
        taken.push(r.message.data);
        return 'ack';
      },
    });
    const { tcp } = await listener.start();
    const id = await centre.output({ kind: 'dc09', host: '127.0.0.1', port: tcp }, { secret: HEX });
    const { inbox } = centre.centre;
    await inbox.add(sample('AAAA', 1, { data: 'x'.repeat(4_000), events: [] }));
    await inbox.add(sample('AAAA', 2, { data: `#AAAA|1130 00 002|${'x'.repeat(4_000)}` }));
    await inbox.add(sample('BBBB', 3));
    await until('they are through', async () => (await centre.state(id)).waiting === 0);
    await listener.stop();
    expect(taken.sort()).toEqual(['#AAAA|1130 00 002', '#BBBB|1130 00 003']);
    expect(await centre.state(id)).toMatchObject({ waiting: 0, refused: 1, state: 'ready' });
    const row = await centre.db
      .selectFrom('receiver_deliveries')
      .selectAll()
      .orderBy('messageRowId')
      .executeTakeFirst();
    expect(row).toMatchObject({ state: 'refused', reason: 'nothing of it fits into a DC-09 message' });
    expect(centre.logged.some((line) => line.level === 40 && /set aside/.test(String(line.msg)))).toBe(true);
  });
});
