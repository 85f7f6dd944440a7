import { useRef, useState } from 'preact/hooks';
import type { CloudService, CloudServices } from '../../../protocol/wire/cloud.ts';
import { Choice, Form, Submit } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { packageWords, SERVICE_LEVEL } from '../cloud/words.ts';
import { api, me } from '../session.ts';

/** Packages of the company and the services they pay: renewed, handed on (CLOUD-24). */
export function MyServices() {
  const list = useResource((signal) => api.get('/cloud/services', { signal }), []);
  return (
    <>
      <Title>{t('services.title')}</Title>
      <ProblemPanel error={list.error} what={t('services.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data?.offered === false && <State level="info">{t('cloud.notOffered')}</State>}
      {list.data && <Stock stock={list.data.stock} />}
      {list.data?.items.length === 0 && <Empty title={t('services.none')}>{t('services.noneNext')}</Empty>}
      <ul class="flex flex-col gap-3">
        {list.data?.items.map((service) => (
          <li key={service.id} class="panel">
            <Service service={service} stock={list.data!.stock} changed={list.reload} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Stock({ stock }: { stock: CloudServices['stock'] }) {
  return (
    <Panel title={t('services.stock')}>
      {stock.length === 0 && <p class="muted">{t('services.noStock')}</p>}
      {stock.length > 0 && (
        <table class="rows max-w-2xl">
          <thead>
            <tr>
              <th>{t('cloud.packageLabel')}</th>
              <th>{t('services.purchased')}</th>
              <th>{t('services.used')}</th>
              <th>{t('services.remaining')}</th>
            </tr>
          </thead>
          <tbody>
            {stock.map((one) => (
              <tr key={packageWords(one)}>
                <td data-label={t('cloud.packageLabel')}>{packageWords(one)}</td>
                <td data-label={t('services.purchased')}>{one.purchased}</td>
                <td data-label={t('services.used')}>
                  {one.used}
                  {one.reserved > 0 && ` + ${one.reserved}`}
                </td>
                <td data-label={t('services.remaining')}>{one.remaining}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="mt-3">
        {me.value?.admin ? (
          <a class="link" href="/company/service-keys">
            {t('services.redeem')}
          </a>
        ) : (
          t('cloud.askAdmin')
        )}
      </p>
    </Panel>
  );
}

function Service({
  service,
  stock,
  changed,
}: {
  service: CloudService;
  stock: CloudServices['stock'];
  changed: () => void;
}) {
  const { id, siteId, siteName, deviceName, channel, state } = service;
  const name = t('cloud.channelOf', { device: deviceName, n: channel });
  const terms = stock.filter((one) => one.retentionDays === service.retentionDays && one.remaining > 0);
  const form = useRef<HTMLDetailsElement>(null);
  const [renewed, setRenewed] = useState<string | null>(null);
  const [handed, setHanded] = useState<CloudService | null>(null);
  const renew = useAction(async (fields: Record<string, string>) => {
    setRenewed(null);
    const params = { serviceId: id };
    const { until } = await api.post('/cloud/services/{serviceId}/renew', { term: fields.term as 'month' }, { params });
    if (form.current) form.current.open = false;
    setRenewed(until);
    changed();
  });
  return (
    <div class="flex flex-col gap-2">
      <h2 class="break-words">
        <a class="link" href={`/sites/${siteId}/cloud`}>
          {name}
        </a>{' '}
        <span class="muted font-normal">{siteName}</span>
      </h2>
      <State level={SERVICE_LEVEL[state]}>
        {t(service.ended ? `services.ended.${service.ended}` : `services.state.${state}`)}
        <span class="muted small block">
          {packageWords(service)} · {t(state === 'expired' ? 'cloud.endedAt' : 'cloud.until')}{' '}
          <Time at={service.until} />
        </span>
      </State>
      <div role="status">
        {renewed && (
          <State level="well">
            {t('services.renewed')} <Time at={renewed} full />
          </State>
        )}
        {handed && <Handed to={handed} />}
      </div>
      <ProblemPanel error={renew.error} what={t('services.renewFailed', { name })} focus />
      <NotGranted error={renew.error} siteId={siteId} />
      {state !== 'ended' && terms.length > 0 && (
        <details ref={form}>
          <summary class="link inline-block min-h-8">{t('services.renew')}</summary>
          <div class="mt-2 max-w-md">
            <Form onSubmit={renew.run} label={t('services.renew')}>
              <Choice
                label={t('services.term')}
                name="term"
                options={terms.map(
                  (one) => [one.term, t(`services.longer.${one.term}`, { n: one.remaining })] as const,
                )}
              />
              <div>
                <Submit busy={renew.busy} doing={t('form.saving')}>
                  {t('services.renew')}
                </Submit>
              </div>
            </Form>
          </div>
        </details>
      )}
      {state !== 'ended' && terms.length === 0 && <p class="muted small">{t('services.renewNot')}</p>}
      {service.transferable && (
        <Transfer
          service={service}
          name={name}
          done={(to) => {
            setHanded(to);
            changed();
          }}
        />
      )}
    </div>
  );
}

/** The channel that got the time is recorded as it is set: the set-up's steps are still to come. */
function Handed({ to: { siteId, deviceId, deviceName, channel } }: { to: CloudService }) {
  return (
    <State level="well">
      {t('services.handed', { name: t('cloud.channelOf', { device: deviceName, n: channel }) })}{' '}
      <a
        class="link"
        href={`/sites/${siteId}/cloud/setup?${new URLSearchParams({ device: deviceId, channel: `${channel}` })}`}
      >
        {t('services.setUpNow')}
      </a>
    </State>
  );
}

/** What the site's owner would have to grant, and where it is asked for. */
function NotGranted({ error, siteId }: { error: ApiError | null; siteId: string }) {
  if (error?.code !== 'permission-needed') return null;
  return (
    <p>
      {t('services.needsConfigure')}{' '}
      <a class="link" href={`/sites/${siteId}/customer/apply`}>
        {t('services.apply')}
      </a>
    </p>
  );
}

/** To a channel of any device in reach; the devices are asked for when somebody opens it. */
function Transfer({ service, name, done }: { service: CloudService; name: string; done: (to: CloudService) => void }) {
  const [open, setOpen] = useState(false);
  const devices = useResource(
    async (signal) =>
      open ? api.get('/sites/{siteId}/devices', { params: { siteId: service.siteId }, signal }) : { items: [] },
    [open, service.siteId],
  );
  const to = (devices.data?.items ?? [])
    .filter((device) => device.type === 'encoding' && device.boxSerial !== null)
    .flatMap(({ id, name: device, health, channelCount }) =>
      (health?.channels.map(({ channel }) => channel) ?? Array.from({ length: channelCount }, (_, i) => i + 1))
        .filter((n) => service.ended !== null || id !== service.deviceId || n !== service.channel)
        .map((n) => [`${id}/${n}`, t('cloud.channelOf', { device, n })] as const),
    );
  const transfer = useAction(async (fields: Record<string, string>) => {
    const [deviceId = '', channel] = (fields.to ?? '').split('/');
    const wanted = { deviceId, channel: Number(channel) };
    done(await api.post('/cloud/services/{serviceId}/transfer', wanted, { params: { serviceId: service.id } }));
  });
  return (
    <details onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary class="link inline-block min-h-8">{t('services.transfer')}</summary>
      <div class="mt-2 flex max-w-md flex-col gap-3">
        <p class="muted small">{t('services.transferText')}</p>
        <ProblemPanel error={devices.error} what={t('services.devicesFailed')} retry={devices.reload} />
        <ProblemPanel error={transfer.error} what={t('services.transferFailed', { name })} focus />
        <NotGranted error={transfer.error} siteId={service.siteId} />
        {open && devices.data && to.length === 0 && <p>{t('services.noOther')}</p>}
        {to.length > 0 && (
          <Form onSubmit={transfer.run} label={t('services.transfer')}>
            <Choice label={t('services.to')} name="to" options={to} />
            <div>
              <Submit busy={transfer.busy} doing={t('form.saving')}>
                {t('services.transfer')}
              </Submit>
            </div>
          </Form>
        )}
      </div>
    </details>
  );
}
