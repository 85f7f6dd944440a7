import { t } from '../../components/i18n.ts';
import { Mark } from '../../components/icons.tsx';
import { useResource } from '../../components/resource.ts';
import { INSTALLERS } from '../route.tsx';
import { api, me } from '../session.ts';
import { useSite } from './context.ts';

/** In the place of what may not be seen: why, and who can change that. */
export function Barred() {
  const { base, siteId } = useSite();
  const installer = INSTALLERS.some((type) => type === me.value?.company.type);
  const held = useResource(
    (signal) => (installer ? api.get('/sites/{siteId}/permissions', { params: { siteId }, signal }) : noItems),
    [siteId],
  );
  const some = !installer || held.data?.items.some((item) => item.state === 'granted');
  return (
    <section class="panel flex gap-3" aria-label={t('glance.barred')}>
      <span class="mt-1 shrink-0">
        <Mark level="unknown" />
      </span>
      <p>
        <strong>{t(some ? 'glance.barredPartly' : 'glance.barred')}.</strong>{' '}
        {installer && (
          <a class="link" href={`${base}/customer`}>
            {t('glance.askCustomer')}
          </a>
        )}
      </p>
    </section>
  );
}
const noItems = Promise.resolve({ items: [] as { state: string }[] });
