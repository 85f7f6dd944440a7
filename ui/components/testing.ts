import { readFileSync } from 'node:fs';
import { setLanguage } from './i18n.ts';

const read = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../locales/en/${name}.json`, import.meta.url), 'utf8'));

/** Every string file of one language as it is on disk. */
export const english = { common: read('common'), portal: read('portal'), setup: read('setup') };

/** For tests of words: English, without a browser. */
export const speakEnglish = () => setLanguage('en', Object.values(english), Object.values(english));
