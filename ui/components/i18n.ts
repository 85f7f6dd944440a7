import { signal } from '@preact/signals';
import i18next from 'i18next';
import type { Files } from '../locales/files.ts';

type Leaf<T, P extends string = ''> = {
  [K in keyof T & string]: T[K] extends string
    ? `${P}${K extends `${infer Base}_${'one' | 'other'}` ? Base : K}`
    : Leaf<T[K], `${P}${K}.`>;
}[keyof T & string];

/** A file of strings, without language and ending. */
export type StringFile = keyof Files;
type Keys = { [F in StringFile]: Leaf<Files[F]> };
/** Every string of the user interface; a key that is not in the English files does not compile. */
export type Key = Keys[StringFile];

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;
export const isLanguage = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag);

export const t = (key: Key, values?: Record<string, string | number>): string => translate(key, values);
const translate = i18next.t as unknown as (key: string, values?: Record<string, string | number>) => string;

/** The text of a code that another program made up, or null where this language has none. */
export const lookup = (key: string, values?: Record<string, string | number>): string | null =>
  i18next.exists(key as never) ? translate(key, values) : null;

/** The language that is spoken; a page that shows it follows when it changes. */
export const language = signal<Language>('en');
export const locale = (): string => language.value;

/** The first language that there is a translation for, of tags as browsers and people's settings give them. */
export function pickLanguage(tags: readonly (string | null | undefined)[]): Language {
  for (const tag of tags) {
    const short = tag?.split('-')[0]?.toLowerCase();
    if (short && isLanguage(short)) return short;
  }
  return 'en';
}

/** Files share groups of keys, never a key. */
export function merge(files: object[]): Record<string, object> {
  const all: Record<string, object> = {};
  for (const file of files) for (const [group, keys] of Object.entries(file)) all[group] = { ...all[group], ...keys };
  return all;
}

export type Load = (language: Language, file: StringFile) => Promise<object>;

let load: Load = async () => ({});
/** What pages have asked for so far; a change of language fetches all of it. */
const needed = new Map<StringFile, Map<Language, Promise<void>>>();

function fetchFile(tag: Language, file: StringFile): Promise<void> {
  const byLanguage = needed.get(file) ?? new Map<Language, Promise<void>>();
  needed.set(file, byLanguage);
  let found = byLanguage.get(tag);
  if (!found) {
    found = load(tag, file).then(
      (strings) => void i18next.addResourceBundle(tag, 'translation', merge([strings]), true, true),
    );
    byLanguage.set(tag, found);
    found.catch(() => byLanguage.delete(tag));
  }
  return found;
}

/** Resolves when {@link t} can say what is in these files. */
export async function needStrings(files: readonly StringFile[]): Promise<void> {
  let tag: Language;
  do {
    tag = language.value;
    await Promise.all(files.map((file) => fetchFile(tag, file)));
    // Another language may be spoken by now.
  } while (tag !== language.value);
}

/** Fetches everything that was needed so far in another language, then speaks it. */
export async function setLanguage(tag: Language): Promise<void> {
  let known: number;
  do {
    known = needed.size;
    await Promise.all([...needed.keys()].map((file) => fetchFile(tag, file)));
    // A page may have needed more meanwhile.
  } while (needed.size > known);
  await i18next.changeLanguage(tag);
  language.value = tag;
  if (globalThis.document) document.documentElement.lang = tag;
}

/** Makes {@link t} speak. `from` fetches one file; a language that lacks it is to give the English one. */
export async function startI18n(from: Load, files: readonly StringFile[], tag: Language): Promise<void> {
  load = from;
  needed.clear();
  for (const file of files) needed.set(file, new Map());
  // Without waiting: other files may be needed from here on.
  const options = { lng: tag, fallbackLng: false as const, resources: {}, initAsync: false };
  i18next.init({ ...options, interpolation: { escapeValue: false } });
  language.value = tag;
  await setLanguage(tag);
}
