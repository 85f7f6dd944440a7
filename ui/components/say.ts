import { signal } from '@preact/signals';
import { language } from './i18n.ts';
import { type Say, type Sentences, sayer } from './sentences.ts';

const files = import.meta.glob<Sentences>('../locales/sentences/*/*.json', { import: 'default' });
const none: Say = (text) => text;

const spoken = signal<{ tag: string; say: Say }>({ tag: 'en', say: none });
let coming: { tag: string; done: Promise<void> } | null = null;

async function fetchSentences(tag: string): Promise<void> {
  const own = Object.entries(files).filter(([path]) => path.includes(`/sentences/${tag}/`));
  try {
    const tables = await Promise.all(own.map(([, load]) => load()));
    if (language.value === tag) spoken.value = { tag, say: sayer(...tables) };
  } catch {
    // English until they are asked for again.
  }
  if (coming?.tag === tag) coming = null;
}

/** Fetches the sentences of the language that is spoken; English needs none. A page does not wait for them. */
export async function needSentences(): Promise<void> {
  const tag = language.value;
  if (tag === spoken.peek().tag) return;
  if (coming?.tag !== tag) coming = { tag, done: fetchSentences(tag) };
  await coming.done;
}

/** What relay or box said, in the language that is spoken as far as there are words for it (sentences.ts). */
export function say(text: string): string {
  const { tag, say } = spoken.value;
  if (tag === language.value) return say(text);
  void needSentences();
  return text;
}
