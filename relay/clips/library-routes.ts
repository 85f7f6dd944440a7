import { createRoute, z } from '@hono/zod-openapi';
import { page } from '../../protocol/wire/api.ts';
import {
  ClipDays,
  ClipDaysQuery,
  ClipQuery,
  ClipShare,
  ClipStorage,
  LibraryClip,
  MadeClipShare,
  NewClipShare,
} from '../../protocol/wire/clips.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import { VerificationCode } from '../../protocol/wire/verification-code.ts';
import type { Api } from '../api/app.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import type { BoxClient } from '../devices/box-client.ts';
import { SiteParams } from '../sites/routes.ts';
import type { ClipRow } from './clip-file.ts';
import type { Clips } from './clips.ts';
import type { ClipLibrary } from './library.ts';
import { type LockedLooks, lookAt } from './looks.ts';
import { posterOf } from './poster.ts';
import type { ClipShares } from './shares.ts';
import type { Sweeper } from './sweeper.ts';

const tags = ['Clips'];
const params = z.object({ clipId: Uuid });
const SEND_TIMEOUT_MS = 10_000;
const note = (clip: ClipRow) => ({
  siteId: clip.siteId,
  target: { kind: 'device', id: clip.deviceId },
  detail: clip.startedAt,
});

export function registerLibraryRoutes(
  app: Api,
  deps: {
    clips: Clips;
    library: ClipLibrary;
    shares: ClipShares;
    sweeper: Sweeper;
    box: BoxClient;
    looks: LockedLooks;
  },
): void {
  const { clips, library, shares } = deps;
  const { locks } = deps.looks;

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/clips',
      operationId: 'listClips',
      tags,
      summary: 'Clips of a site, newest first',
      request: { params: SiteParams, query: ClipQuery },
      responses: { 200: json(page(LibraryClip.meta({ id: 'LibraryClip' })), 'A page'), ...problems('not-found') },
    }),
    async (c) => c.json(await library.list(c.get('scope'), c.req.valid('param').siteId, c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/clips/days',
      operationId: 'listClipDays',
      tags,
      summary: 'Days of a month that have footage, by the site’s own clock',
      request: { params: SiteParams, query: ClipDaysQuery },
      responses: { 200: json(ClipDays, 'The days'), ...problems('not-found') },
    }),
    async (c) => {
      const { month, ...filter } = c.req.valid('query');
      return c.json(await library.days(c.get('scope'), c.req.valid('param').siteId, month, filter), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/clips/storage',
      operationId: 'getClipStorage',
      tags,
      summary: 'What a site’s footage takes',
      request: { params: SiteParams },
      responses: { 200: json(ClipStorage, 'The storage'), ...problems('not-found') },
    }),
    async (c) => c.json(await library.storage(c.get('scope'), c.req.valid('param').siteId), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/clips/{clipId}/about',
      operationId: 'describeClip',
      tags,
      summary: 'A clip as the library lists it: with its device’s name and what happened',
      request: { params },
      responses: { 200: json(LibraryClip, 'The clip'), ...problems('not-found') },
    }),
    async (c) => c.json(await library.get(c.get('scope'), c.req.valid('param').clipId), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/clips/{clipId}/poster',
      operationId: 'getClipPoster',
      tags,
      summary: 'The clip’s first picture, as an MP4 of one picture',
      request: { params },
      responses: {
        200: {
          description: 'The picture, as the camera coded it',
          content: { 'video/mp4': { schema: z.string().openapi({ format: 'binary' }) } },
        },
        304: { description: 'Unchanged (If-None-Match)' },
        ...problems('not-found', 'permission-needed', 'verification-code-needed'),
      },
    }),
    async (c) => {
      const { clip, file } = await clips.open(c.get('scope'), c.req.valid('param').clipId);
      await locks.must(c.get('principal'), clip.deviceId);
      const poster = file === 'empty' ? null : await posterOf(file);
      if (!poster) throw new ProblemError('not-found', 'There is no picture of this clip.');
      await lookAt(deps.looks, c.get('principal'), 'snapshot', clip);
      // It never changes; but whether it may be seen is asked each time.
      const headers = { 'content-type': 'video/mp4', etag: `"${clip.id}"`, 'cache-control': 'private, no-cache' };
      if (c.req.header('if-none-match') === headers.etag) return c.body(null, 304, headers);
      return c.body(new Uint8Array(poster), 200, headers);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/clips/{clipId}/unlock',
      operationId: 'unlockClip',
      tags,
      summary: 'Enter the verification code of the device that a clip is of',
      description:
        'As for live view: lets the asker’s session see this device until it ends, also what was recorded before the device was removed. Five wrong codes in ten minutes are the most.',
      request: { params, ...body(z.object({ code: VerificationCode })) },
      responses: {
        204: { description: 'Its pictures can be seen' },
        ...problems('not-found', 'permission-needed', 'verification-code-wrong', 'too-many-tries'),
      },
    }),
    async (c) => {
      const clip = await clips.toPlay(c.get('scope'), c.req.valid('param').clipId);
      c.set('audit', note(clip));
      await locks.open(c.get('principal'), clip.deviceId, c.req.valid('json').code);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/clips/{clipId}/send',
      operationId: 'sendClip',
      tags,
      summary: 'Have a clip sent that its box keeps',
      description:
        'On poor uplinks the main stream stays on the box until somebody wants it. `clip` says how it arrives.',
      request: { params },
      responses: {
        204: { description: 'The box sends it' },
        ...problems('not-found', 'permission-needed', 'conflict', 'box-unreachable', 'device-error'),
      },
    }),
    async (c) => {
      const clip = await clips.toPlay(c.get('scope'), c.req.valid('param').clipId);
      c.set('audit', note(clip));
      if (clip.boxState !== 'held') throw new ProblemError('conflict', 'This clip was sent already, or is being sent.');
      await deps.box.json(clip.boxSerial, z.unknown(), 'POST', `/v1/clips/${clip.id}/send`, {
        timeoutMs: SEND_TIMEOUT_MS,
      });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/clips/{clipId}',
      operationId: 'deleteClip',
      tags,
      summary: 'Delete a clip for good',
      description:
        'Needs the permission to configure its device as well. What the box still has of it is not taken any more.',
      request: { params },
      responses: { 204: { description: 'Deleted' }, ...problems('not-found', 'permission-needed') },
    }),
    async (c) => {
      const scope = c.get('scope');
      const clip = await clips.toPlay(scope, c.req.valid('param').clipId);
      c.set('audit', note(clip));
      if (!(await scope.holds(clip.siteId, clip.deviceId, 'configure'))) throw new ProblemError('permission-needed');
      await deps.sweeper.delete(clip.id);
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/clips/{clipId}/shares',
      operationId: 'listClipShares',
      tags,
      summary: 'Links by which a clip is shared',
      request: { params },
      responses: {
        200: json(z.object({ items: z.array(ClipShare.meta({ id: 'ClipShare' })) }), 'The links that are good'),
        ...problems('not-found', 'permission-needed'),
      },
    }),
    async (c) => c.json({ items: await shares.list(c.get('scope'), c.req.valid('param').clipId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/clips/{clipId}/shares',
      operationId: 'shareClip',
      tags,
      summary: 'Share a clip by a link that ends',
      description:
        'Who has the link needs neither an account nor the device’s verification code: who made it has entered that. It shows what they may still see; its address is told this once.',
      request: { params, ...body(NewClipShare) },
      responses: {
        201: json(MadeClipShare, 'The link'),
        ...problems('not-found', 'permission-needed', 'verification-code-needed', 'limit-reached'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      const clip = await clips.toPlay(scope, c.req.valid('param').clipId);
      c.set('audit', note(clip));
      await locks.must(c.get('principal'), clip.deviceId);
      c.set('secret', true);
      return c.json(await shares.make(scope, clip.id, c.req.valid('json')), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/clips/{clipId}/shares/{clipShareId}',
      operationId: 'endClipShare',
      tags,
      summary: 'Take a shared link back',
      request: { params: params.extend({ clipShareId: Uuid }) },
      responses: { 204: { description: 'It is useless now' }, ...problems('not-found', 'permission-needed') },
    }),
    async (c) => {
      const { clipId, clipShareId } = c.req.valid('param');
      const clip = await shares.revoke(c.get('scope'), clipId, clipShareId);
      c.set('audit', note(clip));
      return c.body(null, 204);
    },
  );
}
