import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { until } from '../video/testing/camera.ts';
import {
  type Answer,
  type Request,
  type ScriptedCamera,
  scriptedCamera,
  usual,
} from '../video/testing/scripted-camera.ts';
import { openBackchannel } from './backchannel.ts';

/* When whoever opened a way back lets go of it, and what the device is told of it then. */

const SDP = [
  'v=0',
  's=test',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  'a=control:trackID=1',
  'm=audio 0 RTP/AVP 0',
  'a=sendonly',
  'a=control:trackID=3',
].join('\r\n');

let camera: ScriptedCamera;
let answer: (request: Request) => Answer = usual;
beforeEach(async () => {
  camera = await scriptedCamera({
    played: () => {},
    answer: (request) => (request.method === 'DESCRIBE' ? { body: SDP } : answer(request)),
  });
});
afterEach(() => camera.stop());

function open(signal: AbortSignal) {
  return openBackchannel({ url: camera.url, username: 'admin', password: 'secret' }, { clock, signal });
}
const asked = () => camera.requests.map(({ method }) => method);

it('what limits how long the opening takes says nothing about how long somebody speaks', async () => {
  const opening = new AbortController();
  const opened = await open(opening.signal);
  if (!opened.ok) throw new Error(opened.text);
  opening.abort();
  await clock.sleep(50);
  expect(opened.value.write(Buffer.alloc(160, 0xff))).toBe(true);
  await opened.value.close();
  await until(() => asked().includes('TEARDOWN'), 'the device is told');
});

it('a device that gives a session and then says nothing more is told that it is over', async () => {
  const opening = new AbortController();
  answer = (request) => (request.method === 'PLAY' ? null : usual(request));
  const opened = open(opening.signal);
  await until(() => asked().includes('PLAY'), 'PLAY');
  opening.abort();
  expect(await opened).toMatchObject({ ok: false, code: 'device-unreachable' });
  await until(() => asked().includes('TEARDOWN'), 'the device is told');
});
