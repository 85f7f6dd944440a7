import type { ProblemCode } from '../../protocol/wire/problem.ts';
import { OtherCertificate } from '../https/handshake.ts';
import { parseXml, sniff, text, type XmlNode } from './xml.ts';

/** What a device answered to a whole exchange. */
export interface IsapiResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** Why there is no usable answer. `text` is a sentence for a person, without the device's name. */
export interface IsapiFailure {
  ok: false;
  code: Extract<
    ProblemCode,
    | 'device-refused-login'
    | 'device-locked'
    | 'device-not-activated'
    | 'device-unreachable'
    | 'device-certificate-changed'
    | 'device-error'
    // What was asked, not what the device answered, is at fault.
    | 'invalid-request'
    | 'not-found'
    | 'conflict'
    // Of speaking to it.
    | 'spoken-to'
    | 'no-speaker'
    | 'speaker-busy'
    | 'speaker-codec'
  >;
  text: string;
  /** HTTP status and ISAPI subStatusCode, where the device gave them. */
  status?: number;
  subStatus?: string;
  /** `device-unreachable`: code of the system's or parser's error. */
  errno?: string;
  /** `device-locked`: when it may be tried again. */
  unlockInMs?: number;
  /** `device-certificate-changed`: the one that was shown. */
  shown?: string;
}
export type Result<T> = { ok: true; value: T } | IsapiFailure;

export const failure = (
  code: IsapiFailure['code'],
  message: string,
  more: Partial<Omit<IsapiFailure, 'ok' | 'code' | 'text'>> = {},
): IsapiFailure => ({ ok: false, code, text: message, ...more });

/** Why a request had no answer, of the error that ended it. */
export const unanswered = (error: Error & { code?: string }): IsapiFailure =>
  error instanceof OtherCertificate
    ? failure(
        'device-certificate-changed',
        'It shows another certificate than when it was added; nothing was sent to it.',
        { shown: error.shown },
      )
    : failure('device-unreachable', `It does not answer (${error.code ?? error.message}).`, { errno: error.code });

const PASSING: ReadonlySet<string> = new Set([
  'device-unreachable',
  'device-certificate-changed',
  'device-locked',
  'device-refused-login',
  'device-not-activated',
]);
/** Whether it says nothing of what was asked, only that there was no answer at this moment. */
export const isPassing = (f: IsapiFailure): boolean => PASSING.has(f.code) || /busy/i.test(f.subStatus ?? '');

/** The ResponseStatus of a body in XML or JSON (isapi.md §2); null when it is something else. */
export function responseStatus(body: Buffer): { statusCode: number; subStatus: string; message: string } | null {
  const node = document(body, 'ResponseStatus');
  if (!node || text(node, 'statusCode') === '') return null;
  const statusCode = Number(text(node, 'statusCode'));
  const message = text(node, 'errorMsg') || text(node, 'statusString');
  return { statusCode, subStatus: text(node, 'subStatusCode'), message };
}

/** The body as a tree when its root is one of `roots`; JSON twins carry the same names, at the top or one level down. */
export function document(body: Buffer, ...roots: string[]): XmlNode | null {
  if (sniff(body) === 'json') {
    try {
      const json = stringify(JSON.parse(body.toString('utf8'))) as Record<string, XmlNode>;
      for (const root of roots) if (Object.hasOwn(json, root)) return json[root]!;
      return json;
    } catch {
      return null;
    }
  }
  const doc = sniff(body) === 'xml' ? parseXml(body) : null;
  return doc && roots.includes(doc.root) ? doc.node : null;
}

/** JSON as the same tree that XML gives: leaves are text. */
function stringify(value: unknown): XmlNode | XmlNode[] {
  if (Array.isArray(value)) return value.map((v) => stringify(v) as XmlNode);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, stringify(v)]));
  }
  return value === null || value === undefined ? '' : String(value);
}

/**
 * A whole answer judged: the body first, because old firmware says 200 with statusCode 4 or 6, and the same error comes
 * as 4xx from newer. 0 and 1 are success, 7 is success that needs a reboot.
 */
export function judge(response: IsapiResponse): IsapiFailure | null {
  const said = responseStatus(response.body);
  if (said && ![0, 1, 7].includes(said.statusCode)) {
    const what = said.subStatus || said.message || `status ${said.statusCode}`;
    const code = said.subStatus === 'notActivated' ? 'device-not-activated' : 'device-error';
    return failure(code, `It answered "${what.slice(0, 80)}".`, { status: response.status, subStatus: said.subStatus });
  }
  if (response.status >= 200 && response.status < 300) return null;
  const { status } = response;
  const elsewhere = status >= 300 && status < 400;
  const text = elsewhere
    ? `It answered with HTTP status ${status} (it wants another address, perhaps HTTPS).`
    : `It answered with HTTP status ${status}.`;
  return failure('device-error', text, { status });
}

/** What a 401 or 403 says beside "no" (isapi.md §1.1); served without a login, every element may be absent. */
export function readRefusal(body: Buffer): {
  notActivated: boolean;
  locked: boolean;
  unlockInMs: number | null;
  triesLeft: number | null;
} {
  const node = document(body, 'userCheck', 'SessionUserCheck', 'ResponseStatus') ?? '';
  const seconds = Number.parseInt(text(node, 'unlockTime'), 10);
  const tries = Number.parseInt(text(node, 'retryLoginTime') || text(node, 'retryTimes'), 10);
  const sub = text(node, 'subStatusCode');
  return {
    notActivated: sub === 'notActivated' || text(node, 'isActivated').toLowerCase() === 'false',
    locked: /^lock(ed)?$/i.test(text(node, 'lockStatus')) || sub === 'userNameLocked',
    unlockInMs: seconds > 0 ? Math.min(seconds, 86_400) * 1000 : null,
    triesLeft: tries >= 0 ? tries : null,
  };
}
