import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeMedia } from '../../protocol/wire/media.ts';
import { problem } from '../../protocol/wire/problem.ts';
import { until } from '../testing/relay.ts';
import { media, type Person, SERIAL, Stage } from './testing/stage.ts';

let stage: Stage;
let pia: Person;
beforeEach(async () => {
  stage = await new Stage().start({
    stun: ['stun:stun.example:3478'],
    turn: ['turn:turn.example:3478'],
    turnSecret: 's',
  });
  pia = await stage.person(null);
});
afterEach(() => stage.stop());

const channel = () => `/devices/${stage.camera}/channels/1`;
const streams = () => stage.asked.filter(({ path }) => path.startsWith('/v1/live/stream'));
const offered = () => stage.asked.filter(({ path }) => path === '/v1/live/webrtc');
const viewings = async (who = pia) =>
  (await (await stage.call(who, 'GET', `/sites/${stage.siteId}/viewings`)).json()).items as Record<string, unknown>[];
/** A direct view that the box has answered. */
const direct = async (who: Person, query = '') => {
  const before = offered().length;
  const going = stage.call(who, 'POST', `${channel()}/whep${query}`, { body: 'v=0\r\n', type: 'application/sdp' });
  const asked = await until('the offer', () => offered()[before]);
  asked.stream.write(`${JSON.stringify({ type: 'answer', sdp: 'v=0 answer' })}\n`);
  return { answer: await going, asked };
};

