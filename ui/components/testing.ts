import { readdirSync, readFileSync } from 'node:fs';
import { type Language, type StringFile, startI18n } from './i18n.ts';

const folder = new URL('../locales/', import.meta.url);

/** The files of strings as they are on disk. */
export const stringFiles = readdirSync(new URL('en/', folder))
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length) as StringFile);

export const readStrings = (language: string, file: string): Record<string, object> =>
  JSON.parse(readFileSync(new URL(`${language}/${file}.json`, folder), 'utf8'));

/** For tests of words: one language, without a browser. */
export const speak = (language: Language) =>
  startI18n(async (tag, file) => readStrings(tag, file), stringFiles, language);
export const speakEnglish = () => speak('en');
