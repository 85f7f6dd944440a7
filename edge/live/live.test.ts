import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { readMedia } from '../../protocol/wire/media.ts';
import { LiveViews } from './live.ts';
import { FakeSource, FakeSources, H264, PCMU } from './testing/fake-source.ts';

let sources: FakeSources;
let live: LiveViews;
const talks = { chance: async () => ({ can: 'no' as const, codec: null, recorder: false }) };
const deviceId = uuidv7();
beforeEach(() => {
  sources = new FakeSources();
  sources.main = new FakeSource(H264);
  const log = pino({ level: 'silent' });
  live = new LiveViews({ video: sources, playback: async () => true, talks, clock: new ManualClock(), log });
});
afterEach(() => live.stop());

const get = (path: string, signal?: AbortSignal) => live.routes().request(path, { signal });
const stream = (query = '', signal?: AbortSignal) =>
  get(`/stream?deviceId=${deviceId}&channel=1&stream=main&accept=h264${query}`, signal);
const post = (body: unknown) =>
  live.routes().request('/webrtc', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

/** Types of the messages that were sent by now, each behind its length. */
async function read(reader: ReadableStreamDefaultReader<Uint8Array>, count: number): Promise<string> {
  const types: string[] = [];
  while (types.length < count) {
    const length = (await reader.read()).value!;
    const message = (await reader.read()).value!;
    expect(new DataView(length.buffer).getUint32(0)).toBe(message.length);
    types.push(readMedia(message)!.type);
  }
  return types.join(' ');
}

it('tells which streams a channel has, and none of one that is not there', async () => {
  sources.main!.sound = PCMU;
  sources.main!.push(true);
  sources.sub = new FakeSource(H264);
  const options = await (await get(`/options?deviceId=${deviceId}&channel=1`)).json();
  expect(options).toEqual({
    streams: [
      { stream: 'main', codec: H264.codec, width: H264.width, height: H264.height, audio: 'PCMU' },
      { stream: 'sub', codec: null, width: null, height: null, audio: null },
    ],
    encrypted: false,
    playback: true,
    talk: { can: 'no', codec: null, recorder: false },
  });
  expect((await get(`/options?deviceId=${deviceId}&channel=2`)).status).toBe(404);
  expect((await get(`/options?deviceId=x&channel=1`)).status).toBe(400);
  expect((await get(`/stream?deviceId=${deviceId}&channel=2&stream=main&accept=h264`)).status).toBe(404);
});

it('asks the camera of a stream that is looked at next, for five seconds, and of no more than a grid of windows', async () => {
  const many = Array.from({ length: 18 }, () => new FakeSource(H264));
  const video = {
    source: (_: string, channel: number, stream: string) => (stream === 'main' ? many[channel - 1]! : null),
  };
  const clock = new ManualClock();
  const log = pino({ level: 'silent' });
  const views = new LiveViews({ video, playback: async () => false, talks, clock, log });
  const ask = (channel: number, query: string) =>
    views.routes().request(`/options?deviceId=${deviceId}&channel=${channel}${query}`);
  const pulled = () => many.flatMap(({ consumers }, i) => (consumers.size > 0 ? [i + 1] : []));
  expect((await ask(1, '&stream=all')).status).toBe(400);
  await ask(1, '');
  expect(pulled()).toEqual([]);
  // A channel without a sub-stream shows its main stream.
  for (const query of ['&stream=main', '&stream=main', '&stream=sub']) await ask(2, query);
  expect([pulled(), many[1]!.consumers.size]).toEqual([[2], 1]);
  for (let channel = 1; channel <= 18; channel++) await ask(channel, '&stream=main');
  expect(pulled()).toHaveLength(16);
  await clock.advance(5_000);
  expect(pulled()).toEqual([]);
  await ask(1, '&stream=main');
  views.stop();
  expect(pulled()).toEqual([]);
});

it('sends messages until the relay lets go, and leaves out pictures that it does not take', async () => {
  const abort = new AbortController();
  sources.main!.push(true);
  const reader = (await stream('', abort.signal)).body!.getReader();
  sources.main!.push(false);
  expect(await read(reader, 3)).toBe('init key delta');
  // Nothing is read: 3 MB are too much, up to a key frame for which there is room.
  for (let i = 0; i < 30; i++) sources.main!.push(i === 15, 100_000);
  const queued = await read(reader, 20);
  expect(queued.split(' ').length).toBe(20);
  const rest = read(reader, 3);
  sources.main!.push(false);
  sources.main!.push(true);
  sources.main!.push(false);
  expect((await rest).endsWith('key delta')).toBe(true);
  abort.abort();
  expect(sources.main!.consumers.size).toBe(0);
  expect(live.stats).toEqual({ feeds: 0, views: 0 });
});

it('has so many streams at once, and refuses offers that are none', async () => {
  const open = await Promise.all(Array.from({ length: 32 }, () => stream()));
  expect(open.every(({ status }) => status === 200)).toBe(true);
  expect((await (await stream()).json()).code).toBe('limit-reached');
  await open[0]!.body!.cancel();
  expect((await stream()).status).toBe(200);
  const offer = { viewId: uuidv7(), deviceId, channel: 1, stream: 'main', sdp: 'v=0', iceServers: [] };
  expect((await (await post(offer)).json()).code).toBe('invalid-request');
  expect((await post({ ...offer, sdp: '' })).status).toBe(400);
  expect((await live.routes().request(`/webrtc/${offer.viewId}`, { method: 'PATCH', body: '' })).status).toBe(404);
  expect(live.stats.views).toBe(0);
});
