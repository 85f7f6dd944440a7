import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../testing/relay.ts';
import { type Person, Stage } from './testing/stage.ts';

let stage: Stage;
let pia: Person;
beforeEach(async () => {
  stage = await new Stage().start({ stun: ['stun:stun.example:3478'] });
  pia = await stage.person(null);
});
afterEach(() => stage.stop());

const PLAYER = 'https://player.example';
const OFFER = 'v=0\r\na=ice-ufrag:ours\r\na=ice-pwd:secretsecretsecretsecret\r\n';
const CANDIDATE = 'm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 4000 typ host\r\n';
const of = (ufrag: string) => `a=ice-ufrag:${ufrag}\r\na=ice-pwd:secretsecretsecretsecret\r\n${CANDIDATE}`;
const whep = () => `/devices/${stage.camera}/channels/1/whep`;

/** As a page of another origin asks: the token is its own, a cookie what a browser might add. */
const ask = (method: string, path: string, headers: Record<string, string>, body?: string) =>
  fetch(`${stage.url}/api/v1${path}`, { method, headers: { origin: PLAYER, ...headers }, body });
const bearer = (who: Person) => ({ authorization: `Bearer ${who.token}` });
const sdp = { 'content-type': 'application/sdp' };
const frag = { 'content-type': 'application/trickle-ice-sdpfrag' };

async function begin(who = pia, channel = 1) {
  const before = stage.asked.length;
  const going = ask('POST', whep().replace('/1/', `/${channel}/`), { ...bearer(who), ...sdp }, OFFER);
  const asked = await until('the offer', () => stage.asked[before]);
  asked.stream.write(`${JSON.stringify({ type: 'answer', sdp: 'v=0 answer' })}\n`);
  const answer = await going;
  const path = new URL(answer.headers.get('location')!, stage.url).pathname.replace('/api/v1', '');
  return { answer, asked, path, etag: answer.headers.get('etag')! };
}
/** So few at once that a session has windows for them. */
async function inEights<T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let i = 0; i < count; i += 8)
    made.push(...(await Promise.all(Array.from({ length: Math.min(8, count - i) }, (_, n) => make(i + n)))));
  return made;
}
const reached = () => stage.asked.filter(({ method }) => method === 'PATCH').length;

