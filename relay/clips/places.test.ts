import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { clipObjectId, sealBytes } from '../../protocol/codec/object-cipher.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { dropTestDatabase } from '../testing/database.ts';
import { settleBuckets } from './buckets.ts';
import { listOf, partsOf } from './clip-list.ts';
import { FolderStore, fragmentKey } from './object-store.ts';
import { JOINED, LISTED } from './schema.ts';
import { asUser, clipReport, ids, SERIAL, startClipRelay } from './testing/relay.ts';
import { SmallS3 } from './testing/s3.ts';
import { type SampleFragment, sampleClip } from './testing/sample.ts';

let sample: SampleFragment[];
let dir: string;
let s3: SmallS3;
let relay: Awaited<ReturnType<typeof startClipRelay>>;

beforeAll(() => {
  sample = sampleClip({ seconds: 4 });
});
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-places-'));
  s3 = await new SmallS3().start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await relay.stop();
  await s3.stop();
  await dropTestDatabase(dir);
  rmSync(dir, { recursive: true });
});

const start = async (o: { s3?: SmallS3['options']; mover?: { bytesPerSecond: number } } = {}) => {
  relay = await startClipRelay({ dir, ...o });
};
const restart = async (o: Parameters<typeof start>[0]) => {
  await relay.stop();
  await start(o);
};

/** A clip of the sample, encrypted, as its box brings it. */
async function bring({ ends = true } = {}): Promise<string> {
  const clipId = uuidv7();
  const { key, id: keyId } = await relay.keys.ofSite(relay.db, ids.site);
  await relay.report(clipReport(clipId, { keyId }));
  for (const { n, durationMs, keyFrame, data } of sample) {
    const object = sealBytes(key, clipObjectId(clipId, n), data);
    const f = { clipId, n, durationMs, keyFrame, size: object.length };
    const sha256 = createHash('sha256').update(object).digest('hex');
    await relay.store.put(fragmentKey(clipId, n), Readable.from([object]), { size: object.length, sha256 });
    await relay.clips.fragmentStored({ ...f, sha256, boxSerial: SERIAL }, ids.site);
  }
  if (ends) await end(clipId, keyId);
  return clipId;
}
const end = (clipId: string, keyId: string | null) =>
  relay.report(clipReport(clipId, { keyId, state: 'ended', fragments: sample.length - 1 }));

async function play(clipId: string, range?: string) {
  const headers = { ...asUser(), ...(range ? { range } : {}) };
  const answer = await fetch(`${relay.url}/api/v1/clips/${clipId}/video`, { headers });
  return { status: answer.status, etag: answer.headers.get('etag'), body: Buffer.from(await answer.arrayBuffer()) };
}
const row = (id: string) => relay.db.selectFrom('clips').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const count = async (table: 'clip_fragments' | 'clip_lists' | 'clip_grants') =>
  Number(
    (
      await relay.db
        .selectFrom(table)
        .select((e) => e.fn.countAll().as('n'))
        .executeTakeFirstOrThrow()
    ).n,
  );
const taken = async () => Number((await relay.db.selectFrom('site_storage').select('bytes').executeTakeFirst())?.bytes);
const swept = (id: string, as: number) => expect.poll(async () => (await row(id)).swept).toBe(as);
const inFolder = () => readdirSync(join(dir, 'objects/clips'));

