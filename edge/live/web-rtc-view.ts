import { randomInt } from 'node:crypto';
import {
  Audio,
  H264RtpPacketizer,
  H265RtpPacketizer,
  PeerConnection,
  RtcpNackResponder,
  RtcpSrReporter,
  RtpPacketizationConfig,
  type Track,
  Video,
} from 'node-datachannel';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { LiveLine, LiveOffer, VideoKind } from '../../protocol/wire/video.ts';
import type { AudioFrame } from '../video/audio.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { nativeServers } from './ice.ts';
import {
  candidatesOf,
  chooseVideo,
  completeAnswer,
  type Offer,
  type OfferedMedia,
  PLAYOUT_DELAY,
  parseOffer,
  type VideoChoice,
} from './offer.ts';
import { type PictureSources, Pictures } from './pictures.ts';
import { Rate } from './rate.ts';
import { readFeedback } from './rtcp.ts';
import { CNAME, SoundSender } from './sound-sender.ts';

const MTU_BYTES = 1_200;
const NACK_PACKETS = 1_024;
/** Own addresses are known at once, those of STUN and TURN servers after a round trip. */
const GATHER_MS = 1_500;
const CONNECT_MS = 20_000;
/** A way that is silent for longer is taken to be dead; the viewer comes again. */
const DISCONNECTED_MS = 8_000;
/** Receivers report every few seconds (RFC 3550 §6.2): one that does not is gone without a goodbye. */
const SILENT_MS = 15_000;
const LISTEN_EVERY_MS = 3_000;
/** A camera that is not pulled yet describes itself within this. A viewer without sound is better than one without an answer. */
const DESCRIBED_MS = 4_000;
const RESEND_EVERY_MS = 500;
const MAX_RESENT_BYTES = 2 * 1024 * 1024;
const VIDEO_RATE = 90_000;
const MAX_RELAYED = 32;
/**
 * How long a browser may hold pictures back where sound is sent beside them, in steps of 10 ms (the playout-delay
 * extension): for what its sound needs at least, and more where the camera sends it late. Up to 500 ms it still shows
 * pictures as they come while nobody listens.
 */
const SYNC_STEPS = 50;
const SOUND_BUFFER_STEPS = 30;

type Ended = Extract<LiveLine, { type: 'ended' }>;

