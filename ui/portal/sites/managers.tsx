import type { SiteManager } from '../../../protocol/wire/sites.ts';
import { Form, Submit } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { Empty, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { api, me } from '../session.ts';
import { useSite } from '../site/context.ts';
import { chosenPeople, endOf, People, ValidityFields } from './batch.tsx';
import { Validity } from './parts.tsx';

type Managers = Resource<{ items: SiteManager[] }>;

/** Who manages the site and until when; with Manage All Sites one changes it, without it one can only leave. */
export function SiteManagersPanel() {
  const { site, siteId } = useSite();
  const managers = useResource(
    (signal) => api.get('/sites/{siteId}/managers', { params: { siteId }, signal }),
    [siteId],
  );
  const mayAssign = site.data!.operations.includes('assign');
  return (
    <Panel title={t('sites.managers')}>
      <ProblemPanel error={managers.error} what={t('managers.failed')} retry={managers.reload} />
      {!managers.data && !managers.error && <Skeleton />}
      {managers.data?.items.length === 0 && <Empty title={t('managers.none')}>{t('managers.noneNext')}</Empty>}
      <ul class="flex flex-col divide-y divide-base-300 empty:hidden">
        {managers.data?.items.map((manager) => (
          <Manager key={manager.userId} manager={manager} managers={managers} mayAssign={mayAssign} />
        ))}
      </ul>
      {mayAssign ? <Assign managers={managers} /> : <p class="muted mt-3">{t('managers.needs')}</p>}
    </Panel>
  );
}

function Manager({ manager, managers, mayAssign }: { manager: SiteManager; managers: Managers; mayAssign: boolean }) {
  const { siteId } = useSite();
  const { userId, name, email, until, fixed } = manager;
  const change = useAction(async (fields: Record<string, string>) => {
    const next = await api.put(
      '/sites/{siteId}/managers/{userId}',
      { until: endOf(fields) },
      { params: { siteId, userId } },
    );
    managers.set(() => next);
  });
  const self = userId === me.value?.userId;
  const remove = () => {
    managers.set((list) => ({ items: list.items.filter((item) => item.userId !== userId) }));
    withUndo({
      text: t('managers.removed', { name }),
      failed: t('managers.removeFailed', { name }),
      run: (leaving) =>
        api.delete('/sites/{siteId}/managers/{userId}', { params: { siteId, userId }, keepalive: leaving }),
      back: managers.reload,
    });
  };
  return (
    <li class="flex flex-col gap-2 py-3">
      <div class="flex flex-wrap justify-between gap-x-4">
        <span>
          <strong>{name}</strong> <span class="muted small">{email}</span>
        </span>
        <span>
          <Validity until={until} />
          {fixed && <span class="muted small"> · {t('sites.fixed')}</span>}
        </span>
      </div>
      <div class="flex flex-wrap items-start gap-4">
        {mayAssign && !fixed && (
          <details>
            <summary class="link small">{t('managers.change', { name })}</summary>
            <div class="mt-2 flex flex-col gap-3">
              <ProblemPanel error={change.error} what={t('managers.changeFailed', { name })} focus />
              <Form onSubmit={change.run} label={t('managers.change', { name })}>
                <ValidityFields />
                <div>
                  <Submit busy={change.busy} doing={t('form.saving')}>
                    {t('managers.save')}
                  </Submit>
                </div>
              </Form>
            </div>
          </details>
        )}
        {(mayAssign || self) && (
          <button type="button" class="link small" onClick={remove}>
            {self ? t('managers.leave') : t('managers.remove', { name })}
          </button>
        )}
      </div>
    </li>
  );
}

function Assign({ managers }: { managers: Managers }) {
  const { siteId } = useSite();
  const people = useResource((signal) => api.get('/assignable-employees', { signal }), []);
  const assign = useAction(async (fields: Record<string, string>) => {
    const wanted = chosenPeople(people.data?.items ?? [], fields);
    const result = await api.post('/site-assignments', {
      siteIds: [siteId],
      managers: wanted,
    });
    managers.reload();
    if (result.failed[0]) throw new ApiError(result.failed[0].code, 409, { detail: result.failed[0].detail });
  });
  const others = people.data?.items.filter(
    (person) => !managers.data?.items.some((manager) => manager.userId === person.userId),
  );
  return (
    <details class="mt-3">
      <summary class="link">{t('managers.add')}</summary>
      <div class="mt-3 flex flex-col gap-3">
        <p class="muted small">{t('managers.addHint')}</p>
        <ProblemPanel error={people.error} what={t('sites.peopleFailed')} retry={people.reload} />
        <ProblemPanel error={assign.error} what={t('sites.assignFailed')} focus />
        {others?.length === 0 && <p class="muted">{t('managers.nobodyElse')}</p>}
        {others && others.length > 0 && (
          <Form onSubmit={assign.run} label={t('managers.add')}>
            <People items={others} />
            <ValidityFields />
            <div>
              <Submit busy={assign.busy} doing={t('form.saving')}>
                {t('sites.assign')}
              </Submit>
            </div>
          </Form>
        )}
      </div>
    </details>
  );
}
