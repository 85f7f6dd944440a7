import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../testing/relay.ts';
import { SENDS_PER_COMPANY } from './notifier.ts';
import { GIVE_UP_MS, KEEP_FAILED_MS } from './outbox.ts';
import { TestPeople } from './testing/people.ts';
import { type Received, TestSmtp } from './testing/smtp.ts';

let smtp: TestSmtp;
let people: TestPeople;
const texts = (mails: Received[], to?: string) =>
  mails.filter((mail) => !to || mail.rcpt[0] === to).map((mail) => /asked for by (\w+)/.exec(mail.text!)![1]);
const status = async () => (await people.notify.outbox.status()).find((item) => item.channel === 'email')!;

beforeEach(async () => {
  smtp = await new TestSmtp().start();
  people = await new TestPeople().start({ smtp: { url: smtp.url } });
});
afterEach(async () => {
  await people.stop();
  await smtp.stop();
});

describe('outbox', () => {
  it('sends what was committed, and nothing of what was rolled back (PLAT-23)', async () => {
    const { notifier } = people.notify;
    const failed = people.db.transaction().execute(async (trx) => {
      await notifier.mail(trx, { email: 'a@x.example', locale: 'en' }, 'test-message', { name: 'never' }, '');
      throw new Error('rolled back');
    });
    await expect(failed).rejects.toThrow('rolled back');
    await people.mail('a@x.example', 'once');
    await until('the mail', () => smtp.mails.length === 1);
    expect(texts(smtp.mails)).toEqual(['once']);
    await until('an empty outbox', async () => (await people.waiting()) === 0);
    expect(await status()).toMatchObject({ state: 'ok', waiting: 0, failed: 0, oldestAt: null });
  });

  it('sends within seconds what nobody kicked', async () => {
    await people.db
      .transaction()
      .execute((trx) =>
        people.notify.notifier.mail(trx, { email: 'a@x.example', locale: 'en' }, 'test-message', { name: 'slow' }, ''),
      );
    await people.clock.advance(2_000);
    await until('the mail', () => smtp.mails.length === 1);
  });

  it('keeps order and loses nothing while the mail server is down', async () => {
    await smtp.stop();
    for (const text of ['one', 'two', 'three']) await people.mail('a@x.example', text);
    await people.mail('b@x.example', 'other');
    await until('the outage to be seen', async () => (await status()).state === 'down');
    expect(await status()).toMatchObject({ waiting: 4, reason: expect.stringMatching(/ECONNREFUSED/) });
    // Tried again, ever more slowly, without end.
    await people.clock.advance(600_000);
    await smtp.start();
    await until('all mails', async () => {
      await people.clock.advance(60_000);
      return (await people.waiting()) === 0;
    });
    expect(texts(smtp.mails, 'a@x.example')).toEqual(['one', 'two', 'three']);
    expect(texts(smtp.mails, 'b@x.example')).toEqual(['other']);
    expect((await status()).state).toBe('ok');
    expect(people.logged.filter((line) => line.msg === 'messages cannot be delivered')).toHaveLength(1);
    expect(people.logged.filter((line) => line.msg === 'messages are delivered again')).toHaveLength(1);
  });

  it('goes on after a restart in the middle, sending nothing twice', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `n${i}`);
    await people.db.transaction().execute(async (trx) => {
      for (const name of names)
        await people.notify.notifier.mail(trx, { email: 'a@x.example', locale: 'en' }, 'test-message', { name }, '');
    });
    people.notify.notifier.kick();
    await until('some mails', () => smtp.mails.length >= 3);
    await people.halt();
    expect(smtp.mails.length).toBeLessThan(30);
    await people.start({ smtp: { url: smtp.url } });
    await until('all mails', async () => (await people.waiting()) === 0, 10_000);
    expect(texts(smtp.mails)).toEqual(names);
  });

  it('sends again with the same Message-ID what was taken by a server that did not say so', async () => {
    smtp.onTaken = () => {
      smtp.onTaken = null;
      throw Object.assign(new Error('closing'), { responseCode: 421 });
    };
    await people.mail('a@x.example', 'twice');
    await until('the outage', async () => (await status()).state === 'down');
    await until('the second', async () => {
      await people.clock.advance(10_000);
      return smtp.mails.length === 2;
    });
    expect(smtp.mails[1]!.messageId).toBe(smtp.mails[0]!.messageId);
  });

  it('waits longer after each refusal of one recipient, and holds up nobody else', async () => {
    const tries: number[] = [];
    smtp.refuse = (address) => {
      if (address !== 'busy@x.example') return null;
      tries.push(people.clock.mono());
      return { code: 450, text: 'mailbox busy' };
    };
    await people.mail('busy@x.example', 'one');
    await people.mail('busy@x.example', 'two');
    await people.mail('b@x.example', 'other');
    await until('the other', () => smtp.mails.length === 1);
    for (const n of [2, 3, 4, 5]) {
      await until(`try ${n}`, async () => {
        await people.clock.advance(2_000);
        return tries.length >= n;
      });
    }
    const waits = tries.slice(1).map((at, i) => at - tries[i]!);
    waits.forEach((wait, i) => {
      expect(wait).toBeGreaterThanOrEqual(30_000 * 2 ** i * 0.5);
      expect(wait).toBeLessThanOrEqual(30_000 * 2 ** i + 60_000);
    });
    smtp.refuse = null;
    await until('both', async () => {
      await people.clock.advance(60_000);
      return smtp.mails.length === 3;
    });
    expect(texts(smtp.mails, 'busy@x.example')).toEqual(['one', 'two']);
  });

  it('gives up at once what is refused for good, and sends the next', async () => {
    smtp.refuse = (address) => (address === 'gone@x.example' ? { code: 550, text: 'no such user' } : null);
    await people.mail('gone@x.example', 'secret');
    await people.mail('b@x.example', 'next');
    await until('the failure', async () => (await status()).failed === 1);
    await until('the next', () => smtp.mails.length === 1);
    const row = await people.db
      .selectFrom('outbox')
      .selectAll()
      .where('state', '=', 'failed')
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ args: '{}', link: '', name: '', reason: expect.stringContaining('no such user') });
    expect(people.logged.some((line) => line.msg === 'a message was given up' && line.level === 40)).toBe(true);
    expect(JSON.stringify(people.logged)).not.toContain('secret');
  });

  it('gives up after 72 hours, says so, and forgets it a week later', async () => {
    await smtp.stop();
    await people.mail('a@x.example', 'late');
    await until('the outage', async () => (await status()).state === 'down');
    people.clock.step(GIVE_UP_MS.email - 120_000);
    await people.clock.advance(60_000);
    expect(await status()).toMatchObject({ waiting: 1, failed: 0 });
    await people.clock.advance(120_000);
    await until('the failure', async () => (await status()).failed === 1);
    expect(await status()).toMatchObject({ waiting: 0, failed: 1 });
    const line = people.logged.find((line) => line.msg === 'a message was given up')!;
    expect(line.reason).toMatch(/^not delivered in 72 h: .*ECONNREFUSED/);
    people.clock.step(KEEP_FAILED_MS - 240_000);
    await people.clock.advance(60_000);
    expect((await status()).failed).toBe(1);
    people.clock.step(240_000);
    await people.clock.advance(60_000);
    await until('the end', async () => (await status()).failed === 0);
  });

  it('says that it is full, and still shows notices in the portal', async () => {
    await people.halt();
    await smtp.stop();
    await people.start({ smtp: { url: smtp.url }, maxWaiting: 5 });
    for (const text of ['one', 'two', 'three', 'four']) await people.mail('a@x.example', text);
    await expect(people.mail('a@x.example', 'five')).rejects.toMatchObject({ code: 'outbox-full' });
    const id = await people.person('pat@x.example');
    const notice = { category: 'site', code: 'test-message', values: {}, link: '' } as const;
    await people.write((trx) => people.notify.notifier.toUsers(trx, [id], notice));
    expect(await people.notify.notifier.unread(id)).toMatchObject({ total: 1, site: 1 });
    expect(await status()).toMatchObject({ state: 'full', waiting: 4 });
    expect(people.logged.some((line) => line.msg === 'the outbox is full: only told in the portal')).toBe(true);
  });

  it('keeps room for people who register, and the last of it for those who want into their account', async () => {
    await people.halt();
    await smtp.stop();
    await people.start({ smtp: { url: smtp.url }, maxWaiting: 10 });
    const to = { email: 'b@x.example', locale: 'en' };
    const send = (code: 'registration' | 'password-forgotten') =>
      people.write((trx) => people.notify.notifier.mail(trx, to, code, { name: 'Pat' }, '/'));
    for (let i = 0; i < 8; i++) await people.mail('a@x.example', String(i));
    await expect(people.mail('a@x.example', 'more')).rejects.toMatchObject({ code: 'outbox-full' });
    await send('registration');
    await expect(send('registration')).rejects.toMatchObject({ code: 'outbox-full' });
    await send('password-forgotten');
    await expect(send('password-forgotten')).rejects.toMatchObject({ code: 'outbox-full' });
  });

  it('takes two hundred an hour of what one company causes', async () => {
    await people.halt();
    await smtp.stop();
    await people.start({ smtp: { url: smtp.url } });
    const send = (senderId: string) =>
      people.write((trx) =>
        people.notify.notifier.mail(trx, { email: 'b@x.example', locale: 'en' }, 'test-message', {}, '/', senderId),
      );
    for (let i = 0; i < SENDS_PER_COMPANY; i++) await send('acme');
    await expect(send('acme')).rejects.toMatchObject({ code: 'too-many-requests' });
    await send('rival');
    await people.clock.jump(3_600_000);
    await send('acme');
  });

  it.each([
    ['no server', {}, 'https://relay.example/', '--smtp-url'],
    ['no public address', null, null, '--public-url'],
  ] as const)('keeps mails and says what is missing: %s', async (_, options, publicUrl, missing) => {
    await people.halt();
    await people.start(options ?? { smtp: { url: smtp.url } }, publicUrl);
    await people.mail('a@x.example', 'kept');
    await people.clock.advance(120_000);
    expect(await status()).toMatchObject({
      state: 'not-configured',
      waiting: 1,
      reason: expect.stringContaining(missing),
    });
    expect(people.logged.filter((line) => line.level === 40)).toHaveLength(1);
    await people.halt();
    await people.start({ smtp: { url: smtp.url } });
    await until('the mail', () => smtp.mails.length === 1);
  });

  it('tells nothing more to somebody who was disabled meanwhile', async () => {
    await smtp.stop();
    const id = await people.person('pat@x.example');
    const notice = { category: 'site', code: 'test-message', values: {}, link: '' } as const;
    await people.write((trx) => people.notify.notifier.toUsers(trx, [id], notice));
    await people.db.updateTable('users').set({ enabled: 0 }).where('id', '=', id).execute();
    await smtp.start();
    await until('an empty outbox', async () => {
      await people.clock.advance(10_000);
      return (await people.waiting()) === 0;
    });
    expect(smtp.mails).toEqual([]);
  });
});
