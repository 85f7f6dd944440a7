import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { DigestLogin } from '../isapi/digest.ts';
import { asksBackchannel, BackchannelSession, type Loudspeaker } from './backchannel-session.ts';
import { isRecorded, type RecordedOptions, RecordedSession } from './recorded-session.ts';
import { isReplay, ReplaySession } from './replay-session.ts';
import { encode, header, type RtspMessage, RtspSplitter } from './rtsp-messages.ts';

/** `stall`: sessions live and answer, but no picture comes. `drop`: connections are cut and refused. */
export const VIDEO_MODES = ['normal', 'stall', 'drop'] as const;
export type VideoMode = (typeof VIDEO_MODES)[number];

export interface RtspFrontOptions {
  port: number;
  login: DigestLogin;
  upstream: () => { host: string; port: number };
  /** What is played from its disk. */
  recorded: Omit<RecordedOptions, 'onPlay'>;
  /** What can be spoken to by its RTSP; null: nothing. */
  loudspeaker: Loudspeaker | null;
}

/**
 * What a client of the camera's RTSP port meets: login as these devices do it (digest without qop, in one lockout with
 * HTTP), paths in any case, sessions counted, faults on demand. Behind it stands the real RTSP server.
 */
export class RtspFront {
  readonly #options: RtspFrontOptions;
  readonly #connections = new Set<Socket>();
  #server: Server | null = null;
  #port: number;
  #address = '';
  #mode: VideoMode = 'normal';
  /** Sessions that play now, and ever. */
  sessions = 0;
  sessionsTotal = 0;

  constructor(options: RtspFrontOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  get port(): number {
    return this.#port;
  }
  get mode(): VideoMode {
    return this.#mode;
  }

  /** At `address`, or where it was before. */
  async start(address = this.#address): Promise<void> {
    this.#address = address;
    if (this.#mode === 'drop' || this.#server) return;
    this.#server = createServer((client) => this.#serve(client));
    this.#server.listen(this.#port, address);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    server.close();
    for (const socket of this.#connections) socket.resetAndDestroy();
    await once(server, 'close');
  }

  async setMode(mode: VideoMode): Promise<void> {
    this.#mode = mode;
    if (mode === 'drop') await this.stop();
    else if (!this.#server) await this.start();
  }

  #serve(client: Socket): void {
    this.#connections.add(client);
    client.setNoDelay(true);
    const upstream = connect(this.#options.upstream());
    upstream.setNoDelay(true);
    const methods = new Map<string, string>();
    let playing = false;
    const play = (now: boolean) => {
      if (now === playing) return;
      playing = now;
      this.sessions += now ? 1 : -1;
      if (now) this.sessionsTotal++;
    };
    let recorded: RecordedSession | ReplaySession | null = null;
    let back: BackchannelSession | null = null;
    const { loudspeaker } = this.#options;
    const requests = new RtspSplitter();
    client.on('data', (chunk) => {
      for (const unit of split(requests, chunk, client)) {
        if ('frame' in unit) {
          if (back) back.frame(unit.frame);
          else upstream.write(unit.frame);
        } else if (!this.#admitted(unit.message, client)) continue;
        else if (loudspeaker && (back || asksBackchannel(unit.message))) {
          back ??= new BackchannelSession(client, loudspeaker);
          back.request(unit.message);
        } else if (isRecorded(uriOf(unit.message)) || isReplay(uriOf(unit.message))) {
          const Session = isReplay(uriOf(unit.message)) ? ReplaySession : RecordedSession;
          recorded ??= new Session(client, { ...this.#options.recorded, onPlay: play });
          recorded.request(unit.message);
        } else forward(unit.message, upstream, methods);
      }
    });
    const answers = new RtspSplitter();
    upstream.on('data', (chunk) => {
      for (const unit of split(answers, chunk, client)) {
        if ('frame' in unit) {
          if (this.#mode === 'normal' && !client.write(unit.frame)) upstream.pause();
          continue;
        }
        const cseq = header(unit.message, 'cseq') ?? '';
        const method = methods.get(cseq);
        methods.delete(cseq);
        if (unit.message.first.startsWith('RTSP/1.0 200') && method === 'PLAY') play(true);
        if (method === 'TEARDOWN') play(false);
        client.write(encode(unit.message));
      }
    });
    client.on('drain', () => upstream.resume());
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        other.destroy();
        this.#connections.delete(client);
        recorded?.close();
        back?.close();
        play(false);
      });
    }
  }

  /** Whether it has logged in; if not, it is told so. */
  #admitted(message: RtspMessage, client: Socket): boolean {
    const [method = '', uri = ''] = message.first.split(' ');
    const cseq = header(message, 'cseq') ?? '0';
    const result =
      method === 'OPTIONS' ? 'ok' : this.#options.login.check(method, uri, header(message, 'authorization'));
    if (result === 'ok') return true;
    const challenges = this.#options.login.challenges(result === 'stale');
    const headers: [string, string][] = [
      ['CSeq', cseq],
      ...challenges.map((c): [string, string] => ['WWW-Authenticate', c]),
    ];
    client.write(encode({ first: 'RTSP/1.0 401 Unauthorized', headers, body: Buffer.alloc(0) }));
    return false;
  }
}

const uriOf = (message: RtspMessage) => message.first.split(' ')[1] ?? '';

function forward(message: RtspMessage, upstream: Socket, methods: Map<string, string>): void {
  const [method = '', uri = ''] = message.first.split(' ');
  if (methods.size > 100) methods.clear();
  methods.set(header(message, 'cseq') ?? '0', method);
  upstream.write(
    encode({
      first: message.first.replace(uri, lowerCasePath(uri)),
      headers: message.headers.filter(([name]) => name.toLowerCase() !== 'authorization'),
      body: message.body,
    }),
  );
}

/** The server behind knows one spelling, and one channel: all of a recorder show what one camera sees. */
const lowerCasePath = (uri: string) =>
  uri.replace(
    /^(rtsp:\/\/[^/]+)(\/isapi)?\/streaming\/channels\/\d+0(\d)/i,
    (_, host, _prefix, stream) => `${host}/streaming/channels/10${stream}`,
  );

function split(splitter: RtspSplitter, chunk: Buffer, client: Socket) {
  try {
    return splitter.push(chunk);
  } catch {
    client.destroy();
    return [];
  }
}
