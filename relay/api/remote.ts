import type { IncomingMessage } from 'node:http';

export type RemoteAddress = (request: IncomingMessage) => string;

/**
 * Who asks, for limits and logs: the socket's address, or behind `proxies` reverse proxies the entry of X-Forwarded-For
 * that the outermost of them wrote. What stands left of it was written by the client and proves nothing.
 */
export function remoteAddress(proxies: number): RemoteAddress {
  return (request) => {
    const socket = request.socket.remoteAddress ?? 'unknown';
    if (proxies === 0) return socket;
    const header = request.headers['x-forwarded-for'];
    const list = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').map((part) => part.trim());
    return list.at(-proxies) || socket;
  };
}
