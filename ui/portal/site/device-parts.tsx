import { useState } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import { Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { usePicture } from '../../components/picture.ts';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { Since, Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { DEVICE_LEVEL, type DeviceState, deviceState } from './assess.ts';
import { useSite } from './context.ts';
import { LoginFields } from './login-fields.tsx';
import { sees } from './rights.ts';

export function useDeviceState(device: Device): DeviceState {
  const { boxes, site } = useSite();
  if (!sees(site.data!)) return device.health?.state ?? 'unknown';
  return deviceState(device, boxes.data?.items ?? site.data?.boxes ?? []);
}

export function DeviceStateLine({ device }: { device: Device }) {
  const state = useDeviceState(device);
  return (
    <State level={DEVICE_LEVEL[state]}>
      {t(`device.state.${state}`)} {state !== 'unknown' && device.health && <Since at={device.health.since} />}
    </State>
  );
}

interface SnapshotProps {
  device: Device;
  channel: number;
  name: string;
}
const BOX = 'flex aspect-video w-full items-center justify-center rounded bg-base-200 muted small text-center p-4';

/** The picture of a channel now, as a poster; says why where there is none. */
export function Snapshot(props: SnapshotProps) {
  const online = useDeviceState(props.device) === 'online';
  // A device that has come back is asked for another picture.
  return online ? <Picture {...props} /> : <div class={BOX}>{t('device.noPicture')}</div>;
}

/** A value that no picture of this window had: browsers show one of the same address again without asking. */
let turns = Date.now();
const nextTurn = () => ++turns;

function Picture({ device, channel, name }: SnapshotProps) {
  const [turn, setTurn] = useState(nextTurn);
  const { frame, state, image } = usePicture(
    `/api/v1/devices/${device.id}/snapshot?channel=${channel}&turn=${turn}`,
    true,
  );
  return (
    <figure>
      <div ref={frame} class="relative aspect-video w-full overflow-hidden rounded bg-base-200">
        {image && (
          <img {...image} key={image.src} alt={t('device.pictureOf', { name })} class="h-full w-full object-contain" />
        )}
        {state === 'failed' && <div class={BOX}>{t('device.pictureFailed')}</div>}
        {image && state === 'loading' && <div class="skeleton absolute inset-0 rounded-none" aria-hidden="true" />}
      </div>
      <figcaption class="muted small mt-1 flex justify-between gap-4">
        <span>
          {state instanceof Date && (
            <>
              {t('device.pictureAt')} <Time at={state.toISOString()} />
            </>
          )}
        </span>
        <button type="button" class="link" onClick={() => setTurn(nextTurn())}>
          {t('device.newPicture')}
          <span class="sr-only">: {name}</span>
        </button>
      </figcaption>
    </figure>
  );
}

/** Asks for user name and password again; the box then tries exactly once. */
export function Credentials({ device }: { device: Device }) {
  const { devices } = useSite();
  const [sent, setSent] = useState(false);
  const send = useAction(async (fields: Record<string, string>) => {
    const { username, password } = fields as Record<'username' | 'password', string>;
    await api.put('/devices/{deviceId}/credentials', { username, password }, { params: { deviceId: device.id } });
    setSent(true);
    devices.reload();
  });
  return (
    <>
      <ProblemPanel error={send.error} what={t('device.credentialsFailed', { name: device.name })} focus />
      <p role="status" class="empty:hidden">
        {sent && !send.busy && !send.error && t('device.credentialsSent')}
      </p>
      <Form onSubmit={send.run} label={t('device.credentials')}>
        <LoginFields username={device.username} passwordHint={t('device.passwordHint')} error={send.error} />
        <div>
          <Submit busy={send.busy} doing={t('device.trying')}>
            {t('device.tryOnce')}
          </Submit>
        </div>
      </Form>
    </>
  );
}
