import type { IncomingMessage } from 'node:http';

/**
 * Did a box come over TLS? The relay itself speaks none: where it has an https address, whoever comes past the reverse proxy
 * that ends it comes in clear, and is refused. The proxy is known by the headers it writes: `X-Forwarded-Proto` where there
 * is one, `X-Forwarded-For` where proxies are configured.
 */
export function cameByTls(o: { https: boolean; proxies: number }): (request: IncomingMessage) => boolean {
  return ({ headers }) => {
    if (!o.https) return true;
    const proto = [headers['x-forwarded-proto'] ?? []].flat().join(',').split(',').at(-1)?.trim().toLowerCase();
    if (proto) return proto === 'https';
    return o.proxies === 0 || headers['x-forwarded-for'] !== undefined;
  };
}
