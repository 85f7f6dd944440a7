import { useState } from 'preact/hooks';
import type { ShareCustomer } from '../../../protocol/wire/sharing.ts';
import { Choice, Field } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { DateField, dateOf, endOfDay, LongText } from './words.tsx';

type By = 'email' | 'phone' | 'qr';
type Person = Pick<ShareCustomer, 'email' | 'phone' | 'name' | 'remark' | 'locale' | 'until'>;

/** One customer: who he is, how he is reached, until when. `n` tells several in one form apart. */
export function PersonFields({ n, person, error }: { n: number; person?: Person; error: ApiError | null }) {
  const [by, setBy] = useState<By>(person?.phone ? 'phone' : person && !person.email ? 'qr' : 'email');
  const name = (field: string) => `customers.${n}.${field}`;
  return (
    <div class="grid gap-4 sm:grid-cols-2">
      <Field
        label={t('sharing.name')}
        name={name('name')}
        value={person?.name}
        required
        maxLength={64}
        autoComplete="off"
        error={error}
      />
      <Choice
        label={t('sharing.by.label')}
        name={name('by')}
        value={by}
        options={(['email', 'phone', 'qr'] as const).map((each) => [each, t(`sharing.by.${each}`)])}
        onChange={(value) => setBy(value as By)}
      />
      {by === 'email' && (
        <Field
          label={t('sharing.email')}
          name={name('email')}
          type="email"
          value={person?.email ?? ''}
          required
          maxLength={254}
          autoComplete="off"
          error={error}
        />
      )}
      {by === 'phone' && (
        <Field
          label={t('sharing.phone')}
          hint={t('sharing.phoneHint')}
          name={name('phone')}
          value={person?.phone ?? ''}
          required
          maxLength={40}
          autoComplete="off"
          error={error}
        />
      )}
      <Choice
        label={t('sharing.language')}
        name={name('locale')}
        value={person?.locale ?? 'en'}
        options={[
          ['en', 'English'],
          ['de', 'Deutsch'],
        ]}
      />
      <DateField
        label={t('sharing.until')}
        name={name('until')}
        value={dateOf(person?.until ?? null)}
        hint={t('sharing.untilHint')}
      />
      <div class="sm:col-span-2">
        <LongText label={t('sharing.remark')} name={name('remark')} value={person?.remark} />
      </div>
    </div>
  );
}

export function personIn(fields: Record<string, string>, n: number) {
  const of = (field: string) => fields[`customers.${n}.${field}`] ?? '';
  return {
    name: of('name'),
    email: of('email') || null,
    phone: of('phone') || null,
    remark: of('remark'),
    locale: of('locale') as 'en' | 'de',
    until: endOfDay(of('until')),
  };
}
