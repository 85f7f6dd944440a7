import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso';
import type { AskedPermission, Handover } from '../../../protocol/wire/handover.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time, Zone } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api, me } from '../session.ts';
import { SignIn } from '../sign-in.tsx';
import { ProviderFacts } from './provider.tsx';
import { forgetToken, keepToken } from './token.ts';

/** One handover, by its address in the portal. */
export function HandoverPage() {
  const { params } = useRoute();
  const handoverId = params.handoverId ?? '';
  const handover = useResource(
    (signal) => api.get('/handovers/{handoverId}', { params: { handoverId }, signal }),
    [handoverId],
  );
  return <Shown found={handover} />;
}

/** Where a handover's link or QR code leads; whoever is not signed in does that first. */
export function HandoverLink() {
  const [token] = useState(keepToken);
  if (me.value) return token ? <Opened token={token} /> : <NoSecret />;
  return (
    <SignIn>
      <section class="panel flex flex-col gap-4" aria-label={t('customer.accept.linkTitle')}>
        <p class="font-semibold">{t('customer.accept.linkTitle')}</p>
        <p>{t('customer.accept.outsideText')}</p>
        <a class="btn btn-primary self-start" href="/register?as=customer">
          {t('customer.accept.register')}
        </a>
      </section>
    </SignIn>
  );
}

function NoSecret() {
  return (
    <>
      <Title>{t('customer.accept.linkTitle')}</Title>
      <p>{t('customer.accept.noLink')}</p>
    </>
  );
}

function Opened({ token }: { token: string }) {
  const handover = useResource((signal) => api.post('/handovers/open', { token }, { signal }), [token]);
  return <Shown found={handover} token={token} />;
}

function Shown({ found, token }: { found: ReturnType<typeof useResource<Handover>>; token?: string }) {
  if (found.data) return <Decision handover={found.data} set={found.set} {...(token ? { token } : {})} />;
  return (
    <>
      <Title>{t('customer.accept.linkTitle')}</Title>
      <ProblemPanel error={found.error} what={t('customer.accept.failed')} retry={found.reload} />
      {!found.error && <Skeleton lines={6} />}
    </>
  );
}

/** What accepting means, in plain words, and the two answers. */
function Decision({
  handover,
  token,
  set,
}: {
  handover: Handover;
  token?: string;
  set: (change: (old: Handover) => Handover) => void;
}) {
  const { id, siteName, provider, state, requests, devices } = handover;
  const params = { handoverId: id };
  const accept = useAction(async () => {
    const decided = await api.post('/handovers/{handoverId}/accept', { token }, { params });
    forgetToken();
    set(() => decided);
  });
  const reject = () => {
    set((old) => ({ ...old, state: 'rejected' }));
    withUndo({
      text: t('customer.accept.rejected'),
      failed: t('customer.accept.rejectFailed'),
      run: async (leaving) => {
        await api.post('/handovers/{handoverId}/reject', { token }, { params, keepalive: leaving });
        forgetToken();
      },
      back: () => set((old) => ({ ...old, state: 'sent' })),
    });
  };
  const company = provider.name;
  return (
    <Zone.Provider value={handover.timeZone}>
      <Title>{t('customer.accept.title', { site: siteName })}</Title>
      <div class="grid gap-6 md:grid-cols-[2fr_1fr]">
        <section class="panel flex flex-col gap-4" aria-labelledby="means-heading">
          <p>{t('customer.accept.from', { company })}</p>
          {handover.remark && (
            <p>
              <span class="muted">{t('customer.accept.remark', { company })}: </span>
              {handover.remark}
            </p>
          )}
          <h2 id="means-heading">{t('customer.accept.means')}</h2>
          <ul class="flex list-disc flex-col gap-2 pl-6">
            <li>{t('customer.accept.meansOwner', { site: siteName })}</li>
            {requests.length === 0 ? (
              <li>{t('customer.accept.meansNothing', { company })}</li>
            ) : (
              <li>
                {t('customer.accept.meansGrants', { company })}
                <ul class="list-disc pl-6">
                  {requests.map((ask, i) => (
                    <li key={String(i)}>
                      <Means ask={ask} />
                    </li>
                  ))}
                </ul>
              </li>
            )}
            {requests.length > 0 && <li>{t('customer.accept.meansBack')}</li>}
          </ul>
          {devices.length > 0 && (
            <details>
              <summary class="cursor-pointer">{t('customer.accept.devices', { count: devices.length })}</summary>
              <ul class="list-disc pl-6">
                {devices.map((device) => (
                  <li key={device.id}>{device.name}</li>
                ))}
              </ul>
            </details>
          )}
          <ProblemPanel error={accept.error} what={t('customer.accept.acceptFailed')} focus />
          <div aria-live="polite" class="flex flex-col gap-4">
            {state === 'sent' ? (
              <>
                <p class="muted">
                  {t('customer.accept.until')} <Time at={handover.expiresAt} full />
                </p>
                <div class="flex flex-wrap gap-4">
                  <button
                    type="button"
                    class="btn btn-primary"
                    aria-disabled={accept.busy}
                    onClick={() => accept.run()}
                  >
                    {t(accept.busy ? 'customer.accept.accepting' : 'customer.accept.accept')}
                  </button>
                  <button type="button" class="btn" onClick={reject}>
                    {t('customer.accept.reject')}
                  </button>
                </div>
              </>
            ) : (
              <p class="font-semibold">
                <State level={state === 'accepted' ? 'well' : 'info'}>
                  {t(`customer.accept.state.${state}`, { company })}
                </State>
              </p>
            )}
            {state === 'accepted' && (
              <p>
                <a class="btn btn-primary" href={`/sites/${handover.siteId}`}>
                  {t('customer.accept.toSite')}
                </a>
              </p>
            )}
          </div>
        </section>
        <ProviderFacts provider={provider} />
      </div>
    </Zone.Provider>
  );
}

/** One permission: what it lets do, on what, for how long. */
function Means({ ask }: { ask: AskedPermission }) {
  const devices = ask.devices?.map((device) => device.name).join(', ');
  const all = ['configure', 'live', 'playback'].includes(ask.permission) && t('customer.accept.ofAll');
  return (
    <>
      <strong>{t(`handover.ask.${ask.permission}`)}</strong>: {t(`handover.askMeans.${ask.permission}`)}
      {(devices || all) && ` (${devices ?? all})`},{' '}
      {ask.validity === 'permanent'
        ? t('customer.accept.forEver')
        : t('customer.accept.forTime', { time: t(`handover.validity.${ask.validity}`) })}
    </>
  );
}
