import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { type IceServer, LiveLine, type LiveOffer, type StreamName } from '../../protocol/wire/video.ts';
import { ProblemError } from '../api/problem.ts';
import { Buckets } from '../api/rate-limit.ts';
import type { Leases } from '../auth/leases.ts';
import type { Principal, Sessions } from '../auth/sessions.ts';
import type { TunnelHub } from '../tunnel/hub.ts';
import { refusal } from './media-stream.ts';
import type { OpenViewing } from './viewings.ts';
import { FRAGMENT, type IceSession, requireSession, requireType, ufragsOf } from './whep.ts';

/** The box gathers its addresses meanwhile. */
const ANSWER_MS = 15_000;
const PATCH_MS = 10_000;
const MAX_LINE_BYTES = 128 * 1024;
/** A connection has few states, and they change seldom. */
const MAX_LINES = 100;
const LINES_MS = 60_000;
/** They share the box's interactive requests with everything else; more viewers come through the relay. */
const MAX_PER_BOX = 40;
/** Of these, those of companies that do not own the site: they cannot keep its owner out. */
const MAX_OF_GUESTS = 24;
/** Beginnings of a company at a box: each is work for it, whatever comes of it. */
const BEGINNINGS = { perSecond: 4, burst: 80 };
const MAX_FRAGMENT_BYTES = 16 * 1024;
const MAX_PATCHES = 64;

interface View {
  id: string;
  who: Pick<Principal, 'id'>;
  serial: string;
  owner: boolean;
  viewing: OpenViewing;
  abort: AbortController;
  ice: IceSession;
  patches: number;
  releases: (() => void)[];
}

/**
 * Live views whose pictures go from the box to the viewer without the relay (WebRTC). The relay carries offer and answer,
 * and holds one request to the box for as long as the view may last: when it closes that, or it breaks, the view ends.
 */
export class DirectViews {
  readonly #hub: Pick<TunnelHub, 'isConnected' | 'request'>;
  readonly #leases: Leases;
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #views = new Map<string, View>();
  readonly #beginnings: Buckets;
  #stop: (() => void) | null = null;

  constructor(o: {
    hub: Pick<TunnelHub, 'isConnected' | 'request'>;
    leases: Leases;
    sessions: Sessions;
    clock: Clock;
    log: Logger;
  }) {
    this.#hub = o.hub;
    this.#leases = o.leases;
    this.#sessions = o.sessions;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#beginnings = new Buckets({ clock: o.clock, rate: BEGINNINGS });
  }

  get count(): number {
    return this.#views.size;
  }

  start(): void {
    this.#stop = this.#sessions.onEnd((id) => {
      for (const view of [...this.#views.values()]) if (view.who.id === id) this.#end(view, 'signed out');
    });
  }

