import type { ArcAccount, Device } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { partOf } from './event-types.ts';

export interface ZoneRow {
  field: string;
  deviceId: string;
  /** null: every channel of the device. */
  channel: number | null;
  name: string;
  zone: number | undefined;
}

/** One line a channel; one a device while its channels are not known, or where the account has such a line. */
export function zoneRows(devices: Device[], boxSerial: string, old: Pick<ArcAccount, 'zones'> | undefined): ZoneRow[] {
  const lines = devices
    .filter((device) => device.boxSerial === boxSerial)
    .flatMap((device) => {
      const channels: { channel: number | null; name: string }[] = (device.health?.channels ?? []).map(
        ({ channel, name }) => ({
          channel,
          name:
            name === device.name
              ? name
              : [device.name, name || t(`device.${partOf(null, device.type === 'panel')}`, { n: channel })].join(', '),
        }),
      );
      const whole = old?.zones.some((zone) => zone.deviceId === device.id && zone.channel === null);
      if (channels.length === 0 || whole)
        channels.unshift({ channel: null, name: t('arc.wholeDevice', { name: device.name }) });
      return channels.map((line) => ({ ...line, deviceId: device.id }));
    });
  return lines.map((line, index) => ({
    ...line,
    field: `zone:${line.deviceId}/${line.channel ?? ''}`,
    zone: old ? old.zones.find((z) => z.deviceId === line.deviceId && z.channel === line.channel)?.zone : index + 1,
  }));
}
