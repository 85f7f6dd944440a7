import type { ApplicationState, PermissionApplication } from '../../../protocol/wire/handover.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { whatOf } from './held.tsx';

export const APPLICATION_LEVEL: Record<ApplicationState, Level> = {
  pending: 'working',
  approved: 'well',
  refused: 'problem',
  withdrawn: 'unknown',
};

/** The company's last applications at a site. `seen` changes when something of them may have been decided. */
export function Applications({ siteId, reload, seen }: { siteId: string; reload: () => void; seen: string }) {
  const list = useResource(
    (signal) => api.get('/permission-applications', { query: { siteId, limit: 20 }, signal }),
    [siteId, seen],
  );
  const changed = () => {
    list.reload();
    reload();
  };
  return (
    <Panel title={t('handover.applications.title')}>
      <ProblemPanel error={list.error} what={t('handover.applications.failed')} retry={list.reload} />
      {list.data?.items.length === 0 && <p class="muted">{t('handover.applications.none')}</p>}
      <ul class="flex flex-col divide-y divide-base-300">
        {list.data?.items.map((application) => (
          <One key={application.id} application={application} changed={changed} />
        ))}
      </ul>
    </Panel>
  );
}

function One({ application, changed }: { application: PermissionApplication; changed: () => void }) {
  const cancel = useAction(async () => {
    await api.post(
      '/permission-applications/{applicationId}/cancel',
      {},
      { params: { applicationId: application.id } },
    );
    changed();
  });
  return (
    <li class="flex flex-col items-start gap-1 py-3">
      <p class="muted small">
        <Time at={application.createdAt} /> {application.remark}
      </p>
      <ul class="flex flex-col gap-1">
        {application.items.map((item) => (
          <li key={item.id}>
            <State level={APPLICATION_LEVEL[item.state]}>
              {whatOf(item)}, {t(`handover.validity.${item.validity}`)}:{' '}
              <strong>{t(`handover.applications.state.${item.state}`)}</strong>
            </State>
          </li>
        ))}
      </ul>
      <ProblemPanel error={cancel.error} what={t('handover.applications.cancelFailed')} />
      {application.open && (
        <button type="button" class="link" aria-disabled={cancel.busy} onClick={() => cancel.run()}>
          {t('handover.applications.cancel')}
        </button>
      )}
    </li>
  );
}
