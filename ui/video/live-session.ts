import type { MediaInit, MediaMessage } from '../../protocol/wire/media.ts';
import type { IceServer } from '../../protocol/wire/video.ts';
import { ApiError, errorOf } from '../components/http.ts';
import { MediaSocket, type SocketEnd, socketAddress } from './media-socket.ts';
import { type MseFailure, MsePlayer } from './mse-player.ts';
import { hasWebRtc, playable, playsSomething } from './playable.ts';
import { WebRtcPlayer, type WebRtcState } from './web-rtc-player.ts';

export type LivePath = 'direct' | 'relay';
export interface LiveState {
  /** `stalled`: the last picture still stands; `refused`: it will not be tried again by itself. */
  state: 'connecting' | 'playing' | 'stalled' | 'refused';
  /** By which way the pictures on the screen came. */
  path: LivePath | null;
  /** What is in the way, as far as it is known. */
  error: ApiError | null;
  /** The relay leaves pictures out, because they do not get through this line in time. */
  slow: boolean;
  /** Of the relay's stream; directly, nothing is told of it. */
  init: MediaInit | null;
}
export interface LiveSessionOptions {
  /** `/api/v1/devices/…/channels/…/live` */
  address: string;
  stream: 'main' | 'sub';
  /** Asked for each direct connection: their credentials are short-lived. */
  iceServers: () => Promise<readonly IceServer[]>;
  /** One element for each way, one over the other: the one that is changed to has its picture before it is seen. */
  videos: Record<LivePath, HTMLVideoElement>;
  /** Gets the last picture when it breaks off. */
  still: HTMLCanvasElement;
  onChange: (state: LiveState) => void;
  /** Left out of: what this browser cannot do, and what a person switched off. */
  paths?: readonly LivePath[];
}

type Timer = LivePath | 'head' | 'steady' | 'slow' | 'tape';

/** The direct way gets this long alone before the relay's is tried beside it. */
const HEAD_START_MS = 700;
/** A direct way that was lost is taken again after it has worked so long. */
const STEADY_MS = 1_500;
/** Through the relay: without a message for so long it is not live any more, and then it is opened anew. */
const QUIET_MS = 3_000;
const DEAD_MS = 10_000;
/** The camera itself gives nothing: the box said so, and says when it does again. */
const STALLED_MS = 60_000;
const LOOK_MS = 1_000;
/** After so long without the relay's word it is fast enough again. */
const SLOW_MS = 10_000;
const AGAIN_MS = { direct: [4_000, 8_000, 15_000, 30_000, 60_000], relay: [500, 1_000, 2_000, 5_000, 10_000] };
/** Notes that say why no pictures come, on a stream that goes on. */
const GIVES_NOTHING = new Set(['stalled', 'no-picture', 'device-refused-login']);
/** Asking again does not help: somebody must do something. */
const FINAL = new Set([
  'not-signed-in',
  'not-allowed',
  'permission-needed',
  'not-found',
  'too-many-windows',
  'verification-code-needed',
  'access-ended',
  'account-limited',
  'refused',
]);

/** Until what is kept of a stream goes on after it broke off. */
const TAPE_AGAIN_MS = 1_000;

/** What another thing than the way is to blame for: the other way would meet it too. */
const isFinal = (error: ApiError | null): error is ApiError =>
  error !== null && (FINAL.has(error.code) || [401, 403, 404].includes(error.status));

/**
 * One live window. The direct way (WebRTC) comes first; the relay's (media messages) is opened beside it when it takes too
 * long or dies, and closed when the direct one works again. Nobody has to click for it, and the last picture stands until
 * the next one is there.
 */
export class LiveSession {
  readonly #o: LiveSessionOptions;
  readonly #ways: readonly LivePath[];
  #running = false;
  #state: LiveState = { state: 'connecting', path: null, error: null, slow: false, init: null };
  #direct: { player: WebRtcPlayer; playing: boolean } | null = null;
  #relay: { socket: MediaSocket; player: MsePlayer; playing: boolean; heardMs: number; limitMs: number } | null = null;
  #look: ReturnType<typeof setInterval> | undefined;
  readonly #tries: Record<LivePath, number> = { direct: 0, relay: 0 };
  readonly #timers: Partial<Record<Timer, ReturnType<typeof setTimeout>>> = {};
  #sound = false;
  readonly #listeners = new Set<(message: MediaMessage) => void>();
  /** A stream for those who keep it: with sound in the MP4, which the one that is seen cannot have of every camera. */
  #tape: MediaSocket | null = null;
  #lastInit: MediaMessage | null = null;

  constructor(options: LiveSessionOptions) {
    this.#o = options;
    const can = { direct: hasWebRtc(), relay: playsSomething() };
    this.#ways = (options.paths ?? ['direct', 'relay']).filter((way) => can[way]);
  }

