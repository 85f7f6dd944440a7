import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { NoticeCategory } from '../../protocol/wire/notify.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';
import { TestStream } from '../testing/stream.ts';
import { TestSmtp } from './testing/smtp.ts';

const DAY = 86_400_000;
const clock = new ManualClock(Date.now());
const smtp = new TestSmtp();
let relay: TestRelay;
let acme: Company;
let companies = 0;
const streams: TestStream[] = [];
const watch = async (who = acme) => {
  const stream = await new TestStream().open(`${relay.url}/api/v1/notifications/stream`, who.token);
  streams.push(stream);
  return stream;
};

beforeAll(async () => {
  await smtp.start();
  relay = await new TestRelay({ clock, notify: { smtp: { url: smtp.url } } }).start();
});
beforeEach(async () => {
  acme = await relay.company(`Acme${++companies}`);
});
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});
afterAll(async () => {
  await relay.stop();
  await smtp.stop();
});

/** As capabilities write them. */
const write = (category: NoticeCategory, siteId: string | null = null, createdMs = clock.now()) =>
  relay.withDb((db) =>
    db
      .insertInto('notifications')
      .values({
        id: uuidv7(clock.now()),
        userId: acme.userId,
        category,
        code: 'test-message',
        siteId,
        args: '{"name":"Sam"}',
        link: siteId ? `/sites/${siteId}` : '/messages',
        createdMs,
        readMs: null,
      })
      .execute(),
  );
const unread = async () => (await acme.api('GET', '/notifications/unread')).body;
const list = async (query = '') => (await acme.api('GET', `/notifications${query}`)).body;

describe('notification centre', () => {
  it('lists by category, newest first, in pages, and counts what is unread (PLAT-22)', async () => {
    const categories = ['business', 'arc', 'site', 'business', 'business'] as const;
    for (const category of categories) await write(category);
    expect(await unread()).toEqual({ total: 5, business: 3, arc: 1, site: 1 });
    const first = await list('?limit=2');
    expect(first.items.map((item: { category: string }) => item.category)).toEqual(['business', 'business']);
    const second = await list(`?limit=2&cursor=${first.nextCursor}`);
    expect(second.items.map((item: { category: string }) => item.category)).toEqual(['site', 'arc']);
    const last = await list(`?limit=2&cursor=${second.nextCursor}`);
    expect([last.items.length, last.nextCursor]).toEqual([1, null]);
    expect((await list('?category=arc')).items).toMatchObject([
      { category: 'arc', title: 'Test message', text: expect.stringContaining('Sam'), readAt: null },
    ]);
    expect((await acme.api('GET', '/notifications?cursor=x')).body.code).toBe('invalid-request');
  });

  it('speaks the person’s language', async () => {
    await write('business');
    await relay.withDb((db) => db.updateTable('users').set({ locale: 'de' }).where('id', '=', acme.userId).execute());
    expect((await list()).items[0].title).toBe('Testnachricht');
  });

  it('marks one read and unread again, all, those of a category, and those up to one', async () => {
    for (const category of ['business', 'arc', 'site', 'business'] as const) await write(category);
    const { items } = await list();
    const one = `/notifications/${items[0].id}/read`;
    const read = await acme.api('PUT', one, { read: true });
    expect(read.body).toMatchObject({ id: items[0].id, readAt: expect.any(String) });
    await clock.advance(1000);
    expect((await acme.api('PUT', one, { read: true })).body.readAt).toBe(read.body.readAt);
    expect((await list('?unread=true')).items).toHaveLength(3);
    expect((await acme.api('PUT', one, { read: false })).body.readAt).toBeNull();
    const site = (await acme.api('POST', '/notifications/read-all', { category: 'arc' })).body;
    expect(site).toEqual({ total: 3, business: 2, arc: 0, site: 1 });
    const upTo = await acme.api('POST', '/notifications/read-all', { until: items[1].id });
    expect(upTo.body).toEqual({ total: 1, business: 1, arc: 0, site: 0 });
    expect((await acme.api('POST', '/notifications/read-all', {})).body.total).toBe(0);
    expect((await acme.api('POST', '/notifications/read-all', { until: uuidv7() })).status).toBe(404);
  });

  it('gives a way only to sites that are in reach', async () => {
    await write('site', acme.siteId);
    await write('site', uuidv7());
    const { items } = await list('?category=site');
    expect(items.map((item: { link: string }) => item.link)).toEqual(['', `/sites/${acme.siteId}`]);
    expect((await list(`?siteId=${acme.siteId}`)).items).toHaveLength(1);
  });

  it('forgets after 90 days', async () => {
    await write('business', null, clock.now() - 90 * DAY - 1000);
    await write('business', null, clock.now() - 90 * DAY + 2 * 3_600_000);
    await clock.advance(3_600_000);
    await until('the sweep', async () => (await list()).items.length === 1);
  });

  it('is nobody’s who comes with a key', async () => {
    const made = await acme.api('POST', '/keys', { name: 'Program', permissions: ['manage-all-sites'], days: 1 });
    const key = { authorization: `Bearer ${made.body.key ?? made.body.token}` };
    const answer = await relay.call('GET', '/api/v1/notifications', undefined, key);
    expect(answer).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
  });
});

