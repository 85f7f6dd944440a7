import { signal } from '@preact/signals';
import type { Askable, SiteAccess } from '../../../protocol/wire/handover.ts';
import { t } from '../../components/i18n.ts';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { Left } from '../handover/words.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { ProviderCard } from './provider.tsx';
import { useAgain } from './use-again.ts';

type Item = SiteAccess['items'][number];
/** What is being taken back while that can still be undone. */
const taking = signal<readonly string[]>([]);
const keyOf = (siteId: string, item: Item) => `${siteId} ${item.company.id} ${item.deviceId} ${item.permission}`;

/** Who may do what at one's own site now, with the way to take it back. */
export function Access() {
  const { siteId, site } = useSite();
  const access = useResource((signal) => api.get('/sites/{siteId}/access', { params: { siteId }, signal }), [siteId]);
  useAgain(access.reload);
  const take = (items: Item[], what: string) => {
    const keys = items.map((item) => keyOf(siteId, item));
    const back = () => {
      taking.value = taking.value.filter((key) => !keys.includes(key));
      access.reload();
    };
    taking.value = [...taking.value, ...keys];
    withUndo({
      text: t('customer.access.taken', { what }),
      failed: t('customer.access.takeFailed', { what }),
      run: async (leaving) => {
        const body = {
          companyId: items[0]!.company.id,
          items: items.map(({ deviceId, permission }) => ({ deviceId, permission: permission as Askable })),
        };
        await api.post('/sites/{siteId}/access/withdraw', body, { params: { siteId }, keepalive: leaving });
        site.reload();
        back();
      },
      back,
    });
  };
  const shown = (access.data?.items ?? []).filter((item) => !taking.value.includes(keyOf(siteId, item)));
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('customer.access.title')}</Title>
      <ProblemPanel error={access.error} what={t('customer.access.failed')} retry={access.reload} />
      {!access.data && !access.error && <Skeleton />}
      {access.data && shown.length === 0 && (
        <Empty title={t('customer.access.none')}>{t('customer.access.noneNext')}</Empty>
      )}
      {[...Map.groupBy(shown, (item) => item.company.id)].map(([id, items]) => {
        const { name } = items[0]!.company;
        const removable = items.filter((item) => item.mayWithdraw);
        return (
          <Panel
            key={id}
            title={name}
            action={
              removable.length > 1 && (
                <button
                  type="button"
                  class="btn"
                  onClick={() => take(removable, t('customer.access.everything', { company: name }))}
                >
                  {t('customer.access.takeAll')}
                </button>
              )
            }
          >
            <ul class="flex flex-col divide-y divide-base-300">
              {items.map((item) => (
                <li key={keyOf(siteId, item)} class="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2">
                  <span>
                    {wordsOf(item)}
                    {item.mayWithdraw && (
                      <span class="muted small block">
                        {item.until ? (
                          <Left until={item.until} onEnd={access.reload} />
                        ) : (
                          t('customer.access.permanent')
                        )}
                      </span>
                    )}
                  </span>
                  {item.mayWithdraw && (
                    <button
                      type="button"
                      class="btn"
                      aria-label={t('customer.access.takeWhat', { what: wordsOf(item) })}
                      onClick={() => take([item], nameOf(item))}
                    >
                      {t('customer.access.take')}
                    </button>
                  )}
                </li>
              ))}
            </ul>
          </Panel>
        );
      })}
      <ProviderCard siteId={siteId} />
    </>
  );
}

const isAskable = (permission: string): permission is Askable =>
  ['manage', 'configure', 'live', 'playback', 'services', 'system'].includes(permission);

function nameOf({ permission, deviceName }: Item): string {
  const name = isAskable(permission) ? t(`handover.ask.${permission}`) : permission;
  return deviceName ? t('handover.held.ofDevice', { permission: name, device: deviceName }) : name;
}

function wordsOf(item: Item): string {
  if (item.permission === 'list') return t('customer.access.sees');
  if (item.permission === 'view') return t('customer.access.seesState');
  const what = isAskable(item.permission) ? t(`handover.askMeans.${item.permission}`) : item.permission;
  const words = t('customer.access.may', { what });
  return item.deviceName ? `${item.deviceName}: ${words}` : words;
}
