import type { ComponentChildren } from 'preact';
import { COUNTRIES } from '../../../protocol/wire/countries.ts';
import { Choice, Field } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { locale, t } from '../../components/i18n.ts';
import { Logo } from '../../components/icons.tsx';
import { me } from '../session.ts';

/** A page before the portal: alone in the window, or inside it for who is signed in. */
export function Entrance({ children }: { children: ComponentChildren }) {
  if (me.value) return <div class="panel flex max-w-xl flex-col gap-4">{children}</div>;
  return (
    <main id="main" class="mx-auto flex max-w-md flex-col gap-6 p-4 pt-8 md:pt-16">
      <div class="flex items-center gap-3 text-lg font-semibold">
        <Logo size={32} /> Gatepost
      </div>
      <div class="panel flex flex-col gap-4">{children}</div>
      <p>
        <a class="link" href="/">
          {t('register.toSignIn')}
        </a>
      </p>
    </main>
  );
}

/** A password that is chosen: its rules are said before it is refused. */
export function NewPassword({ error, name = 'password' }: { error: ApiError | null; name?: string }) {
  return (
    <Field
      label={t('register.password')}
      name={name}
      type="password"
      required
      autoComplete="new-password"
      hint={t('register.passwordHint')}
      minLength={10}
      maxLength={128}
      error={error}
    />
  );
}

/** Countries by their name in the language of the page; the browser's own first. */
export function CountryChoice({ error }: { error?: ApiError | null }) {
  const names = new Intl.DisplayNames([locale()], { type: 'region' });
  const own = new Intl.Locale(navigator.language).maximize().region ?? 'DE';
  const options = COUNTRIES.map((code) => [code, names.of(code) ?? code] as const).sort((a, b) =>
    a[1].localeCompare(b[1], locale()),
  );
  const wrong = error?.fields.some((field) => field.path === 'country');
  return (
    <Choice
      label={t('register.country')}
      name="country"
      value={COUNTRIES.includes(own) ? own : 'DE'}
      options={options}
      {...(wrong ? { hint: t('register.countryWrong') } : {})}
    />
  );
}

/** The secret at the end of a link's address: no server sees it. */
export const linkSecret = (): string => location.hash.slice(1);
