import type { SiteJobSummary } from '../../../protocol/wire/initialise.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';

type Summary = Pick<SiteJobSummary, 'kind' | 'state' | 'counts'>;

/** How far a job is, in words. */
export function jobWords(kind: Summary['kind'], state: Summary['state'], counts: Summary['counts']): string {
  const { waiting, running, done, failed } = counts;
  const of = t(kind === 'cloud' ? 'jobs.of.channels' : 'jobs.of.devices');
  const values = { kind: t(`jobs.kind.${kind}`), done, all: waiting + running + done + failed, of };
  if (state === 'running') return t('jobs.running', { ...values, done: done + failed });
  return failed > 0 ? t('jobs.endedFailed', { ...values, count: failed }) : t('jobs.ended', values);
}

const useJobs = () => {
  const { siteId } = useSite();
  return useResource((signal) => api.get('/sites/{siteId}/jobs', { params: { siteId }, signal }), [siteId]);
};

/** What the site's boxes do on many devices, and what they did lately. */
export function JobsPage() {
  const { base, site } = useSite();
  const jobs = useJobs();
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('jobs.title')}</Title>
      <ProblemPanel error={jobs.error} what={t('jobs.failed')} retry={jobs.reload} />
      {!jobs.data && !jobs.error && <Skeleton lines={4} />}
      {jobs.data?.silent.map((serial) => (
        <p key={serial}>
          <State level="unknown">{t('jobs.silent', { serial })}</State>
        </p>
      ))}
      {jobs.data?.items.length === 0 && <Empty title={t('jobs.none')}>{t('jobs.noneNext')}</Empty>}
      <ul class="panel flex flex-col divide-y divide-base-300 empty:hidden">
        {jobs.data?.items.map((job) => (
          <li key={job.id} class="py-3">
            <JobLine job={job} base={base} />
          </li>
        ))}
      </ul>
    </>
  );
}

function JobLine({ job, base }: { job: SiteJobSummary; base: string }) {
  const level = job.state === 'running' ? 'working' : job.counts.failed > 0 ? 'attention' : 'well';
  return (
    <State level={level}>
      <a class="link" href={`${base}/jobs/${job.id}`}>
        {jobWords(job.kind, job.state, job.counts)}
      </a>{' '}
      <span class="muted small">
        <Time at={job.createdAt} />
      </span>
    </State>
  );
}

/** Jobs that run now, on pages where somebody may look for them. Silent when there is none, or none can be asked. */
export function RunningJobs() {
  const { base } = useSite();
  const running = useJobs().data?.items.filter((job) => job.state === 'running') ?? [];
  if (running.length === 0) return null;
  return (
    <ul class="panel flex flex-col gap-2">
      {running.map((job) => (
        <li key={job.id}>
          <JobLine job={job} base={base} />
        </li>
      ))}
    </ul>
  );
}