describe('a clip in an object store', () => {
  it('becomes one row when it is complete, plays as before, and goes with all its parts', async () => {
    await start({ s3: s3.options });
    const clipId = await bring({ ends: false });
    const before = await play(clipId);
    const bytes = await taken();
    expect(await count('clip_fragments')).toBe(sample.length);
    // A box that broke off before the last step of a part: it must not be taken for one that nobody told of.
    await relay.db.insertInto('clip_grants').values({ clipId, n: 1, grantedMs: 0 }).execute();
    await end(clipId, (await row(clipId)).keyId);
    await swept(clipId, LISTED);
    expect([await count('clip_fragments'), await count('clip_lists'), await count('clip_grants')]).toEqual([0, 1, 0]);
    expect(await play(clipId)).toEqual({ ...before, status: 200 });
    const part = await play(clipId, 'bytes=1000-90000');
    expect(part).toMatchObject({ status: 206, etag: before.etag, body: before.body.subarray(1000, 90_001) });
    expect(await relay.clips.read([clipId])).toMatchObject([
      { state: 'complete', storedFragments: 4, sizeBytes: sample.reduce((sum, f) => sum + f.size, 0) },
    ]);
    expect(await relay.clips.whole(clipId)).toBe(true);
    expect(await taken()).toBe(bytes);
    await relay.db.updateTable('clips').set({ expiresMs: 1 }).execute();
    await restart({ s3: s3.options });
    await vi.waitFor(() => expect(s3.objects.size).toBe(0));
    await expect.poll(() => count('clip_lists')).toBe(0);
    expect(await taken()).toBe(0);
  });

  it('has its rows of an earlier version put together in the background', async () => {
    await start({ s3: s3.options });
    const clips = [await bring(), await bring(), await bring()];
    const before = await play(clips[1]!);
    await swept(clips[2]!, LISTED);
    // As it was before there were lists.
    for (const { clipId, parts } of await relay.db.selectFrom('clip_lists').selectAll().execute()) {
      const rows = partsOf(parts).map((part) => {
        const { size, sha256 } = objectOf(fragmentKey(clipId, part.n));
        expect(size).toBe(part.size);
        return { ...part, clipId, sha256, boxSerial: SERIAL, storedMs: 1 };
      });
      await relay.db.insertInto('clip_fragments').values(rows).execute();
    }
    await relay.db.deleteFrom('clip_lists').execute();
    await relay.db.updateTable('clips').set({ swept: 0, joinedSize: null, etag: null }).execute();
    await restart({ s3: s3.options });
    for (const id of clips) await swept(id, LISTED);
    expect([await count('clip_fragments'), await count('clip_lists')]).toEqual([0, 3]);
    expect(await play(clips[1]!)).toEqual(before);
  });

  const objectOf = (key: string) => {
    const data = s3.objects.get(key)!;
    return { size: data.length, sha256: createHash('sha256').update(data).digest('hex') };
  };

  it('is listed in some 20 bytes a part', () => {
    const parts = Array.from({ length: 300 }, (_, n) => ({
      n,
      size: 240_000 + ((n * 7919) % 60_000),
      durationMs: n === 0 ? 0 : 1000,
      keyFrame: n === 0 ? 0 : 1,
      ...(n === 0
        ? { decodeTime: null, ticks: null }
        : { decodeTime: 90_000 * (n - 1) + (n > 200 ? 7 : 0), ticks: 90_000 }),
    }));
    expect(partsOf(listOf(parts))).toEqual(parts);
    expect(listOf(parts).length / parts.length).toBeLessThan(25);
  });
});

describe('from the folder into an object store', () => {
  it('clips go on being served while they are taken over, byte for byte; what is deleted meanwhile stays deleted', async () => {
    await start();
    const [joined, open, gone] = [await bring(), await bring({ ends: false }), await bring()];
    await swept(joined, JOINED);
    await swept(gone, JOINED);
    const before = await Promise.all([joined, open].map((id) => play(id)));
    const video = readFileSync(join(dir, 'objects/clips', joined, 'video.mp4'));
    await relay.stop();

    // The bucket cannot be reached at first: all is served, nothing is lost.
    s3.failing.push(...Array(9).fill(503));
    await start({ s3: s3.options, mover: { bytesPerSecond: 300_000 } });
    expect(await Promise.all([joined, open].map((id) => play(id)))).toEqual(before);
    expect(inFolder()).toHaveLength(3);
    s3.failing.length = 0;
    await restart({ s3: s3.options, mover: { bytesPerSecond: 300_000 } });
    await vi.waitFor(() => expect(s3.objects.size).toBeGreaterThan(0), { interval: 5 });
    const may = { id: uuidv7(), companyId: ids.company, siteId: ids.site, permission: 'configure' as const };
    await relay.db
      .insertInto('grants')
      .values({ ...may, source: 'site' })
      .execute();
    const headers = asUser();
    expect((await fetch(`${relay.url}/api/v1/clips/${gone}`, { method: 'DELETE', headers })).status).toBe(204);
    while (inFolder().length > 0) {
      expect(await Promise.all([joined, open].map((id) => play(id)))).toEqual(before);
    }
    const names = [`clips/${joined}/video.mp4`, ...sample.map(({ n }) => fragmentKey(open, n))];
    expect([...s3.objects.keys()].sort()).toEqual(names.sort());
    expect(s3.objects.get(`clips/${joined}/video.mp4`)).toEqual(video);
    // What was half there is finished in the bucket, with what came later.
    await end(open, (await row(open)).keyId);
    await swept(open, LISTED);
    expect(await Promise.all([joined, open].map((id) => play(id)))).toEqual(before);
    const fresh = await bring();
    await swept(fresh, LISTED);
    expect(inFolder()).toEqual([]);
  }, 20_000);

  it('an object that arrives damaged is not deleted here, and keeps no other one here', async () => {
    await start();
    const clips = [await bring(), await bring(), await bring()];
    for (const clipId of clips) await swept(clipId, JOINED);
    let damaged: string | null = null;
    const look = vi.spyOn((await import('./s3-store.ts')).S3Store.prototype, 'look').mockImplementation(async (key) => {
      damaged ??= key;
      return key === damaged ? 'other' : s3.objects.has(key) ? 'same' : 'missing';
    });
    await restart({ s3: s3.options });
    await vi.waitFor(() => expect(inFolder()).toHaveLength(1));
    expect(look.mock.calls.length).toBeGreaterThan(5);
    expect(existsSync(join(dir, 'objects', damaged!))).toBe(true);
    for (const clipId of clips) expect((await play(clipId)).status).toBe(200);
  });
});

