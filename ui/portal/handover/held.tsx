import { signal } from '@preact/signals';
import type { HeldPermission, SitePermissions } from '../../../protocol/wire/handover.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel } from '../../components/page.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { Left } from './words.tsx';

/** What is being given back while that can still be undone. */
const releasing = signal<readonly string[]>([]);
const keyOf = (siteId: string, item: HeldPermission) => `${siteId} ${item.deviceId} ${item.permission}`;

const LEVEL = { granted: 'well', applied: 'working', none: 'unknown' } as const;

export const whatOf = ({ permission, deviceName }: Pick<HeldPermission, 'permission' | 'deviceName'>): string =>
  deviceName === null
    ? t(`handover.ask.${permission}`)
    : t('handover.held.ofDevice', { permission: t(`handover.ask.${permission}`), device: deviceName });

/** What the company may do at a site of a customer, until when; give back, ask for more. */
export function HeldPermissions({ held, reload }: { held: SitePermissions; reload: () => void }) {
  const { base } = useSite();
  const authorization = held.items.find((item) => item.permission === (held.type === 'team' ? 'services' : 'manage'));
  const others = held.items.filter((item) => item !== authorization);
  const canApply = others.some((item) => item.mayApply);
  return (
    <>
      {authorization && held.owner && <Authorization item={authorization} held={held} reload={reload} />}
      <Panel
        title={t('handover.held.title')}
        action={
          canApply && (
            <a class="btn" href={`${base}/customer/apply`}>
              {t('handover.held.apply')}
            </a>
          )
        }
      >
        {canApply && <p class="muted mb-2">{t('handover.held.applyText')}</p>}
        <table class="rows">
          <thead>
            <tr>
              <th>{t('handover.held.device')}</th>
              {[...new Set(others.map((item) => item.permission))].map((permission) => (
                <th key={permission}>{t(`handover.ask.${permission}`)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[...Map.groupBy(others, (item) => item.deviceId)].map(([deviceId, items]) => (
              <tr key={deviceId ?? ''}>
                <td class="wide font-semibold">{items[0]!.deviceName ?? t('handover.held.site')}</td>
                {items.map((item) => (
                  <td key={item.permission} data-label={t(`handover.ask.${item.permission}`)}>
                    <Held item={item} siteId={held.siteId} reload={reload} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
    </>
  );
}

function Held({ item, siteId, reload }: { item: HeldPermission; siteId: string; reload: () => void }) {
  if (releasing.value.includes(keyOf(siteId, item)))
    return <State level="working">{t('handover.held.releasing')}</State>;
  return (
    <span class="flex flex-col items-start gap-1">
      <State level={LEVEL[item.state]}>
        {t(`handover.held.${item.state}`)}
        {item.state === 'granted' && (
          <span class="muted">
            {', '}
            {item.until ? <Left until={item.until} onEnd={reload} /> : t('handover.held.permanent')}
          </span>
        )}
      </State>
      {item.mayRelease && (
        <button
          type="button"
          class="link small"
          aria-label={t('handover.held.releaseWhat', { what: whatOf(item) })}
          onClick={() => release(siteId, item, reload)}
        >
          {t('handover.held.release')}
        </button>
      )}
    </span>
  );
}

function release(siteId: string, item: HeldPermission, reload: () => void): void {
  const what = whatOf(item);
  const key = keyOf(siteId, item);
  const back = () => {
    releasing.value = releasing.value.filter((other) => other !== key);
    reload();
  };
  releasing.value = [...releasing.value, key];
  withUndo({
    text: t('handover.held.released', { what }),
    failed: t('handover.held.releaseFailed', { what }),
    run: async (leaving) => {
      const items = [{ deviceId: item.deviceId, permission: item.permission }];
      await api.post('/sites/{siteId}/permissions/release', { items }, { params: { siteId }, keepalive: leaving });
      back();
    },
    back,
  });
}

/** The owner's consent that the company manages the site. */
function Authorization({ item, held, reload }: { item: HeldPermission; held: SitePermissions; reload: () => void }) {
  const { base } = useSite();
  return (
    <Panel title={t('handover.held.authorization')}>
      <div class="flex flex-col items-start gap-3">
        <Held item={item} siteId={held.siteId} reload={reload} />
        {item.state !== 'granted' && <p class="muted max-w-prose">{t('handover.held.authorizationText')}</p>}
        {item.state === 'applied' && <p>{t('handover.held.authorizationApplied')}</p>}
        {item.mayApply && (
          <a class="btn btn-primary" href={`${base}/customer/authorization`}>
            {t('handover.held.authorizationApply')}
          </a>
        )}
        {item.state === 'none' && !item.mayApply && <p>{t('handover.held.authorizationNotYours')}</p>}
      </div>
    </Panel>
  );
}
