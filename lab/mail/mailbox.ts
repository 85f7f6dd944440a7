import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { z } from 'zod';

const MAX_MESSAGES = 500;
const MAX_BYTES = 1024 * 1024;

export interface Kept {
  id: string;
  kind: 'mail' | 'sms';
  to: string;
  from: string;
  subject: string;
  text: string;
  html: string;
  /** What a person would click. */
  links: string[];
  headers: Record<string, string>;
  receivedAt: string;
}
const Sms = z.strictObject({ id: z.string().max(64), to: z.string().max(32), text: z.string().max(2_000) });

/** Everybody's mailbox and telephone: takes each e-mail and text message and shows it. In memory, the newest 500. */
export class Mailbox {
  readonly #messages: Kept[] = [];
  #server: SMTPServer | null = null;
  #count = 0;

  async start(port: number): Promise<number> {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      disableReverseLookup: true,
      logger: false,
      size: MAX_BYTES,
      onData: (stream, session, done) => {
        limited(stream)
          .then((raw) => this.#take(raw, session.envelope.rcptTo[0]?.address ?? ''))
          .then(() => done(), done);
      },
    });
    // A client that hangs up is no matter here.
    this.#server.on('error', () => {});
    const listening = this.#server.listen(port, '127.0.0.1');
    await new Promise((resolve, reject) => listening.once('listening', resolve).once('error', reject));
    return (listening.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server) await new Promise<void>((resolve) => server.close(resolve));
  }

  async #take(raw: Buffer, to: string): Promise<void> {
    const mail = await PostalMime.parse(raw);
    const text = mail.text ?? '';
    this.#keep({
      kind: 'mail',
      to,
      from: mail.from?.address ?? '',
      subject: mail.subject ?? '',
      text,
      html: mail.html ?? '',
      links: linksIn(text),
      headers: Object.fromEntries(mail.headers.map(({ key, value }) => [key, value])),
    });
  }

  #keep(message: Omit<Kept, 'id' | 'receivedAt'>, id = `m${++this.#count}`): void {
    this.#messages.unshift({ id, receivedAt: new Date().toISOString(), ...message });
    if (this.#messages.length > MAX_MESSAGES) this.#messages.length = MAX_MESSAGES;
  }

  /** A page for people, JSON for programs, and where text messages arrive. */
  routes(): Hono {
    const app = new Hono();
    app.get('/', (c) => c.html(page(this.#messages)));
    app.get('/messages', (c) => {
      const to = c.req.query('to');
      return c.json({ items: this.#messages.filter((message) => !to || message.to === to) });
    });
    app.delete('/messages', (c) => {
      this.#messages.length = 0;
      return c.body(null, 204);
    });
    app.post('/sms', async (c) => {
      const { id, to, text } = Sms.parse(await c.req.json());
      // The same message again.
      if (!this.#messages.some((message) => message.id === id))
        this.#keep({ kind: 'sms', to, from: '', subject: '', text, html: '', links: linksIn(text), headers: {} }, id);
      return c.json({ id }, 201);
    });
    return app;
  }
}

/** All of it is read, and no more of it kept than may be. */
async function limited(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size <= MAX_BYTES) parts.push(part);
  }
  if (size > MAX_BYTES) throw Object.assign(new Error('the message is too large'), { responseCode: 552 });
  return Buffer.concat(parts);
}

const linksIn = (text: string): string[] => text.match(/https?:\/\/[^\s<>"]+/g) ?? [];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => ENTITIES[c]!);
const linked = (text: string) =>
  escapeHtml(text).replace(/https?:\/\/[^\s<>"]+?(?=[\s<>"]|$)/g, (url) => `<a href="${url}">${url}</a>`);

function page(messages: Kept[]): string {
  const items = messages.map(
    ({ kind, to, from, subject, text, receivedAt }) => `<article>
<h2>${escapeHtml(subject || 'Text message')}</h2>
<p><b>${escapeHtml(to)}</b>${kind === 'mail' ? ` from ${escapeHtml(from)}` : ''}, <time>${receivedAt}</time></p>
<pre>${linked(text)}</pre>
</article>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mailbox (${messages.length})</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:48em;margin:0 auto;padding:16px}article{border-top:1px solid #888;padding:8px 0}h1,h2{font-size:1.1em;margin:.2em 0}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:.5em 0}p{margin:0}</style></head>
<body><h1>Everybody's mailbox and telephone</h1>
<p>Every e-mail and text message of this demo, newest first. <a href="">Look again</a></p>
${items.join('\n') || '<p>Nothing yet.</p>'}
</body></html>
`;
}
