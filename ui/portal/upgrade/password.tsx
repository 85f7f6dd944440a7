import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import type { LanQuestions } from '../../../protocol/wire/lan.ts';
import { Choice, Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { AskCustomer } from './ask-customer.tsx';
import { NewPassword } from './new-password.tsx';

type Where = 'lan' | 'away' | 'gui';

/** What to do about a forgotten password: asks the situation and offers what then applies (PWD-01). */
export function PasswordPage({ params }: { params?: { deviceId?: string } }) {
  const { site, devices } = useSite();
  const [where, setWhere] = useState<Where>('lan');
  const device = devices.data?.items.find((one) => one.id === params?.deviceId);
  if (!device) return <Skeleton lines={6} />;
  const handedOver = site.data!.status !== 'not-handed-over';
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{`${t('password.title')}: ${device.name}`}</Title>
      <p class="muted max-w-prose">{t('password.text')}</p>
      <div class="flex max-w-2xl flex-col gap-4">
        <Choice
          label={t('password.where')}
          name="where"
          options={(['lan', 'away', 'gui'] as const).map((one) => [one, t(`password.${one}`)])}
          value={where}
          onChange={(value) => setWhere(value as Where)}
        />
        {where === 'gui' && <Way title={t('password.guiTitle')}>{t('password.guiText')}</Way>}
        {where === 'lan' && !handedOver && (
          <Way title={t('password.directTitle')} text={t('password.directText')}>
            <Change device={device} ask={false} />
          </Way>
        )}
        {where !== 'gui' && handedOver && (
          <Way title={t('password.customerTitle')} text={t('password.customerText')}>
            <AskCustomer device={device} />
          </Way>
        )}
        {where === 'lan' && (
          <>
            <Way title={t('password.oldTitle')} text={t('password.oldText')}>
              <Change device={device} ask />
            </Way>
            {device.mac && device.boxSerial && <Offered mac={device.mac} boxSerial={device.boxSerial} />}
          </>
        )}
        <Way title={t('password.supportTitle')}>{t('password.supportText', { serial: device.serial ?? '–' })}</Way>
      </div>
    </>
  );
}

function Way({ title, text, children }: { title: string; text?: string; children: ComponentChildren }) {
  return (
    <Panel title={title}>
      <div class="flex flex-col gap-3">
        {text && <p>{text}</p>}
        {children}
      </div>
    </Panel>
  );
}

/** `ask`: the old password is entered; otherwise the box has it. */
function Change({ device, ask }: { device: Device; ask: boolean }) {
  const [outcome, setOutcome] = useState<'changed' | 'uncertain' | null>(null);
  const change = useAction(async ({ old, next = '' }: Record<string, string>) => {
    setOutcome(null);
    const body = { newPassword: next, ...(old && { oldPassword: old }) };
    const answer = await api.put('/devices/{deviceId}/password', body, { params: { deviceId: device.id } });
    setOutcome(answer.outcome);
  });
  return (
    <Form onSubmit={change.run} label={t(ask ? 'password.oldTitle' : 'password.directTitle')}>
      {ask && <Field label={t('password.old')} name="old" type="password" autoComplete="off" required />}
      <NewPassword error={change.error} />
      <ProblemPanel error={change.error} what={t('password.changeFailed')} focus />
      {outcome && (
        <p role="status">
          <State level={outcome === 'changed' ? 'well' : 'attention'}>{t(`password.${outcome}`)}</State>
        </p>
      )}
      <Submit busy={change.busy} doing={t('password.changing')}>
        {t('password.change')}
      </Submit>
    </Form>
  );
}

/** What the device itself offers for a reset; asked when a person wants to know. */
function Offered({ mac, boxSerial }: { mac: string; boxSerial: string }) {
  const { siteId } = useSite();
  const [offer, setOffer] = useState<LanQuestions | null>(null);
  const [done, setDone] = useState(false);
  const ask = useAction(async () => {
    setOffer(await api.post('/sites/{siteId}/lan/questions', { boxSerial, mac }, { params: { siteId } }));
  });
  const asked = (offer?.questions ?? []).filter((question) => question.set).slice(0, 3);
  const reset = useAction(async (fields: Record<string, string>) => {
    const answers = asked.map(({ id }) => ({ id, answer: fields[`answer:${id}`] ?? '' }));
    const body = { boxSerial, mac, answers, newPassword: fields.next ?? '' };
    await api.post('/sites/{siteId}/lan/password-resets', body, { params: { siteId } });
    setDone(true);
  });
  return (
    <Way title={t('password.ways')}>
      <State level="unknown">{t('password.unverified')}</State>
      <button type="button" class="btn self-start" aria-disabled={ask.busy} onClick={() => ask.run()}>
        {t(ask.busy ? 'password.waysAsking' : 'password.waysAsk')}
      </button>
      <ProblemPanel error={ask.error} what={t('password.waysFailed')} focus />
      {offer && (
        <div role="status" class="flex flex-col gap-3">
          <h3 class="font-semibold">{t('password.mailTitle')}</h3>
          <p>{t(offer.mail ? 'password.mailText' : 'password.mailNone')}</p>
          <h3 class="font-semibold">{t('password.questionsTitle')}</h3>
          {asked.length < 3 && <p>{t('password.questionsNone')}</p>}
        </div>
      )}
      {asked.length === 3 && (
        <Form onSubmit={reset.run} label={t('password.questionsTitle')}>
          {asked.map(({ id }) => (
            <Field key={id} label={t('password.question', { id })} name={`answer:${id}`} maxLength={128} required />
          ))}
          <NewPassword error={reset.error} />
          <label class="flex min-h-11 items-center gap-3">
            <input type="checkbox" class="checkbox shrink-0" name="agree" required />
            {t('password.agree')}
          </label>
          <ProblemPanel error={reset.error} what={t('password.resetFailed')} focus />
          {done && (
            <p role="status">
              <State level="well">{t('password.resetDone')}</State>
            </p>
          )}
          <Submit busy={reset.busy} doing={t('password.changing')}>
            {t('password.reset')}
          </Submit>
        </Form>
      )}
    </Way>
  );
}
