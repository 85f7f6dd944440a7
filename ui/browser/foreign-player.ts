import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
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
