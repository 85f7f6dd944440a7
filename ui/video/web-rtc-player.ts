import type { IceServer } from '../../protocol/wire/video.ts';
import { ApiError } from '../components/http.ts';
import { whepCandidates, whepEnd, whepOffer, withoutSound } from './whep.ts';

/**
 * `playing`: pictures are decoded; `silent`: nothing comes any more, it may come back; `failed`: it is over, see `error`.
 */
export type WebRtcState = 'connecting' | 'playing' | 'silent' | 'failed';
export interface WebRtcPlayerOptions {
  video: HTMLVideoElement;
  /** Address of the WHEP route, with its query. */
  whep: string;
  /** Asked when it starts: their credentials are short-lived. */
  iceServers: () => Promise<readonly IceServer[]>;
  /** `error`: why it failed, where the relay said so; null: nobody can be reached this way, or the picture cannot be shown. */
  onState: (state: WebRtcState, error: ApiError | null) => void;
}

const CONNECTING_MS = 12_000;
const LOOK_MS = { waiting: 60, playing: 400 } as const;
/** Without a packet for so long, or three times the longest pause of late, the way is taken to be dead. */
const SILENT_MS = 1_000;
/** A longer one says nothing of how often pictures come: the line was away. */
const PAUSE_MS = 2_500;
/** So long silent it does not come back by itself. */
const DEAD_MS = 8_000;
/** Candidates that are found together travel together. */
const GATHER_MS = 30;

interface Seen {
  packets: number;
  frames: number;
}

/** Pictures directly from the box (WebRTC by WHEP), shown in a video element. It connects once: whoever holds it tries again. */
export class WebRtcPlayer {
  readonly #o: WebRtcPlayerOptions;
  readonly #abort = new AbortController();
  #peer: RTCPeerConnection | null = null;
  #location: string | null = null;
  #etag: string | null = null;
  /** Of the box, with sound; null: not there yet. */
  #answer: string | null = null;
  #sound = false;
  #heard = false;
  #changing = false;
  #state: WebRtcState = 'connecting';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #limit: ReturnType<typeof setTimeout> | undefined;
  #seen: Seen = { packets: 0, frames: 0 };
  #lastPacketMs = 0;
  #longestPauseMs = 0;

  constructor(options: WebRtcPlayerOptions) {
    this.#o = options;
  }

  get state(): WebRtcState {
    return this.#state;
  }

