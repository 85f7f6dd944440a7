import type { ArcMedia, ArcService } from '../../../protocol/wire/arc-service.ts';
import type { EventType } from '../../../protocol/wire/event.ts';
import type { DeviceType } from '../../../protocol/wire/rights.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Since } from '../../components/time.tsx';
import { DEVICE_EVENT_TYPES } from '../site/event-types.ts';

const LEVEL: Record<ArcService['state'], Level> = {
  waiting: 'working',
  active: 'well',
  suspended: 'attention',
  rejected: 'problem',
};

export function ServiceState({ service }: { service: Pick<ArcService, 'state' | 'note'> }) {
  return (
    <State level={LEVEL[service.state]}>
      {t(`centre.state.${service.state}`)}
      {service.note !== '' && <span class="muted small block">{service.note}</span>}
    </State>
  );
}

/** Which way is in use now. */
export function PathNow({ service }: { service: Pick<ArcService, 'state' | 'path'> }) {
  if (service.state !== 'active') return <>–</>;
  if (!service.path) return <State level="unknown">{t('state.unknown')}</State>;
  return (
    <State level={service.path.path === 'none' ? 'problem' : 'well'}>
      {t(`centre.path.${service.path.path}`)} <Since at={service.path.since} />
    </State>
  );
}

export const mediaWords = ({ picture, clip }: ArcMedia): string =>
  t(
    picture && clip
      ? 'centre.media.both'
      : picture
        ? 'centre.media.picture'
        : clip
          ? 'centre.media.clip'
          : 'centre.media.none',
  );

export const typeWords = (types: readonly EventType[]): string =>
  types.map((type) => t(`eventType.${type}`)).join(', ');

const OF_CAMERAS: ReadonlySet<EventType> = new Set<EventType>([
  ...(['motion', 'lineCrossing', 'intrusion', 'regionEntrance', 'regionExiting', 'tamper', 'pirDetected'] as const),
  ...(['faceDetection', 'alarmInput', 'fire', 'temperature', 'networkDisconnected', 'videoLoss'] as const),
  ...(['diskError', 'diskFull', 'illegalLogin', 'other'] as const),
]);
/** What only cameras, radars and doors tell of. */
const NOT_OF_PANELS: ReadonlySet<EventType> = new Set<EventType>([
  ...(['motion', 'lineCrossing', 'intrusion', 'regionEntrance', 'regionExiting', 'tamper', 'faceDetection'] as const),
  ...(['videoLoss', 'diskError', 'diskFull', 'outOfBed', 'heartRateHigh', 'heartRateLow', 'call'] as const),
  ...(['respirationHigh', 'respirationLow', 'presence', 'doorUnlocked'] as const),
]);

/** What a centre may be told of a device of this type: what it can send, and that it is away. */
export const centreTypes = (type: DeviceType): readonly EventType[] => [
  ...DEVICE_EVENT_TYPES.filter((one) => (type === 'panel' ? !NOT_OF_PANELS.has(one) : OF_CAMERAS.has(one))),
  'deviceOffline',
];

/** The numbers that the centre sees: a panel's own, or one for each channel. */
export function zoneWords(service: Pick<ArcService, 'zones' | 'device'>): string {
  if (service.device.type === 'panel') return t('centre.zonesOwn');
  return service.zones.map((line) => t('centre.zoneLine', { channel: line.channel, zone: line.zone })).join(', ');
}
