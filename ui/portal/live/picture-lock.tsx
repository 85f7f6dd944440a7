import { useState } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';

/** The owner's choice: everybody must enter a code before they see this device's pictures, or nobody (LIVE-04). */
export function PictureLock({ device }: { device: Device }) {
  const [said, setSaid] = useState('');
  const set = useAction(async (code: string | null) => {
    setSaid('');
    await api.put('/devices/{deviceId}/picture-lock', { code }, { params: { deviceId: device.id } });
    setSaid(t(code === null ? 'liveView.lock.off' : 'liveView.lock.on'));
  });
  return (
    <details class="panel">
      <summary class="cursor-pointer font-semibold">{t('liveView.lock.title')}</summary>
      <div class="mt-3 flex flex-col gap-4">
        <p class="muted">{t('liveView.lock.text')}</p>
        <ProblemPanel error={set.error} what={t('liveView.lock.failed', { name: device.name })} focus />
        <p role="status" class="empty:hidden">
          {said}
        </p>
        <Form label={t('liveView.lock.title')} onSubmit={({ code = '' }) => void set.run(code.trim())}>
          <Field
            label={t('liveView.lock.code')}
            hint={t('liveView.lock.hint')}
            name="code"
            required
            minLength={6}
            maxLength={12}
            pattern="[A-Za-z0-9]+"
            autoComplete="off"
            error={set.error}
          />
          <div class="flex flex-wrap gap-4">
            <Submit busy={set.busy} doing={t('form.saving')}>
              {t('liveView.lock.set')}
            </Submit>
            <button type="button" class="btn" onClick={() => void set.run(null)} aria-disabled={set.busy}>
              {t('liveView.lock.remove')}
            </button>
          </div>
        </Form>
      </div>
    </details>
  );
}
