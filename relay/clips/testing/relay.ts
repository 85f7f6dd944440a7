import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { type Logger, pino } from 'pino';
import { type Clock, iso, systemClock } from '../../../protocol/clock.ts';
import type { ClipReport } from '../../../protocol/wire/event.ts';
import { createApi } from '../../api/app.ts';
import type { RateLimits } from '../../api/rate-limit.ts';
import { OperationLog } from '../../audit/operation-log.ts';
import { Leases } from '../../auth/leases.ts';
import { Vault } from '../../auth/vault.ts';
import type { Db } from '../../db/database.ts';
import { SiteWarnables } from '../../health/warnables.ts';
import { ApiKeys } from '../../keys/keys.ts';
import { Live } from '../../live/live.ts';
import { openTestDatabase } from '../../testing/database.ts';
import { PictureLocks } from '../../video/picture-locks.ts';
import { Viewings } from '../../video/viewings.ts';
import { AwaitedObjects } from '../awaited-objects.ts';
import { Clips } from '../clips.ts';
import { Grants } from '../grants.ts';
import { Joiner } from '../joiner.ts';
import { ClipLibrary } from '../library.ts';
import { registerLibraryRoutes } from '../library-routes.ts';
import { IntoBucket, IntoFolder } from '../move-ways.ts';
import { Mover } from '../mover.ts';
import { FolderStore } from '../object-store.ts';
import { registerClipRoutes } from '../routes.ts';
import { type S3Options, S3Store } from '../s3-store.ts';
import { sharedRoutes } from '../shared-http.ts';
import { ClipShares } from '../shares.ts';
import { SiteKeys } from '../site-keys.ts';
import { Sweeper } from '../sweeper.ts';
import { TwoPlaces } from '../two-places.ts';
import { uploadRoutes } from '../upload-routes.ts';

export const ids = {
  company: '01980000-0000-7000-8000-000000000001',
  site: '01980000-0000-7000-8000-000000000002',
  user: '01980000-0000-7000-8000-000000000003',
  otherUser: '01980000-0000-7000-8000-000000000004',
  device: '01980000-0000-7000-8000-000000000005',
  event: '01980000-0000-7000-8000-000000000006',
};
export const SERIAL = 'ACDEFGHJK';
export const OTHER_SERIAL = 'ACDEFGHJM';
/** The other user is of another company. */
const companyOf = (userId: string) => (userId === ids.otherUser ? ids.otherUser : ids.company);
export const asUser = (user = ids.user) => ({ authorization: `Bearer token-of-user-${user}` });
export const asBox = (serial = SERIAL) => ({ authorization: `Gatepost ${serial}`, 'content-type': 'application/json' });

/**
 * Clips, uploads and the API over real HTTP, database and folder, with a company, a site, a box of it and a foreign box.
 * Only who asks is taken at their word.
 */
