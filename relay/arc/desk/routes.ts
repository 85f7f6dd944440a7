import { createRoute, z } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import { PageQuery, page } from '../../../protocol/wire/api.ts';
import {
  Acknowledge,
  AcknowledgeMany,
  AddNote,
  DeskAlarm,
  DeskAlarmDetail,
  DeskFilter,
  DeskLink,
  type DeskMessage,
} from '../../../protocol/wire/arc-desk.ts';
import { Uuid } from '../../../protocol/wire/ids.ts';
import type { Api } from '../../api/app.ts';
import type { EventStreams } from '../../api/event-stream.ts';
import { body, json, ProblemError, problems } from '../../api/problem.ts';
import type { AlarmList } from './alarm-list.ts';
import type { DeskFeed } from './feed.ts';
import type { Handling } from './handling.ts';
import type { Links } from './links.ts';

export const tags = ['Alarms at the ARC'];
const AlarmSchema = DeskAlarm.meta({ id: 'DeskAlarm' });
const DetailSchema = DeskAlarmDetail.meta({ id: 'DeskAlarmDetail' });
const params = z.object({ alarmId: Uuid });

/** The alarms of a centre and what its people do about them. */
export function registerDeskRoutes(
  app: Api,
  deps: {
    list: AlarmList;
    handling: Handling;
    feed: DeskFeed;
    links: Links;
    streams: EventStreams;
    log: Logger;
  },
): void {
  const { list, handling, feed, links, streams } = deps;
  const about = async (alarm: { id: string; account: string; code: string; site: DeskAlarm['site'] }) => ({
    ...(alarm.site ? { siteId: alarm.site.id } : {}),
    target: { kind: 'alarm', id: alarm.id, name: `${alarm.account} ${alarm.code}` },
  });

  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-desk/alarms',
      operationId: 'listDeskAlarms',
      tags,
      summary: 'Alarms that a centre was sent',
      description:
        '`open` (as usual): those that nobody has acknowledged yet, most urgent first, then newest first. `all` and `tests`: newest first in the relay’s order.',
      request: { query: PageQuery.extend(DeskFilter.shape) },
      responses: { 200: json(page(AlarmSchema), 'A page'), ...problems() },
    }),
    async (c) => c.json(await list.list(c.get('scope'), c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-desk/stream',
      operationId: 'streamDesk',
      tags,
      summary: 'What is new at the desk, as server-sent events',
      description:
        '`hello` comes first and after every reconnect: reload the lists then. Then `alarm` and `account`, each with the item as the lists give it. Ends with the session.',
      responses: {
        200: { description: 'A stream', content: { 'text/event-stream': { schema: z.string() } } },
        ...problems('too-many-tries'),
      },
    }),
    async (c) => {
      const watcher = { scope: c.get('scope'), push: (_: DeskMessage) => {} };
      return streams.answer<DeskMessage>(c, {
        hello: { event: 'hello', data: {} },
        subscribe: (push) => {
          watcher.push = push;
          return feed.watch(watcher);
        },
        check: async (now) => {
          watcher.scope = now;
        },
        log: deps.log,
      });
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-desk/acknowledgements',
      operationId: 'acknowledgeAlarms',
      tags,
      summary: 'Acknowledge several alarms at once',
      description: 'Those that somebody has acknowledged already, and those out of reach, stay as they are.',
      request: body(AcknowledgeMany),
      responses: {
        200: json(z.object({ acknowledged: z.array(Uuid) }), 'Which of them are acknowledged now'),
        ...problems('not-allowed'),
      },
    }),
    async (c) => {
      const { alarmIds, note } = c.req.valid('json');
      const acknowledged = await handling.acknowledgeMany(c.get('scope'), alarmIds, note);
      feed.alarms(acknowledged);
      c.set('audit', { detail: acknowledged.join(' ') });
      return c.json({ acknowledged }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-desk/alarms/{alarmId}',
      operationId: 'getDeskAlarm',
      tags,
      summary: 'An alarm with its audit line: every try with path, outcome and frame, and what people did',
      request: { params },
      responses: { 200: json(DetailSchema, 'The alarm'), ...problems('not-found') },
    }),
    async (c) => c.json(await list.detail(c.get('scope'), c.req.valid('param').alarmId), 200),
  );
  const change = <P extends `/arc-desk/alarms/{alarmId}/${string}`, B extends z.ZodType>(
    path: P,
    operationId: string,
    summary: string,
    schema: B,
  ) =>
    createRoute({
      method: 'post',
      path,
      operationId,
      tags,
      summary,
      request: { params, ...body(schema) },
      responses: {
        200: json(DetailSchema, 'The alarm as it is now'),
        ...problems('not-allowed', 'not-found', 'conflict'),
      },
    } as const);
  app.openapi(
    change(
      '/arc-desk/alarms/{alarmId}/acknowledge',
      'acknowledgeAlarm',
      'Acknowledge an alarm: somebody takes care of it',
      Acknowledge,
    ),
    async (c) => {
      const { alarmId } = c.req.valid('param');
      await handling.acknowledge(c.get('scope'), alarmId, c.req.valid('json').note);
      feed.alarms([alarmId]);
      const now = await list.detail(c.get('scope'), alarmId);
      c.set('audit', await about(now));
      return c.json(now, 200);
    },
  );
  app.openapi(
    change(
      '/arc-desk/alarms/{alarmId}/reopen',
      'reopenAlarm',
      'Take an acknowledgement back: the alarm waits for somebody again',
      z.object({}),
    ),
    async (c) => {
      const { alarmId } = c.req.valid('param');
      await handling.reopen(c.get('scope'), alarmId);
      feed.alarms([alarmId]);
      const now = await list.detail(c.get('scope'), alarmId);
      c.set('audit', await about(now));
      return c.json(now, 200);
    },
  );
  app.openapi(
    change('/arc-desk/alarms/{alarmId}/notes', 'addAlarmNote', 'Write a note to an alarm', AddNote),
    async (c) => {
      const { alarmId } = c.req.valid('param');
      await handling.addNote(c.get('scope'), alarmId, c.req.valid('json').text);
      feed.alarms([alarmId]);
      const now = await list.detail(c.get('scope'), alarmId);
      c.set('audit', await about(now));
      return c.json(now, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-desk/alarms/{alarmId}/link',
      operationId: 'makeAlarmLink',
      tags,
      summary: 'A short signed address of the alarm’s picture, to hand on',
      description:
        'Whoever has it sees what was recorded of this event, without an account, for 72 hours at most and as long as the centre may.',
      request: { params },
      responses: {
        201: json(DeskLink.meta({ id: 'DeskLink' }), 'The address'),
        ...problems('not-allowed', 'not-found', 'permission-needed'),
      },
    }),
    async (c) => {
      const alarm = await list.detail(c.get('scope'), c.req.valid('param').alarmId);
      c.set('audit', await about(alarm));
      c.get('scope').must('manage-all-sites', 'manage-assigned-sites');
      if (alarm.eventId === null) throw new ProblemError('not-found', 'This message is about no event of a device.');
      c.set('secret', true);
      return c.json(await links.forEvent(c.get('scope'), alarm.eventId), 201);
    },
  );
}
