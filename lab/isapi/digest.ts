import { createHash, createHmac, randomBytes } from 'node:crypto';

/** Wrong passwords of one device, over HTTP and RTSP together: six, and it is locked for half an hour. */
export class LoginCounter {
  readonly maxTries = 6;
  readonly lockMs = 30 * 60_000;
  readonly #now: () => number;
  #failed = 0;
  #tries = 0;
  #lockedUntil = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** All failed logins since the start, also those while locked. */
  get failedLogins(): number {
    return this.#failed;
  }
  get triesLeft(): number {
    return this.locked ? 0 : this.maxTries - this.#tries;
  }
  get locked(): boolean {
    return this.#now() < this.#lockedUntil;
  }
  get unlockSeconds(): number {
    return this.locked ? Math.ceil((this.#lockedUntil - this.#now()) / 1000) : 0;
  }
  fail(): void {
    this.#failed++;
    if (this.locked) return;
    this.#tries++;
    if (this.#tries < this.maxTries) return;
    this.#tries = 0;
    this.#lockedUntil = this.#now() + this.lockMs;
  }
  succeed(): void {
    this.#tries = 0;
  }
  unlock(): void {
    this.#tries = 0;
    this.#lockedUntil = 0;
  }
}

export interface DigestOptions {
  realm: string;
  /** Null: there is no such user. */
  password: (username: string) => string | null;
  algorithms: ('MD5' | 'SHA-256')[];
  qop: boolean;
  saysStale: boolean;
  counter: LoginCounter;
  nonceLifeMs?: number;
  now?: () => number;
}

export type LoginResult = 'ok' | 'none' | 'stale' | 'wrong' | 'locked';

const hash = (algorithm: string, text: string) =>
  createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
    .update(text)
    .digest('hex');

/** Server side of digest authentication: RFC 7616, and RFC 2069 where there is no qop. */
export class DigestLogin {
  readonly #options: DigestOptions;
  readonly #now: () => number;
  readonly #secret = randomBytes(16);
  #issued = 0;
  /** nonce → counts (nc) seen; a repeated one is a replay. */
  readonly #used = new Map<string, Set<string>>();

  constructor(options: DigestOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Values of the WWW-Authenticate headers, one each. */
  challenges(stale: boolean): string[] {
    const { realm, algorithms, qop, saysStale } = this.#options;
    const word = stale && saysStale ? 'TRUE' : 'FALSE';
    const nonce = this.#nonce(`${this.#now()}.${this.#issued++}`);
    return algorithms.map((algorithm) =>
      qop
        ? `Digest qop="auth", realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, stale="${word}"`
        : `Digest realm="${realm}", domain="/", nonce="${nonce}", opaque="", algorithm="${algorithm}", stale="${word}"`,
    );
  }

  /** `uri` is the target exactly as on the request line. Counts wrong passwords; a dead nonce is none. */
  check(method: string, uri: string, header: string | undefined): LoginResult {
    const { realm, algorithms, qop, counter } = this.#options;
    if (header === undefined) return 'none';
    if (counter.locked) {
      counter.fail();
      return 'locked';
    }
    const p = parseDigest(header);
    const username = p.get('username') ?? '';
    const password = this.#options.password(username);
    const algorithm = p.get('algorithm') ?? 'MD5';
    const given = p.get('uri') ?? '';
    const nonce = p.get('nonce') ?? '';
    const known = algorithms.some((a) => a === algorithm.toUpperCase());
    const a1 = hash(algorithm.toUpperCase(), `${username}:${realm}:${password}`);
    const a2 = hash(algorithm.toUpperCase(), `${method}:${given}`);
    const middle = qop ? `${nonce}:${p.get('nc')}:${p.get('cnonce')}:${p.get('qop')}` : nonce;
    const right =
      known &&
      password !== null &&
      p.get('realm') === realm &&
      given !== '' &&
      uri.startsWith(given) &&
      (!qop || (p.get('qop') === 'auth' && /^[0-9a-f]{8}$/i.test(p.get('nc') ?? '') && p.has('cnonce'))) &&
      p.get('response')?.toLowerCase() === hash(algorithm.toUpperCase(), `${a1}:${middle}:${a2}`);
    if (!right) {
      counter.fail();
      return counter.locked ? 'locked' : 'wrong';
    }
    if (!this.#alive(nonce) || (qop && this.#replayed(nonce, p.get('nc')!))) return 'stale';
    counter.succeed();
    return 'ok';
  }

  /** `label`: time of issue and a number, so that no two are alike. */
  #nonce(label: string): string {
    const mac = createHmac('sha256', this.#secret).update(label).digest('hex').slice(0, 24);
    return Buffer.from(`${label}:${mac}`).toString('base64');
  }

  #alive(nonce: string): boolean {
    const label = Buffer.from(nonce, 'base64').toString('latin1').split(':')[0]!;
    return (
      this.#nonce(label) === nonce && this.#now() - Number.parseInt(label, 10) < (this.#options.nonceLifeMs ?? 30_000)
    );
  }

  #replayed(nonce: string, nc: string): boolean {
    let used = this.#used.get(nonce);
    if (!used) {
      used = new Set();
      this.#used.set(nonce, used);
      for (const old of this.#used.keys()) if (!this.#alive(old)) this.#used.delete(old);
    }
    if (used.has(nc)) return true;
    used.add(nc);
    return false;
  }
}

function parseDigest(header: string): Map<string, string> {
  const found = new Map<string, string>();
  if (!/^digest /i.test(header)) return found;
  for (const [, name, quoted, plain] of header.slice(7).matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g))
    found.set(name!.toLowerCase(), quoted ?? plain!);
  return found;
}
