import fc from 'fast-check';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { parseDc09Content } from '../../protocol/codec/dc09-parse.ts';
import type { Dc09Received } from '../../protocol/dc09/listener.ts';
import { Event, type NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Panel } from './panel.ts';

/** A panel whose messages are not sent but handed over, with what it made of them. */
function panelOf() {
  const records: NewRecord[] = [];
  const clock = new ManualClock(Date.parse('2026-11-10T12:00:00Z'));
  const panel = new Panel({
    config: { id: uuidv7(), name: 'House', account: '00A1', key: null, localTime: false, supervisionMs: null },
    clock,
    log: pino({ level: 'silent' }),
    append: async (added) => records.push(...added),
    onChange: () => {},
  });
  let sequence = 0;
  const hand = (id: string, data: string, xdata: string[] = [], offsetMs = 0) => {
    sequence = (sequence % 9999) + 1;
    const content = parseDc09Content({ id, data, xdata }, offsetMs);
    return panel.receive({ message: { id, sequence, data, xdata }, content } as unknown as Dc09Received);
  };
  const say = (data: string) => hand('SIA-DCS', data);
  const events = () => records.flatMap((r) => (r.kind === 'event' ? [r.body] : []));
  const ends = () => records.flatMap((r) => (r.kind === 'eventEnd' ? [r.body.eventId] : []));
  return { panel, say, hand, events, ends };
}

describe('what a panel says beyond our numbers', () => {
  it('is kept in words: an area over 99, a zone over 999, one of any length (ARC-24)', async () => {
    const { say, events } = panelOf();
    const long = '1'.repeat(120);
    for (const data of ['#1234|Nri150/BA003', '#1234|Nri1/BA1234', `#1234|Nri1/BA${long}`, '#1234|Nri0/BA003'])
      expect(await say(data)).toBe('ack');
    expect(events().map((e) => [e.area, e.channel, e.text])).toEqual([
      [undefined, 3, 'Area 150'],
      [1, 1234, 'Zone 1234'],
      [1, null, `Zone ${'1'.repeat(32)}`],
      [undefined, 3, null],
    ]);
    for (const event of events()) expect(Event.safeParse(event).error?.issues).toBeUndefined();
  });

  it('does not mix its areas and zones up: a restore ends what began at the same place', async () => {
    const { say, events, ends } = panelOf();
    const zones = ['7'.repeat(40), `${'7'.repeat(40)}8`];
    for (const data of ['Nri150/BA003', 'Nri160/BA003', `Nri1/BA${zones[0]}`, `Nri1/BA${zones[1]}`]) await say(data);
    for (const data of ['Nri160/BR003', `Nri1/BR${zones[1]}`]) await say(data);
    expect(ends()).toEqual([events()[1]!.id, events()[3]!.id]);
  });

  it('shows no state of an area that has no number here', async () => {
    const { panel, say } = panelOf();
    await say('Nri150/CL012');
    expect(panel.areas()).toEqual([]);
    await say('Nri2/CL012');
    expect(panel.areas()).toMatchObject([{ id: '2' }]);
  });

  it('makes events that the relay takes, whatever the content', async () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.constantFrom('Nri', 'ri150', 'id', '/BA', 'BR', 'CL', 'NRP', '|A', '^', '/', 'YX', '*"', '"NM'),
      fc.bigInt({ min: 0n, max: 10n ** 300n }).map(String),
      fc.constantFrom('1130 99 999', '3401 AB FFF', '6130 00 000', '1999 01 001', '|'),
    );
    const data = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));
    const time = fc.constantFrom('H03:04:05,01-02-2026', 'H00:00:00,01-01-0000', 'H23:59:59,12-31-9999', 'Hx');
    const xdata = fc.array(
      fc.oneof(
        time,
        data.map((text) => `I${text}`),
      ),
      { maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('SIA-DCS', 'ADM-CID'),
        fc.array(fc.tuple(data, xdata), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: -86_400_000, max: 86_400_000 }),
        async (id, messages, offsetMs) => {
          const { hand, events } = panelOf();
          for (const [text, blocks] of messages) expect(await hand(id, text, blocks, offsetMs)).toBe('ack');
          for (const event of events()) {
            expect(Event.safeParse(event).error?.issues).toBeUndefined();
            expect(event.text ?? '').not.toMatch(/\p{Cc}|\p{Surrogate}/u);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
