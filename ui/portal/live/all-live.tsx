import { useLocation } from 'preact-iso';
import type { Device, Site } from '../../../protocol/wire/api.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { useAgain } from '../customer/use-again.ts';
import { api } from '../session.ts';
import { sees } from '../site/rights.ts';
import { LiveGrid } from './grid.tsx';
import { targetsOf } from './targets.ts';

/** Devices of so many sites are read at once; of more, one site is chosen. */
const MAX_SITES = 20;

/** Every camera of all of a customer's sites. */
export function AllLive() {
  const { path, query, route } = useLocation();
  const sites = useResource(async (signal) => (await api.get('/sites', { query: { limit: 200 }, signal })).items, []);
  const asked = sites.data?.filter((site) => site.id === query.site) ?? [];
  const chosen = (asked.length > 0 ? asked : (sites.data ?? [])).slice(0, MAX_SITES);
  const devices = useResource(
    (signal) =>
      Promise.all(
        chosen.map(async (site): Promise<{ site: Site; devices: Device[] }> => {
          const { items } = await api.get('/sites/{siteId}/devices', { params: { siteId: site.id }, signal });
          return { site, devices: items };
        }),
      ),
    [chosen.map((site) => site.id).join()],
  );
  // Cameras come and go; here is no live connection for all sites at once.
  useAgain(() => {
    sites.reload();
    devices.reload();
  });
  const now = new Map(sites.data?.map((site) => [site.id, site]));
  const targets = devices.data?.flatMap(({ site, devices }) => {
    const fresh = now.get(site.id) ?? site;
    return targetsOf(fresh, devices, sees(fresh) ? fresh.boxes : null).map((target) =>
      chosen.length > 1 ? { ...target, name: `${site.name} · ${target.name}` } : target,
    );
  });
  return (
    <>
      <Title>{t('liveView.title')}</Title>
      {[sites, devices].map((part, i) => (
        <ProblemPanel key={String(i)} error={part.error} what={t('liveView.failed')} retry={part.reload} />
      ))}
      {(sites.data?.length ?? 0) > 1 && (
        <div class="max-w-md">
          <Choice
            label={t('liveView.site.label')}
            name="site"
            value={asked[0]?.id ?? ''}
            onChange={(id) => route(id ? `${path}?site=${id}` : path)}
            options={[['', t('liveView.site.all')], ...sites.data!.map((site) => [site.id, site.name] as const)]}
          />
        </div>
      )}
      {!targets && !sites.error && !devices.error && <Skeleton lines={8} />}
      {sites.data?.length === 0 && <Empty title={t('liveView.noSite')}>{t('liveView.noSiteNext')}</Empty>}
      {targets && sites.data && sites.data.length > 0 && <LiveGrid targets={targets} />}
    </>
  );
}
