import { useLocation } from 'preact-iso';
import type { Site } from '../../protocol/wire/api.ts';
import { Choice, Field, Form, Submit } from '../components/form.tsx';
import { t } from '../components/i18n.ts';
import { State } from '../components/icons.tsx';
import { Empty, Skeleton, Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction, useResource } from '../components/resource.ts';
import { viewerZone } from '../components/time.ts';
import { Time, Zone } from '../components/time.tsx';
import { api } from './session.ts';
import { type Assessment, assess, byUrgency, glanceText } from './site/assess.ts';

/** Home: every site, what needs attention first. */
export function Sites() {
  const sites = useResource((signal) => api.get<{ items: Site[] }>('/sites', { signal }), []);
  const rows = (sites.data?.items ?? []).map((site) => ({ site, found: assess(site, null) })).sort(byUrgency);
  const urgent = rows.filter((row) => row.found.items.length > 0).length;
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('sites.title')}</Title>
        <a class="btn" href="/sites/new">
          {t('sites.new')}
        </a>
      </div>
      <ProblemPanel error={sites.error} what={t('sites.failed')} retry={sites.reload} />
      {sites.loading && !sites.data && <Skeleton lines={6} />}
      {sites.data && rows.length === 0 && <Empty title={t('sites.none')}>{t('sites.noneNext')}</Empty>}
      {rows.length > 0 && (
        <p class="text-lg">
          <State level={urgent ? 'attention' : 'well'}>
            {urgent ? t('sites.attention', { count: urgent }) : t('sites.allWell', { count: rows.length })}
          </State>
        </p>
      )}
      <ul class="flex flex-col gap-4">
        {rows.map(({ site, found }) => (
          <SiteCard key={site.id} site={site} found={found} />
        ))}
      </ul>
    </>
  );
}

function SiteCard({ site, found }: { site: Site; found: Assessment }) {
  return (
    <li class="panel grid gap-x-8 gap-y-2 md:grid-cols-[2fr_3fr]">
      <div>
        <h2>
          <a class="link" href={`/sites/${site.id}`}>
            {site.name}
          </a>
        </h2>
        <p class="muted small">
          {t('sites.boxes', { count: site.boxes.filter((box) => box.state !== 'revoked').length })},{' '}
          {t('sites.devices', { count: site.deviceCount })} · {site.timeZone}
        </p>
      </div>
      <Zone.Provider value={site.timeZone}>
        <div>
          <State level={found.level}>
            <strong>{glanceText(found)}</strong>
          </State>
          {found.items.length > 0 && (
            <ul class="mt-1 flex flex-col gap-1 pl-6">
              {found.items.slice(0, 3).map((item) => (
                <li key={item.key}>
                  {item.text}{' '}
                  {item.since && (
                    <span class="muted small">
                      {t('time.since')} <Time at={item.since} />
                    </span>
                  )}
                </li>
              ))}
              {found.items.length > 3 && <li class="muted">{t('sites.more', { count: found.items.length - 3 })}</li>}
            </ul>
          )}
        </div>
      </Zone.Provider>
    </li>
  );
}

export function NewSite() {
  const { route } = useLocation();
  const create = useAction(async (fields: Record<string, string>) => {
    const site = await api.post<Site>('/sites', fields);
    route(`/sites/${site.id}`);
  });
  return (
    <>
      <Title>{t('sites.new')}</Title>
      <div class="panel flex max-w-xl flex-col gap-4">
        <ProblemPanel error={create.error} what={t('sites.createFailed')} focus />
        <Form onSubmit={create.run}>
          <Field label={t('sites.name')} name="name" required maxLength={64} error={create.error} autoComplete="off" />
          <Choice
            label={t('sites.zone')}
            hint={t('sites.zoneHint')}
            name="timeZone"
            value={viewerZone()}
            options={[...new Set([viewerZone(), 'UTC', ...Intl.supportedValuesOf('timeZone')])]
              .sort()
              .map((zone) => [zone, zone])}
          />
          <Submit busy={create.busy} doing={t('form.saving')}>
            {t('sites.create')}
          </Submit>
        </Form>
      </div>
    </>
  );
}
