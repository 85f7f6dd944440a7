import { useLocation } from 'preact-iso';
import type { AddDevice } from '../../../protocol/wire/api.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { addPage, isBySerial } from '../install/found.ts';
import { api } from '../session.ts';
import { checkedTypes, EventChecks } from './checks.tsx';
import { useSite } from './context.ts';
import { USUAL } from './event-types.ts';
import { LoginFields } from './login-fields.tsx';
import { NoBox } from './overview.tsx';

/** Adds a device: one that was found (`?mac=`), or one at an address that the installer types. */
export function AddDevicePage() {
  const { base, site, devices, boxes, siteId } = useSite();
  const { query, route } = useLocation();
  const mac = query.mac;
  const discovery = useResource(
    async (signal) => (mac ? await api.get('/sites/{siteId}/discovery', { params: { siteId }, signal }) : null),
    [base, mac],
  );
  const found = discovery.data?.items.find((item) => item.mac === mac);
  const usable = (boxes.data?.items ?? site.data!.boxes).filter((box) => box.state === 'claimed');
  const add = useAction(async (fields: Record<string, string>) => {
    const body: AddDevice = {
      boxSerial: found?.boxSerial ?? fields.boxSerial ?? usable[0]?.serial ?? '',
      name: fields.name!,
      mac: found?.mac ?? null,
      serial: found?.serial || null,
      host: found?.address ?? fields.host!,
      httpPort: found?.httpPort ?? Number(fields.httpPort || 80),
      username: fields.username!,
      password: fields.password || undefined,
      kind: fields.kind === 'snmp' ? 'snmp' : undefined,
      recordOn: checkedTypes(fields, 'record'),
    };
    await api.post('/sites/{siteId}/devices', body, { params: { siteId } });
    devices.reload();
    route(`${base}/devices`);
  });
  if (usable.length === 0) return <NoBox />;
  if (mac && !discovery.data && !discovery.error) return <Skeleton lines={8} />;
  const what = found ? t('add.failedFound', { model: found.model, address: found.address }) : t('add.failed');
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('add.title')}</Title>
      <ProblemPanel error={discovery.error} what={t('discovery.failed')} retry={discovery.reload} />
      <div class="flex max-w-2xl flex-col gap-6">
        {mac && !found && !discovery.error && <p>{t('add.gone', { mac })}</p>}
        {found && (
          <Panel title={found.model}>
            <Facts
              items={[
                [
                  t('discovery.address'),
                  <span key="a" class="mono">{`${found.address}:${found.httpPort ?? 80}`}</span>,
                ],
                [
                  t('discovery.mac'),
                  <span key="m" class="mono">
                    {found.mac}
                  </span>,
                ],
                [
                  t('device.serial'),
                  <span key="s" class="mono">
                    {found.serial}
                  </span>,
                ],
                [t('discovery.firmware'), found.firmware ?? t('state.unknown')],
                [
                  t('device.box'),
                  <span key="b" class="mono">
                    {found.boxSerial}
                  </span>,
                ],
              ]}
            />
          </Panel>
        )}
        {found && isBySerial(found.model) ? (
          <p>
            <a class="btn btn-primary" href={addPage(base, found)}>
              {t('discovery.bySerial')}
            </a>
          </p>
        ) : (
          <div class="panel flex flex-col gap-4">
            <ProblemPanel error={add.error} what={what} focus />
            <Form onSubmit={add.run} label={t('add.title')}>
              <Field
                label={t('add.name')}
                hint={t('add.nameHint')}
                name="name"
                required
                maxLength={64}
                autoComplete="off"
                error={add.error}
              />
              {!found && (
                <>
                  <Field
                    label={t('add.host')}
                    name="host"
                    required
                    maxLength={255}
                    autoComplete="off"
                    error={add.error}
                  />
                  <Field
                    label={t('add.port')}
                    name="httpPort"
                    value="80"
                    required
                    inputMode="numeric"
                    pattern="[0-9]{1,5}"
                    error={add.error}
                  />
                  {usable.length > 1 && (
                    <Choice
                      label={t('add.box')}
                      name="boxSerial"
                      options={usable.map((box) => [box.serial, box.serial])}
                    />
                  )}
                </>
              )}
              <Choice
                label={t('add.kind')}
                hint={t('add.kindHint')}
                name="kind"
                options={[
                  ['', t('add.kindAuto')],
                  ['snmp', t('add.kindSnmp')],
                ]}
              />
              <LoginFields
                username="admin"
                passwordHint={t(query.kept ? 'activation.kept' : 'add.passwordHint')}
                optional={'kept' in query}
                error={add.error}
              />
              <EventChecks legend={t('add.recordOn')} name="record" chosen={USUAL} />
              <SubmitOrCancel busy={add.busy} doing={t('add.doing')} cancel={`${base}/devices`}>
                {t('add.submit')}
              </SubmitOrCancel>
            </Form>
          </div>
        )}
      </div>
    </>
  );
}
