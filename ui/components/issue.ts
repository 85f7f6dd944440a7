import type { ApiError } from './http.ts';
import { type Key, lookup, t } from './i18n.ts';

/** What validation says in words of its own, and the text for it. */
const SENTENCES: readonly (readonly [RegExp, Key])[] = [
  [/^address: not one/, 'issue.address-odd'],
  [/^address: the first and the last/, 'issue.address-ends'],
  [/^gateway: that is the device/, 'issue.gateway-self'],
  [/^gateway: it is in another/, 'issue.gateway-elsewhere'],
  [/^Invalid IPv4/i, 'issue.ipv4'],
  [/^Too small: expected string/i, 'issue.too-short'],
  [/^Too big: expected string/i, 'issue.too-long'],
];

/** What is wrong with a field, in the person's language where there are words for it. */
export function issueText(message: string): string {
  const said = SENTENCES.find(([pattern]) => pattern.test(message));
  if (said) return t(said[1]);
  return (/^[a-z-]+$/.test(message) && lookup(`issue.${message}`)) || message;
}

/** The detail of a problem; of a list of fields only what is wrong with them, not how the API names them. */
export function detailOf({ code, detail, fields }: ApiError): string | undefined {
  const [first] = fields;
  if (code !== 'invalid-request' || !first || !detail?.startsWith(`${first.path}: `)) return detail;
  return [...new Set(fields.map((field) => issueText(field.message)))].join(' ');
}
