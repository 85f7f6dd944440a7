import { useLocation } from 'preact-iso';
import { Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from './context.ts';

/** What a person types of a serial or code: capitals, without spaces and dashes. */
export const tidy = (typed: string) => typed.replace(/[\s-]/g, '').toUpperCase();

/** Makes a box part of the site, by the serial and code on its own set-up page. */
export function Claim() {
  const { base, site, boxes, siteId } = useSite();
  const { query, route } = useLocation();
  const claim = useAction(async (fields: Record<string, string>) => {
    await api.post(
      '/sites/{siteId}/boxes',
      { serial: tidy(fields.serial!), code: tidy(fields.code!) },
      { params: { siteId } },
    );
    boxes.reload();
    site.reload();
    route(base);
  });
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('claim.title')}</Title>
      <div class="panel flex max-w-xl flex-col gap-4">
        <p>{t('claim.text')}</p>
        <ProblemPanel error={claim.error} what={t('claim.failed')} focus />
        <Form onSubmit={claim.run} label={t('claim.title')}>
          <Field
            label={t('claim.serial')}
            hint={t('claim.serialHint')}
            name="serial"
            required
            mono
            autoComplete="off"
            maxLength={16}
            value={query.serial ?? ''}
            error={claim.error}
          />
          <Field
            label={t('claim.code')}
            hint={t('claim.codeHint')}
            name="code"
            required
            mono
            autoComplete="off"
            maxLength={16}
            value={query.code ?? ''}
            error={claim.error}
          />
          <SubmitOrCancel busy={claim.busy} doing={t('claim.doing')} cancel={base}>
            {t('claim.submit')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}
