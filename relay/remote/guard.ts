import type { IncomingMessage } from 'node:http';
import { cookieNames, cookiesOf, pairs } from './headers.ts';

export const ENTER_PATH = '/.gatepost/enter';

/** Why a request is not passed on, whoever sends it; null: it is one that a page of this origin may send. */
export type Fault = 'bad-request' | 'other-site' | 'to-start';

/**
 * Looks at the form of a request and at where it comes from. Node's parser has refused what is ambiguous (two lengths, a length
 * and chunks) before.
 */
export function faultOf(request: IncomingMessage, origin: string): Fault | null {
  const { headers, method = '', url = '', rawHeaders } = request;
  if (!url.startsWith('/') || method === 'TRACE' || method === 'CONNECT') return 'bad-request';
  const count = (name: string) => pairs(rawHeaders).filter(([one]) => one.toLowerCase() === name).length;
  if (count('host') !== 1 || count('content-length') + count('transfer-encoding') > 1) return 'bad-request';
  if (count('origin') > 1 || count('upgrade') > 1) return 'bad-request';
  // A transfer coding that Node passed on undecoded would be another body for the device.
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'bad-request';
  const site = headers['sec-fetch-site'];
  const foreign = site === 'cross-site' || site === 'same-site';
  const page = method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (foreign) {
    if (!page) return 'other-site';
    // A link elsewhere opens the device's page, and never makes it do something. Browsers call it foreign over all redirects
    // that follow, so that it is begun anew from here.
    return url.startsWith(`${ENTER_PATH}?`) ? null : 'to-start';
  }
  const from = headers.origin;
  if (from !== undefined && from !== origin && !(from === 'null' && site === 'same-origin')) return 'other-site';
  return null;
}

/** Every value of the relay's cookie: a neighbouring origin may have planted a second one. */
export function keysOf(request: IncomingMessage, secure: boolean, which: 'session' | 'state'): string[] {
  const name = cookieNames(secure)[which];
  return cookiesOf(request.headers.cookie)
    .filter(([one]) => one === name)
    .map(([, value]) => value)
    .slice(0, 8);
}

/** A person looks at a page, rather than the page at something of its own. */
export function isPage(request: IncomingMessage): boolean {
  const mode = request.headers['sec-fetch-mode'];
  if (request.method !== 'GET') return false;
  return mode === undefined ? (request.headers.accept ?? '').includes('text/html') : mode === 'navigate';
}
