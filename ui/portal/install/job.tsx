import { useEffect, useState } from 'preact/hooks';
import type { SiteJob, SiteJobMessage } from '../../../protocol/wire/initialise.ts';
import type { ItemState, JobItem, JobStep, StepState } from '../../../protocol/wire/jobs.ts';
import { type Key, lookup, t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api, sessionEnded } from '../session.ts';
import { useSite } from '../site/context.ts';
import { type LiveState, LiveStream } from '../site/sse.ts';
import { recorderPage } from './found.ts';
import { jobWords } from './jobs.tsx';
import { stepText } from './step-text.ts';

/** A step whose word is a time. */
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const ITEM_LEVEL: Record<ItemState, Level> = {
  waiting: 'unknown',
  running: 'working',
  done: 'well',
  failed: 'problem',
};
const STEP_LEVEL: Record<StepState, Level> = {
  waiting: 'unknown',
  running: 'working',
  done: 'well',
  skipped: 'info',
  warning: 'attention',
  failed: 'problem',
};

/** The progress of one job, device by device and step by step; the box goes on whether somebody looks or not. */
export function JobPage({ params }: { params?: { jobId?: string } }) {
  const jobId = params?.jobId ?? '';
  const { base, siteId, site } = useSite();
  const job = useResource(
    (signal) => api.get('/sites/{siteId}/jobs/{jobId}', { params: { siteId, jobId }, signal }),
    [siteId, jobId],
  );
  const live = useJobStream(siteId, jobId, job.data, (message) => {
    if (message.event === 'job') job.set(() => message.data);
    else if (message.event === 'item')
      job.set((old) => ({
        ...old,
        items: old.items.map((item) => (item.key === message.data.key ? message.data : item)),
      }));
  });
  const { data } = job;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t(`jobs.kind.${data?.kind ?? 'initialise'}`)}</Title>
      <ProblemPanel error={data ? null : job.error} what={t('jobs.jobFailed')} retry={job.reload} />
      {!data && !job.error && <Skeleton lines={8} />}
      {data && (
        <>
          <p role="status" class="text-lg">
            <State level={data.state === 'running' ? 'working' : data.items.some(bad) ? 'attention' : 'well'}>
              {jobWords(data.kind, data.state, countsOf(data.items))}
            </State>
          </p>
          {data.state === 'running' && <p class="muted">{t(live === 'lost' ? 'jobs.away' : 'jobs.closable')}</p>}
          <ul class="flex flex-col gap-3">
            {data.items.map((item) => (
              <Item key={item.key} item={item} />
            ))}
          </ul>
          {data.state === 'done' && data.kind === 'upgrade' && data.items.some(bad) && (
            <a class="link self-start" href={`${base}/upgrades`}>
              {t('jobs.byHand')}
            </a>
          )}
          {data.state === 'done' && data.kind === 'initialise' && <Next job={data} />}
          {data.kind === 'cloud' && <NextOfCloud job={data} />}
        </>
      )}
    </>
  );
}

const bad = (item: JobItem) => item.state === 'failed';
function countsOf(items: readonly JobItem[]) {
  const of = (state: ItemState) => items.filter((item) => item.state === state).length;
  return { waiting: of('waiting'), running: of('running'), done: of('done'), failed: of('failed') };
}

/** Follows the job while it runs. */
function useJobStream(
  siteId: string,
  jobId: string,
  job: SiteJob | undefined,
  onMessage: (message: SiteJobMessage) => void,
): LiveState {
  const [live, setLive] = useState<LiveState>('connecting');
  const running = job?.state === 'running';
  useEffect(() => {
    if (!running) return;
    const url = `/api/v1/sites/${encodeURIComponent(siteId)}/jobs/${encodeURIComponent(jobId)}/stream`;
    const stream = new LiveStream<SiteJobMessage>({ url, onMessage, onState: setLive, onSignedOut: sessionEnded });
    stream.start();
    return () => stream.stop();
  }, [siteId, jobId, running]);
  return live;
}

