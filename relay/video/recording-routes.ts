import { createRoute, z } from '@hono/zod-openapi';
import { Instant } from '../../protocol/wire/ids.ts';
import { PlaybackQuery, RecordingDays, RecordingList, StreamName } from '../../protocol/wire/video.ts';
import type { Api } from '../api/app.ts';
import { json, ProblemError, problems } from '../api/problem.ts';
import { ChannelParams } from './live-routes.ts';
import { Recordings } from './recordings.ts';
import type { Watching } from './watching.ts';

const tags = ['Playback'];
const refusals = [
  ...['invalid-request', 'not-allowed', 'account-limited', 'permission-needed', 'verification-code-needed'],
  ...['not-found', 'conflict'],
] as const;
const ofBox = [
  ...['box-unreachable', 'device-error', 'device-unreachable', 'device-refused-login', 'device-locked'],
  ...['device-not-activated', 'limit-reached'],
] as const;
const RangeQuery = z.object({ from: Instant, to: Instant, stream: StreamName.default('main') });

export function registerRecordingRoutes(app: Api, { watching }: { watching: Watching }): void {
  const recordings = new Recordings(watching);
  const path = '/devices/{deviceId}/channels/{channel}' as const;

  app.openapi(
    createRoute({
      method: 'get',
      path: `${path}/recordings`,
      operationId: 'listRecordings',
      tags,
      summary: 'What a channel’s device has recorded itself in a time',
      description:
        'In order of time, cut to what was asked for. `complete` false: there is more than was listed. At most 31 days.',
      request: { params: ChannelParams, query: RangeQuery },
      responses: {
        200: json(RecordingList.meta({ id: 'RecordingList' }), 'The recordings'),
        ...problems(...refusals, ...ofBox),
      },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      return c.json(await recordings.list(c, deviceId, { channel, ...c.req.valid('query') }), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: `${path}/recordings/days`,
      operationId: 'listRecordedDays',
      tags,
      summary: 'Days of a month of which the device has recordings',
      request: { params: ChannelParams, query: RecordingDays.pick({ month: true }) },
      responses: {
        200: json(z.object({ days: z.array(z.int()) }).meta({ id: 'RecordedDays' }), 'Days of the month, from 1'),
        ...problems(...refusals, ...ofBox),
      },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      return c.json(await recordings.days(c, deviceId, channel, c.req.valid('query').month), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: `${path}/recordings/file`,
      operationId: 'downloadRecording',
      tags,
      summary: 'A recording as MP4',
      description:
        'An hour at most. It comes as fast as device and uplink allow; from a device that gives no files, no faster than that plays. A second of it is a second of then, whatever was not recorded in between. One that broke off is gone on with by asking again, with `from` later by the seconds that the first part has; the next part begins at the key frame before that.',
      request: { params: ChannelParams, query: RangeQuery },
      responses: {
        200: {
          description: 'The file',
          content: { 'video/mp4': { schema: z.string().openapi({ format: 'binary' }) } },
        },
        ...problems(...refusals, ...ofBox),
      },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      return recordings.file(c, deviceId, { channel, ...c.req.valid('query') });
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: `${path}/playback/socket`,
      operationId: 'playRecording',
      tags,
      summary: 'Play what the device has recorded (WebSocket)',
      description:
        'Binary messages as in live view. What was not recorded is left out and told by a note (`gap`); the device waits for a slow reader. Four windows a session.',
      request: {
        params: ChannelParams,
        query: RangeQuery.extend({
          speed: PlaybackQuery.shape.speed.meta({ description: '0.25 to 16; -1 to -8: backward from `to`' }),
          accept: z.string().max(32).default('h264').openapi({ description: 'What the player decodes: `h264,h265`' }),
        }),
      },
      responses: { 101: { description: 'A WebSocket' }, ...problems(...refusals) },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      const query = PlaybackQuery.safeParse({ ...c.req.valid('query'), deviceId, channel });
      if (!query.success) throw new ProblemError('invalid-request', 'accept: h264, h265 or both, by comma.');
      c.set('audit', { always: 'looking', detail: `channel ${channel}, ${query.data.from}` });
      return recordings.socket(c, query.data);
    },
  );
}
