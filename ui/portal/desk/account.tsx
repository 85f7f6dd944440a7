import { useState } from 'preact/hooks';
import type { DeskAccount, DeskAlarm, DeskTest } from '../../../protocol/wire/arc-desk.ts';
import { Choice, Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Empty, Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { Time, Zone } from '../../components/time.tsx';
import { api } from '../session.ts';
import { More } from '../site/more.tsx';
import { followAlarm } from './follow.ts';
import { useDesk } from './live.ts';
import { Connection } from './sound-bar.tsx';
import { AlarmTable } from './table.tsx';
import { PathLine } from './words.tsx';

const MINUTES = [15, 30, 60, 120, 240, 480, 720] as const;
const MAX_SHOWN = 1000;

/** One account: its paths now, test mode, a test on the spot, and everything it ever sent. */
export function AccountPage({ params }: { params?: { accountId?: string } }) {
  const accountId = params?.accountId ?? '';
  const found = useResource(
    (signal) => api.get('/arc-desk/accounts/{accountId}', { params: { accountId }, signal }),
    [accountId],
  );
  useDesk((message) => {
    if (message.event === 'hello') found.reload();
    if (message.event === 'account' && message.data.id === accountId) found.set(() => message.data);
  });
  const account = found.data;
  return (
    <>
      <p class="-mb-4">
        <a class="link small" href="/alarms">
          {t('desk.back')}
        </a>
      </p>
      <div class="flex flex-wrap items-center gap-x-6 gap-y-3">
        <Title>
          {account ? t('desk.accountTitle', { account: account.account, site: account.site.name }) : t('desk.loading')}
        </Title>
        <Connection />
      </div>
      <ProblemPanel error={found.error} what={t('desk.accountFailed')} retry={found.reload} />
      {!account && !found.error && <Skeleton lines={6} />}
      {account && (
        <Zone.Provider value={account.site.timeZone}>
          <div class="grid items-start gap-6 xl:grid-cols-2">
            <Panel
              title={t('desk.paths')}
              action={
                <a class="link" href={`/reports/${account.id}`}>
                  {t('desk.report')}
                </a>
              }
            >
              <Paths account={account} />
            </Panel>
            <Tests account={account} reload={found} />
          </div>
          <History accountId={account.id} />
        </Zone.Provider>
      )}
    </>
  );
}

const PATH: Record<'up' | 'down' | 'unknown' | 'absent', Level> = {
  up: 'well',
  down: 'problem',
  unknown: 'unknown',
  absent: 'unknown',
};

export function Paths({ account }: { account: DeskAccount }) {
  const { paths, online, heardAt } = account;
  return (
    <Facts
      items={[
        [t('desk.receiver'), account.receiverName],
        [
          t('desk.box'),
          <span key="b">
            <State level={online ? 'well' : 'problem'}>
              <span class="mono">{account.boxSerial}</span> {t(online ? 'desk.online' : 'desk.offline')}
            </State>
            {!online && heardAt && (
              <span class="muted block">
                {t('desk.lastHeard')} <Time at={heardAt} />
              </span>
            )}
          </span>,
        ],
        ...(['direct', 'relay', 'second'] as const).map((path) => {
          const state = paths?.[path] ?? 'unknown';
          if (state === 'absent') return null;
          return [
            t(`desk.pathName.${path}`),
            <State key={path} level={PATH[state]}>
              {t(`desk.pathState.${state}`)}
              {paths?.path === path && <span class="muted"> {t('desk.inUse')}</span>}
            </State>,
          ] as const;
        }),
        [t('desk.encryption'), t(account.encrypted ? 'desk.encrypted' : 'desk.plain')],
        paths !== null && paths.waiting > 0 && [t('desk.waitingMessages'), String(paths.waiting)],
        account.ended && [
          t('desk.state'),
          <State key="e" level="info">
            {t('desk.accountEnded')}
          </State>,
        ],
      ]}
    />
  );
}

function Tests({ account, reload }: { account: DeskAccount; reload: Resource<DeskAccount> }) {
  const params = { accountId: account.id };
  const begin = useAction(async (minutes: number, note: string) => {
    await api.post('/arc-desk/accounts/{accountId}/test-mode', { minutes, note }, { params });
    reload.reload();
  });
  const longer = useAction(async () => {
    await api.patch('/arc-desk/accounts/{accountId}/test-mode', { minutes: 60 }, { params });
    reload.reload();
  });
  const end = useAction(async () => {
    await api.delete('/arc-desk/accounts/{accountId}/test-mode', { params });
    reload.reload();
  });
  if (account.ended) return null;
  return (
    <Panel title={t('desk.testing')}>
      <div class="flex flex-col gap-4">
        {account.test ? (
          <>
            <p>
              <State level="attention">
                {t('desk.testOn', { name: account.test.startedBy })} <Time at={account.test.untilAt} />
              </State>
            </p>
            {account.test.note && <p>{account.test.note}</p>}
            <Told test={account.test} />
            <div class="flex flex-wrap gap-3">
              <button type="button" class="btn btn-primary" onClick={() => end.run()} aria-disabled={end.busy}>
                {t('desk.testEnd')}
              </button>
              <button type="button" class="btn" onClick={() => longer.run()} aria-disabled={longer.busy}>
                {t('desk.testLonger')}
              </button>
            </div>
          </>
        ) : (
          <>
            <p class="muted">{t('desk.testHint')}</p>
            <Form
              label={t('desk.testBegin')}
              onSubmit={({ minutes, note = '' }) => void begin.run(Number(minutes), note)}
            >
              <div class="grid gap-4 md:grid-cols-2">
                <Choice
                  label={t('desk.testFor')}
                  name="minutes"
                  value="60"
                  options={MINUTES.map((n) => [String(n), n < 60 ? t('unit.min', { n }) : t('unit.h', { n: n / 60 })])}
                />
                <Field label={t('desk.note')} name="note" maxLength={1000} autoComplete="off" />
              </div>
              <div>
                <Submit busy={begin.busy} doing={t('desk.sending')}>
                  {t('desk.testBegin')}
                </Submit>
              </div>
            </Form>
          </>
        )}
        <ProblemPanel error={begin.error} what={t('desk.testFailed')} />
        <ProblemPanel error={longer.error} what={t('desk.testFailed')} />
        <ProblemPanel error={end.error} what={t('desk.testFailed')} />
        <TestNow accountId={account.id} />
      </div>
    </Panel>
  );
}

/** Whether the receiver knows of the test. */
function Told({ test }: { test: DeskTest }) {
  const told = test.beginTold === 'told';
  return (
    <p>
      <State level={told ? 'well' : 'working'}>{t(told ? 'desk.testTold' : 'desk.testNotTold')}</State>
    </p>
  );
}

/** Sends a test and shows what becomes of it, until the receiver has acknowledged. */
function TestNow({ accountId }: { accountId: string }) {
  const [alarmId, setAlarmId] = useState<string | null>(null);
  const [alarm, setAlarm] = useState<DeskAlarm | null>(null);
  const look = async (id: string) => {
    const found = await api.get('/arc-desk/alarms/{alarmId}', { params: { alarmId: id } }).catch(() => null);
    if (found) setAlarm(found);
  };
  useDesk((message) => {
    if (message.event === 'alarm' && message.data.id === alarmId) setAlarm(message.data);
    if (message.event === 'hello' && alarmId) void look(alarmId);
  });
  const send = useAction(async () => {
    setAlarm(null);
    const sent = await api.post('/arc-desk/accounts/{accountId}/test', undefined, { params: { accountId } });
    setAlarmId(sent.alarmId);
    await look(sent.alarmId);
  });
  return (
    <div class="flex flex-col gap-3 border-t border-base-300 pt-4">
      <div class="flex flex-wrap items-center gap-4">
        <button type="button" class="btn" onClick={() => send.run()} aria-disabled={send.busy}>
          {t(send.busy ? 'desk.sending' : 'desk.testNow')}
        </button>
        <p role="status">
          {alarmId &&
            (alarm ? (
              alarm.state === 'acknowledged' ? (
                <State level="well">
                  {t('desk.testAcknowledged', { receiver: alarm.receiverName })} <PathLine alarm={alarm} />
                </State>
              ) : (
                <PathLine alarm={alarm} />
              )
            ) : (
              <State level="working">{t('desk.testSent')}</State>
            ))}
        </p>
      </div>
      <ProblemPanel error={send.error} what={t('desk.testNowFailed')} />
    </div>
  );
}

/** Everything the account sent, newest first, with its tests. */
function History({ accountId }: { accountId: string }) {
  const paged = api.paged('/arc-desk/alarms', { query: { show: 'all', accountId, limit: 50 } });
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
  useDesk((message) => {
    if (message.event === 'hello') return list.reload();
    if (message.event !== 'alarm') return;
    list.set((page) => ({
      ...page,
      items: followAlarm(page.items, message.data, { show: 'all', accountId }).slice(0, MAX_SHOWN),
    }));
  });
  const take = useAction(async (id: string) => {
    const done = await api.post('/arc-desk/alarms/{alarmId}/acknowledge', {}, { params: { alarmId: id } });
    list.set((page) => ({ ...page, items: page.items.map((one) => (one.id === id ? done : one)) }));
  });
  const items = list.data?.items ?? [];
  return (
    <section aria-labelledby="history" class="flex flex-col gap-4">
      <h2 id="history">{t('desk.history')}</h2>
      <ProblemPanel error={list.error} what={t('desk.listFailed')} retry={list.reload} />
      <ProblemPanel error={take.error} what={t('desk.acknowledgeFailed')} />
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data && items.length === 0 && <Empty title={t('desk.noHistory')} />}
      {items.length > 0 && (
        <div class="panel py-1 md:py-2">
          <AlarmTable
            items={items}
            selected={null}
            busy={take.busy}
            onSelect={() => false}
            onAcknowledge={(id) => void take.run(id)}
            siteAddress={(siteId) => `/alarms?show=all&siteId=${siteId}`}
          />
        </div>
      )}
      <More list={list} paged={paged} failed={t('desk.listFailed')} />
    </section>
  );
}
