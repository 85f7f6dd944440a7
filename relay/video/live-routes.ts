import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { Instant, Uuid } from '../../protocol/wire/ids.ts';
import { VerificationCode } from '../../protocol/wire/verification-code.ts';
import { IceServer, LiveOptions, MediaQuery, StreamName, Viewing } from '../../protocol/wire/video.ts';
import type { Api, ApiEnv } from '../api/app.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import type { Watching } from './watching.ts';
import { FRAGMENT, requireType, SDP } from './whep.ts';

const tags = ['Live view'];
export const ChannelParams = z.object({
  deviceId: Uuid,
  channel: z.coerce.number().int().min(1).max(9999),
});
const ViewParams = z.object({ viewId: Uuid });
const MAX_SDP_BYTES = 65_536;
const refusals = ['not-allowed', 'account-limited', 'permission-needed', 'not-found', 'conflict'] as const;
const ofBox = ['box-unreachable', 'device-error', 'device-unreachable', 'limit-reached'] as const;
const sdp = (description: string, type = SDP) => ({
  description,
  content: { [type]: { schema: z.string() } },
});
/** Looked at: once in ten minutes it stands in the operation log; each look stands among the viewings. */
const looked = (c: Context<ApiEnv>, channel: number) =>
  c.set('audit', { always: 'looking', detail: `channel ${channel}` });

