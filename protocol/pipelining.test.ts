import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { limitPipelining } from './pipelining.ts';

it('cuts a connection that sends requests by the hundred and waits for no answer, and no other', async () => {
  const waiting: ServerResponse[] = [];
  let began = 0;
  const server = createServer(
    limitPipelining((_request, response) => {
      began++;
      waiting.push(response);
    }, 4),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  const polite = connect(port, '127.0.0.1');
  for (let i = 0; i < 10; i++) {
    polite.write(request);
    await expect.poll(() => waiting.length).toBe(1);
    waiting.pop()?.end('ok');
    await once(polite, 'data');
  }
  expect(began).toBe(10);

  const greedy = connect(port, '127.0.0.1').on('error', () => {});
  greedy.write(request.repeat(500));
  await once(greedy, 'close');
  expect(began).toBe(14);
  expect(polite.destroyed).toBe(false);
  polite.destroy();
  server.close();
});
