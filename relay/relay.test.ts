import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../protocol/wire/ids.ts';
import { TestBox } from './testing/box.ts';
import { type Company, TestRelay, until } from './testing/relay.ts';

let relay: TestRelay;
let acme: Company;
const boxes: TestBox[] = [];
const newBox = () => {
  const box = new TestBox(relay);
  boxes.push(box);
  return box;
};

beforeAll(async () => {
  relay = await new TestRelay().start();
  acme = await relay.company('Acme');
});
afterEach(() => {
  for (const box of boxes.splice(0)) box.disconnect();
});
afterAll(() => relay.stop());

describe('one box, from enrolment to its event in the list', () => {
  it('enrols, waits unclaimed, is claimed by serial and code, and its journal is listed newest first (ADD-12)', async () => {
    const box = newBox();
    expect(await box.enrol()).toMatchObject({ status: 201, body: { state: 'unclaimed' } });
    expect(await box.connect()).toEqual({ journalId: null, seq: 0, claimed: false });
    expect((await box.upgrade('/tunnel')).code).toBe('box-not-claimed');

    const { serial, code } = box;
    const claim = await acme.api('POST', `/sites/${acme.siteId}/boxes`, { serial, code });
    expect(claim.body).toMatchObject({ serial, siteId: acme.siteId, state: 'claimed', online: true });
    await until('Hello after the claim', () => box.last(box.topics.hello)?.claimed);
    expect(box.last(box.topics.desired)).toMatchObject({ version: 0 });

    const first = box.event({ type: 'motion' });
    const second = box.event({ type: 'tamper' });
    await box.journal([first, second]);
    const list = (await acme.api('GET', `/sites/${acme.siteId}/events`)).body;
    expect(list.items.map((e: { id: string }) => e.id)).toEqual([second.id, first.id]);
    expect(list.items[1]).toMatchObject({ type: 'motion', boxSerial: serial, clip: null, alarms: [], endedAt: null });
    expect(list.nextCursor).toBeNull();

    const endedAt = new Date().toISOString();
    await box.journal([
      { seq: ++box.seq, id: crypto.randomUUID(), at: endedAt, kind: 'eventEnd', body: { eventId: first.id, endedAt } },
    ]);
    expect((await acme.api('GET', `/events/${first.id}`)).body).toMatchObject({ id: first.id, endedAt });
  });
});

describe('events', () => {
  it('are paged newest first by the order they were stored in, whatever the clocks say, and by type', async () => {
    const box = await newBox().claimedBy(acme);
    await box.connect();
    const site = (await acme.api('POST', '/sites', { name: 'Empty', timeZone: 'UTC' })).body;
    expect((await acme.api('GET', `/sites/${site.id}/events`)).body).toEqual({ items: [], nextCursor: null });
    const times = ['2031-01-01T00:00:00.000Z', '1970-01-01T00:00:01.000Z', '2026-01-01T00:00:00.000Z'];
    const sent = [0, 1, 2, 3, 4].map((i) =>
      box.event({ occurredAt: times[i % 3], type: i === 2 ? 'tamper' : 'lineCrossing' }),
    );
    await box.journal(sent);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null && seen.length < 5) {
      const page = await acme.api('GET', `/sites/${acme.siteId}/events?limit=2${cursor && `&cursor=${cursor}`}`);
      expect(page.body.items).toHaveLength(2);
      seen.push(...page.body.items.map((e: { id: string }) => e.id));
      cursor = page.body.nextCursor;
    }
    expect(seen.slice(0, 5)).toEqual(sent.map((e) => e.id).reverse());
    const tampers = (await acme.api('GET', `/sites/${acme.siteId}/events?type=tamper&limit=1`)).body.items;
    expect(tampers).toMatchObject([{ id: sent[2]?.id, occurredAt: times[2] }]);
    const time = 'from=2026-01-01T00:00:00Z&to=2031-01-01T00:00:00.001Z';
    const happened: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const page = await acme.api('GET', `/sites/${acme.siteId}/events?${time}&limit=1${next && `&cursor=${next}`}`);
      happened.push(...page.body.items.map((e: { id: string }) => e.id));
      next = page.body.nextCursor;
    }
    const [thirty, , six, again] = sent.map((e) => e.id);
    expect(happened.filter((id) => sent.some((e) => e.id === id))).toEqual([six, thirty, again]);
    const none = await acme.api('GET', `/sites/${acme.siteId}/events?${time}&deviceId=${crypto.randomUUID()}`);
    expect(none.body).toEqual({ items: [], nextCursor: null });
    const wrong = ['from=2026-01-01T00:00:00Z', 'channel=1', `${time}&cursor=7`];
    for (const query of [...wrong, 'cursor=x', 'limit=0', 'limit=201', 'type=earthquake']) {
      expect((await acme.api('GET', `/sites/${acme.siteId}/events?${query}`)).body.code).toBe('invalid-request');
    }
  });

  it('tell their clip and what became of their alarms', async () => {
    const box = await newBox().claimedBy(acme);
    await box.connect();
    const event = box.event();
    const at = event.at;
    const id = (kind: string, body: object) => ({ seq: ++box.seq, id: uuidv7(), at, kind, body });
    const clip = {
      id: uuidv7(),
      deviceId: uuidv7(),
      channel: 1,
      eventIds: [event.id],
      state: 'recording',
      startedAt: at,
      preRollMs: 5000,
      durationMs: 7000,
      codec: 'avc1.64001f',
      width: 1280,
      height: 720,
      fragments: null,
      reason: null,
    };
    const alarm = {
      id: uuidv7(),
      eventId: event.id,
      kind: 'alarm',
      accountId: uuidv7(),
      account: '0042',
      receiverId: uuidv7(),
      protocol: 'SIA-DCS',
      code: 'BA',
      zone: '1',
      sequence: 1,
      state: 'acknowledged',
      path: 'relay',
      tries: 2,
      occurredAt: at,
      queuedAt: at,
      acknowledgedAt: at,
      possibleRepeat: false,
      reason: null,
    };
    await box.journal([event, id('clip', clip), id('alarm', alarm)]);
    const { body } = await acme.api('GET', `/events/${event.id}`);
    expect(body.clip).toMatchObject({ id: clip.id, state: 'recording', durationMs: 7000 });
    expect(body.alarms).toMatchObject([{ id: alarm.id, path: 'relay', tries: 2, acknowledgedAt: at }]);
    const [item] = (await acme.api('GET', `/sites/${acme.siteId}/events?limit=1`)).body.items;
    expect(item.clip).toEqual({ id: clip.id, state: 'recording', durationMs: 7000 });
    expect(item.alarms).toMatchObject([{ id: alarm.id, kind: 'alarm', state: 'acknowledged' }]);
  });
});
