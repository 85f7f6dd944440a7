import { useState } from 'preact/hooks';
import { t } from '../../components/i18n.ts';
import { Panel, Title } from '../../components/page.tsx';
import { mainNav } from '../nav.tsx';
import { refused, useTables } from '../route.tsx';
import { me } from '../session.ts';
import { shortcutsOn, switchShortcuts } from '../shortcuts.ts';

/** The keys that go somewhere, and the switch for them. */
export function Help() {
  const [on, setOn] = useState(shortcutsOn());
  const { pages } = useTables();
  const person = me.value;
  if (!person) return null;
  const searches = pages.some((route) => route.path === '/search' && refused(route, person) === null);
  const keys: [keys: string[], text: string][] = [
    ...mainNav(pages, person).flatMap(({ letter, label }): [string[], string][] =>
      letter ? [[['g', letter], t(label)]] : [],
    ),
    ...(searches ? [[['/'], t('help.search')] as [string[], string]] : []),
    [['?'], t('help.help')],
    [['Tab'], t('help.tab')],
  ];
  return (
    <>
      <Title>{t('help.title')}</Title>
      <Panel title={t('help.keys')}>
        <dl class="facts">
          {keys.map(([list, text]) => (
            <>
              <dt key={text}>
                {list.map((key) => (
                  <kbd key={key} class="mono mr-1 rounded border border-neutral px-2">
                    {key}
                  </kbd>
                ))}
              </dt>
              <dd>{text}</dd>
            </>
          ))}
        </dl>
        <label class="mt-4 flex min-h-11 items-center gap-3">
          <input
            type="checkbox"
            class="checkbox"
            checked={on}
            onChange={(event) => {
              switchShortcuts(event.currentTarget.checked);
              setOn(event.currentTarget.checked);
            }}
          />
          {t('help.on')}
        </label>
        <p class="muted small">{t('help.onHint')}</p>
      </Panel>
      <p>
        <a class="link" href="/compatibility">
          {t('nav.compat')}
        </a>
      </p>
    </>
  );
}
