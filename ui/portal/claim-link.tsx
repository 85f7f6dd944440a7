import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { t } from '../components/i18n.ts';
import { Empty, Skeleton, Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { api } from './session.ts';
import { useList } from './sites/lists.ts';
import { MoreButton, SearchField } from './sites/parts.tsx';

/** Where a box's QR code leads: choose the site that the box belongs to. */
export function ClaimFromLink() {
  const { url } = useLocation();
  const search = new URL(url, location.origin).search;
  const [q, setQ] = useState('');
  const { list: sites, more } = useList(api.paged('/sites', { query: { q: q || undefined } }));
  return (
    <>
      <Title>{t('claim.chooseSite')}</Title>
      <div class="max-w-xl">
        <SearchField value={q} label={t('sites.search')} onSearch={setQ} />
      </div>
      <ProblemPanel error={sites.error} what={t('sites.failed')} retry={sites.reload} />
      {!sites.data && !sites.error && <Skeleton />}
      {sites.data?.items.length === 0 && (
        <Empty title={t(q ? 'sites.noneFound' : 'sites.none')}>
          {t(q ? 'sites.noneFoundNext' : 'sites.noneYours')}
        </Empty>
      )}
      <ul class="panel flex flex-col gap-2 empty:hidden">
        {sites.data?.items.map((site) => (
          <li key={site.id}>
            <a class="link" href={`/sites/${site.id}/claim${search}`}>
              {site.name}
            </a>
          </li>
        ))}
      </ul>
      <MoreButton list={sites} more={more} failed={t('sites.failed')} />
    </>
  );
}
