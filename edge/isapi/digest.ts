import { createHash, randomBytes } from 'node:crypto';

/** One challenge of a WWW-Authenticate header; parameter names in lower case. */
export interface Challenge {
  scheme: string;
  params: Map<string, string>;
}

const MAX_HEADER = 8192;
const MAX_CHALLENGES = 16;

/**
 * Reads every challenge of a response (RFC 7235 §4.1). Takes raw headers, because Node joins or drops repeated ones and a
 * comma separates parameters as well as challenges. What cannot be read is skipped.
 */
export function parseChallenges(rawHeaders: string[]): Challenge[] {
  const found: Challenge[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() !== 'www-authenticate') continue;
    const input = rawHeaders[i + 1]!.slice(0, MAX_HEADER);
    const token = /[\s,]+|([^\s,="]+)(\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*)))?|./gsy;
    for (let m = token.exec(input); m && found.length < MAX_CHALLENGES; m = token.exec(input)) {
      if (m[1] === undefined) continue;
      if (m[2] === undefined) found.push({ scheme: m[1].toLowerCase(), params: new Map() });
      else found.at(-1)?.params.set(m[1].toLowerCase(), m[3]?.replace(/\\(.)/gs, '$1') ?? m[4] ?? '');
    }
  }
  return found;
}

const HASHES: Record<string, 'md5' | 'sha256'> = { md5: 'md5', 'sha-256': 'sha256', sha256: 'sha256' };

/**
 * A login with one nonce (RFC 7616; RFC 2069 where the device names no `qop`). The nonce is reused with a rising count
 * until the device no longer takes it.
 */
export class DigestSession {
  readonly #username: string;
  readonly #params: Map<string, string>;
  readonly #hash: (text: string) => string;
  readonly #ha1: string;
  readonly #cnonce: string;
  readonly #qop: boolean;
  #count = 0;

  private constructor(challenge: Challenge, username: string, password: string, cnonce: string) {
    this.#username = username;
    this.#params = challenge.params;
    this.#cnonce = cnonce;
    this.#qop = challenge.params.has('qop');
    const [base, sess] = splitAlgorithm(challenge);
    const name = HASHES[base]!;
    this.#hash = (text) => createHash(name).update(text, 'utf8').digest('hex');
    const ha1 = this.#hash(`${username}:${challenge.params.get('realm') ?? ''}:${password}`);
    this.#ha1 = sess ? this.#hash(`${ha1}:${challenge.params.get('nonce')}:${cnonce}`) : ha1;
  }

  /** From the first challenge that can be answered (the device's order is its preference); null when there is none. */
  static from(
    challenges: Challenge[],
    username: string,
    password: string,
    cnonce = randomBytes(8).toString('hex'),
  ): DigestSession | null {
    const usable = challenges.find((c) => {
      const qop = c.params.get('qop');
      return (
        c.scheme === 'digest' &&
        c.params.has('nonce') &&
        splitAlgorithm(c)[0] in HASHES &&
        (qop === undefined || qop.split(',').some((q) => q.trim().toLowerCase() === 'auth'))
      );
    });
    return usable ? new DigestSession(usable, username, password, cnonce) : null;
  }

  headers(method: string, uri: string): Record<string, string> {
    return { Authorization: this.authorization(method, uri) };
  }

  /** Value of the Authorization header. `uri` is the exact request target, query included. */
  authorization(method: string, uri: string): string {
    const p = this.#params;
    const nonce = p.get('nonce')!;
    const ha2 = this.#hash(`${method}:${uri}`);
    const nc = (++this.#count).toString(16).padStart(8, '0');
    const response = this.#qop
      ? this.#hash(`${this.#ha1}:${nonce}:${nc}:${this.#cnonce}:auth:${ha2}`)
      : this.#hash(`${this.#ha1}:${nonce}:${ha2}`);
    const parts = [
      `username="${quote(this.#username)}"`,
      `realm="${quote(p.get('realm') ?? '')}"`,
      `nonce="${quote(nonce)}"`,
      `uri="${quote(uri)}"`,
      `response="${response}"`,
    ];
    const algorithm = p.get('algorithm');
    if (algorithm) parts.push(`algorithm=${algorithm.replace(/[^\w-]/g, '')}`);
    if (p.has('opaque')) parts.push(`opaque="${quote(p.get('opaque')!)}"`);
    if (this.#qop) parts.push('qop=auth', `nc=${nc}`, `cnonce="${this.#cnonce}"`);
    // Header bytes are Latin-1 to Node; names beyond ASCII go as their UTF-8 bytes.
    return Buffer.from(`Digest ${parts.join(', ')}`, 'utf8').toString('latin1');
  }
}

/** A missing algorithm is MD5. */
function splitAlgorithm(challenge: Challenge): [base: string, sess: boolean] {
  const algorithm = (challenge.params.get('algorithm') || 'MD5').toLowerCase();
  return algorithm.endsWith('-sess') ? [algorithm.slice(0, -5), true] : [algorithm, false];
}

const quote = (value: string): string => value.replace(/[\\"]/g, '\\$&').replace(/[\r\n]/g, '');
