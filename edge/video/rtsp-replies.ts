import { PullError } from './pull.ts';
import { header, type RtspMessage } from './rtsp-message.ts';
import { rtspHost } from './rtsp-url.ts';

/** Another path on the same server (RFC 2326 §11.3); null: it stays. Nobody is led to another address, with a login. */
export function movedTo(url: string, { status, headers }: RtspMessage): string | null {
  const to = headers.get('location')?.[0];
  if ((status !== 301 && status !== 302) || !to) return null;
  const [here, there] = [rtspHost(url), rtspHost(to)];
  return there && there.host === here?.host && there.port === here.port && there.secure === here.secure ? to : null;
}

/** An RTCP BYE (RFC 3550 §6.6), alone or in a compound packet. */
export function saysBye(rtcp: Buffer): boolean {
  for (let at = 0; at + 4 <= rtcp.length && rtcp[at]! >> 6 === 2; at += 4 + rtcp.readUInt16BE(at + 2) * 4)
    if (rtcp[at + 1] === 203) return true;
  return false;
}

export function readSession(setup: RtspMessage): { id: string; timeoutMs: number } {
  const [id = '', ...rest] = (header(setup, 'session') ?? '').split(';');
  const timeout = Number(/timeout\s*=\s*(\d+)/i.exec(rest.join(';'))?.[1] ?? 60);
  return { id: id.trim(), timeoutMs: Math.min(Math.max(timeout, 5), 3600) * 1000 };
}

export function expectOk(method: string, reply: RtspMessage): void {
  if (reply.status >= 200 && reply.status < 300) return;
  const text = `${method} was answered ${reply.status} ${reply.reason.slice(0, 80)}`.trim();
  if (reply.status === 403) throw new PullError('forbidden', text);
  if (reply.status === 404) throw new PullError('not-found', text);
  // 453 Not Enough Bandwidth and 5xx: no place left, often because an old session has not expired.
  if (reply.status === 453 || reply.status >= 500) throw new PullError('busy', text);
  throw new PullError('protocol', text);
}
