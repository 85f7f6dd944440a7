import { createHash } from 'node:crypto';
import { document } from './answer.ts';
import { text } from './xml.ts';
import { encodeText } from './xml-scan.ts';

/** What a device asks for before a session login (isapi.md §1.3). */
export interface SessionChallenge {
  sessionId: string;
  challenge: string;
  iterations: number;
  irreversible: boolean;
  /** As written; '' when the device gives none, and then it is not sent back. */
  version: string;
  salt: string;
  salt2: string;
}

/** More rounds than any device asks for; a false one must not keep the box busy. */
const MAX_ITERATIONS = 10_000;
/**
 * Devices ask for 100. With one or two rounds the answer would be the password's plain hash, or one step from it, and good for
 * other devices: who asks for that is no device.
 */
const MIN_ITERATIONS = 50;
const MAX_SALT = 512;

/** Reads `SessionLoginCap`; null when the device offers no session login, `weak` when its answer would tell the password. */
export function readSessionChallenge(body: Buffer): SessionChallenge | 'weak' | null {
  const node = document(body, 'SessionLoginCap');
  if (!node) return null;
  const field = (name: string) => text(node, name).slice(0, MAX_SALT);
  const iterations = Number(field('iterations') || '100');
  if (!field('challenge') || !field('sessionID')) return null;
  if (!Number.isInteger(iterations) || iterations > MAX_ITERATIONS) return null;
  if (iterations < MIN_ITERATIONS) return 'weak';
  return {
    sessionId: field('sessionID'),
    challenge: field('challenge'),
    iterations,
    irreversible: /^true$/i.test(field('isIrreversible')),
    version: field('sessionIDVersion'),
    salt: field('salt'),
    salt2: field('salt2'),
  };
}

const sha256 = (value: string): string => createHash('sha256').update(value, 'utf8').digest('hex');

/** The answer to the challenge: what stands in place of the password. */
export function sessionPassword(c: SessionChallenge, username: string, password: string): string {
  let hash: string;
  let rounds: number;
  if (c.irreversible) {
    hash = sha256(username + c.salt + password);
    if (c.salt2) hash = sha256(username + c.salt2 + hash);
    hash = sha256(hash + c.challenge);
    rounds = c.iterations - 2;
  } else {
    hash = sha256(password) + c.challenge;
    rounds = c.iterations - 1;
  }
  for (let i = 0; i < rounds; i++) hash = sha256(hash);
  return hash;
}

export function sessionLoginBody(c: SessionChallenge, username: string, password: string): Buffer {
  const version = c.version ? `<sessionIDVersion>${encodeText(c.version)}</sessionIDVersion>` : '';
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><SessionLogin><userName>${encodeText(username)}</userName>` +
      `<password>${sessionPassword(c, username, password)}</password><sessionID>${encodeText(c.sessionId)}</sessionID>` +
      `<isSessionIDValidLongTerm>false</isSessionIDValidLongTerm>${version}</SessionLogin>`,
  );
}

/**
 * The Cookie header of the session that was opened; null when the answer opened none. Cookies are kept whole, because
 * their name differs from device to device (`WebSession`, `WebSession_<hex>`); older firmware gives the id in the body only.
 */
export function sessionCookie(setCookie: string[], body: Buffer): string | null {
  const pairs = setCookie.map((line) => line.split(';')[0]!.trim()).filter((pair) => /^[^=\s]+=\S/.test(pair));
  if (pairs.length > 0) return pairs.join('; ').slice(0, 4096);
  const id = text(document(body, 'SessionLogin', 'SessionUserCheck', 'userCheck') ?? '', 'sessionID');
  return /^[\w-]{8,512}$/.test(id) ? `WebSession=${id}` : null;
}

/** What a refused or granted login says; devices say `statusValue` 401 in an answer whose HTTP status is 200, too. */
export function loginOutcome(status: number, body: Buffer): 'granted' | 'refused' | 'too-many-sessions' | 'other' {
  const node = document(body, 'SessionLogin', 'SessionUserCheck', 'userCheck', 'ResponseStatus') ?? '';
  const sub = text(node, 'subStatusCode');
  if (/^(maxSessionUserLink|sess*ionUserReachesLimit)$/i.test(sub)) return 'too-many-sessions';
  const refused = /^(loginPasswordError|badAuthorization|userNameLocked|incorrentUserNameOrPassword)$/i.test(sub);
  if (status === 401 || text(node, 'statusValue') === '401' || refused) return 'refused';
  return status === 200 && !(sub && sub !== 'ok') ? 'granted' : 'other';
}
