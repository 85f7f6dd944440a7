import { useEffect } from 'preact/hooks';
import type { Me } from '../../protocol/wire/api.ts';
import { Choice } from '../components/form.tsx';
import { isLanguage, LANGUAGES, type Language, language, setLanguage, t } from '../components/i18n.ts';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction } from '../components/resource.ts';
import { api, me } from './session.ts';

const STORED = 'gatepost.language';

/** The language last chosen in this browser. */
export function storedLanguage(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

export async function chooseLanguage(tag: Language): Promise<void> {
  await setLanguage(tag);
  try {
    localStorage.setItem(STORED, tag);
  } catch {
    // A browser that keeps nothing asks its own settings the next time.
  }
}

/** Of who is signed in, it is their setting: on every device, and in what is sent to them. */
async function chooseForPerson(tag: Language): Promise<void> {
  const person = me.value;
  if (person && person.locale !== tag) {
    await api.put('/me/profile', { name: person.name, locale: tag });
    me.value = { ...person, locale: tag };
  }
  await chooseLanguage(tag);
}

/** Speaks a person's language once it is known who they are. */
export function useLanguageOf(person: Me | null | undefined): void {
  const setting = person?.locale ?? '';
  useEffect(() => {
    if (isLanguage(setting) && setting !== language.value) chooseLanguage(setting).catch(() => {});
  }, [setting]);
}

/** Switches the language of every page at once. */
export function LanguageChoice() {
  const choose = useAction(chooseForPerson);
  return (
    <div class="max-w-60">
      <ProblemPanel error={choose.error} what={t('page.failed')} />
      <Choice
        label={t('nav.language')}
        name="language"
        options={Object.entries(LANGUAGES)}
        value={language.value}
        onChange={(tag) => choose.run(tag as Language)}
      />
    </div>
  );
}
