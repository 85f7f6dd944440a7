import { useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import type { Person } from '../../../protocol/wire/people.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api, enter, me } from '../session.ts';
import { personState } from './people.tsx';
import { RoleBoxes, rolesIn } from './roles.tsx';

/** One of the company's people: roles, and the two switches of the account. */
export function PersonPage() {
  const { params } = useRoute();
  const userId = params.userId ?? '';
  const person = useResource((signal) => api.get('/people/{userId}', { params: { userId }, signal }), [userId]);
  const shown = person.data;
  if (!shown)
    return (
      <>
        <Title>{t('people.person')}</Title>
        <ProblemPanel error={person.error} what={t('people.personFailed')} retry={person.reload} />
        {!person.error && <Skeleton lines={6} />}
      </>
    );
  const { level, text } = personState(shown);
  const self = shown.id === me.value?.userId;
  return (
    <>
      <Title>{shown.name}</Title>
      <div class="grid gap-6 md:grid-cols-2">
        <Panel title={t('people.about')}>
          <Facts
            items={[
              [t('people.email'), shown.email ?? t('state.none')],
              [t('people.phone'), shown.phone ?? t('state.none')],
              [t('people.kind'), t(shown.admin ? 'people.admin' : 'people.employee')],
              [
                t('people.state'),
                <State key="state" level={level}>
                  {text}
                </State>,
              ],
              [t('people.since'), <Time key="since" at={shown.createdAt} full />],
            ]}
          />
          {shown.admin && <p class="muted mt-4">{t('people.adminText')}</p>}
        </Panel>
        {!shown.admin && !self && <RolesPanel person={person} />}
        {!shown.admin && !self && <SwitchesPanel person={person} />}
        {!shown.admin && self && (
          <Panel title={t('people.switches')}>
            <ul class="mb-4">
              {shown.roles.map((role) => (
                <li key={role.id}>{role.name}</li>
              ))}
            </ul>
            <p class="muted">{t('people.notYourself')}</p>
          </Panel>
        )}
        {!shown.admin && !self && <EndPanel person={shown} />}
        {!shown.admin && shown.enabled && me.value?.admin && <AdministratorPanel person={shown} />}
      </div>
    </>
  );
}

function RolesPanel({ person }: { person: Resource<Person> }) {
  const { id, roles } = person.data!;
  const [saved, setSaved] = useState(false);
  const save = useAction(async (fields: Record<string, string>) => {
    setSaved(false);
    const changed = await api.put('/people/{userId}/roles', { roles: rolesIn(fields) }, { params: { userId: id } });
    person.set(() => changed);
    setSaved(true);
  });
  return (
    <Panel title={t('people.roles')}>
      <ProblemPanel error={save.error} what={t('people.rolesFailed')} focus />
      <Form onSubmit={save.run} label={t('people.roles')}>
        <RoleBoxes held={roles.map((role) => role.id)} />
        <div class="flex flex-wrap items-center gap-4">
          <Submit busy={save.busy} doing={t('form.saving')}>
            {t('action.save')}
          </Submit>
          <span role="status">{saved && t('account.saved')}</span>
        </div>
      </Form>
    </Panel>
  );
}

function SwitchesPanel({ person }: { person: Resource<Person> }) {
  const { id, enabled, limited } = person.data!;
  const params = { userId: id };
  const change = useAction(async (what: 'enabled' | 'limited') => {
    const changed =
      what === 'enabled'
        ? await api.put('/people/{userId}/enabled', { enabled: !enabled }, { params })
        : await api.put('/people/{userId}/limited', { limited: !limited }, { params });
    person.set(() => changed);
  });
  return (
    <Panel title={t('people.switches')}>
      <ProblemPanel error={change.error} what={t('people.changeFailed')} focus />
      <div class="flex flex-col gap-4">
        <div>
          <p>{t(limited ? 'people.limitedText' : 'people.unlimitedText')}</p>
          <button type="button" class="btn mt-2" aria-disabled={change.busy} onClick={() => change.run('limited')}>
            {t(limited ? 'people.removeLimit' : 'people.setLimit')}
          </button>
        </div>
        <div>
          <p>{t(enabled ? 'people.enabledText' : 'people.disabledText')}</p>
          <button type="button" class="btn mt-2" aria-disabled={change.busy} onClick={() => change.run('enabled')}>
            {t(enabled ? 'people.disable' : 'people.enable')}
          </button>
        </div>
      </div>
    </Panel>
  );
}

function EndPanel({ person }: { person: Person }) {
  const { route } = useLocation();
  const remove = () => {
    const path = location.pathname;
    route('/company/people');
    withUndo({
      text: t('people.removing', { name: person.name }),
      failed: t('people.removeFailed', { name: person.name }),
      run: (leaving) => api.delete('/people/{userId}', { params: { userId: person.id }, keepalive: leaving }),
      back: () => route(path),
    });
  };
  return (
    <Panel title={t('people.remove')}>
      <p class="mb-4">{t('people.removeText')}</p>
      <button type="button" class="btn" onClick={remove}>
        {t('people.removeSubmit')}
      </button>
    </Panel>
  );
}

function AdministratorPanel({ person }: { person: Person }) {
  const { route } = useLocation();
  const hand = useAction(async ({ password = '' }: Record<string, string>) => {
    enter(await api.put('/company/administrator', { userId: person.id, password }));
    route('/company');
  });
  return (
    <Panel title={t('people.handOver')}>
      <p class="mb-4">{t('people.handOverText', { name: person.name })}</p>
      <ProblemPanel error={hand.error} what={t('people.handOverFailed')} focus />
      <Form onSubmit={hand.run} label={t('people.handOver')}>
        <Field
          label={t('account.password')}
          name="password"
          type="password"
          required
          autoComplete="current-password"
          maxLength={128}
        />
        <Submit busy={hand.busy} doing={t('form.saving')}>
          {t('people.handOverSubmit')}
        </Submit>
      </Form>
    </Panel>
  );
}
