import { afterEach, beforeEach, expect, it } from 'vitest';
import { problem } from '../../protocol/wire/problem.ts';
import type { TalkLine } from '../../protocol/wire/talk.ts';
import { until } from '../testing/relay.ts';
import { type Asked, type Person, Stage, type Viewer } from './testing/stage.ts';

/* Speaking to a device, from the socket to what the box is sent; the box and the clock do as they are told. */

let stage: Stage;
let pia: Person;
beforeEach(async () => {
  stage = await new Stage().start();
  pia = await stage.person(null);
});
afterEach(() => stage.stop());

const FRAME = Buffer.alloc(160, 0x55);
const path = (camera = stage.camera) => `/devices/${camera}/channels/1/talk/socket`;
const speak = (who: Person, camera?: string): Viewer =>
  stage.socket({ authorization: `Bearer ${who.token}` }, path(camera));
const talks = (): Asked[] => stage.asked.filter(({ path }) => path.startsWith('/v1/talk'));
const line = (asked: Asked, said: TalkLine) => asked.stream.write(`${JSON.stringify(said)}\n`);
const READY: TalkLine = { type: 'ready', codec: 'PCMU' };
const why = (viewer: Viewer) => viewer.said.findLast(({ type }) => type === 'ended')?.code;
/** Somebody who speaks, and what the box got of it. */
async function speaking(who: Person) {
  const before = talks().length;
  const viewer = speak(who);
  const asked = await until('the box is asked', () => talks()[before]);
  const got = { bytes: 0 };
  asked.sound!.on('data', (chunk: Buffer) => {
    got.bytes += chunk.length;
  });
  line(asked, READY);
  await until('it is ready', () => viewer.said.length === 1);
  return { viewer, asked, got };
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 30));

it('sound goes to the box once the device listens, never more than half a second ahead of it', async () => {
  const viewer = speak(pia);
  const asked = await until('the box is asked', () => talks()[0]);
  expect(asked).toMatchObject({ method: 'POST', path: `/v1/talk?deviceId=${stage.camera}&channel=1` });
  let bytes = 0;
  asked.sound!.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await until('it is open', () => viewer.socket.readyState === 1);
  for (let n = 0; n < 10; n++) viewer.socket.send(FRAME);
  await soon();
  expect(bytes).toBe(0);
  line(asked, READY);
  await until('it is ready', () => viewer.said[0]?.type === 'ready');
  // In a heap, as after a hole in the line: what would be late is left out.
  for (let n = 0; n < 40; n++) viewer.socket.send(FRAME);
  await until('half a second', () => bytes === 4_000);
  await soon();
  expect(bytes).toBe(4_000);
  line(asked, { type: 'heard', taken: 4_000, heardMs: 480 });
  await until('it is heard', () => viewer.said[1]?.heardMs === 480);
  viewer.socket.send(FRAME);
  await until('more', () => bytes === 4_160);
  // What a box says of more than it was sent counts for no more.
  line(asked, { type: 'heard', taken: 900_000, heardMs: 500 });
  await until('it is heard', () => viewer.said.length === 3);
  for (let n = 0; n < 30; n++) viewer.socket.send(FRAME);
  await until('half a second more', () => bytes === 8_160);
  viewer.close();
  // What was said last is still heard.
  await until('the end of what is said', () => asked.sound!.readableEnded);
  expect(asked.signal?.aborted).toBe(false);
  asked.stream.end();
  await until('the box is let go', () => asked.signal?.aborted);
});

it('one voice a channel, until it is over; who spoke when stands among the viewings and in the operation log', async () => {
  const first = await speaking(pia);
  const other = await stage.person(['live']);
  const second = speak(other);
  expect(await second.closed).toMatchObject({ code: 4000 });
  expect(why(second)).toBe('spoken-to');
  expect(talks()).toHaveLength(1);
  await stage.clock.advance(5_000);
  line(first.asked, { type: 'ended', code: 'device-unreachable', text: 'Gate: It closed the connection.' });
  expect(await first.viewer.closed).toMatchObject({ code: 4000 });
  expect(why(first.viewer)).toBe('device-unreachable');
  const again = await speaking(other);
  const answer = await stage.call(pia, 'GET', `/sites/${stage.siteId}/viewings`);
  const { items } = (await answer.json()) as { items: Record<string, unknown>[] };
  expect(
    items.map(({ kind, endedAt, user }) => [kind, endedAt !== null, (user as { company: string }).company]),
  ).toEqual([
    ['talk', false, 'Partner'],
    ['talk', true, 'Acme'],
  ]);
  expect(Date.parse(String(items[1]!.endedAt)) - Date.parse(String(items[1]!.startedAt))).toBe(5_000);
  const log = await stage.db.selectFrom('audit_entries').select(['action', 'result']).execute();
  // Three times, the last two of them in the logs of both companies.
  const told = log.filter(({ action }) => action === 'talkToChannel').map(({ result }) => result);
  expect(told).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
  again.viewer.close();
});

