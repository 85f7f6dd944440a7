import { createRoute, z } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import { Uuid } from '../../protocol/wire/ids.ts';
import {
  AskRecorder,
  InitialiseDevices,
  RecorderView,
  SiteJob,
  type SiteJobMessage,
  SiteJobs,
  SortedRecorders,
} from '../../protocol/wire/initialise.ts';
import type { Api } from '../api/app.ts';
import type { EventStreams } from '../api/event-stream.ts';
import { body, json, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import { readJobEvents } from './job-feed.ts';
import type { SiteWork } from './jobs.ts';

const tags = ['Installation'];
const JobParams = SiteParams.extend({ jobId: Uuid });
const JobSchema = SiteJob.meta({ id: 'SiteJob' });
const LOOKING = ['not-allowed', 'account-limited', 'permission-needed', 'not-found', 'box-unreachable'] as const;
const WORKING = [...LOOKING, 'site-status', 'conflict', 'limit-reached', 'storage-full'] as const;
const OF_DEVICE = [
  'device-refused-login',
  'device-locked',
  'device-not-activated',
  'device-unreachable',
  'device-certificate-changed',
  'device-error',
] as const;

/** Initialising devices of a site's LAN, and the jobs of its boxes (protocol/wire/jobs.ts). */
export function registerJobRoutes(
  app: Api,
  { work, streams, log }: { work: SiteWork; streams: EventStreams; log: Logger },
): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/jobs',
      operationId: 'listJobs',
      tags,
      summary: 'Jobs of a site’s boxes: what is under way, and what ended lately',
      request: { params: SiteParams },
      responses: {
        200: json(SiteJobs.meta({ id: 'SiteJobs' }), 'Newest first; boxes that are away are named'),
        ...problems('not-allowed', 'account-limited', 'permission-needed', 'not-found'),
      },
    }),
    async (c) => c.json(await work.list(c.get('scope'), c.req.valid('param').siteId), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/jobs',
      operationId: 'initialiseDevices',
      tags,
      summary: 'Initialise devices of the LAN, as a job of the box that sees them',
      description:
        'Network by type, ping test, firmware, time, new disks, motion detection, encoding and P2P service. A device whose password is kept since its activation needs none here. The job goes on when the box restarts.',
      request: { params: SiteParams, ...body(InitialiseDevices) },
      responses: { 201: json(JobSchema, 'The job, which has begun'), ...problems(...WORKING, 'device-error') },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      const macs = wanted.devices.map((device) => device.mac).join(', ');
      c.set('audit', {
        siteId,
        target: { kind: 'box', id: wanted.boxSerial, name: wanted.boxSerial },
        detail: `${wanted.devices.length}: ${macs}`,
      });
      return c.json(await work.initialise(c.get('scope'), siteId, wanted), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/jobs/{jobId}',
      operationId: 'getJob',
      tags,
      summary: 'A job with each device and each step',
      request: { params: JobParams },
      responses: { 200: json(JobSchema, 'As it is now'), ...problems(...LOOKING) },
    }),
    async (c) => {
      const { siteId, jobId } = c.req.valid('param');
      return c.json(await work.get(c.get('scope'), siteId, jobId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/jobs/{jobId}/stream',
      operationId: 'streamJob',
      tags,
      summary: 'The progress of a job, as server-sent events',
      description:
        '`hello` comes first and after every reconnect, then `job`, `item` for each device that changed, and `job` again at the end. Ends with the session, and when the box goes away.',
      request: { params: JobParams },
      responses: {
        200: { description: 'A stream', content: { 'text/event-stream': { schema: z.string() } } },
        ...problems(...LOOKING, 'too-many-tries'),
      },
    }),
    async (c) => {
      const { siteId, jobId } = c.req.valid('param');
      const job = await work.get(c.get('scope'), siteId, jobId);
      return streams.answer<SiteJobMessage>(c, {
        hello: { event: 'hello', data: {} },
        subscribe: (push, end) => {
          const abort = new AbortController();
          work
            .events(job, abort.signal)
            .then((events) => readJobEvents(events, job.boxSerial, push))
            // At the job's own end the stream stays, silent, until the page goes.
            .then((whole) => !whole && end())
            .catch((error) => {
              if (abort.signal.aborted) return;
              log.info({ err: error, jobId, boxSerial: job.boxSerial }, 'the box’s stream of a job broke');
              end();
            });
          return () => abort.abort();
        },
        check: (now) => work.check(now, siteId, job.boxSerial),
        log: log.child({ siteId, jobId }),
      });
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/lan/recorders',
      operationId: 'listSortedRecorders',
      tags,
      summary: 'Recorders whose channels need no sorting: sorted here already, or of a model that cannot',
      request: { params: SiteParams },
      responses: {
        200: json(SortedRecorders.meta({ id: 'SortedRecorders' }), 'By MAC'),
        ...problems('not-allowed', 'account-limited', 'permission-needed', 'not-found'),
      },
    }),
    async (c) => c.json(await work.sorted(c.get('scope'), c.req.valid('param').siteId), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/lan/recorder',
      operationId: 'askRecorder',
      tags,
      summary: 'Channels of a recorder that need not be added yet: see, add, correct, remove, sort',
      description:
        'A camera chosen by its `mac` needs no password where one is kept and the box sees it at that address. To sort, the recorder gets kept passwords that it was given before; others are asked for, channel by channel. What the recorder refused is told camera by camera.',
      request: { params: SiteParams, ...body(AskRecorder) },
      responses: {
        200: json(RecorderView.meta({ id: 'RecorderView' }), 'Its channels, and the cameras that it sees'),
        ...problems(...WORKING, ...OF_DEVICE),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      const { ask } = wanted;
      const what =
        ask.do === 'add'
          ? ask.cameras.map((one) => one.address)
          : ask.do === 'sort'
            ? ask.order
            : 'channel' in ask
              ? [ask.channel]
              : [];
      c.set('audit', {
        siteId,
        target: { kind: 'device', name: wanted.mac },
        detail: [ask.do, ...what].join(' '),
      });
      return c.json(await work.recorder(c.get('scope'), siteId, wanted), 200);
    },
  );
}
