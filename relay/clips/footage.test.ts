import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { clipObjectId, openObject, sealBytes } from '../../protocol/codec/object-cipher.ts';
import type { Clip } from '../../protocol/wire/api.ts';
import type { LibraryClip, MadeClipShare } from '../../protocol/wire/clips.ts';
import type { ClipReport } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { UploadGrants, UploadsStored } from '../../protocol/wire/uploads.ts';
import { addEvent, asBox, asUser, clipReport, ids, SERIAL, startClipRelay } from './testing/relay.ts';
import { SmallS3 } from './testing/s3.ts';
import { type SampleFragment, sampleClip } from './testing/sample.ts';

let sample: SampleFragment[];
let dir: string;
let relay: Awaited<ReturnType<typeof startClipRelay>>;
let small: SmallS3 | null = null;
let clipId: string;

beforeAll(() => {
  sample = sampleClip({ seconds: 3 });
});
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-footage-'));
  relay = await startClipRelay({ dir });
  clipId = uuidv7();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await relay.stop();
  await small?.stop();
  small = null;
  rmSync(dir, { recursive: true });
});

async function withS3(): Promise<SmallS3> {
  await relay.stop();
  small = await new SmallS3().start();
  relay = await startClipRelay({ dir, s3: small.options });
  return small;
}

const siteKey = () => relay.keys.ofSite(relay.db, ids.site);

/** The fragments as a box makes them: encrypted, with the hash of what is sent. */
async function sealed(id = clipId): Promise<SampleFragment[]> {
  const { key } = await siteKey();
  return sample.map((f) => {
    const data = sealBytes(key, clipObjectId(id, f.n), f.data);
    return { ...f, data, size: data.length, sha256: createHash('sha256').update(data).digest('hex') };
  });
}

const ask = async (path: string, fragments: SampleFragment[], id = clipId) => {
  const body = JSON.stringify({ fragments: fragments.map(({ data: _, ...f }) => ({ clipId: id, ...f })) });
  const response = await fetch(`${relay.url}/box/v1/uploads${path}`, { method: 'POST', headers: asBox(), body });
  expect(response.status).toBe(200);
  return response.json();
};
const grant = async (fragments: SampleFragment[], id = clipId) =>
  ((await ask('', fragments, id)) as UploadGrants).grants;
const confirm = async (fragments: SampleFragment[]) =>
  ((await ask('/stored', fragments)) as UploadsStored).fragments.map((f) => f.stored);
const put = async (granted: UploadGrants['grants'][number], f: SampleFragment, data = f.data) =>
  (
    await fetch(new URL(granted.url!, relay.url), {
      method: 'PUT',
      headers: granted.confirm ? granted.headers : { 'x-gatepost-sha256': f.sha256 },
      body: new Uint8Array(data),
    })
  ).status;

async function upload(fragments: SampleFragment[], id = clipId): Promise<void> {
  const grants = await grant(fragments, id);
  for (const [i, f] of fragments.entries()) expect(await put(grants[i]!, f)).toBe(200);
}

