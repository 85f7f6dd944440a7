import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import type { KeepAliveMemory, PullError } from './pull.ts';
import { RtspSession } from './rtsp-session.ts';
import { spellings } from './rtsp-url.ts';
import { until } from './testing/camera.ts';
import {
  type Answer,
  type Request,
  type ScriptedCamera,
  scriptedCamera,
  streamVideo,
  usual,
} from './testing/scripted-camera.ts';

let camera: ScriptedCamera;
let abort: AbortController;
afterEach(async () => {
  abort.abort();
  await camera.stop();
});

function play(options: { url?: string; keepAlive?: KeepAliveMemory; stallMs?: number; password?: string } = {}) {
  abort = new AbortController();
  let [packets, sounds] = [0, 0];
  const heard: string[] = [];
  const session = new RtspSession({
    url: camera.url,
    username: 'admin',
    password: 'secret',
    keepAlive: { method: null },
    clock: systemClock,
    handlers: {
      described: () => heard.push('described'),
      track: () => heard.push('track'),
      packet: () => packets++,
      sound: () => sounds++,
    },
    ...options,
  });
  return { ended: session.run(abort.signal), heard, packets: () => packets, sounds: () => sounds };
}
const methods = () => camera.requests.map((r) => r.method);
const challenge = (nonce: string, more = '') => ({
  status: '401 Unauthorized',
  headers: { 'WWW-Authenticate': `Digest realm="Cam", nonce="${nonce}"${more}` },
});

