import type { ArcAccount, Receiver } from '../../../protocol/wire/api.ts';
import type { ArcLegs } from '../../../protocol/wire/arc-service.ts';
import { Diagram } from '../../components/diagram.tsx';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Empty, Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Since } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { SiteCentre } from '../centre/site-centre.tsx';
import { api } from '../session.ts';
import { useLive, useSite } from './context.ts';
import { NoBox } from './overview.tsx';
import { sitePaths } from './paths.ts';
import { mayManage } from './rights.ts';

/** To whom alarms of this site go, and which way is open. */
export function Arc() {
  const { base, site, siteId } = useSite();
  const accounts = useResource((signal) => api.get('/sites/{siteId}/arc', { params: { siteId }, signal }), [siteId]);
  // Accounts and receivers are the installer's; an owner sees them and may end that alarms go there.
  const manages = mayManage(site.data!);
  const receivers = useResource<{ items: Receiver[] }>(
    (signal) => (manages ? api.get('/receivers', { signal }) : Promise.resolve({ items: [] })),
    [manages],
  );
  const mayRemove = manages || site.data!.permissions.includes('own');
  const legs = useResource((signal) => api.get('/sites/{siteId}/arc-paths', { params: { siteId }, signal }), [siteId]);
  useLive((message) => {
    if (message.event !== 'box' && message.event !== 'hello') return;
    accounts.reload();
    legs.reload();
  });
  const boxes = site.data!.boxes.filter((box) => box.state !== 'revoked');
  // Those of accepted devices are the centre's, and stand with their devices.
  const byHand = (accounts.data?.items ?? []).filter((account) => account.arcId === null);
  const remove = (account: ArcAccount) => {
    accounts.set((list) => ({ items: list.items.filter((item) => item.id !== account.id) }));
    withUndo({
      text: t('arc.removed', { account: account.account }),
      failed: t('arc.removeFailed', { account: account.account }),
      run: (keepalive) =>
        api.delete('/arc/{accountId}', { params: { accountId: account.id }, keepalive }).then(accounts.reload),
      back: accounts.reload,
    });
  };
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('arc.title')}</Title>
      <SiteCentre />
      <Ways accounts={accounts.data?.items ?? []} legs={legs.data?.items ?? []} />
      <div class="flex flex-wrap items-center justify-between gap-4">
        <h2>{t('centre.outside')}</h2>
        {manages && boxes.length > 0 && receivers.data && receivers.data.items.length > 0 && (
          <a class="btn btn-primary" href={`${base}/arc/new`}>
            {t('arc.new')}
          </a>
        )}
      </div>
      <ProblemPanel error={accounts.error} what={t('arc.failed')} retry={accounts.reload} />
      {!accounts.data && !accounts.error && <Skeleton lines={6} />}
      {boxes.length === 0 && <NoBox />}
      {accounts.data && byHand.length === 0 && boxes.length > 0 && (
        <Empty title={t('arc.none')}>{manages && t('arc.noneNext')}</Empty>
      )}
      <div class="grid gap-6 empty:hidden lg:grid-cols-2">
        {byHand.map((account) => (
          <Panel
            key={account.id}
            title={t('arc.account', { account: account.account, receiver: account.receiverName })}
            action={
              <span class="flex gap-4">
                {manages && (
                  <a class="link" href={`${base}/arc/${account.id}`}>
                    {t('action.edit')}
                    <span class="sr-only"> {account.account}</span>
                  </a>
                )}
                {mayRemove && (
                  <button type="button" class="link" onClick={() => remove(account)}>
                    {t('action.remove')}
                    <span class="sr-only"> {account.account}</span>
                  </button>
                )}
              </span>
            }
          >
            <AccountFacts account={account} />
          </Panel>
        ))}
      </div>
      {manages && (
        <Panel
          title={t('receiver.title')}
          action={
            <a class="btn" href={`${base}/arc/receivers/new`}>
              {t('receiver.new')}
            </a>
          }
        >
          <ProblemPanel error={receivers.error} what={t('receiver.failed')} retry={receivers.reload} />
          {!receivers.data && !receivers.error && <Skeleton />}
          {receivers.data?.items.length === 0 && <Empty title={t('receiver.none')}>{t('receiver.noneNext')}</Empty>}
          {receivers.data && receivers.data.items.length > 0 && <ReceiverTable items={receivers.data.items} />}
        </Panel>
      )}
    </>
  );
}

