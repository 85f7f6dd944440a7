import { t } from '../../components/i18n.ts';
import { Panel } from '../../components/page.tsx';
import { formatDuration } from '../../components/time.ts';
import type { LiveTarget } from '../live/targets.ts';
import { clockOf } from './day.ts';
import type { Range } from './timeline.tsx';

const MAX_MS = 3_600_000;
const USUAL_MS = 30_000;
/** A longer one is offered in parts as well: what breaks off is taken again from there, and not from its beginning. */
const PART_MS = 10 * 60_000;
const MAX_PARTS = 24;

interface Props {
  target: LiveTarget;
  headMs: number;
  cut: Range | null;
  zone: string | undefined;
  onCut: (cut: Range | null) => void;
}

/** A part of the recording, taken as a file (LIVE-08, LIVE-09). */
export function Cut({ target, headMs, cut, zone, onCut }: Props) {
  const { device, channel } = target;
  const at = Math.floor(headMs / 1000) * 1000;
  const address = ({ fromMs, toMs }: Range) => {
    const query = new URLSearchParams({ from: iso(fromMs), to: iso(toMs) });
    return `/api/v1/devices/${device.id}/channels/${channel}/recordings/file?${query}`;
  };
  const parts = cut ? partsOf(cut) : [];
  const tooLong = cut !== null && cut.toMs - cut.fromMs > MAX_MS;
  return (
    <Panel title={t('playback.cut.title')} id="cut">
      <div class="flex flex-wrap items-center gap-2">
        <button
          type="button"
          class="btn"
          onClick={() => onCut({ fromMs: at, toMs: Math.max(cut?.toMs ?? 0, at + USUAL_MS) })}
        >
          {t('playback.cut.from')}
        </button>
        <button
          type="button"
          class="btn"
          onClick={() => onCut({ fromMs: Math.min(cut?.fromMs ?? at - USUAL_MS, at - 1_000), toMs: at })}
        >
          {t('playback.cut.to')}
        </button>
        {cut && (
          <>
            <span>
              {t('playback.cut.range', {
                from: clockOf(cut.fromMs, zone),
                to: clockOf(cut.toMs, zone),
                length: formatDuration(cut.toMs - cut.fromMs),
              })}
            </span>
            {tooLong ? (
              <span class="font-semibold">{t('playback.cut.tooLong')}</span>
            ) : (
              <a class="btn btn-primary" href={address(cut)} download target="_self">
                {t('playback.cut.download')}
              </a>
            )}
            <button type="button" class="btn" onClick={() => onCut(null)}>
              {t('playback.cut.forget')}
            </button>
          </>
        )}
      </div>
      {parts.length > 1 && (
        <details class="mt-2" open={tooLong}>
          <summary class="cursor-pointer">{t('playback.cut.parts', { count: parts.length })}</summary>
          <ol class="mt-2 flex flex-wrap gap-x-4 gap-y-2">
            {parts.map((part) => (
              <li key={part.fromMs}>
                <a class="link" href={address(part)} download target="_self">
                  {clockOf(part.fromMs, zone)}–{clockOf(part.toMs, zone)}
                </a>
              </li>
            ))}
          </ol>
        </details>
      )}
      <p class="muted small mt-2">{t('playback.cut.hint')}</p>
    </Panel>
  );
}

/** One after the other; none of what is too much for them. */
export function partsOf({ fromMs, toMs }: Range): Range[] {
  const count = Math.ceil((toMs - fromMs) / PART_MS);
  if (count > MAX_PARTS) return [];
  return Array.from({ length: count }, (_, i) => ({
    fromMs: fromMs + i * PART_MS,
    toMs: Math.min(toMs, fromMs + (i + 1) * PART_MS),
  }));
}

const iso = (ms: number): string => new Date(ms).toISOString();
