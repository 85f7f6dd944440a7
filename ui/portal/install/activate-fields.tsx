import { useState } from 'preact/hooks';
import type { ActivateDevices } from '../../../protocol/wire/activation.ts';
import { Field } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';

export type From = ActivateDevices['password']['from'];
export type Code = NonNullable<ActivateDevices['verificationCode']>;

/** Where the first passwords come from. */
export function Password({ hasDefault, error }: { hasDefault: boolean; error: ApiError | null }) {
  const [from, setFrom] = useState<From>('generated');
  const choices: From[] = ['generated', ...(hasDefault ? (['default'] as const) : []), 'given'];
  return (
    <fieldset class="flex flex-col gap-2">
      <legend class="font-semibold">{t('activation.password')}</legend>
      {choices.map((choice) => (
        <label key={choice} class="flex min-h-11 items-center gap-3">
          <input
            type="radio"
            class="radio shrink-0"
            name="from"
            value={choice}
            checked={from === choice}
            onChange={() => setFrom(choice)}
          />
          <span>
            {t(`activation.from.${choice}`)}
            <br />
            <span class="muted small">{t(`activation.hint.${choice}`)}</span>
          </span>
        </label>
      ))}
      {from === 'given' && (
        <>
          <Field
            label={t('activation.own')}
            name="password"
            type="password"
            required
            minLength={8}
            maxLength={16}
            autoComplete="new-password"
            hint={t('activation.rule')}
            error={error}
          />
          <label class="flex min-h-11 items-center gap-3">
            <input type="checkbox" class="checkbox shrink-0" name="keep" />
            {t('activation.keep')}
          </label>
        </>
      )}
    </fieldset>
  );
}

/** The verification code of their cloud service; the default one is chosen where there is one (INIT-04). */
export function VerificationCode({ hasDefault, error }: { hasDefault: boolean; error: ApiError | null }) {
  const [from, setFrom] = useState<Code['from'] | null>(null);
  const choices: Code['from'][] = ['none', ...(hasDefault ? (['default'] as const) : []), 'given'];
  const now = from ?? (hasDefault ? 'default' : 'none');
  return (
    <fieldset class="flex flex-col gap-2">
      <legend class="font-semibold">{t('activation.code.title')}</legend>
      <p class="muted small">{t('activation.code.hint')}</p>
      {choices.map((choice) => (
        <label key={choice} class="flex min-h-11 items-center gap-3">
          <input
            type="radio"
            class="radio shrink-0"
            name="codeFrom"
            value={choice}
            checked={now === choice}
            onChange={() => setFrom(choice)}
          />
          {t(`activation.code.${choice}`)}
        </label>
      ))}
      {now === 'given' && (
        <>
          <Field
            label={t('activation.code.own')}
            name="code"
            mono
            required
            maxLength={12}
            pattern="[A-Za-z0-9]{6,12}"
            autoComplete="off"
            error={error}
          />
          <label class="flex min-h-11 items-center gap-3">
            <input type="checkbox" class="checkbox shrink-0" name="keepCode" />
            {t('activation.code.keep')}
          </label>
        </>
      )}
    </fieldset>
  );
}

/** What the form says of the code. */
export function codeOf(fields: Record<string, string>): Code {
  const from = fields.codeFrom as Code['from'];
  return from === 'given' ? { from, code: fields.code ?? '', keepAsDefault: 'keepCode' in fields } : { from };
}
