import type { Device } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { useAgain } from '../customer/use-again.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { REQUEST_LEVEL } from './request-level.ts';

/** Asks the owner of a site to set a new password of a device, and shows his answer (PWD-04, PWD-05). */
export function AskCustomer({ device }: { device: Device }) {
  const { base, site } = useSite();
  const params = { deviceId: device.id };
  const sent = useResource(
    (signal) => api.get('/devices/{deviceId}/password-requests', { params, signal }),
    [device.id],
  );
  useAgain(sent.reload);
  const ask = useAction(async (atSite: boolean) => {
    const made = await api.post('/devices/{deviceId}/password-requests', { atSite }, { params });
    sent.set((old) => ({ items: [made, ...old.items] }));
  });
  const items = sent.data?.items ?? [];
  // Without the site authorisation the customer is asked for that first.
  if (site.data!.status !== 'authorized')
    return (
      <a class="btn self-start" href={`${base}/customer/authorization`}>
        {t('password.apply')}
      </a>
    );
  return (
    <>
      {!items.some((one) => one.state === 'open') && (
        <div class="flex flex-wrap gap-4">
          {([true, false] as const).map((atSite) => (
            <button
              key={String(atSite)}
              type="button"
              class="btn"
              aria-disabled={ask.busy}
              onClick={() => ask.run(atSite)}
            >
              {t(atSite ? 'password.atSite' : 'password.notAtSite')}
            </button>
          ))}
        </div>
      )}
      <ProblemPanel error={ask.error ?? sent.error} what={t('password.askFailed')} focus={ask.error !== null} />
      <ul role="status" class="flex flex-col gap-2">
        {items.slice(0, 3).map((one) => (
          <li key={one.id}>
            <State level={REQUEST_LEVEL[one.state]}>{t(`password.asked.${one.state}`)}</State>{' '}
            <span class="muted small">
              <Time at={one.decidedAt ?? one.createdAt} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
