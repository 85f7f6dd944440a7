import type { IncomingHttpHeaders } from 'node:http';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { PushPayload, PushSubscriptionItem, SubscribePush } from '../../protocol/wire/notify.ts';
import { ProblemError } from '../api/problem.ts';
import type { DialGuard } from '../arc/dial-guard.ts';
import { post, postTarget } from '../arc/post.ts';
import type { Db } from '../db/database.ts';
import type { Channel, Outcome, Outgoing } from './channel.ts';
import { encryptPush, usableKeys, type VapidKeys, vapidHeader } from './push-crypto.ts';
import type { PushSubscriptionRow } from './schema.ts';
import { noticeText, oneLine } from './texts.ts';

const TIMEOUT_MS = 10_000;
const TTL_S = 86_400;
/** Of one person; a further browser takes the place of the one added first. */
const MAX_BROWSERS = 20;
const MAX_TITLE = 120;
const MAX_TEXT = 600;

/** Web push: messages for browsers that asked for them, also while no page is open. */
export class PushChannel implements Channel {
  readonly name = 'push';
  readonly missing = null;
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #guard: DialGuard;
  readonly #keys: VapidKeys;
  readonly #subject: () => string;

  constructor(deps: { db: Db; clock: Clock; guard: DialGuard; keys: VapidKeys; subject: () => string }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#guard = deps.guard;
    this.#keys = deps.keys;
    this.#subject = deps.subject;
  }

  get publicKey(): string {
    return this.#keys.publicKey;
  }

  /** The same browser again keeps its place; with another person signed in it becomes theirs. */
  async subscribe(
    who: { userId: string; sessionId: string; browser: string },
    { endpoint, keys }: SubscribePush,
  ): Promise<PushSubscriptionItem> {
    const target = await postTarget(this.#guard, endpoint);
    if ('refused' in target) throw new ProblemError('invalid-request', `endpoint: ${target.refused}`);
    if (!usableKeys(keys)) throw new ProblemError('invalid-request', 'keys: not those of a browser');
    const now = this.#clock.now();
    const { userId, sessionId } = who;
    const browser = oneLine(who.browser).slice(0, 200);
    const p256dh = keys.p256dh.replace(/=+$/, '');
    const auth = keys.auth.replace(/=+$/, '');
    return this.#db.transaction().execute(async (trx) => {
      const old = await trx
        .selectFrom('push_subscriptions')
        .selectAll()
        .where('endpoint', '=', endpoint)
        .executeTakeFirst();
      if (old && old.userId === userId) {
        const row = { ...old, sessionId, p256dh, auth, browser };
        await trx
          .updateTable('push_subscriptions')
          .set({ sessionId, p256dh, auth, browser })
          .where('id', '=', old.id)
          .execute();
        return toItem(row, sessionId);
      }
      if (old) await trx.deleteFrom('push_subscriptions').where('id', '=', old.id).execute();
      const own = await trx
        .selectFrom('push_subscriptions')
        .select('id')
        .where('userId', '=', userId)
        .orderBy('createdMs', 'desc')
        .orderBy('id', 'desc')
        .execute();
      const surplus = own.slice(MAX_BROWSERS - 1).map((row) => row.id);
      if (surplus.length > 0) await trx.deleteFrom('push_subscriptions').where('id', 'in', surplus).execute();
      const row = {
        id: uuidv7(now),
        userId,
        sessionId,
        endpoint,
        p256dh,
        auth,
        browser,
        createdMs: now,
        deliveredMs: null,
      };
      await trx.insertInto('push_subscriptions').values(row).execute();
      return toItem(row, sessionId);
    });
  }

  /** As a session sees them. */
  async list(userId: string, sessionId: string): Promise<PushSubscriptionItem[]> {
    const rows = await this.#db
      .selectFrom('push_subscriptions')
      .selectAll()
      .where('userId', '=', userId)
      .orderBy('createdMs')
      .orderBy('id')
      .execute();
    return rows.map((row) => toItem(row, sessionId));
  }

  async unsubscribe(userId: string, id: string): Promise<void> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('push_subscriptions')
      .where('id', '=', id)
      .where('userId', '=', userId)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw new ProblemError('not-found');
  }

  /** Somebody signed out: the browser gets nothing more of theirs. */
  async sessionEnded(sessionId: string): Promise<void> {
    await this.#db.deleteFrom('push_subscriptions').where('sessionId', '=', sessionId).execute();
  }

  async deliver(message: Outgoing, signal: AbortSignal): Promise<Outcome> {
    const row = await this.#db
      .selectFrom('push_subscriptions')
      .selectAll()
      .where('id', '=', message.address)
      .executeTakeFirst();
    // The browser may be another person's now.
    if (!row || row.userId !== message.userId) return { kind: 'gone' };
    const target = await postTarget(this.#guard, row.endpoint);
    if ('refused' in target) return { kind: target.unknown ? 'later' : 'refused', reason: target.refused };
    const { subject, text } = noticeText(message.code, message.locale, message.values);
    const payload: PushPayload = {
      id: message.id,
      title: subject.slice(0, MAX_TITLE),
      text: text.slice(0, MAX_TEXT),
      link: message.link.slice(0, 1_000),
    };
    const now = this.#clock.now();
    const headers = {
      authorization: vapidHeader(this.#keys, row.endpoint, this.#subject(), now),
      'content-encoding': 'aes128gcm',
      'content-type': 'application/octet-stream',
      ttl: String(Math.max(60, TTL_S - Math.round((now - message.createdMs) / 1000))),
      urgency: 'normal',
    };
    const body = encryptPush(Buffer.from(JSON.stringify(payload)), row);
    const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const answer = await post(row.endpoint, target.address, headers, body, within);
      return await this.#outcome(row.id, answer);
    } catch (error) {
      // Each browser has a push service of its own: one that is down holds up no other.
      return { kind: 'later', reason: oneLine((error as Error).message).slice(0, 256) };
    }
  }

  async #outcome(id: string, { status, headers }: { status: number; headers: IncomingHttpHeaders }): Promise<Outcome> {
    if (status >= 200 && status < 300) {
      const deliveredMs = this.#clock.now();
      await this.#db.updateTable('push_subscriptions').set({ deliveredMs }).where('id', '=', id).execute();
      return { kind: 'sent' };
    }
    const reason = `the push service answered ${status}`;
    if (status === 404 || status === 410) {
      await this.#db.deleteFrom('push_subscriptions').where('id', '=', id).execute();
      return { kind: 'gone' };
    }
    if (status === 429 || status >= 500) {
      const afterS = Number(headers['retry-after']);
      return { kind: 'later', reason, ...(afterS > 0 ? { afterMs: Math.min(afterS, 86_400) * 1000 } : {}) };
    }
    return { kind: 'refused', reason };
  }
}

function toItem(row: PushSubscriptionRow, sessionId: string): PushSubscriptionItem {
  const { id, browser } = row;
  const deliveredAt = row.deliveredMs === null ? null : iso(Number(row.deliveredMs));
  const thisSession = row.sessionId === sessionId;
  return { id, browser, thisSession, createdAt: iso(Number(row.createdMs)), deliveredAt };
}
