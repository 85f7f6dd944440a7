import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { VALIDITIES, type Validity } from '../../../protocol/wire/rights.ts';
import type { ShareMode, Sharing } from '../../../protocol/wire/sharing.ts';
import { Choice, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { PersonFields, personIn } from './person-fields.tsx';
import { Check, Resources, resourcesIn } from './words.tsx';

/** QR codes of what was just shared: the relay tells a link once. */
export const shownCodes = signal<readonly { siteId: string; name: string; url: string; svg: string }[]>([]);
export function keepCodes(sharing: Sharing): void {
  const found = sharing.customers.flatMap(({ name, qr }) => (qr ? [{ name, ...qr }] : []));
  const { siteId } = sharing;
  shownCodes.value = found.map((code) => ({ ...code, siteId, url: new URL(code.url, location.origin).href }));
}

/** Customers one after the other in one form; more can be added. */
function Customers({
  error,
  count,
  add,
  administrator,
}: {
  error: ReturnType<typeof useAction>['error'];
  count: number;
  add: () => void;
  administrator: boolean;
}) {
  return (
    <>
      {Array.from({ length: count }, (_, n) => (
        <fieldset key={String(n)} class="rounded-box border border-base-300 p-4">
          <legend class="px-1 font-semibold">{t('sharing.customerNo', { n: n + 1 })}</legend>
          <PersonFields n={n} error={error} />
          {administrator && count > 1 && (
            <label class="mt-3 flex items-start gap-2">
              <input type="radio" class="radio mt-0.5" name="administrator" value={String(n)} required />
              <span>{t('sharing.administratorIs')}</span>
            </label>
          )}
        </fieldset>
      ))}
      <div>
        <button type="button" class="btn" onClick={add}>
          {t('sharing.another')}
        </button>
      </div>
    </>
  );
}

/** Hands a site over by sharing: mode, customers, what each may use, what is asked of them. */
export function ShareWizard() {
  const { siteId, base, site, devices } = useSite();
  const { route } = useLocation();
  const [mode, setMode] = useState<ShareMode>('B');
  const [count, setCount] = useState(1);
  const send = useAction(async (fields: Record<string, string>) => {
    const resources = resourcesIn(fields);
    const customers = Array.from({ length: count }, (_, n) => ({
      ...personIn(fields, n),
      resources,
      administrator: mode === 'A' && count > 1 && fields.administrator === String(n),
    }));
    const requests =
      mode === 'B'
        ? []
        : (['live', 'playback'] as const).flatMap((permission) =>
            fields[`ask-${permission}`]
              ? [
                  {
                    permission,
                    validity: fields[`ask-${permission}`] as Validity,
                    extras: (['pircam-gif', 'video-clips'] as const).filter((extra) => fields[`extra-${extra}`]),
                  },
                ]
              : [],
          );
    keepCodes(await api.post('/sites/{siteId}/sharing', { mode, customers, requests }, { params: { siteId } }));
    site.reload();
    route(`${base}/customer`);
  });
  if (!devices.data) return <Skeleton lines={8} />;
  if (!site.data!.operations.includes('share')) {
    return (
      <>
        <Title suffix={`${site.data!.name} · Gatepost`}>{t('sharing.title')}</Title>
        <Empty title={t('sharing.notNow')} />
      </>
    );
  }
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('sharing.title')}</Title>
      <p class="muted max-w-prose">{t('sharing.intro')}</p>
      <p class="max-w-prose">{t('sharing.agreements')}</p>
      {devices.data.items.length === 0 ? (
        <p>
          {t('sharing.noDevice')}{' '}
          <a class="link" href={`${base}/devices`}>
            {t('site.tab.devices')}
          </a>
        </p>
      ) : (
        <div class="panel flex max-w-4xl flex-col gap-4">
          <ProblemPanel error={send.error} what={t('sharing.failed')} focus />
          <Form onSubmit={send.run} label={t('sharing.title')}>
            <fieldset class="flex flex-col gap-2">
              <legend class="font-semibold">{t('sharing.mode.label')}</legend>
              {(['B', 'A'] as const).map((each) => (
                <label key={each} class="flex items-start gap-2">
                  <input
                    type="radio"
                    class="radio mt-0.5"
                    name="mode"
                    checked={mode === each}
                    onChange={() => setMode(each)}
                  />
                  <span>
                    {t(`sharing.mode.${each}`)}
                    <span class="muted small block">{t(`sharing.mode.${each}Text`)}</span>
                  </span>
                </label>
              ))}
            </fieldset>
            <Resources devices={devices.data.items} chosen={[]} />
            <Customers error={send.error} count={count} add={() => setCount(count + 1)} administrator={mode === 'A'} />
            {mode === 'A' && <Requests />}
            <SubmitOrCancel busy={send.busy} doing={t('sharing.doing')} cancel={`${base}/customer`}>
              {t('sharing.submit')}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
    </>
  );
}

/** What the customer administrator is asked for in mode A. */
function Requests() {
  const { siteId } = useSite();
  const accounts = useResource((signal) => api.get('/sites/{siteId}/arc', { params: { siteId }, signal }), [siteId]);
  const arc = (accounts.data?.items.length ?? 0) > 0;
  return (
    <fieldset class="flex flex-col gap-4">
      <legend class="font-semibold">{t('sharing.ask.label')}</legend>
      <p class="muted small">{t('sharing.ask.text')}</p>
      <div class="grid gap-4 sm:grid-cols-2">
        {(['live', 'playback'] as const).map((permission) => (
          <Choice
            key={permission}
            label={t(`sharing.permission.${permission}`)}
            name={`ask-${permission}`}
            options={[
              ['', t('sharing.ask.not')],
              ...VALIDITIES.map((validity) => [validity, t(`sharing.validity.${validity}`)] as const),
            ]}
          />
        ))}
      </div>
      {arc ? (
        <div class="flex flex-col gap-1">
          <Check name="extra-pircam-gif">{t('sharing.extra.pircam-gif')}</Check>
          <Check name="extra-video-clips">{t('sharing.extra.video-clips')}</Check>
        </div>
      ) : (
        <p class="muted small">{t('sharing.extra.off')}</p>
      )}
    </fieldset>
  );
}

/** More customers of a shared site; what they may use is selected on their cards. */
export function AddCustomersPage() {
  const { siteId, base, site } = useSite();
  const { route } = useLocation();
  const [count, setCount] = useState(1);
  const may = site.data!.operations.includes('batch-share');
  const send = useAction(async (fields: Record<string, string>) => {
    const customers = Array.from({ length: count }, (_, n) => personIn(fields, n));
    keepCodes(await api.post('/sites/{siteId}/sharing/customers', { customers }, { params: { siteId } }));
    route(`${base}/customer`);
  });
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('sharing.addTitle')}</Title>
      <p class="muted max-w-prose">{t(may ? 'sharing.addText' : 'sharing.notShared')}</p>
      {may && (
        <div class="panel flex max-w-4xl flex-col gap-4">
          <ProblemPanel error={send.error} what={t('sharing.addFailed')} focus />
          <Form onSubmit={send.run} label={t('sharing.addTitle')}>
            <Customers error={send.error} count={count} add={() => setCount(count + 1)} administrator={false} />
            <SubmitOrCancel busy={send.busy} doing={t('sharing.doing')} cancel={`${base}/customer`}>
              {t('sharing.addSubmit')}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
    </>
  );
}
