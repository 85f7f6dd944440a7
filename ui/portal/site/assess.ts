import type { Box, Device, Site } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import type { Level } from '../../components/icons.tsx';
import { sees } from './rights.ts';

/** One thing that a person should look at. */
export interface Attention {
  key: string;
  code: string;
  severity: 'info' | 'warning' | 'error';
  text: string;
  since: string | null;
  /** Where something can be done about it, below the site's address. */
  to: string | null;
}
export interface Assessment {
  level: Level;
  items: Attention[];
  /** Nothing may be seen of it: that no box is known says nothing. */
  barred?: 'all' | 'partly';
}

/** What to show of a device's state: unknown while its box is gone, whatever was reported last. */
export type DeviceState = NonNullable<Device['health']>['state'] | 'unknown';
export const deviceState = (device: Device, boxes: Pick<Box, 'serial' | 'online'>[]): DeviceState =>
  boxes.find((box) => box.serial === device.boxSerial)?.online ? (device.health?.state ?? 'unknown') : 'unknown';

export const DEVICE_LEVEL: Record<DeviceState, Level> = {
  connecting: 'working',
  online: 'well',
  offline: 'problem',
  refused: 'problem',
  locked: 'problem',
  notActivated: 'attention',
  unknown: 'unknown',
};

const RANK = { error: 0, warning: 1, info: 2 };

/**
 * "Is everything all right?" in one word, and what is not. Warnables speak for themselves; what no box can report (that it
 * is gone) and devices without a warnable are added here.
 * @param devices null where they are not loaded
 */
export function assess(
  site: Pick<Site, 'boxes' | 'warnables' | 'permissions'> & Partial<Pick<Site, 'own'>>,
  devices: Device[] | null,
): Assessment {
  if (!sees(site)) return { level: 'unknown', items: [], barred: site.own === false ? 'partly' : 'all' };
  const items: Attention[] = [];
  const add = (item: Attention) => {
    if (!items.some((other) => other.key === item.key)) items.push(item);
  };
  const boxes = site.boxes.filter((box) => box.state !== 'revoked');
  for (const warnable of site.warnables) {
    // The box may have come back since the site was read.
    const back =
      warnable.code === 'box-gone' && boxes.some((box) => box.online && warnable.subject === `box:${box.serial}`);
    if (!back) add({ ...warnable, key: `${warnable.code} ${warnable.subject}`, to: whereTo(warnable.subject) });
  }
  for (const box of boxes) {
    const code = box.state === 'duplicate' ? 'duplicate-identity' : box.online ? null : 'box-gone';
    if (!code) continue;
    const text = t(code === 'box-gone' ? 'box.gone' : 'box.duplicate', { serial: box.serial });
    add({ key: `${code} box:${box.serial}`, code, severity: 'error', text, since: box.since, to: null });
  }
  for (const device of devices ?? []) {
    const state = deviceState(device, boxes);
    const level = DEVICE_LEVEL[state];
    if (level !== 'problem' && level !== 'attention') continue;
    if (site.warnables.some((warnable) => warnable.subject === `device:${device.id}`)) continue;
    const text = t(`device.trouble.${state as 'offline'}`, { name: device.name });
    const severity = level === 'problem' ? 'error' : 'warning';
    const since = device.health?.since ?? null;
    add({ key: `device ${device.id}`, code: `device-${state}`, severity, text, since, to: `/devices/${device.id}` });
  }
  items.sort((a, b) => RANK[a.severity] - RANK[b.severity]);
  if (boxes.length === 0) return { level: 'unknown', items };
  const worst = items[0]?.severity;
  return { level: worst === 'error' ? 'problem' : worst === 'warning' ? 'attention' : 'well', items };
}

/** The page where a warnable's subject can be looked after. */
export function whereTo(subject: string): string | null {
  const [kind, rest = ''] = subject.split(/:(.*)/s);
  if (kind === 'device' || kind === 'channel') return `/devices/${rest.split('/')[0]}`;
  if (kind === 'arc') return `/arc/${rest}`;
  return null;
}

/** The one sentence at the top: well, how many things need attention, or why nothing can be said. */
export function glanceText({ level, items, barred }: Assessment): string {
  // To other companies and people single devices are shared.
  if (barred) return t(barred === 'all' ? 'glance.barred' : 'glance.barredPartly');
  if (level === 'unknown') return t('glance.noBox');
  const urgent = items.filter((item) => item.severity !== 'info').length;
  return urgent === 0 ? t('glance.well') : t('glance.attention', { count: urgent });
}

const ORDER: Level[] = ['problem', 'attention', 'unknown', 'working', 'info', 'well'];
/** Sites that need attention first, then by name. */
export const byUrgency = (
  a: { site: { name: string }; found: Assessment },
  b: { site: { name: string }; found: Assessment },
): number => ORDER.indexOf(a.found.level) - ORDER.indexOf(b.found.level) || a.site.name.localeCompare(b.site.name);
