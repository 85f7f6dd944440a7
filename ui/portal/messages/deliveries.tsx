import type { ChannelStatus } from '../../../protocol/wire/notify.ts';
import type { QueryOf } from '../../client/client.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { Since, Time } from '../../components/time.tsx';
import { isFiltered, LIMIT, Listed, useFilters, usePages } from '../operator/list.tsx';
import { api } from '../session.ts';

const LEVELS: Record<ChannelStatus['state'], Level> = {
  ok: 'well',
  'not-configured': 'attention',
  down: 'problem',
  full: 'problem',
};

/** For whoever runs the relay: whether messages go out, and which could not. */
export function Deliveries() {
  const [filters, set] = useFilters(['state']);
  const channels = useResource((signal) => api.get('/deliveries/status', { signal }), []);
  const list = usePages(api.paged('/deliveries', { query: { limit: LIMIT, ...filters } as QueryOf<'/deliveries'> }));
  const again = () => {
    channels.reload();
    list.reload();
  };
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('deliveries.title')}</Title>
        <button type="button" class="btn" onClick={again}>
          {t('deliveries.again')}
        </button>
      </div>
      <ProblemPanel error={channels.error} what={t('deliveries.failed')} retry={channels.reload} />
      {!channels.data && !channels.error && <Skeleton lines={4} />}
      <div class="grid items-start gap-6 lg:grid-cols-3">
        {channels.data?.items.map((item) => (
          <Way key={item.channel} item={item} />
        ))}
      </div>
      <div class="sm:w-72">
        <Choice
          label={t('deliveries.state')}
          name="state"
          value={filters.state ?? ''}
          options={[
            ['', t('deliveries.both')],
            ['waiting', t('deliveries.waiting')],
            ['failed', t('deliveries.givenUp')],
          ]}
          onChange={(state) => set({ state })}
        />
      </div>
      <Listed list={list} failed={t('deliveries.failed')} none={t('deliveries.none')} filtered={isFiltered(filters)}>
        {(items) => (
          <table class="rows">
            <thead>
              <tr>
                <th>{t('deliveries.recipient')}</th>
                <th>{t('deliveries.way')}</th>
                <th>{t('deliveries.message')}</th>
                <th>{t('deliveries.state')}</th>
                <th>{t('deliveries.reason')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <tr key={item.id}>
                  <td data-label={t('deliveries.recipient')}>{item.recipient}</td>
                  <td data-label={t('deliveries.way')}>{t(`deliveries.channel.${item.channel}`)}</td>
                  <td data-label={t('deliveries.message')}>
                    <span class="mono">{item.code}</span>
                  </td>
                  <td data-label={t('deliveries.state')}>
                    <State level={item.state === 'failed' ? 'problem' : 'working'}>
                      {t(item.state === 'failed' ? 'deliveries.givenUp' : 'deliveries.waiting')}{' '}
                      <span class="muted small">
                        <Time at={item.state === 'failed' ? item.at : item.createdAt} />,{' '}
                        {t('deliveries.tries', { count: item.tries })}
                      </span>
                    </State>
                  </td>
                  <td data-label={t('deliveries.reason')} class="wide">
                    {item.reason ? say(item.reason) : <span class="muted">{t('state.none')}</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Listed>
    </>
  );
}

function Way({ item }: { item: ChannelStatus }) {
  return (
    <Panel title={t(`deliveries.channel.${item.channel}`)} id={item.channel}>
      <State level={LEVELS[item.state]}>
        <strong>{t(`deliveries.is.${item.state}`)}</strong>
      </State>
      {item.reason && <p class="muted">{say(item.reason)}</p>}
      <div class="mt-2">
        <Facts
          items={[
            [t('deliveries.waiting'), String(item.waiting)],
            item.oldestAt !== null && [t('deliveries.oldest'), <Since key="oldest" at={item.oldestAt} />],
            item.retryAt !== null && [t('deliveries.next'), <Time key="next" at={item.retryAt} />],
            [t('deliveries.givenUp'), String(item.failed)],
          ]}
        />
      </div>
    </Panel>
  );
}
