import { Agent, type IncomingMessage, request } from 'node:http';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { handshake } from './handshake.ts';

/** How a device is reached; without `tls` over plain HTTP. */
export interface Way {
  port: number;
  tls?: DeviceTls;
}

const PLAIN_MS = 4_000;
const MAX_BODY_BYTES = 4 * 1024;
const HTTPS_PORTS = [443];
const ISAPI = '/ISAPI/System/deviceInfo';
const ONVIF = '/onvif/device_service';

/** What a port says to a plain request: HTTP, that HTTPS is wanted (and where), something else, or nothing. */
type Said =
  | { is: 'http'; status: number }
  | { is: 'https'; ports: readonly number[] }
  | { is: 'other' }
  | { is: 'silent' };

/**
 * Finds out whether a device wants HTTPS, without any credentials: its port refuses, redirects to HTTPS, asks for it, or speaks TLS itself. Plain HTTP
 * where it takes that, as whoever set it up wants it; and where nothing at all is found, so that asking it says why.
 */
export async function findWay(o: {
  host: string;
  port: number;
  kind?: 'auto' | 'isapi' | 'onvif';
  clock: Clock;
  signal?: AbortSignal;
  /** Where TLS is looked for beside the port. */
  httpsPorts?: readonly number[];
}): Promise<Way> {
  const { host, port, clock, signal, httpsPorts = HTTPS_PORTS } = o;
  const plain: Way = { port };
  const tried = new Set<number>();
  const over = async (at: number): Promise<Way | null> => {
    if (tried.has(at)) return null;
    tried.add(at);
    const tls = await showsTls({ host, port: at, clock, signal });
    return tls ? { port: at, tls } : null;
  };
  const first = httpsPorts.includes(port) ? await over(port) : null;
  if (first) return first;
  let said: Said = { is: 'silent' };
  for (const path of o.kind === 'onvif' ? [ONVIF] : o.kind === 'isapi' ? [ISAPI] : [ISAPI, ONVIF]) {
    said = await askPlain({ host, port, path, httpsPorts, clock, signal });
    // Nothing there by that name: the other protocol may be sent to HTTPS.
    if (said.is !== 'http' || said.status !== 404) break;
  }
  if (said.is === 'http') return plain;
  const beside = said.is === 'https' ? said.ports : said.is === 'other' ? [port, ...httpsPorts] : httpsPorts;
  for (const at of beside) {
    const way = await over(at);
    if (way) return way;
  }
  return plain;
}

/** The certificate that is shown there; null: no TLS. What is older than TLS 1.2 is offered to whoever can nothing else. */
async function showsTls(o: {
  host: string;
  port: number;
  clock: Clock;
  signal?: AbortSignal;
}): Promise<DeviceTls | null> {
  for (const old of [false, true]) {
    let certificate = '';
    const trusts = (shown: string) => {
      certificate = shown;
      return true;
    };
    try {
      const socket = await handshake({ ...o, old, trusts });
      socket.destroy();
      return { certificate, old };
    } catch (error) {
      // Nobody is there, or nobody who answers: another kind of TLS changes nothing.
      if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTFOUND)$/.test(codeOf(error)) || o.signal?.aborted)
        return null;
    }
  }
  return null;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

function askPlain(o: {
  host: string;
  port: number;
  path: string;
  httpsPorts: readonly number[];
  clock: Clock;
  signal?: AbortSignal;
}): Promise<Said> {
  return new Promise((resolve) => {
    const { host, port, path, httpsPorts, clock, signal } = o;
    const req = request({
      host,
      port,
      path,
      agent: new Agent(),
      headers: { Host: host.includes(':') ? `[${host}]` : host, Accept: '*/*' },
      insecureHTTPParser: true,
      signal,
    });
    const end = (said: Said) => {
      cancel();
      req.destroy();
      resolve(said);
    };
    let connected = false;
    const cancel = clock.after(PLAIN_MS, () => end({ is: connected ? 'other' : 'silent' }));
    req.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    req.on('error', () => end({ is: connected ? 'other' : 'silent' }));
    req.on('response', (res) => void judge(res, [port, ...httpsPorts], httpsPorts).then(end));
    req.end();
  });
}

async function judge(res: IncomingMessage, around: number[], httpsPorts: readonly number[]): Promise<Said> {
  const status = res.statusCode ?? 0;
  const { location = '' } = res.headers;
  if (status >= 300 && status < 400 && /^https:/i.test(location) && URL.canParse(location))
    // Of the address only the port counts: it is this device that was meant.
    return { is: 'https', ports: [Number(new URL(location).port || 443), ...httpsPorts] };
  if (status === 426) return { is: 'https', ports: around };
  // "The plain HTTP request was sent to HTTPS port" and the like.
  if ((status === 400 || status === 403) && /https|\btls\b/i.test(await text(res)))
    return { is: 'https', ports: around };
  return { is: 'http', status };
}

async function text(res: IncomingMessage): Promise<string> {
  let said = '';
  try {
    for await (const chunk of res as AsyncIterable<Buffer>) {
      said += chunk.toString('latin1');
      if (said.length > MAX_BODY_BYTES) break;
    }
  } catch {
    // What came before it broke off is enough, or says nothing.
  }
  return said;
}

/** How a device of the LAN is reached that may be one of those that are looked after. */
export type WayTo = (at: { mac: string; host: string; port: number }, signal?: AbortSignal) => Promise<Way>;

/** `known`: how the box is set up to reach the device of that MAC; its certificate holds for everything that is done with it. */
export const wayTo =
  (o: { known?: (mac: string) => Way | null; clock: Clock }): WayTo =>
  async ({ mac, host, port }, signal) =>
    o.known?.(mac) ?? findWay({ host, port, kind: 'isapi', clock: o.clock, signal });
