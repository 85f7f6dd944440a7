import type { ComponentChildren } from 'preact';
import type { SharedPermission, ShareResource, ShareState } from '../../../protocol/wire/sharing.ts';
import { t } from '../../components/i18n.ts';
import type { Level } from '../../components/icons.tsx';

export const SHARE_LEVEL: Record<ShareState, Level> = {
  'to-be-accepted': 'working',
  accepted: 'well',
  rejected: 'problem',
  expired: 'attention',
  cancelled: 'unknown',
};
export const SHARED: readonly SharedPermission[] = ['view', 'live', 'playback'];

/** What is allowed on one device, in words. */
export const permissionWords = (permissions: readonly SharedPermission[]): string =>
  SHARED.filter((permission) => permissions.includes(permission))
    .map((permission) => t(`sharing.permission.${permission}`))
    .join(', ');

/** A longer text, as one field of a form. */
export function LongText({ label, name, value = '' }: { label: string; name: string; value?: string }) {
  return (
    <label class="block">
      <span class="font-semibold">{label}</span>
      <span class="muted"> {t('form.optional')}</span>
      <textarea name={name} rows={2} maxLength={500} class="input mt-1 h-auto py-2" defaultValue={value} />
    </label>
  );
}

export function Check({
  name,
  checked,
  children,
  onChange,
  label,
}: {
  name?: string;
  checked?: boolean;
  children: ComponentChildren;
  onChange?: (checked: boolean) => void;
  label?: string;
}) {
  return (
    <label class="flex items-start gap-2">
      <input
        type="checkbox"
        class="checkbox mt-0.5"
        name={name}
        checked={onChange ? checked : undefined}
        defaultChecked={onChange ? undefined : checked}
        aria-label={label}
        onChange={(event) => onChange?.(event.currentTarget.checked)}
      />
      <span>{children}</span>
    </label>
  );
}

/** Devices and what may be done with each: a line a device, a tick a permission. */
export function Resources({
  devices,
  chosen,
}: {
  devices: readonly { id: string; name: string }[];
  chosen: readonly ShareResource[];
}) {
  return (
    <fieldset>
      <legend class="font-semibold">{t('sharing.resources')}</legend>
      <p class="muted small mb-2">{t('sharing.resourcesHint')}</p>
      <ul class="flex flex-col divide-y divide-base-300">
        {devices.map((device) => (
          <li key={device.id} class="flex flex-wrap items-center gap-x-6 gap-y-1 py-2">
            <span class="min-w-40 font-semibold">{device.name}</span>
            {SHARED.map((permission) => (
              <Check
                key={permission}
                name={`${permission} ${device.id}`}
                checked={chosen.some((r) => r.deviceId === device.id && r.permissions.includes(permission))}
                label={`${t(`sharing.permission.${permission}`)}: ${device.name}`}
              >
                {t(`sharing.permission.${permission}`)}
              </Check>
            ))}
          </li>
        ))}
      </ul>
    </fieldset>
  );
}

/** What was ticked in {@link Resources}. */
export function resourcesIn(fields: Record<string, string>): ShareResource[] {
  const found = new Map<string, SharedPermission[]>();
  for (const key of Object.keys(fields)) {
    const [permission, deviceId] = key.split(' ') as [SharedPermission, string | undefined];
    if (deviceId && SHARED.includes(permission)) found.set(deviceId, [...(found.get(deviceId) ?? []), permission]);
  }
  return [...found].map(([deviceId, permissions]) => ({ deviceId, permissions }));
}

/** The end of a service period as a date field has it, at the end of that day; null: no end. */
export const endOfDay = (date: string | undefined): string | null =>
  date ? new Date(`${date}T23:59:59.999`).toISOString() : null;
export function dateOf(until: string | null): string {
  if (!until) return '';
  const at = new Date(until);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export function DateField({ label, name, value, hint }: { label: string; name: string; value: string; hint: string }) {
  return (
    <label class="block">
      <span class="font-semibold">{label}</span>
      <span class="muted"> {t('form.optional')}</span>
      <span class="muted small block">{hint}</span>
      <input class="input mt-1" type="date" name={name} defaultValue={value} />
    </label>
  );
}
