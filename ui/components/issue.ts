import type { ApiError } from './http.ts';
import { type Key, lookup, t } from './i18n.ts';
import { say } from './say.ts';

/** What validation says in words of its own, and the text for it. */
const SENTENCES: readonly (readonly [RegExp, Key])[] = [
  [/^Invalid IPv4/i, 'issue.ipv4'],
  [/^Too small: expected string/i, 'issue.too-short'],
  [/^Too big: expected string/i, 'issue.too-long'],
];

/** What is wrong with a field, in the person's language where there are words for it. */
export function issueText(message: string): string {
  const said = SENTENCES.find(([pattern]) => pattern.test(message));
  if (said) return t(said[1]);
  return (/^[a-z-]+$/.test(message) && lookup(`issue.${message}`)) || say(message);
}

/** The detail of a problem; of a list of fields only what is wrong with them, not how the API names them. */
export function detailOf({ code, detail, fields }: ApiError): string | undefined {
  const [first] = fields;
  if (code !== 'invalid-request' || !first || !detail?.startsWith(`${first.path}: `)) return detail && say(detail);
  return [...new Set(fields.map((field) => issueText(field.message)))].join(' ');
}
