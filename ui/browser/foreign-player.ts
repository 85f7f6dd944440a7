import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer as createPort } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Page } from 'playwright-core';

const whep = readFileSync(createRequire(import.meta.url).resolve('whip-whep/whep.js'));
const PAGE = `<!doctype html><title>Player</title>
<figure class="video-window" aria-label="player"><video data-shown="true" muted autoplay playsinline></video></figure>
<script type="module">import { WHEPClient } from "/whep.js"; window.WHEPClient = WHEPClient;</script>`;

/** A page of another origin with somebody else's WHEP player: that of the author of the WHEP draft (npm: whip-whep). */
export class ForeignPlayer {
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const script = request.url === '/whep.js';
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
      response.end(script ? whep : PAGE);
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.5', resolve));
    return `http://127.0.0.5:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Has the player view this in its page, and answers with what it asked and was told: `POST 201`, `PATCH 204`. */
export async function view(page: Page, o: { url: string; token: string; config: object }): Promise<string[]> {
  const said: string[] = [];
  page.on('response', (answer) => {
    if (answer.url().includes('/api/v1/')) said.push(`${answer.request().method()} ${answer.status()}`);
  });
  await page.evaluate(async ({ url, token, config }) => {
    const { WHEPClient } = window as unknown as {
      WHEPClient: new () => { view(peer: RTCPeerConnection, url: string, token: string): Promise<void> };
    };
    const peer = new RTCPeerConnection(config);
    const stream = new MediaStream();
    for (const kind of ['audio', 'video'])
      stream.addTrack(peer.addTransceiver(kind, { direction: 'recvonly' }).receiver.track);
    const player = new WHEPClient();
    await player.view(peer, url, token);
    document.querySelector('video')!.srcObject = stream;
    Object.assign(window, { peer, player });
  }, o);
  return said;
}

/** What the browser has decoded, and by which kind of way the pictures come: `host`, `relay`. */
export const decoded = (page: Page) =>
  page.evaluate(async () => {
    const { peer } = window as unknown as { peer: RTCPeerConnection };
    const all = new Map<string, Record<string, unknown>>();
    (await peer.getStats()).forEach((entry) => {
      all.set(entry.id, entry);
    });
    const of = (type: string) => [...all.values()].filter((entry) => entry.type === type);
    const pair = all.get(String(of('transport')[0]?.selectedCandidatePairId));
    const local = all.get(String(pair?.localCandidateId));
    const video = of('inbound-rtp').find((entry) => entry.kind === 'video');
    return { frames: Number(video?.framesDecoded ?? 0), way: String(local?.candidateType) };
  });

/** coturn as operators run it, with the shared secret and the credentials that are made of it. */
export class TurnServer {
  #process: ChildProcess | null = null;

  async start(): Promise<RTCIceServer> {
    // Browsers and boxes have no candidates on loopback.
    const address = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)!.address;
    const port = await new Promise<number>((resolve) => {
      const probe = createPort().listen(0, address, () => {
        const { port } = probe.address() as AddressInfo;
        probe.close(() => resolve(port));
      });
    });
    const secret = 'shared with the TURN server';
    const args = ['-n', '--no-cli', '--no-tls', '--no-dtls', '--realm=gatepost', '--log-file=stdout', '--pidfile='];
    const at = [`--listening-ip=${address}`, `--relay-ip=${address}`, `--listening-port=${port}`];
    const auth = ['--use-auth-secret', `--static-auth-secret=${secret}`];
    this.#process = spawn('/usr/bin/turnserver', [...args, ...at, ...auth], { cwd: '/tmp', stdio: 'ignore' });
    for (let i = 0; i < 100 && !(await answers(address, port)); i++);
    const username = `${Math.floor(Date.now() / 1000) + 600}:viewer`;
    const credential = createHmac('sha1', secret).update(username).digest('base64');
    return { urls: [`turn:${address}:${port}?transport=udp`], username, credential };
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
  }
}

/** Whether a STUN binding request (RFC 8489 §5) is answered. */
function answers(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const done = (is: boolean) => {
      clearTimeout(timer);
      socket.close();
      resolve(is);
    };
    const timer = setTimeout(() => done(false), 100);
    socket.once('message', () => done(true));
    socket.once('error', () => done(false));
    socket.send(Buffer.from('000100002112a442000000000000000000000001', 'hex'), port, address);
  });
}