/** One device: how far it is in a line, its steps below. */
function Item({ item }: { item: JobItem }) {
  const steps = item.steps.filter((step) => step.code !== 'not-for-type');
  const ended = steps.filter((step) => step.state !== 'waiting' && step.state !== 'running').length;
  const now = steps.find((step) => step.state === 'running') ?? steps.find((step) => step.state === 'failed');
  return (
    <li class="panel p-0">
      <details open={item.state === 'failed'}>
        <summary class="flex min-h-11 cursor-pointer flex-col gap-1 p-4">
          <State level={ITEM_LEVEL[item.state]}>
            <strong>{item.name}</strong>{' '}
            <span class="muted">
              {t(`jobs.item.${item.state}`)} <span class="small tabular-nums">{`${ended}/${steps.length}`}</span>
            </span>
          </State>
          {now && (
            <span class="small pl-6">
              {nameOf(now)}
              {now.percent !== null && ` ${Math.round(now.percent)} %`}
            </span>
          )}
        </summary>
        <ol class="flex flex-col gap-2 px-4 pb-4" aria-label={t('jobs.steps', { name: item.name })}>
          {steps.map((step) => (
            <Step key={step.step} step={step} />
          ))}
        </ol>
      </details>
    </li>
  );
}

const nameOf = (step: JobStep): string => lookup(`jobs.step.${step.step}`) ?? step.step;

function Step({ step }: { step: JobStep }) {
  const said = step.code ? (lookup(`jobs.code.${step.code}`) ?? lookup(`problem.${step.code}.title`)) : null;
  return (
    <li>
      <State level={STEP_LEVEL[step.state]}>
        <span class="font-semibold">{nameOf(step)}</span>{' '}
        <span class="muted">
          {t(`jobs.state.${step.state}` as Key)}
          {step.percent !== null && ` ${Math.round(step.percent)} %`}
        </span>
        {said && <span class="block">{said}</span>}
        {step.text && (
          <span class="muted small block break-words">
            {/* Of a service: until when it lasts. */}
            {INSTANT.test(step.text) ? (
              <>
                {t('jobs.until')} <Time at={step.text} full />
              </>
            ) : (
              stepText(step.text)
            )}
          </span>
        )}
      </State>
    </li>
  );
}

/** From the result a person goes on to the events of each channel that is set up (BOX-09). */
function NextOfCloud({ job }: { job: SiteJob }) {
  const { base } = useSite();
  const done = job.items.filter((item) => item.state === 'done');
  return (
    <Panel title={t('jobs.next')}>
      {done.length > 0 && <p class="mb-2">{t('jobs.cloudNext')}</p>}
      <ul class="mb-2 flex flex-col gap-1">
        {done.map((item) => (
          <li key={item.key}>
            <a class="link" href={`${base}/cloud/${item.key}`}>
              {t('jobs.eventSettings')}: {item.name}
            </a>
          </li>
        ))}
      </ul>
      <a class="link" href={`${base}/cloud`}>
        {t('jobs.toCloud')}
      </a>
    </Panel>
  );
}

/** After the end: recorders get their cameras, then all are added (INIT-19); what failed can be done again. */
function Next({ job }: { job: SiteJob }) {
  const { base } = useSite();
  const failed = job.items.filter(bad).map((item) => item.key);
  const recorders = job.items
    .filter((item) => item.steps.some((step) => step.step === 'channels' && step.code === 'to-add'))
    .map((item) => item.key);
  const adding = `${base}/add-found?mac=${job.items
    .filter((item) => !bad(item))
    .map((item) => item.key)
    .join()}`;
  return (
    <Panel title={t('jobs.next')}>
      {failed.length < job.items.length && (
        <div class="mb-3 flex flex-wrap items-center gap-4">
          <a
            class="btn btn-primary"
            href={recorders.length > 0 ? recorderPage(base, job.boxSerial, recorders) : adding}
          >
            {t('jobs.complete')}
          </a>
          <span class="muted">{t(recorders.length > 0 ? 'jobs.completeChannels' : 'jobs.completeAdd')}</span>
        </div>
      )}
      {failed.length > 0 && (
        <p>
          <a
            class={failed.length === job.items.length ? 'btn btn-primary' : 'link'}
            href={`${base}/initialise?mac=${failed.join()}`}
          >
            {t('jobs.again', { count: failed.length })}
          </a>
        </p>
      )}
    </Panel>
  );
}
