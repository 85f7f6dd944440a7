import type { Collaboration } from '../../../protocol/wire/collaboration.ts';
import type { DeviceInvitation, DeviceInvitationState } from '../../../protocol/wire/device-invitation.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Empty, Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { CollaborationFacts } from '../partners/words.tsx';
import { api, me } from '../session.ts';

const LEVEL: Record<DeviceInvitationState, Level> = {
  sent: 'working',
  accepted: 'well',
  declined: 'problem',
  expired: 'attention',
  withdrawn: 'unknown',
};

/** Invitations of both kinds: devices from customers, sites from other companies; and what the owner is asked about. */
export function Invitations() {
  const customer = me.value?.company.type === 'customer';
  const devices = useResource((signal) => api.get('/device-invitations', { query: { limit: 100 }, signal }), []);
  const sites = useResource((signal) => api.get('/collaborations', { query: { limit: 100 }, signal }), []);
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('invitations.title')}</Title>
        {customer && (
          <a class="btn" href="/invitations/new">
            {t('invitations.new')}
          </a>
        )}
      </div>
      <Panel title={t(customer ? 'invitations.sent' : 'invitations.received')}>
        <ProblemPanel error={devices.error} what={t('invitations.failed')} retry={devices.reload} />
        {!devices.data && !devices.error && <Skeleton />}
        {devices.data?.items.length === 0 && (
          <Empty title={t('invitations.none')}>
            {t(customer ? 'invitations.noneSent' : 'invitations.noneReceived')}
          </Empty>
        )}
        <ul class="flex flex-col divide-y divide-base-300">
          {devices.data?.items.map((item) => (
            <li key={item.id} class="py-3">
              <DeviceLine item={item} changed={devices.reload} />
            </li>
          ))}
        </ul>
      </Panel>
      {!customer && (
        <Panel title={t('invitations.how')}>
          <ol class="max-w-prose list-decimal pl-6">
            {(['tell', 'choose', 'accept', 'find'] as const).map((step) => (
              <li key={step}>{t(`invitations.howStep.${step}`)}</li>
            ))}
          </ol>
        </Panel>
      )}
      {(sites.error || (sites.data?.items.length ?? 0) > 0) && (
        <Panel title={t(customer ? 'partners.asked' : 'partners.invitedTo')}>
          <ProblemPanel error={sites.error} what={t('invitations.failed')} retry={sites.reload} />
          <ul class="flex flex-col divide-y divide-base-300">
            {sites.data?.items.map((item) => (
              <li key={item.id} class="py-3">
                <SiteLine item={item} changed={sites.reload} />
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

function DeviceLine({ item, changed }: { item: DeviceInvitation; changed: () => void }) {
  const params = { deviceInvitationId: item.id };
  const withdraw = () =>
    withUndo({
      text: t('invitations.withdrawn', { device: item.deviceName }),
      failed: t('invitations.withdrawFailed', { device: item.deviceName }),
      run: (keepalive) =>
        api.post('/device-invitations/{deviceInvitationId}/withdraw', {}, { params, keepalive }).then(changed),
      back: changed,
    });
  return (
    <div class="flex flex-col items-start gap-1">
      <a class="link font-semibold" href={`/invitations/devices/${item.id}`}>
        {item.deviceName || t('invitations.deviceTitle')}
      </a>
      <State level={LEVEL[item.state]}>{t(`invitations.state.${item.state}`)}</State>
      <p class="muted small">
        {item.siteName
          ? t('invitations.line', {
              site: item.siteName,
              who: item.direction === 'sent' ? item.email : item.customer,
            })
          : item.customer}{' '}
        <Time at={item.invitedAt} />
      </p>
      {item.direction === 'sent' && (item.state === 'sent' || item.state === 'accepted') && (
        <button type="button" class="link" onClick={withdraw}>
          {t(item.state === 'sent' ? 'invitations.withdraw' : 'invitations.takeBack')}
        </button>
      )}
    </div>
  );
}

function SiteLine({ item, changed }: { item: Collaboration; changed: () => void }) {
  const params = { collaborationId: item.id };
  const answer = useAction(async (yes: boolean) => {
    if (yes) await api.post('/collaborations/{collaborationId}/accept', {}, { params });
    else await api.post('/collaborations/{collaborationId}/decline', {}, { params });
    changed();
  });
  const end = () =>
    withUndo({
      text: t('partners.ended', { name: item.siteName }),
      failed: t('partners.endFailed', { name: item.siteName }),
      run: (keepalive) => api.post('/collaborations/{collaborationId}/end', {}, { params, keepalive }).then(changed),
      back: changed,
    });
  const mine = item.side === 'customer' ? item.customerAnswer : item.partnerAnswer;
  const asked = item.state === 'invited' && mine === 'pending';
  return (
    <div class="flex flex-col items-start gap-2">
      {item.state === 'active' ? (
        <a class="link font-semibold" href={`/sites/${item.siteId}`}>
          {item.siteName}
        </a>
      ) : (
        <span class="font-semibold">{item.siteName || item.company.name}</span>
      )}
      <CollaborationFacts item={item} />
      <ProblemPanel error={answer.error} what={t('partners.answerFailed')} focus />
      {asked && (
        <div class="flex flex-wrap gap-2">
          <button type="button" class="btn btn-primary" onClick={() => answer.run(true)}>
            {t(item.side === 'customer' ? 'partners.approve' : 'partners.accept')}
          </button>
          <button type="button" class="btn" onClick={() => answer.run(false)}>
            {t(item.side === 'customer' ? 'partners.refuse' : 'partners.decline')}
          </button>
        </div>
      )}
      {item.state === 'active' && (
        <button type="button" class="link" onClick={end}>
          {t('partners.end')}
        </button>
      )}
    </div>
  );
}

/** One invitation to a device, as the mail links to it. */
export function DeviceInvitationPage({ params }: { params?: { invitationId?: string } }) {
  const deviceInvitationId = params?.invitationId ?? '';
  const path = { params: { deviceInvitationId } };
  const found = useResource(
    (signal) => api.get('/device-invitations/{deviceInvitationId}', { ...path, signal }),
    [deviceInvitationId],
  );
  const answer = useAction(async (yes: boolean) => {
    const done = yes
      ? await api.post('/device-invitations/{deviceInvitationId}/accept', {}, path)
      : await api.post('/device-invitations/{deviceInvitationId}/decline', {}, path);
    found.set(() => done);
  });
  const item = found.data;
  return (
    <>
      <Title>{t('invitations.deviceTitle')}</Title>
      <ProblemPanel error={found.error} what={t('invitations.failed')} retry={found.reload} />
      {!item && !found.error && <Skeleton lines={6} />}
      {item && (
        <div class="panel flex max-w-2xl flex-col items-start gap-4">
          <State level={LEVEL[item.state]}>{t(`invitations.state.${item.state}`)}</State>
          <Facts
            items={[
              !!item.deviceName && [t('invitations.device'), item.deviceName],
              !!item.deviceName && [
                t('invitations.serial'),
                <span key="s" class="mono">
                  {item.deviceSerial ?? '–'}
                </span>,
              ],
              !!item.siteName && [t('invitations.site'), item.siteName],
              [t('invitations.customer'), item.customer],
              [t('invitations.at'), <Time key="t" at={item.invitedAt} full />],
              item.state === 'sent' && [t('invitations.validUntil'), <Time key="v" at={item.validUntil} full />],
            ]}
          />
          <ProblemPanel error={answer.error} what={t('invitations.answerFailed')} focus />
          {item.direction === 'received' && item.state === 'sent' && (
            <>
              <p class="muted max-w-prose">{t('invitations.gives')}</p>
              <div class="flex flex-wrap gap-2">
                <button type="button" class="btn btn-primary" onClick={() => answer.run(true)}>
                  {t('invitations.accept')}
                </button>
                <button type="button" class="btn" onClick={() => answer.run(false)}>
                  {t('invitations.decline')}
                </button>
              </div>
            </>
          )}
          {item.direction === 'received' && item.state === 'accepted' && item.siteName && (
            <a class="btn btn-primary" href={`/sites/${item.siteId}/devices`}>
              {t('invitations.open', { site: item.siteName })}
            </a>
          )}
        </div>
      )}
    </>
  );
}
