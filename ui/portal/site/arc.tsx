import type { ArcAccount, Receiver } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Empty, Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Since } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { useLive, useSite } from './context.ts';
import { NoBox } from './overview.tsx';
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
  useLive((message) => (message.event === 'box' || message.event === 'hello') && accounts.reload());
  const boxes = site.data!.boxes.filter((box) => box.state !== 'revoked');
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
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title suffix={`${site.data!.name} · Gatepost`}>{t('arc.title')}</Title>
        {manages && boxes.length > 0 && receivers.data && receivers.data.items.length > 0 && (
          <a class="btn btn-primary" href={`${base}/arc/new`}>
            {t('arc.new')}
          </a>
        )}
      </div>
      <ProblemPanel error={accounts.error} what={t('arc.failed')} retry={accounts.reload} />
      {!accounts.data && !accounts.error && <Skeleton lines={6} />}
      {boxes.length === 0 && <NoBox />}
      {accounts.data?.items.length === 0 && boxes.length > 0 && (
        <Empty title={t('arc.none')}>{manages && t('arc.noneNext')}</Empty>
      )}
      <div class="grid gap-6 empty:hidden lg:grid-cols-2">
        {accounts.data?.items.map((account) => (
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
