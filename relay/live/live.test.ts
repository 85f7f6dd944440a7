import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from '../testing/box.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';
import { TestStream } from '../testing/stream.ts';

const clock = new ManualClock(Date.now());
let relay: TestRelay;
let acme: Company;
let box: TestBox;

const streams: TestStream[] = [];
const watch = async (who = acme, siteId = who.siteId) => {
  const stream = await new TestStream().open(`${relay.url}/api/v1/sites/${siteId}/stream`, who.token);
  streams.push(stream);
  return stream;
};

beforeAll(async () => {
  relay = await new TestRelay({ clock }).start();
});
beforeEach(async () => {
  acme = await relay.company('Acme');
  box = await new TestBox(relay).claimedBy(acme);
});
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
  box.disconnect();
});
afterAll(() => relay.stop());

describe('live stream', () => {
  it('says hello first, then what is stored and what changes, as the lists give it (HLTH-04)', async () => {
    const stream = await watch();
    await stream.first('hello');
    await box.connect();
    expect(await stream.first('box', (b) => b.online)).toMatchObject({ serial: box.serial, online: true });
    const event = box.event();
    await box.journal([event]);
    const told = await stream.first('event');
    expect(told).toEqual((await acme.api('GET', `/sites/${acme.siteId}/events`)).body.items[0]);
    const endedAt = new Date().toISOString();
    const end = { seq: ++box.seq, id: uuidv7(), at: endedAt, kind: 'eventEnd', body: { eventId: event.id, endedAt } };
    await box.journal([end]);
    await stream.first('event', (e) => e.endedAt === endedAt);
    await box.publish(box.topics.health, box.health({ rssBytes: 4711 }));
    await stream.first('box', (b) => (b.health as { rssBytes: number } | null)?.rssBytes === 4711);
    box.disconnect();
    await stream.first('box', (b) => b.online === false && b.health === null);
    expect(stream.messages[0]?.event).toBe('hello');
  });

  it('shows a site to its own company only', async () => {
    const rival = await relay.company('Rival');
    expect((await watch(rival, acme.siteId)).status).toBe(404);
    const own = await watch(rival);
    await own.first('hello');
    const stream = await watch();
    await box.connect();
    await box.journal([box.event()]);
    await stream.first('event');
    expect(own.messages.map((m) => m.event)).toEqual(['hello']);
  });

  it('beats while nothing happens', async () => {
    const stream = await watch();
    await stream.first('hello');
    await clock.advance(15_000);
    await until('a heartbeat', () => stream.comments);
  });

  it('ends with its session', async () => {
    const stream = await watch();
    await stream.first('hello');
    await acme.api('POST', '/auth/logout');
    await until('the end', () => stream.ended);
  });

  it('ends when the session’s time is over', async () => {
    const stream = await watch();
    await stream.first('hello');
    await clock.jump(12 * 3_600_000);
    await until('the end', () => stream.ended);
  });

  it('ends when the grant that opened it is taken away', async () => {
    const stream = await watch();
    await stream.first('hello');
    await relay.withDb((db) => db.deleteFrom('grants').where('companyId', '=', acme.companyId).execute());
    await clock.advance(15_000);
    await until('the end', () => stream.ended);
    await relay.withDb((db) =>
      db
        .insertInto('grants')
        .values({
          id: uuidv7(),
          companyId: acme.companyId,
          siteId: acme.siteId,
          permission: 'all',
          source: 'site',
        })
        .execute(),
    );
  });

  it('is cut when its reader does not keep up, and holds nobody up', async () => {
    await box.connect();
    const { hostname, port } = new URL(relay.url);
    const reader = connect(Number(port), hostname).pause();
    reader.on('error', () => {});
    const path = `/api/v1/sites/${acme.siteId}/stream`;
    reader.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${acme.token}\r\n\r\n`);
    const text = 'x'.repeat(500);
    await until(
      'the cut',
      async () => {
        await box.journal(Array.from({ length: 64 }, () => box.event({ text })));
        return relay.logged.some((line) => line.msg === 'live stream too slow: closed');
      },
      60_000,
    );
    reader.destroy();
  }, 90_000);

  it('are not more than a user can look at', async () => {
    for (let i = 0; i < 32; i++) expect((await watch()).status).toBe(200);
    expect((await watch()).status).toBe(429);
    streams[0]?.close();
    await until('a free place', async () => (await watch()).status === 200);
  });
});
