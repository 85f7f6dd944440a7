import { useLocation } from 'preact-iso';
import { ARC_AGREEMENT, type ArcJoining } from '../../../protocol/wire/arc-joining.ts';
import { Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { NotFound } from '../not-found.tsx';
import { api } from '../session.ts';
import { InformationFields, informationOf } from './information.tsx';

/** The application: complete company information, and the agreement on joining. */
export function ApplyPage() {
  return <InformationPage title={t('arcJoin.apply')} agree />;
}

/** The same, once applied. */
export function ChangeInformationPage() {
  return <InformationPage title={t('arcJoin.information')} agree={false} />;
}

function InformationPage({ title, agree }: { title: string; agree: boolean }) {
  const joining = useResource((signal) => api.get('/arc-joining', { signal }), []);
  const { data } = joining;
  const open = data && ['none', 'rejected', 'withdrawn'].includes(data.state);
  if (data && open !== agree) return <NotFound />;
  return (
    <>
      <Title>{title}</Title>
      <ProblemPanel error={joining.error} what={t('arcJoin.failed')} retry={joining.reload} />
      {!data && !joining.error && <Skeleton lines={8} />}
      {data && <InformationForm data={data} agree={agree} />}
    </>
  );
}

function InformationForm({ data, agree }: { data: ArcJoining; agree: boolean }) {
  const { route } = useLocation();
  const save = useAction(async (fields: Record<string, string>) => {
    const information = informationOf(fields);
    if (agree) await api.post('/arc-joining', { information, agreement: ARC_AGREEMENT });
    else await api.put('/arc-joining', { information });
    route('/arc/joining');
  });
  return (
    <div class="panel flex max-w-3xl flex-col gap-4">
      <p class="muted max-w-prose">{t('arcJoin.informationText')}</p>
      <ProblemPanel error={save.error} what={t(agree ? 'arcJoin.applyFailed' : 'arcJoin.actionFailed')} focus />
      <Form onSubmit={save.run} label={t('arcJoin.information')}>
        <InformationFields now={data.information ?? data.proposed} error={save.error} />
        {agree && <Agreement helpEmail={data.helpEmail} />}
        <SubmitOrCancel busy={save.busy} doing={t('form.saving')} cancel="/arc/joining">
          {t(agree ? 'arcJoin.submit' : 'action.save')}
        </SubmitOrCancel>
      </Form>
    </div>
  );
}

const POINTS = ['staff', 'law', 'data', 'key', 'test', 'leave'] as const;

/** The agreement on joining, which names who helps (ARC-11). */
function Agreement({ helpEmail }: { helpEmail: string | null }) {
  return (
    <section class="flex flex-col gap-3 rounded-box border border-base-300 p-4" aria-labelledby="agreement">
      <h2 id="agreement">{t('arcJoin.agreement')}</h2>
      <p class="muted small">{t('arcJoin.agreementVersion', { version: ARC_AGREEMENT })}</p>
      <ol class="flex list-decimal flex-col gap-2 pl-6">
        {POINTS.map((point) => (
          <li key={point}>{t(`arcJoin.point.${point}`)}</li>
        ))}
      </ol>
      {helpEmail && (
        <p>
          {t('arcJoin.help')}{' '}
          <a class="link break-all" href={`mailto:${helpEmail}`}>
            {helpEmail}
          </a>
        </p>
      )}
      <label class="flex min-h-8 items-start gap-3">
        <input type="checkbox" class="checkbox checkbox-sm mt-1" name="agree" required />
        <span>{t('arcJoin.agree')}</span>
      </label>
    </section>
  );
}
