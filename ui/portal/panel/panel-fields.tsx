import type { AlarmPanel } from '../../../protocol/wire/panels.ts';
import { Choice, Field } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { formatDuration } from '../../components/time.ts';

const INTERVALS_MS = [10_000, 30_000, 60_000, 90_000, 180_000, 300_000, 600_000, 1_800_000, 3_600_000, 86_400_000];

/** How a panel sends: account number, clock, supervision. */
export function PanelFields({ old, error }: { old?: AlarmPanel; error: ApiError | null }) {
  const every = old?.supervisionMs;
  return (
    <>
      <Field
        label={t('panel.account')}
        hint={t('panel.accountHint')}
        name="account"
        value={old?.account ?? ''}
        required
        mono
        pattern="[0-9A-Fa-f]{3,16}"
        maxLength={16}
        autoComplete="off"
        error={error}
      />
      <Choice
        label={t('panel.supervision')}
        hint={t('panel.supervisionHint')}
        name="supervisionMs"
        value={String(every ?? '')}
        options={[
          ['', t('panel.supervisionOff')],
          ...[...new Set([...INTERVALS_MS, ...(every ? [every] : [])])]
            .sort((a, b) => a - b)
            .map((ms) => [String(ms), formatDuration(ms)] as const),
        ]}
      />
      <Choice
        label={t('panel.clock')}
        name="clock"
        value={old?.localTime ? 'local' : 'utc'}
        options={[
          ['utc', t('panel.clockUtc')],
          ['local', t('panel.clockLocal')],
        ]}
      />
    </>
  );
}

export function KeyFields({ error }: { error: ApiError | null }) {
  return (
    <>
      <Field
        label={t('panel.key')}
        hint={t('panel.keyHint')}
        name="key"
        type="password"
        maxLength={64}
        autoComplete="off"
        error={error}
      />
      <Choice
        label={t('panel.keyFormat')}
        name="keyFormat"
        options={[
          ['hex', t('panel.keyFormatHex')],
          ['characters', t('panel.keyFormatCharacters')],
        ]}
      />
    </>
  );
}

/** What of {@link PanelFields} the API takes. */
export const panelOf = (fields: Record<string, string>) => ({
  account: fields.account!.trim(),
  localTime: fields.clock === 'local',
  supervisionMs: fields.supervisionMs ? Number(fields.supervisionMs) : null,
});
