import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { SentTransfer, SitePermissions, TransferStatus } from '../../../protocol/wire/handover.ts';
import { t } from '../../components/i18n.ts';
import { Mark } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { SharePanel } from '../sharing/share-panel.tsx';
import { useSite } from '../site/context.ts';
import { Applications } from './applications.tsx';
import { HeldPermissions } from './held.tsx';
import { Steps } from './steps.tsx';
import { Asked } from './words.tsx';

/** A QR code that was just made: the relay tells its secret once, so it is kept until the page is left for good. */
export const shownQr = signal<{ transferId: string; url: string; svg: string } | null>(null);
export function keepQr({ transfer, qr }: SentTransfer): void {
  shownQr.value = transfer && qr ? { transferId: transfer.id, ...qr } : null;
}

/** How often it is looked what the customer did meanwhile. */
const LOOK_MS = 10_000;

/** The installer's side of the site's customer: how the handover stands, and what may still be done. */
export function CustomerTab() {
  const { siteId, site } = useSite();
  const params = { siteId };
  const state = useResource((signal) => api.get('/sites/{siteId}/transfer', { params, signal }), [siteId]);
  const held = useResource((signal) => api.get('/sites/{siteId}/permissions', { params, signal }), [siteId]);
  const reload = () => {
    for (const part of [state, held, site]) part.reload();
  };
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [siteId]);
  const owned = held.data?.owner || held.data?.status === 'shared';
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('handover.title')}</Title>
      {/* A partner that only helps sees what it may do, not the handover. */}
      {state.error?.status !== 403 && <ProblemPanel error={state.error} what={t('handover.failed')} retry={reload} />}
      {!state.data && !state.error && <Skeleton lines={6} />}
      {state.data && <Steps state={state.data} />}
      {state.data && <HandoverPanel state={state.data} reload={reload} />}
      <ProblemPanel error={held.error} what={t('handover.held.failed')} retry={reload} />
      {held.data && owned && <Rights held={held.data} reload={reload} />}
    </>
  );
}

function Rights({ held, reload }: { held: SitePermissions; reload: () => void }) {
  return (
    <>
      <HeldPermissions held={held} reload={reload} />
      <Applications siteId={held.siteId} reload={reload} seen={JSON.stringify(held.items.map((item) => item.state))} />
    </>
  );
}

function HandoverPanel({ state, reload }: { state: TransferStatus; reload: () => void }) {
  if (state.status === 'not-handed-over') return <Start state={state} />;
  if (state.status === 'not-registered' || state.status === 'to-be-accepted')
    return <Waiting state={state} reload={reload} />;
  if (state.status === 'shared') return <SharePanel />;
  if (state.status === 'disbanded') return <p class="muted">{t('handover.disbanded')}</p>;
  return null;
}

function Start({ state }: { state: TransferStatus }) {
  const { base, site } = useSite();
  const last = state.transfer?.state;
  const may = site.data!.operations.includes('transfer');
  return (
    <section class="panel flex flex-col items-start gap-4">
      {(last === 'rejected' || last === 'cancelled' || last === 'expired') && <p>{t(`handover.last.${last}`)}</p>}
      {!may && <p>{t('handover.notYours')}</p>}
      {may && state.obstacles.length > 0 && (
        <div>
          <h2>{t('handover.blocked')}</h2>
          <ul class="mt-2 flex flex-col gap-2">
            {state.obstacles.map(({ code, device }) => (
              <li key={device?.id ?? code} class="flex gap-2">
                <span class="mt-1 shrink-0">
                  <Mark level="attention" />
                </span>
                {t(`handover.obstacle.${code}`, { name: device?.name ?? '' })}
              </li>
            ))}
          </ul>
        </div>
      )}
      {may && state.obstacles.length === 0 && (
        <>
          <p class="muted max-w-prose">{t('handover.startText')}</p>
          <a class="btn btn-primary" href={`${base}/customer/transfer`}>
            {t('handover.start')}
          </a>
        </>
      )}
      {site.data!.operations.includes('share') && state.type === 'personal' && (
        <>
          <p class="muted max-w-prose">{t('sharing.startText')}</p>
          <a class="btn" href={`${base}/customer/share`}>
            {t('sharing.start')}
          </a>
        </>
      )}
    </section>
  );
}

function Waiting({ state, reload }: { state: TransferStatus; reload: () => void }) {
  const { siteId, site } = useSite();
  const { transfer } = state;
  const resend = useAction(async () => {
    keepQr(await api.post('/sites/{siteId}/transfer/resend', {}, { params: { siteId } }));
    reload();
  });
  if (!transfer) return null;
  const cancel = () =>
    withUndo({
      text: t('handover.cancelled'),
      failed: t('handover.cancelFailed'),
      run: async (leaving) => {
        await api.post('/sites/{siteId}/transfer/cancel', {}, { params: { siteId }, keepalive: leaving });
        reload();
      },
      back: reload,
    });
  const may = site.data!.operations.includes('resend-transfer');
  const qr = shownQr.value?.transferId === transfer.id ? shownQr.value : null;
  return (
    <Panel title={t('handover.waiting')}>
      <div class="flex flex-col gap-4">
        <ProblemPanel error={resend.error} what={t('handover.resendFailed')} focus />
        {transfer.method === 'qr' && (qr ? <Qr {...qr} /> : <p>{t('handover.qrGone')}</p>)}
        <Facts
          items={[
            [t('handover.to'), transfer.recipient ?? t('handover.byQr')],
            !!transfer.customerName && [t('handover.name'), transfer.customerName],
            [t('handover.sentAt'), <Time key="sent" at={transfer.sentAt} />],
            [t('handover.endsAt'), <Time key="ends" at={transfer.expiresAt} />],
            !!transfer.remark && [t('handover.remark'), transfer.remark],
            [t('handover.asked'), <Asked key="asked" requests={transfer.requests} />],
          ]}
        />
        {may && (
          <>
            <p class="muted">
              {state.resendsLeft > 0
                ? t('handover.resendsLeft', { count: state.resendsLeft })
                : t('handover.resendsNone')}
            </p>
            <div class="flex flex-wrap gap-4">
              {state.resendsLeft > 0 && (
                <button type="button" class="btn" aria-disabled={resend.busy} onClick={() => resend.run()}>
                  {resend.busy
                    ? t('handover.resending')
                    : t(transfer.method === 'qr' ? 'handover.resendQr' : 'handover.resend')}
                </button>
              )}
              <button type="button" class="btn" onClick={cancel}>
                {t('handover.cancel')}
              </button>
            </div>
          </>
        )}
      </div>
    </Panel>
  );
}

function Qr({ url, svg }: { url: string; svg: string }) {
  return (
    <div class="flex flex-col gap-2">
      <p class="max-w-prose">{t('handover.qrText')}</p>
      <img
        src={`data:image/svg+xml,${encodeURIComponent(svg)}`}
        alt={t('handover.qrAlt')}
        width={240}
        height={240}
        class="rounded-box bg-white p-2"
      />
      <p>
        {t('handover.link')}: <code class="mono select-all break-all">{url}</code>
      </p>
    </div>
  );
}
