import type { Collaboration, CollaborationState } from '../../../protocol/wire/collaboration.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Facts } from '../../components/page.tsx';
import { Time } from '../../components/time.tsx';

export const PARTNER_LEVEL: Record<CollaborationState, Level> = {
  invited: 'working',
  active: 'well',
  declined: 'problem',
  refused: 'problem',
  ended: 'unknown',
};

/** Who helps whom, as what, and how far it is. */
export function CollaborationFacts({ item }: { item: Collaboration }) {
  return (
    <>
      <State level={PARTNER_LEVEL[item.state]}>
        {t(`partners.state.${item.state}`)}
        {item.state === 'invited' && <span class="muted"> {waitingFor(item)}</span>}
      </State>
      <Facts
        items={[
          [t('partners.as'), t(`partners.stage.${item.stage}`)],
          item.side !== 'company' && [t('partners.company'), item.company.name],
          [t('partners.partner'), [item.partner.name, item.partner.email].filter(Boolean).join(', ')],
          [t('partners.may'), item.permissions.map((each) => t(`partners.permission.${each}`)).join(', ')],
          !!item.remark && [t('partners.remark'), item.remark],
          [t('partners.since'), <Time key="t" at={item.createdAt} />],
        ]}
      />
    </>
  );
}

function waitingFor({ partnerAnswer, customerAnswer }: Collaboration): string {
  if (partnerAnswer === 'pending' && customerAnswer === 'pending') return t('partners.waiting.both');
  return t(partnerAnswer === 'pending' ? 'partners.waiting.partner' : 'partners.waiting.customer');
}
