import { NOTICE_CODES, type NoticeCode } from '../../protocol/wire/notify.ts';
import de from './texts/de.json' with { type: 'json' };
import en from './texts/en.json' with { type: 'json' };

type Texts = Record<NoticeCode, { subject: string; text: string }>;
/** A language that lacks a text does not compile. */
const TEXTS: Record<string, Texts> = { en, de };

/** Words around every e-mail. */
const FRAMES: Record<string, { hello: string; helloName: string; open: string; why: string; settings: string }> = {
  en: {
    hello: 'Hello,',
    helloName: 'Hello {{name}},',
    open: 'Open in Gatepost',
    why: 'This message was sent automatically; answers to it are not read.',
    settings: 'Which messages you get by e-mail is set here:',
  },
  de: {
    hello: 'Guten Tag,',
    helloName: 'Guten Tag {{name}},',
    open: 'In Gatepost öffnen',
    why: 'Diese Nachricht wurde automatisch gesendet; Antworten darauf werden nicht gelesen.',
    settings: 'Welche Nachrichten Sie per E-Mail bekommen, stellen Sie hier ein:',
  },
};
const MAX_VALUE = 2_000;

/** The place of a remark with its label, left out where nobody made one. A dash is what older messages say then. */
const REMARK = /\s*(?:\p{L}+: )?\{\{remark\}\}\.?/u;
const hasRemark = ({ remark }: Record<string, string>) => !['', '–'].includes(remark?.trim() ?? '');

/** Whether there is such a text; a row of an older or newer relay may name another. */
export const isNoticeCode = (code: string): code is NoticeCode => (NOTICE_CODES as readonly string[]).includes(code);

/** What a person reads, in their language or English. Values are people's words: nothing in them can break out of a line. */
export function noticeText(code: string, locale: string, values: Record<string, string>) {
  if (!isNoticeCode(code)) return { subject: code, text: '' };
  const { subject, text } = textsOf(locale)[code];
  const said = hasRemark(values) ? text : text.replace(REMARK, '');
  return { subject: fill(subject, values, oneLine).slice(0, 200), text: fill(said, values, lines) };
}

export const frameOf = (locale: string) => FRAMES[language(locale)]!;

/** Without line breaks and other controls: for headers, names and titles. */
export const oneLine = (value: string): string => lines(value).replace(/\s+/g, ' ').trim();

/** Without controls but line breaks, and without what turns the direction of the words after it. */
const lines = (value: string): string =>
  value
    .slice(0, MAX_VALUE)
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replace(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu, '')
    .replace(/\n{3,}/g, '\n\n');

export const fill = (text: string, values: Record<string, string>, clean: (value: string) => string = lines): string =>
  text.replace(/\{\{(\w+)\}\}/g, (_, key: string) => clean(Object.hasOwn(values, key) ? (values[key] as string) : ''));

const language = (locale: string): string => {
  const tag = locale.split('-')[0]!.toLowerCase();
  return Object.hasOwn(TEXTS, tag) ? tag : 'en';
};
const textsOf = (locale: string): Texts => TEXTS[language(locale)]!;
