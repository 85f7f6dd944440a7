import { t } from '../components/i18n.ts';
import { Glyph } from '../components/icons.tsx';
import { Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction } from '../components/resource.ts';
import { LanguageChoice } from './language.tsx';
import { mainNav, pagesIn } from './nav.tsx';
import { useTables } from './route.tsx';
import { me, signOut } from './session.ts';

/** Everything that this person can open, on one page: what the bar of a phone has no room for. */
export function Menu() {
  const leave = useAction(signOut);
  const { pages } = useTables();
  const person = me.value;
  if (!person) return null;
  return (
    <>
      <Title>{t('nav.menu')}</Title>
      <ProblemPanel error={leave.error} what={t('session.signOutFailed')} />
      <p class="muted">
        {person.name}, {person.company.name}
      </p>
      <div class="panel flex flex-col gap-4">
        <ul>
          {mainNav(pages, person).map((item) => (
            <li key={item.href}>
              <a class="flex min-h-11 items-center gap-3 font-semibold" href={item.href}>
                <Glyph icon={item.icon} />
                {t(item.label)}
              </a>
              {item.also.length > 0 && (
                <ul class="pl-9">
                  {(['company', 'account'] as const)
                    .flatMap((place) => pagesIn(pages, place, person))
                    .filter((route) => route.path === item.href || item.also.includes(route.path))
                    .map((route) => (
                      <li key={route.path}>
                        <a class="flex min-h-11 items-center" href={route.path}>
                          {t(route.nav.label)}
                        </a>
                      </li>
                    ))}
                </ul>
              )}
            </li>
          ))}
        </ul>
        <a class="flex min-h-11 items-center gap-3 font-semibold" href="/help">
          <Glyph icon="help" />
          {t('nav.help')}
        </a>
        <LanguageChoice />
        <button type="button" class="btn self-start" onClick={() => leave.run()}>
          {t('nav.signOut')}
        </button>
      </div>
    </>
  );
}