const api = (method: string, path: string, { user = ids.user, body }: { user?: string; body?: unknown } = {}) =>
  fetch(`${relay.url}/api/v1${path}`, {
    method,
    headers: { ...asUser(user), ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());
const probe = (data: Buffer) => {
  const path = join(dir, 'probe.mp4');
  writeFileSync(path, data);
  const args = ['-v', 'error', '-count_frames', '-show_entries', 'stream=codec_name,nb_read_frames', '-of', 'json'];
  const { streams } = JSON.parse(execFileSync('ffprobe', [...args, path]).toString());
  return { codec: streams[0].codec_name, pictures: Number(streams[0].nb_read_frames) };
};
const ended = async (more: Partial<ClipReport> = {}) =>
  clipReport(clipId, { state: 'ended', fragments: 3, durationMs: 3000, keyId: (await siteKey()).id, ...more });
async function device(): Promise<void> {
  const row = { id: ids.device, siteId: ids.site, boxSerial: SERIAL, name: 'Gate', kind: 'isapi' as const };
  const rest = {
    mac: null,
    serial: null,
    host: '10.0.0.9',
    httpPort: 80,
    username: 'a',
    createdAt: '',
    deletedAt: null,
  };
  await relay.db
    .insertInto('devices')
    .values({ ...row, ...rest })
    .execute();
}
const used = async () => Number((await relay.db.selectFrom('site_storage').select('bytes').executeTakeFirst())?.bytes);
const allow = (permission: 'configure' | 'own', id = uuidv7()) =>
  relay.db
    .insertInto('grants')
    .values({ id, companyId: ids.company, siteId: ids.site, permission, source: 'site' })
    .execute();

describe('encrypted footage', () => {
  it('is stored as it came, joined encrypted, and played in any range as if it were not (CLOUD-02)', async () => {
    await upload(sample, uuidv7());
    const fragments = await sealed();
    await upload(fragments);
    await relay.report(await ended());
    const whole = await bytes(await api('GET', `/clips/${clipId}/video`));
    expect(probe(whole)).toEqual({ codec: 'h264', pictures: 75 });
    expect(whole.subarray(-sample[3]!.size)).toEqual(sample[3]!.data);
    const joined = join(dir, 'objects/clips', clipId, 'video.mp4');
    await vi.waitFor(() => expect(existsSync(joined)).toBe(true));
    await vi.waitFor(() => expect(existsSync(join(dir, 'objects/clips', clipId, '1.m4s'))).toBe(false));
    const atRest = readFileSync(joined);
    expect([atRest.toString('latin1', 0, 4), atRest.includes('ftyp'), atRest.includes('moof')]).toEqual([
      'GPE1',
      false,
      false,
    ]);
    expect(openObject((await siteKey()).key, `clips/${clipId}/video`, atRest)).toEqual(whole);
    for (const [from, to] of [
      [0, 0],
      [17, 4000],
      [whole.length - 20_000, whole.length - 1],
      [80_001, 100_000],
    ] as const) {
      const headers = { ...asUser(), range: `bytes=${from}-${to}` };
      const part = await fetch(`${relay.url}/api/v1/clips/${clipId}/video`, { headers });
      expect(await bytes(part)).toEqual(whole.subarray(from, to + 1));
    }
  });

  it('leaves no rows of its fragments once it is joined; what the site takes is what is stored', async () => {
    const fragments = await sealed();
    await upload(fragments);
    const [row] = await relay.clips.fragments(clipId).then((rows) => rows.filter((r) => r.n === 1));
    expect(row).toMatchObject({ ticks: expect.any(Number), size: fragments[1]!.size });
    await relay.report(await ended());
    await expect.poll(() => relay.clips.fragments(clipId)).toEqual([]);
    expect(await used()).toBe(statSync(join(dir, 'objects/clips', clipId, 'video.mp4')).size);
    // Its box may offer parts again, also such as it coded anew: the clip is whole.
    expect((await grant(fragments)).map((one) => one.stored)).toEqual([true, true, true, true]);
    const about = (await (await api('GET', `/clips/${clipId}`)).json()) as Clip;
    expect(about).toMatchObject({ state: 'complete', storedFragments: 3 });
    await allow('configure');
    await device();
    expect((await api('DELETE', `/clips/${clipId}`)).status).toBe(204);
    expect(await used()).toBe(0);
    expect(existsSync(join(dir, 'objects/clips', clipId))).toBe(false);
    // What comes of it yet is not taken, and nothing is given back twice.
    expect((await grant(fragments)).every((one) => one.stored)).toBe(true);
  });

  it('goes with its site', async () => {
    await upload(await sealed());
    await relay.report(await ended({ fragments: 9 }));
    await relay.db.updateTable('sites').set({ deletedAt: '2026-03-02T00:00:00.000Z' }).execute();
    await relay.stop();
    relay = await startClipRelay({ dir });
    await vi.waitFor(() => expect(existsSync(join(dir, 'objects/clips', clipId))).toBe(false));
    await expect.poll(() => relay.db.selectFrom('clips').select('id').execute()).toEqual([]);
  });

  it('is opened with its own site’s key alone, whatever its box says', async () => {
    const other = await relay.keys.ofSite(relay.db, uuidv7());
    await upload(await sealed());
    await relay.report(await ended({ keyId: other.id, fragments: 9 }));
    expect((await api('GET', `/clips/${clipId}/video`)).status).toBe(404);
    expect(await relay.keys.byId(ids.site, other.id)).toBeNull();
    const [mine, again] = [await siteKey(), await siteKey()];
    expect(mine).toEqual(again);
    const rows = await relay.db.selectFrom('site_keys').select('sealed').execute();
    expect(rows.some((row) => row.sealed.includes(mine.key.toString('base64url')))).toBe(false);
  });
});

describe('an object store', () => {
  it('gets fragments from the box itself; the relay believes what it sees', async () => {
    const s3 = await withS3();
    const fragments = await sealed();
    const grants = await grant(fragments);
    expect(grants.every((g) => g.confirm && g.url?.startsWith(s3.options.endpoint))).toBe(true);
    expect(await confirm([fragments[0]!])).toEqual([false]);
    for (const [i, f] of fragments.entries()) expect(await put(grants[i]!, f)).toBe(200);
    // Something else came for one of them, into a store that checks nothing.
    s3.checksums = false;
    const damaged = Buffer.from(fragments[2]!.data);
    damaged[900]! ^= 1;
    expect(await put(grants[2]!, fragments[2]!, damaged)).toBe(200);
    expect(await confirm(fragments)).toEqual([true, true, false, true]);
    expect(s3.objects.has(`clips/${clipId}/2.m4s`)).toBe(false);
    expect(await put((await grant([fragments[2]!]))[0]!, fragments[2]!)).toBe(200);
    expect(await confirm(fragments)).toEqual([true, true, true, true]);
    expect((await grant(fragments)).every((g) => g.stored)).toBe(true);

    await relay.report(await ended());
    const whole = await bytes(await api('GET', `/clips/${clipId}/video`));
    expect(probe(whole)).toEqual({ codec: 'h264', pictures: 75 });
    expect([...s3.objects.values()].some((object) => object.includes('moof'))).toBe(false);
    // It stays as it is: joining would send all of it twice.
    expect(s3.objects.size).toBe(4);
    // Another clip's part came, and its box never said so.
    const never = uuidv7();
    expect(await put((await grant([fragments[0]!], never))[0]!, fragments[0]!)).toBe(200);
    expect(s3.objects.size).toBe(5);
    expect(await relay.db.selectFrom('clip_grants').select('clipId').execute()).toEqual([{ clipId: never }]);
    await relay.db
      .updateTable('clip_grants')
      .set({ grantedMs: Date.now() - 3_700_000 })
      .execute();
    await relay.db.updateTable('clips').set({ expiresMs: 1 }).execute();
    await relay.stop();
    relay = await startClipRelay({ dir, s3: s3.options });
    await vi.waitFor(() => expect(s3.objects.size).toBe(0));
    await expect.poll(used).toBe(0);
  });
});

describe('the library', () => {
  it('lists by day, device, kind and type, newest first, and says which days have some', async () => {
    await device();
    await addEvent(relay.db);
    const made: string[] = [];
    const add = async (startedAt: string, more: Partial<ClipReport> = {}) => {
      clipId = uuidv7();
      made.push(clipId);
      await relay.report(await ended({ startedAt, eventIds: [], ...more }));
    };
    await add('2026-03-01T12:00:00.000Z', { eventIds: [ids.event] });
    await add('2026-03-01T13:00:00.000Z', { kind: 'continuous', channel: 2 });
    await add('2026-03-04T00:00:00.000Z');
    // The same in two streams: what is sent is listed, what is held is not.
    await add('2026-03-05T00:00:00.000Z', { stream: 'sub', twinId: uuidv7() });
    await add('2026-03-05T00:00:00.000Z', { stream: 'main', twinId: clipId, state: 'held' });
    const list = async (query: string, user = ids.user) => {
      const response = await api('GET', `/sites/${ids.site}/clips?${query}`, { user });
      return response.status === 200 ? ((await response.json()) as { items: LibraryClip[]; nextCursor: string }) : null;
    };
    const found = async (query: string) => (await list(query))?.items.map((clip) => made.indexOf(clip.id));
    expect(await found('')).toEqual([3, 2, 1, 0]);
    expect(await found('kind=continuous')).toEqual([1]);
    expect(await found('channel=2')).toEqual([1]);
    expect(await found('type=lineCrossing')).toEqual([0]);
    expect(await found('type=motion')).toEqual([]);
    expect(await found(`deviceId=${uuidv7()}`)).toEqual([]);
    expect(await found('from=2026-03-01T12:30:00Z&to=2026-03-04T00:00:01Z')).toEqual([2, 1]);
    const first = await list('limit=2');
    expect((await list(`limit=2&cursor=${first?.nextCursor}`))?.items.map((c) => made.indexOf(c.id))).toEqual([1, 0]);
    expect((await list('type=lineCrossing'))?.items[0]).toMatchObject({
      deviceName: 'Gate',
      events: [{ id: ids.event, type: 'lineCrossing' }],
    });
    expect(await list('', ids.otherUser)).toBeNull();
    const days = await (await api('GET', `/sites/${ids.site}/clips/days?month=2026-03`)).json();
    expect(days).toEqual({
      days: [
        { day: 1, events: 1, continuous: true },
        { day: 4, events: 1, continuous: false },
        { day: 5, events: 1, continuous: false },
      ],
    });
    const storage = async () => (await api('GET', `/sites/${ids.site}/clips/storage`)).json();
    expect(await storage()).toEqual({ bytes: 0, oldestAt: '2026-03-01T12:00:00.000Z' });

    // What is held is asked for.
    const held = made.at(-1)!;
    expect((await api('POST', `/clips/${held}/send`)).status).toBe(204);
    expect(relay.boxAsked[0]?.slice(0, 4)).toEqual([SERIAL, expect.anything(), 'POST', `/v1/clips/${held}/send`]);
    expect((await api('POST', `/clips/${made[0]}/send`)).status).toBe(409);
    expect((await api('POST', `/clips/${held}/send`, { user: ids.otherUser })).status).toBe(404);
  });

  it('shows a clip’s first picture, a small file of its own', async () => {
    await device();
    await relay.report(await ended({ fragments: 9 }));
    expect((await api('GET', `/clips/${clipId}/poster`)).status).toBe(404);
    await upload(await sealed());
    const poster = await bytes(await api('GET', `/clips/${clipId}/poster`));
    expect(probe(poster)).toEqual({ codec: 'h264', pictures: 1 });
    expect(poster.length).toBeLessThan(sample[1]!.size);
    await relay.report(await ended());
    await vi.waitFor(() => expect(existsSync(join(dir, 'objects/clips', clipId, '1.m4s'))).toBe(false));
    expect(probe(await bytes(await api('GET', `/clips/${clipId}/poster`))).pictures).toBe(1);
    expect((await api('GET', `/clips/${clipId}/poster`, { user: ids.otherUser })).status).toBe(404);
    await bytes(await api('GET', `/clips/${clipId}/video`));
    await bytes(await api('GET', `/clips/${clipId}/video`));
    await bytes(await api('GET', `/clips/${clipId}/video?download=1`));
    const looks = await relay.db.selectFrom('viewings').select(['kind', 'userId', 'fromAt']).orderBy('id').execute();
    expect(looks).toEqual([
      { kind: 'snapshot', userId: ids.user, fromAt: null },
      { kind: 'clip', userId: ids.user, fromAt: '2026-03-01T12:00:00.000Z' },
      { kind: 'download', userId: ids.user, fromAt: '2026-03-01T12:00:00.000Z' },
    ]);
  });

  it('is deleted by who may configure the device, for good', async () => {
    const fragments = await sealed();
    await upload(fragments);
    await relay.report(await ended({ fragments: 9 }));
    expect((await api('DELETE', `/clips/${clipId}`, { user: ids.otherUser })).status).toBe(404);
    expect((await api('DELETE', `/clips/${clipId}`)).status).toBe(403);
    await allow('configure');
    expect((await api('DELETE', `/clips/${clipId}`)).status).toBe(204);
    for (const path of ['', '/video', '/about', '/poster', '/shares'])
      expect([path, (await api('GET', `/clips/${clipId}${path}`)).status]).toEqual([path, 404]);
    expect(existsSync(join(dir, 'objects/clips', clipId))).toBe(false);
    // What its box says and has of it yet brings nothing back.
    await relay.report(await ended({ fragments: 9 }));
    expect((await grant(fragments)).every((g) => g.stored && g.url === null)).toBe(true);
    expect((await api('GET', `/clips/${clipId}`)).status).toBe(404);
    await expect.poll(used).toBe(0);
  });
});

describe('a shared link', () => {
  const make = async (body: object = { hours: 24, note: 'insurer' }) => {
    const response = await api('POST', `/clips/${clipId}/shares`, { body });
    return { status: response.status, share: (await response.json()) as MadeClipShare };
  };
  const look = (path: string, part = '/video', headers: Record<string, string> = {}) =>
    fetch(`${relay.url}${path}${part}`, { headers });

  beforeEach(async () => {
    await device();
    await relay.db.updateTable('users').set({ admin: 1 }).execute();
    await upload(await sealed());
    await relay.report(await ended({ fragments: 9 }));
  });

  it('shows one clip to who has it, until its end', async () => {
    const { status, share } = await make();
    expect([status, share.note, share.views]).toEqual([201, 'insurer', 0]);
    const about = await look(share.path, '/about');
    expect(await about.json()).toMatchObject({
      deviceName: 'Gate',
      channel: 1,
      empty: false,
      expiresAt: share.expiresAt,
    });
    expect(probe(await bytes(await look(share.path)))).toEqual({ codec: 'h264', pictures: 75 });
    const part = await look(share.path, '/video', { range: 'bytes=5-9' });
    expect([part.status, (await bytes(part)).length]).toEqual([206, 5]);
    expect((await look(share.path, '/video', { range: 'bytes=999999999999999-' })).status).toBe(416);
    const listed = await (await api('GET', `/clips/${clipId}/shares`)).json();
    expect(listed.items).toMatchObject([{ id: share.id, views: 1, by: 'A' }]);
    expect(JSON.stringify(listed)).not.toContain(share.path.slice(3));
    expect(await relay.db.selectFrom('viewings').select(['kind', 'link', 'userId']).execute()).toEqual([
      { kind: 'clip', link: 'insurer', userId: null },
    ]);
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 24 * 3_600_000 + 1);
    expect((await look(share.path)).status).toBe(410);
    expect((await look(share.path, '/about')).status).toBe(410);
  });

  it('is no use taken back, changed, of a deleted clip, or once its maker may not look any more', async () => {
    const [a, b] = [(await make()).share, (await make({ hours: 1 })).share];
    for (const bad of [`${a.path}x`, a.path.slice(0, -1), '/s/..%2F..%2Fetc', `/s/${'A'.repeat(43)}`])
      expect([bad, (await look(bad)).status]).toEqual([bad, 410]);
    expect((await api('DELETE', `/clips/${clipId}/shares/${a.id}`, { user: ids.otherUser })).status).toBe(404);
    expect((await api('DELETE', `/clips/${clipId}/shares/${a.id}`)).status).toBe(204);
    expect([(await look(a.path)).status, (await look(b.path)).status]).toEqual([410, 200]);
    await relay.db.updateTable('grants').set({ untilMs: 1 }).execute();
    expect((await look(b.path)).status).toBe(410);
    await relay.db.updateTable('grants').set({ untilMs: null }).execute();
    expect((await look(b.path)).status).toBe(200);
    await relay.db.updateTable('users').set({ enabled: 0 }).where('id', '=', ids.user).execute();
    expect((await look(b.path)).status).toBe(410);
    await relay.db.updateTable('users').set({ enabled: 1 }).execute();
    await allow('configure');
    expect((await api('DELETE', `/clips/${clipId}`)).status).toBe(204);
    expect((await look(b.path)).status).toBe(410);
  });

  it('is made by who may play the clip, for a time of those offered, a bounded number', async () => {
    expect((await api('POST', `/clips/${clipId}/shares`, { user: ids.otherUser, body: { hours: 1 } })).status).toBe(
      404,
    );
    expect((await make({ hours: 10_000 })).status).toBe(400);
    for (let i = 0; i < 20; i++) expect((await make({ hours: 1 })).status).toBe(201);
    expect((await make({ hours: 1 })).status).toBe(409);
  });
});
