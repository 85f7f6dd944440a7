import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { between, formatDuration } from '../../components/time.ts';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { useLive, useSite } from './context.ts';
import { followAlarms } from './lists.ts';
import { More } from './more.tsx';

const LEVEL = { acknowledged: 'well', waiting: 'working', failed: 'problem' } as const;

const MAX_SHOWN = 2000;

/** What was said to the ARC, newest first: by which way, in how many tries, how late. */
export function Alarms() {
  const { base, site, siteId, devices } = useSite();
  const paged = api.paged('/sites/{siteId}/alarms', { params: { siteId }, query: { limit: 50 } });
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
  useLive((message) => {
    if (message.event === 'hello' || (list.data && list.data.items.length > MAX_SHOWN)) return list.reload();
    list.set((page) => ({ ...page, items: followAlarms(page.items, message) }));
  });
  const nameOf = (id: string | null) => devices.data?.items.find((device) => device.id === id)?.name;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('alarms.title')}</Title>
      <ProblemPanel error={list.error} what={t('alarms.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={9} />}
      {list.data?.items.length === 0 && (
        <Empty title={t('alarms.none')}>
          {t('alarms.noneNext')}{' '}
          <a class="link" href={`${base}/arc`}>
            {t('arc.title')}
          </a>
        </Empty>
      )}
      {list.data && list.data.items.length > 0 && (
        <div class="panel py-1 md:py-2">
          <table class="rows">
            <thead>
              <tr>
                <th>{t('events.time')}</th>
                <th>{t('alarm.message')}</th>
                <th>{t('events.device')}</th>
                <th>{t('alarm.account')}</th>
                <th>{t('alarm.codeZone')}</th>
                <th>{t('alarm.stateName')}</th>
                <th>{t('alarm.pathName')}</th>
                <th>{t('alarm.triesName')}</th>
                <th>{t('alarm.delay')}</th>
              </tr>
            </thead>
            <tbody>
              {list.data.items.map((alarm) => (
                <tr key={alarm.id}>
                  <td data-label={t('events.time')}>
                    <Time at={alarm.occurredAt} />
                  </td>
                  <td data-label={t('alarm.message')}>
                    {alarm.origin === 'relay' ? (
                      t(alarm.kind === 'restore' ? 'alarm.ownRestore' : 'alarm.ownLoss')
                    ) : alarm.kind === 'test' ? (
                      t('alarm.kind.test')
                    ) : (
                      <a class="link font-semibold" href={`${base}/events/${alarm.eventId}`}>
                        {t(`alarm.kind.${alarm.kind}`)}
                      </a>
                    )}
                  </td>
                  <td data-label={t('events.device')}>{nameOf(alarm.deviceId) ?? '–'}</td>
                  <td data-label={t('alarm.account')}>
                    <span>
                      <span class="mono">{alarm.account}</span> <span class="muted small">{alarm.receiverName}</span>
                    </span>
                  </td>
                  <td data-label={t('alarm.codeZone')}>
                    <span class="mono">{[alarm.code, alarm.zone].filter(Boolean).join(' / ')}</span>
                  </td>
                  <td data-label={t('alarm.stateName')} class="wide">
                    <State level={LEVEL[alarm.state]}>
                      {t(`alarm.state.${alarm.state}`)}
                      {alarm.possibleRepeat && <span class="muted small"> {t('alarm.maybeTwice')}</span>}
                    </State>
                  </td>
                  <td data-label={t('alarm.pathName')}>{alarm.path ? t(`alarm.path.${alarm.path}`) : '–'}</td>
                  <td data-label={t('alarm.triesName')}>{alarm.tries}</td>
                  <td data-label={t('alarm.delay')}>
                    {alarm.acknowledgedAt
                      ? formatDuration(between(alarm.occurredAt, alarm.acknowledgedAt))
                      : t('alarm.notYet')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More list={list} paged={paged} failed={t('alarms.moreFailed')} />
    </>
  );
}
