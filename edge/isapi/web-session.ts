import type { Clock } from '../../protocol/clock.ts';
import { failure, type IsapiFailure } from './answer.ts';
import { loginOutcome, readSessionChallenge, sessionCookie, sessionLoginBody } from './session-login.ts';

/** A login that a device took: what each request carries. */
export interface Login {
  headers(method: string, uri: string): Record<string, string>;
  /** Nothing more is sent with it. */
  close?(): void;
}

interface Exchanged {
  status: number;
  setCookie: string[];
  body: Buffer;
}
type Exchange = (method: string, path: string, body?: Buffer) => Promise<Exchanged | IsapiFailure>;

const HEARTBEAT_MS = 20_000;
/** A session that nothing was asked with for so long may end; the next request opens another. */
const IDLE_MS = 60_000;

/**
 * Session login (isapi.md §1.3): a challenge, then one request with the answer to it. `refused`: the device's words about
 * user name or password; its failures say nothing about these.
 */
export async function openSession(o: {
  username: string;
  password: string;
  nowMs: number;
  exchange: Exchange;
}): Promise<{ cookie: string } | { refused: Buffer } | IsapiFailure> {
  const asked = await o.exchange(
    'GET',
    `/Security/sessionLogin/capabilities?username=${encodeURIComponent(o.username)}`,
  );
  if ('ok' in asked) return asked;
  const challenge = asked.status === 200 ? readSessionChallenge(asked.body) : null;
  if (!challenge) {
    return failure(
      'device-error',
      'It offers no digest login and no session login; a password is never sent in the clear.',
    );
  }
  if (challenge === 'weak') {
    return failure(
      'device-error',
      'It asks for a session login from which the password could be read: it may be another device. Nothing was sent.',
    );
  }
  const body = sessionLoginBody(challenge, o.username, o.password);
  const answer = await o.exchange('POST', `/Security/sessionLogin?timeStamp=${Math.floor(o.nowMs / 1000)}`, body);
  if ('ok' in answer) return answer;
  switch (loginOutcome(answer.status, answer.body)) {
    case 'too-many-sessions':
      return failure('device-error', 'Too many programs are logged in to it at once; log out of one of them.');
    // Firmware has many words for a wrong password, and what is not one may have counted as a try all the same.
    case 'refused':
    case 'other':
      return { refused: answer.body };
  }
  const cookie = sessionCookie(answer.setCookie, answer.body);
  return cookie ? { cookie } : failure('device-error', 'It took the login and opened no session.');
}

/** An open session: kept alive while something is asked or listened to, and logged out of at the end. */
export class WebSession implements Login {
  readonly #cookie: string;
  readonly #clock: Clock;
  readonly #cancel: () => void;
  readonly #logOut: () => void;
  #usedAt: number;

  constructor(o: {
    cookie: string;
    clock: Clock;
    /** Something is being listened to with it. */
    listening: () => boolean;
    /** Sends with this session; what comes of it is not waited for. */
    send: (session: WebSession, path: '/Security/sessionHeartbeat' | '/Security/sessionLogout') => void;
  }) {
    this.#cookie = o.cookie;
    this.#clock = o.clock;
    this.#usedAt = o.clock.mono();
    this.#cancel = o.clock.every(HEARTBEAT_MS, () => {
      if (!o.listening() && o.clock.mono() - this.#usedAt >= IDLE_MS) return;
      const usedAt = this.#usedAt;
      o.send(this, '/Security/sessionHeartbeat');
      this.#usedAt = usedAt;
    });
    this.#logOut = () => o.send(this, '/Security/sessionLogout');
  }

  headers(): Record<string, string> {
    this.#usedAt = this.#clock.mono();
    return { Cookie: this.#cookie };
  }

  /** The device has ended it by itself. */
  lapse(): void {
    this.#cancel();
  }

  close(): void {
    this.#cancel();
    this.#logOut();
  }
}
