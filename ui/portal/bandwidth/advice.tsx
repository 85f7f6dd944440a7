import { type BandwidthTest, DEFINITION_KBPS } from '../../../protocol/wire/bandwidth.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Time } from '../../components/time.tsx';
import { useSite } from '../site/context.ts';
import { formatDefinition, formatRate, room } from './words.ts';

/**
 * What the last test of a box's uplink recommends, where channels are chosen for cloud storage; a warning when it has to
 * carry more. `selected`: channels that it would carry with those that are chosen. Silent while nothing is known but that a
 * test can be made. The test may have been for one device whose model has a limit of its own: the uplink is what counts here.
 */
export function UplinkAdvice(o: { test: BandwidthTest | undefined; serial: string; selected: number }) {
  const { serial, selected, test: last } = o;
  const { base } = useSite();
  const link = (
    <a class="link" href={`${base}/boxes/${serial}/uplink`}>
      {t(last ? 'bandwidth.again' : 'bandwidth.start')}
    </a>
  );
  if (!last)
    return (
      <p class="muted">
        {t('bandwidth.adviceNone')} {link}
      </p>
    );
  const { recommended } = last;
  const kbps = last.kbps ?? 0;
  const most = recommended ? room(kbps, recommended.kbps) : 0;
  const rate = formatRate(kbps);
  return (
    <div class="flex flex-col gap-2">
      <p>
        {recommended
          ? t('bandwidth.advice', { count: most, rate, definition: formatDefinition(recommended.definition) })
          : t('bandwidth.code.too-slow')}{' '}
        <span class="muted small">
          <Time at={last.startedAt} />
        </span>{' '}
        {link}
      </p>
      <div role="status">{selected > most && <State level="attention">{tooMany(kbps, selected)}</State>}</div>
    </div>
  );
}

/** More are chosen than are recommended: with what definition they would do, or that there is none. */
function tooMany(kbps: number, selected: number): string {
  const fits = DEFINITION_KBPS.find((choice) => room(kbps, choice.kbps) >= selected);
  if (fits) return t('bandwidth.smaller', { count: selected, definition: formatDefinition(fits.definition) });
  const least = DEFINITION_KBPS[DEFINITION_KBPS.length - 1]!;
  return t('bandwidth.tooMany', { count: selected, most: room(kbps, least.kbps) });
}
