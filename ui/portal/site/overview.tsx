import { t } from '../../components/i18n.ts';
import { type Level, Mark, State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { assess, glanceText } from './assess.ts';
import { BoxPanel } from './box-panel.tsx';
import { useLive, useSite } from './context.ts';
import { EventTable } from './event-table.tsx';
import { followEvents } from './lists.ts';
import { Barred } from './parts.tsx';
import { mayManage, sees } from './rights.ts';

/** "Is everything all right?" in one glance, then what to do, then how things are connected. */
export function Overview() {
  const { site } = useSite();
  if (sees(site.data!)) return <Seen />;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('site.tab.overview')}</Title>
      <Barred />
    </>
  );
}

function Seen() {
  const { boxes, devices, base, site, siteId } = useSite();
  const arc = useResource((signal) => api.get('/sites/{siteId}/arc', { params: { siteId }, signal }), [siteId]);
  useLive((message) => message.event === 'box' && arc.reload());
  const all = boxes.data?.items ?? [];
  const shown = all.filter((box) => box.state !== 'revoked');
  const revoked = all.filter((box) => box.state === 'revoked');
  return (
    <>
      <Glance />
      <ProblemPanel error={boxes.error} what={t('box.listFailed')} retry={boxes.reload} />
      <ProblemPanel error={devices.error} what={t('devices.failed')} retry={devices.reload} />
      <ProblemPanel error={arc.error} what={t('arc.failed')} retry={arc.reload} />
      {boxes.loading && !boxes.data && <Skeleton lines={6} />}
      {shown.map((box) => (
        <BoxPanel
          key={box.serial}
          box={box}
          devices={devices.data?.items}
          accounts={arc.data?.items.filter((account) => account.boxSerial === box.serial)}
        />
      ))}
      {shown.length > 0 && <Latest />}
      {shown.length > 0 && mayManage(site.data!) && (
        <p>
          <a class="link" href={`${base}/claim`}>
            {t('box.addAnother')}
          </a>
        </p>
      )}
      {revoked.length > 0 && (
        <p class="muted">
          {t('box.revokedList')}:{' '}
          {revoked.map((box) => (
            <code key={box.serial} class="mono mr-2 select-all">
              {box.serial}
            </code>
          ))}
        </p>
      )}
    </>
  );
}

/** The last few events, as they come. */
function Latest() {
  const { base, siteId } = useSite();
  const list = useResource(
    (signal) => api.get('/sites/{siteId}/events', { params: { siteId }, query: { limit: 5 }, signal }),
    [siteId],
  );
  useLive((message) => {
    if (message.event === 'hello') list.reload();
    list.set((page) => ({ ...page, items: followEvents(page.items, message, undefined).slice(0, 5) }));
  });
  return (
    <Panel
      title={t('events.latest')}
      action={
        <a class="link" href={`${base}/events`}>
          {t('events.seeAll')}
        </a>
      }
    >
      <ProblemPanel error={list.error} what={t('events.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton />}
      {list.data?.items.length === 0 && <Empty title={t('events.none')}>{t('events.noneNext')}</Empty>}
      {list.data && list.data.items.length > 0 && <EventTable items={list.data.items} />}
    </Panel>
  );
}

function Glance() {
  const { site, boxes, devices, base } = useSite();
  const found = assess({ ...site.data!, boxes: boxes.data?.items ?? site.data!.boxes }, devices.data?.items ?? null);
  return (
    <section class="panel flex gap-4 md:gap-6" aria-label={t('glance.label')}>
      <span class="shrink-0 md:hidden">
        <Mark level={found.level} size={32} />
      </span>
      <span class="hidden shrink-0 md:block">
        <Mark level={found.level} size={56} />
      </span>
      <div class="min-w-0 grow">
        <div aria-live="polite">
          <Title suffix={`${site.data!.name} · Gatepost`}>{glanceText(found)}</Title>
        </div>
        {found.level === 'well' && (
          <p class="muted">{t('glance.wellText', { count: devices.data?.items.length ?? site.data!.deviceCount })}</p>
        )}
        {found.level === 'unknown' && (
          <div class="flex flex-col items-start gap-3">
            <p class="muted max-w-prose">{t('glance.noBoxText')}</p>
            {mayManage(site.data!) && (
              <a class="btn btn-primary" href={`${base}/claim`}>
                {t('claim.title')}
              </a>
            )}
          </div>
        )}
        {found.items.length > 0 && (
          <ul class="mt-2 flex flex-col divide-y divide-base-300">
            {found.items.map((item) => (
              <li key={item.key} class="flex flex-wrap items-baseline justify-between gap-x-6 py-2">
                <State level={SEVERITY[item.severity]}>
                  {say(item.text)} <code class="mono muted small select-all">{item.code}</code>
                </State>
                <span class="flex gap-4 pl-6">
                  {item.since && (
                    <span class="muted small">
                      {t('time.since')} <Time at={item.since} />
                    </span>
                  )}
                  {item.to?.startsWith('/') && (
                    <a class="link small" href={base + item.to}>
                      {t('glance.open')}
                      <span class="sr-only">: {say(item.text)}</span>
                    </a>
                  )}
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
const SEVERITY: Record<'info' | 'warning' | 'error', Level> = { info: 'info', warning: 'attention', error: 'problem' };

export const NoBox = () => {
  const { base, site } = useSite();
  return (
    <Empty title={t('glance.noBox')}>
      <p>{t('glance.noBoxText')}</p>
      {mayManage(site.data!) && (
        <a class="link" href={`${base}/claim`}>
          {t('claim.title')}
        </a>
      )}
    </Empty>
  );
};
