import { createHmac, randomBytes } from 'node:crypto';

/*
 * Standard Webhooks (standardwebhooks.com): `webhook-id`, `webhook-timestamp` (seconds) and
 * `webhook-signature: v1,base64(HMAC-SHA256(secret, id.timestamp.body))`.
 */

const PREFIX = 'whsec_';

export const newWebhookSecret = (): string => `${PREFIX}${randomBytes(32).toString('base64')}`;

/** The bytes behind `whsec_…`, 24 to 64; null: it is none. */
export function webhookSecret(text: string): Buffer | null {
  if (!text.startsWith(PREFIX)) return null;
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64');
  const same = bytes.toString('base64').replaceAll('=', '') === text.slice(PREFIX.length).replaceAll('=', '');
  return same && bytes.length >= 24 && bytes.length <= 64 ? bytes : null;
}

export function signatureHeaders(secret: Buffer, id: string, nowMs: number, body: Buffer): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
