import { useLocation } from 'preact-iso';
import type { Site } from '../../protocol/wire/api.ts';
import { t } from '../components/i18n.ts';
import { Empty, Skeleton, Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { useResource } from '../components/resource.ts';
import { api } from './session.ts';

/** Where a box's QR code leads: choose the site that the box belongs to. */
export function ClaimFromLink() {
  const { url } = useLocation();
  const search = new URL(url, location.origin).search;
  const sites = useResource((signal) => api.get<{ items: Site[] }>('/sites', { signal }), []);
  return (
    <>
      <Title>{t('claim.chooseSite')}</Title>
      <ProblemPanel error={sites.error} what={t('sites.failed')} retry={sites.reload} />
      {!sites.data && !sites.error && <Skeleton />}
      {sites.data?.items.length === 0 && <Empty title={t('sites.none')}>{t('sites.noneNext')}</Empty>}
      <ul class="panel flex flex-col gap-2 empty:hidden">
        {sites.data?.items.map((site) => (
          <li key={site.id}>
            <a class="link" href={`/sites/${site.id}/claim${search}`}>
              {site.name}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
