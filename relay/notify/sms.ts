import type { Channel, Outcome, Outgoing } from './channel.ts';
import { absolute, type PublicUrl } from './email.ts';
import { noticeText, oneLine } from './texts.ts';

const TIMEOUT_MS = 10_000;
/** Four parts of a long message. */
const MAX_LENGTH = 600;
export const isPhoneNumber = (text: string): boolean => /^\+[1-9]\d{6,14}$/.test(text);

/** Whoever sends text messages for the operator. Throws {@link SmsRefused} for one that never will be taken. */
export interface SmsSender {
  /** The same `id` again is the same message. */
  send(message: { id: string; to: string; text: string }, signal: AbortSignal): Promise<void>;
}
export class SmsRefused extends Error {}

/** Sends by POST of `{id, to, text}` as JSON to an address that the operator chose. */
export class WebhookSmsSender implements SmsSender {
  readonly #url: string;
  readonly #token: string | undefined;

  constructor({ url, token }: { url: string; token?: string }) {
    if (!/^https?:$/.test(new URL(url).protocol)) throw new Error('the SMS URL must be http:// or https://');
    this.#url = url;
    this.#token = token;
  }

  async send(message: { id: string; to: string; text: string }, signal: AbortSignal): Promise<void> {
    const headers: Record<string, string> = { 'content-type': 'application/json', 'idempotency-key': message.id };
    if (this.#token) headers.authorization = `Bearer ${this.#token}`;
    const response = await fetch(this.#url, {
      method: 'POST',
      headers,
      body: JSON.stringify(message),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    if (response.ok) return;
    const said = `the SMS gateway answered ${response.status}`;
    // The message itself is at fault; the others may go.
    if ([400, 404, 409, 410, 413, 422].includes(response.status)) throw new SmsRefused(said);
    throw new Error(said);
  }
}

export class SmsChannel implements Channel {
  readonly name = 'sms';
  readonly #sender: SmsSender | null;
  readonly #publicUrl: PublicUrl;

  constructor({ sender, publicUrl }: { sender: SmsSender | null; publicUrl: PublicUrl }) {
    this.#sender = sender;
    this.#publicUrl = publicUrl;
  }

  get missing(): string | null {
    if (!this.#sender) return 'no SMS gateway is configured: set --sms-url';
    return this.#publicUrl() ? null : 'links need the public address of the portal: set --public-url';
  }

  async deliver(message: Outgoing, signal: AbortSignal): Promise<Outcome> {
    if (!isPhoneNumber(message.address)) return { kind: 'refused', reason: 'not a phone number' };
    const { text } = noticeText(message.code, message.locale, message.values);
    const link = message.link ? ` ${absolute(this.#publicUrl()!, message.link)}` : '';
    const words = oneLine(text).slice(0, MAX_LENGTH - link.length);
    try {
      await this.#sender!.send({ id: message.id, to: message.address, text: words + link }, signal);
      return { kind: 'sent' };
    } catch (error) {
      const reason = oneLine((error as Error).message).slice(0, 256);
      return { kind: error instanceof SmsRefused ? 'refused' : 'down', reason };
    }
  }
}
