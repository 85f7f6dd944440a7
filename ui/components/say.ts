import { signal } from '@preact/signals';
import { language } from './i18n.ts';
import { type Say, type Sentences, sayer } from './sentences.ts';

const files = import.meta.glob<Sentences>('../locales/sentences/*/*.json', { import: 'default' });
const none: Say = (text) => text;

const spoken = signal<{ tag: string; say: Say }>({ tag: 'en', say: none });
let asked = '';

/** Fetches the sentences of the language that is spoken; English needs none. A page waits for nothing. */
export async function needSentences(): Promise<void> {
  const tag = language.value;
  if (tag === spoken.peek().tag || tag === asked) return;
  asked = tag;
  const own = Object.entries(files).filter(([path]) => path.includes(`/sentences/${tag}/`));
  try {
    const tables = await Promise.all(own.map(([, load]) => load()));
    if (language.value === tag) spoken.value = { tag, say: sayer(...tables) };
  } catch {
    // English until it is asked for again.
  }
  if (asked === tag) asked = '';
}

/** What relay or box said, in the language that is spoken as far as there are words for it (sentences.ts). */
export function say(text: string): string {
  const { tag, say } = spoken.value;
  if (tag === language.value) return say(text);
  void needSentences();
  return text;
}
