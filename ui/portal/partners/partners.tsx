import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { type Collaboration, PARTNER_PERMISSIONS } from '../../../protocol/wire/collaboration.ts';
import { Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { Check, LongText } from '../sharing/words.tsx';
import { useSite } from '../site/context.ts';
import { CollaborationFacts } from './words.tsx';

/** Companies that help at a site: before the handover (ISP) or after a transfer (MSP). */
export function Partners() {
  const { siteId, base, site } = useSite();
  const [ending, setEnding] = useState<string | null>(null);
  const params = { siteId };
  const list = useResource((signal) => api.get('/sites/{siteId}/partners', { params, signal }), [siteId]);
  const end = (item: Collaboration) => {
    const back = () => {
      setEnding(null);
      list.reload();
    };
    setEnding(item.id);
    withUndo({
      text: t('partners.ended', { name: item.partner.name }),
      failed: t('partners.endFailed', { name: item.partner.name }),
      run: (keepalive) =>
        api
          .post('/collaborations/{collaborationId}/end', {}, { params: { collaborationId: item.id }, keepalive })
          .then(back),
      back,
    });
  };
  const may = site.data!.operations.includes('collaborate');
  const items = list.data?.items.filter((item) => item.id !== ending);
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title suffix={`${site.data!.name} · Gatepost`}>{t('partners.title')}</Title>
        {may && (
          <a class="btn btn-primary" href={`${base}/partners/invite`}>
            {t('partners.invite')}
          </a>
        )}
      </div>
      {!may && <p class="muted max-w-prose">{t('partners.notNow')}</p>}
      <ProblemPanel error={list.error} what={t('partners.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton />}
      {items?.length === 0 && <Empty title={t('partners.none')}>{t('partners.noneNext')}</Empty>}
      <ul class="grid gap-4 lg:grid-cols-2">
        {items?.map((item) => (
          <li key={item.id} class="panel flex flex-col items-start gap-2">
            <h2>{item.side === 'partner' ? item.company.name : item.partner.name}</h2>
            <CollaborationFacts item={item} />
            {(item.state === 'active' || item.state === 'invited') && (
              <button type="button" class="link" onClick={() => end(item)}>
                {t(item.state === 'active' ? 'partners.end' : 'partners.cancel')}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Invites a partner: which kind, the status of the site says. */
export function InvitePartner() {
  const { siteId, base, site } = useSite();
  const { route } = useLocation();
  const stage = site.data!.status === 'authorized' ? 'msp' : 'isp';
  const send = useAction(async (fields: Record<string, string>) => {
    const permissions = PARTNER_PERMISSIONS.filter((each) => fields[`may-${each}`]);
    const body = { stage, email: fields.email!, remark: fields.remark, permissions } as const;
    await api.post('/sites/{siteId}/partners', body, { params: { siteId } });
    route(`${base}/partners`);
  });
  if (!site.data!.operations.includes('collaborate')) {
    return (
      <>
        <Title suffix={`${site.data!.name} · Gatepost`}>{t('partners.invite')}</Title>
        <Empty title={t('partners.notNow')} />
      </>
    );
  }
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('partners.invite')}</Title>
      <div class="panel flex max-w-2xl flex-col gap-4">
        <ProblemPanel error={send.error} what={t('partners.inviteFailed')} focus />
        <p>
          <strong>{t(`partners.stage.${stage}`)}</strong>
        </p>
        <p class="muted">{t(`partners.stageText.${stage}`)}</p>
        <Form onSubmit={send.run} label={t('partners.invite')}>
          <Field
            label={t('partners.email')}
            hint={t(`partners.emailHint.${stage}`)}
            name="email"
            type="email"
            required
            maxLength={254}
            autoComplete="off"
            error={send.error}
          />
          {stage === 'msp' && (
            <fieldset class="flex flex-col gap-1">
              <legend class="font-semibold">{t('partners.may')}</legend>
              {PARTNER_PERMISSIONS.map((each) => (
                <Check key={each} name={`may-${each}`}>
                  {t(`partners.permission.${each}`)}
                </Check>
              ))}
            </fieldset>
          )}
          <LongText label={t('partners.remark')} name="remark" />
          <SubmitOrCancel busy={send.busy} doing={t('invitations.sending')} cancel={`${base}/partners`}>
            {t('partners.submit')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}