/** Device → box → direct or relay → ARC, for each account of the site. */
function Ways({ accounts, legs }: { accounts: ArcAccount[]; legs: ArcLegs[] }) {
  const { boxes, devices } = useSite();
  const drawn = accounts.flatMap((account) => {
    const box = boxes.data?.items.find((found) => found.serial === account.boxSerial);
    const own = legs.find((leg) => leg.accountId === account.id) ?? null;
    return box ? [{ account, model: sitePaths(box, devices.data?.items ?? [], account, own) }] : [];
  });
  if (drawn.length === 0) return null;
  return (
    <Panel id="ways" title={t('centre.paths')}>
      <ul class="flex flex-col gap-6">
        {drawn.map(({ account, model }) => (
          <li key={account.id}>
            <p class="mb-2 font-semibold">
              {t('arc.account', { account: account.account, receiver: account.receiverName })}
            </p>
            <Diagram model={model} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const WAY: Record<'up' | 'down' | 'unknown', Level> = { up: 'well', down: 'problem', unknown: 'unknown' };

function AccountFacts({ account }: { account: ArcAccount }) {
  const { boxes, site } = useSite();
  const online = (boxes.data?.items ?? site.data!.boxes).find((box) => box.serial === account.boxSerial)?.online;
  const health = online ? account.health : null;
  return (
    <Facts
      items={[
        [
          t('arc.inUse'),
          health ? (
            <State key="use" level={health.path === 'none' ? 'problem' : 'well'}>
              {t(`arc.path.${health.path}`)} <Since at={health.since} />
            </State>
          ) : (
            <State key="use" level="unknown">
              {t('state.unknown')}
            </State>
          ),
        ],
        account.mode === 'direct-or-relay' && [
          t('arc.direct'),
          <State key="d" level={WAY[health?.direct ?? 'unknown']}>
            {t(`arc.way.${health?.direct ?? 'unknown'}`)}
          </State>,
        ],
        [
          t('arc.relay'),
          <State key="r" level={WAY[health?.relay ?? 'unknown']}>
            {t(`arc.way.${health?.relay ?? 'unknown'}`)}
          </State>,
        ],
        [t('arc.waiting'), health ? String(health.waiting) : t('state.unknown')],
        [t('arc.protocol'), t(account.encrypted ? 'arc.encrypted' : 'arc.plain', { protocol: account.protocol })],
        [t('arc.mode'), t(`arc.modeText.${account.mode}`)],
        [t('arc.events'), account.events.map((type) => t(`eventType.${type}`)).join(', ')],
        [t('arc.zones'), t('arc.zoneCount', { count: account.zones.length })],
        [
          t('device.box'),
          <span key="b" class="mono">
            {account.boxSerial}
          </span>,
        ],
      ]}
    />
  );
}

function ReceiverTable({ items }: { items: Receiver[] }) {
  const address = ({ host, port }: Receiver['direct']) => (
    <span class="mono">
      {host}:{port}
    </span>
  );
  return (
    <table class="rows">
      <thead>
        <tr>
          <th>{t('receiver.name')}</th>
          <th>{t('receiver.direct')}</th>
          <th>{t('receiver.relay')}</th>
          <th>{t('receiver.transport')}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((receiver) => (
          <tr key={receiver.id}>
            <td data-label={t('receiver.name')} class="wide">
              <strong>{receiver.name}</strong>
            </td>
            <td data-label={t('receiver.direct')} class="wide">
              {address(receiver.direct)}
            </td>
            <td data-label={t('receiver.relay')} class="wide">
              {address(receiver.relay)}
            </td>
            <td data-label={t('receiver.transport')}>{receiver.transport.toUpperCase()}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
