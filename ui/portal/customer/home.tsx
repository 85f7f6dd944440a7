import type { Site } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { Mark } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { Time, Zone } from '../../components/time.tsx';
import { api } from '../session.ts';
import { assess, glanceText } from '../site/assess.ts';
import { More } from '../site/more.tsx';
import { keptToken } from './token.ts';
import { useAgain } from './use-again.ts';

const SITES = api.paged('/sites', { query: { limit: 50 } });

/** A customer's first page: what waits for an answer, then each site with one big state. */
export function CustomerHome() {
  const handovers = useResource((signal) => api.get('/handovers', { signal }), []);
  const passwords = useResource((signal) => api.get('/password-requests', { signal }), []);
  const requests = useResource((signal) => api.get('/requests', { query: { open: 'true', limit: 50 }, signal }), []);
  const shares = useResource((signal) => api.get('/shares', { query: { limit: 50 }, signal }), []);
  const sites = useResource((signal) => SITES.page(null, signal), []);
  useAgain(() => {
    for (const part of [handovers, requests, passwords, shares, sites]) part.reload();
  });
  const resets = (passwords.data?.items ?? []).filter((request) => request.state === 'open');
  const asked = (requests.data?.items.length ?? 0) + resets.length;
  const link = keptToken() && handovers.data?.items.length === 0;
  return (
    <>
      <Title>{t('customer.home.title')}</Title>
      {[handovers, requests, passwords, shares, sites].map((part, i) => (
        <ProblemPanel key={String(i)} error={part.error} what={t('customer.home.failed')} retry={part.reload} />
      ))}
      {handovers.data?.items.map(({ id, siteName, provider }) => (
        <Call
          key={id}
          text={t('customer.home.handover', { company: provider.name, site: siteName })}
          more={t('customer.home.handoverText')}
          href={`/handovers/${id}`}
          action={t('customer.home.handoverOpen')}
        />
      ))}
      {shares.data?.items
        .filter((share) => share.state === 'to-be-accepted')
        .map(({ id, siteName, company }) => (
          <Call
            key={id}
            text={t('customer.home.share', { company: company.name, site: siteName })}
            more={t('customer.home.shareText')}
            href="/shared-with-me"
            action={t('customer.home.shareOpen')}
          />
        ))}
      {link && (
        <Call
          text={t('customer.home.handoverLink')}
          more={t('customer.home.handoverText')}
          href="/handover"
          action={t('customer.home.handoverOpen')}
        />
      )}
      {asked > 0 && (
        <Call
          text={t('customer.home.requests', { count: asked })}
          more={[
            ...new Set([
              ...(requests.data?.items ?? []).map((one) => one.applicant.name),
              ...resets.map((one) => one.company.name),
            ]),
          ].join(', ')}
          href="/requests"
          action={t('customer.home.requestsOpen')}
        />
      )}
      {!sites.data && !sites.error && <Skeleton lines={6} />}
      {sites.data?.items.length === 0 && <Empty title={t('customer.home.none')}>{t('customer.home.noneNext')}</Empty>}
      {sites.data && sites.data.items.length > 0 && (
        <section aria-labelledby="sites-heading" class="flex flex-col gap-4">
          <h2 id="sites-heading">{t('customer.home.sites')}</h2>
          <ul class="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
            {sites.data.items.map((site) => (
              <SiteCard key={site.id} site={site} />
            ))}
          </ul>
          <More list={sites} paged={SITES} failed={t('customer.home.failed')} />
        </section>
      )}
    </>
  );
}

/** Something that waits for an answer. */
function Call({ text, more, href, action }: { text: string; more: string; href: string; action: string }) {
  return (
    <section class="panel flex flex-wrap items-center justify-between gap-4 border-primary" aria-label={text}>
      <div class="flex gap-3">
        <span class="mt-1 shrink-0">
          <Mark level="attention" size={20} />
        </span>
        <div>
          <p class="font-semibold">{text}</p>
          <p class="muted">{more}</p>
        </div>
      </div>
      <a class="btn btn-primary" href={href}>
        {action}
      </a>
    </section>
  );
}

function SiteCard({ site }: { site: Site }) {
  const found = assess(site, null);
  const base = `/sites/${site.id}`;
  return (
    <li class="panel flex flex-col gap-3">
      <Zone.Provider value={site.timeZone}>
        <div class="flex gap-4">
          <Mark level={found.level} size={48} />
          <div>
            <h3 class="text-lg">
              <a class="link" href={base}>
                {site.name}
              </a>
            </h3>
            <p class="font-semibold">{glanceText(found)}</p>
            <p class="muted small">{t('customer.home.devices', { count: site.deviceCount })}</p>
          </div>
        </div>
        {found.items.slice(0, 2).map((item) => (
          <p key={item.key}>
            {say(item.text)} {item.since && <Time at={item.since} />}
          </p>
        ))}
        <p class="mt-auto flex flex-wrap gap-x-4">
          <a class="link" href={`${base}/live`}>
            {t('site.tab.live')}
            <span class="sr-only">: {site.name}</span>
          </a>
          <a class="link" href={`${base}/events`}>
            {t('customer.home.events')}
            <span class="sr-only">: {site.name}</span>
          </a>
          {site.permissions.includes('own') && (
            <a class="link" href={`${base}/access`}>
              {t('customer.home.access')}
              <span class="sr-only">: {site.name}</span>
            </a>
          )}
        </p>
      </Zone.Provider>
    </li>
  );
}
