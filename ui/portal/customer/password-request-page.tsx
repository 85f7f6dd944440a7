import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso';
import { Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time, Zone } from '../../components/time.tsx';
import { api } from '../session.ts';
import { NewPassword } from '../upgrade/new-password.tsx';
import { REQUEST_LEVEL } from '../upgrade/request-level.ts';

/** A new password that a customer is asked for: set it, or refuse (PWD-04, PWD-05). */
export function PasswordRequestPage() {
  const { params } = useRoute();
  const requests = useResource((signal) => api.get('/password-requests', { signal }), []);
  const request = requests.data?.items.find((one) => one.id === params.requestId);
  const [uncertain, setUncertain] = useState(false);
  const set = useAction(async ({ next = '' }: Record<string, string>) => {
    const options = { params: { deviceId: request!.deviceId } };
    const answer = await api.put('/devices/{deviceId}/password', { newPassword: next }, options);
    setUncertain(answer.outcome === 'uncertain');
    requests.reload();
  });
  const refuse = useAction(async () => {
    await api.post('/password-requests/{passwordRequestId}/refuse', undefined, {
      params: { passwordRequestId: request!.id },
    });
    requests.reload();
  });
  if (!request)
    return (
      <>
        <Title>{t('customer.passwords.title')}</Title>
        <ProblemPanel error={requests.error} what={t('customer.requests.failed')} retry={requests.reload} />
        {!requests.data && !requests.error && <Skeleton />}
        {requests.data && <p>{t('customer.passwords.gone')}</p>}
      </>
    );
  const [company, device] = [request.company.name, request.deviceName];
  return (
    <Zone.Provider value={request.timeZone}>
      <p>
        <a class="link small" href="/requests">
          {t('customer.requests.all')}
        </a>
      </p>
      <Title>{t('customer.passwords.asks', { company, device })}</Title>
      <section class="panel flex max-w-2xl flex-col gap-4" aria-label={t('customer.passwords.title')}>
        <p class="muted">
          {request.siteName}, <Time at={request.createdAt} full />
        </p>
        <p>{t(request.atSite ? 'customer.passwords.atSite' : 'customer.passwords.notAtSite', { company })}</p>
        {request.remark && (
          <p>
            <span class="muted">{t('customer.requests.remark')}: </span>
            {request.remark}
          </p>
        )}
        <p role="status">
          <State level={REQUEST_LEVEL[request.state]}>{t(`customer.passwords.state.${request.state}`)}</State>
        </p>
        {uncertain && <State level="attention">{t('customer.passwords.uncertain')}</State>}
        {request.state === 'open' && (
          <>
            <p>{t('customer.passwords.means', { company })}</p>
            <Form onSubmit={set.run} label={t('customer.passwords.set')}>
              <NewPassword error={set.error} />
              <ProblemPanel error={set.error} what={t('customer.passwords.failed')} focus />
              <Submit busy={set.busy} doing={t('password.changing')}>
                {t('customer.passwords.set')}
              </Submit>
            </Form>
            <ProblemPanel error={refuse.error} what={t('customer.requests.decideFailed')} focus />
            <button type="button" class="btn self-start" aria-disabled={refuse.busy} onClick={() => refuse.run()}>
              {t('customer.requests.refuse')}
            </button>
          </>
        )}
      </section>
    </Zone.Provider>
  );
}
