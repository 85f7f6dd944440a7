import type { ArcJoining } from '../../../protocol/wire/arc-joining.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { Copyable } from '../../components/serial.tsx';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { InformationFacts } from './information.tsx';

export const JOINING_LEVEL: Record<ArcJoining['state'], Level> = {
  none: 'info',
  submitted: 'working',
  approved: 'attention',
  listed: 'well',
  rejected: 'problem',
  withdrawn: 'info',
};

/** How the company stands as an alarm receiving centre, and its next step. */
export function ArcJoiningPage() {
  const joining = useResource((signal) => api.get('/arc-joining', { signal }), []);
  const { data } = joining;
  return (
    <>
      <Title>{t('arcJoin.title')}</Title>
      <ProblemPanel error={joining.error} what={t('arcJoin.failed')} retry={joining.reload} />
      {!data && !joining.error && <Skeleton lines={8} />}
      {data && (
        <>
          <div class="panel flex max-w-3xl flex-col items-start gap-3">
            <p class="text-lg" role="status">
              <State level={JOINING_LEVEL[data.state]}>{t(`arcJoin.state.${data.state}`)}</State>
            </p>
            <p class="max-w-prose">{t(`arcJoin.stateText.${data.state}`)}</p>
            {data.state === 'listed' && data.receivers === 0 && (
              <p>
                <State level="attention">
                  <span>
                    {t('arcJoin.noReceiver')}{' '}
                    <a class="link" href="/arc/receivers">
                      {t('arcJoin.noReceiverLink')}
                    </a>
                  </span>
                </State>
              </p>
            )}
            {data.reason !== '' && (
              <p class="font-semibold">
                {t('arcJoin.reason')}: {data.reason}
              </p>
            )}
            {['none', 'rejected', 'withdrawn'].includes(data.state) && (
              <a class="btn btn-primary" href="/arc/joining/apply">
                {t('arcJoin.applyNow')}
              </a>
            )}
            <Help data={data} />
          </div>
          {data.arcId && <Credentials joining={joining} data={data} />}
          <div class="grid items-start gap-6 lg:grid-cols-2">
            <Steps data={data} />
            {data.information && (
              <Panel
                title={t('arcJoin.information')}
                action={
                  ['submitted', 'approved', 'listed'].includes(data.state) && (
                    <a class="link" href="/arc/joining/information">
                      {t('arcJoin.change')}
                    </a>
                  )
                }
              >
                <InformationFacts information={data.information} />
              </Panel>
            )}
          </div>
          {['submitted', 'approved', 'listed'].includes(data.state) && <Withdraw joining={joining} data={data} />}
        </>
      )}
    </>
  );
}

interface Shown {
  joining: Resource<ArcJoining>;
  data: ArcJoining;
}

function Help({ data }: { data: ArcJoining }) {
  if (!data.helpEmail) return null;
  return (
    <p class="muted">
      {t('arcJoin.help')}{' '}
      <a class="link break-all" href={`mailto:${data.helpEmail}`}>
        {data.helpEmail}
      </a>
    </p>
  );
}

/** The way onto the list; each step says whether it is done. */
function Steps({ data }: { data: ArcJoining }) {
  const { state } = data;
  const applied = !['none', 'rejected', 'withdrawn'].includes(state);
  const approved = state === 'approved' || state === 'listed';
  const steps = [
    ['apply', applied, '/arc/joining/apply'],
    ['authentication', data.company.authentication === 'approved', '/company/authentication'],
    ['decision', approved, null],
    ['key', state === 'listed', null],
    ['receiver', data.receivers > 0, '/arc/receivers'],
  ] as const;
  return (
    <Panel title={t('arcJoin.steps')}>
      <ol class="flex flex-col gap-3">
        {steps.map(([step, done, href]) => (
          <li key={step}>
            <State level={done ? 'well' : 'unknown'}>
              <span>
                {href && !done ? (
                  <a class="link" href={href}>
                    {t(`arcJoin.step.${step}`)}
                  </a>
                ) : (
                  t(`arcJoin.step.${step}`)
                )}
                <span class="muted small block">{t(done ? 'arcJoin.done' : 'arcJoin.open')}</span>
              </span>
            </State>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

/** ARC ID and key, and the click that says both are entered (ARC-10). */
function Credentials({ joining, data }: Shown) {
  const complete = useAction(async () => {
    const next = await api.post('/arc-joining/completed', undefined);
    joining.set(() => next);
  });
  const renew = useAction(async () => {
    const next = await api.post('/arc-joining/key', undefined);
    joining.set(() => next);
  });
  return (
    <Panel title={t('arcJoin.credentials')}>
      <div class="flex flex-col items-start gap-4">
        <Facts
          items={[
            [t('arcJoin.arcId'), <Copyable key="id" text={data.arcId!} label={t('arcJoin.arcId')} />],
            [
              t('arcJoin.arcKey'),
              <span key="key">
                <code class="mono">{data.keyPrefix}…</code> {t('arcJoin.keySent', { email: data.keySentTo ?? '' })}
              </span>,
            ],
            [
              t('arcJoin.keyUsed'),
              data.keyUsedAt ? <Time key="used" at={data.keyUsedAt} full /> : t('arcJoin.keyNeverUsed'),
            ],
          ]}
        />
        <p class="max-w-prose">
          {t('arcJoin.keyText')} {data.state === 'approved' && t('arcJoin.keyThen')}
        </p>
        <ProblemPanel error={complete.error ?? renew.error} what={t('arcJoin.actionFailed')} focus />
        <div class="flex flex-wrap items-center gap-4">
          {data.state === 'approved' && (
            <button
              type="button"
              class="btn btn-primary h-auto min-h-10 py-2"
              aria-disabled={complete.busy}
              onClick={() => complete.run()}
            >
              {t('arcJoin.completed')}
            </button>
          )}
          <button type="button" class="btn" aria-disabled={renew.busy} onClick={() => renew.run()}>
            {t(renew.busy ? 'form.saving' : 'arcJoin.renewKey')}
          </button>
        </div>
      </div>
    </Panel>
  );
}

function Withdraw({ joining, data }: Shown) {
  const withdraw = () => {
    joining.set((old) => ({ ...old, state: 'withdrawn', arcId: null }));
    withUndo({
      text: t('arcJoin.withdrawnNow'),
      failed: t('arcJoin.withdrawFailed'),
      run: (keepalive) =>
        api.post('/arc-joining/withdraw', undefined, { keepalive }).then((next) => joining.set(() => next)),
      back: joining.reload,
    });
  };
  return (
    <Panel title={t('arcJoin.withdraw')}>
      <div class="flex flex-col items-start gap-3">
        <p class="muted max-w-prose">
          {data.accounts > 0 ? t('arcJoin.withdrawBusy', { count: data.accounts }) : t('arcJoin.withdrawText')}
        </p>
        {data.accounts === 0 && (
          <button type="button" class="btn" onClick={withdraw}>
            {t('arcJoin.withdraw')}
          </button>
        )}
      </div>
    </Panel>
  );
}