/** One viewer's pictures by WebRTC, straight from the box. */
export class WebRtcView {
  readonly #o: {
    offer: LiveOffer;
    sources: PictureSources;
    clock: Clock;
    log: Logger;
    line: (line: LiveLine) => void;
    end: () => void;
  };
  readonly #pictures: Pictures;
  readonly #rate: Rate;
  #peer: PeerConnection | null = null;
  #video: Track | null = null;
  #videoConfig: RtpPacketizationConfig | null = null;
  #audio: SoundSender | null = null;
  /** Held: the library forgets a track that is collected as garbage. */
  readonly #silent: Track[] = [];
  #kind: VideoKind = 'h264';
  #cancels: (() => void)[] = [];
  #cancelDisconnected: (() => void) | null = null;
  /** RTP time less stream time, of the epoch that is sent. */
  #offset = 0;
  #epoch: string | null = null;
  #lastRtp = 0;
  #lastMonoMs = 0;
  #lastSentMs = 0;
  #lastStep = VIDEO_RATE / 25;
  #needsKey = true;
  #resentMs = Number.NEGATIVE_INFINITY;
  #heardMs = 0;
  /** Addresses that the viewer has at TURN servers. */
  readonly #relayed = new Set<string>();
  #path: 'direct' | 'relay' | null = null;
  /** Since then pictures are sent. */
  #sendingMs: number | null = null;
  #ended = false;

  constructor(o: {
    offer: LiveOffer;
    sources: PictureSources;
    clock: Clock;
    log: Logger;
    /** What the relay is told. */
    line: (line: LiveLine) => void;
    /** It is over; `line` has said why. */
    end: () => void;
  }) {
    this.#o = o;
    const { sources, clock, offer } = o;
    this.#rate = new Rate(clock);
    this.#pictures = new Pictures({
      sources,
      clock,
      deviceId: offer.deviceId,
      channel: offer.channel,
      stream: offer.stream,
      accept: this.#accept,
      sink: {
        unit: (unit) => this.#unit(unit),
        audio: (frame) => this.#sound(frame),
        note: (code, text) => o.line({ type: 'note', code, text }),
        ended: (code, text) => this.#finish({ type: 'ended', code, text }),
      },
    });
  }

  /** What of the offer can be sent: narrowed to one once the answer names it. */
  readonly #accept: VideoKind[] = ['h264'];

  /** The answer; `invalid`: the offer makes no sense, `not-found`: there is no such channel, else it takes nothing that can be sent. */
  async answer(): Promise<{ sdp: string } | 'invalid' | 'no-section' | 'no-codec' | 'not-found'> {
    const { offer } = this.#o;
    const parsed = parseOffer(offer.sdp);
    const video = parsed && chooseVideo(parsed);
    if (!parsed || !video) return 'invalid';
    if (typeof video === 'string') return video;
    const accept = (['h264', 'h265'] as const).filter((kind) => video[kind] !== null);
    this.#accept.splice(0, this.#accept.length, ...accept);
    if (!this.#pictures.start()) return 'not-found';
    const asks = accept.includes('h265') || parsed.media.some(({ kind, receives }) => kind === 'audio' && receives);
    const known = this.#pictures.source?.codec?.kind ?? (asks ? await this.#described() : null);
    // Nothing is made into H.265.
    if (known === 'h264' && !accept.includes(known)) return 'no-codec';
    this.#kind = known && accept.includes(known) ? known : accept[0]!;
    this.#accept.splice(0, this.#accept.length, this.#kind);
    if (this.#ended) return 'no-codec';
    try {
      return { sdp: await this.#connect(parsed, video) };
    } catch (error) {
      this.#o.log.info({ err: error }, 'an offer could not be answered');
      this.close();
      return 'invalid';
    }
  }

  /** Candidates that the viewer found later. */
  trickle(fragment: string): void {
    for (const { candidate, mid } of candidatesOf(fragment)) {
      this.#know(candidate);
      try {
        this.#peer?.addRemoteCandidate(candidate, mid);
      } catch {
        // One that makes no sense is one way less.
      }
    }
    if (this.#peer?.state() === 'connected') this.#tellPath();
  }

  #know(candidate: string): void {
    const [, , , , address, port, , type] = candidate.split(' ');
    if (type === 'relay' && this.#relayed.size < MAX_RELAYED) this.#relayed.add(`${address} ${port}`);
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pictures.stop();
    this.#cancelDisconnected?.();
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#video = null;
    this.#audio = null;
    this.#peer?.close();
    this.#peer = null;
  }

  async #connect(offer: Offer, choice: VideoChoice): Promise<string> {
    const { clock, offer: asked } = this.#o;
    const peer = new PeerConnection(asked.viewId, {
      iceServers: asked.iceServers.flatMap(nativeServers),
      disableAutoNegotiation: true,
      forceMediaTransport: true,
      // Below what tunnels and PPPoE leave of 1500.
      mtu: 1_280,
    });
    this.#peer = peer;
    peer.onStateChange((state) => this.#state(state));
    for (const { candidate } of candidatesOf(offer.sdp)) this.#know(candidate);
    this.#addVideo(peer, choice);
    for (const other of offer.media) if (other !== choice.media) this.#addOther(peer, other);
    // With none it could not wait for its sound.
    if (this.#audio) this.#videoConfig!.playoutDelayMax = SYNC_STEPS;
    peer.setRemoteDescription(offer.sdp, 'offer');
    const gathered = new Promise<void>((resolve) => {
      peer.onGatheringStateChange((state) => state === 'complete' && resolve());
      this.#cancels.push(clock.after(GATHER_MS, resolve), resolve);
    });
    peer.setLocalDescription('answer');
    await gathered;
    const local = this.#ended ? null : peer.localDescription();
    if (!local) throw new Error('there is no answer');
    const noWay: Ended = { type: 'ended', code: 'no-direct-path', text: 'The viewer cannot be reached directly.' };
    this.#cancels.push(clock.after(CONNECT_MS, () => peer.state() !== 'connected' && this.#finish(noWay)));
    return completeAnswer(local.sdp, offer);
  }

  #addVideo(peer: PeerConnection, { media, h264, h265 }: VideoChoice): void {
    const video = new Video(media.mid, 'SendOnly');
    const payload = this.#kind === 'h264' ? h264!.payload : h265!;
    if (this.#kind === 'h264') video.addH264Codec(payload, h264!.fmtp);
    else video.addH265Codec(payload);
    const ssrc = newSsrc();
    video.addSSRC(ssrc, CNAME, CNAME, 'video');
    const config = new RtpPacketizationConfig(ssrc, CNAME, payload, VIDEO_RATE);
    const delay = media.extensions.find(({ uri }) => uri === PLAYOUT_DELAY);
    if (delay && delay.id < 15) {
      // Shown as it comes: without it a browser holds pictures back for smoothness.
      video.parseSdpLine(`a=extmap:${delay.id} ${PLAYOUT_DELAY}`);
      config.playoutDelayId = delay.id;
      config.playoutDelayMin = 0;
      config.playoutDelayMax = 0;
    }
    const Packetizer = this.#kind === 'h264' ? H264RtpPacketizer : H265RtpPacketizer;
    const chain = new Packetizer('Length', config, MTU_BYTES);
    chain.addToChain(new RtcpSrReporter(config));
    chain.addToChain(new RtcpNackResponder(NACK_PACKETS));
    const track = peer.addTrack(video);
    track.setMediaHandler(chain);
    track.onOpen(() => this.#opened());
    track.onMessage((data) => this.#feedback(data));
    this.#video = track;
    this.#videoConfig = config;
  }

  /** Sound where it is one that a browser takes as it is; sections that nothing is sent in are answered so. */
  #addOther(peer: PeerConnection, media: OfferedMedia): void {
    this.#audio ??= SoundSender.add(peer, media, this.#pictures.source?.sound ?? null);
    if (this.#audio?.mid === media.mid) return;
    const none = media.kind === 'audio' ? new Audio(media.mid, 'Inactive') : new Video(media.mid, 'Inactive');
    const codec = media.codecs[0];
    if (codec && none instanceof Audio) none.addAudioCodec(codec.payload, codec.name);
    else if (codec && none instanceof Video) none.addVideoCodec(codec.payload, codec.name);
    this.#silent.push(peer.addTrack(none));
  }

  #state(state: string): void {
    if (this.#ended) return;
    if (state === 'connected') {
      this.#cancelDisconnected?.();
      this.#cancelDisconnected = null;
      this.#tellPath();
    } else if (state === 'connecting' || state === 'disconnected') {
      this.#o.line({ type: 'state', state });
      if (state !== 'disconnected') return;
      // The way is there, and the viewer has said goodbye on it.
      if (['connected', 'completed'].includes(this.#peer?.iceState() ?? '')) this.#gone();
      else this.#cancelDisconnected ??= this.#o.clock.after(DISCONNECTED_MS, () => this.#gone());
    } else if (state === 'failed' || state === 'closed') this.#gone();
  }

  /** A viewer's relayed address may be known from its packets before it is told: then it looks like any other. */
  #tellPath(): void {
    const pair = this.#peer?.getSelectedCandidatePair();
    if (!pair) return;
    const relayed = pair.local.type === 'relay' || this.#relayed.has(`${pair.remote.address} ${pair.remote.port}`);
    const path = relayed ? 'relay' : 'direct';
    if (path === this.#path) return;
    this.#path = path;
    this.#o.line({ type: 'state', state: 'connected', path });
  }

  #gone(): void {
    this.#finish({ type: 'ended', code: 'viewer-gone', text: 'The direct connection to the viewer broke off.' });
  }

  #finish(line: Ended): void {
    if (this.#ended) return;
    this.#o.line(line);
    this.close();
    this.#o.end();
  }

  /** The way is there: the group that runs goes first, key frame ahead. */
  #opened(): void {
    for (const unit of this.#pictures.group()) this.#unit(unit);
    this.#cancels.push(this.#o.clock.every(LISTEN_EVERY_MS, () => this.#listen()));
  }

  /** Before the first picture, which may be a group away: the connection is made meanwhile. null: the camera does not say. */
  async #described(): Promise<VideoKind | null> {
    const over = new AbortController();
    this.#cancels.push(() => over.abort());
    const late = this.#o.clock.sleep(DESCRIBED_MS, over.signal).then(() => null);
    const kind = await Promise.race([this.#pictures.source?.described() ?? null, late]);
    over.abort();
    return kind;
  }

  #unit(unit: AccessUnit): void {
    const track = this.#video;
    if (!track?.isOpen()) return;
    if (unit.keyFrame) this.#needsKey = false;
    else if (this.#needsKey) return;
    const rtp = this.#timestamp(unit);
    this.#send(unit.data, rtp);
    this.#sendingMs ??= this.#o.clock.mono();
    this.#rate.sent(unit.data.length);
    const step = rtp - this.#lastRtp;
    if (step > 0 && step < VIDEO_RATE) this.#lastStep = step;
    this.#lastRtp = rtp;
    this.#lastMonoMs = unit.monoMs;
    this.#lastSentMs = this.#o.clock.now();
  }

  /** Presentation time on one line for the whole view, over reconnects and changes of the stream. */
  #timestamp(unit: AccessUnit): number {
    const epoch = `${this.#pictures.stream} ${this.#pictures.transcoded} ${unit.epoch}`;
    if (epoch !== this.#epoch) {
      const first = this.#epoch === null;
      this.#epoch = epoch;
      const passed = Math.max(Math.round((unit.monoMs - this.#lastMonoMs) * (VIDEO_RATE / 1000)), this.#lastStep);
      this.#offset = (first ? randomInt(2 ** 31) : this.#lastRtp + passed) - unit.time;
    }
    return Math.max(unit.time + unit.compositionOffset + this.#offset, 0);
  }

  #send(data: Buffer, rtp: number): void {
    const config = this.#videoConfig;
    if (!config || !this.#video) return;
    config.timestamp = rtp % 2 ** 32;
    try {
      this.#video.sendMessageBinary(data);
    } catch {
      // It closed in this moment; its state says so.
    }
  }

  /** On the pictures' own line, in its own clock: sender reports of both tie them together. */
  #sound(frame: AudioFrame): void {
    if (this.#epoch === null || !this.#audio || !this.#videoConfig) return;
    this.#audio.send(frame, this.#offset, { rtp: this.#lastRtp, sentMs: this.#lastSentMs });
    const steps = Math.ceil(this.#audio.lateMs / 100) * 10 + SOUND_BUFFER_STEPS;
    this.#videoConfig.playoutDelayMax = Math.max(SYNC_STEPS, steps);
  }

  #listen(): void {
    const now = this.#o.clock.mono();
    if (this.#sendingMs !== null && now - Math.max(this.#heardMs, this.#sendingMs) > SILENT_MS) this.#gone();
  }

  #feedback(data: Buffer): void {
    this.#heardMs = this.#o.clock.mono();
    const { keyFrame, bitrate } = readFeedback(data);
    if (keyFrame) this.#resend();
    if (bitrate === null || this.#ended) return;
    const wish = this.#rate.judge(bitrate, { stream: this.#pictures.stream, hasSub: this.#pictures.hasSub });
    if (wish === null || !this.#pictures.change(wish)) return;
    this.#needsKey = true;
    const text = wish === 'sub' ? 'The line is slow: the smaller picture is sent.' : 'The full picture is sent again.';
    this.#o.line({ type: 'note', code: wish === 'sub' ? 'slow-line' : 'full-picture', text });
  }

  /** A decoder that lost its way gets the group that runs, squeezed into the time before the next picture. */
  #resend(): void {
    const now = this.#o.clock.mono();
    if (now - this.#resentMs < RESEND_EVERY_MS || this.#epoch === null) return;
    const group = this.#pictures.group();
    const bytes = group.reduce((sum, unit) => sum + unit.data.length, 0);
    if (group.length === 0 || bytes > MAX_RESENT_BYTES || group[0]!.codec.kind !== this.#kind) return;
    this.#resentMs = now;
    const step = Math.max(1, Math.floor((this.#lastStep * 0.9) / (group.length + 1)));
    for (const [i, unit] of group.entries()) this.#send(unit.data, this.#lastRtp + (i + 1) * step);
  }
}

const newSsrc = () => randomInt(1, 2 ** 32 - 1);
