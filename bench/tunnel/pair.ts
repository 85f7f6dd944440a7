import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { TunnelClient, type TunnelClientArguments } from '../../edge/tunnel/client.ts';
import { addressPolicy } from '../../edge/tunnel/connect.ts';
import { type Clock, systemClock } from '../../protocol/clock.ts';
import { TunnelHub } from '../../relay/tunnel/hub.ts';

export const silent = pino({ level: 'silent' });

/** A relay that is nothing but its hub: boxes are who they say in `Authorization: serial/epoch`. */
export async function startHub(
  a: { clock?: Clock; host?: string; port?: number; tls?: { key: string; cert: string } } = {},
) {
  const hub = new TunnelHub({ clock: a.clock ?? systemClock, log: silent });
  const server: Server = a.tls ? createTlsServer({ ...a.tls, ecdhCurve: 'X25519' }) : createServer();
  server.on('upgrade', (req, socket, head) => {
    const [serial = '', epoch = '1'] = (req.headers.authorization ?? '').split('/');
    hub.handleUpgrade(req, socket, head, { serial, boot: 'boot', epoch: Number(epoch) });
  });
  await new Promise<void>((resolve) => server.listen(a.port ?? 0, a.host ?? '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    hub,
    server,
    port,
    url: new URL(`${a.tls ? 'https' : 'http'}://${a.host ?? '127.0.0.1'}:${port}`),
    stop: async () => {
      await hub.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function makeClient(
  relayUrl: URL,
  a: Partial<TunnelClientArguments> & { serial?: string; epoch?: number } = {},
) {
  return new TunnelClient({
    auth: { relayUrl, header: async () => `${a.serial ?? 'BOX'}/${a.epoch ?? 1}` },
    handler: () => new Response('ok'),
    connectPolicy: addressPolicy(() => false),
    clock: systemClock,
    log: silent,
    ...a,
  });
}

export async function until(what: () => boolean, timeoutMs = 15_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!what()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
