import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { Invitation } from '../../../protocol/wire/people.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { LANGUAGES, type Language, language, t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Panel, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { RoleBoxes, rolesIn } from './roles.tsx';

const INVITATION_LEVEL: Record<Invitation['state'], Level> = {
  open: 'working',
  accepted: 'well',
  expired: 'attention',
  withdrawn: 'unknown',
};

/** Who was invited, and whether they came. */
export function Invitations() {
  const invitations = useResource((signal) => api.get('/employee-invitations', { query: { limit: 50 }, signal }), []);
  const [sent, setSent] = useState<string | null>(null);
  const resend = useAction(async (invitation: Invitation) => {
    setSent(null);
    await api.post('/employee-invitations/{employeeInvitationId}/resend', undefined, {
      params: { employeeInvitationId: invitation.id },
    });
    setSent(invitation.email);
    invitations.reload();
  });
  const withdraw = (invitation: Invitation) => {
    const { id, email } = invitation;
    const as = (state: Invitation['state']) =>
      invitations.set((old) => ({
        ...old,
        items: old.items.map((each) => (each.id === id ? { ...each, state } : each)),
      }));
    as('withdrawn');
    withUndo({
      text: t('people.withdrawn', { email }),
      failed: t('people.withdrawFailed', { email }),
      run: (leaving) =>
        api.delete('/employee-invitations/{employeeInvitationId}', {
          params: { employeeInvitationId: id },
          keepalive: leaving,
        }),
      back: () => as(invitation.state),
    });
  };
  const items = invitations.data?.items ?? [];
  if (invitations.error)
    return <ProblemPanel error={invitations.error} what={t('people.invitationsFailed')} retry={invitations.reload} />;
  if (items.length === 0) return null;
  return (
    <Panel title={t('people.invitations')}>
      <ProblemPanel error={resend.error} what={t('people.resendFailed')} focus />
      <p role="status">{sent && t('people.resent', { email: sent })}</p>
      <table class="rows">
        <thead>
          <tr>
            <th>{t('people.address')}</th>
            <th>{t('people.roles')}</th>
            <th>{t('people.state')}</th>
            <th>{t('people.validUntil')}</th>
            <th>
              <span class="sr-only">{t('account.action')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((invitation) => {
            const waiting = invitation.state === 'open' || invitation.state === 'expired';
            return (
              <tr key={invitation.id}>
                <td class="wide" data-label={t('people.address')}>
                  {invitation.email} {invitation.name && <span class="muted">{invitation.name}</span>}
                </td>
                <td data-label={t('people.roles')}>
                  {invitation.roles.map((role) => role.name).join(', ') || t('state.none')}
                </td>
                <td data-label={t('people.state')}>
                  <State level={INVITATION_LEVEL[invitation.state]}>{t(`people.invitation.${invitation.state}`)}</State>
                </td>
                <td data-label={t('people.validUntil')} class={waiting ? undefined : 'bare'}>
                  {waiting && <Time at={invitation.expiresAt} />}
                </td>
                <td class={waiting ? 'wide' : 'bare'}>
                  {waiting && (
                    <div class="flex flex-wrap gap-2">
                      <button
                        type="button"
                        class="btn"
                        aria-label={t('people.resendWhom', { email: invitation.email })}
                        aria-disabled={resend.busy}
                        onClick={() => resend.run(invitation)}
                      >
                        {t('people.resend')}
                      </button>
                      <button
                        type="button"
                        class="btn"
                        aria-label={t('people.withdrawWhom', { email: invitation.email })}
                        onClick={() => withdraw(invitation)}
                      >
                        {t('people.withdraw')}
                      </button>
                    </div>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Panel>
  );
}

/** Invites an employee by e-mail. */
export function InvitePage() {
  const { route } = useLocation();
  const send = useAction(async (fields: Record<string, string>) => {
    const { email = '', name = '', locale = 'en' } = fields;
    await api.post('/employee-invitations', { email, name, locale: locale as Language, roles: rolesIn(fields) });
    route('/company/people');
  });
  return (
    <>
      <Title>{t('people.invite')}</Title>
      <div class="panel flex max-w-xl flex-col gap-4">
        <p>{t('people.inviteText')}</p>
        <ProblemPanel error={send.error} what={t('people.inviteFailed')} focus />
        <Form onSubmit={send.run} label={t('people.invite')}>
          <Field
            label={t('people.email')}
            name="email"
            type="email"
            required
            maxLength={254}
            autoComplete="off"
            error={send.error}
          />
          <Field label={t('people.name')} name="name" maxLength={64} autoComplete="off" error={send.error} />
          <Choice
            label={t('people.language')}
            name="locale"
            value={language.value}
            options={Object.entries(LANGUAGES)}
          />
          <RoleBoxes held={[]} />
          <SubmitOrCancel busy={send.busy} doing={t('people.sending')} cancel="/company/people">
            {t('people.send')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}
