import { t } from '../components/i18n.ts';
import { Empty } from '../components/page.tsx';

/** In the place of a form that a limited account could not send: says so, and who can change it. */
export const Limited = () => (
  <Empty title={t('problem.account-limited.title')}>{t('problem.account-limited.next')}</Empty>
);
