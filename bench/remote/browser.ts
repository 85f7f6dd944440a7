import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}
export interface Asking {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Follow redirects, as windows do. */
  follow?: boolean;
}

/** What of a browser matters here: one cookie jar a host, a Host header, and redirects followed from host to host. */
export class Browser {
  readonly jars = new Map<string, Map<string, string>>();
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  jar(host: string): Map<string, string> {
    const jar = this.jars.get(host) ?? new Map();
    this.jars.set(host, jar);
    return jar;
  }

  cookie(host: string): Record<string, string> {
    const text = [...this.jar(host)].map(([name, value]) => `${name}=${value}`).join('; ');
    return text === '' ? {} : { cookie: text };
  }

  async get(url: string, asking: Asking = {}): Promise<Answer> {
    const { host, pathname, search, origin } = new URL(url);
    const answer = await this.#ask(host, `${pathname}${search}`, asking);
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (attributes.some((one) => /^max-age=0$/i.test(one))) this.jar(host).delete(name);
      else this.jar(host).set(name, value);
    }
    const to = answer.headers.location;
    if (to && asking.follow !== false && answer.status >= 300 && answer.status < 400)
      return this.get(new URL(to, `${origin}${pathname}`).href, { headers: { 'sec-fetch-mode': 'navigate' } });
    if (answer.headers.refresh === '0; url=/' && asking.follow !== false) return this.get(`${origin}/`);
    return answer;
  }

  #ask(host: string, path: string, { method = 'GET', headers = {}, body }: Asking): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port: this.#port,
        maxHeaderSize: 128 * 1024,
        method,
        path,
        headers: { host, accept: 'text/html,*/*', ...this.cookie(host), ...headers },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('latin1');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      request.end(body);
    });
  }

  socket(url: string, o: { origin?: string; protocols?: string[]; headers?: Record<string, string> } = {}): WebSocket {
    const { host, pathname, search } = new URL(url);
    const ws = new WebSocket(`ws://127.0.0.1:${this.#port}${pathname}${search}`, o.protocols ?? [], {
      origin: o.origin ?? `http://${host}`,
      headers: { host, ...this.cookie(host), ...o.headers },
    });
    ws.on('error', () => {});
    return ws;
  }

  /** Bytes as they are; resolves with what came back until the connection ended or fell silent. */
  raw(bytes: string, silentMs = 300): Promise<string> {
    return new Promise((resolve) => {
      const socket: Socket = connect(this.#port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
      let text = '';
      const done = () => {
        socket.destroy();
        resolve(text);
      };
      socket.setTimeout(silentMs, done);
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.on('close', done).on('error', done);
    });
  }
}
