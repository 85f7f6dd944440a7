import { useRef } from 'preact/hooks';
import type { SiteGroup } from '../../../protocol/wire/sites.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { Limited } from '../limited.tsx';
import { api, me } from '../session.ts';
import { Modes } from './parts.tsx';

/** Groups of personal sites: by town, by chain. */
export function Groups() {
  const groups = useResource((signal) => api.get('/site-groups', { signal }), []);
  const adding = useRef<HTMLDivElement>(null);
  const create = useAction(async (fields: Record<string, string>) => {
    await api.post('/site-groups', { name: fields.name! });
    adding.current?.querySelector('form')?.reset();
    groups.reload();
  });
  const limited = me.value?.limited === true;
  const mayChange = me.value?.admin || me.value?.permissions.includes('manage-all-sites');
  return (
    <>
      <Title>{t('sites.groupsTitle')}</Title>
      <Modes current="groups" />
      <ProblemPanel error={groups.error} what={t('sites.groupsFailed')} retry={groups.reload} />
      {!groups.data && !groups.error && <Skeleton lines={4} />}
      {groups.data?.items.length === 0 && <Empty title={t('sites.noGroups')}>{t('sites.noGroupsNext')}</Empty>}
      {groups.data && groups.data.items.length > 0 && (
        <ul class="panel flex flex-col divide-y divide-base-300">
          {groups.data.items.map((group) => (
            <Row key={group.id} group={group} groups={groups} mayChange={mayChange === true && !limited} />
          ))}
        </ul>
      )}
      <div class="max-w-xl" ref={adding}>
        <Panel title={t('sites.newGroup')}>
          {limited ? (
            <Limited />
          ) : (
            <>
              <ProblemPanel error={create.error} what={t('sites.groupFailed')} focus />
              <Form onSubmit={create.run} label={t('sites.newGroup')}>
                <Field
                  label={t('sites.groupName')}
                  name="name"
                  required
                  maxLength={64}
                  autoComplete="off"
                  error={create.error}
                />
                <div>
                  <Submit busy={create.busy} doing={t('form.saving')}>
                    {t('sites.createGroup')}
                  </Submit>
                </div>
              </Form>
            </>
          )}
        </Panel>
      </div>
      {!mayChange && !limited && <p class="muted">{t('sites.groupsNeed')}</p>}
    </>
  );
}

function Row({
  group,
  groups,
  mayChange,
}: {
  group: SiteGroup;
  groups: Resource<{ items: SiteGroup[] }>;
  mayChange: boolean;
}) {
  const rename = useAction(async (fields: Record<string, string>) => {
    await api.put('/site-groups/{groupId}', { name: fields.name! }, { params: { groupId: group.id } });
    groups.reload();
  });
  const remove = () => {
    groups.set((list) => ({ items: list.items.filter((item) => item.id !== group.id) }));
    withUndo({
      text: t('sites.groupRemoved', { name: group.name }),
      failed: t('sites.groupRemoveFailed', { name: group.name }),
      run: (leaving) => api.delete('/site-groups/{groupId}', { params: { groupId: group.id }, keepalive: leaving }),
      back: groups.reload,
    });
  };
  return (
    <li class="flex flex-wrap items-start justify-between gap-4 py-3">
      <span>
        <a class="link font-semibold" href={`/sites?group=${group.id}`}>
          {group.name}
        </a>{' '}
        <span class="muted">{t('sites.inGroup', { count: group.siteCount })}</span>
      </span>
      {mayChange && (
        <details class="min-w-0">
          <summary class="link">{t('sites.changeGroup', { name: group.name })}</summary>
          <div class="mt-3 flex flex-col gap-3">
            <ProblemPanel error={rename.error} what={t('sites.groupFailed')} focus />
            <Form onSubmit={rename.run} label={t('sites.changeGroup', { name: group.name })}>
              <Field
                label={t('sites.groupName')}
                name="name"
                value={group.name}
                required
                maxLength={64}
                autoComplete="off"
                error={rename.error}
              />
              <div class="flex flex-wrap gap-4">
                <Submit busy={rename.busy} doing={t('form.saving')}>
                  {t('sites.rename')}
                </Submit>
                <button type="button" class="btn" onClick={remove}>
                  {t('sites.removeGroup')}
                </button>
              </div>
            </Form>
          </div>
        </details>
      )}
    </li>
  );
}
