import type { MediaMessage, MediaNote } from '../../../protocol/wire/media.ts';
import { ApiError } from '../../components/http.ts';
import { MediaSocket, socketAddress } from '../../video/media-socket.ts';
import { MsePlayer } from '../../video/mse-player.ts';
import { playable, playsSomething } from '../../video/playable.ts';
import type { Range } from './timeline.tsx';

export interface RecordedState {
  /** `over`: nothing more was recorded; `refused`: see `error`. */
  state: 'idle' | 'loading' | 'playing' | 'over' | 'refused';
  error: ApiError | null;
  /** What the device plays at, where it does not do what was asked. */
  speed: number | null;
}
export interface RecordedSessionOptions {
  /** `/api/v1/devices/…/channels/…/playback/socket` */
  address: string;
  video: HTMLVideoElement;
  /** Gets the last picture while the next ones are on their way. */
  still: HTMLCanvasElement;
  onChange: (state: RecordedState) => void;
}

/** Until a line that broke off is tried again. */
const RETRY_MS = 1_500;
const MAX_TRIES = 3;

/** One window of recordings: from any moment on, at any speed; it stands still where it is told to. */
export class RecordedSession {
  readonly #o: RecordedSessionOptions;
  #state: RecordedState = { state: 'idle', error: null, speed: null };
  #player: MsePlayer | null = null;
  #socket: MediaSocket | null = null;
  #held = false;
  #sound = false;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the last seek. */
  #asked = { headMs: 0, range: { fromMs: 0, toMs: 0 }, speed: 1 };
  openedMs = 0;

  constructor(options: RecordedSessionOptions) {
    this.#o = options;
  }

  get state(): RecordedState {
    return this.#state;
  }
  /** Of the picture on the screen; null: there is none. */
  get wallMs(): number | null {
    return this.#state.state === 'idle' || this.#state.state === 'loading' ? null : (this.#player?.wallMs ?? null);
  }
  /** Everything that was recorded has been shown. */
  get shown(): boolean {
    return this.#state.state === 'over' && (this.#player?.shown ?? true);
  }

  /** Plays from there on, or back. */
  seek(headMs: number, range: Range, speed: number): void {
    this.#keepStill();
    this.#close();
    this.#tries = 0;
    this.#asked = { headMs, range, speed };
    const { fromMs, toMs } = this.#wanted;
    if (fromMs >= toMs) {
      this.#set({ state: 'over', error: null, speed: null });
      return;
    }
    if (!playsSomething()) {
      this.#refuse('codec-not-supported');
      return;
    }
    this.#open();
  }

  /** Frees everything that is being received; the last picture stands. */
  park(): void {
    const { state } = this.#state;
    const nothing = state === 'refused' || (state === 'over' && this.wallMs === null);
    this.#keepStill();
    this.#close();
    // Why there is no picture is said for as long as there is none.
    if (!nothing) this.#set({ state: 'idle', error: null, speed: null });
  }

  stop(): void {
    this.#close();
  }

  /** Stands still while others catch up, or a person paused. */
  hold(on: boolean): void {
    if (on === this.#held) return;
    this.#held = on;
    if (on) this.#player?.pause();
    else this.#player?.play();
  }

  neighbourMs(back: boolean): number | null {
    return this.wallMs === null ? null : (this.#player?.neighbourMs(back !== this.#asked.speed < 0) ?? null);
  }
  showAt(wallMs: number): void {
    this.#player?.showAt(wallMs);
  }

  setSound(on: boolean): void {
    this.#sound = on;
    this.#player?.setSound(on);
  }

  get #wanted(): Range {
    const { headMs, range, speed } = this.#asked;
    return speed < 0 ? { fromMs: range.fromMs, toMs: headMs } : { fromMs: headMs, toMs: range.toMs };
  }

  #open(): void {
    const { speed } = this.#asked;
    const { fromMs, toMs } = this.#wanted;
    this.openedMs = performance.now();
    this.#set({ state: 'loading', error: null, speed: null });
    const player = new MsePlayer({
      video: this.#o.video,
      mode: 'recorded',
      back: speed < 0,
      onPicture: () => {
        // A short piece is over before its first picture is on the screen.
        if (this.#state.state === 'loading') this.#set({ ...this.#state, state: 'playing' });
      },
      onFailed: ({ code }) => this.#refuse(code === 'broken' ? 'picture-broken' : 'codec-not-supported'),
    });
    this.#player = player;
    player.start();
    player.setSound(this.#sound);
    const query = { from: iso(fromMs), to: iso(toMs), speed, stream: 'main', accept: playable().join() };
    const socket = new MediaSocket({
      url: socketAddress(this.#o.address, query),
      onMessage: (message) => this.#message(message),
      onEnd: ({ opened, note }) => this.#ended(opened, note),
    });
    this.#socket = socket;
    socket.start();
    // Held while it opens, it shows its first picture and waits.
    if (this.#held) this.#holdFirst(player);
  }

  /** The first picture is to be seen, also of a window that waits. */
  #holdFirst(player: MsePlayer): void {
    const { video } = this.#o;
    video.addEventListener('playing', () => this.#held && this.#player === player && player.pause(), { once: true });
  }

  #message(message: MediaMessage): void {
    if (message.type !== 'note') this.#tries = 0;
    if (message.type === 'note') this.#note(message.note);
    else this.#player?.push(message);
  }

  #note({ code, text }: MediaNote): void {
    if (code === 'speed') {
      const granted = Number(/[\d.]+/.exec(text)?.[0] ?? 1);
      const asked = Math.abs(this.#asked.speed);
      // What the device does not slow down, the player does.
      this.#player?.setRate(Math.min(1, asked / granted));
      this.#set({ ...this.#state, speed: granted < asked ? granted : null });
      return;
    }
    // What the box says of its end counts; the relay's own word comes after it.
    if (code !== 'gap' && code !== 'ended' && code !== 'box-unreachable') this.#refuse(code, text);
  }

  #ended(opened: boolean, note: { code: string; text: string } | null): void {
    this.#socket = null;
    const { state } = this.#state;
    if (state === 'refused') return;
    if (note?.code === 'ended' && opened) {
      this.#set({ ...this.#state, state: 'over' });
      return;
    }
    if (note && note.code !== 'box-unreachable') {
      this.#refuse(note.code, note.text);
      return;
    }
    // The line broke off: it goes on from where the picture is.
    if (++this.#tries > MAX_TRIES) {
      this.#refuse(note?.code ?? 'network', note?.text);
      return;
    }
    const at = this.wallMs;
    if (at !== null) this.#asked = { ...this.#asked, headMs: at };
    this.#timer = setTimeout(() => {
      this.#keepStill();
      this.#close();
      this.#open();
    }, RETRY_MS);
  }

  #refuse(code: string, detail?: string): void {
    this.#socket?.stop();
    this.#socket = null;
    this.#set({ state: 'refused', error: new ApiError(code, 0, { detail }), speed: null });
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#socket?.stop();
    this.#socket = null;
    this.#player?.stop();
    this.#player = null;
  }

  #keepStill(): void {
    const { video, still } = this.#o;
    if (video.videoWidth === 0 || !this.#player) return;
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    still.getContext('2d')?.drawImage(video, 0, 0);
  }

  #set(state: RecordedState): void {
    this.#state = state;
    this.#o.onChange(state);
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