it('ends with what it was allowed by: the permission within ten seconds, the session at once, a code that is asked for', async () => {
  const partner = await stage.person(['live']);
  const released = await speaking(partner);
  await stage.db.deleteFrom('grants').where('companyId', '=', partner.companyId).execute();
  await stage.clock.advance(4_000);
  released.viewer.socket.send(FRAME);
  await until('it is sent', () => released.got.bytes === 160);
  await stage.clock.advance(6_000);
  expect(await released.viewer.closed).toMatchObject({ code: 4003 });
  expect(why(released.viewer)).toBe('talk-refused');
  expect(released.asked.signal?.aborted).toBe(true);
  const mine = await speaking(pia);
  await stage.sessions.end(pia.sessionId);
  expect(await mine.viewer.closed).toMatchObject({ code: 4003 });
  const owner = await stage.person(null);
  await stage.watching.locks.set(stage.camera, 'ABC123');
  const locked = speak(owner);
  await locked.closed;
  expect(why(locked)).toBe('verification-code-needed');
  await stage.watching.locks.open({ id: owner.sessionId, companyId: owner.companyId }, stage.camera, 'ABC123');
  const opened = await speaking(owner);
  await stage.clock.advance(1_000);
  await stage.watching.locks.set(stage.camera, 'DEF456');
  await stage.clock.advance(4_000);
  opened.viewer.socket.send(FRAME);
  await stage.clock.advance(6_000);
  expect(await opened.viewer.closed).toMatchObject({ code: 4003 });
});

it('is refused to strangers, to who may not, to pages of other sites, and where there is no box', async () => {
  const status = async (viewer: Viewer) => (await viewer.closed).status;
  expect(await status(stage.socket({}, path()))).toBe(401);
  expect(await status(speak(await stage.person([])))).toBe(404);
  expect(await status(speak(await stage.person(['playback'])))).toBe(403);
  expect(await status(speak(pia, stage.elsewhere))).toBe(409);
  expect(
    await status(stage.socket({ cookie: `gp_session=${pia.token}`, origin: 'https://evil.example' }, path())),
  ).toBe(403);
  expect((await stage.call(pia, 'GET', path())).status).toBe(400);
  expect(talks()).toHaveLength(0);
  stage.connected = false;
  const away = speak(pia);
  await away.closed;
  expect(why(away)).toBe('box-unreachable');
  stage.connected = true;
  stage.refusal = { status: 409, body: problem('speaker-busy', 'Gate: Its loudspeaker is in use.') };
  const busy = speak(pia);
  await busy.closed;
  expect(busy.said.at(-1)).toEqual({ type: 'ended', code: 'speaker-busy', text: 'Gate: Its loudspeaker is in use.' });
});

it('ends after ten seconds of nothing and after ten minutes, by a flood, by what is no sound, and with the tunnel', async () => {
  const idle = await speaking(pia);
  await stage.clock.advance(9_000);
  expect(idle.viewer.socket.readyState).toBe(1);
  await stage.clock.advance(3_000);
  await idle.viewer.closed;
  expect(why(idle.viewer)).toBe('talk-idle');
  const long = await speaking(pia);
  for (let s = 0; s < 600; s += 9) {
    long.viewer.socket.send(FRAME);
    await until('it came', () => long.got.bytes >= 160 * (s / 9 + 1));
    line(long.asked, { type: 'heard', taken: long.got.bytes, heardMs: 0 });
    await until('it is heard', () => long.viewer.said.length > s / 9 + 1);
    await stage.clock.advance(9_000);
  }
  await long.viewer.closed;
  expect(why(long.viewer)).toBe('talk-too-long');
  for (const [what, code] of [
    [() => Array<Buffer>(120).fill(FRAME), 'too-many-requests'],
    [() => [Buffer.alloc(2_000)], 'invalid-request'],
    [() => [Buffer.alloc(10)], 'invalid-request'],
    [() => ['{"type":"frame"}'], 'invalid-request'],
  ] as const) {
    const { viewer, asked } = await speaking(pia);
    for (const message of what()) viewer.socket.send(message);
    expect(await viewer.closed).toMatchObject({ code: 1008 });
    expect(why(viewer)).toBe(code);
    expect(asked.signal?.aborted).toBe(true);
  }
  const cut = await speaking(pia);
  cut.asked.stream.destroy(new Error('the tunnel broke'));
  await cut.viewer.closed;
  expect(why(cut.viewer)).toBe('box-unreachable');
  expect(stage.watching.talks.count).toBe(0);
});
