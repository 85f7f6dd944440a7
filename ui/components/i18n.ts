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

/** One tree of several files: they share groups of keys, never a key. */
const merge = (files: object[]): Record<string, object> => {
  const all: Record<string, object> = {};
  for (const file of files) for (const [group, keys] of Object.entries(file)) all[group] = deep(all[group], keys);
  return all;
};
const deep = (a: object | undefined, b: object): object => ({ ...a, ...b });

/**
 * Starts with the first of the browser's languages that there is a translation for, else English.
 * @param languages loaders by language tag; each gives the string files to merge
 */
export async function startI18n(languages: { en: object[] } & Record<string, object[] | (() => Promise<object[]>)>) {
  const wanted = navigator.languages.map((tag) => tag.split('-')[0]!).find((tag) => tag in languages) ?? 'en';
  const files = async (tag: string) => {
    const found = languages[tag]!;
    return merge(typeof found === 'function' ? await found() : found);
  };
  const resources = { en: { translation: await files('en') }, [wanted]: { translation: await files(wanted) } };
  await i18next.init({ lng: wanted, fallbackLng: 'en', resources, interpolation: { escapeValue: false } });
  document.documentElement.lang = wanted;
}
