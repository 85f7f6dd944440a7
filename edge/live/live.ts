import { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { MEDIA_CONTENT_TYPE, MEDIA_TYPES } from '../../protocol/wire/media.ts';
import {
  type LiveLine,
  LiveOffer,
  type LiveOptions,
  MAX_LIVE_WINDOWS,
  MediaQuery,
  StreamName,
} from '../../protocol/wire/video.ts';
import { invalidRequest, problemResponse } from '../problem-response.ts';
import type { Talks } from '../talk/talks.ts';
import { AacSounds } from './aac-sounds.ts';
import { MediaFeed } from './media-feed.ts';
import type { PictureSource, PictureSources } from './pictures.ts';
import type { WebRtcView } from './web-rtc-view.ts';

/** Each is a stream in the tunnel, and pictures on the box's uplink. */
const MAX_FEEDS = 32;
const MAX_VIEWS = 64;
/** Who asks what there is to see looks at it a moment later. */
const SOON_MS = 5_000;
const MAX_FRAGMENT_BYTES = 16 * 1024;
/** Pictures that the tunnel does not take: above it they are left out up to a key frame for which there is room. */
const MAX_QUEUED_BYTES = 2 * 1024 * 1024;
const LOW_QUEUED_BYTES = 256 * 1024;
const BEAT_MS = 10_000;

/** Live view at the box (protocol/wire/video.ts), under `/v1/live`: WebRTC from here to the viewer, or media messages by the relay. */
export class LiveViews {
  readonly #sources: PictureSources;
  readonly #playback: (deviceId: string) => Promise<boolean>;
  readonly #talks: Pick<Talks, 'chance'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #sounds: AacSounds;
  readonly #feeds = new Set<MediaFeed>();
  readonly #views = new Map<string, WebRtcView>();
  /** Pulled for who is about to look. */
  readonly #soon = new Map<PictureSource, () => void>();

  constructor(o: {
    video: PictureSources;
    /** Whether a device has recordings that can be played. */
    playback: (deviceId: string) => Promise<boolean>;
    talks: Pick<Talks, 'chance'>;
    clock: Clock;
    log: Logger;
  }) {
    this.#sources = o.video;
    this.#playback = o.playback;
    this.#talks = o.talks;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'live' });
    this.#sounds = new AacSounds({ clock: o.clock, log: this.#log });
  }

  get stats(): { feeds: number; views: number } {
    return { feeds: this.#feeds.size, views: this.#views.size };
  }

  stop(): void {
    for (const feed of this.#feeds) feed.stop();
    for (const view of this.#views.values()) view.close();
    for (const release of this.#soon.values()) release();
    this.#feeds.clear();
    this.#views.clear();
  }

  routes(): Hono {
    const app = new Hono();
    app.get('/options', async (c) => {
      const query = MediaQuery.omit({ accept: true, sound: true }).partial({ stream: true }).safeParse(c.req.query());
      if (!query.success) return invalidRequest(query.error);
      const { deviceId, channel, stream } = query.data;
      if (stream) this.#lookSoon(deviceId, channel, stream);
      const options = await this.#options(deviceId, channel);
      return options ? c.json(options) : noChannel();
    });
    app.get('/stream', (c) => {
      const query = MediaQuery.safeParse(c.req.query());
      if (!query.success) return invalidRequest(query.error);
      return this.#stream(query.data, c.req.raw.signal);
    });
    app.post('/webrtc', async (c) => {
      const offer = LiveOffer.safeParse(await c.req.json().catch(() => null));
      if (!offer.success) return invalidRequest(offer.error);
      return this.#webRtc(offer.data, c.req.raw.signal);
    });
    app.patch('/webrtc/:viewId', async (c) => {
      const view = this.#views.get(c.req.param('viewId'));
      if (!view) return problemResponse('not-found', 'This view has ended.');
      const fragment = await c.req.text();
      if (fragment.length > MAX_FRAGMENT_BYTES) return problemResponse('payload-too-large');
      view.trickle(fragment);
      return c.body(null, 204);
    });
    return app;
  }

  /** The camera is asked already while the viewer makes an offer. No more than a grid of windows at once. */
  #lookSoon(deviceId: string, channel: number, stream: StreamName): void {
    const source = this.#sources.source(deviceId, channel, stream) ?? this.#sources.source(deviceId, channel, 'main');
    if (!source || this.#soon.has(source) || this.#soon.size >= MAX_LIVE_WINDOWS) return;
    // The library too, once this is answered: it takes its time at the first view.
    this.#clock.after(1, () => void import('./web-rtc-view.ts').catch(() => {}));
    const leave = source.acquire({ preRollMs: 0, accessUnit: () => {}, lost: () => {} });
    const release = () => {
      cancel();
      this.#soon.delete(source);
      leave();
    };
    const cancel = this.#clock.after(SOON_MS, release);
    this.#soon.set(source, release);
  }

  async #options(deviceId: string, channel: number): Promise<LiveOptions | null> {
    const streams = StreamName.options.flatMap((stream) => {
      const source = this.#sources.source(deviceId, channel, stream);
      if (!source) return [];
      const { codec, sound } = source;
      return [
        {
          stream,
          codec: codec?.codec ?? null,
          width: codec?.width ?? null,
          height: codec?.height ?? null,
          audio: sound?.codec ?? null,
        },
      ];
    });
    if (streams.length === 0) return null;
    const [playback, talk] = await Promise.all([this.#playback(deviceId), this.#talks.chance(deviceId, channel)]);
    return { streams, encrypted: false, playback, talk };
  }

  #stream(query: MediaQuery, signal: AbortSignal): Response {
    if (this.#feeds.size >= MAX_FEEDS)
      return problemResponse('limit-reached', 'The box sends as many streams as it can.');
    let skipping = false;
    let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
    const end = () => {
      if (!this.#feeds.delete(feed)) return;
      feed.stop();
      try {
        controller?.close();
      } catch {
        // The relay let go of it already.
      }
    };
    const send = (message: Uint8Array) => {
      if (!controller) return;
      const queued = MAX_QUEUED_BYTES - (controller.desiredSize ?? 0);
      if (message[0] !== MEDIA_TYPES.init && message[0] !== MEDIA_TYPES.note) {
        if (queued > MAX_QUEUED_BYTES) skipping = true;
        if (skipping && (message[0] !== MEDIA_TYPES.key || queued > LOW_QUEUED_BYTES)) return;
        skipping = false;
      }
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, message.length);
      controller.enqueue(length);
      controller.enqueue(message);
    };
    const { deviceId, channel, stream, accept } = query;
    const sounds = query.sound === 'aac' ? this.#sounds : null;
    const feed = new MediaFeed({
      sources: this.#sources,
      clock: this.#clock,
      deviceId,
      channel,
      stream,
      accept,
      sounds,
      send,
      end,
    });
    if (!this.#sources.source(deviceId, channel, 'main')) return noChannel();
    this.#feeds.add(feed);
    signal.addEventListener('abort', end, { once: true });
    const body = new ReadableStream<Uint8Array>(
      {
        start: (given) => {
          controller = given;
          feed.start();
        },
        cancel: end,
      },
      { highWaterMark: MAX_QUEUED_BYTES, size: (chunk) => chunk?.length ?? 0 },
    );
    return new Response(body, { headers: { 'content-type': MEDIA_CONTENT_TYPE } });
  }

  async #webRtc(offer: LiveOffer, signal: AbortSignal): Promise<Response> {
    if (this.#views.size >= MAX_VIEWS || this.#views.has(offer.viewId))
      return problemResponse('limit-reached', 'As many look at this box directly as can.');
    const { viewId } = offer;
    // Loaded when it is needed first: its native library takes memory, and is not there for every machine.
    const loaded = await import('./web-rtc-view.ts').catch((error) => {
      this.#log.warn({ err: error }, 'WebRTC is not there on this machine: live view goes through the relay');
      return null;
    });
    if (!loaded) return problemResponse('device-error', 'This box has no WebRTC: use the relay.');
    const lines: LiveLine[] = [];
    let wake = () => {};
    const end = () => {
      this.#views.delete(viewId);
      view.close();
      wake();
    };
    const view: WebRtcView = new loaded.WebRtcView({
      offer,
      sources: this.#sources,
      clock: this.#clock,
      log: this.#log.child({ viewId }),
      end,
      line: (line) => {
        lines.push(line);
        wake();
      },
    });
    this.#views.set(viewId, view);
    signal.addEventListener('abort', end, { once: true });
    const answer = await view.answer();
    if (typeof answer === 'string') {
      end();
      if (answer === 'not-found') return noChannel();
      if (answer === 'invalid') return problemResponse('invalid-request', 'This is no offer of a WebRTC player.');
      return problemResponse('not-acceptable', NOTHING[answer]);
    }
    const text = new TextEncoder();
    lines.unshift({ type: 'answer', sdp: answer.sdp });
    let stopBeat = () => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        // An empty line now and then: a relay that is gone is found out by writing.
        stopBeat = this.#clock.every(BEAT_MS, () => controller.enqueue(text.encode('\n')));
        wake = () => {
          for (const line of lines.splice(0)) controller.enqueue(text.encode(`${JSON.stringify(line)}\n`));
          if (this.#views.has(viewId)) return;
          wake = () => {};
          stopBeat();
          controller.close();
        };
        wake();
      },
      cancel: () => {
        stopBeat();
        wake = () => {};
        end();
      },
    });
    return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
  }
}

const NOTHING = {
  'no-section': 'The offer takes no video (recvonly), and there is no live view without it.',
  'no-codec': 'The offer takes neither H.264 with packetization-mode=1 nor H.265 where the camera sends that.',
};
const noChannel = () => problemResponse('not-found', 'The box has no video of this channel.');
