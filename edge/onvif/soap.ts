import { createHash, randomBytes } from 'node:crypto';
import { clean } from '../isapi/xml.ts';
import { attribute, below, type Element, first, NS, parseTree, textAt, xmlText } from './tree.ts';

const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
const TOKEN = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest';
const BASE64 = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary';

const DECLARED = Object.entries(NS)
  .map(([prefix, ns]) => ` xmlns:${prefix}="${ns}"`)
  .join('');

/** SOAP 1.2 with all prefixes of {@link NS} declared. `headers` and `body` are XML. */
export const envelope = (headers: string, body: string): Buffer =>
  Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope${DECLARED}>${headers ? `<s:Header>${headers}</s:Header>` : ''}<s:Body>${body}</s:Body></s:Envelope>`,
  );

/** WS-Security UsernameToken, PasswordDigest. `createdMs` in the device's time; whole seconds, because some read no more. */
export function usernameToken(
  username: string,
  password: string,
  createdMs: number,
  nonce: Buffer = randomBytes(16),
): string {
  const created = `${new Date(createdMs).toISOString().slice(0, 19)}Z`;
  const digest = createHash('sha1').update(nonce).update(created).update(password).digest('base64');
  return `<w:Security s:mustUnderstand="1" xmlns:w="${WSSE}" xmlns:u="${WSU}"><w:UsernameToken><w:Username>${xmlText(username)}</w:Username><w:Password Type="${TOKEN}">${digest}</w:Password><w:Nonce EncodingType="${BASE64}">${nonce.toString('base64')}</w:Nonce><u:Created>${created}</u:Created></w:UsernameToken></w:Security>`;
}

export interface Fault {
  /** Local names of code and subcodes, the outermost first. */
  codes: string[];
  reason: string;
}
export type Answer = { kind: 'response'; element: Element } | { kind: 'fault'; fault: Fault } | { kind: 'none' };

/** What a body says; `none` for what is no SOAP envelope. */
export function readAnswer(body: Buffer): Answer {
  const root = parseTree(body);
  const element = root?.name === 'Envelope' ? first(root, 'Body')?.children[0] : undefined;
  if (!element) return { kind: 'none' };
  return element.name === 'Fault' ? { kind: 'fault', fault: readFault(element) } : { kind: 'response', element };
}

function readFault(fault: Element): Fault {
  const local = (written: string) => clean(written.replace(/^.*:/s, ''), 48);
  const code = first(fault, 'Code');
  // SOAP 1.1 has faultcode and faultstring.
  const codes = code
    ? [textAt(code, 'Value'), ...below(code, 'Subcode').flatMap(subcodes)]
    : [textAt(fault, 'faultcode')];
  const reason = textAt(fault, 'Reason', 'Text') || textAt(fault, 'faultstring') || textAt(fault, 'Detail', 'Text');
  return { codes: codes.map(local).filter(Boolean), reason: clean(reason.replace(/\s+/g, ' '), 160) };
}

const subcodes = (subcode: Element): string[] => [
  textAt(subcode, 'Value'),
  ...subcode.children.filter((c) => c.name === 'Subcode').flatMap(subcodes),
];

/** The device wants other credentials than it got. */
export const isNotAuthorized = ({ codes, reason }: Fault): boolean =>
  codes.some((c) =>
    /^(NotAuthorized|FailedAuthentication|Unauthorized|InvalidSecurityToken|FailedCheck|InvalidSecurity)$/i.test(c),
  ) ||
  /not authori[sz]ed|(wrong|invalid|incorrect) (user|pass|credential)|unauthori[sz]ed|authentication fail|authority failure|security token could not/i.test(
    reason,
  );

/** It was built without WS-Security and refuses the header itself (gSOAP). */
export const isMustUnderstand = ({ codes, reason }: Fault): boolean =>
  codes.some((c) => /^MustUnderstand$/i.test(c)) || /must be understood/i.test(reason);

export const saysLocked = ({ codes, reason }: Fault): boolean =>
  codes.some((c) => /locked/i.test(c)) || /\block(ed)?\b/i.test(reason);

/** `true`, `1`, `active` … and their opposites; null for anything else. */
export function booleanOf(written: string): boolean | null {
  const value = written.trim().toLowerCase();
  if (['true', '1', 'active', 'on', 'yes'].includes(value)) return true;
  return ['false', '0', 'inactive', 'off', 'no'].includes(value) ? false : null;
}

/** Name and value of every SimpleItem; names in lower case. */
export const simpleItems = (element: Element | undefined): Map<string, string> =>
  new Map(below(element, 'SimpleItem').map((i) => [attribute(i, 'Name').toLowerCase(), attribute(i, 'Value')]));
