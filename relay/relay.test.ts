import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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
  it('enrols, waits unclaimed, is claimed by serial and code, and its journal is listed newest first', async () => {
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
