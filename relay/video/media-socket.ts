import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { WebSocket } from 'ws';
import { type Clock, iso } from '../../protocol/clock.ts';
import { MEDIA_TYPES, type MediaNote, writeMedia } from '../../protocol/wire/media.ts';
import type { ApiEnv } from '../api/app.ts';
import { webSocket } from '../api/web-socket.ts';
import type { Leases } from '../auth/leases.ts';
import type { Scope } from '../auth/scope.ts';
import type { Sessions } from '../auth/sessions.ts';
import { type MediaStream, noteOf } from './media-stream.ts';
import type { OpenViewing } from './viewings.ts';

/** A ping goes out behind what was sent: when its pong is this late, so are the pictures. */
const PING_EVERY_MS = 500;
const LATE_MS = 1_500;
const SILENT_MS = 20_000;
/** Unsent at the relay: more is dropped (live) or waited for (what was recorded). */
const MAX_BACKLOG_BYTES = 1024 * 1024;
const LOW_BACKLOG_BYTES = 256 * 1024;
const DRAIN_MS = 50;
/** Of the year 9999: what a box says is no time for certain. */
const MAX_WALL_MS = 253_402_300_799_000;
/** A box's note is a code and a sentence. */
const MAX_NOTE_BYTES = 4 * 1024;
/** The socket's own codes (RFC 6455 §7.4.2): the pictures ended, the right to see them ended. */
export const CLOSE_ENDED = 4000;
export const CLOSE_REFUSED = 4003;

export interface MediaSocketParts {
  leases: Leases;
  sessions: Sessions;
  clock: Clock;
}

/**
 * Answers a request with a WebSocket of media messages. `open` runs once the socket is there, so that what it throws reaches
 * the page as a note (a browser cannot read how an upgrade was refused). Whoever cannot keep up loses pictures up to the next
 * key frame where `live`; elsewhere the box waits for them.
 *
 * The socket ends with the session, and within ten seconds with the right that `check` asks for.
 */
export function mediaSocket(
  c: Context<ApiEnv>,
  { leases, sessions, clock }: MediaSocketParts,
  o: {
    open: () => Promise<{ viewing: OpenViewing; stream: MediaStream }>;
    check: (scope: Scope) => Promise<unknown>;
    live: boolean;
  },
): Response {
  const principal = c.get('principal');
  return webSocket(c, (socket) => {
    const sender = new Sender(socket, clock, o.live);
    const refused = { code: 'refused', text: 'You may not look at this any more.' };
    const owned = [
      sessions.onEnd((id) => id === principal.id && sender.close(CLOSE_REFUSED, refused)),
      clock.after(Math.max(0, principal.expiresMs - clock.now()), () => sender.close(CLOSE_REFUSED, refused)),
      leases.hold(
        async () => o.check(await c.get('scopeNow')()),
        () => sender.close(CLOSE_REFUSED, refused),
      ),
    ];
    socket.once('close', () => {
      for (const release of owned) release();
      sender.end();
    });
    o.open().then(
      ({ viewing, stream }) => {
        if (sender.ended) return void viewing.end();
        socket.once('close', () => void viewing.end(sender.shownTo));
        sender.send(stream);
      },
      (error) => sender.close(CLOSE_ENDED, noteOf(error)),
    );
  });
}

/** Sends a stream's messages over one socket, as fast as its line takes them. */
class Sender {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #live: boolean;
  #stream: MediaStream | null = null;
  #stops: (() => void)[] = [];
  #pingMs: number | null = null;
  /** What only who has read that far can send back. */
  #pingData = Buffer.alloc(0);
  #heardMs: number;
  /** Until the next key frame for which there is room. */
  #skipping = false;
  #skippedInit: Buffer | null = null;
  #paused = false;
  #sentMs: number | null = null;
  ended = false;

