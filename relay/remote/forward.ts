import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline, type Readable, Transform } from 'node:stream';
import type { Clock } from '../../protocol/clock.ts';
import { TunnelError } from '../../protocol/tunnel/errors.ts';
import { clearValue, deviceOrigin, pairs, toBrowser, toDevice } from './headers.ts';
import { LinkRewriter, Links, type Names, Unpack } from './links.ts';
import type { PageName } from './pages.ts';
import type { Counts, RemoteSession } from './sessions.ts';
import type { Port } from './upstream.ts';

/** Devices answer an upgrade after minutes. Whoever does not want to wait closes the page. */
const ANSWER_MS = 10 * 60_000;
const MAX_HEADER_BYTES = 64 * 1024;
/** An upload beyond this goes over a connection of its own. */
const LARGE_BYTES = 1024 * 1024;
const REWRITTEN = /^\s*(text\/(html|css)|application\/xhtml\+xml|(text|application)\/(x-)?(javascript|ecmascript))\b/i;

/** What became of a request: answered, or which page to show, or where the device sends the browser. */
export type Outcome =
  | { done: true }
  | { page: PageName; link?: string }
  /** Answered with a redirect to another port of the device. */
  | { turn: Port; to: string; answer: IncomingMessage };

export interface Passed {
  session: RemoteSession;
  request: IncomingMessage;
  response: ServerResponse;
  origin: string;
  secure: boolean;
  clock: Clock;
}

/** What names an origin and its device; the address is the one that the box told last. */
export function namesOf({ session, origin }: Pick<Passed, 'session' | 'origin'>): Names {
  const { address, at } = session.upstream;
  return { address: address ?? `127.0.0.1:${at.port}`, tls: at.tls, origin };
}

/** Sends a request on to the device, and its answer back, both streamed. */
export async function forward(p: Passed): Promise<Outcome> {
  const { session, request, response } = p;
  const { upstream } = session;
  // The device is to see its own address in the request, and only the box knows it.
  if (upstream.address === null) {
    try {
      (await upstream.dial('interactive')).destroy();
    } catch (error) {
      if (!upstream.at.tls && unreachable(error)) {
        // Some devices have their page on the port of https alone.
        const turned = await upstream.turnTo({ port: 443, tls: true }).then(
          () => upstream.dial('interactive'),
          () => null,
        );
        turned?.destroy();
        if (!turned) return { page: pageOf(error) };
      } else return { page: pageOf(error) };
    }
  }
  const bodyless = !hasBody(request);
  for (let tries = 0; ; tries++) {
    const sent = await send(p, bodyless);
    if ('answer' in sent) return passOn(p, sent.answer);
    if (response.destroyed || session.ended) return { done: true };
    // A connection that the device had closed already: it has not seen the request.
    if (bodyless && tries < 2 && sent.request.reusedSocket && isSafe(request)) continue;
    return { page: pageOf(sent.error) };
  }
}

export const hasBody = (request: IncomingMessage): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
const isSafe = ({ method }: IncomingMessage): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method ?? '');
const unreachable = (error: unknown) => error instanceof TunnelError && error.code === 'target-unreachable';

type Sent = { answer: IncomingMessage; request: ClientRequest } | { error: Error; request: ClientRequest };

