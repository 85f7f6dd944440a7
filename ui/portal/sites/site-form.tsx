import { useLocation } from 'preact-iso';
import type { Site } from '../../../protocol/wire/api.ts';
import type { CreateSite, EditSite } from '../../../protocol/wire/sites.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { viewerZone } from '../../components/time.ts';
import { Limited } from '../limited.tsx';
import { api, me } from '../session.ts';
import { chosenGroup, GroupChoice } from './parts.tsx';

const TEXTS = ['scene', 'address', 'city', 'region', 'country'] as const;
const LENGTHS = { scene: 32, address: 200, city: 64, region: 64, country: 2 };

/** What can be said of a site, but for its name, zone and type. */
export function SiteFields({ site, error, remark }: { site?: Site; error: ApiError | null; remark: boolean }) {
  return (
    <>
      <label class="flex min-h-8 items-start gap-2">
        <input
          type="checkbox"
          class="checkbox checkbox-sm mt-1"
          name="syncTime"
          defaultChecked={site?.syncTime ?? true}
        />
        <span>
          {t('siteForm.syncTime')}
          <span class="muted small block">{t('siteForm.syncTimeHint')}</span>
        </span>
      </label>
      {TEXTS.map((name) => (
        <Field
          key={name}
          label={t(`siteForm.${name}`)}
          hint={name === 'country' ? t('siteForm.countryHint') : undefined}
          name={name}
          value={site?.[name]}
          maxLength={LENGTHS[name]}
          autoComplete="off"
          error={error}
        />
      ))}
      <fieldset class="grid gap-4 sm:grid-cols-2">
        <legend class="mb-1 font-semibold">{t('siteForm.place')}</legend>
        {(['latitude', 'longitude'] as const).map((name) => (
          <Field
            key={name}
            label={t(`siteForm.${name}`)}
            name={name}
            value={site?.[name]?.toString()}
            pattern="-?[0-9]{1,3}([.,][0-9]+)?"
            maxLength={20}
            autoComplete="off"
            error={error}
          />
        ))}
      </fieldset>
      {remark && (
        <Field
          label={t('siteForm.remark')}
          hint={t('siteForm.remarkHint')}
          name="remark"
          value={site?.remark ?? ''}
          maxLength={500}
          autoComplete="off"
          error={error}
        />
      )}
    </>
  );
}

const degrees = (text: string | undefined) => (text?.trim() ? Number(text.replace(',', '.')) : null);

export function siteFields(fields: Record<string, string>): EditSite {
  const { name, scene, address, city, region, country, remark } = fields;
  return {
    name,
    scene,
    address,
    city,
    region,
    country: country?.toUpperCase(),
    ...(remark === undefined ? {} : { remark }),
    syncTime: 'syncTime' in fields,
    latitude: degrees(fields.latitude),
    longitude: degrees(fields.longitude),
  };
}

/** Makes a site. */
export function NewSite() {
  if (!me.value?.limited) return <NewSiteForm />;
  return (
    <>
      <Title>{t('sites.new')}</Title>
      <Limited />
    </>
  );
}

function NewSiteForm() {
  const { route } = useLocation();
  const groups = useResource((signal) => api.get('/site-groups', { signal }), []);
  const create = useAction(async (fields: Record<string, string>) => {
    const group = fields.type === 'team' ? null : chosenGroup(fields);
    const body = { ...siteFields(fields), timeZone: fields.timeZone, type: fields.type, group } as CreateSite;
    const site = await api.post('/sites', body);
    route(`/sites/${site.id}`);
  });
  return (
    <>
      <Title>{t('sites.new')}</Title>
      <div class="panel flex max-w-xl flex-col gap-4">
        <ProblemPanel error={create.error} what={t('sites.createFailed')} focus />
        <Form onSubmit={create.run} label={t('sites.new')}>
          <Field
            label={t('sites.name')}
            hint={t('siteForm.nameHint')}
            name="name"
            required
            maxLength={64}
            error={create.error}
            autoComplete="off"
          />
          <Choice
            label={t('sites.zone')}
            hint={t('siteForm.zoneHint')}
            name="timeZone"
            value={viewerZone()}
            options={[...new Set([viewerZone(), 'UTC', ...Intl.supportedValuesOf('timeZone')])]
              .sort()
              .map((zone) => [zone, zone])}
          />
          <Choice
            label={t('sites.type')}
            hint={t('siteForm.typeHint')}
            name="type"
            options={[
              ['personal', t('siteForm.personal')],
              ['team', t('siteForm.team')],
            ]}
          />
          <GroupChoice groups={groups.data?.items ?? []} />
          <details>
            <summary class="link">{t('siteForm.more')}</summary>
            <div class="mt-4 flex flex-col gap-4">
              <SiteFields error={create.error} remark />
            </div>
          </details>
          <SubmitOrCancel busy={create.busy} doing={t('form.saving')} cancel="/sites">
            {t('sites.create')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}
