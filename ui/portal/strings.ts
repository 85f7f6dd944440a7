import type { Language, StringFile } from '../components/i18n.ts';
import * as english from '../locales/en/start.ts';

const START = ['common', 'portal', 'problems'] as const;
type Start = Record<(typeof START)[number], object>;

// English comes with the first script: one way to the relay and back less for most, 3 KB more for the others.
const starts = import.meta.glob<Start>(['../locales/*/start.ts', '!../locales/en/start.ts']);
const others = import.meta.glob<object>(['../locales/*/*.json', '!../locales/*/{common,portal,problems,setup}.json'], {
  import: 'default',
});

const isStart = (file: StringFile): file is keyof Start => (START as readonly string[]).includes(file);

/** One file of strings, fetched with those that are always needed together; English where the language has not got it. */
export async function loadStrings(language: Language, file: StringFile): Promise<object> {
  if (isStart(file)) return (language === 'en' ? english : await starts[`../locales/${language}/start.ts`]!())[file];
  return (others[`../locales/${language}/${file}.json`] ?? others[`../locales/en/${file}.json`]!)();
}
