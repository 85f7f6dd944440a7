import { useEffect, useState } from 'preact/hooks';
import type { Share } from '../../../protocol/wire/sharing.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { linkError } from '../../components/link-error.ts';
import { Empty, Facts, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time, Zone } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { permissionWords, SHARE_LEVEL } from './words.tsx';

/** What is shared with a customer: offers to be accepted, and what he has. A link's secret stands in the fragment. */
export function SharedWithMe() {
  const [token] = useState(() => location.hash.slice(1));
  const [hidden, setHidden] = useState<string | null>(null);
  const list = useResource((signal) => api.get('/shares', { query: { limit: 100 }, signal }), []);
  // The secret is read once: it does not stay in the address.
  useEffect(() => {
    if (token) history.replaceState(history.state, '', location.pathname);
  }, [token]);
  const items = (list.data?.items ?? []).filter((share) => share.id !== hidden);
  return (
    <>
      <Title>{t('sharing.mine.title')}</Title>
      <ProblemPanel error={list.error} what={t('sharing.mine.failed')} retry={list.reload} />
      {token && <ByLink token={token} known={items} done={list.reload} />}
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data && items.length === 0 && <Empty title={t('sharing.mine.none')}>{t('sharing.mine.noneNext')}</Empty>}
      <ul class="grid gap-4 lg:grid-cols-2">
        {items.map((share) => (
          <Offer
            key={share.id}
            share={share}
            changed={list.reload}
            leave={() => setHidden(share.id)}
            back={() => {
              setHidden(null);
              list.reload();
            }}
          />
        ))}
      </ul>
    </>
  );
}

/** An invitation that went to another address than those of this account. */
function ByLink({ token, known, done }: { token: string; known: readonly Share[]; done: () => void }) {
  const found = useResource((signal) => api.post('/shares/open-link', { token }, { signal }), [token]);
  const [accepted, setAccepted] = useState(false);
  const accept = useAction(async () => {
    await api.post('/shares/accept-link', { token });
    setAccepted(true);
    done();
  });
  if (accepted || known.some((share) => share.id === found.data?.id)) return null;
  return (
    <div>
      <ProblemPanel error={linkError(found.error)} what={t('sharing.mine.linkFailed')} />
      {found.data && (
        <div class="panel flex flex-col items-start gap-3">
          <What share={found.data} />
          <ProblemPanel error={accept.error} what={t('sharing.mine.acceptFailed')} focus />
          <button type="button" class="btn btn-primary" aria-disabled={accept.busy} onClick={() => accept.run()}>
            {t('sharing.mine.accept')}
          </button>
        </div>
      )}
    </div>
  );
}

function What({ share }: { share: Share }) {
  const { company, siteName, timeZone, devices } = share;
  return (
    <Zone.Provider value={timeZone}>
      <h2>
        {share.state === 'accepted' && devices.length > 0 ? (
          <a class="link" href={`/sites/${share.siteId}`}>
            {siteName}
          </a>
        ) : (
          siteName || company.name
        )}
      </h2>
      <State level={SHARE_LEVEL[share.state]}>{t(`sharing.mine.state.${share.state}`)}</State>
      {share.remark && <p class="whitespace-pre-line">{share.remark}</p>}
      <Facts
        items={[
          [t('sharing.mine.from'), company.phone ? `${company.name}, ${company.phone}` : company.name],
          [
            t('sharing.mine.may'),
            devices.length === 0 ? (
              t('sharing.mine.nothing')
            ) : (
              <ul key="d">
                {devices.map((device) => (
                  <li key={device.id}>
                    {device.name} <span class="muted">{permissionWords(device.permissions)}</span>
                  </li>
                ))}
              </ul>
            ),
          ],
          !!share.until && [t('sharing.until'), <Time key="u" at={share.until} />],
          share.state === 'to-be-accepted' && [t('sharing.acceptBy'), <Time key="a" at={share.acceptBy} />],
        ]}
      />
      {share.administrator && (
        <div class="max-w-prose">
          <p>{t('sharing.mine.administrator', { company: company.name })}</p>
          <ul class="list-disc pl-6">
            {share.requests.map((request) => (
              <li key={request.permission}>
                {t(`sharing.permission.${request.permission}`)}, {t(`sharing.validity.${request.validity}`)}
                {request.extras.map((extra) => (
                  <span key={extra}>, {t(`sharing.extra.${extra}`)}</span>
                ))}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Zone.Provider>
  );
}

interface OfferProps {
  share: Share;
  changed: () => void;
  leave: () => void;
  back: () => void;
}
function Offer({ share, changed, leave, back }: OfferProps) {
  const params = { shareId: share.id };
  const accept = useAction(async () => {
    await api.post('/shares/{shareId}/accept', {}, { params });
    changed();
  });
  const reject = () => {
    leave();
    const accepted = share.state === 'accepted';
    withUndo({
      text: t(accepted ? 'sharing.mine.left' : 'sharing.mine.rejected', { site: share.siteName }),
      failed: t('sharing.mine.rejectFailed', { site: share.siteName }),
      run: (keepalive) => api.post('/shares/{shareId}/reject', {}, { params, keepalive }).then(back),
      back,
    });
  };
  return (
    <li class="panel flex flex-col items-start gap-3">
      <What share={share} />
      <ProblemPanel error={accept.error} what={t('sharing.mine.acceptFailed')} focus />
      {share.state === 'to-be-accepted' && (
        <div class="flex flex-wrap gap-2">
          <button type="button" class="btn btn-primary" aria-disabled={accept.busy} onClick={() => accept.run()}>
            {t('sharing.mine.accept')}
          </button>
          <button type="button" class="btn" onClick={reject}>
            {t('sharing.mine.reject')}
          </button>
        </div>
      )}
      {share.state === 'accepted' && (
        <button type="button" class="link" onClick={reject}>
          {t('sharing.mine.leave')}
        </button>
      )}
      {share.administrator && share.state === 'accepted' && share.requests.length > 0 && (
        <a class="link" href="/requests">
          {t('sharing.mine.requests')}
        </a>
      )}
    </li>
  );
}
