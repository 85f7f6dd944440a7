import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clip } from '../../protocol/wire/api.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { UploadGrants } from '../../protocol/wire/uploads.ts';
import { addEvent, asBox, asUser, clipReport, ids, OTHER_SERIAL, SERIAL, startClipRelay } from './testing/relay.ts';
import { describe as part, type SampleFragment, sampleClip } from './testing/sample.ts';

let sample: SampleFragment[];
let dir: string;
let relay: Awaited<ReturnType<typeof startClipRelay>>;
let clipId: string;

beforeAll(() => {
  sample = sampleClip({ seconds: 6 });
});
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-clips-'));
  relay = await startClipRelay({ dir });
  clipId = uuidv7();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await relay.stop();
  rmSync(dir, { recursive: true });
});

async function grant(fragments: SampleFragment[], serial = SERIAL, id = clipId): Promise<UploadGrants['grants']> {
  const response = await fetch(`${relay.url}/box/v1/uploads`, {
    method: 'POST',
    headers: asBox(serial),
    body: JSON.stringify({ fragments: fragments.map(({ data: _, ...f }) => ({ clipId: id, ...f })) }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as UploadGrants).grants;
}

async function put(url: string | null, f: SampleFragment, data = f.data): Promise<Response> {
  const headers = { 'x-gatepost-sha256': f.sha256 };
  return fetch(new URL(url!, relay.url), { method: 'PUT', headers, body: new Uint8Array(data) });
}

async function upload(...fragments: SampleFragment[]): Promise<number[]> {
  const grants = await grant(fragments);
  return Promise.all(fragments.map(async (f, i) => (await put(grants[i]!.url, f)).status));
}

const clip = async (user = ids.user) => {
  const response = await fetch(`${relay.url}/api/v1/clips/${clipId}`, { headers: asUser(user) });
  return { status: response.status, body: (await response.json()) as Clip };
};
const video = (headers: Record<string, string> = {}, method = 'GET', query = '') =>
  fetch(`${relay.url}/api/v1/clips/${clipId}/video${query}`, { method, headers: { ...asUser(), ...headers } });
const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());
const objects = () => readdirSync(join(dir, 'objects/clips', clipId)).sort();
const probe = (data: Buffer) => {
  const path = join(dir, 'probe.mp4');
  writeFileSync(path, data);
  const args = ['-v', 'error', '-count_packets', '-show_entries', 'format=duration:stream=codec_name,nb_read_packets'];
  const { format, streams } = JSON.parse(execFileSync('ffprobe', [...args, '-of', 'json', path]).toString());
  return {
    seconds: Number(format.duration),
    codec: streams[0].codec_name,
    pictures: Number(streams[0].nb_read_packets),
  };
};

describe('uploads', () => {
  it('stores a fragment whole, once, and says so', async () => {
    const [init] = sample;
    const [first] = await grant([init!]);
    expect(first).toMatchObject({ clipId, n: 0, stored: false });
    expect((await put(first!.url, init!)).status).toBe(200);
    expect(objects()).toEqual(['init.mp4']);
    const again = await put(first!.url, init!);
    expect([again.status, await again.json()]).toEqual([200, { size: init!.size }]);
    expect((await grant([init!]))[0]).toMatchObject({ stored: true, url: null });
  });

  it('keeps what is stored when another content comes for it', async () => {
    const [, one, two] = sample;
    const other = { ...two!, n: 1 };
    const [late] = await grant([other]);
    await upload(one!);
    expect((await put(late!.url, other)).status).toBe(409);
    expect((await grant([other]))[0]).toMatchObject({ stored: false, url: null });
    expect((await relay.clips.fragments(clipId)).map((f) => f.sha256)).toEqual([one!.sha256]);
  });

  it('stores two uploads of one fragment at the same time as one', async () => {
    const [a, b] = [(await grant([sample[1]!]))[0]!, (await grant([sample[1]!]))[0]!];
    const answers = await Promise.all([put(a.url, sample[1]!), put(b.url, sample[1]!)]);
    expect(answers.map((r) => r.status)).toEqual([200, 200]);
    expect(objects()).toEqual(['1.m4s']);
  });

  it('refuses damaged content and leaves nothing of it', async () => {
    const [, one] = sample;
    const [granted] = await grant([one!]);
    const damaged = Buffer.from(one!.data);
    damaged[100]! ^= 1;
    expect((await put(granted!.url, one!, damaged)).status).toBe(400);
    expect((await put(granted!.url, one!, one!.data.subarray(1))).status).toBe(400);
    expect(existsSync(join(dir, 'objects/clips', clipId))).toBe(false);
    expect(readdirSync(join(dir, 'objects/tmp'))).toEqual([]);
    expect((await put(granted!.url, one!)).status).toBe(200);
  });

  it('takes no address that was changed, made for another object, or is too old', async () => {
    const [init, one] = sample;
    const { url } = (await grant([one!]))[0]!;
    for (const bad of [
      url!.replace(/size=\d+/, 'size=1'),
      url!.replace(SERIAL, OTHER_SERIAL),
      url!.replace('/1?', '/2?'),
      url!.replace(clipId, uuidv7()),
      url!.replace(clipId, '..%2F..%2Fetc'),
      url!.replace(/signature=./, 'signature=_'),
      url!.replace(/&signature=.*/, ''),
      url!.split('?')[0]!,
    ]) {
      expect([bad, (await put(bad, one!)).status]).toEqual([bad, 403]);
    }
    expect((await put(url, init!)).status).toBe(400);
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 15 * 60_000);
    expect((await put(url, one!)).status).toBe(403);
    expect(existsSync(join(dir, 'objects/clips', clipId))).toBe(false);
  });

  it('gives no grant for a clip of another box, and no box writes after its revocation', async () => {
    const [init, one] = sample;
    const early = (await grant([one!], OTHER_SERIAL))[0]!;
    await upload(init!);
    expect((await grant([one!], OTHER_SERIAL))[0]).toMatchObject({ stored: false, url: null });
    expect((await put(early.url, one!)).status).toBe(409);
    await expect(relay.report(clipReport(clipId), OTHER_SERIAL)).rejects.toThrow('another box');

    const mine = (await grant([one!]))[0]!;
    await relay.db.updateTable('boxes').set({ state: 'revoked' }).where('serial', '=', SERIAL).execute();
    expect((await put(mine.url, one!)).status).toBe(403);
    expect(objects()).toEqual(['init.mp4']);
  });

  it('asks who it is', async () => {
    const refused = await fetch(`${relay.url}/box/v1/uploads`, { method: 'POST', headers: asBox('X'), body: '{}' });
    expect(refused.status).toBe(401);
    const bad = await fetch(`${relay.url}/box/v1/uploads`, {
      method: 'POST',
      headers: asBox(),
      body: '{"fragments":[]}',
    });
    expect(bad.status).toBe(400);
  });

  it('survives a cut in the middle of a body', async () => {
    const [, one] = sample;
    const [granted] = await grant([one!]);
    const half = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(one!.data.subarray(0, 5000)));
        setTimeout(() => controller.error(new Error('cut')), 50);
      },
    });
    const headers = { 'x-gatepost-sha256': one!.sha256, 'content-length': String(one!.size) };
    const init = { method: 'PUT', headers, body: half, duplex: 'half' } as RequestInit;
    await expect(fetch(new URL(granted!.url!, relay.url), init)).rejects.toThrow();
    await vi.waitFor(() => expect(readdirSync(join(dir, 'objects/tmp'))).toEqual([]));
    expect(await relay.clips.fragments(clipId)).toEqual([]);
    expect((await put(granted!.url, one!)).status).toBe(200);
  });
});

