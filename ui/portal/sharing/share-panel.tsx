import { useEffect, useState } from 'preact/hooks';
import type { ShareCustomer, Sharing } from '../../../protocol/wire/sharing.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { keepCodes, shownCodes } from './share-wizard.tsx';
import { permissionWords, SHARE_LEVEL } from './words.tsx';

const LOOK_MS = 10_000;

/** With whom a site is shared: a card for each customer, and what can be done about it. */
export function SharePanel() {
  const { siteId, base, site } = useSite();
  const [leaving, setLeaving] = useState<string | null>(null);
  const params = { siteId };
  const found = useResource((signal) => api.get('/sites/{siteId}/sharing', { params, signal }), [siteId]);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && found.reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [siteId]);
  const sharing = found.data?.sharing;
  const back = () => {
    setLeaving(null);
    found.reload();
    site.reload();
  };
  const end = () => {
    setLeaving('all');
    withUndo({
      text: t('sharing.ended'),
      failed: t('sharing.endFailed'),
      run: (keepalive) => api.delete('/sites/{siteId}/sharing', { params, keepalive }).then(back),
      back,
    });
  };
  const mayShare = site.data!.operations.includes('batch-share');
  return (
    <Panel
      title={t('sharing.with')}
      action={
        mayShare && (
          <span class="flex flex-wrap gap-2">
            <a class="btn" href={`${base}/customer/share/batch`}>
              {t('sharing.batchTitle')}
            </a>
            <a class="btn" href={`${base}/customer/share/add`}>
              {t('sharing.addTitle')}
            </a>
          </span>
        )
      }
    >
      <ProblemPanel error={found.error} what={t('sharing.loadFailed')} retry={found.reload} />
      {!found.data && !found.error && <Skeleton />}
      <Codes />
      {sharing && leaving !== 'all' && (
        <>
          <p class="muted">
            {t(`sharing.mode.${sharing.mode}`)}. {t('sharing.noTransfer')}
          </p>
          <ul class="mt-2 grid gap-4 lg:grid-cols-2">
            {sharing.customers
              .filter((customer) => customer.state !== 'cancelled' && customer.id !== leaving)
              .map((customer) => (
                <Card
                  key={customer.id}
                  customer={customer}
                  sharing={sharing}
                  may={mayShare}
                  set={(next) => found.set(() => ({ sharing: next }))}
                  leave={() => setLeaving(customer.id)}
                  back={back}
                />
              ))}
          </ul>
          {mayShare && (
            <p class="mt-4">
              <button type="button" class="link" onClick={end}>
                {t('sharing.end')}
              </button>
            </p>
          )}
        </>
      )}
    </Panel>
  );
}

/** Codes to be scanned by customers without an address. */
function Codes() {
  const { siteId } = useSite();
  return (
    <ul class="flex flex-wrap gap-6">
      {shownCodes.value
        .filter((code) => code.siteId === siteId)
        .map(({ name, url, svg }) => (
          <li key={url} class="flex max-w-sm flex-col gap-2">
            <p>{t('sharing.qrFor', { name })}</p>
            <img
              src={`data:image/svg+xml,${encodeURIComponent(svg)}`}
              alt={t('sharing.qrAlt', { name })}
              width={200}
              height={200}
              class="rounded-box bg-white p-2"
            />
            <code class="mono small select-all break-all">{url}</code>
          </li>
        ))}
    </ul>
  );
}

interface CardProps {
  customer: ShareCustomer;
  sharing: Sharing;
  may: boolean;
  set: (sharing: Sharing | null) => void;
  leave: () => void;
  back: () => void;
}
function Card({ customer, sharing, may, set, leave, back }: CardProps) {
  const { base, devices } = useSite();
  const { id: shareId, name, state } = customer;
  const params = { shareId };
  const open = state === 'to-be-accepted' || state === 'accepted';
  const again = useAction(async () => {
    const next = await api.post('/share-customers/{shareId}/again', {}, { params });
    keepCodes(next);
    set(next);
  });
  const administer = useAction(async () => {
    set(await api.post('/share-customers/{shareId}/administrator', {}, { params }));
  });
  const others = sharing.customers.filter(
    (other) => other.id !== shareId && (other.state === 'accepted' || other.state === 'to-be-accepted'),
  );
  const cancel = (administratorId: string | null) => {
    leave();
    withUndo({
      text: t('sharing.cancelled', { name }),
      failed: t('sharing.cancelFailed', { name }),
      run: (keepalive) =>
        api.post('/share-customers/{shareId}/cancel', { administratorId }, { params, keepalive }).then(back),
      back,
    });
  };
  const taken = sharing.customers.some((other) => other.administrator && other.state === 'accepted');
  const nameOf = (id: string) => devices.data?.items.find((device) => device.id === id)?.name ?? id;
  return (
    <li class="rounded-box border border-base-300 p-4">
      <h3 class="font-semibold">
        {name}
        {customer.administrator && <span class="muted font-normal"> · {t('sharing.administrator')}</span>}
      </h3>
      <State level={SHARE_LEVEL[state]}>{t(`sharing.state.${state}`)}</State>
      <Facts
        items={[
          [t('sharing.reached'), customer.email ?? customer.phone ?? t('sharing.by.qr')],
          state === 'to-be-accepted' &&
            !customer.registered &&
            !!(customer.email || customer.phone) && [t('sharing.account'), t('sharing.accountNone')],
          state === 'to-be-accepted' && [t('sharing.acceptBy'), <Time key="a" at={customer.acceptBy} />],
          !!customer.until && [t('sharing.until'), <Time key="u" at={customer.until} />],
          [
            t('sharing.resources'),
            customer.resources.length === 0 ? (
              t('sharing.nothing')
            ) : (
              <ul key="r">
                {customer.resources.map(({ deviceId, permissions }) => (
                  <li key={deviceId}>
                    {nameOf(deviceId)} <span class="muted">{permissionWords(permissions)}</span>
                  </li>
                ))}
              </ul>
            ),
          ],
        ]}
      />
      <ProblemPanel error={again.error ?? administer.error} what={t('sharing.changeFailed', { name })} focus />
      {may && (
        <div class="mt-3 flex flex-wrap gap-x-4 gap-y-2">
          {(open || sharing.mode === 'A') && (
            <a class="btn" href={`${base}/customer/shares/${shareId}`} aria-label={t('sharing.changeWhat', { name })}>
              {t('action.edit')}
            </a>
          )}
          {!open && (
            <button type="button" class="btn" aria-disabled={again.busy} onClick={() => again.run()}>
              {t('sharing.again')}
            </button>
          )}
          {open && sharing.mode === 'A' && !customer.administrator && !taken && (
            <button type="button" class="btn" aria-disabled={administer.busy} onClick={() => administer.run()}>
              {t('sharing.makeAdministrator')}
            </button>
          )}
          {open && (!customer.administrator || others.length < 2) && (
            <button
              type="button"
              class="btn"
              onClick={() => cancel(null)}
              aria-label={t('sharing.cancelWhat', { name })}
            >
              {t('sharing.cancel')}
            </button>
          )}
        </div>
      )}
      {may && open && customer.administrator && others.length > 1 && (
        <div class="mt-3">
          <p class="small muted">{t('sharing.cancelNext')}</p>
          <div class="flex flex-wrap gap-2">
            {others.map((other) => (
              <button key={other.id} type="button" class="btn" onClick={() => cancel(other.id)}>
                {t('sharing.cancelFor', { name: other.name })}
              </button>
            ))}
          </div>
        </div>
      )}
    </li>
  );
}