  get state(): LiveState {
    return this.#state;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#look = setInterval(() => this.#listenForSilence(), LOOK_MS);
    if (this.#ways.length === 0) this.#refuse(new ApiError('no-player', 0));
    else if (this.#ways[0] === 'direct') {
      this.#openDirect();
      if (this.#ways.includes('relay')) this.#after('head', HEAD_START_MS, () => this.#openRelay());
    } else this.#openRelay();
  }

  stop(): void {
    this.#running = false;
    clearInterval(this.#look);
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#closeDirect();
    this.#closeRelay();
    this.#closeTape();
    this.#o.videos.direct.srcObject = null;
  }

  /** To be called in the handler of a click. */
  setSound(on: boolean): void {
    this.#sound = on;
    this.#hear();
  }

  /** The network has changed: what waits for its turn is tried now. */
  hurry(): void {
    if (!this.#running) return;
    this.#tries.direct = this.#tries.relay = 0;
    if (!this.#direct && this.#ways.includes('direct')) this.#openDirect();
    if (!this.#relay && !this.#direct?.playing && this.#ways.includes('relay')) this.#openRelay();
  }

  /** Media messages of what is seen, as from now, its sound in the MP4: those of the relay where they are so, else their own. */
  listen(fn: (message: MediaMessage) => void): () => void {
    this.#listeners.add(fn);
    if (this.#lastInit?.type === 'init' && this.#lastInit.init.audio === null) fn(this.#lastInit);
    else if (this.#running) this.#openTape();
    return () => {
      this.#listeners.delete(fn);
      if (this.#listeners.size === 0) this.#closeTape();
      if (this.#direct?.playing && this.#state.path === 'direct') this.#leaveRelay();
    };
  }

  #openTape(): void {
    if (this.#tape) return;
    const query = { stream: this.#o.stream, accept: playable().join(), sound: 'aac' };
    const socket = new MediaSocket({
      url: socketAddress(`${this.#o.address}/socket`, query),
      onMessage: (message) => {
        if (this.#tape === socket) for (const fn of this.#listeners) fn(message);
      },
      onEnd: () => {
        if (this.#tape !== socket) return;
        this.#tape = null;
        this.#after('tape', TAPE_AGAIN_MS, () => this.#listeners.size > 0 && this.#openTape());
      },
    });
    this.#tape = socket;
    socket.start();
  }

  #closeTape(): void {
    this.#clear('tape');
    this.#tape?.stop();
    this.#tape = null;
  }

  #openDirect(): void {
    this.#clear('direct');
    if (this.#direct) return;
    const { address, stream, iceServers, videos } = this.#o;
    const player = new WebRtcPlayer({
      video: videos.direct,
      whep: `${address.replace(/\/live$/, '')}/whep?stream=${stream}`,
      iceServers,
      onState: (state, error) => this.#direct?.player === player && this.#onDirect(state, error),
    });
    this.#direct = { player, playing: false };
    player.start();
  }

  #onDirect(state: WebRtcState, error: ApiError | null): void {
    const direct = this.#direct!;
    if (state === 'playing') {
      direct.playing = true;
      this.#clear('head');
      this.#tries.direct = 0;
      // Shown at once where there is nothing else; else after it has proved steady.
      if (this.#state.path !== 'relay' || !this.#relay?.playing) this.#show('direct');
      else this.#after('steady', STEADY_MS, () => this.#direct?.playing && this.#show('direct'));
      return;
    }
    direct.playing = false;
    this.#clear('steady');
    if (this.#state.path === 'direct') this.#freeze();
    if (state === 'silent') {
      if (this.#ways.includes('relay')) this.#openRelay();
      if (this.#state.path === 'direct') this.#say({ state: 'stalled', error: null });
      return;
    }
    this.#closeDirect();
    if (isFinal(error)) {
      this.#refuse(error);
      return;
    }
    if (this.#ways.includes('relay')) this.#openRelay();
    if (this.#state.path !== 'relay') this.#say({ state: this.#state.path ? 'stalled' : 'connecting', error });
    this.#again('direct', () => this.#openDirect());
  }

  #openRelay(): void {
    this.#clear('relay');
    this.#clear('head');
    if (this.#relay) return;
    const url = socketAddress(`${this.#o.address}/socket`, { stream: this.#o.stream, accept: playable().join() });
    const player = new MsePlayer({
      video: this.#o.videos.relay,
      mode: 'live',
      onInit: (init) => this.#state.path !== 'direct' && this.#say({ init }),
      onPicture: () => this.#onPicture(),
      onFailed: (failure) => this.#relay?.player === player && this.#onFailed(failure),
    });
    const socket = new MediaSocket({
      url,
      onMessage: (message) => this.#relay?.socket === socket && this.#onMessage(message),
      onEnd: (end) => this.#relay?.socket === socket && void this.#onEnd(url, end),
    });
    this.#relay = { socket, player, playing: false, heardMs: performance.now(), limitMs: DEAD_MS };
    player.start();
    socket.start();
  }

  #onPicture(): void {
    if (!this.#relay) return;
    this.#relay.playing = true;
    this.#tries.relay = 0;
    if (!this.#direct?.playing || this.#state.path === null) this.#show('relay');
  }

  #onMessage(message: MediaMessage): void {
    const relay = this.#relay!;
    relay.heardMs = performance.now();
    relay.limitMs = DEAD_MS;
    if (message.type === 'note') {
      if (message.note.code === 'slow-line' && this.#state.path === 'relay') {
        this.#say({ slow: true });
        this.#after('slow', SLOW_MS, () => this.#say({ slow: false }));
      }
      if (!GIVES_NOTHING.has(message.note.code)) return;
      relay.limitMs = STALLED_MS;
      this.#broken(told(message.note.code, message.note.text));
      return;
    }
    if (message.type === 'init') {
      this.#lastInit = message;
      if (message.init.audio !== null && this.#listeners.size > 0) this.#openTape();
    } else if (relay.playing && this.#state.path === 'relay' && this.#state.state === 'stalled')
      this.#say({ state: 'playing', error: null });
    relay.player.push(message);
    if (!this.#tape) for (const fn of this.#listeners) fn(message);
  }

  #listenForSilence(): void {
    const relay = this.#relay;
    if (!relay) return;
    const quietMs = performance.now() - relay.heardMs;
    if (quietMs > QUIET_MS && relay.limitMs === DEAD_MS) this.#broken(null);
    if (quietMs < relay.limitMs) return;
    this.#freeze();
    this.#closeRelay();
    this.#openRelay();
  }

  /** Nothing comes, neither this way nor the other. */
  #broken(error: ApiError | null): void {
    if (this.#direct?.playing) return;
    this.#say({ state: this.#state.path ? 'stalled' : 'connecting', error: error ?? this.#state.error });
  }

  /** Keeps what is on the screen, before its way is closed. */
  #freeze(): void {
    const { path } = this.#state;
    const video = path && this.#o.videos[path];
    if (!video || video.videoWidth === 0) return;
    const { still } = this.#o;
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    still.getContext('2d')?.drawImage(video, 0, 0);
  }

  #onFailed({ code, codecs }: MseFailure): void {
    this.#freeze();
    this.#closeRelay();
    if (code === 'broken') this.#again('relay', () => this.#openRelay());
    else if (!this.#direct?.playing) this.#refuse(new ApiError(`picture-${code}`, 0, { detail: codecs }));
  }

  async #onEnd(url: string, { opened, note }: SocketEnd): Promise<void> {
    this.#freeze();
    this.#closeRelay();
    const error = note ? told(note.code, note.text) : opened ? null : await whyRefused(url);
    if (!this.#running || this.#relay) return;
    if (isFinal(error)) return this.#refuse(error);
    if (this.#direct?.playing && this.#listeners.size === 0) return;
    this.#broken(error);
    this.#again('relay', () => this.#openRelay());
  }

  #show(path: LivePath): void {
    const init = path === 'relay' && this.#lastInit?.type === 'init' ? this.#lastInit.init : null;
    this.#say({ path, state: 'playing', error: null, slow: false, init });
    if (path === 'direct') this.#leaveRelay();
    this.#hear();
  }

  /** One way is heard, and only the one that is seen. */
  #hear(): void {
    const { path } = this.#state;
    this.#o.videos.direct.muted = !(this.#sound && path === 'direct');
    this.#direct?.player.setSound(this.#sound && path === 'direct');
    this.#relay?.player.setSound(this.#sound && path === 'relay');
  }

  #refuse(why: ApiError): void {
    this.stop();
    // Somebody else's things are not found. What was seen here just now is there.
    const error = this.#state.path !== null && why.status === 404 ? new ApiError('refused', why.status) : why;
    this.#state = { ...this.#state, state: 'refused', path: null, error };
    this.#o.onChange(this.#state);
  }

  #closeDirect(): void {
    this.#direct?.player.stop();
    this.#direct = null;
  }

  /** It is not seen any more. */
  #leaveRelay(): void {
    if (this.#listeners.size === 0) this.#closeRelay();
  }

  #closeRelay(): void {
    this.#clear('relay');
    this.#lastInit = null;
    const relay = this.#relay;
    this.#relay = null;
    relay?.socket.stop();
    relay?.player.stop();
  }

  #again(path: LivePath, open: () => void): void {
    const waits = AGAIN_MS[path];
    const ms = waits[Math.min(this.#tries[path]++, waits.length - 1)]!;
    // Many windows that lost the same line do not all come back in the same moment.
    this.#after(path, ms * (0.8 + Math.random() * 0.4), open);
  }

  #after(name: Timer, ms: number, fn: () => void): void {
    this.#clear(name);
    this.#timers[name] = setTimeout(() => this.#running && fn(), ms);
  }

  #clear(name: Timer): void {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }

  #say(change: Partial<LiveState>): void {
    if (!this.#running) return;
    this.#state = { ...this.#state, ...change };
    this.#o.onChange(this.#state);
  }
}

const told = (code: string, text: string) => new ApiError(code, 0, { detail: text });

/** A browser keeps to itself how a socket was refused: the same address, asked without an upgrade, tells. */
async function whyRefused(url: string): Promise<ApiError | null> {
  const response = await fetch(url.replace(/^ws/, 'http'), { headers: { accept: 'application/json' } }).catch(
    () => null,
  );
  if (!response) return new ApiError('network', 0);
  if (response.ok) return null;
  const error = await errorOf(response);
  return error.code === 'invalid-request' ? null : error;
}
