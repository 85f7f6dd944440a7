import { useState } from 'preact/hooks';
import type { Profile, Sent } from '../../../protocol/wire/people.ts';
import { Choice, Field, Form, Submit } from '../../components/form.tsx';
import { LANGUAGES, type Language, t } from '../../components/i18n.ts';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { chooseLanguage } from '../language.tsx';
import { api, me, refreshMe } from '../session.ts';

/** Name, language and addresses of who is signed in. */
export function AccountPage() {
  const profile = useResource((signal) => api.get('/me/profile', { signal }), []);
  return (
    <>
      <Title>{t('account.title')}</Title>
      <ProblemPanel error={profile.error} what={t('account.failed')} retry={profile.reload} />
      {!profile.data && !profile.error && <Skeleton lines={8} />}
      {profile.data && (
        <div class="grid gap-6 md:grid-cols-2">
          <Person profile={profile.data} />
          <Addresses profile={profile} />
        </div>
      )}
    </>
  );
}

function Person({ profile }: { profile: Profile }) {
  const [saved, setSaved] = useState(false);
  const save = useAction(async ({ name = '', locale = 'en' }: Record<string, string>) => {
    setSaved(false);
    await api.put('/me/profile', { name, locale: locale as Language });
    setSaved(true);
    await refreshMe();
    await chooseLanguage(locale as Language);
  });
  const person = me.value;
  return (
    <Panel title={t('account.person')}>
      <ProblemPanel error={save.error} what={t('account.saveFailed')} focus />
      <Form onSubmit={save.run} label={t('account.person')}>
        <Field
          label={t('account.name')}
          name="name"
          required
          maxLength={64}
          value={profile.name}
          autoComplete="name"
          error={save.error}
        />
        <Choice
          label={t('account.language')}
          name="locale"
          value={profile.locale}
          options={Object.entries(LANGUAGES)}
          hint={t('account.languageHint')}
        />
        <div class="flex flex-wrap items-center gap-4">
          <Submit busy={save.busy} doing={t('form.saving')}>
            {t('action.save')}
          </Submit>
          <span role="status">{saved && t('account.saved')}</span>
        </div>
      </Form>
      {person && (
        <div class="mt-6">
          <Facts
            items={[
              [t('account.company'), person.company.name],
              [t('account.kind'), t(person.admin ? 'account.admin' : 'account.employee')],
              person.limited && [t('account.limit'), t('account.limited')],
              [t('account.since'), <Time key="since" at={profile.createdAt} full />],
            ]}
          />
        </div>
      )}
    </Panel>
  );
}

function Addresses({ profile }: { profile: Resource<Profile> }) {
  const { email, phone } = profile.data!;
  const [changing, setChanging] = useState<'email' | 'phone' | null>(null);
  const [sent, setSent] = useState<{ to: string; sent: Sent } | null>(null);
  const done = () => {
    setSent(null);
    setChanging(null);
    profile.reload();
    void refreshMe();
  };
  const removePhone = () => {
    profile.set((old) => ({ ...old, phone: null }));
    withUndo({
      text: t('account.phoneRemoved'),
      failed: t('account.phoneRemoveFailed'),
      run: async (leaving) => {
        await api.delete('/me/phone', { keepalive: leaving });
        await refreshMe();
      },
      back: profile.reload,
    });
  };
  return (
    <Panel title={t('account.addresses')}>
      <p class="muted mb-3">{t('account.addressesText')}</p>
      <Facts
        items={[
          [t('account.email'), email ?? t('state.none')],
          [t('account.phone'), phone ?? t('state.none')],
        ]}
      />
      {changing === null && (
        <div class="mt-4 flex flex-wrap gap-4">
          <button type="button" class="btn" onClick={() => setChanging('email')}>
            {t(email ? 'account.changeEmail' : 'account.addEmail')}
          </button>
          <button type="button" class="btn" onClick={() => setChanging('phone')}>
            {t(phone ? 'account.changePhone' : 'account.addPhone')}
          </button>
          {phone && email && (
            <button type="button" class="btn" onClick={removePhone}>
              {t('account.removePhone')}
            </button>
          )}
        </div>
      )}
      {changing && !sent && <NewAddress kind={changing} sent={setSent} cancel={() => setChanging(null)} />}
      {sent?.sent.by === 'email' && (
        <p role="status" class="mt-4">
          {t('account.emailSent', { to: sent.to })}
        </p>
      )}
      {sent?.sent.by === 'phone' && <PhoneCode to={sent.to} id={sent.sent.id} done={done} />}
    </Panel>
  );
}

function NewAddress({
  kind,
  sent,
  cancel,
}: {
  kind: 'email' | 'phone';
  sent: (sent: { to: string; sent: Sent }) => void;
  cancel: () => void;
}) {
  const send = useAction(async ({ address = '', password = '' }: Record<string, string>) => {
    const answer =
      kind === 'email'
        ? await api.post('/me/email', { email: address, password })
        : await api.post('/me/phone', { phone: address, password });
    sent({ to: address, sent: answer });
  });
  return (
    <div class="mt-4 flex flex-col gap-4">
      <ProblemPanel error={send.error} what={t('account.sendFailed')} focus />
      <Form onSubmit={send.run} label={t(`account.new.${kind}`)}>
        <Field
          label={t(`account.new.${kind}`)}
          name="address"
          required
          inputMode={kind === 'email' ? 'email' : 'tel'}
          autoComplete={kind === 'email' ? 'email' : 'tel'}
          maxLength={254}
        />
        <Field
          label={t('account.password')}
          name="password"
          type="password"
          required
          autoComplete="current-password"
          hint={t('account.passwordWhy')}
        />
        <div class="flex flex-wrap items-center gap-4">
          <Submit busy={send.busy} doing={t('account.sending')}>
            {t(`account.send.${kind}`)}
          </Submit>
          <button type="button" class="link" onClick={cancel}>
            {t('action.cancel')}
          </button>
        </div>
      </Form>
    </div>
  );
}

function PhoneCode({ to, id, done }: { to: string; id: string; done: () => void }) {
  const send = useAction(async ({ code = '' }: Record<string, string>) => {
    await api.post('/me/phone/confirm', { id, code });
    done();
  });
  return (
    <div class="mt-4 flex flex-col gap-4">
      <p role="status">{t('account.codeSent', { to })}</p>
      <ProblemPanel error={send.error} what={t('account.codeFailed')} focus />
      <Form onSubmit={send.run} label={t('account.code')}>
        <Field
          label={t('account.code')}
          name="code"
          required
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={12}
        />
        <Submit busy={send.busy} doing={t('account.sending')}>
          {t('account.confirm')}
        </Submit>
      </Form>
    </div>
  );
}
