import type { MediaInit, MediaMessage } from '../../protocol/wire/media.ts';
import { decodeTimes, type Mp4Head, readHead, shownTimes } from './mp4.ts';
import { mediaSourceClass, mimeOf } from './playable.ts';
import { allShown, LiveEdge, overHole, type Span } from './steering.ts';
import { Voice } from './voice.ts';
import { WallMap } from './wall-map.ts';

/** `no-player`: this browser plays no media messages at all; `not-supported`: not this codec; `broken`: it gave up. */
export interface MseFailure {
  code: 'no-player' | 'not-supported' | 'broken';
  /** What was to be played. */
  codecs: string;
}
export interface MsePlayerOptions {
  video: HTMLVideoElement;
  /** `live` stays at the newest picture; `recorded` plays all of it, over holes. */
  mode: 'live' | 'recorded';
  /** What is recorded comes backward. */
  back?: boolean;
  /** The first picture is on the screen. */
  onPicture?: () => void;
  onInit?: (init: MediaInit) => void;
  onFailed?: (failure: MseFailure) => void;
}

/** Pictures that were shown are kept this long, for a step back. */
const KEEP_S = { live: 4, recorded: 30 } as const;
/** More than this cannot be taken in: live view goes on at the next key frame. */
const MAX_QUEUE_BYTES = 24 * 1024 * 1024;
const STEER_MS = 100;
/** Pictures are not nearer to one another. */
const HERE_S = 0.002;
/** A minute of them, at the most that cameras take. */
const MAX_PICTURES = 4_000;

type Job = { bytes: Uint8Array<ArrayBuffer>; offset: number | null; mime: string | null };

/** Plays media messages in a video element by Media Source Extensions; G.711 beside them by Web Audio. */
export class MsePlayer {
  readonly #o: MsePlayerOptions;
  readonly #edge = new LiveEdge();
  readonly #walls: WallMap;
  readonly #voice = new Voice();
  #source: MediaSource | null = null;
  #buffer: SourceBuffer | null = null;
  #url = '';
  #jobs: Job[] = [];
  #queued = 0;
  #head: Mp4Head | null = null;
  #init: MediaInit | null = null;
  /** Added to the stream's own times so that they go on where the last ones ended; null until its first fragment. */
  #shift: number | null = null;
  #end = 0;
  /** Where key frames stand. */
  #keys: number[] = [];
  /** Where pictures of what is recorded stand, those that were let go of as well for a while. */
  #pictures: number[] = [];
  #needsKey = true;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pictured = false;
  #paused = false;
  #rate = 1;

  constructor(options: MsePlayerOptions) {
    this.#o = options;
    this.#walls = new WallMap({ back: options.back });
  }

