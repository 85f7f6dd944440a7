import { useEffect, useState } from 'preact/hooks';
import type { AskedPermission } from '../../../protocol/wire/handover.ts';
import { t } from '../../components/i18n.ts';
import { formatDuration } from '../../components/time.ts';

/** How much longer something holds, counted down; `onEnd` once when it is over. */
export function Left({ until, onEnd }: { until: string; onEnd?: () => void }) {
  const left = () => Date.parse(until) - Date.now();
  const [ms, setMs] = useState(left);
  useEffect(() => {
    setMs(left());
    const timer = setInterval(() => {
      setMs(left());
      if (left() > 0) return;
      clearInterval(timer);
      onEnd?.();
    }, 1_000);
    return () => clearInterval(timer);
  }, [until]);
  if (ms <= 0) return <>{t('handover.left.over')}</>;
  return <>{t('handover.left.for', { time: formatDuration(Math.max(1_000, Math.floor(ms / 1_000) * 1_000)) })}</>;
}

/** What was asked for with a handover, a line each. */
export function Asked({ requests }: { requests: AskedPermission[] }) {
  if (requests.length === 0) return <>{t('handover.nothingAsked')}</>;
  return (
    <ul>
      {requests.map((ask, i) => (
        <li key={String(i)}>
          {t(`handover.ask.${ask.permission}`)}
          <span class="muted">
            {' '}
            {scopeOf(ask)}, {t(`handover.validity.${ask.validity}`)}
          </span>
        </li>
      ))}
    </ul>
  );
}

const scopeOf = ({ permission, devices }: AskedPermission): string => {
  if (devices) return devices.map((device) => device.name).join(', ');
  return t(['manage', 'services', 'system'].includes(permission) ? 'handover.wholeSite' : 'handover.allDevices');
};

/** A longer text, as one field of a form. */
export function Remark({ label }: { label: string }) {
  return (
    <label class="block">
      <span class="font-semibold">{label}</span>
      <span class="muted"> {t('form.optional')}</span>
      <textarea name="remark" rows={3} maxLength={500} class="input mt-1 h-auto py-2" />
    </label>
  );
}
