import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MediaMessage } from '../../protocol/wire/media.ts';
import { ApiError } from '../components/http.ts';
import { LiveSession, type LiveState } from './live-session.ts';
import type { MediaSocketOptions } from './media-socket.ts';
import type { MsePlayerOptions } from './mse-player.ts';
import type { WebRtcPlayerOptions } from './web-rtc-player.ts';

const { direct, sockets, players } = vi.hoisted(() => ({
  direct: [] as (WebRtcPlayerOptions & { stopped: boolean; sound: boolean })[],
  sockets: [] as (MediaSocketOptions & { stopped: boolean })[],
  players: [] as (MsePlayerOptions & { pushed: MediaMessage[]; sound: boolean })[],
}));
vi.mock('./playable.ts', () => ({ hasWebRtc: () => true, playsSomething: () => true, playable: () => ['h264'] }));
vi.mock('./web-rtc-player.ts', () => ({
  WebRtcPlayer: class {
    readonly o: (typeof direct)[number];
    constructor(options: WebRtcPlayerOptions) {
      this.o = { ...options, stopped: false, sound: false };
      direct.push(this.o);
    }
    start() {}
    setSound(on: boolean) {
      this.o.sound = on;
    }
    stop() {
      this.o.stopped = true;
    }
  },
}));
vi.mock('./media-socket.ts', () => ({
  socketAddress: (path: string, query: Record<string, string>) => `ws://here${path}?${new URLSearchParams(query)}`,
  MediaSocket: class {
    readonly o: (typeof sockets)[number];
    constructor(options: MediaSocketOptions) {
      this.o = { ...options, stopped: false };
      sockets.push(this.o);
    }
    start() {}
    stop() {
      this.o.stopped = true;
    }
  },
}));
vi.mock('./mse-player.ts', () => ({
  MsePlayer: class {
    readonly o: (typeof players)[number];
    constructor(options: MsePlayerOptions) {
      this.o = { ...options, pushed: [], sound: false };
      players.push(this.o);
    }
    start() {}
    stop() {}
    push(message: MediaMessage) {
      this.o.pushed.push(message);
    }
    setSound(on: boolean) {
      this.o.sound = on;
    }
  },
}));

const init: MediaMessage = {
  type: 'init',
  init: { codecs: 'avc1', width: 1, height: 1, audio: null, transcoded: true },
  data: new Uint8Array(),
};
const delta: MediaMessage = { type: 'delta', wallMs: 0, data: new Uint8Array() };
const note = (code: string): MediaMessage => ({ type: 'note', note: { code, text: code } });

