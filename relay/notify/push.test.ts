import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SubscribePush } from '../../protocol/wire/notify.ts';
import { pushSubscription } from '../testing/notify-fixture.ts';
import { until } from '../testing/relay.ts';
import { TestPeople } from './testing/people.ts';
import { ask, startPost } from './testing/post.ts';

let post: Awaited<ReturnType<typeof startPost>>;
let people: TestPeople;
let userId: string;
beforeAll(async () => {
  post = await startPost();
});
afterAll(() => post.stop());
beforeEach(async () => {
  people = await new TestPeople().start();
  userId = await people.person(null);
});
afterEach(() => people.stop());

const browser = (): Promise<SubscribePush> =>
  ask(`${post.push}/subscriptions`, 'POST', { applicationServerKey: people.notify.push.publicKey });
const subscribe = (subscription: SubscribePush, more: { userId?: string; sessionId?: string } = {}) =>
  people.notify.push.subscribe({ userId, sessionId: 's1', browser: 'Test\r\nbrowser', ...more }, subscription);
const tell = (text: string, link = '/sites/1') =>
  people.write((trx) =>
    people.notify.notifier.toUsers(trx, [userId], {
      category: 'site',
      code: 'test-message',
      values: { name: text },
      link,
    }),
  );
const listed = () => people.notify.push.list(userId, 's1');
const got = async (subscription: SubscribePush) => (await ask(subscription.endpoint)).items;

describe('web push', () => {
  it('reaches every browser of a person, encrypted and signed as push services check it (PLAT-23)', async () => {
    const [phone, desktop] = [await browser(), await browser()];
    expect(await subscribe(phone)).toMatchObject({ browser: 'Test browser', deliveredAt: null });
    await subscribe(desktop);
    await tell('Zoë 😀');
    for (const subscription of [phone, desktop]) {
      const [message] = await until('the push', async () => {
        const items = await got(subscription);
        return items.length > 0 && items;
      });
      expect(message.payload).toEqual({
        id: expect.any(String),
        title: 'Test message',
        text: expect.stringContaining('asked for by Zoë 😀'),
        link: '/sites/1',
      });
      expect(message).toMatchObject({ ttl: 86_400, claims: { sub: 'https://relay.example' } });
      expect((await ask(subscription.endpoint)).refused).toEqual([]);
    }
    await until('the record of it', async () => (await listed()).every((item) => item.deliveredAt !== null));
  });

  it.each([404, 410])('forgets a browser whose push service says %d, with all that waits for it', async (status) => {
    const subscription = await browser();
    await subscribe(subscription);
    await ask(`${subscription.endpoint}/answer`, 'PUT', { status });
    await tell('one');
    await tell('two');
    await until('the end', async () => (await people.waiting()) === 0);
    expect(await listed()).toEqual([]);
    expect((await people.notify.outbox.status()).find((item) => item.channel === 'push')).toMatchObject({ failed: 0 });
  });

  it('tries again later, in order, while a push service is busy; others go on', async () => {
    const [busy, other] = [await browser(), await browser()];
    await subscribe(busy);
    await subscribe(other);
    await ask(`${busy.endpoint}/answer`, 'PUT', { status: 503 });
    await tell('one');
    await tell('two');
    await until('the other', async () => (await got(other)).length === 2);
    await until('only those of the busy one', async () => (await people.waiting()) === 2);
    await ask(`${busy.endpoint}/answer`, 'PUT', { status: null });
    await until('both', async () => {
      await people.clock.advance(60_000);
      return (await got(busy)).length === 2;
    });
    const texts = (await got(busy)).map((message: { payload: { text: string } }) => message.payload.text);
    expect(texts.map((text: string) => /by (\w+)/.exec(text)![1])).toEqual(['one', 'two']);
  });

  it('gives up a message that is refused for good', async () => {
    const subscription = await browser();
    await subscribe(subscription);
    await ask(`${subscription.endpoint}/answer`, 'PUT', { status: 413 });
    await tell('one');
    await until('the failure', async () => (await people.notify.outbox.status()).some((item) => item.failed === 1));
    expect(await listed()).toHaveLength(1);
  });

  it('ends with the session that asked for it', async () => {
    await subscribe(await browser(), { sessionId: 'ends' });
    await subscribe(await browser(), { sessionId: 'stays' });
    await people.sessions.end('ends');
    await until('the end', async () => (await listed()).length === 1);
  });

  it('goes to who is signed in at a browser now, and not to who was before', async () => {
    const subscription = await browser();
    await subscribe(subscription);
    const next = await people.person(null);
    await subscribe(subscription, { userId: next, sessionId: 's2' });
    expect(await listed()).toEqual([]);
    await tell('for the first');
    await until('nothing waiting', async () => (await people.waiting()) === 0);
    expect(await got(subscription)).toEqual([]);
  });

  it('keeps at most 20 browsers of a person: the newest; the same one again once', async () => {
    const first = pushSubscription();
    const { id } = await subscribe(first);
    // Signed in again: told by another session.
    expect(await subscribe(first, { sessionId: 's2' })).toMatchObject({ id, thisSession: true });
    expect(await listed()).toMatchObject([{ id, thisSession: false }]);
    for (let i = 0; i < 20; i++) {
      await people.clock.advance(1);
      await subscribe(pushSubscription());
    }
    const items = await listed();
    expect(items).toHaveLength(20);
    expect(items.map((item) => item.id)).not.toContain(id);
  });

  it.each([
    ['an internal address', 'https://10.0.0.1/push'],
    ['the cloud’s own', 'http://169.254.169.254/latest'],
    ['IPv6 inside', 'https://[fd00::1]/push'],
    ['IPv4 in IPv6', 'https://[::ffff:10.0.0.1]/push'],
    ['another notation', 'https://0x0a000001/push'],
    ['a name that is not there', 'https://nowhere.invalid/push'],
    ['a public address in clear', 'http://1.1.1.1/push'],
    ['a user', 'http://user:word@127.0.0.1/push'],
  ])('is not sent to %s', async (_, endpoint) => {
    await expect(subscribe(pushSubscription(endpoint))).rejects.toMatchObject({ code: 'invalid-request' });
  });

  it('does not follow a name that points inside after it was subscribed', async () => {
    const { id } = await subscribe(pushSubscription());
    await people.db
      .updateTable('push_subscriptions')
      .set({ endpoint: 'https://192.168.1.1/push' })
      .where('id', '=', id)
      .execute();
    await tell('one');
    await until('the failure', async () => (await people.notify.outbox.status()).some((item) => item.failed === 1));
    const row = await people.db.selectFrom('outbox').selectAll().executeTakeFirstOrThrow();
    expect(row.reason).toContain('inside');
  });

  it('cuts long words so that every push service takes them', async () => {
    const subscription = await browser();
    await subscribe(subscription);
    await tell('漢'.repeat(5_000), `/${'x'.repeat(1_000)}`);
    const [message] = await until('the push', async () => {
      const items = await got(subscription);
      return items.length > 0 && items;
    });
    expect(message.payload.text.length).toBe(600);
  });
});