export function registerLiveViewRoutes(app: Api, { watching }: { watching: Watching }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/channels/{channel}/live',
      operationId: 'getLiveOptions',
      tags,
      summary: 'What of a channel can be seen live, and how',
      description:
        'Streams, whether a verification code is asked for first, and the STUN and TURN servers for a direct connection; their credentials are for the asker and expire after ten minutes.',
      request: {
        params: ChannelParams,
        query: z.object({
          stream: StreamName.optional().openapi({
            description: 'What will be looked at next: the box asks the camera for it already, for five seconds',
          }),
        }),
      },
      responses: {
        200: json(LiveOptions.extend({ iceServers: z.array(IceServer) }).meta({ id: 'LiveOptions' }), 'The options'),
        ...problems(...refusals, ...ofBox),
      },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      const device = await watching.device(c.get('scope'), deviceId, 'live');
      const { stream } = c.req.valid('query');
      return c.json(await watching.options(c.get('principal'), device, { channel, stream }), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/devices/{deviceId}/channels/{channel}/live/unlock',
      operationId: 'unlockPictures',
      tags,
      summary: 'Enter the device’s verification code',
      description:
        'Lets the asker’s session see this device until it ends. Five wrong codes in ten minutes are the most.',
      request: { params: ChannelParams, ...body(z.object({ code: VerificationCode })) },
      responses: {
        204: { description: 'Its pictures can be seen' },
        ...problems(...refusals, 'verification-code-wrong', 'too-many-tries'),
      },
    }),
    async (c) => {
      const device = await c.get('scope').device(c.req.valid('param').deviceId, 'live');
      await watching.locks.open(c.get('principal'), device.id, c.req.valid('json').code);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/devices/{deviceId}/picture-lock',
      operationId: 'lockPictures',
      tags,
      summary: 'Ask everybody for a verification code before they see the device’s pictures, or no more',
      description: 'For the owner of the site. `code` null takes it away.',
      request: {
        params: ChannelParams.pick({ deviceId: true }),
        ...body(z.object({ code: VerificationCode.nullable() })),
      },
      responses: { 204: { description: 'Done' }, ...problems(...refusals) },
    }),
    async (c) => {
      const scope = c.get('scope');
      const device = await scope.device(c.req.valid('param').deviceId, 'configure');
      // Of a site that was handed over: the customer, not whoever looks after it.
      if (!(await scope.holds(device.siteId, null, 'own')) && !(await scope.holds(device.siteId, null, 'all')))
        throw new ProblemError('not-allowed', 'Only the owner of the site decides this.');
      const { code } = c.req.valid('json');
      await watching.locks.set(device.id, code);
      c.set('audit', { detail: code === null ? 'off' : 'on' });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/devices/{deviceId}/channels/{channel}/whep',
      operationId: 'startLiveView',
      tags,
      summary: 'See a channel live, directly from the box (WHEP)',
      description:
        'An SDP offer in, the answer out (RFC 9725 and the WHEP draft); `Location` is the view: PATCH it with later candidates, DELETE it at the end, both with the same credentials. `ETag` is for `If-Match`, `Link` has STUN and TURN servers. H.264 always, H.265 where the offer has it and the camera sends it, PCMU and PCMA. Pages of every origin may use it with a bearer token.',
      request: {
        params: ChannelParams,
        query: z.object({ stream: StreamName.default('main') }),
        body: { required: true, content: { [SDP]: { schema: z.string() } } },
      },
      responses: {
        201: sdp('The answer'),
        ...problems(...refusals, ...ofBox, 'verification-code-needed', 'too-many-windows', 'payload-too-large'),
        ...problems('not-acceptable', 'unsupported-media-type'),
      },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      const device = await watching.device(c.get('scope'), deviceId, 'live');
      looked(c, channel);
      requireType(c.req.header('content-type'), SDP, 'post');
      const offer = await c.req.text();
      if (Buffer.byteLength(offer) > MAX_SDP_BYTES)
        throw new ProblemError('payload-too-large', 'This offer is too long.');
      const { stream } = c.req.valid('query');
      const view = await watching.direct(c.get('principal'), device, {
        channel,
        stream,
        sdp: offer,
        check: async () => (await c.get('scopeNow')()).device(device.id, 'live'),
        left: c.req.raw.signal,
      });
      c.header('location', `/api/v1/viewings/${view.id}`);
      c.header('content-type', SDP);
      c.header('etag', view.etag);
      c.header('accept-patch', FRAGMENT);
      for (const link of view.links) c.header('link', link, { append: true });
      return c.body(view.sdp, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'patch',
      path: '/viewings/{viewId}',
      operationId: 'trickleLiveView',
      tags,
      summary: 'Later candidates of a direct live view',
      description:
        'An SDP fragment (RFC 8840) with the user name of the offer, and the `ETag` as `If-Match`. A connection is not restarted: `no-restart`.',
      request: { params: ViewParams, body: { required: true, content: { [FRAGMENT]: { schema: z.string() } } } },
      responses: {
        204: { description: 'Taken' },
        ...problems('not-found', 'payload-too-large', ...ofBox, 'unsupported-media-type'),
        ...problems('precondition-failed', 'precondition-required', 'no-restart'),
      },
    }),
    async (c) => {
      await watching.views.trickle(c.get('principal'), c.req.valid('param').viewId, {
        fragment: await c.req.text(),
        type: c.req.header('content-type'),
        ifMatch: c.req.header('if-match'),
      });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/viewings/{viewId}',
      operationId: 'endLiveView',
      tags,
      summary: 'End a direct live view',
      request: { params: ViewParams },
      responses: { 200: { description: 'It has ended' }, ...problems('not-found') },
    }),
    (c) => {
      watching.views.close(c.get('principal'), c.req.valid('param').viewId);
      return c.body(null, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/channels/{channel}/live/socket',
      operationId: 'streamLiveView',
      tags,
      summary: 'See a channel live through the relay (WebSocket)',
      description:
        'Binary messages: an MP4 init segment, then fragments from the group of pictures that runs. Why it ends comes as a note before it closes. Ask by upgrade; browsers with the session’s cookie from the portal’s own pages only.',
      request: {
        params: ChannelParams,
        query: z.object({
          stream: StreamName.default('main'),
          accept: z.string().max(32).default('h264').openapi({ description: 'What the player decodes: `h264,h265`' }),
          sound: z.enum(['aac']).optional().openapi({
            description: '`aac`: all sound stands in the MP4, for a file of it; the box makes AAC of G.711 meanwhile.',
          }),
        }),
      },
      responses: { 101: { description: 'A WebSocket' }, ...problems(...refusals) },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      const device = await watching.device(c.get('scope'), deviceId, 'live');
      const query = MediaQuery.safeParse({ ...c.req.valid('query'), deviceId, channel });
      if (!query.success) throw new ProblemError('invalid-request', 'accept: h264, h265 or both, by comma.');
      looked(c, channel);
      return watching.socket(c, device, query.data);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/viewings',
      operationId: 'listViewings',
      tags,
      summary: 'Who looked at which pictures of the site, when, by which way',
      description: 'Newest first, of the last 90 days; `endedAt` null goes on now.',
      request: {
        params: SiteParams,
        query: z.object({
          cursor: Uuid.optional(),
          deviceId: Uuid.optional(),
          from: Instant.optional(),
          to: Instant.optional(),
        }),
      },
      responses: {
        200: json(
          z
            .object({ items: z.array(Viewing.meta({ id: 'Viewing' })), nextCursor: z.string().nullable() })
            .meta({ id: 'Viewings' }),
          'One page',
        ),
        ...problems('not-found'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      return c.json(await watching.viewings.list(c.get('scope'), siteId, c.req.valid('query')), 200);
    },
  );
}
