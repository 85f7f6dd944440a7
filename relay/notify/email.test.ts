import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../testing/relay.ts';
import { absolute, isMailAddress, parseFrom } from './email.ts';
import { TestPeople } from './testing/people.ts';
import { TestSmtp } from './testing/smtp.ts';

let smtp: TestSmtp;
let people: TestPeople;
beforeEach(async () => {
  smtp = await new TestSmtp().start();
  people = await new TestPeople().start({ smtp: { url: smtp.url, from: 'Grüne Wächter <alarm@relay.example>' } });
});
afterEach(async () => {
  await people.stop();
  await smtp.stop();
});

const INJECTIONS = [
  ['CR LF', 'Eve\r\nBcc: victim@x.example'],
  ['LF', 'Eve\nBcc: victim@x.example'],
  ['CR', 'Eve\rBcc: victim@x.example'],
  ['an encoded word', '=?utf-8?Q?Eve=0D=0ABcc:_victim@x.example?='],
  ['a Unicode line separator', 'Eve\u2028Bcc: victim@x.example'],
  ['NEL', 'Eve\u0085Bcc: victim@x.example'],
  ['the end of the headers', 'Eve\r\n\r\nBcc: victim@x.example\r\n.\r\nQUIT'],
  ['an address', 'Eve" <victim@x.example>, "x'],
  ['another mailbox', 'Eve, victim@x.example'],
  ['NUL', 'Eve\0\r\nBcc: victim@x.example'],
] as const;

