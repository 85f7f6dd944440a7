import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Mailbox } from './mailbox.ts';

let mailbox: Mailbox;
let send: (text: string, subject?: string) => Promise<unknown>;
beforeEach(async () => {
  mailbox = new Mailbox();
  const port = await mailbox.start(0);
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
  send = (text, subject = 'Grüße') => transport.sendMail({ from: 'a@x.example', to: 'b@y.example', subject, text });
});
afterEach(() => mailbox.stop());

const ask = async (path: string, init?: RequestInit) => mailbox.routes().request(path, init);
const items = async (to = '') => (await (await ask(`/messages${to}`)).json()).items;

describe('mailbox', () => {
  it('shows each mail, newest first, with its links', async () => {
    await send('first: https://relay.example/a?b=1&c=2 <b>');
    await send('second');
    expect(await items()).toMatchObject([
      { kind: 'mail', to: 'b@y.example', from: 'a@x.example', text: expect.stringContaining('second') },
      { subject: 'Grüße', links: ['https://relay.example/a?b=1&c=2'] },
    ]);
    expect(await items('?to=nobody@y.example')).toEqual([]);
    const page = await (await ask('/')).text();
    expect(page).toContain('<a href="https://relay.example/a?b=1&amp;c=2">');
    expect(page).toContain('&lt;b&gt;');
    expect((await ask('/messages', { method: 'DELETE' })).status).toBe(204);
    expect(await items()).toEqual([]);
  });

  it('takes a text message once', async () => {
    const body = JSON.stringify({ id: 'x1', to: '+4930123456', text: 'code 123' });
    for (let i = 0; i < 2; i++) expect((await ask('/sms', { method: 'POST', body })).status).toBe(201);
    expect(await items('?to=%2B4930123456')).toMatchObject([{ kind: 'sms', text: 'code 123' }]);
  });

  it('keeps the newest 500, and takes nothing that is too large', async () => {
    for (let i = 0; i < 501; i++)
      await ask('/sms', { method: 'POST', body: JSON.stringify({ id: `s${i}`, to: '+4930123456', text: `${i}` }) });
    const kept = await items();
    expect([kept.length, kept[0].text, kept.at(-1).text]).toEqual([500, '500', '1']);
    await expect(send('x'.repeat(2_000_000))).rejects.toThrow();
    expect(await items('?to=b@y.example')).toEqual([]);
  });
});
