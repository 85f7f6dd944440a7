import { Field } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';

/** A device's new password, with the rule that devices have for it (PWD-11). */
export const NewPassword = ({ error }: { error: Parameters<typeof Field>[0]['error'] }) => (
  <Field
    label={t('password.new')}
    name="next"
    type="password"
    autoComplete="new-password"
    hint={t('password.newHint')}
    minLength={8}
    maxLength={16}
    error={error}
    required
  />
);
