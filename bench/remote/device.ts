import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createRawServer } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { WebSocketServer } from 'ws';
import { webServer } from './harness.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const PASSWORD = 'Aa345678';

/** The web pages of a device with what such pages have: absolute links, redirects, cookies, digest login, uploads, WebSockets. */
export class DevicePages {
  readonly host: string;
  readonly asked: { method: string; url: string; headers: IncomingMessage['headers'] }[] = [];
  readonly uploads: { bytes: number; hash: string; length: string | undefined }[] = [];
  readonly #nonce = randomBytes(8).toString('hex');
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: (all) => [...all].at(-1) ?? false });
  #web: Awaited<ReturnType<typeof webServer>> | null = null;
  /** Where another port of it answers. */
  other = 'https://127.0.0.1:1';

  constructor(host: string) {
    this.host = host;
  }

  get port(): number {
    return this.#web!.port;
  }
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  async start(): Promise<this> {
    this.#web = await webServer((request, response) => this.answer(request, response), this.host);
    this.#web.server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => {});
      this.asked.push({ method: 'UPGRADE', url: request.url ?? '', headers: request.headers });
      if (request.url === '/ws-login')
        return socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="x"\r\n\r\n');
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        ws.send(`hello ${ws.protocol}`);
        ws.on('message', (data, binary) => ws.send(data, { binary }));
      });
    });
    return this;
  }

  async stop(): Promise<void> {
    for (const ws of this.#sockets.clients) ws.terminate();
    await this.#web?.stop();
  }

  page(): string {
    const a = `http://${this.address}`;
    return `<html><base href="${a}/"><a href='${a}/x?y=1'>x</a><img src=//${this.address}/i.png>
<script>var a="${a.replaceAll('/', '\\/')}\\/z"; new WebSocket("ws://${this.address}/ws"); b="http%3A%2F%2F${this.host}%3A${this.port}%2F";
c="http://${this.host}1/"; d="http://${this.host}:9/"; e="http://example.org/"; f="https://${this.host}/s"</script></html>`;
  }

  /** What is returned is nobody's. */
  answer(request: IncomingMessage, response: ServerResponse): unknown {
    const { url = '/', method = '' } = request;
    this.asked.push({ method, url, headers: request.headers });
    const send = (type: string, body: string | Buffer, more: Record<string, string | string[]> = {}) => {
      response.writeHead(200, { 'content-type': type, ...more });
      response.end(body);
    };
    const path = url.split('?')[0]!;
    const a = `http://${this.address}`;
    if (path === '/')
      return send('text/html', this.page(), {
        'strict-transport-security': 'max-age=1',
        'cache-control': 'public, max-age=60',
      });
    if (path === '/redirect') {
      const to = new URL(url, a).searchParams.get('to') ?? '/';
      response.writeHead(Number(new URL(url, a).searchParams.get('code') ?? 302), { location: to.replace('SELF', a) });
      return response.end();
    }
    if (path === '/cookies')
      return send('text/plain', request.headers.cookie ?? '', {
        'set-cookie': [
          `WebSession=abc; Domain=${this.host}; Path=/; Secure; HttpOnly`,
          'lang=en; SameSite=None; Secure',
          'gp_device=stolen',
          '__Host-gp_device=stolen',
        ],
      });
    if (path.startsWith('/packed/')) {
      const kind = path.slice(8);
      const pack = { gzip: gzipSync, deflate: deflateSync, raw: deflateRawSync }[kind]!;
      return send('text/html', pack(this.page()), { 'content-encoding': kind === 'raw' ? 'deflate' : kind });
    }
    if (path === '/slow.html') {
      // One byte a write: links lie across every border.
      response.writeHead(200, { 'content-type': 'text/html; charset=GBK' });
      const bytes = Buffer.from(this.page());
      for (const byte of bytes) response.write(Buffer.of(byte));
      return response.end();
    }
    if (path === '/ISAPI/settings') return send('text/html', `<?xml version="1.0"?><a>${a}/</a>`);
    if (path === '/range') {
      const m = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
      const all = Buffer.alloc(1000, 'ab');
      if (!m) return send('video/mp4', all, { 'content-length': '1000' });
      response.writeHead(206, { 'content-range': `bytes ${m[1]}-${m[2]}/1000`, 'content-type': 'text/html' });
      return response.end(all.subarray(Number(m[1]), Number(m[2]) + 1));
    }
    if (path === '/login') return this.#digest(request, response);
    if (path === '/poll') return setTimeout(() => send('text/plain', 'at last'), 400);
    if (path === '/never') return null;
    if (path === '/stream') {
      response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace' });
      const beat = setInterval(() => response.write('x'), 20);
      return response.once('close', () => clearInterval(beat));
    }
    if (path === '/cut') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half');
      return setTimeout(() => response.destroy(), 20);
    }
    if (path === '/upload' || path === '/refused-upload') {
      if (path === '/refused-upload' && !request.headers.authorization) {
        response.writeHead(401, { 'www-authenticate': 'Digest realm="x", nonce="1"' });
        return response.end('no');
      }
      const hash = createHash('sha256');
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        hash.update(chunk);
      });
      request.on('end', () => {
        this.uploads.push({ bytes, hash: hash.digest('hex'), length: request.headers['content-length'] });
        send('application/xml', '<ok/>');
      });
      return null;
    }
    if (path === '/big') {
      const bytes = Number(new URL(url, a).searchParams.get('bytes'));
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': String(bytes) });
      let left = bytes;
      const chunk = Buffer.alloc(64 * 1024, 7);
      const more = () => {
        while (left > 0) {
          const part = chunk.subarray(0, Math.min(left, chunk.length));
          left -= part.length;
          if (!response.write(part)) return response.once('drain', more);
        }
        response.end();
      };
      return more();
    }
    if (path === '/csp')
      return send('text/html', 'x', {
        'content-security-policy': `default-src ${a}; upgrade-insecure-requests`,
        'clear-site-data': '"*"',
        refresh: `5; url=${a}/next`,
      });
    return send('text/plain', `${method} ${url}`);
  }

  #digest(request: IncomingMessage, response: ServerResponse): unknown {
    const header = request.headers.authorization ?? '';
    const field = (name: string) => new RegExp(`${name}="?([^",]+)"?`).exec(header)?.[1] ?? '';
    const ha1 = md5(`admin:IP Camera:${PASSWORD}`);
    const ha2 = md5(`${request.method}:${request.url}`);
    const wanted = md5(`${ha1}:${this.#nonce}:${field('nc')}:${field('cnonce')}:auth:${ha2}`);
    if (field('uri') === request.url && field('response') === wanted) return response.end('welcome');
    response.writeHead(401, {
      'www-authenticate': [
        `Digest realm="IP Camera", qop="auth", nonce="${this.#nonce}", domain="http://${this.address}/"`,
        'Basic realm="x"',
      ],
    });
    return response.end();
  }

  /** What a browser's prompt would send. */
  static authorization(challenge: string, method: string, uri: string): string {
    const field = (name: string) => new RegExp(`${name}="([^"]+)"`).exec(challenge)?.[1] ?? '';
    const ha1 = md5(`admin:${field('realm')}:${PASSWORD}`);
    const response = md5(`${ha1}:${field('nonce')}:00000001:abc:auth:${md5(`${method}:${uri}`)}`);
    return `Digest username="admin", realm="${field('realm')}", nonce="${field('nonce')}", uri="${uri}", qop=auth, nc=00000001, cnonce="abc", response="${response}"`;
  }
}

/** A device that answers these bytes to whatever is asked, and closes. */
export async function oddServer(host: string, answerFor: (head: string) => string | Buffer, close = true) {
  const server = createRawServer((socket) => {
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      const head = text;
      text = '';
      const answer = answerFor(head);
      if (close) socket.end(answer);
      else socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as { port: number };
  return { port, stop: () => new Promise((resolve) => server.close(resolve)) };
}
