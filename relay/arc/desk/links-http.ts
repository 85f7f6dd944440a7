import { Readable } from 'node:stream';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { ARC_LINKS_PATH, ArcLinkRequest, type DeskView } from '../../../protocol/wire/arc-desk.ts';
import { bodyLimit } from '../../api/body-limit.ts';
import { ProblemError, problemResponse } from '../../api/problem.ts';
import type { RemoteAddress } from '../../api/remote.ts';
import type { BoxAuthenticator } from '../../boxes/authenticate.ts';
import type { Clips } from '../../clips/clips.ts';
import { parseRange } from '../../clips/range.ts';
import type { Links } from './links.ts';

type Env = { Bindings: HttpBindings };

/**
 * What stands behind a short address: `/v/{token}/about` as JSON and `/v/{token}/video` as MP4; `/v/{token}` itself is a page
 * of the portal. And where boxes get such addresses.
 */
export function linkRoutes(deps: {
  links: Links;
  clips: Clips;
  authenticator: BoxAuthenticator;
  remote: RemoteAddress;
  log: Logger;
}): Hono<Env> {
  const { links, clips, log } = deps;
  const app = new Hono<Env>();

  app.get('/v/:token/about', async (c) => {
    const token = c.req.param('token');
    const { view, clip } = await links.open(token);
    const held = clip && (await clips.get(clip.scope, clip.id));
    await links.opened(token);
    c.header('cache-control', 'no-store');
    return c.json({
      ...view,
      clip: held && { state: held.state, durationMs: held.durationMs },
    } satisfies DeskView);
  });

  app.get('/v/:token/video', async (c) => {
    const { clip } = await links.open(c.req.param('token'));
    const opened = clip && (await clips.open(clip.scope, clip.id));
    if (!opened || opened.file === 'empty')
      throw new ProblemError('not-found', 'Nothing of this clip has arrived yet.');
    const { file } = opened;
    const headers: Record<string, string> = {
      'content-type': 'video/mp4',
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-store',
      etag: file.etag,
    };
    const range = parseRange(c.req.header('range'), file.size);
    if (range === 'unsatisfiable') {
      throw new ProblemError('range-not-satisfiable', undefined, {
        headers: { 'content-range': `bytes */${file.size}` },
      });
    }
    const { start, end } = range ?? { start: 0, end: file.size - 1 };
    headers['content-length'] = String(end - start + 1);
    if (range) headers['content-range'] = `bytes ${start}-${end}/${file.size}`;
    if (c.req.method === 'HEAD') return c.body(null, range ? 206 : 200, headers);
    const stream = Readable.from(file.read(start, end), { objectMode: false, highWaterMark: 256 * 1024 });
    return c.body(Readable.toWeb(stream) as ReadableStream<Uint8Array>, range ? 206 : 200, headers);
  });

  app.post(ARC_LINKS_PATH, bodyLimit(4096), async (c) => {
    const header = c.req.header('authorization');
    const auth = await deps.authenticator.authenticate(header, ARC_LINKS_PATH, deps.remote(c.env.incoming));
    if (!auth.ok) throw new ProblemError(auth.code);
    const request = ArcLinkRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) throw new ProblemError('invalid-request', request.error.issues[0]?.message);
    c.header('cache-control', 'no-store');
    return c.json(await links.forBox(auth.box.serial, request.data.accountId, request.data.eventId));
  });

  app.onError((error, c) => {
    if (error instanceof ProblemError) return problemResponse(error.code, error.detail, error);
    log.error({ err: error, path: c.req.path.replace(/^\/v\/[^/]+/, '/v/…') }, 'a short address could not be served');
    return problemResponse('internal-error');
  });
  return app;
}
