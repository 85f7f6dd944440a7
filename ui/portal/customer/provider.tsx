import type { Provider } from '../../../protocol/wire/handover.ts';
import { t } from '../../components/i18n.ts';
import { Facts, Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { api, me } from '../session.ts';

/** Name and contact of the company that serves a site. */
export function ProviderFacts({ provider }: { provider: Provider }) {
  const { name, phone, email, address } = provider;
  return (
    <Panel title={t('customer.provider.title')}>
      <p class="mb-2 font-semibold">{name}</p>
      <Facts
        items={[
          !!phone && [
            t('customer.provider.phone'),
            <a key="phone" class="link" href={`tel:${phone.replace(/[^+\d]/g, '')}`}>
              {phone}
            </a>,
          ],
          !!email && [
            t('customer.provider.email'),
            <a key="email" class="link" href={`mailto:${email}`}>
              {email}
            </a>,
          ],
          !!address && [t('customer.provider.address'), address],
        ]}
      />
    </Panel>
  );
}

export function ProviderCard({ siteId }: { siteId: string }) {
  const provider = useResource(
    (signal) => api.get('/sites/{siteId}/provider', { params: { siteId }, signal }),
    [siteId],
  );
  return (
    <>
      <ProblemPanel error={provider.error} what={t('customer.provider.failed')} retry={provider.reload} />
      {/* A site that its company has left is its owner’s alone. */}
      {provider.data && provider.data.id !== me.value?.company.id && <ProviderFacts provider={provider.data} />}
    </>
  );
}
