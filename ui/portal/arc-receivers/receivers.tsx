import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';

/** The centre's receivers: where boxes and the relay reach them, how they speak, whether encrypted. */
export function ArcReceivers() {
  const list = useResource((signal) => api.get('/arc-receivers', { signal }), []);
  const items = list.data?.items;
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('arcReceiver.title')}</Title>
        <a class="btn btn-primary" href="/arc/receivers/new">
          {t('arcReceiver.new')}
        </a>
      </div>
      <p class="muted max-w-prose">{t('arcReceiver.text')}</p>
      <ProblemPanel error={list.error} what={t('arcReceiver.failed')} retry={list.reload} />
      {!items && !list.error && <Skeleton lines={6} />}
      {items?.length === 0 && <Empty title={t('arcReceiver.none')}>{t('arcReceiver.noneNext')}</Empty>}
      {items && items.length > 0 && (
        <div class="panel py-1 md:py-2">
          <table class="rows">
            <thead>
              <tr>
                <th>{t('arcReceiver.name')}</th>
                <th>{t('arcReceiver.direct')}</th>
                <th>{t('arcReceiver.relay')}</th>
                <th>{t('arcReceiver.protocol')}</th>
                <th>{t('arcReceiver.encryption')}</th>
                <th>{t('arcReceiver.accounts')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((receiver) => {
                const { id, name, kind, direct, relay, transport, protocol, encrypted, accounts } = receiver;
                const end = ({ host, port }: typeof direct) => `${host}:${port}`;
                return (
                  <tr key={id}>
                    <td data-label={t('arcReceiver.name')}>
                      <a class="link font-semibold" href={`/arc/receivers/${id}`}>
                        {name}
                      </a>
                    </td>
                    <td data-label={t('arcReceiver.direct')} class="mono break-all">
                      {end(direct)}
                    </td>
                    <td data-label={t('arcReceiver.relay')} class="mono break-all">
                      {kind === 'hosted' ? t('arcReceiver.relayItself') : end(relay)}
                    </td>
                    <td data-label={t('arcReceiver.protocol')}>
                      {protocol}, {transport.toUpperCase()}
                    </td>
                    <td data-label={t('arcReceiver.encryption')}>
                      <State level={encrypted ? 'well' : 'attention'}>
                        {t(encrypted ? 'arcReceiver.encrypted' : 'arcReceiver.plain')}
                      </State>
                    </td>
                    <td data-label={t('arcReceiver.accounts')}>{accounts}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