  start(): void {
    if (this.#limit || this.#abort.signal.aborted) return;
    this.#limit = setTimeout(() => this.#fail(null), CONNECTING_MS);
    addEventListener('pagehide', this.#left);
    this.#connect().catch((error: unknown) => {
      if (!this.#abort.signal.aborted) this.#fail(error instanceof ApiError ? error : null);
    });
  }

  /** Ends the view; `onState` is not called any more. The last picture stands. */
  stop(): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    removeEventListener('pagehide', this.#left);
    clearTimeout(this.#timer);
    clearTimeout(this.#limit);
    this.#peer?.close();
    if (this.#location) whepEnd(this.#location);
  }

  /** The box would wait for a page that is gone: a view that is not connected yet has no other end. */
  #left = (event: PageTransitionEvent): void => {
    if (!event.persisted) this.stop();
  };

  /**
   * Pictures wait for sound that is heard, so that lips move with it; for sound that nobody hears they do not. Both ends are
   * this browser's own: the box sends it all the time.
   */
  setSound(on: boolean): void {
    this.#sound = on;
    void this.#hear();
  }

  async #hear(): Promise<void> {
    const peer = this.#peer;
    if (!peer || this.#answer === null || this.#changing) return;
    this.#changing = true;
    try {
      while (this.#heard !== this.#sound && !this.#abort.signal.aborted) {
        this.#heard = this.#sound;
        await peer.setLocalDescription();
        const sdp = this.#heard ? this.#answer : withoutSound(this.#answer);
        await peer.setRemoteDescription({ type: 'answer', sdp });
      }
    } catch {
      // It is heard or not as before; pictures go on.
    } finally {
      this.#changing = false;
    }
  }

  async #connect(): Promise<void> {
    const servers = this.#o.iceServers();
    // Made meanwhile: the first one of a page takes its time.
    const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.#peer = peer;
    const stream = new MediaStream();
    for (const kind of ['video', 'audio'] as const) {
      const { receiver } = peer.addTransceiver(kind, { direction: 'recvonly' });
      // No more than it takes: pictures wait for their sound alone, by the sender reports of both.
      receiver.jitterBufferTarget = 0;
      stream.addTrack(receiver.track);
    }
    const found: RTCIceCandidate[] = [];
    let soon: ReturnType<typeof setTimeout> | undefined;
    let offer = '';
    const tell = () => {
      clearTimeout(soon);
      soon = setTimeout(() => {
        if (this.#location && !this.#abort.signal.aborted && found.length > 0)
          void whepCandidates({ location: this.#location, etag: this.#etag }, offer, found.splice(0));
      }, GATHER_MS);
    };
    peer.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      found.push(candidate);
      tell();
    };
    peer.onconnectionstatechange = () => peer.connectionState === 'failed' && this.#fail(null);
    const iceServers = [...(await servers)];
    if (this.#abort.signal.aborted) return;
    if (iceServers.length > 0) peer.setConfiguration({ iceServers, bundlePolicy: 'max-bundle' });
    await peer.setLocalDescription();
    // What was found by now goes with the offer.
    found.length = 0;
    offer = peer.localDescription!.sdp;
    const view = await whepOffer(this.#o.whep, offer, this.#abort.signal);
    this.#location = view.location && new URL(view.location, new URL(this.#o.whep, location.href)).href;
    this.#etag = view.etag;
    // Stopped while the answer was on its way: the abort may have come after the relay opened the view.
    if (this.#abort.signal.aborted) {
      if (this.#location) whepEnd(this.#location);
      return;
    }
    tell();
    this.#heard = this.#sound;
    const sdp = this.#heard ? view.answer : withoutSound(view.answer);
    await peer.setRemoteDescription({ type: 'answer', sdp });
    this.#answer = view.answer;
    void this.#hear();
    const [pictures] = peer.getTransceivers();
    if (pictures?.currentDirection !== 'recvonly') throw new ApiError('codec-not-supported', 0);
    this.#o.video.srcObject = stream;
    this.#o.video.play().catch(() => {});
    void this.#look();
  }

  /** What has come: a picture that cannot be decoded fires every event that one which can does, so counters are asked. */
  #look = async (): Promise<void> => {
    const peer = this.#peer;
    if (!peer || this.#abort.signal.aborted) return;
    const report = await peer.getStats().catch(() => null);
    if (this.#abort.signal.aborted || this.#state === 'failed') return;
    let packets = 0;
    let frames = 0;
    report?.forEach((entry: RTCInboundRtpStreamStats) => {
      if (entry.type !== 'inbound-rtp') return;
      packets += entry.packetsReceived ?? 0;
      if (entry.kind === 'video') frames += entry.framesDecoded ?? 0;
    });
    const nowMs = performance.now();
    if (packets > this.#seen.packets) {
      const pauseMs = nowMs - this.#lastPacketMs;
      if (pauseMs < PAUSE_MS) this.#longestPauseMs = Math.max(pauseMs, this.#longestPauseMs * 0.98);
      this.#lastPacketMs = nowMs;
    }
    const decoded = frames > this.#seen.frames && this.#o.video.videoWidth > 0;
    this.#seen = { packets, frames: this.#state === 'connecting' && !decoded ? this.#seen.frames : frames };
    const silenceMs = nowMs - this.#lastPacketMs;
    if (decoded && this.#state !== 'playing') {
      clearTimeout(this.#limit);
      this.#say('playing', null);
    } else if (this.#state === 'playing' && silenceMs > Math.max(SILENT_MS, 3 * this.#longestPauseMs)) {
      this.#say('silent', null);
    } else if (this.#state === 'silent' && silenceMs > DEAD_MS) {
      this.#fail(null);
      return;
    }
    this.#timer = setTimeout(this.#look, this.#state === 'playing' ? LOOK_MS.playing : LOOK_MS.waiting);
  };

  #fail(error: ApiError | null): void {
    if (this.#abort.signal.aborted || this.#state === 'failed') return;
    this.stop();
    this.#say('failed', error);
  }

  #say(state: WebRtcState, error: ApiError | null): void {
    this.#state = state;
    this.#o.onState(state, error);
  }
}
