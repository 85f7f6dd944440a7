import { Choice } from '../components/form.tsx';
import { LANGUAGES, type Language, language, setLanguage, t } from '../components/i18n.ts';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction } from '../components/resource.ts';

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

/** Switches the language of every page at once. */
export function LanguageChoice() {
  const choose = useAction(chooseLanguage);
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
