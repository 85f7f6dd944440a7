import { useLocation, useRoute } from 'preact-iso';
import type { Role } from '../../../protocol/wire/people.ts';
import { ROLE_PERMISSIONS, type RolePermission } from '../../../protocol/wire/rights.ts';
import { Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { NotFound } from '../not-found.tsx';
import { api, me } from '../session.ts';

const ROLE = 'role ';
const PERMISSION = 'permission ';
const ticked = (fields: Record<string, string>, prefix: string) =>
  Object.keys(fields).flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
/** Roles that were ticked in a form. */
export const rolesIn = (fields: Record<string, string>): string[] => ticked(fields, ROLE);

const holds = (permissions: readonly RolePermission[]) =>
  permissions.every((permission) => me.value?.admin || me.value?.permissions.includes(permission));

/** A tick for each role; those that hold more than who gives them are shown, and said why they cannot be given. */
export function RoleBoxes({ held }: { held: readonly string[] }) {
  const roles = useResource((signal) => api.get('/roles', { signal }), []);
  if (roles.error) return <ProblemPanel error={roles.error} what={t('roles.failed')} retry={roles.reload} />;
  if (!roles.data) return <Skeleton lines={3} />;
  return (
    <fieldset>
      <legend class="font-semibold">{t('people.roles')}</legend>
      {roles.data.items.length === 0 && (
        <p class="muted">
          {t('roles.none')}{' '}
          <a class="link" href="/company/roles/new">
            {t('roles.add')}
          </a>
        </p>
      )}
      <ul class="mt-1 flex flex-col gap-2">
        {roles.data.items.map((role) => {
          const has = held.includes(role.id);
          const locked = !has && !holds(role.permissions);
          return (
            <li key={role.id}>
              <label class="flex items-start gap-2">
                <input
                  type="checkbox"
                  class="checkbox mt-0.5"
                  name={ROLE + role.id}
                  defaultChecked={has}
                  disabled={locked}
                />
                <span>
                  {role.name} <span class="muted small">{locked ? t('roles.more') : permissionNames(role)}</span>
                </span>
              </label>
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}

const permissionNames = (role: Pick<Role, 'permissions'>): string =>
  role.permissions.map((permission) => t(`rolePermission.${permission}`)).join(', ') || t('roles.empty');

/** The company's roles. */
export function RolesPage() {
  const roles = useResource((signal) => api.get('/roles', { signal }), []);
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('roles.title')}</Title>
        <a class="btn btn-primary" href="/company/roles/new">
          {t('roles.add')}
        </a>
      </div>
      <p class="muted max-w-prose">{t('roles.text')}</p>
      <ProblemPanel error={roles.error} what={t('roles.failed')} retry={roles.reload} />
      {!roles.data && !roles.error && <Skeleton />}
      {roles.data?.items.length === 0 && <Empty title={t('roles.none')}>{t('roles.noneNext')}</Empty>}
      {!!roles.data?.items.length && (
        <div class="panel">
          <table class="rows">
            <thead>
              <tr>
                <th>{t('roles.name')}</th>
                <th>{t('roles.permissions')}</th>
                <th>{t('roles.people')}</th>
              </tr>
            </thead>
            <tbody>
              {roles.data.items.map((role) => (
                <tr key={role.id}>
                  <td class="wide" data-label={t('roles.name')}>
                    <a class="link" href={`/company/roles/${role.id}`}>
                      {role.name}
                    </a>
                  </td>
                  <td class="wide" data-label={t('roles.permissions')}>
                    {permissionNames(role)}
                  </td>
                  <td data-label={t('roles.people')}>{role.people}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** Adds a role. */
export function NewRolePage() {
  const { route } = useLocation();
  const save = useAction(async (fields: Record<string, string>) => {
    await api.post('/roles', roleIn(fields));
    route('/company/roles');
  });
  return (
    <>
      <Title>{t('roles.add')}</Title>
      <RoleForm save={save} existing={null} />
    </>
  );
}

/** Changes or deletes a role. */
export function RolePage() {
  const { params } = useRoute();
  const { route } = useLocation();
  const roleId = params.roleId ?? '';
  const roles = useResource((signal) => api.get('/roles', { signal }), []);
  const role = roles.data?.items.find((each) => each.id === roleId);
  const save = useAction(async (fields: Record<string, string>) => {
    await api.put('/roles/{roleId}', roleIn(fields), { params: { roleId } });
    route('/company/roles');
  });
  if (roles.error) return <ProblemPanel error={roles.error} what={t('roles.failed')} retry={roles.reload} />;
  if (!roles.data) return <Skeleton />;
  if (!role) return <NotFound />;
  const remove = () => {
    route('/company/roles');
    withUndo({
      text: t('roles.removing', { name: role.name }),
      failed: t('roles.removeFailed', { name: role.name }),
      run: (leaving) => api.delete('/roles/{roleId}', { params: { roleId }, keepalive: leaving }),
      back: () => route(`/company/roles/${roleId}`),
    });
  };
  return (
    <>
      <Title>{role.name}</Title>
      <RoleForm save={save} existing={role} />
      {role.people === 0 ? (
        <button type="button" class="btn self-start" onClick={remove}>
          {t('roles.remove')}
        </button>
      ) : (
        <p class="muted">{t('roles.inUse', { count: role.people })}</p>
      )}
    </>
  );
}

const roleIn = (fields: Record<string, string>) => ({
  name: fields.name ?? '',
  permissions: ticked(fields, PERMISSION) as RolePermission[],
});

function RoleForm({
  save,
  existing,
}: {
  save: ReturnType<typeof useAction<[Record<string, string>]>>;
  existing: Role | null;
}) {
  return (
    <div class="panel flex max-w-xl flex-col gap-4">
      <ProblemPanel error={save.error} what={t('roles.saveFailed')} focus />
      <Form onSubmit={save.run} label={t('roles.permissions')}>
        <Field
          label={t('roles.name')}
          name="name"
          required
          maxLength={64}
          value={existing?.name ?? ''}
          error={save.error}
        />
        <fieldset>
          <legend class="font-semibold">{t('roles.permissions')}</legend>
          <ul class="mt-1 flex flex-col gap-3">
            {ROLE_PERMISSIONS.map((permission) => {
              const has = existing?.permissions.includes(permission) ?? false;
              const locked = !has && !holds([permission]);
              return (
                <li key={permission}>
                  <label class="flex items-start gap-2">
                    <input
                      type="checkbox"
                      class="checkbox mt-0.5"
                      name={PERMISSION + permission}
                      defaultChecked={has}
                      disabled={locked}
                    />
                    <span>
                      {t(`rolePermission.${permission}`)}
                      <span class="muted small block">
                        {locked ? t('roles.notYours') : t(`rolePermissionText.${permission}`)}
                      </span>
                    </span>
                  </label>
                </li>
              );
            })}
          </ul>
        </fieldset>
        <SubmitOrCancel busy={save.busy} doing={t('form.saving')} cancel="/company/roles">
          {t('action.save')}
        </SubmitOrCancel>
      </Form>
    </div>
  );
}
