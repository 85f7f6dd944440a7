import type { Site } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Zone } from '../../components/time.tsx';
import { useAgain } from '../customer/use-again.ts';
import { api } from '../session.ts';
import { ClipCard, leaving } from './card.tsx';

const LATEST = 6;

/** A customer's sites, each with its latest clips. */
export function AllClips() {
  const sites = useResource(async (signal) => (await api.get('/sites', { query: { limit: 200 }, signal })).items, []);
  useAgain(() => sites.reload());
  return (
    <>
      <Title>{t('clips.all')}</Title>
      <ProblemPanel error={sites.error} what={t('clips.failed')} retry={sites.reload} />
      {!sites.data && !sites.error && <Skeleton lines={6} />}
      {sites.data?.length === 0 && <Empty title={t('clips.noSite')}>{t('clips.noSiteNext')}</Empty>}
      {sites.data?.map((site) => (
        <Latest key={site.id} site={site} />
      ))}
    </>
  );
}

function Latest({ site }: { site: Site }) {
  const clips = useResource(
    (signal) => api.get('/sites/{siteId}/clips', { params: { siteId: site.id }, query: { limit: LATEST }, signal }),
    [site.id],
  );
  useAgain(() => clips.reload());
  const base = `/sites/${site.id}`;
  const shown = clips.data?.items.filter(({ id }) => !leaving.value.includes(id));
  return (
    <Zone.Provider value={site.timeZone}>
      <section class="panel" aria-labelledby={`clips-${site.id}`}>
        <div class="mb-3 flex flex-wrap items-baseline justify-between gap-x-4">
          <h2 id={`clips-${site.id}`}>{site.name}</h2>
          <p class="flex flex-wrap gap-4">
            <a class="link" href={`${base}/clips`}>
              {t('clips.allOf', { site: site.name })}
            </a>
            <a class="link" href={`${base}/events`}>
              {t('clips.eventsOf', { site: site.name })}
            </a>
          </p>
        </div>
        <ProblemPanel error={clips.error} what={t('clips.failed')} retry={clips.reload} />
        {!clips.data && !clips.error && <Skeleton lines={3} />}
        {shown?.length === 0 && <p class="muted">{t('clips.none')}</p>}
        {shown && shown.length > 0 && (
          <ul class="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
            {shown.map((clip) => (
              <ClipCard key={clip.id} clip={clip} href={`${base}/clips/${clip.id}`} />
            ))}
          </ul>
        )}
      </section>
    </Zone.Provider>
  );
}
