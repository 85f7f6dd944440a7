import { useRoute } from 'preact-iso';
import { t } from '../../components/i18n.ts';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { countryName, InformationFacts } from './information.tsx';

/** The ARC list: centres that serve where the company and its sites are (ARC-01, ARC-12). */
export function ArcListPage() {
  const list = useResource((signal) => api.get('/arcs', { signal }), []);
  const items = list.data?.items;
  return (
    <>
      <Title>{t('arcList.title')}</Title>
      <p class="muted max-w-prose">{t('arcList.text')}</p>
      <ProblemPanel error={list.error} what={t('arcList.failed')} retry={list.reload} />
      {!items && !list.error && <Skeleton lines={6} />}
      {items?.length === 0 && <Empty title={t('arcList.none')}>{t('arcList.noneNext')}</Empty>}
      {items && items.length > 0 && (
        <ul class="grid gap-4 md:grid-cols-2">
          {items.map((arc) => (
            <li key={arc.id} class="panel flex flex-col gap-2">
              <h2>
                <a class="link" href={`/arcs/${arc.id}`}>
                  {arc.name}
                </a>
              </h2>
              <p class="muted">
                {[countryName(arc.country), arc.information.certificates].filter(Boolean).join(' · ')}
              </p>
              <p>
                {t('arcList.serves')} {arc.information.countries.map(countryName).join(', ')}
              </p>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** One centre, for whoever thinks of entrusting a site to it. */
export function ArcPage() {
  const { arcId = '' } = useRoute().params;
  const arc = useResource((signal) => api.get('/arcs/{arcId}', { params: { arcId }, signal }), [arcId]);
  const { data } = arc;
  return (
    <>
      <Title>{data?.name ?? t('arcList.one')}</Title>
      <ProblemPanel error={arc.error} what={t('arcList.oneFailed')} retry={arc.reload} />
      {!data && !arc.error && <Skeleton lines={6} />}
      {data && (
        <div class="flex max-w-3xl flex-col gap-6">
          <Panel title={t('arcList.information')}>
            <InformationFacts information={data.information} />
            <p class="muted mt-4">
              {t('arcList.listed')} <Time at={data.listedAt} />
            </p>
          </Panel>
          <p class="max-w-prose">{t('arcList.how')}</p>
        </div>
      )}
      <p>
        <a class="link" href="/arcs">
          {t('arcList.all')}
        </a>
      </p>
    </>
  );
}