export async function startClipRelay(o: {
  dir: string;
  host?: string;
  port?: number;
  clock?: Clock;
  log?: Logger;
  reserveBytes?: number;
  s3?: S3Options;
  retentionDays?: number;
  mover?: { bytesPerSecond: number };
  limits?: RateLimits;
  /** Complete clips stay as they came. */
  joins?: false;
}) {
  const { host = '127.0.0.1', clock = systemClock, log = pino({ level: 'silent' }) } = o;
  const db = await openTestDatabase(o.dir);
  await seed(db);
  const files = new FolderStore({ dir: join(o.dir, 'objects'), reserveBytes: o.reserveBytes ?? 0 });
  await files.start();
  const s3 = o.s3 ? new S3Store({ options: o.s3, clock }) : null;
  const retired = o.s3?.retired === true;
  const direct = retired ? null : s3;
  const places = s3 && new TwoPlaces({ files, s3, retired });
  const store = places ?? files;
  const live = new Live();
  const vault = new Vault({ dir: o.dir });
  vault.start();
  const keys = new SiteKeys({ db, clock, vault });
  const retentionDays = async () => o.retentionDays ?? 3650;
  const clips = new Clips({ db, store, keys, retentionDays, clock, log, live });
  const parts = s3 && { files, s3, clock, ...o.mover };
  const way = parts && (o.s3?.takeBack ? new IntoFolder({ ...parts, db, of: o.s3! }) : new IntoBucket(parts));
  const mover = places && way && new Mover({ way, places, clock, log });
  mover?.start();
  const awaited = new AwaitedObjects({ db, clock });
  const sweeper = new Sweeper({ db, store, clips, awaited, clock, log });
  const forget = (clipId: string) => sweeper.forget(clipId);
  const joiner = new Joiner({ db, store, clips, clock, log, lists: direct !== null, forget });
  if (o.joins !== false) joiner.start();
  sweeper.start();
  const viewings = new Viewings({ db, clock, log });
  await viewings.start();
  const locks = new PictureLocks({ db, clock });
  const looks = { db, viewings, locks };
  const shares = new ClipShares({ db, clips, clock, publicUrl: () => null });
  const warnables = new SiteWarnables({ db, clock, log });
  const grants = new Grants({ clock });
  /** People whose sessions were ended. */
  const revoked = new Set<string>();
  /** What was asked of boxes. */
  const boxAsked: unknown[][] = [];
  const authenticator = {
    authenticate: async (header: string | undefined) => {
      const serial = header?.split(' ')[1] ?? '';
      const row = await db.selectFrom('boxes').selectAll().where('serial', '=', serial).executeTakeFirst();
      if (!row?.siteId) return { ok: false, code: 'box-not-authenticated' };
      return { ok: true, box: { serial, siteId: row.siteId, companyId: ids.company, boot: '', epoch: 1 } };
    },
  };
  const sessions = {
    find: async (token: string) => {
      const userId = token.slice('token-of-user-'.length);
      if (revoked.has(userId)) return null;
      return { userId, companyId: companyOf(userId), admin: true, limited: false, permissions: new Set() };
    },
  };
  const remote = () => '127.0.0.1';
  const access = { sessions: sessions as never, keys: new ApiKeys({ db, clock, log, sessions: sessions as never }) };
  const operationLog = new OperationLog({ db, clock, log });
  const api = createApi({ db, clock, log, ...access, operationLog, remote });
  const leases = new Leases({ clock });
  registerClipRoutes(api, { clips, leases, looks });
  const box = { json: async (...asked: unknown[]) => void boxAsked.push(asked) } as never;
  const library = new ClipLibrary({ db, clips, clock });
  registerLibraryRoutes(api, { clips, library, shares, sweeper, box, looks });
  const uploads = uploadRoutes({
    db,
    store,
    direct,
    clips,
    awaited,
    forget,
    grants,
    authenticator: authenticator as never,
    warnables,
    remote,
    log,
  });
  const shared = sharedRoutes({ db, clips, shares, leases, looks, clock, remote, limits: o.limits, log });
  const app = new Hono().route('/box/v1/uploads', uploads).route('/', shared).route('/', api);
  const server = http.createServer(getRequestListener(app.fetch as never));
  await new Promise<void>((resolve) => server.listen(o.port ?? 0, host, resolve));
  let seq = 0;
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    server,
    db,
    store,
    clips,
    keys,
    boxAsked,
    revoked,
    locks,
    live,
    grants,
    warnables,
    sweeper,
    /** What the ingestion does with a clip report. */
    async report(body: ClipReport, serial = SERIAL, number = ++seq): Promise<void> {
      const { siteId } = await db
        .selectFrom('boxes')
        .select('siteId')
        .where('serial', '=', serial)
        .executeTakeFirstOrThrow();
      seq = Math.max(seq, number);
      const record = { kind: 'clip' as const, seq: number, id: body.id, at: iso(clock.now()), body };
      await db.transaction().execute((trx) => clips.applyReport(trx, { serial, siteId: siteId! }, record));
      await clips.changed([body.id]);
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await sweeper.stop();
      await joiner.stop();
      await mover?.stop();
      await viewings.stop();
      await db.destroy();
    },
  };
}

export function clipReport(id: string, change: Partial<ClipReport> = {}): ClipReport {
  return {
    id,
    deviceId: ids.device,
    channel: 1,
    kind: 'event',
    stream: 'main',
    twinId: null,
    keyId: null,
    audioCodec: null,
    gaps: [],
    eventIds: [ids.event],
    state: 'recording',
    startedAt: '2026-03-01T12:00:00.000Z',
    preRollMs: 5000,
    durationMs: 6000,
    codec: 'avc1.64001f',
    width: 320,
    height: 240,
    fragments: null,
    reason: null,
    ...change,
  };
}

/** The event of {@link clipReport}, as its box reported it. */
export async function addEvent(db: Db): Promise<void> {
  const of = { siteId: ids.site, boxSerial: SERIAL, deviceId: ids.device, channel: 1, endedAt: null, text: null };
  const at = '2026-03-01T12:00:05.000Z';
  const times = { occurredAt: at, seenAt: at, receivedAt: at, deviceTime: null, sourceRef: null };
  await db
    .insertInto('events')
    .values({ ...of, ...times, id: ids.event, type: 'lineCrossing' })
    .execute();
}

async function seed(db: Db): Promise<void> {
  const createdAt = iso(0);
  const once = (c: { doNothing: () => unknown }) => c.doNothing() as never;
  for (const id of [ids.company, ids.otherUser])
    await db.insertInto('companies').values({ id, name: 'Alarm Ltd', createdAt }).onConflict(once).execute();
  const site = { id: ids.site, companyId: ids.company, name: 'Depot', sortName: 'depot', timeZone: 'UTC', createdAt };
  await db.insertInto('sites').values(site).onConflict(once).execute();
  for (const id of [ids.user, ids.otherUser]) {
    const user = { id, companyId: companyOf(id), email: `${id}@example.org`, name: 'A', passwordHash: '', createdAt };
    await db.insertInto('users').values(user).onConflict(once).execute();
  }
  const grant = {
    id: ids.user,
    companyId: ids.company,
    siteId: ids.site,
    permission: 'playback' as const,
    source: 'site' as const,
  };
  await db.insertInto('grants').values(grant).onConflict(once).execute();
  for (const serial of [SERIAL, OTHER_SERIAL]) {
    const keys = {
      publicKey: '',
      sealKey: '',
      codeHash: '',
      version: null,
      boot: null,
      epoch: null,
      enrolledMs: 0,
      seenMs: null,
    };
    const box = { serial, ...keys, state: 'claimed' as const, siteId: ids.site, companyId: ids.company };
    await db.insertInto('boxes').values(box).onConflict(once).execute();
  }
}
