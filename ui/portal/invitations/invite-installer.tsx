import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { api } from '../session.ts';

const STEPS = ['ask', 'choose', 'send', 'accept'] as const;

/** A customer invites his installer to one of his devices. */
export function InviteInstaller() {
  const { route, query } = useLocation();
  const sites = useResource((signal) => api.get('/sites', { query: { limit: 200 }, signal }), []);
  const own = (sites.data?.items ?? []).filter((site) =>
    site.permissions.some((permission) => permission === 'own' || permission === 'all'),
  );
  const [chosen, setChosen] = useState<string | undefined>(query.site);
  const siteId = own.find((site) => site.id === chosen)?.id ?? own[0]?.id;
  const devices = useResource(
    async (signal) => (siteId ? api.get('/sites/{siteId}/devices', { params: { siteId }, signal }) : null),
    [siteId],
  );
  const send = useAction(async ({ deviceId, email }: Record<string, string>) => {
    const made = await api.post('/device-invitations', { deviceId: deviceId!, email: email! });
    route(`/invitations/devices/${made.id}`);
  });
  return (
    <>
      <Title>{t('invitations.new')}</Title>
      <ol class="max-w-prose list-decimal pl-6">
        {STEPS.map((step) => (
          <li key={step}>{t(`invitations.step.${step}`)}</li>
        ))}
      </ol>
      <ProblemPanel error={sites.error ?? devices.error} what={t('invitations.devicesFailed')} retry={sites.reload} />
      {!sites.data && !sites.error && <Skeleton />}
      {sites.data && own.length === 0 && <Empty title={t('invitations.noSite')}>{t('invitations.noSiteNext')}</Empty>}
      {siteId && (
        <div class="panel flex max-w-xl flex-col gap-4">
          <ProblemPanel error={send.error} what={t('invitations.sendFailed')} focus />
          <Form onSubmit={send.run} label={t('invitations.new')}>
            {own.length > 1 && (
              <Choice
                label={t('invitations.site')}
                name="site"
                value={siteId}
                options={own.map((site) => [site.id, site.name])}
                onChange={setChosen}
              />
            )}
            <Choice
              label={t('invitations.device')}
              name="deviceId"
              value={query.device}
              options={(devices.data?.items ?? []).map((device) => [device.id, device.name])}
            />
            <Field
              label={t('invitations.email')}
              hint={t('invitations.emailHint')}
              name="email"
              type="email"
              required
              maxLength={254}
              autoComplete="off"
              error={send.error}
            />
            <SubmitOrCancel busy={send.busy} doing={t('invitations.sending')} cancel="/invitations">
              {t('invitations.send')}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
    </>
  );
}
