import { useLocation } from 'preact-iso';
import type { DeskReport } from '../../../protocol/wire/arc-desk.ts';
import { address } from '../../client/client.ts';
import { Field, Form } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Empty, Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { formatDuration } from '../../components/time.ts';
import { Time, Zone } from '../../components/time.tsx';
import { api } from '../session.ts';
import { More } from '../site/more.tsx';
import { useDesk } from './live.ts';

/** Every account of the centre, with the path it uses now; each leads to its history and its report. */
export function Reports() {
  const { query, route } = useLocation();
  const q = (query.q ?? '').slice(0, 64);
  const paged = api.paged('/arc-desk/accounts', { query: { limit: 50, ...(q ? { q } : {}) } });
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
  useDesk((message) => {
    if (message.event !== 'account') return;
    const { data } = message;
    list.set((page) => ({ ...page, items: page.items.map((one) => (one.id === data.id ? data : one)) }));
  });
  const items = list.data?.items ?? [];
  return (
    <>
      <Title>{t('desk.reports')}</Title>
      <Form
        label={t('desk.search')}
        onSubmit={(fields) =>
          route(fields.q?.trim() ? `/reports?q=${encodeURIComponent(fields.q.trim())}` : '/reports')
        }
      >
        <div class="flex flex-wrap items-end gap-4" key={q}>
          <Field label={t('desk.search')} name="q" value={q} maxLength={64} autoComplete="off" />
          <button type="submit" class="btn">
            {t('desk.filter')}
          </button>
        </div>
      </Form>
      <ProblemPanel error={list.error} what={t('desk.accountFailed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={9} />}
      {list.data && items.length === 0 && <Empty title={t('desk.noAccounts')}>{t('desk.noAccountsNext')}</Empty>}
      {items.length > 0 && (
        <div class="panel py-1 md:py-2">
          <table class="rows">
            <thead>
              <tr>
                <th>{t('desk.account')}</th>
                <th>{t('desk.site')}</th>
                <th>{t('desk.receiver')}</th>
                <th>{t('desk.now')}</th>
                <th>{t('desk.report')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((account) => (
                <tr key={account.id}>
                  <td data-label={t('desk.account')}>
                    <a class="link mono font-semibold" href={`/alarms/accounts/${account.id}`}>
                      {account.account}
                    </a>
                  </td>
                  <td data-label={t('desk.site')}>{account.site.name}</td>
                  <td data-label={t('desk.receiver')}>{account.receiverName}</td>
                  <td data-label={t('desk.now')}>
                    {account.test ? (
                      <State level="attention">{t('desk.inTest')}</State>
                    ) : (
                      <PathNow path={account.online ? (account.paths?.path ?? 'unknown') : 'offline'} />
                    )}
                  </td>
                  <td data-label={t('desk.report')}>
                    <a class="link" href={`/reports/${account.id}`}>
                      {t('desk.thisMonth')}
                    </a>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More list={list} paged={paged} failed={t('desk.accountFailed')} />
    </>
  );
}

const NOW: Record<string, Level> = { none: 'problem', offline: 'problem', unknown: 'unknown', direct: 'well' };
function PathNow({ path }: { path: 'direct' | 'relay' | 'second' | 'none' | 'unknown' | 'offline' }) {
  return <State level={NOW[path] ?? 'info'}>{t(`desk.pathNow.${path}`)}</State>;
}

const monthOf = (at: number) => new Date(at).toISOString().slice(0, 7);
/** So many months before another, as `2026-11`. */
function back(month: string, n: number): string {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return monthOf(Date.UTC(year, number - 1 - n, 1));
}

/** One account's month: was it there, how soon was that told, how fast were alarms. */
export function ReportPage({ params }: { params?: { accountId?: string } }) {
  const { query, path } = useLocation();
  const accountId = params?.accountId ?? '';
  const current = monthOf(Date.now());
  const month = /^20\d\d-(0[1-9]|1[0-2])$/.test(query.month ?? '') ? (query.month as string) : current;
  const options = { params: { accountId }, query: { month } };
  const found = useResource(
    (signal) => api.get('/arc-desk/accounts/{accountId}/report', { ...options, signal }),
    [accountId, month],
  );
  const report = found.data;
  return (
    <>
      <p class="-mb-4">
        <a class="link small" href="/reports">
          {t('desk.allReports')}
        </a>
      </p>
      <Title>
        {report
          ? t('desk.reportTitle', { account: report.account.account, site: report.account.site.name, month })
          : t('desk.loading')}
      </Title>
      <nav class="flex flex-wrap items-center gap-4" aria-label={t('desk.months')}>
        <a class="btn" href={`${path}?month=${back(month, 1)}`}>
          {t('desk.monthBefore', { month: back(month, 1) })}
        </a>
        {month < current && (
          <a class="btn" href={`${path}?month=${back(month, -1)}`}>
            {t('desk.monthAfter', { month: back(month, -1) })}
          </a>
        )}
        <a class="btn" href={address('/arc-desk/accounts/{accountId}/report.pdf', options)} download>
          {t('desk.pdf')}
        </a>
        <a class="btn" href={address('/arc-desk/accounts/{accountId}/report.csv', options)} download>
          {t('desk.csv')}
        </a>
        <a class="link" href={`/alarms/accounts/${accountId}`}>
          {t('desk.history')}
        </a>
      </nav>
      <ProblemPanel error={found.error} what={t('desk.reportFailed')} retry={found.reload} />
      {!report && !found.error && <Skeleton lines={9} />}
      {report && <Report report={report} />}
    </>
  );
}

const percent = (value: number | null) => (value === null ? t('desk.notKnown') : `${value.toFixed(4)} %`);

function Report({ report }: { report: DeskReport }) {
  const { alarms, tests, availability } = report;
  const lines = [{ path: 'all' as const, ...availability, slowestReportMs: null, limitMs: null }, ...report.paths];
  return (
    // The report's months and times are UTC, as in its files.
    <Zone.Provider value="UTC">
      <p class="muted max-w-prose">{t('desk.reportHint')}</p>
      <Panel title={t('desk.availability')}>
        <table class="rows">
          <thead>
            <tr>
              <th>{t('desk.onePath')}</th>
              <th>{t('desk.available')}</th>
              <th>{t('desk.lostTime')}</th>
              <th>{t('desk.outages')}</th>
              <th>{t('desk.longest')}</th>
              <th>{t('desk.slowest')}</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.path}>
                <td data-label={t('desk.onePath')}>{t(`desk.pathName.${line.path}`)}</td>
                <td data-label={t('desk.available')}>{percent(line.percent)}</td>
                <td data-label={t('desk.lostTime')}>{formatDuration(line.downMs)}</td>
                <td data-label={t('desk.outages')}>{line.outages}</td>
                <td data-label={t('desk.longest')}>{line.outages > 0 ? formatDuration(line.longestMs) : '–'}</td>
                <td data-label={t('desk.slowest')}>
                  {line.slowestReportMs === null ? '–' : formatDuration(line.slowestReportMs)}
                  {line.limitMs !== null && (
                    <span class="muted"> {t('desk.limit', { time: formatDuration(line.limitMs) })}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
      <div class="grid items-start gap-6 xl:grid-cols-2">
        <Panel title={t('desk.messages')}>
          {report.alarmsCountedTo !== null && (
            <p>
              {t('desk.countedTo')} <Time at={report.alarmsCountedTo} />
            </p>
          )}
          <Facts
            items={[
              [t('desk.sent'), String(alarms.sent)],
              [t('desk.outcome.acknowledged'), String(alarms.acknowledged)],
              alarms.waiting > 0 && [t('desk.waiting'), String(alarms.waiting)],
              alarms.failed > 0 && [
                t('desk.failed'),
                <State key="f" level="problem">
                  {String(alarms.failed)}
                </State>,
              ],
              ...alarms.byPath.map(({ path, count }) => [t(`desk.pathName.${path}`), String(count)] as const),
              [t('desk.mark.delayed'), String(alarms.delayed)],
              [t('desk.mark.repeat'), String(alarms.possibleRepeats)],
              alarms.times !== null && [
                t('desk.mean'),
                t('desk.limitMean', { time: formatDuration(alarms.times.meanMs) }),
              ],
              alarms.times !== null && [
                t('desk.p95'),
                t('desk.limitP95', { time: formatDuration(alarms.times.p95Ms) }),
              ],
              alarms.times !== null && [
                t('desk.max'),
                t('desk.limitMax', { time: formatDuration(alarms.times.maxMs) }),
              ],
              [t('desk.testsSent'), t('desk.testsOf', { acknowledged: tests.acknowledged, sent: tests.sent })],
            ]}
          />
        </Panel>
        <Panel title={t('desk.outages')}>
          {report.outages.length === 0 && <p class="muted">{t('desk.noOutages')}</p>}
          {report.outages.length > 0 && (
            <table class="rows">
              <thead>
                <tr>
                  <th>{t('desk.onePath')}</th>
                  <th>{t('desk.from')}</th>
                  <th>{t('desk.duration')}</th>
                  <th>{t('desk.toldAfter')}</th>
                </tr>
              </thead>
              <tbody>
                {report.outages.map((outage) => (
                  <tr key={`${outage.path} ${outage.from}`}>
                    <td data-label={t('desk.onePath')}>{t(`desk.pathName.${outage.path}`)}</td>
                    <td data-label={t('desk.from')}>
                      <Time at={outage.from} />
                    </td>
                    <td data-label={t('desk.duration')}>
                      {formatDuration(outage.durationMs)}
                      {outage.to === null && <span class="muted"> {t('desk.stillLost')}</span>}
                    </td>
                    <td data-label={t('desk.toldAfter')}>
                      {outage.reportingMs === null ? '–' : formatDuration(outage.reportingMs)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          {report.outagesLeftOut > 0 && <p class="muted">{t('desk.leftOut', { count: report.outagesLeftOut })}</p>}
        </Panel>
      </div>
      {report.testModes.length > 0 && (
        <Panel title={t('desk.testModes')}>
          <ul class="flex flex-col gap-1">
            {report.testModes.map((test) => (
              <li key={test.id}>
                <Time at={test.startedAt} /> – <Time at={test.endedAt ?? test.untilAt} /> {test.startedBy}{' '}
                <span class="muted">{test.note}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </Zone.Provider>
  );
}
