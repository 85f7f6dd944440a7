import { PassThrough } from 'node:stream';
import type { Context } from 'hono';
import type { WebSocket } from 'ws';
import {
  MAX_TALK_MS,
  MAX_TALK_WAITING_BYTES,
  TALK_CONTENT_TYPE,
  TALK_FRAME_BYTES,
  TALK_RATE,
  TalkLine,
} from '../../protocol/wire/talk.ts';
import type { ApiEnv } from '../api/app.ts';
import { ProblemError } from '../api/problem.ts';
import { webSocket } from '../api/web-socket.ts';
import { CLOSE_ENDED, CLOSE_REFUSED } from './media-socket.ts';
import { noteOf, refusal } from './media-stream.ts';
import type { OpenViewing } from './viewings.ts';
import type { BoxDevice, Watching } from './watching.ts';

/** A box asks its device, which may take seconds to say no. */
const OPEN_MS = 15_000;
const IDLE_MS = 10_000;
const CHECK_MS = 1_000;
/** A page that stood still sends what it has in a heap; who goes on faster than speech is not speaking. */
const BURST_BYTES = 2 * TALK_RATE;
const BYTES_A_MS = (TALK_RATE / 1000) * 1.25;
const MAX_LINE_BYTES = 2_048;
const FAREWELL_MS = 2_000;
/** Who stops speaking is heard to the end: the box says the rest, and ends its answer. */
const LAST_WORD_MS = 1_000;

type Ended = Extract<TalkLine, { type: 'ended' }>;
const ended = (code: string, text: string): Ended => ({ type: 'ended', code, text });

/** Speaking to devices: from a WebSocket, through the tunnel, to the box that passes it on (protocol/wire/talk.ts). */
export class Talks {
  readonly #watching: Watching;
  /** By channel: one voice at a time. */
  readonly #open = new Map<string, Talk>();

  constructor(watching: Watching) {
    this.#watching = watching;
  }

  get count(): number {
    return this.#open.size;
  }

