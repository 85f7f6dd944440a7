import { createRoute, z } from '@hono/zod-openapi';
import { Clip } from '../../protocol/wire/api.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { json, ProblemError, problems } from '../api/problem.ts';
import type { Leases } from '../auth/leases.ts';
import type { Clips } from './clips.ts';
import { type LockedLooks, lookAt } from './looks.ts';
import { serveClip, toWeb } from './serve.ts';

const tags = ['Clips'];
const params = z.object({ clipId: Uuid });
const binary = (description: string) => ({
  description,
  content: { 'video/mp4': { schema: z.string().openapi({ format: 'binary' }) } },
});

export function registerClipRoutes(
  app: Api,
  { clips, leases, looks }: { clips: Clips; leases: Leases; looks: LockedLooks },
): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/clips/{clipId}',
      operationId: 'getClip',
      tags,
      summary: 'A clip and how much of it has arrived',
      request: { params },
      responses: { 200: json(Clip, 'The clip'), ...problems('not-found') },
    }),
    async (c) => {
      const clip = await clips.get(c.get('scope'), c.req.valid('param').clipId);
      if (!clip) throw new ProblemError('not-found');
      return c.json(clip, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/clips/{clipId}/video',
      operationId: 'playClip',
      tags,
      summary: 'The clip as MP4, by range; while it arrives, what is there so far',
      description:
        'One MP4 file with an index, the pictures as the camera coded them. Until the clip is complete it grows: its ETag changes with every part.',
      request: {
        params,
        query: z.object({ download: z.string().max(8).optional().openapi({ description: 'Save instead of show.' }) }),
        headers: z.object({ range: z.string().max(128).optional(), 'if-range': z.string().max(128).optional() }),
      },
      responses: {
        200: binary('The whole file'),
        206: binary('The range asked for'),
        304: { description: 'Unchanged (If-None-Match)' },
        ...problems('not-found', 'permission-needed', 'verification-code-needed', 'range-not-satisfiable'),
      },
    }),
    async (c) => {
      const opened = await clips.open(c.get('scope'), c.req.valid('param').clipId);
      const { clip, file } = opened;
      await looks.locks.must(c.get('principal'), clip.deviceId);
      const save = c.req.valid('query').download !== undefined;
      c.set('audit', {
        siteId: clip.siteId,
        target: { kind: 'device', id: clip.deviceId },
        detail: clip.startedAt,
        always: save || 'looking',
      });
      if (file === 'empty') throw new ProblemError('not-found', 'Nothing of this clip has arrived yet.');
      const name = `clip-${clip.startedAt.replace(/[:.]/g, '-')}.mp4`;
      const request = { method: c.req.method, header: (header: string) => c.req.header(header) };
      const { status, headers, stream } = serveClip(file, request, {
        // Seen only by who is signed in, and asked for again whenever it is shown.
        'cache-control': 'private, no-cache',
        'content-disposition': `${save ? 'attachment' : 'inline'}; filename="${name}"`,
      });
      if (!stream || status === 304) return c.body(null, status, headers);
      await lookAt(looks, c.get('principal'), save ? 'download' : 'clip', clip).catch((error) => {
        stream.destroy();
        throw error;
      });
      const release = leases.hold(
        async () => {
          await clips.toPlay(await c.get('scopeNow')(), clip.id);
          await looks.locks.must(c.get('principal'), clip.deviceId);
        },
        () => stream.destroy(new Error('the permission to play this clip has ended')),
      );
      stream.once('close', release);
      return c.body(toWeb(stream), status, headers);
    },
  );
}
