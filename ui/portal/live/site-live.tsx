import { t } from '../../components/i18n.ts';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { Missing } from '../device/permitted.tsx';
import { useSite } from '../site/context.ts';
import { sees } from '../site/rights.ts';
import { LiveGrid } from './grid.tsx';
import { targetsOf } from './targets.ts';

/** Every camera of a site, live. */
export function SiteLive() {
  const { base, site, devices, boxes } = useSite();
  const known = site.data!;
  const list = sees(known) ? (boxes.data?.items ?? known.boxes) : null;
  const targets = devices.data && targetsOf(known, devices.data.items, list);
  return (
    <>
      <Title suffix={`${known.name} · Gatepost`}>{t('liveView.title')}</Title>
      <ProblemPanel error={devices.error} what={t('liveView.failed')} retry={devices.reload} />
      {!devices.data && !devices.error && <Skeleton lines={8} />}
      {targets && (targets.length === 0 || targets.some(({ may }) => may)) && <LiveGrid targets={targets} />}
      {targets && targets.length > 0 && !targets.some(({ may }) => may) && (
        <div class="panel">
          <Missing permission="live" />
        </div>
      )}
      <p>
        <a class="link" href={`${base}/viewings`}>
          {t('liveView.viewings')}
        </a>
      </p>
    </>
  );
}
