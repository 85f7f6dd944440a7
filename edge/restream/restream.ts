import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { RestreamInfo } from '../../protocol/wire/api.ts';
import type { StreamName } from '../../protocol/wire/video.ts';
import type { ChannelConfig } from '../devices/types.ts';
import { writePrivateFile } from '../identity/identity.ts';
import { type Restreamed, Viewer } from './viewer.ts';

export interface RestreamOptions {
  /** null: there is none. 0: any free one. */
  port: number | null;
  host: string;
  /** Keeps the password. */
  dir: string;
  channels: () => ChannelConfig[];
  video: { source(deviceId: string, channel: number, stream: StreamName): Restreamed | null };
  clock: Clock;
  log: Logger;
}

const USERNAME = 'gatepost';
const MAX_VIEWERS = 16;
const MAX_CONNECTIONS = 48;

/**
 * The box's streams for recorders, players and home automation on its LAN: an RTSP server of its own (H.264, H.265, G.711, AAC;
 * TCP and UDP; digest login) that gives out what the box pulls anyway. However many watch here, each camera is asked once.
 */
export class Restream {
  readonly #o: RestreamOptions;
  readonly #log: Logger;
  readonly #viewers = new Set<Viewer>();
  readonly #admitted = new Set<Viewer>();
  #server: Server | null = null;
  #password = '';

  constructor(options: RestreamOptions) {
    this.#o = options;
    this.#log = options.log.child({ module: 'restream' });
  }

  start(): void {
    const { port, host, dir } = this.#o;
    if (port === null) return;
    const file = join(dir, 'restream-password');
    if (!existsSync(file)) writePrivateFile(file, randomBytes(15).toString('base64url'));
    this.#password = readFileSync(file, 'utf8').trim();
    const server = createServer((socket) => {
      const viewer = new Viewer({
        socket,
        clock: this.#o.clock,
        login: { username: USERNAME, password: this.#password },
        find: (path) => this.#find(path),
        admit: () => {
          if (this.#admitted.size >= MAX_VIEWERS) return false;
          this.#admitted.add(viewer);
          return true;
        },
      });
      this.#viewers.add(viewer);
      socket.once('close', () => {
        this.#viewers.delete(viewer);
        this.#admitted.delete(viewer);
      });
      viewer.start();
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('error', (err) => this.#log.error({ err, port }, 'streams cannot be given out on the LAN'));
    server.listen(port, host);
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const viewer of this.#viewers) viewer.close();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** For the set-up page; null: it is switched off, or its port is taken. */
  info(): RestreamInfo | null {
    const address = this.#server?.address();
    if (!address || typeof address === 'string') return null;
    const streams = this.#o.channels().flatMap((c) => {
      const path = `/${c.deviceId}/${c.channel}`;
      const main = { name: c.name, path: `${path}/main` };
      return c.sub === null ? [main] : [main, { name: c.name, path: `${path}/sub` }];
    });
    const { port } = address;
    return { port, username: USERNAME, password: this.#password, viewers: this.#admitted.size, streams };
  }

  #find(path: string): { name: string; source: Restreamed } | null {
    const [, deviceId = '', channel = '', stream] = /^\/([0-9a-f-]{36})\/(\d{1,4})(?:\/(main|sub))?$/i.exec(path) ?? [];
    const config = this.#o.channels().find((c) => c.deviceId === deviceId && c.channel === Number(channel));
    const source = config && this.#o.video.source(deviceId, config.channel, stream === 'sub' ? 'sub' : 'main');
    return source ? { name: config.name, source } : null;
  }
}