describe('text messages', () => {
  it('go to the gateway that the operator set, once (PLAT-23)', async () => {
    await people.halt();
    await people.start({ sms: { url: post.sms, token: 'secret' } });
    const { notifier } = people.notify;
    const phone = `+4930${Date.now()}`.slice(0, 14);
    await people.write((trx) =>
      notifier.sms(trx, { phone, locale: 'de' }, 'test-message', { name: 'Sam\r\nx' }, '/verify/abc'),
    );
    const [message] = await until('the message', async () => {
      const { items } = await ask(`${post.mailbox}/messages?to=${encodeURIComponent(phone)}`);
      return items.length > 0 && items;
    });
    expect(message.text).toMatch(
      /^Dies ist ein Test, angefordert von Sam x\..* https:\/\/relay\.example\/verify\/abc$/,
    );
    expect(JSON.stringify(people.logged)).not.toContain('secret');
  });

  it('wait while the gateway is down', async () => {
    await people.halt();
    await people.start({ sms: { url: 'http://127.0.0.1:9/' } });
    const sms = { phone: '+493012345678', locale: 'en' };
    await people.write((trx) => people.notify.notifier.sms(trx, sms, 'test-message', {}, ''));
    await until('the outage', async () =>
      (await people.notify.outbox.status()).some((item) => item.channel === 'sms' && item.state === 'down'),
    );
    expect(await people.waiting()).toBe(1);
  });

  it.each(['030123', '+49 30 123', '', '+0123456789', '+4930123456\r\nx', '112'])('do not go to %j', async (phone) => {
    const writing = people.write((trx) =>
      people.notify.notifier.sms(trx, { phone, locale: 'en' }, 'test-message', {}, ''),
    );
    await expect(writing).rejects.toMatchObject({ code: 'invalid-request' });
  });
});
