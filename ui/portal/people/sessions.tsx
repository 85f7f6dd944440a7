import type { Session } from '../../../protocol/wire/people.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';

/** Where somebody is signed in, and the end of it. */
export function SessionsPage() {
  const sessions = useResource((signal) => api.get('/me/sessions', { signal }), []);
  const items = sessions.data?.items ?? [];
  const endOthers = useAction(async () => {
    await api.delete('/me/sessions');
    sessions.reload();
  });
  const end = (session: Session) => {
    sessions.set((old) => ({ items: old.items.filter((each) => each.id !== session.id) }));
    withUndo({
      text: t('account.sessionEnded', { device: session.device }),
      failed: t('account.sessionFailed'),
      run: (leaving) =>
        api.delete('/me/sessions/{sessionId}', { params: { sessionId: session.id }, keepalive: leaving }),
      back: sessions.reload,
    });
  };
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('account.sessions')}</Title>
        {items.length > 1 && (
          <button type="button" class="btn" aria-disabled={endOthers.busy} onClick={() => endOthers.run()}>
            {t('account.endOthers')}
          </button>
        )}
      </div>
      <p class="muted">{t('account.sessionsText')}</p>
      <ProblemPanel error={sessions.error} what={t('account.failed')} retry={sessions.reload} />
      <ProblemPanel error={endOthers.error} what={t('account.sessionFailed')} focus />
      {!sessions.data && !sessions.error && <Skeleton />}
      {items.length > 0 && (
        <div class="panel">
          <table class="rows">
            <thead>
              <tr>
                <th>{t('account.device')}</th>
                <th>{t('account.address')}</th>
                <th>{t('account.signedIn')}</th>
                <th>{t('account.lastUsed')}</th>
                <th>
                  <span class="sr-only">{t('account.action')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((session) => (
                <tr key={session.id}>
                  <td class="wide" data-label={t('account.device')}>
                    {session.device || t('state.unknown')}{' '}
                    {session.current && <State level="well">{t('account.thisOne')}</State>}
                  </td>
                  <td data-label={t('account.address')}>
                    <span class="mono">{session.address}</span>
                  </td>
                  <td data-label={t('account.signedIn')}>
                    <Time at={session.createdAt} />
                  </td>
                  <td data-label={t('account.lastUsed')}>
                    <Time at={session.seenAt} />
                  </td>
                  <td class={session.current ? 'bare' : undefined}>
                    {!session.current && (
                      <button
                        type="button"
                        class="btn"
                        onClick={() => end(session)}
                        aria-label={t('account.endWhat', { device: session.device })}
                      >
                        {t('account.end')}
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
