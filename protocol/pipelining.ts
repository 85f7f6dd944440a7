import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Cuts connections that have more than `max` requests under way. Node begins every request that it has read, so a client
 * that sends thousands at once and reads no answer would make it hold thousands of answers. Browsers and proxies send the
 * next request after the answer.
 */
export function limitPipelining(listener: RequestListener, max = 16): RequestListener {
  const underWay = new WeakMap<Socket, number>();
  return (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    if (socket.destroyed) return;
    const count = (underWay.get(socket) ?? 0) + 1;
    if (count > max) {
      socket.destroy();
      return;
    }
    underWay.set(socket, count);
    response.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
    listener(request, response);
  };
}
