import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import type { ShareCustomer } from '../../../protocol/wire/sharing.ts';
import { Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { NotFound } from '../not-found.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { PersonFields, personIn } from './person-fields.tsx';
import { keepCodes } from './share-wizard.tsx';
import { Check, DateField, dateOf, endOfDay, Resources, resourcesIn, SHARED } from './words.tsx';

/** The card of one customer: what he may use and until when; who he is, while that may be changed. */
export function ShareCardPage({ params }: { params?: { shareId?: string } }) {
  const { siteId, site, devices } = useSite();
  const found = useResource((signal) => api.get('/sites/{siteId}/sharing', { params: { siteId }, signal }), [siteId]);
  const sharing = found.data?.sharing;
  const customer = sharing?.customers.find((each) => each.id === params?.shareId);
  if (!found.data || !devices.data) return found.error ? <NotLoaded found={found} /> : <Skeleton lines={8} />;
  if (!sharing || !customer) return <NotFound />;
  const open = customer.state === 'to-be-accepted' || customer.state === 'accepted';
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('sharing.cardTitle', { name: customer.name })}</Title>
      {open && <Card customer={customer} />}
      {sharing.mode === 'A' && customer.state !== 'accepted' && <Person customer={customer} />}
    </>
  );
}

function NotLoaded({ found }: { found: Pick<Resource<unknown>, 'error' | 'reload'> }) {
  return (
    <>
      <Title>{t('sharing.with')}</Title>
      <ProblemPanel error={found.error} what={t('sharing.loadFailed')} retry={found.reload} />
    </>
  );
}

function Card({ customer }: { customer: ShareCustomer }) {
  const { base, devices } = useSite();
  const { route } = useLocation();
  const save = useAction(async (fields: Record<string, string>) => {
    const body = { resources: resourcesIn(fields), until: endOfDay(fields.until) };
    await api.put('/share-customers/{shareId}/card', body, { params: { shareId: customer.id } });
    route(`${base}/customer`);
  });
  return (
    <div class="panel flex max-w-4xl flex-col gap-4">
      <ProblemPanel error={save.error} what={t('sharing.changeFailed', { name: customer.name })} focus />
      <p class="muted">{t('sharing.cardText')}</p>
      <Form onSubmit={save.run}>
        <Resources devices={devices.data!.items} chosen={customer.resources} />
        <DateField
          label={t('sharing.until')}
          name="until"
          value={dateOf(customer.until)}
          hint={t('sharing.untilHint')}
        />
        <SubmitOrCancel busy={save.busy} doing={t('form.saving')} cancel={`${base}/customer`}>
          {t('action.save')}
        </SubmitOrCancel>
      </Form>
    </div>
  );
}

function Person({ customer }: { customer: ShareCustomer }) {
  const { base } = useSite();
  const { route } = useLocation();
  const save = useAction(async (fields: Record<string, string>) => {
    keepCodes(await api.put('/share-customers/{shareId}', personIn(fields, 0), { params: { shareId: customer.id } }));
    route(`${base}/customer`);
  });
  return (
    <Panel title={t('sharing.personTitle')}>
      <ProblemPanel error={save.error} what={t('sharing.changeFailed', { name: customer.name })} focus />
      <p class="muted mb-3">{t('sharing.personText')}</p>
      <Form onSubmit={save.run}>
        <PersonFields n={0} person={customer} error={save.error} />
        <SubmitOrCancel busy={save.busy} doing={t('sharing.doing')} cancel={`${base}/customer`}>
          {t('sharing.personSubmit')}
        </SubmitOrCancel>
      </Form>
    </Panel>
  );
}

/** Batch Share Devices: several devices for several customers at once. */
export function BatchSharePage() {
  const full = useSignal<string[]>([]);
  const { siteId, base, site, devices } = useSite();
  const { route } = useLocation();
  const params = { siteId };
  const found = useResource((signal) => api.get('/sites/{siteId}/sharing', { params, signal }), [siteId]);
  const send = useAction(async (fields: Record<string, string>) => {
    const ids = (kind: string) =>
      Object.keys(fields).flatMap((key) => (key.startsWith(`${kind} `) ? [key.slice(kind.length + 1)] : []));
    const permissions = SHARED.filter((permission) => fields[`permission ${permission}`]);
    const body = { deviceIds: ids('device'), customerIds: ids('customer'), permissions };
    const { items } = await api.post('/sites/{siteId}/sharing/batch', body, { params });
    full.value = items.filter((item) => item.result === 'limit-reached').map((item) => item.deviceId);
    if (items.every((item) => item.result !== 'limit-reached')) route(`${base}/customer`);
  });
  const open = found.data?.sharing?.customers.filter((c) => c.state === 'accepted' || c.state === 'to-be-accepted');
  const nameOf = (id: string) => devices.data?.items.find((device) => device.id === id)?.name ?? id;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('sharing.batchTitle')}</Title>
      <ProblemPanel error={found.error} what={t('sharing.loadFailed')} retry={found.reload} />
      {(!found.data || !devices.data) && !found.error && <Skeleton lines={6} />}
      {found.data && !open && <Empty title={t('sharing.notShared')} />}
      {open && devices.data && (
        <div class="panel flex max-w-4xl flex-col gap-4">
          <ProblemPanel error={send.error} what={t('sharing.batchFailed')} focus />
          {full.value.length > 0 && (
            <p role="alert">
              {t('sharing.batchFull', { names: [...new Set(full.value)].map(nameOf).join(', ') })}{' '}
              <a class="link" href={`${base}/customer`}>
                {t('sharing.batchRest')}
              </a>
            </p>
          )}
          <p class="muted">{t('sharing.cardText')}</p>
          <Form onSubmit={send.run} label={t('sharing.batchTitle')}>
            <Ticks
              legend={t('sharing.resources')}
              items={devices.data.items.map(({ id, name }) => [`device ${id}`, name])}
            />
            <Ticks legend={t('sharing.with')} items={open.map(({ id, name }) => [`customer ${id}`, name])} />
            <Ticks
              legend={t('sharing.permissions')}
              items={SHARED.map((each) => [`permission ${each}`, t(`sharing.permission.${each}`)])}
            />
            <SubmitOrCancel busy={send.busy} doing={t('form.saving')} cancel={`${base}/customer`}>
              {t('sharing.batchSubmit')}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
    </>
  );
}

function Ticks({ legend, items }: { legend: string; items: (readonly [name: string, text: string])[] }) {
  return (
    <fieldset class="flex flex-col gap-1">
      <legend class="font-semibold">{legend}</legend>
      {items.map(([name, text]) => (
        <Check key={name} name={name}>
          {text}
        </Check>
      ))}
    </fieldset>
  );
}
