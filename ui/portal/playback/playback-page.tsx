import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { Missing } from '../device/permitted.tsx';
import { targetsOf } from '../live/targets.ts';
import { useSite } from '../site/context.ts';
import { holds, sees } from '../site/rights.ts';
import { Player } from './player.tsx';

/** What the devices of a site have recorded themselves. */
export function PlaybackPage() {
  const { base, site, devices, boxes } = useSite();
  const known = site.data!;
  const list = sees(known) ? (boxes.data?.items ?? known.boxes) : null;
  const targets = devices.data && targetsOf(known, devices.data.items, list);
  const played = targets?.map((target) => ({ ...target, may: holds(known, target.device, 'playback') }));
  return (
    <>
      <Title suffix={`${known.name} · Gatepost`}>{t('playback.title')}</Title>
      <ProblemPanel error={devices.error} what={t('playback.failed')} retry={devices.reload} />
      {!targets && !devices.error && <Waiting />}
      {targets?.length === 0 && <Empty title={t('liveView.none')}>{t('liveView.noneNext')}</Empty>}
      {played?.some(({ may }) => may) && (
        <Player key={known.id} zone={known.timeZone} siteId={known.id} base={base} targets={played} />
      )}
      {played && played.length > 0 && !played.some(({ may }) => may) && (
        <div class="panel">
          <Missing permission="playback" />
        </div>
      )}
    </>
  );
}

/** The place of the picture and of the time line, before it is known whose. */
function Waiting() {
  return (
    <div class="flex flex-col gap-4">
      <div class="live-grid playback-grid" data-grid={1} aria-hidden="true">
        <div class="skeleton aspect-video rounded" />
      </div>
      <Skeleton lines={3} />
    </div>
  );
}