  start(): void {
    if (this.#source) return;
    const Source = mediaSourceClass();
    if (!Source) {
      this.#o.onFailed?.({ code: 'no-player', codecs: '' });
      return;
    }
    const source = new Source();
    const { video } = this.#o;
    this.#source = source;
    this.#url = URL.createObjectURL(source);
    source.addEventListener('sourceopen', this.#next);
    video.addEventListener('waiting', this.#onWaiting);
    video.addEventListener('playing', this.#onPlaying);
    video.addEventListener('error', this.#onError);
    video.addEventListener('loadeddata', this.#steer);
    // The managed kind does not open where pictures could be sent to another screen.
    video.disableRemotePlayback = true;
    video.src = this.#url;
    this.#timer = setInterval(this.#steer, STEER_MS);
  }

  /** Frees everything; the element may be used again. */
  stop(): void {
    if (!this.#source) return;
    clearInterval(this.#timer);
    const { video } = this.#o;
    this.#source.removeEventListener('sourceopen', this.#next);
    video.removeEventListener('waiting', this.#onWaiting);
    video.removeEventListener('playing', this.#onPlaying);
    video.removeEventListener('error', this.#onError);
    video.removeEventListener('loadeddata', this.#steer);
    this.#source = null;
    this.#buffer = null;
    this.#jobs = [];
    this.#queued = 0;
    this.#voice.stop();
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(this.#url);
  }

  push(message: MediaMessage): void {
    if (!this.#source) return;
    if (message.type === 'init') this.#begin(message.init, message.data);
    else if (message.type === 'audio') {
      const law = this.#init?.audio;
      if (law && !this.#paused && this.#rate === 1) this.#voice.push(law, message.data, message.wallMs, this.wallMs);
    } else if (message.type !== 'note') this.#fragment(message.type === 'key', message.wallMs, message.data);
  }

  /** Wall time of the picture on the screen. */
  get wallMs(): number | null {
    return this.#walls.at(this.#o.video.currentTime);
  }

  /** Wall time of the picture after the one on the screen, or before it, in the stream's own order; null: none is buffered. */
  neighbourMs(before: boolean): number | null {
    const { currentTime } = this.#o.video;
    const there = this.#there();
    const at = there.findLastIndex((time) => time <= currentTime + HERE_S);
    const to = there[before ? at - 1 : at + 1];
    return to === undefined ? null : this.#walls.at(to);
  }

  /** Stands still on the picture that was taken then, or on the last one before it. */
  showAt(wallMs: number): void {
    const nearest = this.#there()
      .map((time) => ({ time, apartMs: wallMs - (this.#walls.at(time) ?? Number.POSITIVE_INFINITY) }))
      .filter(({ apartMs }) => apartMs > -1)
      .sort((a, b) => a.apartMs - b.apartMs)[0];
    // Within the picture, not on its edge: times are rounded on their way.
    if (nearest) this.#o.video.currentTime = nearest.time + HERE_S / 2;
  }

  /** Pictures that are in the buffer. */
  #there(): number[] {
    const spans = this.#spans();
    return this.#pictures.filter((time) =>
      spans.some(({ start, end }) => time >= start - HERE_S && time < end - HERE_S),
    );
  }

  /** Of what came, nothing is left to be seen. */
  get shown(): boolean {
    return allShown(this.#o.video.currentTime, this.#end, this.#pictures.at(-1) ?? null);
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
    this.#o.video.pause();
  }

  play(): void {
    this.#paused = false;
    this.#edge.restart();
    this.#steer();
  }

  /** Faster or slower than the stream's own times; only of what is recorded. */
  setRate(rate: number): void {
    this.#rate = rate;
    this.#o.video.playbackRate = rate;
  }

  /** To be called in the handler of a click. */
  setSound(on: boolean): void {
    this.#o.video.muted = !on;
    if (on) this.#voice.start();
    else this.#voice.stop();
  }

  #begin(init: MediaInit, data: Uint8Array): void {
    const mime = mimeOf(init.codecs);
    if (!mediaSourceClass()?.isTypeSupported(mime)) {
      this.#init = null;
      this.#needsKey = true;
      this.#o.onFailed?.({ code: 'not-supported', codecs: init.codecs });
      return;
    }
    this.#init = init;
    this.#head = readHead(data);
    this.#shift = null;
    this.#needsKey = true;
    this.#edge.restart();
    this.#o.onInit?.(init);
    this.#add({ bytes: own(data), offset: null, mime });
  }

  #fragment(key: boolean, wallMs: number, data: Uint8Array): void {
    const track = this.#head?.tracks.find(({ video }) => video);
    if (!this.#init || !track || (this.#needsKey && !key)) return;
    if (this.#o.mode === 'live' && this.#queued > MAX_QUEUE_BYTES) {
      this.#jobs = this.#jobs.filter((job) => job.mime !== null);
      this.#queued = this.#jobs.reduce((sum, job) => sum + job.bytes.length, 0);
      this.#needsKey = true;
      if (!key) return;
    }
    const times = decodeTimes(data);
    const first = times.find((time) => time.track === track.id);
    if (!first) {
      // Sound alone.
      if (this.#shift !== null) this.#add({ bytes: own(data), offset: null, mime: null });
      return;
    }
    this.#needsKey = false;
    const at = first.time / track.timescale;
    let offset: number | null = null;
    if (this.#shift === null) {
      // Sound may begin a little before its picture; nothing may stand before zero.
      this.#shift = this.#end + (this.#end === 0 ? 0.5 : 0) - at;
      offset = this.#shift;
    }
    this.#walls.add(at + this.#shift, wallMs);
    if (key) this.#keys.push(at + this.#shift);
    if (this.#o.mode === 'recorded') {
      for (const time of shownTimes(data, track.id)) this.#pictures.push(time / track.timescale + this.#shift);
      if (this.#pictures.length > MAX_PICTURES) this.#pictures.splice(0, MAX_PICTURES / 2);
    }
    this.#end = Math.max(this.#end, at + this.#shift);
    this.#add({ bytes: own(data), offset, mime: null });
  }

  #add(job: Job): void {
    this.#jobs.push(job);
    this.#queued += job.bytes.length;
    this.#next();
  }

  #next = (): void => {
    const source = this.#source;
    if (source?.readyState !== 'open' || this.#buffer?.updating) return;
    const job = this.#jobs[0];
    if (!job) return;
    try {
      if (!this.#buffer) {
        if (!job.mime) return;
        this.#buffer = source.addSourceBuffer(job.mime);
        this.#buffer.addEventListener('updateend', this.#updated);
      } else if (job.mime) this.#buffer.changeType(job.mime);
      if (job.offset !== null) this.#buffer.timestampOffset = job.offset;
      this.#buffer.appendBuffer(job.bytes);
      this.#jobs.shift();
      this.#queued -= job.bytes.length;
    } catch (error) {
      // Full: what was shown makes room; of what is recorded, the rest waits until some of it was.
      if ((error as Error).name === 'QuotaExceededError' && (this.#forget(1) || this.#o.mode === 'recorded')) return;
      this.#fail();
    }
  };

  #updated = (): void => {
    const last = this.#spans().at(-1);
    if (last) this.#end = last.end;
    this.#steer();
    if (!this.#forget(KEEP_S[this.#o.mode])) this.#next();
  };

  /** Lets go of pictures that were shown; true when the buffer is busy with it. */
  #forget(keepS: number): boolean {
    const buffer = this.#buffer;
    const latest = this.#o.video.currentTime - keepS;
    const keys = this.#keys.filter((key) => key <= latest).length;
    // The first one is kept, and not with every fragment: a little at a time would cost more than it frees.
    if (!buffer || buffer.updating || keys < 2) return false;
    this.#keys.splice(0, keys - 1);
    // Browsers remove up to the next key frame: so that one must be given, or what is on the screen may go.
    buffer.remove(0, this.#keys[0]! - 0.001);
    return true;
  }

  #spans(): Span[] {
    const ranges = this.#buffer?.buffered;
    return Array.from({ length: ranges?.length ?? 0 }, (_, i) => ({ start: ranges!.start(i), end: ranges!.end(i) }));
  }

  #steer = (): void => {
    const { video, mode } = this.#o;
    if (!this.#buffer || this.#paused) return;
    const spans = this.#spans();
    if (spans.length === 0) return;
    if (mode === 'live') {
      const more = this.#jobs.length > 0;
      const { seek, rate } = this.#edge.steer(video.currentTime, spans, performance.now(), more);
      if (seek !== null) video.currentTime = seek;
      if (video.playbackRate !== rate) video.playbackRate = rate;
    } else {
      const seek = overHole(video.currentTime, spans);
      if (seek !== null) video.currentTime = seek;
      if (video.playbackRate !== this.#rate) video.playbackRate = this.#rate;
      this.#next();
    }
    if (video.paused) video.play().catch(() => {});
    if (!this.#pictured && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0) {
      this.#pictured = true;
      this.#o.onPicture?.();
    }
  };

  #onWaiting = (): void => {
    // Going somewhere else takes its time: that is no stall.
    if (this.#pictured && !this.#o.video.seeking) this.#edge.waiting(performance.now());
  };
  #onPlaying = (): void => this.#edge.playing(performance.now());
  #onError = (): void => this.#fail();

  #fail(): void {
    const codecs = this.#init?.codecs ?? '';
    this.stop();
    this.#o.onFailed?.({ code: 'broken', codecs });
  }
}

/** What is handed to the browser must not change: a message is a view of a frame that nobody else keeps. */
const own = (data: Uint8Array): Uint8Array<ArrayBuffer> =>
  data.buffer instanceof ArrayBuffer ? (data as Uint8Array<ArrayBuffer>) : new Uint8Array(data);
