import { useState } from 'preact/hooks';
import type { ArcDevice } from '../../../protocol/wire/arc-service.ts';
import { Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { useLive, useSite } from '../site/context.ts';
import { mayManage } from '../site/rights.ts';
import { mediaWords, PathNow, ServiceState, zoneWords } from './words.tsx';

/** The site's centre on the platform, and the service of each of its devices. */
export function SiteCentre() {
  const { site, siteId } = useSite();
  const service = useResource(
    (signal) => api.get('/sites/{siteId}/arc-service', { params: { siteId }, signal }),
    [siteId],
  );
  useLive((message) => (message.event === 'box' || message.event === 'hello') && service.reload());
  const manages = mayManage(site.data!);
  const mayEnd = manages || site.data!.permissions.includes('own');
  const withdraw = (name: string) => {
    service.set((old) => ({ ...old, authorization: null, devices: [] }));
    withUndo({
      text: t('centre.withdrawn', { name }),
      failed: t('centre.withdrawFailed', { name }),
      run: (keepalive) =>
        api.delete('/sites/{siteId}/arc-service', { params: { siteId }, keepalive }).then(service.reload),
      back: service.reload,
    });
  };
  const { data } = service;
  return (
    <Panel
      id="centre"
      title={data?.authorization ? data.authorization.arc.name : t('centre.title')}
      action={
        data?.authorization &&
        mayEnd && (
          <button type="button" class="btn" onClick={() => withdraw(data.authorization!.arc.name)}>
            {t('centre.withdraw')}
          </button>
        )
      }
    >
      <ProblemPanel error={service.error} what={t('centre.failed')} retry={service.reload} />
      {!data && !service.error && <Skeleton lines={5} />}
      {data && !data.available && <p class="muted">{t('centre.teamSite')}</p>}
      {data?.available &&
        !data.authorization &&
        (manages ? <Choose done={service.reload} /> : <p>{t('centre.none')}</p>)}
      {data?.authorization && (
        <>
          <p class="muted mb-3">
            {t('centre.authorised')} <Time at={data.authorization.since} />
          </p>
          <Devices devices={data.devices} manages={manages} mayEnd={mayEnd} reload={service.reload} />
        </>
      )}
    </Panel>
  );
}

/** Select a centre of the list, then authorise it. */
function Choose({ done }: { done: () => void }) {
  const { siteId } = useSite();
  const arcs = useResource((signal) => api.get('/arcs', { query: { siteId }, signal }), [siteId]);
  const [chosen, setChosen] = useState('');
  const authorise = useAction(async () => {
    await api.put('/sites/{siteId}/arc-service', { arcId: chosen }, { params: { siteId } });
    done();
  });
  return (
    <>
      <ProblemPanel error={arcs.error} what={t('centre.listFailed')} retry={arcs.reload} />
      <ProblemPanel error={authorise.error} what={t('centre.authoriseFailed')} focus />
      {!arcs.data && !arcs.error && <Skeleton />}
      {arcs.data?.items.length === 0 && <Empty title={t('centre.noCentre')}>{t('centre.noCentreNext')}</Empty>}
      {arcs.data && arcs.data.items.length > 0 && (
        <Form onSubmit={() => authorise.run()} label={t('centre.choose')}>
          <fieldset>
            <legend class="font-semibold">{t('centre.choose')}</legend>
            <p class="muted small mb-2">{t('centre.chooseHint')}</p>
            <ul class="flex flex-col divide-y divide-base-300">
              {arcs.data.items.map((arc) => (
                <li key={arc.id} class="py-2">
                  <label class="flex items-start gap-3">
                    <input
                      type="radio"
                      class="radio radio-sm mt-1"
                      name="arcId"
                      value={arc.id}
                      required
                      onChange={() => setChosen(arc.id)}
                    />
                    <span>
                      <strong>{arc.name}</strong>
                      <span class="muted small block">
                        {[arc.information.certificates, arc.information.address, arc.information.phone]
                          .filter(Boolean)
                          .join(' · ')}
                      </span>
                    </span>
                  </label>
                </li>
              ))}
            </ul>
          </fieldset>
          <div>
            <Submit busy={authorise.busy} doing={t('centre.authorising')}>
              {t('centre.authorise')}
            </Submit>
          </div>
        </Form>
      )}
    </>
  );
}

interface DevicesProps {
  devices: ArcDevice[];
  manages: boolean;
  mayEnd: boolean;
  reload: () => void;
}

function Devices({ devices, manages, mayEnd, reload }: DevicesProps) {
  const { base, siteId } = useSite();
  const [going, setGoing] = useState<readonly string[]>([]);
  if (devices.length === 0) return <Empty title={t('centre.noDevice')}>{t('centre.noDeviceNext')}</Empty>;
  const turnOff = ({ deviceId, name }: ArcDevice) => {
    setGoing((old) => [...old, deviceId]);
    const back = () => {
      setGoing((old) => old.filter((id) => id !== deviceId));
      reload();
    };
    withUndo({
      text: t('centre.turnedOff', { name }),
      failed: t('centre.turnOffFailed', { name }),
      run: (keepalive) =>
        api
          .delete('/sites/{siteId}/arc-service/devices/{deviceId}', { params: { siteId, deviceId }, keepalive })
          .then(back),
      back,
    });
  };
  return (
    <table class="rows">
      <thead>
        <tr>
          <th>{t('centre.device')}</th>
          <th>{t('centre.service')}</th>
          <th>{t('centre.account')}</th>
          <th>{t('centre.now')}</th>
          <th>
            <span class="sr-only">{t('centre.actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => {
          const service = going.includes(device.deviceId) ? null : device.service;
          return (
            <tr key={device.deviceId}>
              <td data-label={t('centre.device')} class="wide">
                <strong>{device.name}</strong>
                {device.model && <span class="muted small block">{device.model}</span>}
              </td>
              <td data-label={t('centre.service')}>
                {service ? (
                  <ServiceState service={service} />
                ) : device.obstacle ? (
                  <State level="unknown">{t(`centre.obstacle.${device.obstacle}`)}</State>
                ) : (
                  t('centre.off')
                )}
              </td>
              <td data-label={t('centre.account')}>
                {service ? (
                  <>
                    <span class="mono">{service.account}</span>
                    <span class="muted small block">{zoneWords(service)}</span>
                    <span class="muted small block">{mediaWords(service.media)}</span>
                  </>
                ) : (
                  '–'
                )}
              </td>
              <td data-label={t('centre.now')}>{service ? <PathNow service={service} /> : '–'}</td>
              <td class="actions">
                <span class="flex flex-wrap gap-2">
                  {manages && !device.obstacle && (
                    <a class="btn" href={`${base}/arc/devices/${device.deviceId}`}>
                      {t(service && service.state !== 'rejected' ? 'action.edit' : 'centre.turnOn')}
                      <span class="sr-only"> {device.name}</span>
                    </a>
                  )}
                  {mayEnd && service && (
                    <button type="button" class="btn" onClick={() => turnOff(device)}>
                      {t('centre.turnOff')}
                      <span class="sr-only"> {device.name}</span>
                    </button>
                  )}
                </span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
