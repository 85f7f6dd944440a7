import i18next from 'i18next';
import type common from '../locales/en/common.json';
import type portal from '../locales/en/portal.json';
import type setup from '../locales/en/setup.json';

type Leaf<T, P extends string = ''> = {
  [K in keyof T & string]: T[K] extends string
    ? `${P}${K extends `${infer Base}_${'one' | 'other'}` ? Base : K}`
    : Leaf<T[K], `${P}${K}.`>;
}[keyof T & string];

/** Every string of the user interface; a key that is not in the English files does not compile. */
export type Key = Leaf<typeof common> | Leaf<typeof portal> | Leaf<typeof setup>;

export const t = (key: Key, values?: Record<string, string | number>): string => translate(key, values);
const translate = i18next.t as unknown as (key: string, values?: Record<string, string | number>) => string;

/** The text of a code that another program made up, or null where this language has none. */
export const lookup = (key: string, values?: Record<string, string | number>): string | null =>
  i18next.exists(key as never) ? translate(key, values) : null;

export const locale = (): string => i18next.language;

/** Files share groups of keys, never a key. */
export function merge(files: object[]): Record<string, object> {
  const all: Record<string, object> = {};
  for (const file of files) for (const [group, keys] of Object.entries(file)) all[group] = { ...all[group], ...keys };
  return all;
}

/** Makes {@link t} speak; what a language lacks is said in English. */
export async function setLanguage(tag: string, english: object[], files: object[]): Promise<void> {
  const resources = { en: { translation: merge(english) }, [tag]: { translation: merge(files) } };
  await i18next.init({ lng: tag, fallbackLng: 'en', resources, interpolation: { escapeValue: false } });
}

/**
 * Starts with the first of the browser's languages that there is a translation for, else English.
 * @param english the string files of this page
 * @param others loaders of further languages by tag, as `{ de: () => [await import(…)] }`
 */
export async function startI18n(english: object[], others: Record<string, () => Promise<object[]>> = {}) {
  const tags = navigator.languages.map((tag) => tag.split('-')[0]!);
  const tag = tags.find((tag) => tag === 'en' || tag in others) ?? 'en';
  await setLanguage(tag, english, tag === 'en' ? english : await others[tag]!());
  document.documentElement.lang = tag;
}
