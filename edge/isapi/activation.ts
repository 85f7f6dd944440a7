import { constants, createCipheriv, generateKeyPair, type KeyObject, privateDecrypt } from 'node:crypto';
import { type RequestOptions, request } from 'node:http';
import { promisify } from 'node:util';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { DeviceAgents, type DialOptions } from '../https/agents.ts';
import {
  document,
  failure,
  type IsapiFailure,
  type IsapiResponse,
  judge,
  type Result,
  responseStatus,
} from './answer.ts';
import { text } from './xml.ts';

/*
 * Activation: the first password of a device (isapi.md §3). Nothing is authenticated: whoever answers at the address gets the
 * password. So it goes to listed devices only, and a generated password is better than one that other devices have too.
 *
 *   GET  /SDK/activateStatus          → Activated
 *   POST /ISAPI/Security/challenge    our public key → a random text, encrypted to it
 *   PUT  /ISAPI/System/activate       the password, encrypted with that text
 */
const MAX_BODY_BYTES = 16 * 1024;
const TIMEOUT_MS = 8_000;
const XMLNS = 'version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"';

/** The ways that firmware wants it written, the documented one first. */
const CHALLENGES = [
  (key: string) => `<PublicKey><key>${key}</key></PublicKey>`,
  (key: string) => `<Challenge ${XMLNS}><key>${key}</key></Challenge>`,
];
const ACTIVATIONS = [
  {
    body: (password: string) => `<ActivateInfo ${XMLNS}><password>${password}</password></ActivateInfo>`,
    base64: false,
  },
  {
    body: (password: string) =>
      `<Activate ${XMLNS}><ActivateInfo><password>${password}</password></ActivateInfo></Activate>`,
    base64: false,
  },
  {
    body: (password: string) => `<ActivateInfo ${XMLNS}><password>${password}</password></ActivateInfo>`,
    base64: true,
  },
];
/** In `subStatus`: no answer came after the password had gone out. */
export const PASSWORD_SENT = 'passwordSent';
const NOT_UNDERSTOOD = /^(badXmlContent|badXmlFormat|badParameters|MessageParametersLack)$/i;

/** The password as `activate` takes it; `random`: the 32 hex digits of the challenge. */
export function encryptPassword(random: string, password: string, base64 = false): string {
  const text = Buffer.from(random.slice(0, 16) + (base64 ? Buffer.from(password).toString('base64') : password));
  const padded = Buffer.concat([text, Buffer.alloc((16 - (text.length % 16)) % 16)]);
  const cipher = createCipheriv('aes-128-ecb', Buffer.from(random, 'hex'), null).setAutoPadding(false);
  const hex = Buffer.concat([cipher.update(padded), cipher.final()]).toString('hex');
  return Buffer.from(hex).toString('base64');
}

/** The random text of a challenge; null when it is none. */
export function openChallenge(answer: string, privateKey: KeyObject): string | null {
  const hex = Buffer.from(answer, 'base64').toString('latin1');
  if (!/^[0-9a-f]{256}$/i.test(hex)) return null;
  // Node's own PKCS#1 unpadding throws or invents an answer (CVE-2023-46809), so it is done here.
  const key = { key: privateKey, padding: constants.RSA_NO_PADDING };
  let block: Buffer;
  try {
    block = privateDecrypt(key, Buffer.from(hex, 'hex'));
  } catch {
    return null;
  }
  const end = block.indexOf(0, 2);
  if (block[0] !== 0 || block[1] !== 2 || end < 10) return null;
  // Some firmware pads in front.
  const random = block
    .subarray(end + 1)
    .toString('latin1')
    .slice(-32);
  return /^[0-9a-f]{32}$/i.test(random) ? random : null;
}

export interface Activation {
  host: string;
  port: number;
  tls?: DeviceTls;
  /** Checked before: see devicePasswordFault. */
  password: string;
  clock: Clock;
  signal?: AbortSignal;
}

/**
 * Gives a device its first password. `weak`: it took it, and says that it is a risky one. A device that is activated
 * already is a failure with the sub-status `hasActivated`, and its password stays.
 */
