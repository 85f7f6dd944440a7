import type { Alarm, EventItem } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { between, formatDuration } from '../../components/time.ts';

type Told = Pick<Alarm, 'kind' | 'state' | 'path' | 'tries' | 'occurredAt' | 'acknowledgedAt'>;
const LEVEL: Record<Alarm['state'], Level> = { acknowledged: 'well', waiting: 'working', failed: 'problem' };

/** What became of a message to the ARC in one line: "acknowledged, direct, after 182 ms". */
export function AlarmLine({ alarm }: { alarm: Told }) {
  const words = [t(`alarm.state.${alarm.state}`)];
  if (alarm.path && alarm.state === 'acknowledged') words.push(t(`alarm.path.${alarm.path}`));
  if (alarm.acknowledgedAt)
    words.push(t('alarm.after', { time: formatDuration(between(alarm.occurredAt, alarm.acknowledgedAt)) }));
  if (alarm.tries > 1) words.push(t('alarm.tries', { count: alarm.tries }));
  const told = words.join(', ');
  const text = alarm.kind === 'alarm' ? told : t('alarm.told', { kind: t(`alarm.kind.${alarm.kind}`), told });
  return <State level={LEVEL[alarm.state]}>{text}</State>;
}

const CLIP: Record<NonNullable<EventItem['clip']>['state'], Level> = {
  recording: 'working',
  uploading: 'working',
  complete: 'well',
  incomplete: 'attention',
  held: 'well',
};

/** State of a clip as a word, with its length. */
export function ClipLine({ clip }: { clip: NonNullable<EventItem['clip']> }) {
  return (
    <State level={CLIP[clip.state]}>
      {t(`clip.state.${clip.state}`)}
      {clip.durationMs > 0 && <span class="muted"> {formatDuration(clip.durationMs)}</span>}
    </State>
  );
}
