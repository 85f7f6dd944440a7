import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { openLink } from './link.ts';

const timings = { connectTimeoutMs: 1_000, maxConnectionMs: 20_000 };

async function sentTo(host: string, port: number) {
  const link = openLink({ host, port, transport: 'tcp', clock, timings });
  onTestFinished(() => link.close());
  return link.exchange(Buffer.from('\nframe\r'), () => true, 1_000);
}

async function receiver(connected: (socket: Socket) => void) {
  const server = createServer(connected).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

it('a network that cannot be reached fails at once, unsent, so that the next path is taken (ARC-24)', async () => {
  // No connection can go to a group of hosts: the system says that the network is unreachable.
  const failed = await sentTo('224.0.0.1', 9);
  expect(failed).toEqual({ result: 'failed', code: 'unreachable', sent: false, text: 'ENETUNREACH' });
});

it('a receiver that ends the connection instead of a reply may have the frame (ARC-24)', async () => {
  const port = await receiver((socket) => socket.once('data', () => socket.end()));
  expect(await sentTo('127.0.0.1', port)).toMatchObject({ result: 'failed', code: 'reset', sent: true });
});