let states: LiveState[];
let session: LiveSession;
const now = () => [session.state.state, session.state.path];
beforeEach(() => {
  vi.useFakeTimers();
  for (const list of [direct, sockets, players]) list.length = 0;
  states = [];
  const video = () => ({ videoWidth: 0, muted: true }) as HTMLVideoElement;
  session = new LiveSession({
    address: '/api/v1/devices/d/channels/1/live',
    stream: 'sub',
    iceServers: async () => [],
    videos: { direct: video(), relay: video() },
    still: {} as HTMLCanvasElement,
    onChange: (state) => states.push(state),
  });
  session.start();
});
afterEach(() => {
  session.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
/** The relay's way opens and has its first picture. */
const relayPlays = () => {
  sockets.at(-1)!.onMessage(init);
  players.at(-1)!.onPicture!();
};

describe('one live window', () => {
  it('shows the direct way alone when that is there soon', async () => {
    await vi.advanceTimersByTimeAsync(300);
    direct[0]!.onState('playing', null);
    expect(now()).toEqual(['playing', 'direct']);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(sockets).toHaveLength(0);
    expect(direct[0]!.whep).toBe('/api/v1/devices/d/channels/1/whep?stream=sub');
  });

  it('opens the relay’s way beside it when it takes long, and changes over once it is steady', async () => {
    await vi.advanceTimersByTimeAsync(750);
    expect(sockets).toHaveLength(1);
    relayPlays();
    expect(now()).toEqual(['playing', 'relay']);
    expect(session.state.init?.transcoded).toBe(true);
    direct[0]!.onState('playing', null);
    expect(now()).toEqual(['playing', 'relay']);
    await vi.advanceTimersByTimeAsync(1_600);
    expect(now()).toEqual(['playing', 'direct']);
    expect(sockets[0]!.stopped).toBe(true);
    expect(session.state.init).toBeNull();
  });

  it('goes to the relay when the direct way dies in mid-view, and comes back when it lives again', async () => {
    direct[0]!.onState('playing', null);
    direct[0]!.onState('silent', null);
    expect(now()).toEqual(['stalled', 'direct']);
    relayPlays();
    setInterval(() => sockets[0]!.onMessage(delta), 500);
    expect(now()).toEqual(['playing', 'relay']);
    direct[0]!.onState('failed', null);
    expect(now()).toEqual(['playing', 'relay']);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(direct).toHaveLength(2);
    direct[1]!.onState('playing', null);
    // It dies at once: the picture on the screen is not touched.
    direct[1]!.onState('silent', null);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(now()).toEqual(['playing', 'relay']);
    direct[1]!.onState('playing', null);
    await vi.advanceTimersByTimeAsync(1_600);
    expect(now()).toEqual(['playing', 'direct']);
  });

  it('says what a person must do something about, and asks no more', async () => {
    direct[0]!.onState('failed', new ApiError('too-many-windows', 409));
    expect(session.state).toMatchObject({ state: 'refused', error: { code: 'too-many-windows' } });
    await vi.advanceTimersByTimeAsync(120_000);
    expect([direct.length, sockets.length]).toEqual([1, 0]);
  });

  it('says of what was seen, and is not found any more, that the permission has ended (PERM-05)', async () => {
    direct[0]!.onState('failed', new ApiError('not-found', 404));
    expect(session.state).toMatchObject({ state: 'refused', error: { code: 'not-found' } });
    session.start();
    direct[1]!.onState('playing', null);
    direct[1]!.onState('failed', new ApiError('not-found', 404));
    expect(session.state).toMatchObject({ state: 'refused', path: null, error: { code: 'refused' } });
  });

  it('ends within the relay’s word when the permission ends, and asks no more (PERM-03)', async () => {
    await vi.advanceTimersByTimeAsync(750);
    relayPlays();
    sockets[0]!.onEnd({ opened: true, code: 4003, note: { code: 'refused', text: 'ended' } });
    expect(session.state).toMatchObject({ state: 'refused', path: null, error: { code: 'refused' } });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(sockets).toHaveLength(1);
  });

  it('tries again by itself what is only away, more and more seldom', async () => {
    vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ code: 'box-unreachable' }), { status: 503 }));
    direct[0]!.onState('failed', new ApiError('box-unreachable', 503));
    sockets[0]!.onEnd({ opened: false, code: 1006, note: null });
    await vi.advanceTimersByTimeAsync(0);
    expect(session.state).toMatchObject({ state: 'connecting', error: { code: 'box-unreachable' } });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
    relayPlays();
    expect(now()).toEqual(['playing', 'relay']);
    // The network came back: the direct way is tried at once.
    session.hurry();
    expect(direct).toHaveLength(2);
  });

  it('says that the camera gives nothing, keeps its last picture, and goes on when it does', async () => {
    await vi.advanceTimersByTimeAsync(750);
    relayPlays();
    sockets[0]!.onMessage(note('stalled'));
    expect(session.state).toMatchObject({ state: 'stalled', path: 'relay', error: { code: 'stalled' } });
    sockets[0]!.onMessage(delta);
    expect(now()).toEqual(['playing', 'relay']);
  });

  it('says that the line is slow, for as long as it is', async () => {
    await vi.advanceTimersByTimeAsync(750);
    relayPlays();
    setInterval(() => sockets[0]!.onMessage(delta), 500);
    sockets[0]!.onMessage(note('slow-line'));
    expect(session.state).toMatchObject({ state: 'playing', slow: true });
    await vi.advanceTimersByTimeAsync(11_000);
    expect(session.state.slow).toBe(false);
  });

  it('opens the relay’s way anew when it has gone quiet without a word', async () => {
    await vi.advanceTimersByTimeAsync(750);
    relayPlays();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(now()).toEqual(['stalled', 'relay']);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(sockets.map(({ stopped }) => stopped)).toEqual([true, false]);
  });

  it('takes what is recorded in a stream of its own, with sound in the MP4, where that which is seen has none', async () => {
    direct[0]!.onState('playing', null);
    const heard: string[] = [];
    const leave = session.listen(({ type }) => heard.push(type));
    expect(sockets[0]!.url).toContain('sound=aac');
    sockets[0]!.onMessage(init);
    sockets[0]!.onMessage(delta);
    expect(heard).toEqual(['init', 'delta']);
    expect(now()).toEqual(['playing', 'direct']);
    expect(players).toHaveLength(0);
    // It breaks off and goes on.
    sockets[0]!.onEnd({ opened: true, code: 1006, note: null });
    await vi.advanceTimersByTimeAsync(1_500);
    expect(sockets).toHaveLength(2);
    leave();
    expect(sockets[1]!.stopped).toBe(true);
  });

  it('records what comes by the relay without asking for it twice, unless its sound stands beside it', async () => {
    await vi.advanceTimersByTimeAsync(750);
    relayPlays();
    const heard: string[] = [];
    let leave = session.listen(({ type }) => heard.push(type));
    sockets[0]!.onMessage(delta);
    expect(heard).toEqual(['init', 'delta']);
    leave();
    expect(sockets).toHaveLength(1);
    if (init.type === 'init') sockets[0]!.onMessage({ ...init, init: { ...init.init, audio: 'pcmu' } });
    leave = session.listen(({ type }) => heard.push(type));
    sockets[0]!.onMessage(delta);
    sockets[1]!.onMessage(init);
    expect(heard).toEqual(['init', 'delta', 'init']);
    expect(sockets.map(({ url }) => url.includes('sound=aac'))).toEqual([false, true]);
    leave();
    expect(sockets.map(({ stopped }) => stopped)).toEqual([false, true]);
  });

  it('lets one way be heard, the one that is seen', async () => {
    const { video } = direct[0]!;
    session.setSound(true);
    direct[0]!.onState('playing', null);
    expect([video.muted, direct[0]!.sound]).toEqual([false, true]);
    direct[0]!.onState('silent', null);
    relayPlays();
    expect([video.muted, direct[0]!.sound]).toEqual([true, false]);
    expect(players[0]!.sound).toBe(true);
  });
});
