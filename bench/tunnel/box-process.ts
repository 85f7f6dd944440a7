// The box of the tunnel benchmark: a tunnel client, and beside it an ordinary HTTP server with the same answers.
// argv: JSON { relayUrl, mode, ca?, host, boxes?, name? }. Speaks over IPC: { cpu } on 'cpu', { reset } on 'reset'.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { addressPolicy } from '../../edge/tunnel/connect.ts';
import type { TunnelMode } from '../../protocol/tunnel/handshake.ts';
import { makeClient, until } from './pair.ts';
import { bytesReadable, bytesStream, SMALL } from './payload.ts';

const a = JSON.parse(process.argv[2]!) as {
  relayUrl: string;
  mode: TunnelMode;
  ca?: string;
  host: string;
  boxes?: number;
  name?: string;
};

const web = createServer((req, res) => {
  const url = new URL(req.url!, 'http://box');
  if (req.method === 'POST') req.on('data', () => {}).on('end', () => res.end('ok'));
  else if (url.pathname === '/small') res.end(SMALL);
  else pipeline(bytesReadable(Number(url.searchParams.get('n')) || Number.POSITIVE_INFINITY), res, () => {});
});
await new Promise<void>((resolve) => web.listen(0, a.host, resolve));
const { port } = web.address() as AddressInfo;

const clients = Array.from({ length: a.boxes ?? 1 }, (_, i) =>
  makeClient(new URL(a.relayUrl), {
    serial: `${a.name ?? 'BOX'}${i}`,
    mode: a.mode,
    ca: a.ca,
    connectPolicy: addressPolicy(() => true),
    maxRequestBytes: Number.MAX_SAFE_INTEGER,
    handler: async (request) => {
      const url = new URL(request.url);
      if (request.method === 'POST') {
        for await (const _ of request.body!);
        return new Response('ok');
      }
      if (url.pathname === '/small') return new Response(SMALL);
      return new Response(bytesStream(Number(url.searchParams.get('n'))));
    },
  }),
);
for (let i = 0; i < clients.length; i += 50) {
  for (const client of clients.slice(i, i + 50)) client.start();
  await until(() => clients.slice(i, i + 50).every((c) => c.state().connected), 60_000);
}
process.on('message', () => process.send!({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit());
process.send!({ ready: true, port });