describe('through the relay', () => {
  it('several viewers of a stream cost the box one, and each begins with the group of pictures that runs (LIVE-01)', async () => {
    const first = stage.watch(pia);
    const { stream, path } = await until('the stream', () => streams()[0]);
    expect(path).toBe(`/v1/live/stream?deviceId=${stage.camera}&channel=1&stream=main&accept=h264`);
    // In pieces of any size.
    const bytes = media('init', 'key', 'delta', 'key', 'delta');
    for (let at = 0; at < bytes.length; at += 700) stream.write(bytes.subarray(at, at + 700));
    await until('pictures', () => first.messages.length === 5);
    const second = stage.watch(await stage.person(['live']));
    await until('the group', () => second.messages.length === 3);
    expect(second.types).toBe('init key delta');
    stream.write(media('delta'));
    await until('what comes', () => second.messages.length === 4 && first.messages.length === 6);
    expect(streams()).toHaveLength(1);
    // Another stream is another one.
    stage.watch(pia, 'stream=sub&accept=h265,h264');
    expect((await until('the other', () => streams()[1])).path).toContain('stream=sub&accept=h264%2Ch265');
    first.close();
    second.close();
    await Promise.all([first.closed, second.closed]);
    await stage.clock.advance(3_000);
    expect(streams()[0]!.signal?.aborted).toBe(true);
  });

  it('ends with what it was allowed by: the permission within ten seconds, the session at once (PERM-04, PERM-05, LIVE-10)', async () => {
    const partner = await stage.person(['live'], stage.clock.now() + 3_600_000);
    const [granted, released, left] = [
      stage.watch(partner),
      stage.watch(await stage.person(['live'])),
      stage.watch(pia),
    ];
    const { stream } = await until('the stream', () => streams()[0]);
    stream.write(media('init', 'key'));
    await until('pictures', () => [granted, released, left].every(({ messages }) => messages.length === 2));
    await stage.db
      .deleteFrom('grants')
      .where('companyId', '!=', partner.companyId)
      .where('permission', '=', 'live')
      .execute();
    await stage.clock.advance(10_000);
    expect(await released.closed).toMatchObject({ code: 4003 });
    expect(granted.socket.readyState).toBe(1);
    await stage.sessions.end(pia.sessionId);
    expect(await left.closed).toMatchObject({ code: 4003 });
    expect([released.note, left.note]).toEqual(['refused', 'refused']);
    await stage.clock.jump(3_600_000);
    await stage.clock.advance(10_000);
    expect(await granted.closed).toMatchObject({ code: expect.any(Number) });
    stream.write(media('delta'));
    expect(released.types).toBe('init key note');
  });

  it('says why there is nothing to see, and ends when the tunnel does', async () => {
    stage.connected = false;
    const away = stage.watch(pia);
    expect(await away.closed).toMatchObject({ code: 4000 });
    expect(away.note).toBe('box-unreachable');
    stage.connected = true;
    stage.refusal = { status: 404, body: problem('not-found', 'The box has no video of this channel.') };
    const nothing = stage.watch(pia, 'stream=main', stage.camera);
    await nothing.closed;
    expect(nothing.note).toBe('not-found');
    stage.refusal = null;
    const cut = stage.watch(pia);
    const last = await until('the stream', () => streams().findLast(({ stream }) => !stream.destroyed));
    await until('it is open', () => cut.socket.readyState === 1);
    last.stream.destroy(new Error('the tunnel broke'));
    await cut.closed;
    expect(cut.note).toBe('box-unreachable');
  });

  it('is refused to strangers, to who may not look, to pages of other sites, and for devices without a box', async () => {
    const status = async (viewer: ReturnType<Stage['watch']>) => (await viewer.closed).status;
    const path = `${channel()}/live/socket`;
    expect(await status(stage.socket({}, path))).toBe(401);
    expect(await status(stage.watch(await stage.person([])))).toBe(404);
    expect(await status(stage.watch(await stage.person(['playback'])))).toBe(403);
    expect(await status(stage.watch(pia, 'stream=main', stage.elsewhere))).toBe(409);
    expect(await status(stage.watch(pia, 'accept=vp9'))).toBe(400);
    const cookie = `gp_session=${pia.token}`;
    expect(await status(stage.socket({ cookie, origin: 'https://evil.example' }, path))).toBe(403);
    expect(await status(stage.socket({ cookie }, path))).toBe(403);
    const own = stage.socket({ cookie, origin: stage.url }, path);
    await until('the portal’s own page', () => own.socket.readyState === 1);
    expect(await status(stage.socket({ cookie, origin: stage.url }, `/sites/${stage.siteId}/viewings`))).toBe(400);
    expect((await stage.call(pia, 'GET', path)).status).toBe(400);
  });

  it('leaves out pictures for a line that is late, up to a key frame', async () => {
    const viewer = stage.watch(pia);
    const { stream } = await until('the stream', () => streams()[0]);
    stream.write(media('init', 'key'));
    await until('pictures', () => viewer.messages.length === 2);
    // Nothing is read any more: what was asked comes back late.
    (viewer.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket.pause();
    await stage.clock.advance(500);
    await stage.clock.advance(2_000);
    stream.write(media('delta', 'delta'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    (viewer.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket.resume();
    await until('why', () => viewer.note === 'slow-line');
    await new Promise((resolve) => setTimeout(resolve, 50));
    stream.write(media('delta', 'key', 'delta'));
    await until('the next group', () => viewer.messages.length === 5);
    expect(viewer.types).toBe('init key note key delta');
  });
});

describe('a viewer that reads nothing', () => {
  const line = (viewer: ReturnType<Stage['watch']>) =>
    (viewer.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket;
  const notes = (bytes: number, count: number) => {
    const message = writeMedia({ type: 'note', note: { code: 'x', text: 'x'.repeat(bytes) } });
    const length = Buffer.alloc(4);
    length.writeUInt32BE(message.length);
    return Buffer.concat(Array.from({ length: count }, () => [length, message]).flat());
  };

  it('is not heard because of pongs that nobody asked for', async () => {
    const viewer = stage.watch(pia);
    await until('it is open', () => streams()[0] && viewer.socket.readyState === 1);
    line(viewer).pause();
    for (let second = 0; second < 24; second++) {
      viewer.socket.pong();
      await new Promise((resolve) => setTimeout(resolve, 5));
      await stage.clock.advance(1_000);
    }
    await until('its end', () => stage.watching.viewings.count('live') === 0);
    viewer.socket.terminate();
  });

  it('is kept no notes for, and nobody gets one that is too long', async () => {
    const viewer = stage.watch(pia);
    const { stream } = await until('the stream', () => streams()[0]);
    stream.write(Buffer.concat([notes(5_000, 1), notes(10, 1), media('init', 'key')]));
    await until('pictures', () => viewer.types === 'note init key');
    line(viewer).pause();
    const some = notes(4_000, 250);
    for (let mb = 0; mb < 14; mb++) {
      stream.write(some);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    line(viewer).resume();
    stream.write(notes(20, 1));
    await until('the last', () => viewer.messages.length > 500);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(viewer.messages.length).toBeLessThan(3_500);
    viewer.close();
  });
});

describe('directly', () => {
  it('passes the offer on with ICE servers of its own, and the answer back (LIVE-01)', async () => {
    const { answer, asked } = await direct(pia, '?stream=sub');
    expect(answer.status).toBe(201);
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['application/sdp', 'v=0 answer']);
    expect(asked).toMatchObject({ serial: SERIAL, method: 'POST' });
    const offer = JSON.parse(asked.body);
    expect(offer).toMatchObject({ deviceId: stage.camera, channel: 1, stream: 'sub', sdp: 'v=0\r\n' });
    const [stun, turn] = offer.iceServers;
    expect(stun).toEqual({ urls: ['stun:stun.example:3478'] });
    // draft-uberti-behave-turn-rest: the name is an end, the password its HMAC.
    expect(Number(turn.username.split(':')[0])).toBe(stage.clock.now() / 1000 + 600);
    expect(turn.credential).toBe(createHmac('sha1', 's').update(turn.username).digest('base64'));
    expect(answer.headers.get('link')).toContain('<turn:turn.example:3478>; rel="ice-server"; username="');
    const location = answer.headers.get('location')!;
    expect(location).toBe(`/api/v1/viewings/${offer.viewId}`);
    const path = location.replace('/api/v1', '');
    const candidate = 'a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 4000 typ host\r\n';
    expect(
      (await stage.call(pia, 'PATCH', path, { body: candidate, type: 'application/trickle-ice-sdpfrag' })).status,
    ).toBe(204);
    expect(stage.asked.at(-1)).toMatchObject({
      method: 'PATCH',
      path: `/v1/live/webrtc/${offer.viewId}`,
      body: candidate,
    });
    // Nobody else's, not even of the same company.
    const colleague = await stage.person(null);
    expect((await stage.call(colleague, 'DELETE', path)).status).toBe(404);
    expect((await stage.call(colleague, 'PATCH', path, { body: candidate, type: 'text/plain' })).status).toBe(404);
    expect(asked.signal?.aborted).toBe(false);
    expect((await stage.call(pia, 'DELETE', path)).status).toBe(200);
    expect(asked.signal?.aborted).toBe(true);
    expect((await stage.call(pia, 'DELETE', path)).status).toBe(404);
  });

  it('ends by its request: with the permission, with the session, with the box’s word (PERM-04, PERM-05)', async () => {
    const partner = await stage.person(['live']);
    const byGrant = await direct(partner);
    const bySession = await direct(pia);
    const byBox = await direct(await stage.person(null));
    byBox.asked.stream.write(`${JSON.stringify({ type: 'ended', code: 'viewer-gone', text: 'Gone.' })}\n`);
    await until('the box’s word', () => byBox.asked.signal?.aborted);
    await stage.db.deleteFrom('grants').where('companyId', '=', partner.companyId).execute();
    await stage.clock.advance(10_000);
    await until('it is asked again', () => byGrant.asked.signal?.aborted);
    expect(bySession.asked.signal?.aborted).toBe(false);
    await stage.sessions.end(pia.sessionId);
    expect(bySession.asked.signal?.aborted).toBe(true);
  });

  it('is not begun for a viewer who left before the answer was there', async () => {
    const page = new AbortController();
    const { signal } = page;
    const going = stage.call(pia, 'POST', `${channel()}/whep`, { body: 'v=0\r\n', type: 'application/sdp', signal });
    const asked = await until('the offer', () => offered()[0]);
    page.abort();
    await expect(going).rejects.toThrow('aborted');
    await until('the box hears of it', () => asked.signal?.aborted);
    await until('nobody looks', () => stage.watching.viewings.count('live') === 0);
    expect(stage.watching.views.count).toBe(0);
  });

  it('ends when the box says more of its connection than there can be', async () => {
    const { asked } = await direct(pia);
    const line = (path: string) => `${JSON.stringify({ type: 'state', state: 'connected', path })}\n`;
    const way = (path: string) =>
      until(path, async () => {
        await stage.clock.advance(100);
        return (await viewings())[0]?.path === path;
      });
    asked.stream.write(line('relay').repeat(90));
    await way('relay');
    await stage.clock.advance(61_000);
    asked.stream.write(line('direct').repeat(90));
    await way('direct');
    expect(asked.signal?.aborted).toBe(false);
    asked.stream.write(line('relay').repeat(90));
    await until('its end', () => asked.signal?.aborted);
  });

  it('leaves nothing open where the box refuses or is away', async () => {
    stage.refusal = { status: 400, body: problem('invalid-request', 'This is no offer of a viewer.') };
    const refused = await stage.call(pia, 'POST', `${channel()}/whep`, { body: 'v=0', type: 'application/sdp' });
    expect([refused.status, (await refused.json()).code]).toEqual([400, 'invalid-request']);
    stage.connected = false;
    const away = await stage.call(pia, 'POST', `${channel()}/whep`, { body: 'v=0', type: 'application/sdp' });
    expect((await away.json()).code).toBe('box-unreachable');
    const json = await stage.call(pia, 'POST', `${channel()}/whep`, { body: '"v=0"' });
    expect((await json.json()).code).toBe('unsupported-media-type');
    expect([stage.watching.viewings.count('live'), stage.watching.views.count]).toEqual([0, 0]);
  });
});

describe('windows and the log of looks', () => {
  it('has sixteen live windows a session; one that is seen both ways is one (LIVE-02)', async () => {
    const watch = (n: number) =>
      stage.socket({ authorization: `Bearer ${pia.token}` }, `/devices/${stage.camera}/channels/${n}/live/socket`);
    const windows = Array.from({ length: 16 }, (_, i) => watch(i + 1));
    await until('sixteen', () => stage.watching.viewings.count('live') === 16);
    // Beside the relay's stream of the same channel.
    const { answer } = await direct(pia);
    expect([answer.status, stage.watching.viewings.count('live')]).toEqual([201, 16]);
    const more = watch(17);
    await until('it asks', () => more.socket.readyState === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await stage.clock.advance(800);
    await more.closed;
    expect(more.note).toBe('too-many-windows');
    windows[3]!.close();
    await windows[3]!.closed;
    const again = watch(17);
    await until('room', () => stage.asked.some(({ path }) => path.includes('channel=17')));
    // Another session has its own.
    const other = stage.watch(await stage.person(null));
    await until('seventeen of two', () => stage.watching.viewings.count('live') === 17);
    for (const viewer of [...windows, again, other]) viewer.close();
  });

  it('writes down who looked at what, when, and by which way; the owner reads it', async () => {
    const viewer = stage.watch(pia);
    await until('it goes on', async () => (await viewings()).length === 1);
    const { answer, asked } = await direct(pia);
    expect(answer.status).toBe(201);
    asked.stream.write(`${JSON.stringify({ type: 'state', state: 'connected', path: 'direct' })}\n`);
    viewer.close();
    await viewer.closed;
    const row = await until('direct', async () => (await viewings()).find(({ path }) => path === 'direct'));
    expect(row).toMatchObject({
      deviceId: stage.camera,
      deviceName: 'Gate',
      channel: 1,
      kind: 'live',
      endedAt: null,
      user: { id: pia.userId, name: 'Pia', company: 'Acme' },
    });
    await stage.clock.advance(5_000);
    asked.stream.destroy(new Error('cut'));
    const ended = await until('its end', async () => (await viewings()).find(({ endedAt }) => endedAt !== null));
    expect(Date.parse(String(ended.endedAt)) - Date.parse(String(ended.startedAt))).toBe(5_000);
    // Whoever only looks at this camera sees its looks; who has nothing to do with it, none.
    expect(await viewings(await stage.person(['live']))).toHaveLength(1);
    const stranger = await stage.person([]);
    expect((await stage.call(stranger, 'GET', `/sites/${stage.siteId}/viewings`)).status).toBe(404);
  });
});

describe('a device whose owner asks for a code (LIVE-04)', () => {
  const unlock = async (who: Person, code: string) =>
    (await stage.call(who, 'POST', `${channel()}/live/unlock`, { body: JSON.stringify({ code }) })).status;

  it('shows nothing before the right one was entered, of which few wrong ones can be tried', async () => {
    const partner = await stage.person(['live', 'configure']);
    const lock = (who: Person, code: string | null) =>
      stage.call(who, 'PUT', `/devices/${stage.camera}/picture-lock`, { body: JSON.stringify({ code }) });
    expect((await lock(partner, 'ABC123')).status).toBe(403);
    const open = stage.watch(partner);
    await until('it is seen', () => streams().length === 1);
    expect((await lock(pia, 'ABC123')).status).toBe(204);
    // What is open ends too.
    await stage.clock.advance(10_000);
    expect((await open.closed).code).toBe(4003);
    const ask = async (who: Person) => {
      const options = await (await stage.call(who, 'GET', `${channel()}/live?stream=main`)).json();
      const { path } = stage.asked.findLast(({ path }) => path.startsWith('/v1/live/options'))!;
      return { ...options, told: /stream=\w+/.exec(path)?.[0] };
    };
    // No camera is asked for who may not see it yet.
    expect(await ask(partner)).toMatchObject({ encrypted: true, iceServers: [{}, {}], told: undefined });
    const refused = stage.watch(partner);
    await refused.closed;
    expect(refused.note).toBe('verification-code-needed');
    const snapshot = () => stage.call(partner, 'GET', `/devices/${stage.camera}/snapshot`);
    expect((await (await snapshot()).json()).code).toBe('verification-code-needed');
    const whep = await stage.call(partner, 'POST', `${channel()}/whep`, { body: 'v=0', type: 'application/sdp' });
    expect((await whep.json()).code).toBe('verification-code-needed');
    for (let i = 0; i < 5; i++) expect(await unlock(partner, 'abc123')).toBe(422);
    expect(await unlock(partner, 'ABC123')).toBe(429);
    await stage.clock.jump(10 * 60_000);
    expect(await unlock(partner, 'ABC123')).toBe(204);
    expect(await (await snapshot()).text()).toBe('JPEG');
    await snapshot();
    expect((await viewings(partner)).filter(({ kind }) => kind === 'snapshot')).toHaveLength(1);
    const seen = stage.watch(partner);
    await until('it is seen', () => seen.socket.readyState === 1 && streams().length === 2);
    expect(await ask(partner)).toMatchObject({ encrypted: false, told: 'stream=main' });
    // Another session enters it itself.
    expect((await (await stage.call(pia, 'GET', `${channel()}/live`)).json()).encrypted).toBe(true);
    expect((await lock(pia, null)).status).toBe(204);
    expect((await (await stage.call(pia, 'GET', `${channel()}/live`)).json()).encrypted).toBe(false);
  });
});
