import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { type Askable, SITE_WIDE, type TransferAsk, type TransferMethod } from '../../../protocol/wire/handover.ts';
import type { Validity } from '../../../protocol/wire/rights.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { LANGUAGES, locale, t } from '../../components/i18n.ts';
import { Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api, me } from '../session.ts';
import { useSite } from '../site/context.ts';
import { keepQr } from './customer-tab.tsx';
import { validities } from './validities.ts';
import { Remark } from './words.tsx';

const METHODS: readonly TransferMethod[] = ['email', 'phone', 'qr'];
const ASKS = { personal: ['manage', 'configure', 'live', 'playback'], team: ['services', 'system'] } as const;
const DEVICE_ONES: readonly Askable[] = ['configure', 'live', 'playback', 'system'];
/** What is asked for: validity and devices (null: all) by permission. */
type Asks = Partial<Record<Askable, Pick<TransferAsk, 'validity' | 'deviceIds'>>>;

/** Hand the site over to its customer. */
export function TransferForm() {
  const { siteId, base, site } = useSite();
  const { route } = useLocation();
  const [method, setMethod] = useState<TransferMethod>('email');
  const [asks, setAsks] = useState<Asks>({ [site.data!.type === 'team' ? 'services' : 'manage']: ONE });
  const send = useAction(async (fields: Record<string, string>) => {
    const { customerName = '', remark = '', locale = 'en' } = fields;
    const requests = Object.entries(asks).map(([permission, ask]) => ({ permission: permission as Askable, ...ask }));
    const common = { customerName, remark, locale: locale as 'en' | 'de', requests };
    const to =
      method === 'email'
        ? { method, email: fields.email ?? '' }
        : method === 'phone'
          ? { method, phone: fields.phone ?? '' }
          : { method };
    keepQr(await api.post('/sites/{siteId}/transfer', { ...to, ...common }, { params: { siteId } }));
    site.reload();
    route(`${base}/customer`);
  });
  const mayDevices = me.value?.admin || me.value?.permissions.includes('manage-devices');
  const offered = ASKS[site.data!.type].filter((permission) => mayDevices || !DEVICE_ONES.includes(permission));
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('handover.transfer.title')}</Title>
      <div class="panel flex max-w-2xl flex-col gap-4">
        <ProblemPanel error={send.error} what={t('handover.transfer.failed')} focus />
        <Form onSubmit={send.run}>
          <Choice
            label={t('handover.transfer.how')}
            name="method"
            value={method}
            options={METHODS.map((one) => [one, t(`handover.transfer.method.${one}`)])}
            onChange={(value) => setMethod(value as TransferMethod)}
          />
          {method === 'email' && (
            <Field
              label={t('handover.transfer.email')}
              name="email"
              type="email"
              inputMode="email"
              required
              maxLength={254}
              error={send.error}
              autoComplete="off"
            />
          )}
          {method === 'phone' && (
            <Field
              label={t('handover.transfer.phone')}
              hint={t('handover.transfer.phoneHint')}
              name="phone"
              required
              maxLength={40}
              error={send.error}
              autoComplete="off"
            />
          )}
          <Field label={t('handover.transfer.name')} name="customerName" maxLength={64} autoComplete="off" />
          {method !== 'qr' && (
            <Choice
              label={t('handover.transfer.language')}
              name="locale"
              value={locale()}
              options={Object.entries(LANGUAGES)}
            />
          )}
          <Remark label={t('handover.transfer.remark')} />
          <fieldset class="flex flex-col gap-3">
            <legend class="font-semibold">{t('handover.transfer.asks')}</legend>
            <p class="muted small">{t('handover.transfer.asksText')}</p>
            {offered.map((permission) => (
              <Ask key={permission} permission={permission} asks={asks} change={setAsks} />
            ))}
            {!mayDevices && <p>{t('handover.transfer.asksRole')}</p>}
          </fieldset>
          <SubmitOrCancel busy={send.busy} doing={t('handover.transfer.doing')} cancel={`${base}/customer`}>
            {t('handover.transfer.submit')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}

const ONE = { validity: 'permanent', deviceIds: null } as const;

function Ask({ permission, asks, change }: { permission: Askable; asks: Asks; change: (asks: Asks) => void }) {
  const { devices } = useSite();
  const ask = asks[permission];
  const name = t(`handover.ask.${permission}`);
  const set = (part: Partial<typeof ask>) => change({ ...asks, [permission]: { ...(ask ?? ONE), ...part } });
  const all = devices.data?.items ?? [];
  const chosen = ask?.deviceIds;
  const choose = (id: string, on: boolean) => {
    const ids = all
      .map((device) => device.id)
      .filter((other) => (other === id ? on : (chosen?.includes(other) ?? true)));
    set({ deviceIds: ids.length === all.length ? null : ids });
  };
  return (
    <div class="flex flex-col gap-2">
      <label class="flex min-h-8 items-start gap-3">
        <input
          type="checkbox"
          class="checkbox mt-0.5"
          checked={ask !== undefined}
          onChange={(event) => {
            const { [permission]: _, ...others } = asks;
            change(event.currentTarget.checked ? { ...others, [permission]: ONE } : others);
          }}
        />
        <span>
          <span class="font-semibold">{name}</span>
          <span class="muted small block">{t(`handover.askMeans.${permission}`)}</span>
        </span>
      </label>
      {ask && (
        <div class="flex flex-col gap-2 pl-9">
          <Choice
            label={t('handover.transfer.validityOf', { what: name })}
            name={`validity-${permission}`}
            value={ask.validity}
            options={validities.map(([validity, key]) => [validity, t(key)])}
            onChange={(value) => set({ validity: value as Validity })}
          />
          {!SITE_WIDE.includes(permission) && all.length > 1 && (
            <fieldset>
              <legend class="font-semibold">{t('handover.transfer.devicesOf', { what: name })}</legend>
              {all.map((device) => (
                <label key={device.id} class="flex min-h-8 items-center gap-3">
                  <input
                    type="checkbox"
                    class="checkbox"
                    checked={chosen?.includes(device.id) ?? true}
                    onChange={(event) => choose(device.id, event.currentTarget.checked)}
                  />
                  {device.name}
                </label>
              ))}
            </fieldset>
          )}
        </div>
      )}
    </div>
  );
}
