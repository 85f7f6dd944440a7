import { createHash, randomBytes } from 'node:crypto';

/** What a `WWW-Authenticate: Digest` header asks for (RFC 2617, RFC 7616; Hikvision's RTSP has no qop: RFC 2069). */
export interface Challenge {
  realm: string;
  nonce: string;
  algorithm: 'MD5' | 'SHA-256';
  session: boolean;
  qop: boolean;
  opaque: string | null;
  stale: boolean;
}

/**
 * Picks the strongest challenge that we can answer; null: none of them. Basic is never answered: it shows the password to
 * the whole LAN, and to whoever has taken the camera's address.
 */
export function chooseChallenge(headers: string[]): Challenge | null {
  const parsed = headers.map(parseChallenge).filter((c) => c !== null);
  return parsed.find((c) => c.algorithm === 'SHA-256') ?? parsed[0] ?? null;
}

function parseChallenge(header: string): Challenge | null {
  const space = header.search(/\s/);
  const scheme = (space < 0 ? header : header.slice(0, space)).toLowerCase();
  const params = new Map<string, string>();
  for (const m of header.slice(Math.max(space, 0)).matchAll(/\b([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))/gi)) {
    params.set(m[1]!.toLowerCase(), m[2] ?? m[3] ?? '');
  }
  const realm = params.get('realm') ?? '';
  const nonce = params.get('nonce');
  if (scheme !== 'digest' || nonce === undefined) return null;
  const name = (params.get('algorithm') ?? 'MD5').toUpperCase();
  const algorithm = name.startsWith('SHA-256') ? 'SHA-256' : name.startsWith('MD5') ? 'MD5' : null;
  if (!algorithm) return null;
  const qop = params.get('qop');
  const auth = qop?.split(',').some((q) => q.trim().toLowerCase() === 'auth') ?? false;
  if (qop !== undefined && qop.trim() !== '' && !auth) return null;
  return {
    realm,
    nonce,
    algorithm,
    session: name.endsWith('-SESS'),
    qop: auth,
    opaque: params.get('opaque') ?? null,
    stale: params.get('stale')?.toLowerCase() === 'true',
  };
}

/** Answers a challenge. Counts the uses of a nonce; make a new one for every new nonce. */
export class Authorizer {
  readonly challenge: Challenge;
  #count = 0;
  readonly #username: string;
  readonly #password: string;

  constructor(challenge: Challenge, username: string, password: string) {
    this.challenge = challenge;
    this.#username = username;
    this.#password = password;
  }

  /** Value of `Authorization`. `uri` is what stands on the request line: servers compare it. */
  header(method: string, uri: string): string {
    const c = this.challenge;
    const hash = (text: string) =>
      createHash(c.algorithm === 'SHA-256' ? 'sha256' : 'md5')
        .update(text)
        .digest('hex');
    const cnonce = randomBytes(8).toString('hex');
    const nc = (++this.#count).toString(16).padStart(8, '0');
    let ha1 = hash(`${this.#username}:${c.realm}:${this.#password}`);
    if (c.session) ha1 = hash(`${ha1}:${c.nonce}:${cnonce}`);
    const ha2 = hash(`${method}:${uri}`);
    const response = hash(c.qop ? `${ha1}:${c.nonce}:${nc}:${cnonce}:auth:${ha2}` : `${ha1}:${c.nonce}:${ha2}`);
    const quoted = (name: string, value: string) =>
      `${name}="${value.replace(/[\r\n]/g, '').replace(/["\\]/g, '\\$&')}"`;
    const parts = [
      quoted('username', this.#username),
      quoted('realm', c.realm),
      quoted('nonce', c.nonce),
      quoted('uri', uri),
      quoted('response', response),
    ];
    if (c.algorithm !== 'MD5' || c.session) parts.push(`algorithm=${c.algorithm}${c.session ? '-sess' : ''}`);
    if (c.opaque !== null) parts.push(quoted('opaque', c.opaque));
    if (c.qop) parts.push('qop=auth', `nc=${nc}`);
    if (c.qop || c.session) parts.push(quoted('cnonce', cnonce));
    return `Digest ${parts.join(', ')}`;
  }
}
