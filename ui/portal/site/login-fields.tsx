import { Field } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';

/** User name and password of a device. */
export function LoginFields(o: {
  username: string;
  passwordHint: string;
  error: ApiError | null;
  /** The password may be left out. */
  optional?: boolean;
}) {
  return (
    <>
      <Field
        label={t('device.username')}
        name="username"
        value={o.username}
        required
        maxLength={64}
        autoComplete="off"
        error={o.error}
      />
      <Field
        label={t('device.password')}
        name="password"
        type="password"
        required={!o.optional}
        maxLength={128}
        autoComplete="off"
        hint={o.passwordHint}
        error={o.error}
      />
    </>
  );
}