  constructor(socket: WebSocket, clock: Clock, live: boolean) {
    this.#socket = socket;
    this.#clock = clock;
    this.#live = live;
    this.#heardMs = clock.mono();
    socket.on('pong', (data: Buffer) => {
      if (this.#pingMs === null || !data.equals(this.#pingData)) return;
      this.#pingMs = null;
      this.#heardMs = clock.mono();
    });
    this.#stops = [clock.every(PING_EVERY_MS, () => this.#ping())];
  }

  send(stream: MediaStream): void {
    this.#stream = stream;
    if (!this.#live) this.#stops.push(this.#clock.every(DRAIN_MS, () => this.#drained()));
    stream.start({
      message: (bytes) => this.#message(bytes),
      end: (note) => this.close(CLOSE_ENDED, note),
    });
  }

  /** Tells why, and closes. */
  close(code: number, note: MediaNote): void {
    if (this.ended) return;
    this.end();
    if (this.#socket.readyState !== WebSocket.OPEN) {
      this.#socket.terminate();
      return;
    }
    this.#socket.send(writeMedia({ type: 'note', note }));
    this.#socket.close(code, note.code.slice(0, 40));
    // Whoever takes nothing any more takes no farewell either.
    this.#clock.after(2_000, () => this.#socket.terminate());
  }

  /** Of what was recorded, the last moment that was sent. */
  get shownTo(): string | undefined {
    return this.#live || this.#sentMs === null ? undefined : iso(this.#sentMs);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    for (const stop of this.#stops.splice(0)) stop();
    this.#stream?.stop();
  }

  #message(bytes: Buffer): void {
    if (this.ended || this.#socket.readyState !== WebSocket.OPEN) return;
    if (bytes[0] === MEDIA_TYPES.note && !this.#takesNote(bytes)) return;
    if (this.#live && !this.#hasRoom(bytes)) return;
    this.#socket.send(bytes);
    if (bytes.length > 9 && (bytes[0] === MEDIA_TYPES.key || bytes[0] === MEDIA_TYPES.delta)) {
      const wallMs = bytes.readDoubleBE(1);
      if (wallMs > 0 && wallMs < MAX_WALL_MS) this.#sentMs = wallMs;
    }
    if (!this.#live && this.#socket.bufferedAmount > MAX_BACKLOG_BYTES && !this.#paused) {
      this.#paused = true;
      this.#stream?.pause();
    }
  }

  #takesNote(bytes: Buffer): boolean {
    return bytes.length <= MAX_NOTE_BYTES && this.#socket.bufferedAmount <= MAX_BACKLOG_BYTES;
  }

  #hasRoom(bytes: Buffer): boolean {
    const type = bytes[0];
    if (type === MEDIA_TYPES.note) return true;
    const { bufferedAmount } = this.#socket;
    if (!this.#skipping) {
      if (bufferedAmount <= MAX_BACKLOG_BYTES && this.#lateMs() <= LATE_MS) return true;
      this.#skipping = true;
      const text = 'The line is too slow for this picture: some of it is left out.';
      this.#socket.send(writeMedia({ type: 'note', note: { code: 'slow-line', text } }));
    }
    if (type === MEDIA_TYPES.init) this.#skippedInit = bytes;
    if (type !== MEDIA_TYPES.key || bufferedAmount > LOW_BACKLOG_BYTES || this.#lateMs() > LATE_MS) return false;
    this.#skipping = false;
    if (this.#skippedInit) this.#socket.send(this.#skippedInit);
    this.#skippedInit = null;
    return true;
  }

  #lateMs(): number {
    return this.#pingMs === null ? 0 : this.#clock.mono() - this.#pingMs;
  }

  #drained(): void {
    if (!this.#paused || this.#socket.bufferedAmount > LOW_BACKLOG_BYTES) return;
    this.#paused = false;
    this.#stream?.resume();
  }

  #ping(): void {
    const now = this.#clock.mono();
    if (now - this.#heardMs > SILENT_MS) this.#socket.terminate();
    if (this.#pingMs !== null || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#pingMs = now;
    this.#pingData = randomBytes(8);
    this.#socket.ping(this.#pingData);
  }
}