describe('a clip', () => {
  it('goes from recording over uploading to complete, and is joined then', async () => {
    const told: string[] = [];
    relay.live.subscribe(ids.site, (m) => m.event === 'clip' && told.push(`${m.data.state} ${m.data.storedFragments}`));
    await upload(...sample.slice(0, 3));
    expect((await clip()).status).toBe(404);
    await relay.report(clipReport(clipId));
    expect((await clip()).body).toMatchObject({ state: 'recording', storedFragments: 2, siteId: ids.site, channel: 1 });
    await relay.report(clipReport(clipId, { state: 'ended', fragments: 6, durationMs: 6000 }));
    expect((await clip()).body).toMatchObject({ state: 'uploading', storedFragments: 2 });
    const growing = await video();
    await upload(...sample.slice(3));
    expect((await clip()).body).toMatchObject({ state: 'complete', storedFragments: 6, durationMs: 6000 });
    const more = expect.stringMatching(/^uploading [345]$/);
    expect(told).toEqual(expect.arrayContaining(['recording 2', 'uploading 2', more, 'complete 6']));

    const before = await video();
    const whole = await bytes(before);
    await vi.waitFor(() => expect(objects()).toEqual(['video.mp4']));
    const after = await video();
    expect(await bytes(after)).toEqual(whole);
    expect(after.headers.get('etag')).toBe(before.headers.get('etag'));
    expect(growing.headers.get('etag')).not.toBe(after.headers.get('etag'));
    expect(probe(whole)).toEqual({ seconds: 6, codec: 'h264', pictures: 150 });
    // Not re-encoded: the fragments are in it as they came.
    expect(whole.subarray(-sample[6]!.size)).toEqual(sample[6]!.data);
    await expect.poll(() => relay.clips.fragments(clipId)).toEqual([]);
    expect((await clip()).body).toMatchObject({ state: 'complete', storedFragments: 6, sizeBytes: whole.length });
    // The box may ask again: nothing is to be sent.
    expect((await grant(sample)).every((g) => g.stored)).toBe(true);
    await addEvent(relay.db);
    expect((await relay.clips.forEvents([ids.event, uuidv7()])).get(ids.event)).toMatchObject({
      id: clipId,
      state: 'complete',
    });
  });

  it('plays what has arrived so far without a gap', async () => {
    await relay.report(clipReport(clipId));
    expect((await video()).status).toBe(404);
    await upload(sample[0]!, sample[1]!, sample[2]!, sample[4]!);
    expect(probe(await bytes(await video()))).toEqual({ seconds: 2, codec: 'h264', pictures: 50 });
    await relay.report(clipReport(clipId, { state: 'incomplete', fragments: 6, reason: 'part 3 is lost' }));
    expect((await clip()).body).toMatchObject({ state: 'incomplete', reason: 'part 3 is lost' });
    // It will not get better: what comes after the gap is shown, at its own time.
    expect(probe(await bytes(await video()))).toEqual({ seconds: 4, codec: 'h264', pictures: 75 });
  });

  it('never goes back to an older report, and takes the end of one from a new journal', async () => {
    await relay.report(clipReport(clipId, { durationMs: 9000 }), SERIAL, 10);
    await relay.report(clipReport(clipId, { durationMs: 5000 }), SERIAL, 9);
    expect((await clip()).body).toMatchObject({ state: 'recording', durationMs: 9000 });
    await relay.report(clipReport(clipId, { state: 'incomplete', reason: 'the box restarted' }), SERIAL, 1);
    expect((await clip()).body.state).toBe('incomplete');
    await relay.report(clipReport(clipId), SERIAL, 1);
    expect((await clip()).body.state).toBe('incomplete');
  });

  it('is not called recording for ever when its box is gone', async () => {
    await relay.report(clipReport(clipId));
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 16 * 60_000);
    expect((await clip()).body.state).toBe('uploading');
  });

  it('is not found by others', async () => {
    await upload(...sample.slice(0, 2));
    await relay.report(clipReport(clipId));
    expect((await clip(ids.otherUser)).status).toBe(404);
    expect((await video(asUser(ids.otherUser))).status).toBe(404);
    expect((await fetch(`${relay.url}/api/v1/clips/${clipId}/video`)).status).toBe(401);
  });

  it('is served by range', async () => {
    await upload(...sample);
    await relay.report(clipReport(clipId, { state: 'ended', fragments: 6 }));
    const all = await bytes(await video());
    for (const round of ['fragments or joined', 'joined']) {
      for (const [start, end] of [
        [0, 0],
        [0, 99],
        [1000, 1400],
        [all.length - 5, all.length - 1],
        [500, all.length - 7],
      ] as const) {
        const response = await video({ range: `bytes=${start}-${end}` });
        expect(response.status, round).toBe(206);
        expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/${all.length}`);
        expect(await bytes(response)).toEqual(all.subarray(start, end + 1));
      }
      await vi.waitFor(() => expect(objects()).toEqual(['video.mp4']));
    }
    const etag = (await video({}, 'HEAD')).headers.get('etag')!;
    const head = await video({}, 'HEAD');
    expect([head.status, head.headers.get('content-length'), head.headers.get('content-type')]).toEqual([
      200,
      String(all.length),
      'video/mp4',
    ]);
    expect((await video({ range: 'bytes=0-9', 'if-range': etag })).status).toBe(206);
    expect((await video({ range: 'bytes=0-9', 'if-range': '"other"' })).status).toBe(200);
    expect((await video({ 'if-none-match': etag })).status).toBe(304);
    const beyond = await video({ range: `bytes=${all.length}-` });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${all.length}`]);
    const saved = await video({}, 'GET', '?download=1');
    expect(saved.headers.get('content-disposition')).toBe('attachment; filename="clip-2026-03-01T12-00-00-000Z.mp4"');
  });

  it('is read to the end although it is joined meanwhile', async () => {
    await upload(...sample);
    await relay.report(clipReport(clipId, { state: 'ended', fragments: 7 }));
    const size = Number((await video({}, 'HEAD')).headers.get('content-length'));
    const opened = await relay.clips.open({ reaches: () => sql<boolean>`1 = 1` } as never, clipId);
    if (opened.file === 'empty') throw new Error('nothing to read');
    const chunks: Uint8Array[] = [];
    for await (const chunk of opened.file.read(0, size - 1)) {
      if (chunks.length === 1) {
        await relay.report(clipReport(clipId, { state: 'ended', fragments: 6 }));
        await vi.waitFor(() => expect(objects()).toEqual(['video.mp4']));
      }
      chunks.push(chunk);
    }
    expect(Buffer.concat(chunks)).toEqual(await bytes(await video()));
  });

  it('is served although it is no MP4 that the relay understands', async () => {
    const odd = [part(Buffer.from('init of another kind'), 0), part(Buffer.from('a fragment of another kind'), 1)];
    await upload(...odd);
    await relay.report(clipReport(clipId));
    expect((await bytes(await video())).toString()).toBe('init of another kinda fragment of another kind');
  });

  it('tells where parts of it never came, when it stays incomplete', async () => {
    await upload(...sample.filter(({ n }) => n !== 3 && n !== 4));
    await relay.report(clipReport(clipId, { state: 'incomplete', fragments: 6, durationMs: 6_000, reason: 'no room' }));
    const { body: told } = await clip();
    expect(told).toMatchObject({ state: 'incomplete', gaps: [{ atMs: 2_000, durationMs: 2_000 }] });
  });

  it('is joined after a restart when it was not before', async () => {
    await upload(...sample);
    await relay.db
      .insertInto('clips')
      .values({
        ...clipReport(clipId, { state: 'ended', fragments: 6 }),
        eventIds: '[]',
        gaps: '[]',
        boxState: 'ended',
        siteId: ids.site,
        boxSerial: SERIAL,
        seq: 1,
        createdMs: Date.now(),
        reportedMs: Date.now(),
        swept: 0,
        state: undefined,
      } as never)
      .execute();
    await relay.stop();
    relay = await startClipRelay({ dir });
    await vi.waitFor(() => expect(objects()).toEqual(['video.mp4']));
    expect(probe(await bytes(await video())).seconds).toBe(6);
  });

  it('expires with its objects', async () => {
    await upload(...sample);
    await relay.report(clipReport(clipId, { state: 'ended', fragments: 6 }));
    await vi.waitFor(() => expect(objects()).toEqual(['video.mp4']));
    await relay.db
      .updateTable('clips')
      .set({ expiresMs: Date.now() - 1 })
      .execute();
    await relay.stop();
    relay = await startClipRelay({ dir });
    await vi.waitFor(() => expect(existsSync(join(dir, 'objects/clips', clipId))).toBe(false));
    await vi.waitFor(async () => expect((await clip()).status).toBe(404));
  });
});

describe('a full disk', () => {
  const root = process.getuid?.() === 0;
  if (!root) console.log('full disk on a tmpfs: skipped, mounting needs root');

  it.runIf(root)('answers 507, says it, and goes on when there is room again', async () => {
    await relay.stop();
    const small = join(dir, 'objects');
    rmSync(small, { recursive: true });
    execFileSync('mkdir', [small]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', small]);
    try {
      relay = await startClipRelay({ dir });
      const filler = join(small, 'filler');
      writeFileSync(filler, Buffer.alloc(500 * 1024));
      expect(await upload(sample[0]!, sample[1]!)).toEqual([200, 507]);
      expect(readdirSync(join(small, 'tmp'))).toEqual([]);
      expect([...(await relay.warnables.list([ids.site])).values()].flat().map((w) => w.code)).toEqual([
        'relay-storage-full',
      ]);
      rmSync(filler);
      expect(await upload(sample[1]!)).toEqual([200]);
    } finally {
      await relay.stop();
      execFileSync('umount', [small]);
      relay = await startClipRelay({ dir });
    }
  });
});
