import { createSocket, type Socket } from 'node:dgram';
import type { Page, Route } from 'playwright-core';

/**
 * A firewall between the browser and the box that can be opened and shut: the box's addresses in each answer (WHEP) are
 * those of UDP ports of this process instead, and the browser's own are kept from the box, so that nothing goes another way.
 */
export class UdpGate {
  open: boolean;
  readonly #sockets: Socket[] = [];
  /** Datagrams let through. */
  passed = 0;

  constructor({ open }: { open: boolean }) {
    this.open = open;
  }

  async watch(page: Page): Promise<void> {
    await page.route(/\/whep\?/, (route) => this.#answer(route));
    await page.route(/\/api\/v1\/viewings\/[^/]+$/, (route) =>
      route.request().method() === 'PATCH' ? route.fulfill({ status: 204 }) : route.continue(),
    );
  }

  stop(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  async #answer(route: Route): Promise<void> {
    const offer = route.request().postData() ?? '';
    const response = await route.fetch({ postData: without(offer) });
    const body = await response.text();
    if (response.status() !== 201) return route.fulfill({ response, body });
    const lines: string[] = [];
    for (const line of body.split('\r\n')) {
      const [, head, address, port, rest] = /^(a=candidate:\S+ 1 udp \d+) (\S+) (\d+) (typ host.*)$/i.exec(line) ?? [];
      if (!line.startsWith('a=candidate')) lines.push(line);
      else if (address && !address.includes(':'))
        lines.push(`${head} 127.0.0.1 ${await this.#door(address, Number(port))} ${rest}`);
    }
    await route.fulfill({ response, body: lines.join('\r\n') });
  }

  /** A port that leads to the box's; each sender gets its answers back. */
  async #door(address: string, port: number): Promise<number> {
    const door = createSocket('udp4');
    const behind = new Map<string, Socket>();
    this.#sockets.push(door);
    door.on('message', (data, from) => {
      if (!this.open) return;
      const key = `${from.address}:${from.port}`;
      let out = behind.get(key);
      if (!out) {
        out = createSocket('udp4');
        out.on('message', (back) => {
          if (!this.open) return;
          this.passed++;
          door.send(back, from.port, from.address, () => {});
        });
        out.on('error', () => {});
        this.#sockets.push(out);
        behind.set(key, out);
      }
      this.passed++;
      out.send(data, port, address, () => {});
    });
    await new Promise<void>((resolve) => door.bind(0, '127.0.0.1', resolve));
    return door.address().port;
  }
}

const without = (sdp: string) =>
  sdp
    .split('\r\n')
    .filter((line) => !line.startsWith('a=candidate'))
    .join('\r\n');
