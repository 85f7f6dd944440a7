import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { UploadGrants } from '../../protocol/wire/uploads.ts';
import { dropTestDatabase } from '../testing/database.ts';
import { addEvent, asBox, asUser, clipReport, ids, OTHER_SERIAL, SERIAL, startClipRelay } from './testing/relay.ts';
import { describe as fragmentOf } from './testing/sample.ts';

const SITE = '01980000-0000-7000-8000-0000000000aa';
const fragment = fragmentOf(Buffer.from('no MP4'), 1);

let dir: string;
let relay: Awaited<ReturnType<typeof startClipRelay>>;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-foreign-clips-'));
  relay = await startClipRelay({ dir });
  const site = { id: SITE, companyId: ids.otherUser, name: 'Other', sortName: 'other', timeZone: 'UTC', createdAt: '' };
  await relay.db.insertInto('sites').values(site).execute();
});
afterEach(async () => {
  await relay.stop();
  await dropTestDatabase(dir);
  rmSync(dir, { recursive: true });
});

const moveBox = (serial: string) =>
  relay.db.updateTable('boxes').set({ siteId: SITE, companyId: ids.otherUser }).where('serial', '=', serial).execute();
const clipRow = (id: string) => relay.db.selectFrom('clips').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

async function grant(clipId: string): Promise<UploadGrants['grants'][number]> {
  const { data: _, ...f } = fragment;
  const body = JSON.stringify({ fragments: [{ clipId, ...f }] });
  const answer = await fetch(`${relay.url}/box/v1/uploads`, { method: 'POST', headers: asBox(), body });
  return ((await answer.json()) as UploadGrants).grants[0]!;
}

function put({ url }: { url: string | null }): Promise<Response> {
  const headers = { 'x-gatepost-sha256': fragment.sha256 };
  return fetch(new URL(url!, relay.url), { method: 'PUT', headers, body: new Uint8Array(fragment.data) });
}

describe('a box that changed hands', () => {
  it('writes to no clip of its former site, not with an address of before either', async () => {
    const clipId = uuidv7();
    await relay.report(clipReport(clipId));
    const early = await grant(clipId);
    expect(early.url).not.toBeNull();
    const before = await clipRow(clipId);
    await moveBox(SERIAL);
    const report = clipReport(clipId, { state: 'incomplete', startedAt: '1999-01-01T00:00:00.000Z' });
    await expect(relay.report(report)).rejects.toThrow('another box');
    expect(await clipRow(clipId)).toEqual(before);
    expect(await grant(clipId)).toMatchObject({ stored: false, url: null });
    expect((await put(early)).status).toBe(409);
    expect(await relay.clips.fragments(clipId)).toEqual([]);
  });
});

describe('a box of another site', () => {
  it('puts no clip in the place of an event’s own', async () => {
    await addEvent(relay.db);
    await moveBox(OTHER_SERIAL);
    const clipId = uuidv7();
    await relay.report(clipReport(clipId));
    await relay.report(clipReport('00000000-0000-7000-8000-000000000001'), OTHER_SERIAL);
    expect((await relay.clips.forEvents([ids.event])).get(ids.event)?.id).toBe(clipId);
    await relay.db.deleteFrom('clips').where('id', '=', clipId).execute();
    expect((await relay.clips.forEvents([ids.event])).size).toBe(0);
  });
});

it('a clip that says it began in the future is kept no longer than one that begins now', async () => {
  const clipId = uuidv7();
  await relay.report(clipReport(clipId, { startedAt: '2099-01-01T00:00:00.000Z' }));
  expect(Number((await clipRow(clipId)).expiresMs)).toBeLessThan(Date.now() + 3651 * 86_400_000);
});

it('a clip whose time is over is found and played no more, swept or not', async () => {
  const clipId = uuidv7();
  await relay.report(clipReport(clipId));
  const status = async (path: string) => (await fetch(`${relay.url}/api/v1${path}`, { headers: asUser() })).status;
  const view = { id: uuidv7(), companyId: ids.company, siteId: ids.site, permission: 'view' as const };
  await relay.db
    .insertInto('grants')
    .values({ ...view, source: 'site' })
    .execute();
  const listed = async () =>
    (await (await fetch(`${relay.url}/api/v1/sites/${ids.site}/clips`, { headers: asUser() })).json()).items.length;
  expect([await status(`/clips/${clipId}`), await listed()]).toEqual([200, 1]);
  await relay.db
    .updateTable('clips')
    .set({ expiresMs: Date.now() - 1 })
    .execute();
  expect([await status(`/clips/${clipId}`), await status(`/clips/${clipId}/video`), await listed()]).toEqual([
    404, 404, 0,
  ]);
});

it('of a clip that is deleted while a part of it is sent, nothing stays', async () => {
  const clipId = uuidv7();
  await relay.report(clipReport(clipId));
  const may = { id: uuidv7(), companyId: ids.company, siteId: ids.site, permission: 'configure' as const };
  await relay.db
    .insertInto('grants')
    .values({ ...may, source: 'site' })
    .execute();
  const granted = await grant(clipId);
  const stored = relay.store.put.bind(relay.store);
  vi.spyOn(relay.store, 'put').mockImplementation(async (...of) => {
    const away = await fetch(`${relay.url}/api/v1/clips/${clipId}`, { method: 'DELETE', headers: asUser() });
    expect(away.status).toBe(204);
    await stored(...of);
  });
  expect((await put(granted)).status).toBe(200);
  expect(await relay.clips.fragments(clipId)).toEqual([]);
  expect(existsSync(join(dir, 'objects/clips', clipId, '1.m4s'))).toBe(false);
  expect(await relay.db.selectFrom('site_storage').select('bytes').execute()).toEqual([{ bytes: 0 }]);
});
