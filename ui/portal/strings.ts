import type { Language, StringFile } from '../components/i18n.ts';

const files = import.meta.glob<object>('../locales/*/*.json', { import: 'default' });

/** One file of strings, a chunk of its own; English where the language has not got it. */
export const loadStrings = (language: Language, file: StringFile): Promise<object> =>
  (files[`../locales/${language}/${file}.json`] ?? files[`../locales/en/${file}.json`]!)();
