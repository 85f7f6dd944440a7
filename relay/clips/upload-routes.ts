import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Logger } from 'pino';
import {
  type FragmentInfo,
  type UploadGrants,
  UploadRequest,
  type UploadsStored,
} from '../../protocol/wire/uploads.ts';
import { ProblemError, problemResponse } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { BoxAuthenticator } from '../boxes/authenticate.ts';
import type { Db } from '../db/database.ts';
import type { SiteWarnables } from '../health/warnables.ts';
import type { AwaitedObjects } from './awaited-objects.ts';
import type { Clips } from './clips.ts';
import type { Granted, Grants } from './grants.ts';
import { fragmentKey, type ObjectStore, StoreError } from './object-store.ts';
import type { S3Store } from './s3-store.ts';

const MAX_REQUEST_BYTES = 64 * 1024;
/** A body that stands still for so long is given up; a paced one moves every second. */
const IDLE_MS = 60_000;

type Env = { Bindings: HttpBindings };

/** Where boxes put clip fragments (protocol/wire/uploads.ts); mounted at /box/v1/uploads. */
export function uploadRoutes(deps: {
  db: Db;
  store: ObjectStore;
  /** Boxes put fragments there themselves; null: the relay takes them. */
  direct: S3Store | null;
  clips: Clips;
  awaited: AwaitedObjects;
  /** Deletes what is stored of a clip. */
  forget: (clipId: string) => Promise<void>;
  grants: Grants;
  authenticator: BoxAuthenticator;
  warnables: SiteWarnables;
  remote: RemoteAddress;
  log: Logger;
}): Hono<Env> {
  const { db, store, direct, clips, awaited, forget, grants, warnables } = deps;
  const log = deps.log.child({ module: 'uploads' });
  const app = new Hono<Env>();
  /** Uploads of one object run one after the other, so that what is stored and what is noted cannot differ. */
  const writing = new Map<string, Promise<unknown>>();

  /** What a box asks of fragments; the same proof is good for both questions. */
  async function asked(c: Context<Env>): Promise<{ serial: string; siteId: string; fragments: FragmentInfo[] }> {
    if (!(Number(c.req.header('content-length')) <= MAX_REQUEST_BYTES)) throw new ProblemError('payload-too-large');
    const auth = await deps.authenticator.authenticate(
      c.req.header('authorization'),
      '/box/v1/uploads',
      deps.remote(c.env.incoming),
    );
    if (!auth.ok) throw new ProblemError(auth.code);
    const request = UploadRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) throw new ProblemError('invalid-request', request.error.issues[0]?.message);
    const { serial, siteId } = auth.box;
    return { serial, siteId, fragments: request.data.fragments };
  }

  app.post('/', async (c) => {
    const { serial, siteId, fragments } = await asked(c);
    const answer: UploadGrants['grants'] = [];
    const owned = new Map<string, 'own' | 'other' | 'deleted'>();
    for (const f of fragments) {
      const { clipId, n } = f;
      const clip = owned.get(clipId) ?? (await whose(clipId, { serial, siteId }));
      owned.set(clipId, clip);
      const state = clip === 'own' ? await held(f) : clip;
      const none = { clipId, n, headers: {}, confirm: false };
      if (state === 'none' && direct) {
        await awaited.add(clipId, n);
        answer.push({ clipId, n, stored: false, confirm: true, ...(await direct.grant(fragmentKey(clipId, n), f)) });
      } else if (state === 'none') answer.push({ ...none, stored: false, ...grants.sign(serial, f) });
      // Of a deleted clip nothing is wanted any more: the box may forget it.
      else answer.push({ ...none, stored: state !== 'other', url: null, expiresInMs: 0 });
      if (state === 'other') log.warn({ serial, clipId, n }, 'no grant: this is another’s, or differs');
    }
    return c.json({ grants: answer } satisfies UploadGrants);
  });

  app.post('/stored', async (c) => {
    const { serial, siteId, fragments } = await asked(c);
    const answer: UploadsStored['fragments'] = [];
    for (const f of fragments) {
      const { clipId, n } = f;
      const key = fragmentKey(clipId, n);
      while (writing.has(key)) await writing.get(key)?.catch(() => {});
      const work = confirm(f, key, serial, siteId);
      writing.set(key, work);
      try {
        answer.push({ clipId, n, stored: await work });
      } finally {
        writing.delete(key);
      }
    }
    return c.json({ fragments: answer } satisfies UploadsStored);
  });

  app.put('/:clipId/:n', async (c) => {
    const granted = grants.verify(c.req.param(), c.req.query());
    if (!granted) throw new ProblemError('not-allowed', 'This address is not good any more: ask for a new one.');
    const { size, sha256 } = granted;
    if (Number(c.req.header('content-length')) !== size || c.req.header('x-gatepost-sha256') !== sha256) {
      throw new ProblemError('invalid-request', 'Length and hash must be those that were granted.');
    }
    const key = fragmentKey(granted.clipId, granted.n);
    while (writing.has(key)) await writing.get(key)?.catch(() => {});
    const work = take(granted, key, () => bodyOf(c.env, c.req.raw));
    writing.set(key, work);
    try {
      await work;
    } finally {
      writing.delete(key);
    }
    return c.json({ size });
  });

  async function held({
    clipId,
    n,
    sha256,
  }: Pick<Granted, 'clipId' | 'n' | 'sha256'>): Promise<'none' | 'same' | 'other'> {
    const row = await db
      .selectFrom('clip_fragments')
      .select('sha256')
      .where('clipId', '=', clipId)
      .where('n', '=', n)
      .executeTakeFirst();
    if (row) return row.sha256 === sha256 ? 'same' : 'other';
    return (await clips.whole(clipId)) ? 'same' : 'none';
  }

  async function whose(clipId: string, box: { serial: string; siteId: string }): Promise<'own' | 'other' | 'deleted'> {
    if (!(await clips.belongsTo(db, clipId, box))) return 'other';
    return (await clips.deleted(clipId)) ? 'deleted' : 'own';
  }

  /** Looks at what a box says it put into the object store. */
  async function confirm(f: FragmentInfo, key: string, serial: string, siteId: string): Promise<boolean> {
    const { clipId, n } = f;
    const clip = await whose(clipId, { serial, siteId });
    const state = clip === 'own' ? await held(f) : clip;
    if (state === 'deleted') await direct?.delete(key);
    if (state !== 'none') return state !== 'other';
    // One that nobody waits for any more is being deleted: the box asks for a new address.
    if (!direct || !(await awaited.again(clipId, n))) return false;
    const found = await direct.look(key, f).catch((error) => {
      // That it cannot be used is told once, elsewhere; the box asks again.
      log.info({ serial, clipId, n, reason: String(error) }, 'the object store could not be asked for a part');
      throw new ProblemError('internal-error', 'The object store cannot be asked whether it has the part.');
    });
    if (found === 'other') {
      log.warn({ serial, clipId, n }, 'an object is not what its hash says: it was damaged on the way');
      await direct.delete(key);
    }
    if (found !== 'same') return false;
    await clips.fragmentStored({ ...f, boxSerial: serial }, siteId);
    await awaited.arrived(clipId, n);
    await dropIfDeleted(clipId);
    return true;
  }

  async function take(granted: Granted, key: string, body: () => AsyncIterable<Uint8Array>): Promise<void> {
    const { box, ...fragment } = granted;
    const row = await db.selectFrom('boxes').select(['state', 'siteId']).where('serial', '=', box).executeTakeFirst();
    // An address given before outlives neither a revocation nor a change of hands.
    if (!row?.siteId || row.state !== 'claimed') throw new ProblemError('box-revoked');
    const clip = await whose(fragment.clipId, { serial: box, siteId: row.siteId });
    const state = clip === 'own' ? await held(fragment) : clip;
    if (state === 'other') throw new ProblemError('conflict', 'Something else is stored under this name.');
    if (state !== 'none') return;
    try {
      await store.put(key, body(), fragment);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code === 'mismatch') throw new ProblemError('invalid-request', error.message);
      log.error({ serial: box, clipId: fragment.clipId }, 'no room for clips');
      await warnables.raise(row.siteId, {
        code: 'relay-storage-full',
        subject: 'relay',
        severity: 'error',
        text: 'The relay has no room for clips. They wait on the boxes: enlarge the storage of the relay.',
        forMs: 120_000,
      });
      throw new ProblemError('storage-full', 'Clips wait on the box until there is room.');
    }
    await clips.fragmentStored({ ...fragment, boxSerial: box }, row.siteId);
    await dropIfDeleted(fragment.clipId);
  }

  /** Somebody deleted the clip while this part of it was on its way. */
  async function dropIfDeleted(clipId: string): Promise<void> {
    if (await clips.deleted(clipId)) await forget(clipId);
  }

  app.onError((error, c) => {
    if (error instanceof ProblemError) return problemResponse(error.code, error.detail, error);
    // The box's connection ended in the middle: nobody reads the answer.
    if (c.req.method === 'PUT' && c.env.incoming?.destroyed) log.info({ reason: String(error) }, 'an upload was cut');
    else log.error({ err: error, path: c.req.path }, 'an upload failed');
    return problemResponse('internal-error');
  });
  return app;
}

/** The request's bytes as Node has them; through a web stream only where there is no Node request (tests). */
function bodyOf(env: Env['Bindings'] | undefined, request: Request): AsyncIterable<Uint8Array> {
  const { incoming } = env ?? {};
  if (!incoming) return request.body ?? (async function* () {})();
  incoming.setTimeout(IDLE_MS, () => incoming.destroy(new Error('the upload stood still')));
  return incoming;
}