describe('live', () => {
  it('tells a person’s pages what comes and what was read elsewhere, and nobody else’s', async () => {
    const rival = await relay.company(`Rival${companies}`);
    const [own, other] = [await watch(), await watch(rival)];
    expect(await own.first('hello')).toEqual({ total: 0, business: 0, arc: 0, site: 0 });
    expect((await acme.api('POST', '/notifications/test')).status).toBe(202);
    const told = await own.first('notice');
    expect(told).toMatchObject({ notice: { code: 'test-message', title: 'Test message' }, unread: { total: 1 } });
    const { id } = told.notice as { id: string };
    await acme.api('PUT', `/notifications/${id}/read`, { read: true });
    expect(await own.first('unread')).toMatchObject({ total: 0 });
    await clock.advance(15_000);
    await until('a heartbeat', () => own.comments > 0);
    expect(other.messages.map((message) => message.event)).toEqual(['hello']);
  });

  it('ends with the session, and within a minute of the account', async () => {
    const first = await watch();
    await first.first('hello');
    await acme.api('POST', '/auth/logout');
    await until('the end', () => first.ended);
    const again = await relay.call('POST', '/api/v1/auth/login', { email: acme.email, password: acme.password });
    const second = await watch({ ...acme, token: again.body.token });
    await second.first('hello');
    await relay.withDb((db) => db.updateTable('users').set({ enabled: 0 }).where('id', '=', acme.userId).execute());
    await clock.advance(20_000);
    await until('the end', () => second.ended);
  });

  it('is limited to 32 pages a person', async () => {
    for (let i = 0; i < 32; i++) expect((await watch()).status).toBe(200);
    expect((await watch()).status).toBe(429);
    streams[0]!.close();
    await until('room for another', async () => (await watch()).status === 200);
  });
});

describe('settings', () => {
  const all = { business: true, arc: true, site: true };
  it('begin with everything, and are kept', async () => {
    expect((await acme.api('GET', '/notifications/settings')).body).toEqual({ email: all, push: all, quiet: null });
    const wish = {
      email: { ...all, business: false },
      push: all,
      quiet: { from: '22:00', until: '07:00', timeZone: 'Europe/Berlin' },
    };
    expect((await acme.api('PUT', '/notifications/settings', wish)).body).toEqual(wish);
    expect((await acme.api('GET', '/notifications/settings')).body).toEqual(wish);
  });

  it('decide what is sent by e-mail; the portal shows everything', async () => {
    smtp.mails.length = 0;
    const own = () => smtp.mails.filter((mail) => mail.rcpt[0] === acme.email);
    await acme.api('PUT', '/notifications/settings', { email: { ...all, business: false }, push: all, quiet: null });
    await acme.api('POST', '/notifications/test');
    await acme.api('PUT', '/notifications/settings', { email: all, push: all, quiet: null });
    await acme.api('POST', '/notifications/test');
    await until('one mail', () => own().length > 0);
    expect((await list()).items).toHaveLength(2);
    expect(own()).toHaveLength(1);
    // Made from the relay's own address, whatever the request said it was called.
    expect(own()[0]!.text).toContain(`${relay.url}/messages`);
  });

  it('make no link from the name that a request was sent to', async () => {
    smtp.mails.length = 0;
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    await acme.api('POST', '/notifications/test', undefined, headers);
    const mail = await until('the mail', () => smtp.mails.find((mail) => mail.rcpt[0] === acme.email));
    expect(mail.raw).not.toContain('evil.example');
  });

  it.each([
    [{ from: '24:00', until: '07:00', timeZone: 'UTC' }],
    [{ from: '22:00', until: '7:00', timeZone: 'UTC' }],
    [{ from: '22:00', until: '07:00', timeZone: 'Mars/Olympus' }],
  ])('refuse quiet hours %j', async (quiet) => {
    const answer = await acme.api('PUT', '/notifications/settings', { email: all, push: all, quiet });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  it('let quiet hours hold back mail until their end', async () => {
    smtp.mails.length = 0;
    const minute = (ms: number) => new Date(ms).toISOString().slice(11, 16);
    const quiet = { from: minute(clock.now()), until: minute(clock.now() + 600_000), timeZone: 'UTC' };
    await acme.api('PUT', '/notifications/settings', { email: all, push: all, quiet });
    await acme.api('POST', '/notifications/test');
    await clock.advance(480_000);
    expect(smtp.mails).toEqual([]);
    await clock.advance(122_000);
    await until('the mail', () => smtp.mails.length === 1);
  });

  it('send ten tests an hour', async () => {
    for (let i = 0; i < 10; i++) expect((await acme.api('POST', '/notifications/test')).status).toBe(202);
    expect(await acme.api('POST', '/notifications/test')).toMatchObject({
      status: 429,
      body: { code: 'too-many-tries' },
    });
    await clock.advance(3_600_000);
    expect((await acme.api('POST', '/notifications/test')).status).toBe(202);
  });
});

describe('deliveries', () => {
  it('are seen by who runs the relay, without what they say, and by nobody else', async () => {
    for (const path of ['/deliveries', '/deliveries/status'])
      expect(await acme.api('GET', path)).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
    smtp.refuse = (address) => (address === acme.email ? { code: 550, text: 'no such user' } : null);
    await acme.api('POST', '/notifications/test');
    const { companyId } = acme;
    await relay.withDb((db) =>
      db.updateTable('companies').set({ type: 'operator' }).where('id', '=', companyId).execute(),
    );
    const failed = await until('the failure', async () =>
      (await acme.api('GET', '/deliveries?state=failed')).body.items.find(
        (item: { recipient: string }) => item.recipient === acme.email,
      ),
    );
    smtp.refuse = null;
    expect(failed).toMatchObject({ channel: 'email', code: 'test-message', reason: expect.stringContaining('550') });
    expect(Object.keys(failed)).not.toContain('link');
    const { items } = (await acme.api('GET', '/deliveries/status')).body;
    expect(items.map((item: { channel: string; state: string }) => [item.channel, item.state])).toEqual([
      ['email', 'ok'],
      ['sms', 'not-configured'],
      ['push', 'ok'],
    ]);
  });
});
