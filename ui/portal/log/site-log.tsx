import { t } from '../../components/i18n.ts';
import { Title } from '../../components/page.tsx';
import { me } from '../session.ts';
import { useSite } from '../site/context.ts';
import { LogList, useLog } from './list.tsx';

/** Who did what at one site. */
export function SiteLog() {
  const { site, siteId } = useSite();
  const log = useLog({ siteId });
  const others = me.value?.admin || me.value?.permissions.includes('manage-accounts');
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('log.title')}</Title>
      <p class="muted max-w-prose">{others ? t('log.introSite') : t('log.introOwn')}</p>
      <LogList {...log} />
    </>
  );
}