  stop(): void {
    for (const talk of [...this.#open.values()]) talk.end(CLOSE_ENDED, ended('talk-ended', 'The relay restarts.'));
  }

  /** Answers with a socket; what is in the way comes as `ended`, because a browser cannot read how an upgrade was refused. */
  socket(c: Context<ApiEnv>, device: BoxDevice, channel: number): Response {
    const { locks, viewings, parts } = this.#watching;
    const { leases, sessions, clock } = parts;
    const who = c.get('principal');
    const key = `${device.id}/${channel}`;
    return webSocket(c, (socket) => {
      const talk = new Talk({ socket, watching: this.#watching, device, channel });
      const stop = (code: string, text: string) => talk.end(CLOSE_REFUSED, ended(code, text));
      const refused = () => stop('talk-refused', 'You may not speak there any more.');
      const held = [
        sessions.onEnd((id) => id === who.id && refused()),
        clock.after(Math.max(0, who.expiresMs - clock.now()), refused),
        leases.hold(async () => {
          const now = await (await c.get('scopeNow')()).device(device.id, 'live');
          if (now.boxSerial !== device.boxSerial) throw new ProblemError('not-found');
          await locks.must(who, device.id);
        }, refused),
      ];
      if (this.#open.has(key))
        talk.end(CLOSE_ENDED, ended('spoken-to', 'Somebody else speaks there already. Try again when it is over.'));
      else this.#open.set(key, talk);
      talk.run(async () => {
        await locks.must(who, device.id);
        return viewings.open({ who, device, channel, kind: 'talk', path: 'relay' });
      });
      void talk.over.then(() => {
        for (const release of held) release();
        if (this.#open.get(key) === talk) this.#open.delete(key);
      });
    });
  }
}

/** One voice. */
class Talk {
  readonly over: Promise<void>;
  readonly #socket: WebSocket;
  readonly #watching: Watching;
  readonly #device: BoxDevice;
  readonly #channel: number;
  readonly #abort = new AbortController();
  /** What the box still has to take: small, because what waits here is late. */
  readonly #way = new PassThrough({ highWaterMark: MAX_TALK_WAITING_BYTES });
  #resolve!: () => void;
  #done = false;
  #ready = false;
  #sent = 0;
  #taken = 0;
  #room = BURST_BYTES;
  #roomMs: number;
  #frameMs: number;
  #rest = '';
  #stops: (() => void)[] = [];

  constructor(o: { socket: WebSocket; watching: Watching; device: BoxDevice; channel: number }) {
    this.#socket = o.socket;
    this.#watching = o.watching;
    this.#device = o.device;
    this.#channel = o.channel;
    this.#roomMs = this.#frameMs = this.#clock.mono();
    this.#way.on('error', () => {});
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    o.socket.once('close', () => this.end());
    o.socket.on('message', (data, isBinary) => this.#frame(isBinary && Buffer.isBuffer(data) ? data : null));
  }

  get #clock() {
    return this.#watching.parts.clock;
  }

  /** `allow` rejects where it must not be; what it gives is ended with the talk. */
  run(allow: () => Promise<OpenViewing>): void {
    if (this.#done) return;
    this.#stops = [
      this.#clock.after(MAX_TALK_MS, () => this.end(CLOSE_ENDED, ended('talk-too-long', 'Ten minutes are the most.'))),
      this.#clock.every(CHECK_MS, () => {
        if (this.#clock.mono() - this.#frameMs > IDLE_MS)
          this.end(CLOSE_ENDED, ended('talk-idle', 'Nothing was said.'));
      }),
    ];
    allow()
      .then(async (viewing) => {
        void this.over.then(() => viewing.end());
        if (!this.#done) await this.#reach();
      })
      .catch((error) => {
        const { code, text } = noteOf(error);
        this.end(CLOSE_ENDED, code === 'ended' ? BROKE_OFF : ended(code, text));
      });
  }

  /** Without a code the other side has gone already. */
  end(code?: number, why?: Ended): void {
    if (this.#done) return;
    this.#done = true;
    for (const stop of this.#stops.splice(0)) stop();
    if (code || !this.#ready) this.#letGo();
    else {
      this.#way.end();
      const cancel = this.#clock.after(LAST_WORD_MS, () => this.#letGo());
      void this.over.then(cancel);
    }
    if (code && why && this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.send(JSON.stringify(why));
      this.#socket.close(code, why.code.slice(0, 40));
      // Whoever takes nothing any more takes no farewell either.
      this.#clock.after(FAREWELL_MS, () => this.#socket.terminate());
    } else this.#socket.terminate();
  }

  #letGo(): void {
    this.#abort.abort();
    this.#way.destroy();
    this.#resolve();
  }

  /** Asks the box, and reads what it says until it is over. */
  async #reach(): Promise<void> {
    const { hub } = this.#watching.parts;
    const { boxSerial, id } = this.#device;
    const away = () =>
      new ProblemError(
        'box-unreachable',
        `Box ${boxSerial} is not connected. Check its power and its internet connection.`,
      );
    if (!hub.isConnected(boxSerial)) throw away();
    const answer = await hub
      .request(boxSerial, {
        method: 'POST',
        path: `/v1/talk?deviceId=${id}&channel=${this.#channel}`,
        headers: { 'content-type': TALK_CONTENT_TYPE },
        body: this.#way,
        timeoutMs: OPEN_MS,
        signal: this.#abort.signal,
      })
      .catch(() => {
        throw away();
      });
    const { body } = answer;
    this.#abort.signal.addEventListener('abort', () => body.destroy(), { once: true });
    body.on('error', () => {});
    if (answer.status !== 200) {
      const refused = await refusal(answer.status, body);
      // A box of before this was there.
      throw refused.code === 'not-found'
        ? new ProblemError('no-speaker', 'The box knows no way to speak there.')
        : refused;
    }
    body.on('data', (chunk: Buffer) => this.#heard(chunk));
    body.once('end', () => this.end(CLOSE_ENDED, BROKE_OFF));
    body.once('close', () => {
      this.end(CLOSE_ENDED, BROKE_OFF);
      this.#letGo();
    });
    if (this.#done) body.destroy();
  }

  #heard(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('utf8')).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE_BYTES) return void this.end(CLOSE_ENDED, BROKE_OFF);
    for (const text of lines) {
      const line = TalkLine.safeParse(json(text)).data;
      if (!line || this.#done) continue;
      if (line.type === 'ended') return void this.end(CLOSE_ENDED, line);
      if (line.type === 'ready') this.#ready = true;
      else this.#taken = Math.max(this.#taken, Math.min(line.taken, this.#sent));
      this.#socket.send(JSON.stringify(line));
    }
  }

  /** `mu` null: something else than a frame. */
  #frame(mu: Buffer | null): void {
    if (this.#done) return;
    if (!mu || mu.length < TALK_FRAME_BYTES.least || mu.length > TALK_FRAME_BYTES.most)
      return void this.end(1008, ended('invalid-request', 'Each message is 10 to 60 ms of µ-law.'));
    const now = this.#clock.mono();
    this.#frameMs = now;
    this.#room = Math.min(BURST_BYTES, this.#room + (now - this.#roomMs) * BYTES_A_MS) - mu.length;
    this.#roomMs = now;
    if (this.#room < 0)
      return void this.end(1008, ended('too-many-requests', 'This comes faster than anybody speaks.'));
    // Before the loudspeaker is open nobody hears it, and what the box has not used up makes the rest late.
    if (!this.#ready || this.#sent - this.#taken + mu.length > MAX_TALK_WAITING_BYTES) return;
    this.#sent += mu.length;
    this.#way.write(mu);
  }
}

const BROKE_OFF = ended('box-unreachable', 'The connection to the box broke off.');

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
