import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { FIRMWARE_PATH } from '../../protocol/wire/firmware.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import { ProblemError, problemResponse } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { BoxAuthenticator } from '../boxes/authenticate.ts';
import { firmwareKey, type ObjectStore } from '../clips/object-store.ts';
import type { Db } from '../db/database.ts';
import type { Catalogue } from './catalogue.ts';

/** A body that stands still for so long is given up. */
const IDLE_MS = 60_000;
type Env = { Bindings: HttpBindings };

const answering = (app: Hono<Env>) => {
  app.onError((error) => {
    if (error instanceof ProblemError) return problemResponse(error.code, error.detail, error);
    throw error;
  });
  return app;
};

/** Where browsers put packages, at the address that they were given; mounted at /firmware-uploads. */
export function packageUploads({ catalogue }: { catalogue: Catalogue }): Hono<Env> {
  const app = answering(new Hono<Env>());
  app.put('/:id/:token', async (c) => {
    const { id, token } = c.req.param();
    const length = Number(c.req.header('content-length'));
    if (!Uuid.safeParse(id).success || !(length > 0)) throw new ProblemError('invalid-request', 'Send the file whole.');
    const { incoming } = c.env;
    incoming.setTimeout(IDLE_MS, () => incoming.destroy(new Error('the upload stood still')));
    return c.json(await catalogue.take(id, token, length, incoming));
  });
  return app;
}

/** Where boxes fetch the firmware of an upgrade; mounted at /box/v1/firmware. */
export function firmwareDownloads(deps: {
  db: Db;
  catalogue: Catalogue;
  store: ObjectStore;
  authenticator: BoxAuthenticator;
  remote: RemoteAddress;
}): Hono<Env> {
  const app = answering(new Hono<Env>());
  app.get('/:id', async (c) => {
    const header = c.req.header('authorization');
    const auth = await deps.authenticator.authenticate(header, FIRMWARE_PATH, deps.remote(c.env.incoming));
    if (!auth.ok) throw new ProblemError(auth.code);
    const id = Uuid.safeParse(c.req.param('id'));
    const box = await deps.db
      .selectFrom('boxes')
      .select('companyId')
      .where('serial', '=', auth.box.serial)
      .executeTakeFirst();
    const row = id.success ? await deps.catalogue.forBox(id.data, box?.companyId ?? null) : null;
    if (!row) throw new ProblemError('not-found');
    const size = Number(row.firmwareSize);
    const start = Number(/^bytes=(\d{1,12})-$/.exec(c.req.header('range') ?? '')?.[1] ?? 0);
    if (start >= size) throw new ProblemError('range-not-satisfiable');
    const body = stream(deps.store.read(firmwareKey(row.id), start, size - 1));
    return c.body(body, 206, {
      'content-type': 'application/octet-stream',
      'content-length': String(size - start),
      'content-range': `bytes ${start}-${size - 1}/${size}`,
    });
  });
  return app;
}

/** Read as fast as it is taken, and let go of when nobody takes it any more. */
export function stream(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
