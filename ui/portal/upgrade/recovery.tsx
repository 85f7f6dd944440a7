import { useState } from 'preact/hooks';
import type { LanQuestions } from '../../../protocol/wire/lan.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { type Found, useReady } from '../install/found.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';

/** How a forgotten password may be replaced later: set once, before the device is added (PWD-08). */
export function RecoveryPage() {
  const { base, site } = useSite();
  const ready = useReady();
  const items = ready.data?.devices.filter((item) => !ready.data!.isAdded(item)) ?? [];
  const [mac, setMac] = useState<string | null>(null);
  const item = items.find((one) => one.mac === mac) ?? items[0];
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('recovery.title')}</Title>
      <p class="muted max-w-prose">{t('recovery.text')}</p>
      <ProblemPanel error={ready.error} what={t('lan.failed')} retry={ready.reload} />
      {!ready.data && !ready.error && <Skeleton lines={6} />}
      {ready.data && !item && (
        <Empty title={t('recovery.none')}>
          <a class="link" href={`${base}/devices`}>
            {t('recovery.noneNext')}
          </a>
        </Empty>
      )}
      {item && (
        <div class="panel flex max-w-2xl flex-col gap-4">
          <State level="unknown">{t('password.unverified')}</State>
          <Choice
            label={t('recovery.device')}
            name="device"
            options={items.map((one) => [one.mac, `${one.model || t('state.unknown')} ${one.address}`] as const)}
            value={item.mac}
            onChange={setMac}
          />
          <Recovery key={item.mac} item={item} />
        </div>
      )}
    </>
  );
}

function Recovery({ item: { mac, boxSerial } }: { item: Found }) {
  const { base, siteId } = useSite();
  const [offer, setOffer] = useState<LanQuestions | null>(null);
  const [done, setDone] = useState(false);
  const ask = useAction(async () => {
    setOffer(await api.post('/sites/{siteId}/lan/questions', { boxSerial, mac }, { params: { siteId } }));
  });
  const save = useAction(async (fields: Record<string, string>) => {
    const answers = [1, 2, 3]
      .map((n) => ({ id: Number(fields[`question${n}`]), answer: (fields[`answer${n}`] ?? '').trim() }))
      .filter(({ answer }) => answer !== '');
    const different = new Set(answers.map(({ id }) => id)).size === answers.length;
    if (answers.length > 0 && (answers.length < 3 || !different))
      throw new ApiError('invalid-request', 0, { detail: t('recovery.three') });
    const recovery = { email: fields.email?.trim() || null, answers: answers.length === 3 ? answers : null };
    if (!recovery.email && !recovery.answers)
      throw new ApiError('invalid-request', 0, { detail: t('recovery.something') });
    const body = { boxSerial, mac, recovery, ...(fields.password && { password: fields.password }) };
    await api.post('/sites/{siteId}/lan/recovery', body, { params: { siteId } });
    setDone(true);
  });
  if (done)
    return (
      <p role="status">
        <State level="well">{t('recovery.done')}</State>{' '}
        <a class="link" href={`${base}/add-found`}>
          {t('recovery.toAdding')}
        </a>
      </p>
    );
  const questions = offer?.questions ?? [];
  return (
    <Form onSubmit={save.run} label={t('recovery.title')}>
      <Field
        label={t('recovery.email')}
        name="email"
        type="email"
        maxLength={64}
        autoComplete="off"
        error={save.error}
      />
      {questions.length >= 3 ? (
        <fieldset class="flex flex-col gap-4">
          <legend class="font-semibold">{t('password.questionsTitle')}</legend>
          {[1, 2, 3].map((n) => (
            <div key={n} class="grid gap-2 sm:grid-cols-[1fr_2fr]">
              <Choice
                label={t('recovery.question', { n })}
                name={`question${n}`}
                options={questions.map(({ id }) => [String(id), t('recovery.number', { id })] as const)}
                value={String(questions[n - 1]!.id)}
              />
              <Field label={t('recovery.answer', { n })} name={`answer${n}`} maxLength={128} autoComplete="off" />
            </div>
          ))}
        </fieldset>
      ) : (
        <>
          <button type="button" class="btn self-start" aria-disabled={ask.busy} onClick={() => ask.run()}>
            {t(ask.busy ? 'password.waysAsking' : 'recovery.ask')}
          </button>
          {offer && <p role="status">{t('recovery.noQuestions')}</p>}
          <ProblemPanel error={ask.error} what={t('password.waysFailed')} focus />
        </>
      )}
      <Field
        label={t('recovery.password')}
        hint={t('recovery.passwordHint')}
        name="password"
        type="password"
        maxLength={128}
        autoComplete="off"
        error={save.error}
      />
      <ProblemPanel error={save.error} what={t('recovery.failed')} focus />
      <SubmitOrCancel busy={save.busy} doing={t('form.saving')} cancel={`${base}/devices`}>
        {t('recovery.save')}
      </SubmitOrCancel>
    </Form>
  );
}
