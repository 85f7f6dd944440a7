import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const REALM = 'Gatepost';
const MAX_FAILURES = 5;

/**
 * The login of one connection: digest with MD5 and without qop (RFC 2617 §3.2, as RTSP players and recorders know it). The
 * nonce is the connection's own, so that no answer counts anywhere else.
 */
export class DigestLogin {
  readonly #nonce = randomBytes(16).toString('hex');
  readonly #username: string;
  readonly #password: string;
  #failures = 0;

  constructor(o: { username: string; password: string }) {
    this.#username = o.username;
    this.#password = o.password;
  }

  /** Too many wrong ones: the connection is to be closed. */
  get exhausted(): boolean {
    return this.#failures >= MAX_FAILURES;
  }
  get challenge(): string {
    return `Digest realm="${REALM}", nonce="${this.#nonce}", algorithm=MD5`;
  }

  check(method: string, authorization: string | null): boolean {
    if (authorization === null || !/^digest\s/i.test(authorization)) return false;
    const fields = new Map<string, string>();
    for (const m of authorization.matchAll(/\b([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))/gi)) {
      fields.set(m[1]!.toLowerCase(), m[2] ?? m[3] ?? '');
    }
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const ha1 = md5(`${this.#username}:${REALM}:${this.#password}`);
    const ha2 = md5(`${method}:${fields.get('uri') ?? ''}`);
    // Some answer with qop although it was not asked for.
    const counted = fields.get('qop') === 'auth' ? `${fields.get('nc') ?? ''}:${fields.get('cnonce') ?? ''}:auth:` : '';
    const expected = md5(`${ha1}:${this.#nonce}:${counted}${ha2}`);
    const given = Buffer.from((fields.get('response') ?? '').toLowerCase());
    const ok =
      fields.get('username') === this.#username &&
      fields.get('nonce') === this.#nonce &&
      given.length === expected.length &&
      timingSafeEqual(given, Buffer.from(expected));
    if (!ok) this.#failures++;
    return ok;
  }
}