  stop(): void {
    this.#stop?.();
    for (const view of [...this.#views.values()]) this.#end(view, 'the relay stops');
  }

  /**
   * Passes an offer on. `viewing` ends with the view, also when there comes none.
   * @throws ProblemError the box's own, `box-unreachable`, `limit-reached`, `too-many-requests`
   */
  async open(o: {
    who: Pick<Principal, 'id' | 'companyId' | 'expiresMs'>;
    serial: string;
    /** Of the company whose site it is. */
    owner: boolean;
    deviceId: string;
    channel: number;
    stream: StreamName;
    sdp: string;
    iceServers: IceServer[];
    viewing: OpenViewing;
    /** Rejects when the right to look has ended. */
    check: () => Promise<unknown>;
    /** Aborted when the viewer is gone before the answer has reached them. */
    left: AbortSignal;
  }): Promise<{ id: string; sdp: string; etag: string }> {
    const { who, serial, owner, viewing, left } = o;
    const id = uuidv7(this.#clock.now());
    const abort = new AbortController();
    const ice = { etag: `"${id}"`, ufrags: ufragsOf(o.sdp) };
    const view: View = { id, who, serial, owner, viewing, abort, ice, patches: 0, releases: [] };
    try {
      if (!this.#hub.isConnected(serial)) throw unreachable(serial);
      const { waitS } = this.#beginnings.take(`${serial} ${who.companyId}`);
      if (waitS > 0)
        throw new ProblemError('too-many-requests', 'Too many direct views were begun at this box: use the relay.', {
          headers: { 'retry-after': String(waitS) },
        });
      const ofBox = [...this.#views.values()].filter((other) => other.serial === serial);
      const guests = ofBox.filter((other) => !other.owner).length;
      if (ofBox.length >= MAX_PER_BOX || (!owner && guests >= MAX_OF_GUESTS))
        throw new ProblemError('limit-reached', `${ofBox.length} people look at this box directly: use the relay.`);
      this.#views.set(id, view);
      left.addEventListener('abort', () => this.#end(view, 'left'), { once: true });
      if (left.aborted) this.#end(view, 'left');
      const { deviceId, channel, stream, sdp, iceServers } = o;
      const offer: LiveOffer = { viewId: id, deviceId, channel, stream, sdp, iceServers };
      const answer = await this.#hub
        .request(serial, {
          method: 'POST',
          path: '/v1/live/webrtc',
          body: Buffer.from(JSON.stringify(offer)),
          headers: { 'content-type': 'application/json' },
          timeoutMs: ANSWER_MS,
          signal: abort.signal,
        })
        .catch(() => {
          throw unreachable(serial);
        });
      if (answer.status !== 200) throw await refusal(answer.status, answer.body);
      const answered = await this.#read(view, answer.body);
      view.releases = [
        this.#leases.hold(o.check, () => this.#end(view, 'not allowed any more')),
        this.#clock.after(Math.max(0, o.who.expiresMs - this.#clock.now()), () => this.#end(view, 'signed out')),
      ];
      // What ended meanwhile holds nothing.
      if (!this.#views.has(id)) for (const release of view.releases) release();
      return { id, sdp: answered, etag: ice.etag };
    } catch (error) {
      this.#end(view, 'not begun');
      await viewing.end();
      throw error;
    }
  }

  /**
   * Candidates of the viewer that came later (RFC 8840).
   * @throws ProblemError `not-found` also for other people's views, and what is not right about the fragment
   */
  async trickle(
    who: Pick<Principal, 'id'>,
    id: string,
    o: { fragment: string; type: string | undefined; ifMatch: string | undefined },
  ): Promise<void> {
    const view = this.#of(who, id);
    const { fragment } = o;
    requireType(o.type, FRAGMENT, 'patch');
    if (Buffer.byteLength(fragment) > MAX_FRAGMENT_BYTES || ++view.patches > MAX_PATCHES)
      throw new ProblemError('payload-too-large', 'These are more candidates than a viewer has.');
    requireSession(view.ice, fragment, o.ifMatch);
    const answer = await this.#hub
      .request(view.serial, {
        method: 'PATCH',
        path: `/v1/live/webrtc/${id}`,
        body: Buffer.from(fragment),
        headers: { 'content-type': FRAGMENT },
        timeoutMs: PATCH_MS,
      })
      .catch(() => {
        throw unreachable(view.serial);
      });
    if (answer.status >= 400) throw await refusal(answer.status, answer.body);
    answer.body.destroy();
  }

  close(who: Pick<Principal, 'id'>, id: string): void {
    this.#end(this.#of(who, id), 'closed');
  }

  #of(who: Pick<Principal, 'id'>, id: string): View {
    const view = this.#views.get(id);
    if (!view || view.who.id !== who.id) throw new ProblemError('not-found');
    return view;
  }

  /** Resolves with the answer; what comes after it is followed until the end. */
  #read(view: View, body: Readable): Promise<string> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(ANSWER_MS, () =>
        over(new ProblemError('device-error', 'The box gave no answer.')),
      );
      const over = (error: ProblemError) => {
        cancel();
        body.destroy();
        reject(error);
        this.#end(view, error.detail ?? error.code);
      };
      let text = '';
      let lines = 0;
      let sinceMs = this.#clock.mono();
      body.setEncoding('utf8');
      body.on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          const line = LiveLine.safeParse(parse(text.slice(0, end)));
          text = text.slice(end + 1);
          if (this.#clock.mono() - sinceMs > LINES_MS) {
            lines = 0;
            sinceMs = this.#clock.mono();
          }
          if (++lines > MAX_LINES) return over(new ProblemError('device-error', 'The box says too much.'));
          // What a newer box says more is not for this relay.
          if (!line.success) continue;
          const said = line.data;
          if (said.type === 'answer') {
            cancel();
            resolve(said.sdp);
          } else if (said.type === 'state' && said.state === 'connected') view.viewing.path(said.path ?? 'direct');
          else if (said.type === 'ended') return over(new ProblemError('device-error', said.text));
        }
        if (text.length > MAX_LINE_BYTES) over(new ProblemError('device-error', 'The box sent something else.'));
      });
      const broke = () => over(unreachable(view.serial));
      body.on('end', broke);
      body.on('error', broke);
      body.on('close', broke);
    });
  }

  #end(view: View, why: string): void {
    if (!this.#views.delete(view.id)) return;
    this.#log.debug({ viewId: view.id, why }, 'a direct view ended');
    for (const release of view.releases) release();
    view.abort.abort();
    void view.viewing.end();
  }
}

const unreachable = (serial: string) =>
  new ProblemError('box-unreachable', `Box ${serial} is not connected. Check its power and its internet connection.`);

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
