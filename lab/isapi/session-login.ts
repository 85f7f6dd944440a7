import { createHash, randomBytes } from 'node:crypto';
import type { Reply } from './answer.ts';
import type { LoginCounter } from './digest.ts';
import { parseXml, textOf, XML_HEAD } from './xml.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What a client of this firmware must send for a password (isapi §1.3). */
export function sessionHash(o: {
  user: string;
  password: string;
  challenge: string;
  iterations: number;
  salt: string;
  salt2: string | null;
  irreversible: boolean;
}): string {
  if (!o.irreversible) {
    let h = sha256(o.password) + o.challenge;
    for (let i = 1; i < o.iterations; i++) h = sha256(h);
    return h;
  }
  let h = sha256(o.user + o.salt + o.password);
  if (o.salt2 !== null) h = sha256(o.user + o.salt2 + h);
  h = sha256(h + o.challenge);
  for (let i = 2; i < o.iterations; i++) h = sha256(h);
  return h;
}

export interface SessionOptions {
  password: (user: string) => string | null;
  counter: LoginCounter;
  irreversible: boolean;
  salt2: boolean;
  /** `WebSession`, or `WebSession_` and ten hex digits. */
  cookie: string;
  iterations?: number;
  now?: () => number;
}

/** Session login as on the web pages; panels of older firmware know no other. */
export class SessionLogin {
  static readonly maxSessions = 8;
  static readonly idleMs = 120_000;
  readonly #options: SessionOptions;
  readonly #now: () => number;
  readonly #salts = new Map<string, { salt: string; salt2: string }>();
  readonly #asked = new Map<string, { user: string; challenge: string }>();
  readonly #sessions = new Map<string, { user: string; usedAt: number }>();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  get sessions(): number {
    return this.#sessions.size;
  }
  end(): void {
    this.#sessions.clear();
  }

  /** The user of this request's cookie; null: none. */
  user(cookies: string | undefined): string | null {
    for (const pair of (cookies ?? '').split(';')) {
      const [name, value] = pair.trim().split('=');
      const session = name === this.#options.cookie && this.#sessions.get(value ?? '');
      if (!session) continue;
      if (this.#now() - session.usedAt > SessionLogin.idleMs) this.#sessions.delete(value!);
      else {
        session.usedAt = this.#now();
        return session.user;
      }
    }
    return null;
  }

  /** Answers what belongs to logging in; null: something else was asked. */
  answer(method: string, path: string, query: URLSearchParams, body: string, cookies?: string): Reply | null {
    if (path === '/Security/sessionLogin/capabilities' && method === 'GET')
      return this.#capabilities(query.get('username') ?? '');
    if (path === '/Security/sessionLogin' && method === 'POST') return this.#login(body);
    if (path === '/Security/sessionHeartbeat' && method === 'PUT')
      return this.user(cookies) ? { status: 200, body: said(200, 'OK') } : this.#refused();
    if (path === '/Security/sessionLogout' && method === 'PUT') {
      for (const pair of (cookies ?? '').split(';')) this.#sessions.delete(pair.split('=')[1] ?? '');
      return { status: 200, body: said(200, 'OK') };
    }
    return null;
  }

  #capabilities(user: string): Reply {
    const salts = this.#salts.get(user) ?? {
      salt: randomBytes(32).toString('hex').toUpperCase(),
      salt2: randomBytes(32).toString('hex').toUpperCase(),
    };
    this.#salts.set(user, salts);
    const id = randomBytes(32).toString('hex');
    const challenge = randomBytes(16).toString('hex');
    this.#asked.set(id, { user, challenge });
    if (this.#asked.size > 32) this.#asked.delete(this.#asked.keys().next().value!);
    const { irreversible, salt2, iterations = 100 } = this.#options;
    const more = irreversible ? `<salt>${salts.salt}</salt>\n${salt2 ? `<salt2>${salts.salt2}</salt2>\n` : ''}` : '';
    return {
      status: 200,
      body: `${XML_HEAD}<SessionLoginCap version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
<sessionID>${id}</sessionID>
<challenge>${challenge}</challenge>
<iterations>${iterations}</iterations>
<isSupportRTSPWithSession>true</isSupportRTSPWithSession>
<isIrreversible>${irreversible}</isIrreversible>
<sessionIDVersion>${salt2 ? '2.1' : '2'}</sessionIDVersion>
${more}</SessionLoginCap>
`,
    };
  }

  #login(body: string): Reply {
    const { counter, irreversible, salt2, iterations = 100, cookie } = this.#options;
    const login = parseXml(body);
    if (login?.name !== 'SessionLogin') return { status: 400, body: said(400, 'Bad Request') };
    if (counter.locked) {
      counter.fail();
      return this.#refused();
    }
    const user = textOf(login, 'userName') ?? '';
    const id = textOf(login, 'sessionID') ?? '';
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    const salts = this.#salts.get(user);
    const password = this.#options.password(user);
    const right =
      asked?.user === user &&
      salts !== undefined &&
      password !== null &&
      textOf(login, 'password') ===
        sessionHash({
          user,
          password,
          challenge: asked.challenge,
          iterations,
          irreversible,
          salt: salts.salt,
          salt2: salt2 ? salts.salt2 : null,
        });
    if (!right) {
      counter.fail();
      return this.#refused();
    }
    counter.succeed();
    if (this.#sessions.size >= SessionLogin.maxSessions) {
      const [oldest] = [...this.#sessions].sort((a, b) => a[1].usedAt - b[1].usedAt);
      if (oldest && this.#now() - oldest[1].usedAt < 30_000)
        return { status: 503, body: said(503, 'sesssionUserReachesLimit') };
      this.#sessions.delete(oldest![0]);
    }
    const session = randomBytes(32).toString('hex');
    this.#sessions.set(session, { user, usedAt: this.#now() });
    return {
      status: 200,
      headers: { 'Set-Cookie': `${cookie}=${session}; path=/; HttpOnly` },
      body: `${XML_HEAD}<SessionLogin version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
<statusValue>200</statusValue>
<statusString>OK</statusString>
<isDefaultPassword>false</isDefaultPassword>
<isRiskPassword>false</isRiskPassword>
<isActivated>true</isActivated>
<isSupportSessionTag>false</isSupportSessionTag>
</SessionLogin>
`,
    };
  }

  #refused(): Reply {
    const { counter } = this.#options;
    return {
      status: 401,
      body: `${XML_HEAD}<SessionUserCheck version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
<statusValue>401</statusValue>
<statusString>Unauthorized</statusString>
<lockStatus>${counter.locked ? 'lock' : 'unlock'}</lockStatus>
<unlockTime>${counter.unlockSeconds}</unlockTime>
<retryLoginTime>${counter.triesLeft}</retryLoginTime>
</SessionUserCheck>
`,
    };
  }
}

const said = (value: number, text: string) =>
  `${XML_HEAD}<SessionUserCheck><statusValue>${value}</statusValue><statusString>${text}</statusString></SessionUserCheck>\n`;
