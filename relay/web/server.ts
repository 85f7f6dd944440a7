import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { limitPipelining } from '../../protocol/pipelining.ts';
import { WebSockets } from '../api/web-socket.ts';
import type { Remote } from '../remote/remote.ts';
import type { Upgrades } from './upgrade.ts';

const BODY_MS = 5 * 60_000;

/** The one server: portal, API and boxes, and by their host names the pages of devices. */
export function webServer(o: {
  app: Hono<{ Bindings: HttpBindings }>;
  pages: Pick<Remote, 'proxyOf'>;
  upgrades: Pick<Upgrades, 'handle'>;
  clock: Clock;
  log: Logger;
}): Server {
  const portal = getRequestListener(o.app.fetch, { overrideGlobalObjects: false });
  const webSockets = new WebSockets({ fetch: (request, bindings) => o.app.fetch(request, bindings), log: o.log });
  const server = createServer(
    // Uploads to devices take as long as they take; everybody else has five minutes, as by Node's own limit.
    { requestTimeout: 0 },
    limitPipelining((request, response) => {
      const page = o.pages.proxyOf(request);
      if (page) return page.handle(request, response);
      limitBodyTime(request, o.clock);
      portal(request, response as ServerResponse);
    }),
  );
  server.on('upgrade', (request, socket, head) => {
    const page = o.pages.proxyOf(request);
    if (page) page.upgrade(request, socket, head);
    else if (webSockets.owns(request)) webSockets.handle(request, socket, head);
    else o.upgrades.handle(request, socket, head);
  });
  // Longer than reverse proxies keep theirs, or they would use one that closes at that moment.
  server.keepAliveTimeout = 75_000;
  return server;
}

function limitBodyTime(request: IncomingMessage, clock: Clock): void {
  const { headers } = request;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return;
  const cancel = clock.after(BODY_MS, () => request.complete || request.destroy());
  request.once('close', cancel);
}

export function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}
