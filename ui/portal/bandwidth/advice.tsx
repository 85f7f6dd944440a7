import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Time } from '../../components/time.tsx';
import { useSite } from '../site/context.ts';
import { useBandwidthTests } from './test-panel.tsx';
import { formatDefinition, formatRate } from './words.ts';

/**
 * What the last test of a box's uplink recommends, where channels are chosen for cloud storage; a warning when more are
 * chosen. Silent while nothing is known but that a test can be made.
 */
export function UplinkAdvice({ serial, selected }: { serial: string; selected: number }) {
  const { base } = useSite();
  const last = useBandwidthTests().data?.items.find((test) => test.boxSerial === serial && test.state === 'done');
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
  const { recommended, kbps } = last;
  const most = recommended?.channels ?? 0;
  return (
    <div class="flex flex-col gap-2">
      <p>
        {recommended
          ? t('bandwidth.advice', {
              count: most,
              rate: formatRate(kbps ?? 0),
              definition: formatDefinition(recommended.definition),
            })
          : t('bandwidth.code.too-slow')}{' '}
        <span class="muted small">
          <Time at={last.startedAt} />
        </span>{' '}
        {link}
      </p>
      {selected > most && <State level="attention">{t('bandwidth.tooMany', { count: selected, most })}</State>}
    </div>
  );
}