describe('e-mail', () => {
  it.each(INJECTIONS)('goes to nobody else and gets no header from %s in a name or value', async (_, evil) => {
    const { notifier } = people.notify;
    await people.write((trx) =>
      notifier.mail(
        trx,
        { email: 'pat@x.example', locale: 'en', name: evil },
        'test-message',
        { name: evil },
        '/sites',
      ),
    );
    const mail = await until('the mail', () => smtp.mails[0]);
    expect(mail.rcpt).toEqual(['pat@x.example']);
    expect(mail.to).toHaveLength(1);
    expect(mail.to![0]).toMatchObject({ address: 'pat@x.example' });
    expect(mail.bcc ?? []).toEqual([]);
    expect(mail.cc ?? []).toEqual([]);
    const names = mail.headers.map((header) => header.key);
    expect(names).not.toContain('bcc');
    expect(new Set(names).size).toBe(names.length);
    expect(mail.subject).toBe('Test message');
  });

  it.each([
    'pat@x.example\r\nRCPT TO:<victim@x.example>',
    'pat@x.example, victim@x.example',
    'Pat <pat@x.example>',
    '<pat@x.example>',
    'pat@x.example\0',
    'pat x@x.example',
    'pat@@x.example',
    'pat@x.example>',
    '"pat\n"@x.example',
    'pat@',
    '@x.example',
    'pat',
    '',
    `${'a'.repeat(65)}@x.example`,
    `a@${'b'.repeat(260)}.example`,
  ])('is not written to %j', async (email) => {
    expect(isMailAddress(email)).toBe(false);
    const writing = people.write((trx) =>
      people.notify.notifier.mail(trx, { email, locale: 'en' }, 'test-message', {}, ''),
    );
    await expect(writing).rejects.toMatchObject({ code: 'invalid-request' });
    expect(await people.waiting()).toBe(0);
  });

  it.each([
    'pat@x.example',
    'pat+tag@sub.x.example',
    "o'hara@x.example",
    'grün@bücher.example',
    'a@b.co',
  ])('is written to %s', (email) => {
    expect(isMailAddress(email)).toBe(true);
  });

  it('carries people’s words in any script as text, and as nothing else in HTML', async () => {
    const name = 'Zoë 漢字 😀 <script>alert(1)</script> & "co"';
    await people.write((trx) =>
      people.notify.notifier.mail(
        trx,
        { email: 'pat@x.example', locale: 'de', name },
        'test-message',
        { name },
        '/a?b=1&c=2',
      ),
    );
    const mail = await until('the mail', () => smtp.mails[0]);
    expect(mail.subject).toBe('Testnachricht');
    expect(mail.text).toContain(`Guten Tag ${name},`);
    expect(mail.text).toContain('https://relay.example/a?b=1&c=2');
    expect(mail.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;');
    expect(mail.html).toContain('href="https://relay.example/a?b=1&amp;c=2"');
    expect(mail.html).not.toContain('<script');
    expect(mail.from).toMatchObject({ name: 'Grüne Wächter', address: 'alarm@relay.example' });
    expect(mail.from_).toBe('alarm@relay.example');
    const header = (key: string) => mail.headers.find((h) => h.key === key)?.value;
    expect(header('auto-submitted')).toBe('auto-generated');
    expect(header('list-id')).toBe('Gatepost <messages.relay.example>');
    // Somebody without an account has no settings.
    expect(header('list-unsubscribe')).toBeUndefined();
  });

  it('tells who has an account where to choose what is sent', async () => {
    const id = await people.person('pat@x.example', { name: 'Pat', locale: 'en' });
    const notice = { category: 'business', code: 'test-message', values: { name: 'Sam' }, link: '' } as const;
    await people.write((trx) => people.notify.notifier.toUsers(trx, [id], notice));
    const mail = await until('the mail', () => smtp.mails[0]);
    expect(mail.text).toContain('https://relay.example/messages/settings');
    expect(mail.headers.find((h) => h.key === 'list-unsubscribe')?.value).toBe(
      '<https://relay.example/messages/settings>',
    );
  });

  it.each([
    '//evil.example/x',
    'https://evil.example/',
    '/\\evil.example',
    'x',
    '/a b',
    '/a\r\nb',
    'javascript:alert(1)',
  ])('links nowhere but to the portal: not to %j', async (link) => {
    const writing = people.write((trx) =>
      people.notify.notifier.mail(trx, { email: 'pat@x.example', locale: 'en' }, 'test-message', {}, link),
    );
    await expect(writing).rejects.toThrow('no path of the portal');
  });

  it('makes no link that leaves the public address', () => {
    expect(absolute(new URL('https://relay.example/'), '/a/../b?c#d')).toBe('https://relay.example/b?c#d');
    expect(() => absolute(new URL('https://relay.example/'), '//evil.example')).toThrow('leaves');
  });

  it.each([
    ['Gatepost <no-reply@x.example>', { name: 'Gatepost', address: 'no-reply@x.example' }],
    ['"Gate, Post" <no-reply@x.example>', { name: 'Gate, Post', address: 'no-reply@x.example' }],
    ['no-reply@x.example', { name: '', address: 'no-reply@x.example' }],
    [undefined, { name: 'Gatepost', address: 'no-reply@relay.example' }],
  ])('has the sender that was set: %s', (from, expected) => {
    expect(parseFrom(from, new URL('https://relay.example/'))).toEqual(expected);
  });
  it.each([
    'x',
    'Gatepost <x>',
    'a@b.example, c@d.example',
    'a@b.example\r\nBcc: c@d.example',
  ])('refuses to start with the sender %j', (from) => {
    expect(() => parseFrom(from, null)).toThrow('must be like');
  });
});

describe('SMTP', () => {
  it('encrypts where the server offers it, and signs in', async () => {
    await smtp.stop();
    const signedIn = await new TestSmtp({
      authOptional: false,
      disabledCommands: [],
      onAuth: ({ username, password }, _session, done) =>
        password === 'p@ss:w' ? done(null, { user: username }) : done(new Error('wrong')),
    }).start();
    await people.halt();
    await people.start({ smtp: { url: signedIn.url.replace('//', '//us%40er:p%40ss%3Aw@') } });
    await people.mail('pat@x.example', 'hello');
    const mail = await until('the mail', () => signedIn.mails[0]);
    expect(mail).toMatchObject({ secure: true, user: 'us@er' });
    await people.halt();
    await people.start({ smtp: { url: signedIn.url.replace('//', '//user:wrong@') } });
    await people.mail('pat@x.example', 'hello');
    const down = () => people.notify.outbox.status().then((all) => all.find((item) => item.channel === 'email'));
    await until('the refusal', async () => (await down())?.state === 'down');
    expect(JSON.stringify([await down(), people.logged])).not.toMatch(/p@ss|wrong@/);
    await signedIn.stop();
  });

  it.each(['http://x', 'smtp://', 'x'])('refuses to start with the address %j', async (url) => {
    await people.halt();
    await expect(people.start({ smtp: { url } })).rejects.toThrow();
    await people.db.destroy();
    await people.start();
  });
});
