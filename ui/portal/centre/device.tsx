import { useRoute } from 'preact-iso';
import { ARC_CONNECTIONS, type ArcConnection } from '../../../protocol/wire/arc-service.ts';
import { Choice, Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { formatDuration } from '../../components/time.ts';
import { Time, Zone } from '../../components/time.tsx';
import { api } from '../session.ts';
import { mediaWords, PathNow, ServiceState, typeWords, zoneWords } from './words.tsx';

/** One device that is entrusted to the centre: its account, and how its alarms come. */
export function CentreDevice() {
  const { params } = useRoute();
  const serviceId = params.serviceId ?? '';
  const found = useResource(
    (signal) => api.get('/arc/services/{serviceId}', { params: { serviceId }, signal }),
    [serviceId],
  );
  const account = useAction(async (fields: Record<string, string>) => {
    const body = { account: fields.account!.trim().toUpperCase() };
    const now = await api.put('/arc/services/{serviceId}/account', body, { params: { serviceId } });
    found.set(() => now);
  });
  const connection = useAction(async (fields: Record<string, string>) => {
    const body = { mode: fields.mode as ArcConnection };
    const now = await api.put('/arc/services/{serviceId}/connection', body, { params: { serviceId } });
    found.set(() => now);
  });
  const service = found.data;
  if (!service)
    return (
      <>
        <Title>{t('centre.device')}</Title>
        <ProblemPanel error={found.error} what={t('centre.devices.failed')} retry={found.reload} />
        {!found.error && <Skeleton lines={8} />}
      </>
    );
  return (
    <Zone.Provider value={service.timeZone}>
      <Title>{service.device.name}</Title>
      <div class="grid gap-6 lg:grid-cols-2">
        <Panel id="state" title={t('centre.service')}>
          <Facts
            items={[
              [t('centre.service'), <ServiceState key="s" service={service} />],
              [t('centre.now'), <PathNow key="p" service={service} />],
              [t('centre.devices.site'), `${service.siteName} · ${service.company.name}`],
              service.device.model !== '' && [t('centre.model'), service.device.model],
              service.receiver && [t('centre.devices.receiver'), service.receiver.name],
              [t('centre.zones'), zoneWords(service)],
              [t('centre.mediaTitle'), mediaWords(service.media)],
              [t('centre.events'), typeWords(service.events)],
              service.events.includes('deviceOffline') && [
                t('centre.offlineDelay'),
                service.offlineDelayMs ? formatDuration(service.offlineDelayMs) : t('centre.atOnce'),
              ],
              service.pendingEvents && [t('centre.devices.waitsFor'), typeWords(service.pendingEvents)],
              [t('centre.devices.since'), <Time key="t" at={service.createdAt} full />],
            ]}
          />
        </Panel>
        <Panel id="change" title={t('centre.devices.change')}>
          <ProblemPanel error={account.error} what={t('centre.devices.accountFailed')} focus />
          <Form key={`a${service.account}`} onSubmit={account.run} label={t('centre.account')}>
            <Field
              label={t('centre.account')}
              hint={t('centre.devices.accountHint')}
              name="account"
              value={service.account}
              required
              mono
              pattern="[0-9A-Fa-f]{3,16}"
              maxLength={16}
              autoComplete="off"
              error={account.error}
            />
            <div>
              <Submit busy={account.busy} doing={t('form.saving')}>
                {t('centre.devices.accountSave')}
              </Submit>
            </div>
          </Form>
          <hr class="my-4 border-base-300" />
          <ProblemPanel error={connection.error} what={t('centre.devices.modeFailed')} focus />
          <Form key={`m${service.mode}`} onSubmit={connection.run} label={t('centre.mode')}>
            <Choice
              label={t('centre.mode')}
              name="mode"
              value={service.mode}
              options={ARC_CONNECTIONS.map((mode) => [mode, t(`centre.modeText.${mode}`)])}
              hint={t(service.device.type === 'panel' ? 'centre.modePanel' : 'centre.modeHint')}
            />
            <div>
              <Submit busy={connection.busy} doing={t('centre.devices.asking')}>
                {t('centre.devices.modeSave')}
              </Submit>
            </div>
          </Form>
        </Panel>
      </div>
      <p>
        <a class="link" href="/arc/devices">
          {t('centre.devices.title')}
        </a>
      </p>
    </Zone.Provider>
  );
}
