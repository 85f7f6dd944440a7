import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

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

/**
 * What limits count as one: a line in IPv6 has a /64 at least, so that its addresses can be changed at will. IPv4, also
 * where the socket writes it as IPv6, is an address.
 */
export function networkOf(address: string): string {
  const text = address.split('%')[0] as string;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text);
  if (mapped) return mapped[1] as string;
  if (!isIPv6(text)) return address;
  // The URL parser writes every address in one way: zeros left out, in hexadecimal.
  const [before = '', after] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after ? after.split(':') : [];
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
