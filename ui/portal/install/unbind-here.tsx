import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';

/** Takes a device of the LAN away from another account, by its password, and adds it then (UNBD-01, UNBD-06). */
export function UnbindHere({
  boxSerial,
  mac,
  name,
  done,
}: {
  boxSerial: string;
  mac: string;
  name: string;
  done: () => void;
}) {
  const { siteId } = useSite();
  const unbind = useAction(async (password: string) => {
    await api.post('/sites/{siteId}/unbindings', { boxSerial, mac, password }, { params: { siteId } });
    done();
  });
  return (
    <details class="pl-6">
      <summary class="link inline-block min-h-8">{t('addMany.unbindHere', { name })}</summary>
      <div class="mt-2 flex max-w-md flex-col gap-4">
        <ProblemPanel error={unbind.error} what={t('addMany.unbindFailed', { name })} focus />
        <Form label={t('addMany.unbindHere', { name })} onSubmit={(fields) => unbind.run(fields.password ?? '')}>
          <Field
            label={t('device.password')}
            hint={t('addMany.unbindHint')}
            name="password"
            type="password"
            required
            maxLength={128}
            autoComplete="off"
            error={unbind.error}
          />
          <Submit busy={unbind.busy} doing={t('addMany.unbinding')}>
            {t('addMany.unbindSubmit')}
          </Submit>
        </Form>
      </div>
    </details>
  );
}