function send({ session, request, response, origin, clock }: Passed, bodyless: boolean): Promise<Sent> {
  const { upstream } = session;
  const large = Number(request.headers['content-length'] ?? 0) > LARGE_BYTES;
  const headers = toDevice(request.rawHeaders, namesOf({ session, origin }));
  // Without it Node would announce chunks, which devices do not read.
  if (bodyless && /^(POST|PUT|PATCH)$/.test(request.method ?? '') && request.headers['content-length'] === undefined)
    headers.push(['Content-Length', '0']);
  return new Promise((resolve) => {
    const out = httpRequest({
      agent: upstream.agent(large ? 'bulk' : 'interactive'),
      method: request.method,
      path: request.url,
      headers: headers.flat(),
      setHost: false,
      // Web servers of devices are what they are; what is unclear in an answer hurts nobody but their own page.
      insecureHTTPParser: true,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    const cancelTimer = clock.after(ANSWER_MS, () => out.destroy(new Error('no answer')));
    const gone = () => out.destroy(new Error('the browser has gone'));
    response.once('close', gone);
    let answered = false;
    out.on('error', (error) => {
      cancelTimer();
      if (!answered) response.off('close', gone);
      resolve({ error, request: out });
    });
    out.once('response', (answer) => {
      cancelTimer();
      answered = true;
      resolve({ answer, request: out });
    });
    if (bodyless) out.end();
    else upload(request, out, session.counts);
  });
}

/** Streams a body up; one that the device does not want to the end (it asks for a login first) is read and thrown away. */
function upload(request: IncomingMessage, out: ClientRequest, counts: Counts): void {
  request.on('data', (chunk: Buffer) => {
    counts.bytesUp += chunk.length;
    if (out.destroyed || out.writableEnded) return;
    if (!out.write(chunk)) request.pause();
  });
  out.on('drain', () => request.resume());
  out.once('close', () => request.resume());
  request.once('end', () => out.end());
  // Half an upload must not look like a whole one.
  request.once('close', () => request.complete || out.destroy(new Error('the browser has gone')));
  request.on('error', (error) => out.destroy(error));
}

function passOn(p: Passed, answer: IncomingMessage): Outcome {
  const { session, request, response, origin, secure } = p;
  const names = namesOf({ session, origin });
  const status = answer.statusCode ?? 0;
  if (status < 200 || status > 599) {
    answer.destroy();
    return { page: 'broken' };
  }
  const headers = toBrowser(answer.rawHeaders, names, secure);
  const { location } = answer.headers;
  if (location !== undefined) {
    const place = whereTo(location, names, request.url ?? '/');
    if ('turn' in place) return { ...place, answer };
    if ('link' in place) {
      answer.destroy();
      return { page: 'redirect', link: place.link };
    }
    headers.push(['Location', place.to]);
  }
  // A browser would keep a permanent redirect that was made for this connection.
  const code = status === 301 ? 302 : status === 308 ? 307 : status;
  const steps = stepsFor(answer, request, names);
  const kept =
    steps.length === 0 ? headers : headers.filter(([name]) => !/^content-(length|encoding|md5)$/i.test(name));
  response.writeHead(code, kept.flat());
  const meter = new Meter(session.counts, () => session.touch(p.clock.now()));
  const streams = [answer as Readable, ...steps, meter, response] as unknown as [Readable, ServerResponse];
  pipeline(streams, (error) => {
    // What is cut must look cut.
    if (error) response.destroy();
  });
  return { done: true };
}

/** Pages, styles and scripts are unpacked and their links changed; all else is passed on as it is. */
function stepsFor(answer: IncomingMessage, request: IncomingMessage, names: Names): Transform[] {
  const encoding = (answer.headers['content-encoding'] ?? 'identity').toLowerCase();
  const known = encoding === 'identity' || /^(x-)?gzip$|^deflate$/.test(encoding);
  const whole = answer.statusCode !== 206 && answer.statusCode !== 304 && answer.statusCode !== 204;
  // Its API: settings are shown as they are, and XML often comes as text/html.
  const api = /^\/(ISAPI|PSIA|SDK)\//i.test(request.url ?? '');
  if (!known || !whole || api || !REWRITTEN.test(answer.headers['content-type'] ?? '')) return [];
  const rewriter = new LinkRewriter(new Links(names));
  return encoding === 'identity' || request.method === 'HEAD' ? [rewriter] : [new Unpack(encoding), rewriter];
}

/** A redirect: to another page of the device, another port of it, or to somebody else. */
export function whereTo(
  location: string,
  names: Names,
  path: string,
): { to: string } | { turn: Port; to: string } | { link: string } {
  const device = deviceOrigin(names);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const text = location.replace(/[\x00-\x1f\x7f]/g, '');
  if (!URL.canParse(text, `${device}${path}`)) return { link: text.slice(0, 500) };
  const url = new URL(text, `${device}${path}`);
  const to = `${url.pathname}${url.search}${url.hash}`.replace(/^\/{2,}/, '/');
  if (url.origin === device || url.origin === names.origin) return { to };
  if (url.hostname !== new URL(device).hostname || !/^https?:$/.test(url.protocol)) return { link: url.href };
  const tls = url.protocol === 'https:';
  return { turn: { tls, port: Number(url.port || (tls ? 443 : 80)) }, to };
}

/** Which page says what went wrong. */
export function pageOf(error: unknown): PageName {
  if (!(error instanceof TunnelError)) {
    return (error as NodeJS.ErrnoException).code?.startsWith('HPE_') ? 'broken' : 'device-away';
  }
  if (error.code === 'busy') return 'busy';
  const device = error.code === 'target-unreachable' || error.code === 'channel-reset';
  if (error.code !== 'refused') return device ? 'device-away' : 'box-away';
  const { reason } = error;
  if (reason === 'switched-off' || reason === 'certificate' || reason === 'busy') return reason;
  return reason === 'not-seen' ? 'device-away' : 'refused';
}

class Meter extends Transform {
  readonly #counts: Counts;
  readonly #touch: () => void;

  constructor(counts: Counts, touch: () => void) {
    super();
    this.#counts = counts;
    this.#touch = touch;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.#counts.bytesDown += chunk.length;
    this.#touch();
    done(null, chunk);
  }
}

/** The header block of an answer, for a connection that Node has handed over. */
export function headerBlock(status: number, text: string, headers: readonly [string, string][]): string {
  return `HTTP/1.1 ${status} ${text}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** The headers by which a WebSocket is agreed on. */
export function upgradeHeaders(raw: readonly string[]): [string, string][] {
  return pairs(raw).flatMap(([name, value]): [string, string][] =>
    /^sec-websocket-[\w-]+$/i.test(name) ? [[name, clearValue(value)]] : [],
  );
}
