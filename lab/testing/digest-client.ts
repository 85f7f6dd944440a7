import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';

export interface Target {
  address: string;
  httpPort: number;
  username: string;
  password: string;
}

/** The value of `Authorization` for one challenge. */
export function authorize(
  challenge: string,
  to: { method: string; uri: string; username: string; password: string; nc?: number },
): string {
  const field = (name: string) => new RegExp(`${name}="?([^",]*)"?`).exec(challenge)?.[1];
  const algorithm = field('algorithm') ?? 'MD5';
  const hash = (text: string) =>
    createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
      .update(text)
      .digest('hex');
  const [realm, nonce] = [field('realm')!, field('nonce')!];
  const a1 = hash(`${to.username}:${realm}:${to.password}`);
  const a2 = hash(`${to.method}:${to.uri}`);
  const nc = (to.nc ?? 1).toString(16).padStart(8, '0');
  const qop = /qop="auth"/.test(challenge);
  const response = hash(qop ? `${a1}:${nonce}:${nc}:c0ffee:auth:${a2}` : `${a1}:${nonce}:${a2}`);
  const extra = qop ? `, qop=auth, nc=${nc}, cnonce="c0ffee"` : '';
  return `Digest username="${to.username}", realm="${realm}", nonce="${nonce}", uri="${to.uri}", algorithm=${algorithm}, response="${response}"${extra}`;
}

/** Asks once without login, then once with; gives the second answer, unread. */
export async function open(device: Target, uri: string, password = device.password): Promise<IncomingMessage> {
  const ask = (authorization?: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = authorization ? { authorization } : {};
      request({ host: device.address, port: device.httpPort, path: uri, headers, agent: false }, resolve)
        .on('error', reject)
        .end();
    });
  const first = await ask();
  first.resume();
  const challenge = first.headers['www-authenticate'];
  if (!challenge) return first;
  return ask(authorize(challenge, { method: 'GET', uri, username: device.username, password }));
}

export async function get(device: Target, uri: string, password?: string) {
  const response = await open(device, uri, password);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return { status: response.statusCode!, type: response.headers['content-type'] ?? '', bytes, text: bytes.toString() };
}

/** Any request, logged in: the challenge comes from a request without login, since empty writes may not get one. */
export async function call(device: Target, method: string, uri: string, body = '') {
  const ask = (how: string, path: string, authorization?: string, sent = '') =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { ...(authorization ? { authorization } : {}), 'content-length': Buffer.byteLength(sent) };
      request({ host: device.address, port: device.httpPort, method: how, path, headers, agent: false }, resolve)
        .on('error', reject)
        .end(sent);
    });
  const first = await ask('GET', uri);
  first.resume();
  const challenge = first.headers['www-authenticate'];
  const { username, password } = device;
  const response = challenge
    ? await ask(method, uri, authorize(challenge, { method, uri, username, password }), body)
    : first;
  const chunks: Buffer[] = [];
  if (challenge) for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() };
}
