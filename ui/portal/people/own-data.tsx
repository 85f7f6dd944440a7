import { address } from '../../client/client.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Panel, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api, me } from '../session.ts';

/** A copy of everything that is stored of a person, and its deletion. */
export function OwnDataPage() {
  const remove = useAction(async ({ password = '' }: Record<string, string>) => {
    await api.post('/me/delete', { password });
    me.value = null;
  });
  return (
    <>
      <Title>{t('account.data')}</Title>
      <div class="grid gap-6 md:grid-cols-2">
        <Panel title={t('account.export')}>
          <p class="mb-4">{t('account.exportText')}</p>
          <a class="btn" href={address('/me/export')} download="gatepost-my-data.json">
            {t('account.download')}
          </a>
        </Panel>
        <Panel title={t('account.delete')}>
          <p class="mb-2">{t('account.deleteText')}</p>
          <p class="muted mb-4">{t('account.deleteRules')}</p>
          <ProblemPanel error={remove.error} what={t('account.deleteFailed')} focus />
          <Form onSubmit={remove.run} label={t('account.delete')}>
            <Field
              label={t('account.password')}
              name="password"
              type="password"
              required
              autoComplete="current-password"
              maxLength={128}
            />
            <Submit busy={remove.busy} doing={t('account.deleting')}>
              {t('account.deleteSubmit')}
            </Submit>
          </Form>
        </Panel>
      </div>
    </>
  );
}
