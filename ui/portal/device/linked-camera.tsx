import type { Device } from '../../../protocol/wire/api.ts';
import { Choice, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { Snapshot } from '../site/device-parts.tsx';

/** The camera that shows what a radar tells of: one of the same site (RADR-04). */
export function LinkedCamera({ radar }: { radar: Device }) {
  const { base, devices } = useSite();
  const params = { deviceId: radar.id };
  const linked = useResource((signal) => api.get('/devices/{deviceId}/linked-camera', { params, signal }), [radar.id]);
  const link = useAction(async ({ camera }: Record<string, string>) => {
    const [cameraId, channel] = (camera ?? '').split('/');
    if (!cameraId) await api.delete('/devices/{deviceId}/linked-camera', { params });
    else await api.put('/devices/{deviceId}/linked-camera', { cameraId, channel: Number(channel) }, { params });
    linked.reload();
  });
  const cameras = (devices.data?.items ?? []).flatMap((device) =>
    device.channelCount === 0
      ? []
      : Array.from({ length: device.channelCount }, (_, i) => {
          const channel = device.health?.channels[i]?.channel ?? i + 1;
          const name =
            device.channelCount === 1 ? device.name : `${device.name}, ${t('device.channel', { n: channel })}`;
          return [`${device.id}/${channel}`, name] as const;
        }),
  );
  const camera = linked.data?.camera;
  const shown = camera && devices.data?.items.find((device) => device.id === camera.cameraId);
  return (
    <Panel title={t('operations.linked.title')}>
      <ProblemPanel error={linked.error} what={t('operations.linked.failed')} retry={linked.reload} />
      <ProblemPanel error={link.error} what={t('operations.linked.saveFailed')} focus />
      {!linked.data && !linked.error && <Skeleton />}
      {camera && shown && (
        <>
          <Snapshot device={shown} channel={camera.channel} name={camera.name} />
          <a class="link flex min-h-11 items-center" href={`${base}/devices/${camera.cameraId}`}>
            {camera.name}
          </a>
        </>
      )}
      {linked.data && (
        <Form key={`${camera?.cameraId}/${camera?.channel}`} onSubmit={link.run} label={t('operations.linked.title')}>
          <Choice
            label={t('operations.linked.camera')}
            hint={t('operations.linked.hint')}
            name="camera"
            value={camera ? `${camera.cameraId}/${camera.channel}` : ''}
            options={[['', t('operations.linked.none')], ...cameras]}
          />
          <div>
            <Submit busy={link.busy} doing={t('form.saving')}>
              {t('operations.linked.save')}
            </Submit>
          </div>
        </Form>
      )}
    </Panel>
  );
}
