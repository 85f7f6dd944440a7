import { t } from '../components/i18n.ts';
import { Empty, Title } from '../components/page.tsx';

export function NotFound() {
  return (
    <>
      <Title>{t('notFound.title')}</Title>
      <Empty title={t('notFound.text')}>
        <a class="link" href="/">
          {t('notFound.home')}
        </a>
      </Empty>
    </>
  );
}
