import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { z } from 'zod';
import { decryptPush, newBrowser, verifyVapid } from './web-push.ts';

const MAX_BROWSERS = 200;
const MAX_MESSAGES = 200;
/** As push services promise (RFC 8030 §7.2). */
const MAX_BYTES = 4096;

interface Browser {
  keys: Awaited<ReturnType<typeof newBrowser>>;
  /** Who may send: the key that was subscribed with. */
  applicationServerKey: string;
  messages: { payload: unknown; ttl: number; urgency: string; claims: Record<string, unknown>; receivedAt: string }[];
  refused: string[];
  /** Answer every message so; null: take it. */
  answer: number | null;
}
const Subscribe = z.strictObject({ applicationServerKey: z.string().regex(/^[\w-]{87}$/) });
const Answer = z.strictObject({ status: z.int().min(400).max(599).nullable() });

/**
 * A push service and the browsers behind it: checks who sends (RFC 8292) and opens what was sent (RFC 8291) with code and
 * keys of its own.
 */
export function pushService(): Hono {
  const browsers = new Map<string, Browser>();
  const app = new Hono();
  const find = (token: string) => browsers.get(token);

  app.post('/subscriptions', async (c) => {
    const { applicationServerKey } = Subscribe.parse(await c.req.json());
    const token = randomBytes(24).toString('base64url');
    const keys = await newBrowser();
    browsers.set(token, { keys, applicationServerKey, messages: [], refused: [], answer: null });
    if (browsers.size > MAX_BROWSERS) browsers.delete(browsers.keys().next().value!);
    const endpoint = new URL(c.req.url.replace(/subscriptions$/, token)).href;
    return c.json({ endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } }, 201);
  });
  app.get('/:token', (c) => {
    const browser = find(c.req.param('token'));
    if (!browser) return c.json({ error: 'there is no such browser' }, 404);
    return c.json({ items: browser.messages, refused: browser.refused });
  });
  app.put('/:token/answer', async (c) => {
    const browser = find(c.req.param('token'));
    if (!browser) return c.json({ error: 'there is no such browser' }, 404);
    browser.answer = Answer.parse(await c.req.json()).status;
    return c.json({ status: browser.answer });
  });
  /** RFC 8030: a message for one browser. */
  app.post('/:token', async (c) => {
    const browser = find(c.req.param('token'));
    if (!browser) return c.body(null, 404);
    if (browser.answer !== null) return c.body(null, browser.answer as 410);
    const refuse = (status: 400 | 401 | 403 | 413, why: string) => {
      browser.refused.push(why);
      return c.text(why, status);
    };
    const body = Buffer.from(await c.req.arrayBuffer());
    if (body.length > MAX_BYTES) return refuse(413, `${body.length} bytes`);
    const ttl = c.req.header('ttl') ?? '';
    if (!/^\d+$/.test(ttl)) return refuse(400, 'no TTL');
    if (c.req.header('content-encoding') !== 'aes128gcm') return refuse(400, 'not aes128gcm');
    try {
      const origin = new URL(c.req.url).origin;
      const { key, claims } = await verifyVapid(c.req.header('authorization') ?? '', origin, Date.now());
      if (key !== browser.applicationServerKey) return refuse(403, 'another key than it was subscribed with');
      const payload = JSON.parse(
        new TextDecoder('utf-8', { fatal: true }).decode(await decryptPush(body, browser.keys)),
      );
      const urgency = c.req.header('urgency') ?? 'normal';
      browser.messages.push({ payload, ttl: Number(ttl), urgency, claims, receivedAt: new Date().toISOString() });
      if (browser.messages.length > MAX_MESSAGES) browser.messages.shift();
      return c.body(null, 201);
    } catch (error) {
      return refuse(401, (error as Error).message || 'it cannot be opened');
    }
  });
  return app;
}
