import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Time, Zone } from '../../components/time.tsx';
import { api } from '../session.ts';
import { REQUEST_LEVEL } from '../upgrade/request-level.ts';
import { useAgain } from './use-again.ts';

/** New passwords of devices that a customer is asked to set, those that wait first. */
export function PasswordRequests() {
  const requests = useResource((signal) => api.get('/password-requests', { signal }), []);
  useAgain(requests.reload);
  const items = (requests.data?.items ?? []).toSorted(
    (a, b) => Number(b.state === 'open') - Number(a.state === 'open'),
  );
  return (
    <>
      <ProblemPanel error={requests.error} what={t('customer.requests.failed')} retry={requests.reload} />
      {items.length > 0 && (
        <Panel title={t('customer.passwords.title')}>
          <ul class="flex flex-col divide-y divide-base-300">
            {items.map((request) => (
              <li key={request.id} class="flex flex-wrap items-baseline justify-between gap-x-4 py-2">
                <a class="link font-semibold" href={`/requests/password/${request.id}`}>
                  {t('customer.passwords.asks', { company: request.company.name, device: request.deviceName })}
                </a>
                <span class="muted small">
                  {request.siteName},{' '}
                  <Zone.Provider value={request.timeZone}>
                    <Time at={request.createdAt} />
                  </Zone.Provider>
                </span>
                <State level={REQUEST_LEVEL[request.state]}>{t(`customer.passwords.state.${request.state}`)}</State>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
