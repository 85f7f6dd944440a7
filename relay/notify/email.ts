import { createTransport, type NodemailerError, type Transporter } from 'nodemailer';
import type { Channel, Outcome, Outgoing } from './channel.ts';
import { fill, frameOf, noticeText, oneLine } from './texts.ts';

/** One person's address: nothing that could be read as a second one, a header or a command. */
const ADDRESS = /^[^\s\p{C}@<>()[\]\\,;:"]{1,64}@[^\s\p{C}@<>()[\]\\,;:"]{1,190}\.?[^\s\p{C}@<>()[\]\\,;:".]{1,63}$/u;
export const isMailAddress = (text: string): boolean => text.length <= 254 && ADDRESS.test(text);

export interface MailSettings {
  /** smtp:// (STARTTLS where the server offers it) or smtps://, with user name and password in it. */
  url: string;
  /** `Name <address>` or an address; default: no-reply at the public name. */
  from?: string;
}

/** How pages are reached; null where the relay was not told. */
export type PublicUrl = () => URL | null;

/** E-mail over SMTP: one connection a message. */
export class EmailChannel implements Channel {
  readonly name = 'email';
  readonly #transport: Transporter | null;
  readonly #from: string | undefined;
  readonly #publicUrl: PublicUrl;

  constructor({ smtp, publicUrl }: { smtp: MailSettings | undefined; publicUrl: PublicUrl }) {
    this.#transport = smtp ? createTransport(transportOptions(smtp.url)) : null;
    this.#from = smtp?.from;
    this.#publicUrl = publicUrl;
  }

  get missing(): string | null {
    if (!this.#transport) return 'no SMTP server is configured: set --smtp-url';
    return this.#publicUrl() ? null : 'links need the public address of the portal: set --public-url';
  }

  async deliver(message: Outgoing, signal: AbortSignal): Promise<Outcome> {
    if (!isMailAddress(message.address)) return { kind: 'refused', reason: 'not an e-mail address' };
    const publicUrl = this.#publicUrl()!;
    const from = parseFrom(this.#from, publicUrl);
    const mail = compose(message, publicUrl);
    try {
      await this.#transport!.sendMail({
        from,
        to: { name: oneLine(message.name).slice(0, 100), address: message.address },
        envelope: { from: from.address, to: [message.address] },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        messageId: `<${message.id}@${from.address.split('@')[1]}>`,
        date: new Date(message.createdMs),
        headers: mail.headers,
        disableFileAccess: true,
        disableUrlAccess: true,
        signal,
      });
      return { kind: 'sent' };
    } catch (error) {
      return outcomeOf(error as NodemailerError);
    }
  }
}

function transportOptions(url: string) {
  const parsed = new URL(url);
  const { protocol, hostname, port, username, password } = parsed;
  if (!/^smtps?:$/.test(protocol) || !hostname)
    throw new Error('the SMTP URL must be like smtp://user:password@host:587');
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const local = /^(127\.|::1$|localhost$)/.test(host);
  const auth = username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : undefined;
  return {
    host,
    port: port ? Number(port) : protocol === 'smtps:' ? 465 : auth ? 587 : 25,
    secure: protocol === 'smtps:',
    // A password goes to another machine only encrypted.
    requireTLS: auth !== undefined && !local,
    auth,
    // What runs on this machine has a certificate of nobody.
    tls: { rejectUnauthorized: !local },
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
  };
}

/** The sender as configured. Throws when it is no address. */
export function parseFrom(from: string | undefined, publicUrl: URL | null): { name: string; address: string } {
  const host = publicUrl?.hostname.includes('.') && !/^[\d.]+$/.test(publicUrl.hostname) ? publicUrl.hostname : null;
  const text = from ?? `Gatepost <no-reply@${host ?? 'gatepost.invalid'}>`;
  const [, name = '', address = ''] = /^(?:\s*(.*?)\s*<([^<>]+)>|([^<>]+))\s*$/.exec(text)?.slice(0) ?? [];
  const plain = address || text.trim();
  if (!isMailAddress(plain)) throw new Error(`the sender ${oneLine(text)} must be like Name <name@example.org>`);
  return { name: oneLine(name).replace(/^"(.*)"$/, '$1'), address: plain };
}

/** The link to a path of the portal: below the public address, whatever the path is. */
export function absolute(publicUrl: URL, path: string): string {
  const url = new URL(path, publicUrl);
  if (url.origin !== publicUrl.origin) throw new Error('a link leaves the portal');
  return url.href;
}

function compose(message: Outgoing, publicUrl: URL) {
  const { subject, text } = noticeText(message.code, message.locale, message.values);
  const words = frameOf(message.locale);
  const link = message.link && absolute(publicUrl, message.link);
  const name = oneLine(message.name);
  const hello = name ? fill(words.helloName, { name }) : words.hello;
  // Only who has an account has settings.
  const settings = message.userId ? absolute(publicUrl, '/messages/settings') : null;
  const why = settings ? `${words.why} ${words.settings}` : words.why;
  const plain = [hello, text, link, `-- \n${why}${settings ? `\n${settings}` : ''}`].filter(Boolean).join('\n\n');
  const html = `<!doctype html>
<html lang="${escapeHtml(message.locale)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head>
<body style="font:16px/1.5 system-ui,sans-serif;color:#14181d;max-width:36em;margin:0 auto;padding:16px">
<p>${escapeHtml(hello)}</p>
<p>${escapeHtml(text).replaceAll('\n', '<br>')}</p>
${link ? `<p><a href="${escapeHtml(link)}" style="display:inline-block;padding:8px 16px;background:#2848a8;color:#ffffff;border-radius:6px;text-decoration:none">${escapeHtml(words.open)}</a></p>\n<p style="font-size:13px;color:#59626d;word-break:break-all">${escapeHtml(link)}</p>` : ''}
<p style="font-size:13px;color:#59626d">${escapeHtml(words.why)}${settings ? ` <a href="${escapeHtml(settings)}">${escapeHtml(words.settings.replace(/:$/, ''))}</a>` : ''}</p>
</body></html>
`;
  const headers: Record<string, string> = {
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    'List-Id': `Gatepost <messages.${publicUrl.hostname}>`,
  };
  if (settings) headers['List-Unsubscribe'] = `<${settings}>`;
  return { subject, text: `${plain}\n`, html, headers };
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => ENTITIES[c]!);

/** What the server said of this recipient or this message; anything else says that nothing can be sent now. */
function outcomeOf(error: NodemailerError): Outcome {
  const {
    code,
    responseCode = 0,
    command = '',
  } = error as NodemailerError & { responseCode?: number; command?: string };
  const reason = oneLine(error.message).slice(0, 256);
  const ofRecipient = code === 'EENVELOPE' && !/MAIL FROM/i.test(command);
  if ((ofRecipient || code === 'EMESSAGE') && responseCode !== 421) {
    if (responseCode >= 500) return { kind: 'refused', reason };
    if (responseCode >= 400) return { kind: 'later', reason };
    // The address cannot be said in SMTP.
    if (responseCode === 0 && ofRecipient) return { kind: 'refused', reason };
  }
  return { kind: 'down', reason };
}