describe('from a bucket that is left back into the folder', () => {
  it('clips are served from wherever they are, byte for byte, and then nobody needs the bucket', async () => {
    await start({ s3: s3.options });
    const [listed, open, gone] = [await bring(), await bring({ ends: false }), await bring()];
    await swept(listed, LISTED);
    await swept(gone, LISTED);
    const before = await Promise.all([listed, open].map((id) => play(id)));
    const objects = new Map(s3.objects);
    await settleBuckets(relay.db, systemClock, { s3: s3.options, forget: false });
    const back = { ...s3.options, retired: true, takeBack: true };
    await settleBuckets(relay.db, systemClock, { s3: back, forget: false });
    // What was put into it last has been told of since.
    await relay.db
      .updateTable('clip_buckets')
      .set({ untilMs: Date.now() - 3_600_000 })
      .execute();
    s3.listed = 2;
    // Somebody else's, a whole list of them before the first clip: they are not the end.
    const foreign = ['clips/0', 'clips/0 &', 'clips/00'];
    for (const name of foreign) s3.objects.set(name, Buffer.from('x'));
    // One whose bytes change on their way stays where it is, and keeps no other one there.
    const damaged = fragmentKey(listed, 1);
    const { S3Store } = await import('./s3-store.ts');
    const read = S3Store.prototype.read;
    const reading = vi.spyOn(S3Store.prototype, 'read').mockImplementation(async function* (
      this: never,
      key,
      ...range
    ) {
      for await (const chunk of read.call(this, key, ...range))
        yield key === damaged ? Buffer.alloc(chunk.length) : chunk;
    });
    await restart({ s3: back, mover: { bytesPerSecond: 3_000_000 } });
    await relay.sweeper.delete(gone);
    await vi.waitFor(() => expect([...s3.objects.keys()].sort()).toEqual([...foreign, damaged].sort()), {
      timeout: 8_000,
    });
    expect(existsSync(join(dir, 'objects', damaged))).toBe(false);
    reading.mockRestore();
    await restart({ s3: back });
    await vi.waitFor(() => expect([...s3.objects.keys()]).toEqual(foreign));
    expect(await Promise.all([listed, open].map((id) => play(id)))).toEqual(before);
    for (const key of [damaged, fragmentKey(open, 2)])
      expect(readFileSync(join(dir, 'objects', key))).toEqual(objects.get(key));
    expect(inFolder().sort()).toEqual([listed, open].sort());
    // New ones come into the folder, where they are joined; and the relay starts without the bucket.
    await swept(await bring(), JOINED);
    await expect
      .poll(async () => (await relay.db.selectFrom('clip_buckets').selectAll().execute())[0]?.untilMs)
      .toBe(0);
    await settleBuckets(relay.db, systemClock, { s3: null, forget: false });
    await restart({});
    expect(await Promise.all([listed, open].map((id) => play(id)))).toEqual(before);
  }, 20_000);
});

