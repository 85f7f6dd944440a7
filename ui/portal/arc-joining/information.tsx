import { useState } from 'preact/hooks';
import type { ArcInformation } from '../../../protocol/wire/arc-joining.ts';
import { COUNTRIES } from '../../../protocol/wire/countries.ts';
import { Choice, Field } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { locale, t } from '../../components/i18n.ts';
import { Facts } from '../../components/page.tsx';

/** Empty where none is known. */
export const countryName = (code: string): string =>
  (code && new Intl.DisplayNames([locale()], { type: 'region' }).of(code)) || code;
const byName = (codes: readonly string[]) =>
  codes.map((code) => [code, countryName(code)] as const).sort((a, b) => a[1].localeCompare(b[1], locale()));

/** What installers read about a centre. */
export function InformationFacts({ information }: { information: ArcInformation }) {
  const { contactName, email, phone, website, address, certificates, about, countries } = information;
  return (
    <div class="flex flex-col gap-4">
      <Facts
        items={[
          [t('arcJoin.contactName'), contactName],
          [
            t('arcJoin.email'),
            <a key="email" class="link break-all" href={`mailto:${email}`}>
              {email}
            </a>,
          ],
          [
            t('arcJoin.phone'),
            <a key="phone" class="link" href={`tel:${phone}`}>
              {phone}
            </a>,
          ],
          website !== '' && [
            t('arcJoin.website'),
            <a key="website" class="link break-all" href={website} target="_blank" rel="noreferrer">
              {website}
            </a>,
          ],
          [t('arcJoin.address'), address],
          certificates !== '' && [t('arcJoin.certificates'), certificates],
          [
            t('arcJoin.countries'),
            byName(countries)
              .map(([, name]) => name)
              .join(', '),
          ],
        ]}
      />
      {about !== '' && <p class="max-w-prose whitespace-pre-line">{about}</p>}
    </div>
  );
}

/** The fields of a form; `informationOf` reads them again. */
export function InformationFields({ now, error }: { now: Partial<ArcInformation>; error: ApiError | null }) {
  return (
    <>
      <div class="grid gap-4 sm:grid-cols-2">
        <Field
          label={t('arcJoin.contactName')}
          name="contactName"
          required
          maxLength={64}
          value={now.contactName}
          autoComplete="name"
          error={error}
        />
        <Field
          label={t('arcJoin.email')}
          hint={t('arcJoin.emailHint')}
          name="email"
          type="email"
          required
          maxLength={254}
          value={now.email}
          autoComplete="email"
          error={error}
        />
        <Field
          label={t('arcJoin.phone')}
          hint={t('arcJoin.phoneHint')}
          name="phone"
          inputMode="tel"
          required
          maxLength={40}
          value={now.phone}
          autoComplete="tel"
          error={error}
        />
        <Field
          label={t('arcJoin.website')}
          hint={t('arcJoin.websiteHint')}
          name="website"
          maxLength={256}
          value={now.website}
          autoComplete="url"
          error={error}
        />
        <Field
          label={t('arcJoin.address')}
          name="address"
          required
          maxLength={256}
          value={now.address}
          autoComplete="street-address"
          error={error}
        />
        <Field
          label={t('arcJoin.certificates')}
          hint={t('arcJoin.certificatesHint')}
          name="certificates"
          maxLength={256}
          value={now.certificates}
          autoComplete="off"
          error={error}
        />
      </div>
      <label class="block">
        <span class="font-semibold">{t('arcJoin.about')}</span>
        <span class="muted"> {t('form.optional')}</span>
        <span class="muted small block">{t('arcJoin.aboutHint')}</span>
        <textarea
          name="about"
          rows={4}
          maxLength={2000}
          class="input mt-1 h-auto py-2"
          defaultValue={now.about ?? ''}
        />
      </label>
      <Countries chosen={now.countries ?? []} error={error} />
    </>
  );
}

/** Each chosen country is a hidden field of the form, and a button that takes it away. */
function Countries({ chosen, error }: { chosen: readonly string[]; error: ApiError | null }) {
  const [list, setList] = useState(chosen);
  const wrong = error?.fields.some((field) => field.path.includes('countries'));
  const rest = byName(COUNTRIES.filter((code) => !list.includes(code)));
  return (
    <fieldset class="flex flex-col gap-2">
      <legend class="font-semibold">{t('arcJoin.countries')}</legend>
      <p class="muted small">{t('arcJoin.countriesHint')}</p>
      {wrong && list.length === 0 && <p class="small text-error">{t('arcJoin.countriesNeeded')}</p>}
      <ul class="flex flex-wrap gap-2">
        {byName(list).map(([code, name]) => (
          <li key={code}>
            <input type="hidden" name={`country:${code}`} value="on" />
            <button
              type="button"
              class="btn btn-sm"
              aria-label={t('arcJoin.countryAway', { name })}
              onClick={() => setList(list.filter((other) => other !== code))}
            >
              {name} <span aria-hidden="true">×</span>
            </button>
          </li>
        ))}
      </ul>
      <div class="max-w-xs">
        <Choice
          key={list.length}
          label={t('arcJoin.countryAdd')}
          name="addCountry"
          value=""
          options={[['', t('arcJoin.countryChoose')], ...rest]}
          onChange={(code) => code && setList([...list, code])}
        />
      </div>
    </fieldset>
  );
}

export const informationOf = (fields: Record<string, string>) => ({
  contactName: fields.contactName ?? '',
  email: fields.email ?? '',
  phone: fields.phone ?? '',
  website: fields.website ?? '',
  address: fields.address ?? '',
  certificates: fields.certificates ?? '',
  about: fields.about ?? '',
  countries: COUNTRIES.filter((code) => `country:${code}` in fields),
});
