import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';
import type { ApiEnv } from './app.ts';
import { ProblemError } from './problem.ts';

const KEEP_MS = 24 * 3_600_000;
/** Answers kept of one user; the oldest goes first. */
const MAX_KEPT = 1_000;
/** An answer that is larger is not kept: nothing that creates something says so much. */
const MAX_BODY_BYTES = 64 * 1024;
/** Of the first answer: what its body is, and where that which was made stands. */
const KEPT_HEADERS = ['content-type', 'location', 'etag', 'link', 'accept-patch'];
/** Before what is sealed: `{headers, body}`; without it, a JSON body alone, as earlier versions kept it. */
const WHOLE = 'a:';
/** Below it a key can be found by trying; answers with secrets are not kept under such a key. */
const STRONG_KEY = 20;

/**
 * A POST with an `Idempotency-Key` is done once: who did not get the answer asks again with the same key and gets the
 * answer of the first time. Failures are not kept: after one the request may succeed. The key itself is not kept, and what
 * is kept is sealed with it: passwords and tokens in requests and answers cannot be read from the database.
 */
export function idempotency(db: Db, clock: Clock): MiddlewareHandler<ApiEnv> {
  const running = new Set<string>();
  return async (c, next) => {
    const key = c.req.method === 'POST' ? c.req.header('idempotency-key') : undefined;
    const principal = c.get('principal');
    if (key === undefined || principal === undefined) return next();
    if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
      throw new ProblemError('invalid-request', 'Idempotency-Key: 1 to 128 visible characters');
    }
    const { userId } = principal;
    // Two API keys of one person are two programs: neither gets what the other made.
    const holder = principal.kind === 'key' ? principal.id : userId;
    const stored = createHash('sha256').update(`${holder}\n${key}`).digest('hex');
    const requestHash = createHmac('sha256', key)
      .update(`${c.req.path}\n${await c.req.text()}`)
      .digest('hex');
    if (running.has(stored))
      throw new ProblemError('conflict', 'The first request with this Idempotency-Key still runs.');
    running.add(stored);
    try {
      const known = await db
        .selectFrom('idempotency_keys')
        .selectAll()
        .where('userId', '=', userId)
        .where('key', '=', stored)
        .where('createdMs', '>', clock.now() - KEEP_MS)
        .executeTakeFirst();
      if (known && known.requestHash !== requestHash) {
        throw new ProblemError('conflict', 'This Idempotency-Key was used for another request.');
      }
      if (known) {
        const { headers, body } = answerOf(known.body, key, stored);
        headers.set('idempotency-replayed', 'true');
        return new Response(body, { status: known.status, headers });
      }
      await next();
      if (c.res.status !== 201 || (c.get('secret') && key.length < STRONG_KEY)) return;
      const body = await c.res.clone().text();
      if (body.length > MAX_BODY_BYTES) return;
      await db
        .deleteFrom('idempotency_keys')
        .where('createdMs', '<=', clock.now() - KEEP_MS)
        .execute();
      const headers = KEPT_HEADERS.flatMap((name) => {
        const value = c.res.headers.get(name);
        return value === null ? [] : [[name, value]];
      });
      const answer = WHOLE + seal(JSON.stringify({ headers, body }), key, stored);
      await keep(db, userId, { key: stored, requestHash, body: answer, createdMs: clock.now() });
    } finally {
      running.delete(stored);
    }
  };
}

async function keep(
  db: Db,
  userId: string,
  answer: { key: string; requestHash: string; body: string; createdMs: number },
): Promise<void> {
  await db
    .insertInto('idempotency_keys')
    .values({ userId, status: 201, ...answer })
    .execute();
  const first = await db
    .selectFrom('idempotency_keys')
    .select('createdMs')
    .where('userId', '=', userId)
    .orderBy('createdMs', 'desc')
    .offset(MAX_KEPT)
    .limit(1)
    .executeTakeFirst();
  if (!first) return;
  await db
    .deleteFrom('idempotency_keys')
    .where('userId', '=', userId)
    .where('createdMs', '<=', first.createdMs)
    .where('key', '!=', answer.key)
    .execute();
}

function answerOf(kept: string, key: string, stored: string): { headers: Headers; body: string } {
  if (!kept.startsWith(WHOLE))
    return { headers: new Headers({ 'content-type': 'application/json' }), body: open(kept, key, stored) };
  const whole: { headers: [string, string][]; body: string } = JSON.parse(open(kept.slice(WHOLE.length), key, stored));
  return { headers: new Headers(whole.headers), body: whole.body };
}

const sealingKey = (key: string, stored: string) =>
  Buffer.from(hkdfSync('sha256', key, Buffer.from(stored, 'hex'), 'gatepost idempotent answer', 32));

function seal(text: string, key: string, stored: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', sealingKey(key, stored), nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

function open(sealed: string, key: string, stored: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(key, stored), bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
}