describe('a clip whose rest never comes', () => {
  const long = 15 * 86_400_000;
  const older = async (id: string, ms: number) => {
    await relay.db
      .updateTable('clips')
      .set({ reportedMs: Date.now() - ms })
      .where('id', '=', id)
      .execute();
    await relay.db
      .updateTable('clip_fragments')
      .set({ storedMs: Date.now() - ms })
      .where('clipId', '=', id)
      .execute();
  };

  it.each(['folder', 'bucket'])('is closed with what it has after a while, or dropped (%s)', async (place) => {
    const o = place === 'bucket' ? { s3: s3.options } : {};
    await start(o);
    const [cut, lost, fresh] = [
      await bring({ ends: false }),
      await bring({ ends: false }),
      await bring({ ends: false }),
    ];
    const nothing = await bring({ ends: false });
    for (const id of [cut, lost, fresh, nothing]) {
      const { keyId } = await row(id);
      // Its last part, of the one its first, and of one everything that is needed to play it, is missing.
      await relay.report(
        clipReport(id, { keyId, state: id === lost ? 'incomplete' : 'ended', fragments: sample.length }),
      );
    }
    const init = relay.db.selectFrom('clip_fragments').select('size').where('clipId', '=', nothing).where('n', '=', 0);
    const { size } = await init.executeTakeFirstOrThrow();
    await relay.db.deleteFrom('clip_fragments').where('clipId', '=', nothing).where('n', '=', 0).execute();
    await relay.db
      .updateTable('site_storage')
      .set((e) => ({ bytes: e('bytes', '-', size) }))
      .execute();
    const before = await play(cut);
    const full = await taken();
    for (const id of [cut, nothing]) await older(id, long);
    await older(lost, 2 * 86_400_000);
    await older(fresh, 86_400_000 / 2);
    await restart(o);
    for (const id of [cut, lost]) await swept(id, place === 'bucket' ? LISTED : JOINED);
    await expect.poll(() => count('clip_fragments')).toBe(sample.length);
    const clips = new Map((await relay.clips.read([cut, lost, fresh, nothing])).map((clip) => [clip.id, clip]));
    expect([cut, lost, fresh, nothing].map((id) => [clips.get(id)?.state, clips.get(id)?.storedFragments])).toEqual([
      ['incomplete', sample.length - 1],
      ['incomplete', sample.length - 1],
      ['uploading', sample.length - 1],
      ['incomplete', 0],
    ]);
    expect((await play(cut)).body).toEqual(before.body);
    expect(await taken()).toBeLessThan(full);
    // Its box comes back, and is not believed any more; deleted, nothing of it is left.
    await relay.report(clipReport(cut, { state: 'ended', fragments: sample.length }), SERIAL, 1_000);
    expect((await row(cut)).boxState).toBe('incomplete');
    for (const id of [cut, lost, fresh, nothing]) await relay.sweeper.delete(id);
    expect([await taken(), await count('clip_lists'), await count('clip_fragments')]).toEqual([0, 0, 0]);
    expect(place === 'bucket' ? s3.objects.size : inFolder().length).toBe(0);
  });
});

describe('a bucket that clips lie in', () => {
  const settle = (s3: SmallS3['options'] | null, more: { retired?: boolean; forget?: boolean } = {}) =>
    settleBuckets(relay.db, systemClock, {
      s3: s3 && { ...s3, retired: more.retired === true },
      forget: more.forget === true,
    });

  it('must not be left out while they last; retired, it serves them and takes no more', async () => {
    await start({ s3: s3.options });
    const clipId = await bring();
    await swept(clipId, LISTED);
    await settle(s3.options);
    await settle(s3.options);
    await expect(settle(null)).rejects.toThrow(/“clips” at http.*--s3-retired.*--s3-forget/);
    await expect(settle({ ...s3.options, bucket: 'other' })).rejects.toThrow('from one bucket into another');
    await settle(s3.options, { retired: true });
    await expect(settle(null)).rejects.toThrow('--s3-retired');
    // Clips that came much later are in the folder.
    const later = Date.now() + 86_400_000;
    await relay.db.updateTable('clips').set({ createdMs: later }).where('id', '=', clipId).execute();
    await settle(null);
    await settle(s3.options);
    await settle(null, { forget: true });
    await settle(null);
  });

  it('is read beside the folder, whichever of both is written to', async () => {
    await start({ s3: s3.options });
    const clipId = await bring();
    const before = await play(clipId);
    const { TwoPlaces } = await import('./two-places.ts');
    const { S3Store } = await import('./s3-store.ts');
    const files = new FolderStore({ dir: join(dir, 'objects'), reserveBytes: 0 });
    const places = new TwoPlaces({
      files,
      s3: new S3Store({ options: s3.options, clock: systemClock }),
      retired: true,
    });
    const objects = s3.objects.size;
    await places.put(fragmentKey(clipId, 9), Readable.from([Buffer.from('new')]), { size: 3 });
    expect([await places.size(fragmentKey(clipId, 9)), s3.objects.size]).toEqual([3, objects]);
    expect(await places.size(fragmentKey(clipId, 1))).toBe(s3.objects.get(fragmentKey(clipId, 1))!.length);
    await places.delete(fragmentKey(clipId, 9));
    expect(await places.size(fragmentKey(clipId, 9))).toBeNull();
    expect((await play(clipId)).body).toEqual(before.body);
  });
});
