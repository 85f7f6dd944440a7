import type { ArcRequest } from '../../../protocol/wire/arc-service.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { mediaWords, typeWords } from './words.tsx';

/** What a centre, or an installer for it, asks of this company or household. */
export function ArcRequests() {
  const list = useResource((signal) => api.get('/arc-requests', { query: { limit: 100 }, signal }), []);
  const decide = useAction(async (requestId: string, approve: boolean) => {
    const done = await api.post('/arc-requests/{requestId}/decide', { approve }, { params: { requestId } });
    list.set((old) => ({ ...old, items: old.items.map((item) => (item.id === requestId ? done : item)) }));
  });
  return (
    <>
      <Title>{t('centre.requests.title')}</Title>
      <ProblemPanel error={list.error} what={t('centre.requests.failed')} retry={list.reload} />
      <ProblemPanel error={decide.error} what={t('centre.requests.decideFailed')} focus />
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data?.items.length === 0 && (
        <Empty title={t('centre.requests.none')}>{t('centre.requests.noneNext')}</Empty>
      )}
      <div class="grid gap-6 empty:hidden lg:grid-cols-2">
        {list.data?.items.map((request) => (
          <Request key={request.id} request={request} busy={decide.busy} decide={decide.run} />
        ))}
      </div>
    </>
  );
}

const DECIDED = { approved: 'well', refused: 'attention', withdrawn: 'unknown' } as const;

interface Props {
  request: ArcRequest;
  busy: boolean;
  decide: (requestId: string, approve: boolean) => void;
}

function Request({ request, busy, decide }: Props) {
  const { id, kind, arc, deviceName, siteName, state, events, media } = request;
  const words = { arc: arc.name, device: deviceName, site: siteName };
  const added = events?.wanted.filter((type) => !events.now.includes(type)) ?? [];
  const gone = events?.now.filter((type) => !events.wanted.includes(type)) ?? [];
  return (
    <Panel id={`request-${id}`} title={`${deviceName} · ${siteName}`}>
      <p>{t(`centre.requests.asks.${kind}`, words)}</p>
      {media && <p class="font-semibold">{mediaWords(media)}</p>}
      {state === 'pending' && added.length > 0 && (
        <p>
          {t('centre.requests.more')} <strong>{typeWords(added)}</strong>
        </p>
      )}
      {state === 'pending' && gone.length > 0 && (
        <p>
          {t('centre.requests.less')} <strong>{typeWords(gone)}</strong>
        </p>
      )}
      <p class="muted small mt-2">
        <Time at={request.createdAt} />
      </p>
      {state === 'pending' ? (
        <div class="mt-3 flex flex-wrap gap-4">
          <button type="button" class="btn btn-primary" aria-disabled={busy} onClick={() => decide(id, true)}>
            {t('centre.requests.approve')}
            <span class="sr-only"> {deviceName}</span>
          </button>
          <button type="button" class="btn" aria-disabled={busy} onClick={() => decide(id, false)}>
            {t('centre.requests.refuse')}
            <span class="sr-only"> {deviceName}</span>
          </button>
        </div>
      ) : (
        <State level={DECIDED[state]}>{t(`centre.requests.state.${state}`)}</State>
      )}
    </Panel>
  );
}
