import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { ArcDevice, EnableArcDevice } from '../../../protocol/wire/arc-service.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { formatDuration } from '../../components/time.ts';
import { NotFound } from '../not-found.tsx';
import { api } from '../session.ts';
import { checkedTypes, EventChecks } from '../site/checks.tsx';
import { useSite } from '../site/context.ts';
import { USUAL_ALARMS } from '../site/event-types.ts';
import { centreTypes } from './words.tsx';

const DELAYS_MS = [300_000, 900_000, 1_800_000, 3_600_000, 14_400_000, 43_200_000, 86_400_000];

/** Turns the ARC service of one device on: account number, event types; then it waits for the centre. */
export function EnablePage({ params }: { params?: { deviceId?: string } }) {
  const { site, siteId } = useSite();
  const service = useResource(
    (signal) => api.get('/sites/{siteId}/arc-service', { params: { siteId }, signal }),
    [siteId],
  );
  const device = service.data?.devices.find((found) => found.deviceId === params?.deviceId);
  if (service.data && (!device || device.obstacle)) return <NotFound />;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{device?.name ?? t('centre.service')}</Title>
      <ProblemPanel error={service.error} what={t('centre.failed')} retry={service.reload} />
      {!service.data && !service.error && <Skeleton lines={8} />}
      {device && <EnableForm device={device} arc={service.data!.authorization!.arc.name} />}
    </>
  );
}

function EnableForm({ device, arc }: { device: ArcDevice; arc: string }) {
  const { base, siteId, site } = useSite();
  const { route } = useLocation();
  const { service } = device;
  // A service that runs keeps what the centre has accepted.
  const runs = service?.state === 'active' || service?.state === 'suspended';
  const [offline, setOffline] = useState(service?.events.includes('deviceOffline') ?? false);
  const save = useAction(async (fields: Record<string, string>) => {
    const body: EnableArcDevice = {
      account: runs ? service.account : fields.account!.trim().toUpperCase(),
      events: runs ? service.events : checkedTypes(fields, 'event', centreTypes(device.type)),
      media: { picture: 'picture' in fields, clip: 'clip' in fields },
      offlineDelayMs: fields.offlineDelayMs ? Number(fields.offlineDelayMs) : null,
    };
    const { deviceId } = device;
    await api.put('/sites/{siteId}/arc-service/devices/{deviceId}', body, { params: { siteId, deviceId } });
    route(`${base}/arc`);
  });
  const customer = ['shared', 'authorized', 'not-authorized'].includes(site.data!.status);
  return (
    <div class="panel flex max-w-3xl flex-col gap-4">
      <p>{t(runs ? 'centre.runsHint' : 'centre.enableHint', { arc })}</p>
      <ProblemPanel error={save.error} what={t('centre.enableFailed')} focus />
      <Form onSubmit={save.run} label={t('centre.service')}>
        {!runs && (
          <Field
            label={t('centre.account')}
            hint={t('centre.accountHint')}
            name="account"
            value={service?.account ?? ''}
            required
            mono
            pattern="[0-9A-Fa-f]{3,16}"
            maxLength={16}
            autoComplete="off"
            error={save.error}
          />
        )}
        {!runs && (
          <div
            onChange={(event) => {
              const input = event.target as HTMLInputElement;
              if (input.name === 'event:deviceOffline') setOffline(input.checked);
            }}
          >
            <EventChecks
              legend={t('centre.events')}
              name="event"
              chosen={service?.events ?? USUAL_ALARMS}
              types={centreTypes(device.type)}
            />
          </div>
        )}
        {offline && (
          <Choice
            label={t('centre.offlineDelay')}
            hint={t('centre.offlineDelayHint')}
            name="offlineDelayMs"
            value={service?.offlineDelayMs ? String(service.offlineDelayMs) : ''}
            options={[['', t('centre.atOnce')], ...DELAYS_MS.map((ms) => [String(ms), formatDuration(ms)] as const)]}
          />
        )}
        <fieldset>
          <legend class="font-semibold">{t('centre.mediaTitle')}</legend>
          <p class="muted small">{t(customer ? 'centre.mediaAsk' : 'centre.mediaHint')}</p>
          {(['picture', 'clip'] as const).map((kind) => (
            <label key={kind} class="flex min-h-8 items-center gap-2">
              <input
                type="checkbox"
                class="checkbox checkbox-sm"
                name={kind}
                defaultChecked={service?.media[kind] || service?.pendingMedia?.[kind]}
              />
              {t(`centre.bring.${kind}`)}
            </label>
          ))}
        </fieldset>
        <SubmitOrCancel busy={save.busy} doing={t('form.saving')} cancel={`${base}/arc`}>
          {t(runs ? 'action.save' : 'centre.enable')}
        </SubmitOrCancel>
      </Form>
    </div>
  );
}
