import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { describe } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { forgetOptions } from './options.ts';
import type { LiveTarget } from './targets.ts';

/** Asks for the device's verification code, in the place of its picture (LIVE-04). */
export function Unlock({ target, onOpened }: { target: LiveTarget; onOpened: () => void }) {
  const { device, channel } = target;
  const send = async (code: string) => {
    const params = { deviceId: device.id, channel: String(channel) };
    await api.post('/devices/{deviceId}/channels/{channel}/live/unlock', { code }, { params });
    forgetOptions(device.id, channel);
    onOpened();
  };
  return <CodeForm name={target.name} send={send} />;
}

/** The same in the place of a clip. */
export function UnlockClip({ clipId, name, onOpened }: { clipId: string; name: string; onOpened: () => void }) {
  const send = async (code: string) => {
    await api.post('/clips/{clipId}/unlock', { code }, { params: { clipId } });
    onOpened();
  };
  return <CodeForm name={name} send={send} />;
}

function CodeForm({ name, send }: { name: string; send: (code: string) => Promise<void> }) {
  const enter = useAction(({ code = '' }: Record<string, string>) => send(code.trim()));
  const failed = enter.error && describe(enter.error);
  return (
    <Form label={t('liveView.code.of', { name })} onSubmit={enter.run}>
      <div class="flex flex-col gap-2 text-left">
        <p>{t('liveView.code.text')}</p>
        <div class="video-code">
          <Field
            label={t('liveView.code.label')}
            name="code"
            required
            autoComplete="off"
            minLength={6}
            maxLength={12}
          />
        </div>
        {failed && (
          <p role="alert" class="font-semibold">
            {failed.title}. {failed.next}
          </p>
        )}
        <div>
          <Submit busy={enter.busy} doing={t('liveView.code.checking')}>
            {t('liveView.code.enter')}
          </Submit>
        </div>
      </div>
    </Form>
  );
}
