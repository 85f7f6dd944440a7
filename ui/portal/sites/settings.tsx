import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { SiteManagersPanel } from './managers.tsx';
import { chosenGroup, GroupChoice, SiteStatusText } from './parts.tsx';
import { SiteFields, siteFields } from './site-form.tsx';

/** Everything about a site that can be set, and what cannot with the reason. */
export function SiteSettings() {
  const { site } = useSite();
  const data = site.data!;
  return (
    <>
      <Title suffix={`${data.name} · Gatepost`}>{t('settings.title')}</Title>
      <div class="grid items-start gap-6 lg:grid-cols-2">
        <EditPanel />
        <div class="flex flex-col gap-6">
          <SiteManagersPanel />
          {data.own && data.type === 'personal' && <GroupPanel />}
          {data.own && <RemovePanel />}
        </div>
      </div>
    </>
  );
}

function EditPanel() {
  const { site, siteId } = useSite();
  const data = site.data!;
  const [saved, setSaved] = useState(false);
  const save = useAction(async (fields: Record<string, string>) => {
    setSaved(false);
    const next = await api.patch('/sites/{siteId}', siteFields(fields), { params: { siteId } });
    site.set(() => next);
    setSaved(true);
  });
  const may = data.operations.includes('edit');
  return (
    <Panel title={t('settings.site')}>
      <Facts
        items={[
          [t('sites.status'), <SiteStatusText key="s" site={data} />],
          [t('sites.type'), t(data.type === 'team' ? 'sites.team' : 'sites.personal')],
          [t('sites.zone'), data.timeZone],
          [t('sites.devicesColumn'), t('sites.devices', { count: data.deviceCount })],
          [
            t('settings.channels'),
            data.type === 'personal'
              ? t('settings.channelsOf', { count: data.channelCount })
              : t('sites.channels', { count: data.channelCount }),
          ],
        ]}
      />
      <p class="muted small my-3">{t('settings.zoneFixed')}</p>
      {!may ? (
        <State level="info">
          {t(data.status === 'not-authorized' ? 'settings.editNeedsAuthorization' : 'settings.editNot')}
        </State>
      ) : (
        <>
          <ProblemPanel error={save.error} what={t('settings.saveFailed')} focus />
          <p role="status" class="empty:hidden">
            {saved && !save.busy && !save.error && <State level="well">{t('settings.saved')}</State>}
          </p>
          <Form onSubmit={save.run} label={t('settings.site')}>
            <Field
              label={t('sites.name')}
              name="name"
              value={data.name}
              required
              maxLength={64}
              autoComplete="off"
              error={save.error}
            />
            <SiteFields site={data} error={save.error} remark={data.own} />
            <div>
              <Submit busy={save.busy} doing={t('form.saving')}>
                {t('settings.save')}
              </Submit>
            </div>
          </Form>
        </>
      )}
    </Panel>
  );
}

function GroupPanel() {
  const { site, siteId } = useSite();
  const groups = useResource((signal) => api.get('/site-groups', { signal }), []);
  const move = useAction(async (fields: Record<string, string>) => {
    await api.post('/site-groups/moves', { siteIds: [siteId], group: chosenGroup(fields) });
    site.reload();
    groups.reload();
  });
  if (!site.data!.operations.includes('group')) return null;
  return (
    <Panel title={t('sites.group')}>
      <ProblemPanel error={groups.error} what={t('sites.groupsFailed')} retry={groups.reload} />
      <ProblemPanel error={move.error} what={t('sites.moveFailed')} focus />
      {groups.data && (
        <Form key={site.data!.group?.id} onSubmit={move.run} label={t('sites.moveToGroup')}>
          <GroupChoice groups={groups.data.items} value={site.data!.group?.id} />
          <div>
            <Submit busy={move.busy} doing={t('form.saving')}>
              {t('sites.moveToGroup')}
            </Submit>
          </div>
        </Form>
      )}
    </Panel>
  );
}

function RemovePanel() {
  const { site, siteId, base } = useSite();
  const { route } = useLocation();
  const { name, ownerName, operations, boxes } = site.data!;
  if (!operations.includes('delete')) return null;
  const remove = () => {
    route('/sites');
    withUndo({
      text: t('settings.removed', { name }),
      failed: t('settings.removeFailed', { name }),
      run: (leaving) => api.delete('/sites/{siteId}', { params: { siteId }, keepalive: leaving }),
      back: () => route(base),
    });
  };
  return (
    <Panel title={t('settings.remove')}>
      <p class="mb-3 max-w-prose">
        {ownerName
          ? t('settings.removeOwned', { owner: ownerName })
          : t('settings.removeText', { count: boxes.filter((box) => box.state !== 'revoked').length })}
      </p>
      <button type="button" class="btn" onClick={remove}>
        {t('settings.removeSite', { name })}
      </button>
    </Panel>
  );
}
