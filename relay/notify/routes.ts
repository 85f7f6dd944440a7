import { createRoute, z } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { PageQuery, page } from '../../protocol/wire/api.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import {
  ChannelStatus,
  Delivery,
  Notice,
  NoticeCategory,
  type NotifyMessage,
  NotifySettings,
  PushState,
  PushSubscriptionItem,
  SubscribePush,
  Unread,
} from '../../protocol/wire/notify.ts';
import type { Api } from '../api/app.ts';
import type { EventStreams } from '../api/event-stream.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import { Limiter, retryAfter } from '../auth/limiter.ts';
import type { Scope } from '../auth/scope.ts';
import type { Principal } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import { deviceName } from '../people/device-name.ts';
import { isTimeZone } from '../sites/time-zone.ts';
import { Inbox } from './inbox.ts';
import type { Notify } from './notify.ts';
import { saveSettings, settingsOf } from './settings.ts';

const tags = ['Notifications'];
const UnreadSchema = Unread.meta({ id: 'UnreadNotifications' });
const NoticeSchema = Notice.meta({ id: 'Notification' });
const SettingsSchema = NotifySettings.meta({ id: 'NotificationSettings' });
const PushItemSchema = PushSubscriptionItem.meta({ id: 'PushSubscription' });
const Filters = z.object({ category: NoticeCategory.optional() });
const OnlyUnread = z.enum(['true', 'false']).default('false').meta({ example: 'true' });