describe('one RTSP session', () => {
  it('goes from OPTIONS to PLAY and ends with TEARDOWN', async () => {
    camera = await scriptedCamera({});
    const { ended, packets } = play();
    await until(() => packets() > 3, 'packets');
    abort.abort();
    expect((await ended).code).toBe('stopped');
    expect(methods()).toEqual(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY', 'TEARDOWN']);
    expect(camera.requests[2]!.uri).toBe(`${camera.url}/trackID=1`);
    expect(camera.requests.slice(3).map((r) => r.session)).toEqual(['42', '42']);
  });

  it('says what will come as soon as the camera has described it', async () => {
    camera = await scriptedCamera({ answer: (r) => (r.method === 'SETUP' ? null : usual(r)) });
    const { heard } = play();
    await until(() => methods().includes('SETUP'), 'SETUP');
    expect(heard).toEqual(['described']);
  });

  it('asks for a stream by the other addresses that ISAPI devices know, and remembers which was right', async () => {
    camera = await scriptedCamera({
      answer: (r) =>
        r.method === 'DESCRIBE' && !r.uri.endsWith('/PSIA/streaming/channels/1702')
          ? { status: '404 Not Found' }
          : usual(r),
    });
    const url = new URL('/Streaming/Channels/1702', camera.url).href;
    const keepAlive: KeepAliveMemory = { method: null };
    const first = play({ url, keepAlive });
    await until(() => first.packets() > 0, 'packets');
    abort.abort();
    await first.ended;
    expect(camera.requests.filter((r) => r.method === 'DESCRIBE')).toHaveLength(4);
    camera.requests.length = 0;
    const second = play({ url, keepAlive });
    await until(() => second.packets() > 0, 'packets');
    expect(camera.requests.filter((r) => r.method === 'DESCRIBE')).toHaveLength(1);
    expect(spellings(url).at(-1)).toMatch(/\/h264\/ch17\/sub\/av_stream$/);
    expect(spellings('rtsp://192.0.2.1/onvif/profile1')).toEqual(['rtsp://192.0.2.1/onvif/profile1']);
  });

  it('follows a redirection to another path of the same server, and to no other one (RFC 2326 §11.3)', async () => {
    let to = '';
    camera = await scriptedCamera({
      answer: (r) =>
        r.method === 'DESCRIBE' && !r.uri.endsWith('/moved')
          ? { status: '302 Moved Temporarily', headers: { Location: to } }
          : usual(r),
    });
    to = camera.url.replace('/Streaming/Channels/101', '/moved');
    const { ended, packets } = play();
    await until(() => packets() > 3, 'packets');
    abort.abort();
    expect((await ended).code).toBe('stopped');
    expect(camera.requests.find((r) => r.method === 'SETUP')!.uri).toBe(`${to}/trackID=1`);
    to = 'rtsp://127.0.0.2/moved';
    expect((await play().ended).code).toBe('protocol');
  });

  it('ends soon after the camera said goodbye, unless another source begins', async () => {
    const bye = Buffer.from([0x24, 1, 0, 8, 0x81, 203, 0, 1, 0, 0, 0x12, 0x34]);
    camera = await scriptedCamera({
      played: (socket, connection) => {
        streamVideo(socket, (packets, n) => (n === 5 ? [bye] : n > 5 && connection === 1 ? [] : packets));
      },
    });
    const began = performance.now();
    expect(await play().ended).toMatchObject({ code: 'closed', message: expect.stringContaining('ended the stream') });
    expect(performance.now() - began).toBeLessThan(6_000);
    const { packets } = play();
    await until(() => packets() > 65, 'packets after the goodbye');
  });

  it('sends a refused login once', async () => {
    camera = await scriptedCamera({ answer: (r) => (r.method === 'DESCRIBE' ? challenge('n1') : usual(r)) });
    const end = await play().ended;
    expect(end.code).toBe('refused');
    expect(camera.requests.filter((r) => r.method === 'DESCRIBE').map((r) => r.authorization !== null)).toEqual([
      false,
      true,
    ]);
  });

  it('takes a new nonce when the old one is stale, at the login and within the session', async () => {
    let nonce = 0;
    const answer = (r: Request): Answer => {
      const used = /nonce="n(\d)"/.exec(r.authorization ?? '')?.[1];
      if (r.method === 'OPTIONS') return usual(r);
      // The first answer to credentials is "stale"; PLAY wants a fresh one without saying so.
      if (!used) return challenge(`n${++nonce}`);
      if (used === '1') return challenge(`n${++nonce}`, ', stale=true');
      if (r.method === 'PLAY' && used === '2') return challenge(`n${++nonce}`);
      return usual(r);
    };
    camera = await scriptedCamera({ answer });
    const { packets } = play();
    await until(() => packets() > 0, 'packets');
    expect(methods()).toEqual(['OPTIONS', 'DESCRIBE', 'DESCRIBE', 'DESCRIBE', 'SETUP', 'PLAY', 'PLAY']);
  });

  it.each([
    ['461 Unsupported Transport', 'SETUP', 'unsupported-transport'],
    ['400 Bad Request', 'SETUP', 'unsupported-transport'],
    ['404 Not Found', 'DESCRIBE', 'not-found'],
    ['403 Forbidden', 'DESCRIBE', 'forbidden'],
    ['453 Not Enough Bandwidth', 'SETUP', 'busy'],
    ['503 Service Unavailable', 'DESCRIBE', 'busy'],
    ['418 Odd', 'PLAY', 'protocol'],
  ])('%s to %s is "%s"', async (status, method, code) => {
    camera = await scriptedCamera({ answer: (r) => (r.method === method ? { status } : usual(r)) });
    expect((await play().ended).code).toBe(code);
  });

  it('says what the camera sends instead of video that we can use', async () => {
    const body = 'v=0\r\nm=video 0 RTP/AVP 26\r\na=control:track1';
    camera = await scriptedCamera({ answer: (r) => (r.method === 'DESCRIBE' ? { body } : usual(r)) });
    expect(await play().ended).toMatchObject({ code: 'unsupported-codec', message: expect.stringContaining('JPEG') });
  });

  it.each([
    ['other channels', 'RTP/AVP/TCP;unicast;interleaved=4-5;ssrc=1', 4],
    ['one number', 'RTP/AVP/TCP;interleaved=2', 2],
    ['no number', 'RTP/AVP;unicast', 0],
  ])('follows the transport that the camera names: %s', async (_, transport, channel) => {
    camera = await scriptedCamera({
      answer: (r) => (r.method === 'SETUP' ? { headers: { Session: '7', Transport: transport } } : usual(r)),
      played: (socket) =>
        streamVideo(socket, (packets) =>
          packets.map((p) => {
            p[1] = channel;
            return p;
          }),
        ),
    });
    const { packets } = play();
    await until(() => packets() > 2, 'packets');
  });

  it('takes the sound beside the pictures, and does without where the camera keeps it or breaks off over it', async () => {
    let how: 'given' | 'refused' | 'silent' | 'broken' = 'given';
    const answer = (r: Request): Answer => {
      const sound = r.uri.endsWith('trackID=2');
      const usually = usual(r);
      if (r.method === 'DESCRIBE') return { body: `${usually!.body}\r\nm=audio 0 RTP/AVP 0\r\na=control:trackID=2` };
      if (r.method !== 'SETUP' || !sound) return usually;
      if (how === 'given') return { headers: { Session: '42', Transport: 'RTP/AVP/TCP;unicast;interleaved=2-3' } };
      if (how === 'refused') return { status: '461 Unsupported Transport' };
      if (how === 'broken') void camera.stop();
      return null;
    };
    // µ-law on the second pair of channels.
    const heard = (p: Buffer) => Buffer.from(p).fill(2, 1, 2).fill(0, 5, 6);
    const played = (socket: Socket) => streamVideo(socket, (packets) => [...packets, ...packets.map(heard)]);
    camera = await scriptedCamera({ answer, played });
    const keepAlive: KeepAliveMemory = { method: null };
    const first = play({ keepAlive });
    await until(() => first.sounds() > 2 && first.packets() > 2, 'pictures and sound');
    abort.abort();
    how = 'refused';
    const second = play({ keepAlive });
    await until(() => second.packets() > 2, 'pictures');
    expect([second.sounds(), keepAlive.soundFailures]).toEqual([0, 0]);
    abort.abort();
    how = 'silent';
    const asked = camera.requests.length;
    const third = play({ keepAlive });
    await until(() => camera.requests.slice(asked).some((r) => r.uri.endsWith('trackID=2')), 'the question');
    abort.abort();
    expect([(await third.ended).code, keepAlive.soundFailures]).toEqual(['stopped', 0]);
    how = 'broken';
    for (const failures of [1, 2]) {
      expect((await play({ keepAlive }).ended).code).toBe('closed');
      await until(() => keepAlive.soundFailures === failures, 'it is counted');
      await camera.stop();
      camera = await scriptedCamera({ answer, played });
    }
    const last = play({ keepAlive });
    await until(() => last.packets() > 2, 'pictures alone');
  });

  it('answers the requests of the camera', async () => {
    camera = await scriptedCamera({
      played: (socket: Socket) => {
        socket.write('SET_PARAMETER rtsp://x/ RTSP/1.0\r\nCSeq: 9\r\nContent-Length: 2\r\n\r\nhi');
        streamVideo(socket);
      },
    });
    const { packets } = play();
    await until(() => packets() > 2 && methods().includes('200'), 'answer');
  });

  it('finds its way through garbage between frames', async () => {
    const junk = Buffer.concat([Buffer.from('$$RTS$\u0007garbage RTSP/1.'), Buffer.alloc(300, 0x24)]);
    camera = await scriptedCamera({ played: (socket) => streamVideo(socket, (packets) => [junk, ...packets, junk]) });
    const { packets } = play();
    await until(() => packets() > 10, 'packets');
  });

  it('plays without a range when the camera does not like ours', async () => {
    let plays = 0;
    camera = await scriptedCamera({
      answer: (r) => (r.method === 'PLAY' && ++plays === 1 ? { status: '457 Invalid Range' } : usual(r)),
    });
    const { packets } = play();
    await until(() => packets() > 0 && plays === 2, 'packets');
  });

  it('says when the camera falls silent, and when it hangs up', async () => {
    camera = await scriptedCamera({ played: () => {} });
    expect((await play({ stallMs: 1500 }).ended).code).toBe('stalled');
    expect(methods().at(-1)).toBe('TEARDOWN');
    await camera.stop();
    camera = await scriptedCamera({ played: (socket) => setTimeout(() => socket.destroy(), 100) });
    expect((await play().ended).code).toBe('closed');
  });

  it.each([
    [
      'GET_PARAMETER is refused with 454',
      (r: Request) => (r.method === 'GET_PARAMETER' ? { status: '454 Session Not Found' } : usual(r)),
      'OPTIONS',
    ],
    [
      'GET_PARAMETER is not announced and OPTIONS is refused',
      (r: Request, first: boolean) => (r.method !== 'OPTIONS' ? usual(r) : first ? {} : { status: '405 No' }),
      'GET_PARAMETER',
    ],
  ] as const)('keeps the session alive and changes the method when %s', async (_, behave, then) => {
    const keepAlive: KeepAliveMemory = { method: null };
    let first = true;
    camera = await scriptedCamera({
      answer: (r): Answer => {
        const answer = r.method === 'SETUP' ? { headers: { Session: '7;timeout=5' } } : behave(r, first);
        first = false;
        return answer;
      },
    });
    const { ended, packets } = play({ keepAlive });
    await until(
      () => methods().filter((m) => m === then).length >= (then === 'OPTIONS' ? 2 : 1),
      'the other method',
      8000,
    );
    expect(keepAlive.method).toBe(then);
    expect(packets()).toBeGreaterThan(10);
    let ending: PullError | null = null;
    void ended.then((e) => {
      ending = e;
    });
    expect(ending).toBeNull();
  });
});
