import { useLocation } from 'preact-iso';
import { t } from '../../components/i18n.ts';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { NotFound } from '../not-found.tsx';
import { useSite } from '../site/context.ts';
import { Barred } from '../site/parts.tsx';
import { sees } from '../site/rights.ts';
import { TestPanel } from './test-panel.tsx';
import { UploadForm } from './upload-form.tsx';

/** The uplink of one box: what it can do, and how much of it footage may take. `?device=`: tested for that device. */
export function UplinkPage({ params }: { params?: { serial?: string } }) {
  const { base, site, boxes } = useSite();
  const { query } = useLocation();
  const box = boxes.data?.items.find((item) => item.serial === params?.serial);
  const title = t('bandwidth.page', { serial: params?.serial ?? '' });
  if (!sees(site.data!))
    return (
      <>
        <Title suffix={`${site.data!.name} · Gatepost`}>{title}</Title>
        <Barred />
      </>
    );
  if (!box) {
    if (boxes.error) return <ProblemPanel error={boxes.error} what={t('box.listFailed')} retry={boxes.reload} />;
    return boxes.data ? <NotFound /> : <Skeleton lines={8} />;
  }
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{title}</Title>
      <div class="grid items-start gap-6 lg:grid-cols-2">
        <TestPanel serial={box.serial} deviceId={query.device || undefined} />
        <UploadForm serial={box.serial} />
      </div>
      <p>
        <a class="link" href={base}>
          {t('site.tab.overview')}
        </a>{' '}
        <a class="link ml-4" href="/compatibility">
          {t('bandwidth.toCompat')}
        </a>
      </p>
    </>
  );
}