describe('a player of another origin (WHEP)', () => {
  it('begins, finds itself known by an entity-tag, sends candidates and ends, with its own token alone', async () => {
    const preflight = await ask('OPTIONS', whep(), { 'access-control-request-method': 'POST' });
    expect(preflight.status).toBe(204);
    const said = (name: string) => preflight.headers.get(name);
    expect([said('access-control-allow-origin'), said('access-control-allow-credentials')]).toEqual(['*', null]);
    expect([said('access-control-allow-methods'), said('accept-post')]).toEqual(['POST, OPTIONS', 'application/sdp']);
    expect(said('access-control-allow-headers')?.split(', ')).toEqual(['Authorization', 'Content-Type', 'If-Match']);

    const { answer, asked, path, etag } = await begin();
    expect(answer.status).toBe(201);
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect(answer.headers.get('accept-patch')).toBe('application/trickle-ice-sdpfrag');
    expect(answer.headers.get('link')).toBe('<stun:stun.example:3478>; rel="ice-server"');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/Location.*ETag.*Link/);

    const patch = (body: string, headers: Record<string, string> = {}) =>
      ask('PATCH', path, { ...bearer(pia), ...frag, ...headers }, body);
    const status = async (answer: Promise<Response>) => (await answer).status;
    expect(await status(patch(of('ours'), { 'if-match': etag }))).toBe(204);
    // As common players have it: no tag, or any.
    expect(await status(patch(of('ours')))).toBe(204);
    expect(await status(patch(CANDIDATE))).toBe(204);
    expect(await status(patch(of('ours'), { 'if-match': '*' }))).toBe(204);
    expect(await status(patch(of('ours'), { 'if-match': '"*"' }))).toBe(204);
    expect(reached()).toBe(5);
    // Another connection's: RFC 9725 §4.3.1; and no restart, after which the view goes on (§4.3.3).
    const stale = await patch(of('ours'), { 'if-match': '"another"' });
    expect([stale.status, stale.headers.get('etag')]).toEqual([412, etag]);
    expect(await status(patch(of('theirs')))).toBe(428);
    expect(await status(patch(of('theirs'), { 'if-match': etag }))).toBe(422);
    const restart = await patch(of('theirs'), { 'if-match': '*' });
    expect([restart.status, (await restart.json()).code]).toEqual([422, 'no-restart']);
    const other = await ask('PATCH', path, { ...bearer(pia), ...sdp }, OFFER);
    expect([other.status, other.headers.get('accept-patch')]).toEqual([415, 'application/trickle-ice-sdpfrag']);
    expect([reached(), asked.signal?.aborted]).toEqual([5, false]);
    // An entity-tag means nothing here (§4.2).
    expect(await status(ask('DELETE', path, { ...bearer(pia), 'if-match': '"another"' }))).toBe(200);
    expect([asked.signal?.aborted, stage.watching.views.count]).toEqual([true, 0]);
  });

  it('that did not get the answer asks again under its Idempotency-Key, and has the same view', async () => {
    const headers = { ...bearer(pia), ...sdp, 'idempotency-key': 'this-view-and-no-other' };
    const going = ask('POST', whep(), headers, OFFER);
    const asked = await until('the offer', () => stage.asked[0]);
    asked.stream.write(`${JSON.stringify({ type: 'answer', sdp: 'v=0 answer' })}\n`);
    const [first, again] = [await going, await ask('POST', whep(), headers, OFFER)];
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 201, 'true']);
    expect(await again.text()).toBe(await first.text());
    const of = (answer: Response) =>
      ['content-type', 'location', 'etag', 'link', 'accept-patch'].map((name) => answer.headers.get(name));
    expect(of(again)).toEqual(of(first));
    expect(of(again)).not.toContain(null);
    expect([stage.watching.views.count, stage.asked.length]).toEqual([1, 1]);
  });

  it('gets nothing by the cookie of whoever looks at it, and other addresses are not for it', async () => {
    const cookie = { cookie: `gp_session=${pia.token}`, 'sec-fetch-site': 'cross-site' };
    const refused = await ask('POST', whep(), { ...cookie, ...sdp }, OFFER);
    expect([refused.status, refused.headers.get('access-control-allow-credentials')]).toEqual([403, null]);
    const { path } = await begin();
    expect((await ask('PATCH', path, { ...cookie, ...frag }, of('ours'))).status).toBe(403);
    expect((await ask('DELETE', path, cookie)).status).toBe(403);
    // Older browsers say the origin alone.
    expect((await ask('DELETE', path, { cookie: cookie.cookie })).status).toBe(403);
    expect((await ask('DELETE', path, {})).status).toBe(401);
    expect(stage.watching.views.count).toBe(1);
    const elsewhere = [`/devices/${stage.camera}`, `/devices/${stage.camera}/channels/1/live`, '/sites', `${whep()}/x`];
    for (const one of elsewhere)
      for (const method of ['OPTIONS', 'GET']) {
        const answer = await ask(method, one, bearer(pia));
        expect([one, answer.headers.get('access-control-allow-origin')]).toEqual([one, null]);
      }
  });

  it('is told alike of what is not there and of what is not for it', async () => {
    const stranger = await stage.person([]);
    const { path } = await begin();
    const none = '00000000-0000-7000-8000-000000000000';
    const seen = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
      const answer = await ask(method, path, headers, body);
      const told = [...answer.headers].filter(
        ([name]) => !/^(date|ratelimit-(remaining|reset)|content-length)$/.test(name),
      );
      return { status: answer.status, told, body: await answer.text() };
    };
    const alike = async (method: string, a: string, b: string, headers: Record<string, string>, body?: string) => {
      const first = await seen(method, a, headers, body);
      expect(await seen(method, b, headers, body)).toEqual(first);
      return first.status;
    };
    const missing = `/devices/${none}/channels/1/whep`;
    for (const headers of [{ ...bearer(stranger), ...sdp }, bearer(stranger)])
      expect(await alike('POST', whep(), missing, headers, OFFER)).toBe(404);
    expect(await alike('POST', whep(), missing, sdp, OFFER)).toBe(401);
    expect(await alike('OPTIONS', whep(), missing, {})).toBe(204);
    // Of somebody else's view: not even that its tag is right, or its type wrong.
    const gone = `/viewings/${none}`;
    const etag = `"${path.split('/').at(-1)}"`;
    for (const who of [stranger, await stage.person(null)])
      for (const headers of [frag, sdp, { ...frag, 'if-match': etag }])
        expect(await alike('PATCH', path, gone, { ...bearer(who), ...headers }, of('ours'))).toBe(404);
    expect(await alike('DELETE', path, gone, bearer(stranger))).toBe(404);
    expect([stage.watching.views.count, reached()]).toEqual([1, 0]);
  });

  it('of another company cannot take every place at a box: its owner has room', async () => {
    const guests = [await stage.person(['live']), await stage.person(['live'])];
    for (let i = 0; i < 24; i++) await begin(guests[i % 2], i + 1);
    const full = await ask('POST', whep(), { ...bearer(guests[0]!), ...sdp }, OFFER);
    expect([full.status, (await full.json()).code, stage.watching.views.count]).toEqual([409, 'limit-reached', 24]);
    for (let i = 0; i < 16; i++) expect((await begin(pia, i + 1)).answer.status).toBe(201);
    const none = await ask('POST', whep(), { ...bearer(await stage.person(null)), ...sdp }, OFFER);
    expect((await none.json()).code).toBe('limit-reached');
  });

  it('is no work without end for a box: a company begins so many views at it in a while', async () => {
    stage.refusal = { status: 406, body: { code: 'not-acceptable', status: 406, title: '', type: '' } };
    const offer = async (who = pia) => (await ask('POST', whep(), { ...bearer(who), ...sdp }, OFFER)).status;
    const statuses = await inEights(84, () => offer());
    expect([406, 429].map((status) => statuses.filter((one) => one === status).length)).toEqual([80, 4]);
    expect(await offer(await stage.person(['live']))).toBe(406);
    await stage.clock.advance(1_000);
    expect([await offer(), stage.watching.views.count, stage.asked.length]).toEqual([406, 0, 82]);
  });

  it('takes 200 hostile offers and fragments, and is there for the next one', async () => {
    const { path, etag, asked } = await begin();
    const random = (bytes: number) => {
      const text = Buffer.from(Array.from({ length: bytes }, () => Math.floor(Math.random() * 256))).toString('latin1');
      return Math.random() < 0.5 ? text : `v=0\r\na=ice-ufrag:ours\r\n${text}`;
    };
    stage.refusal = { status: 400, body: { code: 'invalid-request', status: 400, title: '', type: '' } };
    const hundred = async (make: (i: number) => Promise<Response>) =>
      [...new Set((await inEights(100, make)).map(({ status }) => status))].sort();
    const offers = await hundred((i) => {
      const [type, body] = [
        [sdp, random(i * 40)],
        [{ 'content-type': `application/sdp;${'x'.repeat(i)}` }, random(9)],
        [{ 'content-type': 'application/json' }, '{"a":1}'],
        [sdp, `v=0${'\r\nm=video 9'.repeat(i * 500)}`],
      ][i % 4] as [Record<string, string>, string];
      return ask('POST', whep(), { ...bearer(pia), ...type }, body);
    });
    expect(offers).toEqual([400, 413, 415]);
    expect([stage.watching.views.count, stage.watching.viewings.count('live')]).toEqual([1, 1]);
    stage.refusal = null;
    const fragments = await hundred((i) => {
      const body = i % 3 === 0 ? 'a=candidate:'.repeat(2_000) : random(i * 20);
      const tag = i % 2 === 0 ? etag : random(9).replaceAll(/[^\x21-\x7e]/g, '');
      return ask('PATCH', path, { ...bearer(pia), ...frag, 'if-match': tag }, body);
    });
    expect(fragments).toEqual([204, 412, 413]);
    // Bounded: what is sent on to the box is no more than a player has candidates.
    expect(reached()).toBeLessThanOrEqual(64);
    expect(asked.signal?.aborted).toBe(false);
    expect((await begin(await stage.person(null))).answer.status).toBe(201);
  });
});
