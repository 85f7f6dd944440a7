import { useId, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { RolePermission } from '../../../protocol/wire/rights.ts';
import type { CreatedApiKey } from '../../client/api.gen.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { Panel, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { Copyable } from '../../components/serial.tsx';
import { api, me } from '../session.ts';
import { type ChosenSite, SiteChecks } from './site-checks.tsx';

type KeyPermission = Exclude<RolePermission, 'manage-accounts'>;
const PERMISSIONS: KeyPermission[] = [
  'manage-all-sites',
  'manage-assigned-sites',
  'manage-devices',
  'configure-devices',
  'live-view',
  'playback',
];
const DAYS = [30, 90, 180, 366];
const LIST = '/company/api-keys';

/** Makes a key, and shows it this once. */
export function NewApiKey() {
  const [made, setMade] = useState<CreatedApiKey | null>(null);
  return made ? <Made created={made} /> : <KeyForm onMade={setMade} />;
}

function KeyForm({ onMade }: { onMade: (key: CreatedApiKey) => void }) {
  const person = me.value;
  const [some, setSome] = useState(false);
  const [sites, setSites] = useState<ChosenSite[]>([]);
  const create = useAction(async (fields: Record<string, string>) => {
    const permissions = PERMISSIONS.filter((permission) => `permission:${permission}` in fields);
    if (permissions.length === 0) throw missing(t('apiKeys.choose'));
    if (some && sites.length === 0) throw missing(t('apiKeys.chooseSite'));
    const wanted = {
      name: fields.name!,
      permissions,
      readOnly: 'readOnly' in fields,
      sites: some ? sites.map((site) => site.id) : null,
      days: Number(fields.days),
    };
    onMade(await api.post('/keys', wanted));
  });
  // What was missing is chosen now.
  const answered = () => {
    if (create.error?.code === 'invalid-request' && create.error.fields.length === 0) create.forget();
  };
  const held = PERMISSIONS.filter((permission) => person?.admin || person?.permissions.includes(permission));
  return (
    <>
      <Title>{t('apiKeys.addTitle')}</Title>
      <div class="panel flex max-w-xl flex-col gap-4">
        <ProblemPanel error={create.error} what={t('apiKeys.createFailed')} focus />
        <Form onSubmit={create.run}>
          <Field
            label={t('apiKeys.name')}
            hint={t('apiKeys.nameHint')}
            name="name"
            required
            maxLength={64}
            error={create.error}
            autoComplete="off"
          />
          <fieldset onChange={answered}>
            <legend class="font-semibold">{t('apiKeys.permissions')}</legend>
            {held.map((permission) => (
              <Check
                key={permission}
                name={`permission:${permission}`}
                on={permission.endsWith('-sites')}
                label={t(`apiKeys.permission.${permission}`)}
              />
            ))}
          </fieldset>
          <Check name="readOnly" on label={t('apiKeys.readOnly')} hint={t('apiKeys.readOnlyHint')} />
          <fieldset>
            <legend class="font-semibold">{t('apiKeys.sitesWhich')}</legend>
            {[false, true].map((one) => (
              <label key={String(one)} class="flex min-h-8 items-center gap-2">
                <input type="radio" name="which" checked={some === one} onChange={() => setSome(one)} />
                {one ? t('apiKeys.sitesChosen') : t('apiKeys.sitesEvery')}
              </label>
            ))}
          </fieldset>
          {some && (
            <SiteChecks
              chosen={sites}
              onChange={(next) => {
                setSites(next);
                answered();
              }}
            />
          )}
          <Choice
            label={t('apiKeys.daysLabel')}
            name="days"
            value="90"
            options={DAYS.map((count) => [String(count), t('apiKeys.days', { count })] as const)}
          />
          <SubmitOrCancel busy={create.busy} doing={t('form.saving')} cancel={LIST}>
            {t('apiKeys.add')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}

const missing = (detail: string) => new ApiError('invalid-request', 400, { detail });

function Check({ name, on, label, hint }: { name: string; on: boolean; label: string; hint?: string }) {
  const id = useId();
  return (
    <div>
      <label class="flex min-h-8 items-center gap-2">
        <input
          type="checkbox"
          class="checkbox checkbox-sm"
          name={name}
          defaultChecked={on}
          aria-describedby={hint ? id : undefined}
        />
        {label}
      </label>
      {hint && (
        <p id={id} class="muted small pl-7">
          {hint}
        </p>
      )}
    </div>
  );
}

function Made({ created }: { created: CreatedApiKey }) {
  const { route } = useLocation();
  return (
    <>
      <Title>{created.name}</Title>
      <div class="max-w-xl">
        <Panel title={t('apiKeys.made')}>
          <div class="flex flex-col gap-4" role="status">
            <p class="font-semibold">{t('apiKeys.madeText')}</p>
            <p>
              <Copyable text={created.token} label={t('apiKeys.made')} />
            </p>
            <p class="muted">{t('apiKeys.idText')}</p>
            <p>
              <Copyable text={created.id} label={t('apiKeys.id')} />
            </p>
            <div>
              <button type="button" class="btn btn-primary" onClick={() => route(LIST)}>
                {t('apiKeys.done')}
              </button>
            </div>
          </div>
        </Panel>
      </div>
    </>
  );
}
