import { useId, useState } from 'preact/hooks';
import type { UploadSettings } from '../../../protocol/wire/bandwidth.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { mayManage } from '../site/rights.ts';

const GB = 1_000_000_000;
const DAY_MINUTES = 1_440;

/** Minutes of the day as `22:00`, and back; null: no time. */
export const toClock = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
export function fromClock(text: string): number | null {
  const [, hours, minutes] = /^(\d{1,2}):(\d\d)$/.exec(text.trim()) ?? [];
  const all = Number(hours) * 60 + Number(minutes);
  return all >= 0 && all < DAY_MINUTES && Number(minutes) < 60 ? all : null;
}

/** A number as it is typed, with comma or point; null: nothing is there. */
function typed(text: string | undefined, unit: number): number | null {
  if (!text?.trim()) return null;
  const value = Number(text.trim().replace(',', '.'));
  if (!(value > 0)) throw new ApiError('invalid-request', 0, { detail: t('uploads.notNumber', { text }) });
  return Math.round(value * unit);
}

/** How much of uplink and disk a box may spend on footage. */
export function UploadForm({ serial }: { serial: string }) {
  const params = { serial };
  const found = useResource((signal) => api.get('/boxes/{serial}/upload-settings', { params, signal }), [serial]);
  return (
    <Panel title={t('uploads.title')}>
      <p class="muted mb-4 max-w-prose">{t('uploads.intro')}</p>
      <ProblemPanel error={found.error} what={t('uploads.failed')} retry={found.reload} />
      {!found.data && !found.error && <Skeleton />}
      {found.data && (
        <Fields key={serial} serial={serial} settings={found.data} put={(next) => found.set(() => next)} />
      )}
    </Panel>
  );
}

function Fields(o: { serial: string; settings: UploadSettings; put: (settings: UploadSettings) => void }) {
  const { serial, settings } = o;
  const { site } = useSite();
  const [windowed, setWindowed] = useState(settings.window !== null);
  const [saved, setSaved] = useState(false);
  const save = useAction(async (fields: Record<string, string>) => {
    setSaved(false);
    const [from, to] = [fromClock(fields.from ?? ''), fromClock(fields.to ?? '')];
    if (windowed && (from === null || to === null || from === to))
      throw new ApiError('invalid-request', 0, { detail: t('uploads.notWindow') });
    const next = {
      uploadKbps: typed(fields.mbit, 1_000),
      diskBytes: typed(fields.disk, GB),
      window: windowed ? { fromMinute: from as number, toMinute: to as number } : null,
    };
    o.put(await api.put('/boxes/{serial}/upload-settings', next, { params: { serial } }));
    setSaved(true);
  });
  if (!mayManage(site.data!)) return <p class="muted">{t('uploads.mayNot')}</p>;
  const { uploadKbps, diskBytes, window } = settings;
  return (
    <Form onSubmit={save.run} label={t('uploads.title')}>
      <Field
        label={t('uploads.limit')}
        name="mbit"
        inputMode="text"
        hint={t('uploads.limitHint')}
        value={uploadKbps === null ? '' : String(uploadKbps / 1_000)}
        maxLength={10}
      />
      <label class="flex min-h-11 items-center gap-3">
        <input
          type="checkbox"
          class="checkbox shrink-0"
          checked={windowed}
          onChange={(event) => setWindowed(event.currentTarget.checked)}
        />
        {t('uploads.windowed')}
      </label>
      {windowed && (
        <fieldset class="flex flex-wrap gap-4">
          <legend class="muted small">{t('uploads.windowHint', { zone: site.data!.timeZone })}</legend>
          <ClockField label={t('uploads.from')} name="from" value={window ? toClock(window.fromMinute) : '22:00'} />
          <ClockField label={t('uploads.to')} name="to" value={window ? toClock(window.toMinute) : '06:00'} />
        </fieldset>
      )}
      <Field
        label={t('uploads.disk')}
        name="disk"
        inputMode="text"
        hint={t('uploads.diskHint')}
        value={diskBytes === null ? '' : String(diskBytes / GB)}
        maxLength={10}
      />
      <ProblemPanel error={save.error} what={t('uploads.saveFailed')} />
      <div class="flex flex-wrap items-center gap-4">
        <Submit busy={save.busy} doing={t('uploads.saving')}>
          {t('uploads.save')}
        </Submit>
        <span role="status">{saved && <State level="well">{t('uploads.saved')}</State>}</span>
      </div>
    </Form>
  );
}

function ClockField({ label, name, value }: { label: string; name: string; value: string }) {
  const id = useId();
  return (
    <div>
      <label for={id} class="font-semibold">
        {label}
      </label>
      <input id={id} name={name} type="time" class="input mt-1" defaultValue={value} required />
    </div>
  );
}