export async function activate(o: Activation): Promise<Result<{ weak: boolean }>> {
  const status = await send(o, 'GET', '/SDK/activateStatus');
  if (!status.ok) return status;
  const said = document(status.value.body, 'ActivateStatus');
  if (said && text(said, 'Activated').toLowerCase() === 'true') return alreadyActivated();
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 1024 });
  const { n } = publicKey.export({ format: 'jwk' });
  const modulus = Buffer.from(n as string, 'base64url')
    .toString('hex')
    .padStart(256, '0');
  const key = Buffer.from(modulus).toString('base64');
  let refused: IsapiFailure = failure('device-error', 'It gave no challenge.');
  for (const way of ACTIVATIONS) {
    // Each try needs a challenge of its own: it is good once.
    const random = await challenge(o, key, privateKey);
    if (!random.ok) return random;
    const body = way.body(encryptPassword(random.value, o.password, way.base64));
    const answer = await send(o, 'PUT', '/ISAPI/System/activate', body);
    // It may have taken the password all the same.
    if (!answer.ok) return { ...answer, subStatus: PASSWORD_SENT };
    const bad = judge(answer.value);
    if (!bad) return { ok: true, value: { weak: responseStatus(answer.value.body)?.subStatus === 'riskPassword' } };
    refused = bad;
    if (!NOT_UNDERSTOOD.test(bad.subStatus ?? '')) break;
  }
  if (refused.subStatus === 'hasActivated') return alreadyActivated();
  const reason = REASONS[refused.subStatus ?? ''];
  return reason ? { ...refused, text: reason } : refused;
}

const REASONS: Record<string, string> = {
  riskPassword: 'It refuses the password as too weak: mix three kinds of characters.',
  userPwdLenUnder8: 'It refuses the password as too short.',
  passwordLenNoMoreThan16: 'It refuses the password as too long.',
  userPwdNameSame: 'It refuses a password that holds the user name.',
  notSupport: 'It cannot be activated this way: use its own page or its label’s instructions.',
};

const alreadyActivated = (): IsapiFailure =>
  failure('device-error', 'It is activated already: enter the password that it has.', { subStatus: 'hasActivated' });

async function challenge(o: Activation, key: string, privateKey: KeyObject): Promise<Result<string>> {
  let refused: IsapiFailure = failure('device-error', 'It gave no challenge.');
  for (const way of CHALLENGES) {
    const answer = await send(o, 'POST', '/ISAPI/Security/challenge', way(key));
    if (!answer.ok) return answer;
    const bad = judge(answer.value);
    if (bad) {
      refused = bad.subStatus === 'hasActivated' ? alreadyActivated() : bad;
      if (NOT_UNDERSTOOD.test(bad.subStatus ?? '')) continue;
      return refused;
    }
    const random = openChallenge(text(document(answer.value.body, 'Challenge') ?? undefined, 'key'), privateKey);
    return random ? { ok: true, value: random } : failure('device-error', 'Its challenge cannot be read.');
  }
  return refused;
}

/** One exchange without a login, on a connection of its own. */
function send(o: Activation, method: string, path: string, body?: string): Promise<Result<IsapiResponse>> {
  return new Promise((resolve) => {
    const headers = body ? { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) } : {};
    const agent = new DeviceAgents(o).alone();
    const { host, port, signal } = o;
    const options: RequestOptions & DialOptions = {
      host,
      port,
      method,
      path,
      headers,
      agent,
      signal,
      dialSignal: signal,
    };
    const req = request(options);
    const end = (result: Result<IsapiResponse>) => {
      cancel();
      req.destroy();
      resolve(result);
    };
    const silent = () => end(failure('device-unreachable', 'It does not answer.'));
    const cancel = o.clock.after(TIMEOUT_MS, silent);
    req.on('error', silent);
    req.on('response', (res) => {
      const parts: Buffer[] = [];
      let size = 0;
      res.on('data', (part: Buffer) => {
        size += part.length;
        if (size > MAX_BODY_BYTES) end(failure('device-error', 'Its answer is too long.'));
        else parts.push(part);
      });
      res.on('error', silent);
      res.on('end', () => {
        const { statusCode = 0, headers: answered } = res;
        end({ ok: true, value: { status: statusCode, headers: answered, body: Buffer.concat(parts) } });
      });
    });
    req.end(body);
  });
}
