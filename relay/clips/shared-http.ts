import type { HttpBindings } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { SharedClip } from '../../protocol/wire/clips.ts';
import { ProblemError, problemResponse } from '../api/problem.ts';
import { RATE_LIMITS, type RateLimits, rateLimit } from '../api/rate-limit.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { Leases } from '../auth/leases.ts';
import type { Db } from '../db/database.ts';
import type { Clips } from './clips.ts';
import { type Looks, lookAt } from './looks.ts';
import { serveClip, toWeb } from './serve.ts';
import type { ClipShares } from './shares.ts';

type Env = { Bindings: HttpBindings };

/** Of one link; a player needs two or three. */
const MOST_AT_ONCE = 20;

/** `/s/{token}/about` as JSON and `/s/{token}/video` as MP4 by range; `/s/{token}` itself is a page of the portal. */
export function sharedRoutes(deps: {
  db: Db;
  clips: Clips;
  shares: ClipShares;
  leases: Leases;
  looks: Looks;
  clock: Clock;
  remote: RemoteAddress;
  limits?: RateLimits;
  log: Logger;
}): Hono<Env> {
  const { db, clips, shares, leases, looks, clock, remote, limits = RATE_LIMITS, log } = deps;
  const app = new Hono<Env>();
  const running = new Map<string, number>();
  // As for everything else that nobody has to sign in for.
  app.use('/s/:token/*', rateLimit({ clock, limits, remote }) as unknown as MiddlewareHandler<Env>);

  app.get('/s/:token/about', async (c) => {
    const { clip, scope, share } = await shares.open(c.req.param('token'));
    const names = await db
      .selectFrom('sites as s')
      .leftJoin('devices as d', (join) => join.onRef('d.siteId', '=', 's.id').on('d.id', '=', clip.deviceId))
      .select(['s.timeZone', 'd.name'])
      .where('s.id', '=', clip.siteId)
      .executeTakeFirst();
    const { file } = await clips.open(scope, clip.id);
    await shares.viewed(share.id);
    c.header('cache-control', 'no-store');
    c.header('referrer-policy', 'no-referrer');
    return c.json({
      deviceName: names?.name ?? null,
      channel: clip.channel,
      startedAt: clip.startedAt,
      durationMs: Number(clip.durationMs),
      timeZone: names?.timeZone ?? 'UTC',
      codec: clip.codec,
      expiresAt: iso(share.untilMs),
      empty: file === 'empty',
    } satisfies SharedClip);
  });

  app.get('/s/:token/video', async (c) => {
    const token = c.req.param('token');
    const { clip, scope, share } = await shares.open(token);
    const { file } = await clips.open(scope, clip.id);
    if (file === 'empty') throw new ProblemError('not-found', 'Nothing of this clip has arrived yet.');
    const { status, headers, stream } = serveClip(
      file,
      { method: c.req.method, header: (name) => c.req.header(name) },
      {
        'cache-control': 'private, no-store',
        'referrer-policy': 'no-referrer',
      },
    );
    if (!stream || status === 304) return c.body(null, status, headers);
    const others = running.get(share.id) ?? 0;
    if (others >= MOST_AT_ONCE) {
      stream.destroy();
      throw new ProblemError('too-many-requests', 'Many people look at this clip at the moment: try again soon.');
    }
    running.set(share.id, others + 1);
    stream.once('close', () => {
      const left = (running.get(share.id) ?? 1) - 1;
      if (left > 0) running.set(share.id, left);
      else running.delete(share.id);
    });
    await lookAt(looks, { link: share.note }, 'clip', clip).catch((error) => {
      stream.destroy();
      throw error;
    });
    const release = leases.hold(
      () => shares.open(token),
      () => stream.destroy(new Error('the link has ended')),
    );
    stream.once('close', release);
    return c.body(toWeb(stream), status, headers);
  });

  app.onError((error) => {
    if (error instanceof ProblemError) return problemResponse(error.code, error.detail, error);
    log.error({ err: error }, 'a shared clip could not be served');
    return problemResponse('internal-error');
  });
  return app;
}
