import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso';
import type { Page } from '../../../protocol/wire/api.ts';

import type { PermissionApplication } from '../../../protocol/wire/handover.ts';
import type { Validity } from '../../../protocol/wire/rights.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { Time, Zone } from '../../components/time.tsx';
import { APPLICATION_LEVEL } from '../handover/applications.tsx';
import { whatOf } from '../handover/held.tsx';
import { validities } from '../handover/validities.ts';
import { api } from '../session.ts';
import { More } from '../site/more.tsx';
import { PasswordRequests } from './password-requests.tsx';
import { useAgain } from './use-again.ts';

const OPEN = api.paged('/requests', { query: { open: 'true', limit: 20 } });
const CLOSED = api.paged('/requests', { query: { open: 'false', limit: 20 } });
type List = Resource<Page<PermissionApplication>>;

/** What a customer is asked for. */
export function Requests() {
  const open = useResource((signal) => OPEN.page(null, signal), []);
  const closed = useResource((signal) => CLOSED.page(null, signal), []);
  useAgain(open.reload);
  return (
    <>
      <Title>{t('customer.requests.title')}</Title>
      <ProblemPanel error={open.error} what={t('customer.requests.failed')} retry={open.reload} />
      {!open.data && !open.error && <Skeleton />}
      {open.data?.items.length === 0 && (
        <Empty title={t('customer.requests.none')}>{t('customer.requests.noneNext')}</Empty>
      )}
      {open.data && open.data.items.length > 0 && (
        <Panel title={t('customer.requests.open')}>
          <Lines list={open} paged={OPEN} />
        </Panel>
      )}
      <PasswordRequests />
      <ProblemPanel error={closed.error} what={t('customer.requests.failed')} retry={closed.reload} />
      {closed.data && closed.data.items.length > 0 && (
        <Panel title={t('customer.requests.closed')}>
          <Lines list={closed} paged={CLOSED} />
        </Panel>
      )}
    </>
  );
}

function Lines({ list, paged }: { list: List; paged: typeof OPEN }) {
  return (
    <>
      <ul class="flex flex-col divide-y divide-base-300">
        {list.data!.items.map((request) => (
          <li key={request.id} class="flex flex-wrap items-baseline justify-between gap-x-4 py-2">
            <a class="link font-semibold" href={`/requests/${request.id}`}>
              {t('customer.requests.asks', { company: request.applicant.name, site: request.siteName })}
            </a>
            <span class="muted small">
              {t('customer.requests.count', { count: request.items.length })},{' '}
              <Zone.Provider value={request.timeZone}>
                <Time at={request.createdAt} />
              </Zone.Provider>
            </span>
          </li>
        ))}
      </ul>
      <More list={list} paged={paged} failed={t('customer.requests.failed')} />
    </>
  );
}

/** One request: approve or refuse each permission. */
export function RequestPage() {
  const { params } = useRoute();
  const requestId = params.requestId ?? '';
  const request = useResource(
    (signal) => api.get('/requests/{requestId}', { params: { requestId }, signal }),
    [requestId],
  );
  const [validity, setValidity] = useState<Record<string, Validity>>({});
  const decide = useAction(async (ids: string[], approve: boolean) => {
    const items = ids.map((id) => ({ id, approve, ...(approve && validity[id] ? { validity: validity[id] } : {}) }));
    const decided = await api.post('/requests/{requestId}/decide', { items }, { params: { requestId } });
    request.set(() => decided);
  });
  const data = request.data;
  if (!data)
    return (
      <>
        <Title>{t('customer.requests.title')}</Title>
        <ProblemPanel error={request.error} what={t('customer.requests.failed')} retry={request.reload} />
        {!request.error && <Skeleton />}
      </>
    );
  const company = data.applicant.name;
  const open = data.items.filter((item) => item.state === 'pending');
  return (
    <Zone.Provider value={data.timeZone}>
      <p>
        <a class="link small" href="/requests">
          {t('customer.requests.all')}
        </a>
      </p>
      <Title>{t('customer.requests.asks', { company, site: data.siteName })}</Title>
      <ProblemPanel error={decide.error} what={t('customer.requests.decideFailed')} focus />
      <section class="panel flex max-w-3xl flex-col gap-4" aria-label={t('customer.requests.one', { company })}>
        <p class="muted">
          <Time at={data.createdAt} full />
        </p>
        {data.remark && (
          <p>
            <span class="muted">{t('customer.requests.remark')}: </span>
            {data.remark}
          </p>
        )}
        <p class="font-semibold">{t('customer.requests.means', { company })}</p>
        <ul class="flex flex-col divide-y divide-base-300" aria-live="polite">
          {data.items.map((item) => (
            <li key={item.id} class="flex flex-col gap-2 py-3">
              <p>
                {item.deviceName && <strong>{item.deviceName}: </strong>}
                {t(`handover.askMeans.${item.permission}`)}{' '}
                <span class="muted">
                  ({t(`handover.ask.${item.permission}`)}, {t(`handover.validity.${item.validity}`)})
                </span>
              </p>
              {item.state === 'pending' ? (
                <div class="flex flex-wrap items-end gap-4">
                  <div class="w-48">
                    <Choice
                      label={t('customer.requests.give', { what: whatOf(item) })}
                      name={item.id}
                      value={validity[item.id] ?? item.validity}
                      options={validities.map(([value, text]) => [value, t(text)])}
                      onChange={(value) => setValidity({ ...validity, [item.id]: value as Validity })}
                    />
                  </div>
                  <Answer what={whatOf(item)} approve run={() => decide.run([item.id], true)} />
                  <Answer what={whatOf(item)} approve={false} run={() => decide.run([item.id], false)} />
                </div>
              ) : (
                <State level={APPLICATION_LEVEL[item.state]}>
                  {t(`handover.applications.state.${item.state}`)}
                  {item.decidedAt && (
                    <span class="muted">
                      {' '}
                      <Time at={item.decidedAt} />
                    </span>
                  )}
                </State>
              )}
            </li>
          ))}
        </ul>
        {open.length > 0 && <p class="muted">{t('customer.requests.fromNow')}</p>}
        {open.length > 1 && (
          <div class="flex flex-wrap gap-4">
            {[true, false].map((approve) => (
              <button
                key={String(approve)}
                type="button"
                class="btn"
                onClick={() =>
                  decide.run(
                    open.map((item) => item.id),
                    approve,
                  )
                }
              >
                {t(approve ? 'customer.requests.approveAll' : 'customer.requests.refuseAll')}
              </button>
            ))}
          </div>
        )}
      </section>
    </Zone.Provider>
  );
}

function Answer({ what, approve, run }: { what: string; approve: boolean; run: () => void }) {
  return (
    <button
      type="button"
      class={`btn ${approve ? 'btn-primary' : ''}`}
      aria-label={t(approve ? 'customer.requests.approveWhat' : 'customer.requests.refuseWhat', { what })}
      onClick={run}
    >
      {t(approve ? 'customer.requests.approve' : 'customer.requests.refuse')}
    </button>
  );
}
