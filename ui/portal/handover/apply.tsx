import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { Askable, HeldPermission } from '../../../protocol/wire/handover.ts';
import type { Validity } from '../../../protocol/wire/rights.ts';
import { Choice, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Limited } from '../limited.tsx';
import { api, me } from '../session.ts';
import { useSite } from '../site/context.ts';
import { whatOf } from './held.tsx';
import { validities } from './validities.ts';
import { Remark } from './words.tsx';

/** Ask for permissions of one or several devices, each with its validity. */
export function ApplyPage() {
  const { siteId, base, site } = useSite();
  const { route } = useLocation();
  const [chosen, setChosen] = useState<Record<string, Validity>>({});
  const [empty, setEmpty] = useState(false);
  const held = useResource(
    (signal) => api.get('/sites/{siteId}/permissions', { params: { siteId }, signal }),
    [siteId],
  );
  const open = (held.data?.items ?? []).filter((item) => item.mayApply && item.permission !== 'manage');
  const key = (item: HeldPermission) => `${item.permission} ${item.deviceId}`;
  const send = useAction(async (fields: Record<string, string>) => {
    const items = open.flatMap((item) => {
      const validity = chosen[key(item)];
      return validity ? [{ permission: item.permission, deviceId: item.deviceId, validity }] : [];
    });
    setEmpty(items.length === 0);
    if (items.length === 0) return;
    await api.post('/sites/{siteId}/permission-applications', { items, remark: fields.remark }, { params: { siteId } });
    route(`${base}/customer`);
  });
  const set = (items: HeldPermission[], validity: string) =>
    setChosen((old) => {
      const next = { ...old };
      for (const item of items) {
        if (validity) next[key(item)] = validity as Validity;
        else delete next[key(item)];
      }
      return next;
    });
  const options = [
    ['', t('handover.apply.not')] as const,
    ...validities.map(([validity, text]) => [validity, t(text)] as const),
  ];
  const kinds = [...new Set(open.map((item) => item.permission))];
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('handover.apply.title')}</Title>
      <ProblemPanel error={held.error} what={t('handover.held.failed')} retry={held.reload} />
      {!held.data && !held.error && <Skeleton />}
      {me.value?.limited && <Limited />}
      {!me.value?.limited && held.data && open.length === 0 && <p>{t('handover.apply.nothing')}</p>}
      {!me.value?.limited && open.length > 0 && (
        <div class="panel flex flex-col gap-4">
          <ProblemPanel error={send.error} what={t('handover.apply.failed')} focus />
          <p class="muted">{t('handover.apply.text')}</p>
          <Form onSubmit={send.run}>
            {open.length > kinds.length && (
              <fieldset>
                <legend class="font-semibold">{t('handover.apply.all')}</legend>
                <div class="grid gap-4 sm:grid-cols-3">
                  {kinds.map((permission: Askable) => (
                    <Choice
                      key={permission}
                      label={t('handover.apply.allOf', { what: t(`handover.ask.${permission}`) })}
                      name={`all-${permission}`}
                      options={options}
                      onChange={(validity) =>
                        set(
                          open.filter((item) => item.permission === permission),
                          validity,
                        )
                      }
                    />
                  ))}
                </div>
              </fieldset>
            )}
            {[...Map.groupBy(open, (item) => item.deviceId)].map(([deviceId, items]) => (
              <fieldset key={deviceId ?? ''}>
                <legend class="font-semibold">{items[0]!.deviceName ?? t('handover.held.site')}</legend>
                <div class="grid gap-4 sm:grid-cols-3">
                  {items.map((item) => (
                    <label key={item.permission} class="block">
                      {t(`handover.ask.${item.permission}`)}
                      <select
                        class="select mt-1"
                        aria-label={whatOf(item)}
                        value={chosen[key(item)] ?? ''}
                        onChange={(event) => set([item], event.currentTarget.value)}
                      >
                        {options.map(([value, text]) => (
                          <option key={value} value={value} selected={(chosen[key(item)] ?? '') === value}>
                            {text}
                          </option>
                        ))}
                      </select>
                    </label>
                  ))}
                </div>
              </fieldset>
            ))}
            <Remark label={t('handover.apply.remark')} />
            {empty && <p role="alert">{t('handover.apply.choose')}</p>}
            <SubmitOrCancel busy={send.busy} doing={t('handover.apply.doing')} cancel={`${base}/customer`}>
              {t('handover.apply.submit')}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
    </>
  );
}

/** Ask the owner for the site authorisation. */
export function AuthorizationPage() {
  const { site } = useSite();
  if (!me.value?.limited) return <AuthorizationForm />;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('handover.apply.titleAuthorization')}</Title>
      <Limited />
    </>
  );
}

function AuthorizationForm() {
  const { siteId, base, site } = useSite();
  const { route } = useLocation();
  const send = useAction(async ({ validity, remark }: Record<string, string>) => {
    const body = { validity: validity as Validity, remark };
    await api.post('/sites/{siteId}/authorization-applications', body, { params: { siteId } });
    route(`${base}/customer`);
  });
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('handover.apply.titleAuthorization')}</Title>
      <div class="panel flex max-w-2xl flex-col gap-4">
        <ProblemPanel error={send.error} what={t('handover.apply.failed')} focus />
        <p class="muted">{t('handover.held.authorizationText')}</p>
        <Form onSubmit={send.run}>
          <Choice
            label={t('handover.apply.validity')}
            name="validity"
            options={validities.map(([validity, text]) => [validity, t(text)])}
          />
          <Remark label={t('handover.apply.remark')} />
          <SubmitOrCancel busy={send.busy} doing={t('handover.apply.doing')} cancel={`${base}/customer`}>
            {t('handover.apply.submit')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}