/** Notifications are a person's own: a program's key has none. */
export function registerNotifyRoutes(
  app: Api,
  deps: { db: Db; clock: Clock; log: Logger; notify: Notify; streams: EventStreams },
): void {
  const { db, clock, log, notify, streams } = deps;
  const { notifier, push } = notify;
  const inbox = new Inbox({ db, clock, notifier });
  const reached = async (
    scope: Scope,
    { data }: Extract<NotifyMessage, { event: 'notice' }>,
  ): Promise<NotifyMessage> => {
    const [notice] = await inbox.withinReach(scope, [data.notice]);
    return { event: 'notice', data: { ...data, notice: notice! } };
  };
  const tests = new Limiter({ clock, limit: 10, windowMs: 3_600_000 });

  app.openapi(
    createRoute({
      method: 'get',
      path: '/notifications',
      operationId: 'listNotifications',
      tags,
      summary: 'My notifications, newest first, in my language',
      description: 'Kept for 90 days.',
      request: { query: PageQuery.extend({ ...Filters.shape, unread: OnlyUnread, siteId: Uuid.optional() }) },
      responses: { 200: json(page(NoticeSchema), 'A page'), ...problems('not-allowed') },
    }),
    async (c) => {
      const { unread, ...query } = c.req.valid('query');
      person(c.get('principal'));
      return c.json(await inbox.list(c.get('scope'), { ...query, unread: unread === 'true' }), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/notifications/unread',
      operationId: 'countUnreadNotifications',
      tags,
      summary: 'How many of my notifications are unread',
      responses: { 200: json(UnreadSchema, 'In all and by category'), ...problems('not-allowed') },
    }),
    async (c) => c.json(await notifier.unread(person(c.get('principal'))), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/notifications/stream',
      operationId: 'streamNotifications',
      tags,
      summary: 'My notifications as they come, as server-sent events',
      description:
        '`hello` with the numbers of unread ones comes first and after every reconnect: reload the list then. Then `notice` with the notification and the numbers, and `unread` with the numbers. Ends with the session.',
      responses: {
        200: { description: 'A stream', content: { 'text/event-stream': { schema: z.string() } } },
        ...problems('not-allowed', 'too-many-tries'),
      },
    }),
    async (c) => {
      const userId = person(c.get('principal'));
      return streams.answer<NotifyMessage>(c, {
        hello: { event: 'hello', data: await notifier.unread(userId) },
        subscribe: (tell) => {
          let told = Promise.resolve();
          return notify.live.subscribe(userId, (message) => {
            told = told
              .then(async () => tell(message.event === 'notice' ? await reached(c.get('scope'), message) : message))
              .catch((error) => log.error({ err: error }, 'a notification could not be told live'));
          });
        },
        // Being signed in is all it needs, and that is asked for anew.
        check: async () => {},
        log,
      });
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/notifications/{notificationId}/read',
      operationId: 'markNotification',
      tags,
      summary: 'Mark one of my notifications read or unread',
      request: { params: z.object({ notificationId: Uuid }), ...body(z.object({ read: z.boolean() })) },
      responses: { 200: json(NoticeSchema, 'The notification'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      const { read } = c.req.valid('json');
      person(c.get('principal'));
      return c.json(await inbox.mark(c.get('scope'), c.req.valid('param').notificationId, read), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/notifications/read-all',
      operationId: 'markAllNotificationsRead',
      tags,
      summary: 'Mark my notifications read',
      description: 'All, or those of one category; with `until`, only that one and those before it.',
      request: body(Filters.extend({ until: Uuid.optional() })),
      responses: { 200: json(UnreadSchema, 'What is unread now'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => c.json(await inbox.markAll(person(c.get('principal')), c.req.valid('json')), 200),
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/notifications/settings',
      operationId: 'getNotificationSettings',
      tags,
      summary: 'On which ways I am told',
      responses: { 200: json(SettingsSchema, 'By channel and category'), ...problems('not-allowed') },
    }),
    async (c) => {
      const userId = person(c.get('principal'));
      return c.json((await settingsOf(db, [userId])).get(userId)!, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/notifications/settings',
      operationId: 'setNotificationSettings',
      tags,
      summary: 'Choose on which ways I am told',
      description: 'In the portal everything is shown always. During quiet hours e-mail and push wait for their end.',
      request: body(SettingsSchema),
      responses: { 200: json(SettingsSchema, 'As stored'), ...problems('not-allowed') },
    }),
    async (c) => {
      const userId = person(c.get('principal'));
      const settings = c.req.valid('json');
      if (settings.quiet && !isTimeZone(settings.quiet.timeZone))
        throw new ProblemError('invalid-request', 'quiet.timeZone: not a time zone like Europe/Berlin');
      await saveSettings(db, userId, settings);
      return c.json(settings, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/notifications/test',
      operationId: 'sendTestNotification',
      tags,
      summary: 'Send me a test message on the ways that I have chosen',
      description: 'Ten an hour.',
      responses: { 202: { description: 'It is on its way' }, ...problems('not-allowed', 'too-many-tries') },
    }),
    async (c) => {
      const { name } = c.get('principal');
      const userId = person(c.get('principal'));
      const waitMs = tests.take(userId);
      if (waitMs > 0) throw new ProblemError('too-many-tries', undefined, { headers: retryAfter(waitMs) });
      await db.transaction().execute((trx) =>
        notifier.toUsers(trx, [userId], {
          category: 'business',
          code: 'test-message',
          values: { name },
          link: '/messages',
        }),
      );
      notifier.kick();
      return c.body(null, 202);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/notifications/push',
      operationId: 'getPush',
      tags,
      summary: 'The key for web push, and my browsers that get it',
      responses: { 200: json(PushState.meta({ id: 'PushState' }), 'Oldest first'), ...problems('not-allowed') },
    }),
    async (c) => {
      const items = await push.list(person(c.get('principal')), c.get('principal').id);
      return c.json({ publicKey: push.publicKey, items }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/notifications/push',
      operationId: 'subscribePush',
      tags,
      summary: 'Send push messages to this browser',
      description:
        'As its PushSubscription gives it. Ends when I sign out. At most 20 browsers a person: a further one takes the place of the oldest.',
      request: body(SubscribePush),
      responses: { 201: json(PushItemSchema, 'The browser'), ...problems('not-allowed') },
    }),
    async (c) => {
      const { id: sessionId } = c.get('principal');
      const who = {
        userId: person(c.get('principal')),
        sessionId,
        browser: deviceName(c.req.header('user-agent') ?? ''),
      };
      return c.json(await push.subscribe(who, c.req.valid('json')), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/notifications/push/{subscriptionId}',
      operationId: 'unsubscribePush',
      tags,
      summary: 'Send no more push messages to one of my browsers',
      request: { params: z.object({ subscriptionId: Uuid }) },
      responses: { 204: { description: 'Done' }, ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      await push.unsubscribe(person(c.get('principal')), c.req.valid('param').subscriptionId);
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/deliveries/status',
      operationId: 'getDeliveryStatus',
      tags: ['Operator'],
      summary: 'How e-mail, text messages and web push do',
      responses: {
        200: json(z.object({ items: z.array(ChannelStatus.meta({ id: 'ChannelStatus' })) }), 'One a channel'),
        ...problems('not-allowed'),
      },
    }),
    async (c) => {
      operator(c.get('principal'));
      return c.json({ items: await notify.outbox.status() }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/deliveries',
      operationId: 'listDeliveries',
      tags: ['Operator'],
      summary: 'Messages that wait or were given up, newest first',
      description: 'Given-up ones stay for 7 days. Neither words nor links are shown.',
      request: { query: PageQuery.extend({ state: Delivery.shape.state.optional() }) },
      responses: { 200: json(page(Delivery.meta({ id: 'Delivery' })), 'A page'), ...problems('not-allowed') },
    }),
    async (c) => {
      operator(c.get('principal'));
      return c.json(await inbox.deliveries(c.req.valid('query')), 200);
    },
  );
}

function person({ kind, userId }: Principal): string {
  if (kind === 'key')
    throw new ProblemError('not-allowed', 'Notifications are a person’s: sign in instead of using a key.');
  return userId;
}

function operator({ companyType }: Principal): void {
  if (companyType !== 'operator') throw new ProblemError('not-allowed', 'Only for who runs the relay.');
}
