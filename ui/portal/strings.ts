import type { Language, StringFile } from '../components/i18n.ts';

const START = ['common', 'portal', 'problems'] as const;
type Start = Record<(typeof START)[number], object>;

const starts = import.meta.glob<Start>('../locales/*/start.ts');
const others = import.meta.glob<object>(['../locales/*/*.json', '!../locales/*/{common,portal,problems,setup}.json'], {
  import: 'default',
});

const isStart = (file: StringFile): file is keyof Start => (START as readonly string[]).includes(file);

/** One file of strings, fetched with those that are always needed together; English where the language has not got it. */
export async function loadStrings(language: Language, file: StringFile): Promise<object> {
  if (isStart(file)) return (await starts[`../locales/${language}/start.ts`]!())[file];
  return (others[`../locales/${language}/${file}.json`] ?? others[`../locales/en/${file}.json`]!)();
}
