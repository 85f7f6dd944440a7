import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { ArcAttempt, type ArcOutcome } from '../../../protocol/wire/arc-path.ts';

/** The relay's side of /arc-path as the wire contract describes it, for tests of the box alone. */
export class FakeRelay {
  /** Addresses of pictures that were asked for. */
  links = 0;
  /** Most attempts that were there unanswered at a time. */
  mostAtOnce = 0;
  #open = 0;
  readonly attempts: ArcAttempt[] = [];
  readonly authorizations: (string | undefined)[] = [];
  readonly #target: { host: string; port: number };
  readonly #http = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #stored = new Map<string, string>();
  #port = 0;
  /** false: the relay takes the attempt and never answers. */
  answers = true;

  constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#http.on('request', (request, response) => {
      const url = `/v/${'a'.repeat(23)}${this.links++}`;
      const answer = {
        path: url,
        url: `https://relay.example${url}`,
        expiresAt: new Date(Date.now() + 72 * 3_600_000),
      };
      if (request.url !== '/box/v1/arc-links') response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    this.#http.on('upgrade', (request, socket, head) => {
      if (request.url !== '/arc-path') return socket.destroy();
      this.authorizations.push(request.headers.authorization);
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        ws.on('message', (data) => void this.#attempt(ws, ArcAttempt.parse(JSON.parse(String(data)))));
      });
    });
  }

  async start(): Promise<void> {
    this.#http.listen(this.#port, '127.0.0.1');
    await once(this.#http, 'listening');
    this.#port = (this.#http.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const ws of this.#sockets.clients) ws.terminate();
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, 'close');
  }

  /** What the box needs to dial it. */
  get auth(): { relayUrl: URL; header: (purpose: string) => Promise<string> } {
    return {
      relayUrl: new URL(`http://127.0.0.1:${this.#port}`),
      header: async (purpose) => `Gatepost test ${purpose}`,
    };
  }

  async #attempt(ws: WebSocket, attempt: ArcAttempt): Promise<void> {
    this.attempts.push(attempt);
    if (!this.answers) return;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#open);
    const say = (outcome: ArcOutcome): void => {
      this.#open--;
      ws.send(JSON.stringify(outcome));
    };
    const base = { type: 'outcome', id: attempt.id } as const;
    const stored = this.#stored.get(attempt.messageId);
    if (stored) return say({ ...base, result: 'reply', frame: stored, stored: true });
    const socket = connect(this.#target);
    socket.on('error', (error) =>
      say({ ...base, result: 'failed', code: 'refused', sent: false, text: error.message }),
    );
    socket.on('connect', () => socket.write(Buffer.from(attempt.frame, 'base64')));
    socket.once('data', (reply) => {
      const frame = reply.toString('base64');
      if (reply.includes('ACK"')) this.#stored.set(attempt.messageId, frame);
      say({ ...base, result: 'reply', frame, stored: false });
      socket.destroy();
    });
  }
}
