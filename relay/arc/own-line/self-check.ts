import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';

const TIMEOUT_MS = 4_000;

/**
 * Can the relay be reached where boxes dial it? Asks itself by its public address, so by way of name server, router and
 * reverse proxy. Without such an address there is nothing between. Whose certificate answers is the boxes' business.
 */
export function reachesItself(publicUrl: URL | null): Promise<boolean> {
  if (!publicUrl) return Promise.resolve(true);
  const get = publicUrl.protocol === 'https:' ? getHttps : getHttp;
  return new Promise((resolve) => {
    const options = { timeout: TIMEOUT_MS, agent: false, rejectUnauthorized: false };
    const request = get(new URL('/healthz', publicUrl), options, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 500);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
