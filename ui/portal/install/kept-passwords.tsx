import { useState } from 'preact/hooks';
import type { KeptPassword } from '../../../protocol/wire/activation.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { Copyable } from '../../components/serial.tsx';
import { Time } from '../../components/time.tsx';
import { api, me } from '../session.ts';
import { useSite } from '../site/context.ts';
import type { Found } from './found.ts';

/** The devices whose first password is kept, to be looked up one by one. */
export function Kept({ items, found }: { items: KeptPassword[]; found: Found[] }) {
  const mayShow = me.value?.admin || me.value?.permissions.includes('configure-devices');
  return (
    <Panel title={t('activation.keptList')} id="kept">
      <p class="muted max-w-prose">{t(mayShow ? 'activation.keptText' : 'activation.keptNeeds')}</p>
      <ul class="mt-2 flex flex-col divide-y divide-base-300">
        {items.map((item) => (
          <KeptRow
            key={item.mac}
            item={item}
            model={found.find((device) => device.mac === item.mac)?.model ?? ''}
            mayShow={mayShow === true}
          />
        ))}
      </ul>
    </Panel>
  );
}

function KeptRow({ item, model, mayShow }: { item: KeptPassword; model: string; mayShow: boolean }) {
  const { siteId } = useSite();
  const [login, setLogin] = useState<{ username: string; password: string } | null>(null);
  const show = useAction(async () => {
    const params = { siteId, mac: item.mac };
    setLogin(await api.post('/sites/{siteId}/activations/{mac}/reveal', undefined, { params }));
  });
  const name = `${model} ${item.mac}`.trim();
  return (
    <li class="flex flex-col gap-2 py-3">
      <div class="flex flex-wrap items-center justify-between gap-2">
        <span>
          {model && `${model} `}
          <span class="mono">{item.mac}</span>
          {item.activatedAt && (
            <span class="muted small">
              {' '}
              {t('time.since')} <Time at={item.activatedAt} />
            </span>
          )}
        </span>
        {mayShow && (
          <button
            type="button"
            class="btn"
            aria-disabled={show.busy}
            onClick={() => (login ? setLogin(null) : show.run())}
          >
            {t(login ? 'activation.hide' : show.busy ? 'activation.showing' : 'activation.show')}
            <span class="sr-only"> {name}</span>
          </button>
        )}
      </div>
      {!item.certain && <State level="attention">{t('activation.keptUncertain')}</State>}
      <ProblemPanel error={show.error} what={t('activation.showFailed')} />
      <div role="status" class="empty:hidden">
        {login && (
          <Facts
            items={[
              [
                t('activation.username'),
                <Copyable key="username" text={login.username} label={t('activation.username')} />,
              ],
              [
                t('activation.password'),
                <Copyable key="password" text={login.password} label={t('activation.password')} />,
              ],
            ]}
          />
        )}
      </div>
    </li>
  );
}
