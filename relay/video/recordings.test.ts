import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { problem } from '../../protocol/wire/problem.ts';
import { until } from '../testing/relay.ts';
import { media, type Person, Stage } from './testing/stage.ts';

let stage: Stage;
let pia: Person;
beforeEach(async () => {
  stage = await new Stage().start();
  pia = await stage.person(null);
});
afterEach(() => stage.stop());

const RANGE = 'from=2026-03-31T10:00:00.000Z&to=2026-03-31T10:30:00.000Z';
const channel = (device = stage.camera) => `/devices/${device}/channels/1`;
const play = (who: Person, query = RANGE, device = stage.camera) =>
  stage.socket({ authorization: `Bearer ${who.token}` }, `${channel(device)}/playback/socket?${query}`);
const take = (who: Person | null, query = RANGE, device = stage.camera) =>
  stage.call(who, 'GET', `${channel(device)}/recordings/file?${query}`);
const streams = () => stage.asked.filter(({ path }) => path.startsWith('/v1/playback/stream'));
const viewings = async () =>
  (await (await stage.call(pia, 'GET', `/sites/${stage.siteId}/viewings`)).json()).items as Record<string, unknown>[];

describe('recordings through the relay', () => {
  it('are listed by the box, within bounds', async () => {
    const list = await stage.call(pia, 'GET', `${channel()}/recordings?${RANGE}`);
    expect([list.status, await list.json()]).toEqual([200, { items: [], complete: true }]);
    expect(JSON.parse(stage.asked[0]!.body)).toMatchObject({ deviceId: stage.camera, channel: 1, stream: 'main' });
    const days = await stage.call(pia, 'GET', `${channel()}/recordings/days?month=2026-03`);
    expect(await days.json()).toEqual({ days: [3, 4] });
    const status = async (path: string) => (await stage.call(pia, 'GET', `${channel()}/${path}`)).status;
    expect(await status('recordings?from=2026-03-01T00:00:00Z&to=2026-05-01T00:00:00Z')).toBe(400);
    expect(await status('recordings?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z')).toBe(400);
    expect(await status('recordings?from=../../etc&to=2026-03-01T00:00:00Z')).toBe(400);
    expect(await status('recordings/days?month=2026-13')).toBe(400);
    expect((await take(pia, 'from=2026-03-31T10:00:00Z&to=2026-03-31T12:00:00Z')).status).toBe(400);
    expect((await take(pia, 'from=2026-03-31T10:00:00Z&to=9999-12-31T12:00:00Z')).status).toBe(400);
  });

  it('are played by a stream of one’s own, and who looked at what stands in the list (LIVE-06)', async () => {
    const [first, second] = [play(pia), play(pia, `${RANGE}&speed=4&accept=h265,h264`)];
    await until('two streams', () => streams().length === 2);
    const paths = streams().map(({ path }) => path);
    expect(paths.some((path) => path.includes('speed=4') && path.includes('accept=h265%2Ch264'))).toBe(true);
    const { stream, signal } = streams().find(({ path }) => path.includes('speed=1'))!;
    stream.write(media('init', 'key', 'delta'));
    await until('pictures', () => first.messages.length === 3);
    first.close();
    await until('the box hears of it', () => signal?.aborted);
    second.close();
    await second.closed;
    const seen = await until('both ended', async () => {
      const rows = await viewings();
      return rows.length === 2 && rows.every(({ endedAt }) => endedAt !== null) ? rows : null;
    });
    expect(seen[0]).toMatchObject({ kind: 'playback', path: 'relay', from: '2026-03-31T10:00:00.000Z' });
  });

  it('wait for a reader that does not read: nothing is left out', async () => {
    const viewer = play(pia);
    const { stream } = await until('the stream', () => streams()[0]);
    await until('it is open', () => viewer.socket.readyState === 1);
    const socket = (viewer.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket;
    stream.write(media('init'));
    await until('the first', () => viewer.messages.length === 1);
    socket.pause();
    const group = media('key', ...Array.from({ length: 200 }, () => 'delta' as const));
    let sent = 0;
    while (sent < 60 && stream.write(group)) {
      sent++;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    // The box was told to wait before all of 12 MB were taken.
    expect(sent).toBeLessThan(60);
    socket.resume();
    for (let i = 0; i < 100 && viewer.messages.length < 1 + (sent + 1) * 201; i++) {
      await stage.clock.advance(50);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(viewer.messages.length).toBe(1 + (sent + 1) * 201);
    viewer.close();
  });

  it('end with what they were allowed by: a window and a file within ten seconds, with the session at once (LIVE-10)', async () => {
    const guest = await stage.person(['playback']);
    const window = play(guest);
    const { stream } = await until('the stream', () => streams()[0]);
    stream.write(media('init', 'key'));
    await until('pictures', () => window.messages.length === 2);
    const file = take(guest);
    const asked = await until('the file', () => stage.asked.find(({ path }) => path.startsWith('/v1/playback/file')));
    asked.stream.write(Buffer.alloc(1000));
    const answer = await file;
    expect(answer.headers.get('content-disposition')).toMatch(
      /^attachment; filename="recording-1-2026-03-31T10-00-00Z--2026-03-31T10-30-00Z.mp4"; filename\*=UTF-8''[\w.%-]+-1-2026-\S+Z.mp4$/,
    );
    expect(answer.headers.get('accept-ranges')).toBe('none');
    const read = answer.arrayBuffer().then(
      () => 'whole',
      () => 'broken',
    );
    await stage.db.deleteFrom('grants').where('companyId', '=', guest.companyId).execute();
    await stage.clock.advance(10_000);
    expect(await window.closed).toMatchObject({ code: 4003 });
    expect(await read).toBe('broken');
    expect((await take(guest)).status).toBe(404);
    const own = play(pia);
    await until('the next', () => streams().length === 2);
    await stage.sessions.end(pia.sessionId);
    expect(await own.closed).toMatchObject({ code: 4003 });
  });

  it('are refused to strangers, to who may only see live, and without the verification code', async () => {
    const status = async (viewer: ReturnType<typeof play>) => (await viewer.closed).status;
    expect((await take(null)).status).toBe(401);
    const live = await stage.person(['live']);
    expect([await status(play(live)), (await take(live)).status]).toEqual([403, 403]);
    const nobody = await stage.person([]);
    expect([await status(play(nobody)), (await take(nobody)).status]).toEqual([404, 404]);
    expect(await status(play(pia, RANGE, stage.elsewhere))).toBe(409);
    expect(await status(play(pia, `${RANGE}&speed=64`))).toBe(400);
    await stage.call(pia, 'PUT', `/devices/${stage.camera}/picture-lock`, {
      body: JSON.stringify({ code: 'Garden42' }),
    });
    expect([await status(play(pia)), (await take(pia)).status]).toEqual([403, 403]);
    expect(streams()).toEqual([]);
  });

  it('hold nothing at the box for who asks by HEAD, nor when the look cannot be written down', async () => {
    const files = () => stage.asked.filter(({ path }) => path.startsWith('/v1/playback/file'));
    const head = await stage.call(pia, 'HEAD', `${channel()}/recordings/file?${RANGE}`);
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    vi.spyOn(stage.watching.viewings, 'open').mockRejectedValueOnce(new Error('the database is away'));
    expect((await take(pia)).status).toBe(500);
    await until('nothing is held', () => files().every(({ signal, stream }) => signal?.aborted && stream.destroyed));
  });

  it('are played for guests as long as the owner has room, who leaves makes room', async () => {
    const [one, other] = [await stage.person(['playback']), await stage.person(['playback'])];
    const windows = [one, one, one, other, other].map((who) => play(who));
    await until('five windows', () => streams().length === 5);
    const abort = new AbortController();
    const path = `${stage.url}/api/v1${channel()}/recordings/file?${RANGE}`;
    const file = () => fetch(path, { headers: { authorization: `Bearer ${other.token}` }, signal: abort.signal });
    expect((await file()).status).toBe(200);
    const late = play(one);
    await late.closed;
    expect([late.note, (await take(other)).status]).toEqual(['limit-reached', 409]);
    expect((await take(pia)).status).toBe(200);
    windows[0]!.close();
    await until('room', () => streams().some(({ signal }) => signal?.aborted));
    const next = play(other);
    await until('the next one', () => streams().length === 6);
    abort.abort();
    next.close();
  });

  it('say in the box’s own words why there are none', async () => {
    stage.refusal = { status: 404, body: problem('not-found', 'Nothing was recorded in this time.') };
    const viewer = play(pia);
    await viewer.closed;
    expect(viewer.note).toBe('not-found');
    expect(await (await take(pia)).json()).toMatchObject({ detail: 'Nothing was recorded in this time.' });
    stage.connected = false;
    expect((await take(pia)).status).toBe(503);
    // What was refused was no look at anything.
    expect((await viewings()).filter(({ kind }) => kind === 'download')).toEqual([]);
  });
});
