import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { ARC_SERVICE_STATES, type ArcService, type ArcServiceDone } from '../../../protocol/wire/arc-service.ts';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { api } from '../session.ts';
import { checkedTypes, EventChecks } from '../site/checks.tsx';
import { centreTypes, PathNow, ServiceState, typeWords, zoneWords } from './words.tsx';

/** Event types are changed of cameras and recorders only. */
const CAMERA_TYPES = centreTypes('encoding');

const WORDS = ['accept', 'reject', 'suspend', 'resume'] as const;
type Word = (typeof WORDS)[number];
/** In which state each is offered. */
const FITS: Record<Word | 'events', readonly ArcService['state'][]> = {
  accept: ['waiting'],
  reject: ['waiting'],
  suspend: ['active'],
  resume: ['suspended'],
  events: ['active', 'suspended'],
};

/** Devices that are entrusted to the centre: each can be accepted, suspended and so on, many at once. */
export function CentreDevices() {
  const { query, route } = useLocation();
  const state = ARC_SERVICE_STATES.find((one) => one === query.state);
  const search = query.search ?? '';
  const list = useResource(
    (signal) => api.get('/arc/services', { query: { limit: 200, ...(state ? { state } : {}), search }, signal }),
    [state, search],
  );
  const receivers = useResource((signal) => api.get('/arc-receivers', { signal }), []);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [note, setNote] = useState('');
  const [receiverId, setReceiverId] = useState('');
  const [editing, setEditing] = useState(false);
  const [results, setResults] = useState<ArcServiceDone[]>([]);
  const act = useAction(async (word: Word | 'events', fields: Record<string, string> = {}) => {
    const services = [...chosen];
    const { items } =
      word === 'events'
        ? await api.post('/arc/services/events', { services, events: checkedTypes(fields, 'event', CAMERA_TYPES) })
        : word === 'accept'
          ? await api.post('/arc/services/accept', { services, ...(receiverId ? { receiverId } : {}) })
          : word === 'resume'
            ? await api.post('/arc/services/resume', { services })
            : await api.post(`/arc/services/${word}`, { services, note });
    setResults(items);
    setChosen(items.filter((item) => !item.done).map((item) => item.serviceId));
    setEditing(false);
    setNote('');
    list.reload();
  });
  const filter = (change: Record<string, string>) => {
    const next = new URLSearchParams({ ...(state ? { state } : {}), ...(search ? { search } : {}), ...change });
    for (const [key, value] of [...next]) if (value === '') next.delete(key);
    setChosen([]);
    route(`/arc/devices?${next}`, true);
  };
  const items = list.data?.items ?? [];
  const picked = items.filter((item) => chosen.includes(item.id));
  const fits = (word: Word | 'events') =>
    picked.length > 0 &&
    picked.every((item) => FITS[word].includes(item.state) && (word !== 'events' || item.device.type === 'encoding'));
  const several = (receivers.data?.items.length ?? 0) > 1;
  const failed = results.filter((result) => !result.done);
  return (
    <>
      <Title>{t('centre.devices.title')}</Title>
      <search class="flex flex-wrap items-end gap-4">
        <label>
          <span class="block font-semibold">{t('centre.devices.filter')}</span>
          <select class="select mt-1" onChange={(event) => filter({ state: event.currentTarget.value })}>
            {['', ...ARC_SERVICE_STATES].map((one) => (
              <option key={one} value={one} selected={one === (state ?? '')}>
                {t(one === '' ? 'centre.devices.all' : `centre.state.${one as ArcService['state']}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="block font-semibold">{t('centre.devices.search')}</span>
          <input
            type="search"
            class="input mt-1"
            defaultValue={search}
            maxLength={64}
            onChange={(event) => filter({ search: event.currentTarget.value })}
          />
        </label>
      </search>
      <ProblemPanel error={list.error} what={t('centre.devices.failed')} retry={list.reload} />
      <ProblemPanel error={act.error} what={t('centre.devices.actFailed')} focus />
      {results.length > 0 && (
        <div role="status" class="panel">
          <p>{t('centre.devices.done', { done: results.length - failed.length, of: results.length })}</p>
          <ul class="list-disc pl-5">
            {failed.map((result) => (
              <li key={result.serviceId}>
                {items.find((item) => item.id === result.serviceId)?.device.name}: {result.text && say(result.text)}
              </li>
            ))}
          </ul>
        </div>
      )}
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data && items.length === 0 && (
        <Empty title={t('centre.devices.none')}>{t('centre.devices.noneNext')}</Empty>
      )}
      {items.length > 0 && (
        <section class="panel flex flex-col gap-3" aria-label={t('centre.devices.chosen')}>
          <div class="flex flex-wrap items-center gap-3">
            <label class="flex items-center gap-2">
              <input
                type="checkbox"
                class="checkbox checkbox-sm"
                checked={picked.length === items.length}
                onChange={(event) => setChosen(event.currentTarget.checked ? items.map((item) => item.id) : [])}
              />
              {t('centre.devices.chosenCount', { count: picked.length })}
            </label>
            {WORDS.filter(fits).map((word) => (
              <button
                key={word}
                type="button"
                class={word === 'accept' || word === 'resume' ? 'btn btn-primary' : 'btn'}
                aria-disabled={act.busy}
                onClick={() => act.run(word)}
              >
                {t(`centre.devices.${word}`)}
              </button>
            ))}
            {fits('events') && (
              <button type="button" class="btn" aria-expanded={editing} onClick={() => setEditing(!editing)}>
                {t('centre.devices.events')}
              </button>
            )}
          </div>
          {picked.length === 0 && <p class="muted small">{t('centre.devices.chooseHint')}</p>}
          {(fits('reject') || fits('suspend')) && (
            <label>
              {t('centre.devices.note')}
              <input
                class="input mt-1"
                maxLength={200}
                value={note}
                onInput={(event) => setNote(event.currentTarget.value)}
              />
            </label>
          )}
          {fits('accept') && several && (
            <label>
              {t('centre.devices.receiver')}
              <select class="select mt-1" onChange={(event) => setReceiverId(event.currentTarget.value)}>
                <option value="">{t('centre.devices.receiverChoose')}</option>
                {receivers.data!.items.map((receiver) => (
                  <option key={receiver.id} value={receiver.id} selected={receiver.id === receiverId}>
                    {receiver.name}
                  </option>
                ))}
              </select>
            </label>
          )}
          {editing && fits('events') && (
            <form
              class="flex flex-col gap-3"
              onSubmit={(event) => {
                event.preventDefault();
                const fields = [...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value)]);
                void act.run('events', Object.fromEntries(fields));
              }}
            >
              <p class="muted small">{t('centre.devices.eventsHint')}</p>
              <EventChecks legend={t('centre.events')} name="event" chosen={picked[0]!.events} types={CAMERA_TYPES} />
              <button type="submit" class="btn btn-primary self-start" aria-disabled={act.busy}>
                {t('centre.devices.ask')}
              </button>
            </form>
          )}
        </section>
      )}
      {items.length > 0 && (
        <div class="panel">
          <table class="rows">
            <thead>
              <tr>
                <th>{t('centre.device')}</th>
                <th>{t('centre.devices.site')}</th>
                <th>{t('centre.account')}</th>
                <th>{t('centre.service')}</th>
                <th>{t('centre.now')}</th>
                <th>{t('centre.events')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <Row
                  key={item.id}
                  item={item}
                  chosen={chosen.includes(item.id)}
                  choose={(on) => setChosen(on ? [...chosen, item.id] : chosen.filter((id) => id !== item.id))}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ item, chosen, choose }: { item: ArcService; chosen: boolean; choose: (on: boolean) => void }) {
  const { device } = item;
  return (
    <tr>
      <td data-label={t('centre.device')} class="wide">
        <span class="flex items-start gap-3">
          <input
            type="checkbox"
            class="checkbox checkbox-sm mt-1"
            aria-label={t('centre.devices.choose', { name: device.name, site: item.siteName })}
            checked={chosen}
            onChange={(event) => choose(event.currentTarget.checked)}
          />
          <span>
            <a class="link" href={`/arc/devices/${item.id}`}>
              {device.name}
            </a>
            {device.model && <span class="muted small block">{device.model}</span>}
          </span>
        </span>
      </td>
      <td data-label={t('centre.devices.site')}>
        {item.siteName}
        <span class="muted small block">{item.company.name}</span>
      </td>
      <td data-label={t('centre.account')}>
        <span class="mono">{item.account}</span>
        <span class="muted small block">{zoneWords(item)}</span>
      </td>
      <td data-label={t('centre.service')}>
        <ServiceState service={item} />
      </td>
      <td data-label={t('centre.now')}>
        <PathNow service={item} />
      </td>
      <td data-label={t('centre.events')} class="wide">
        <details>
          <summary>{t('centre.devices.types', { count: item.events.length })}</summary>
          <span class="small">{typeWords(item.events)}</span>
        </details>
        {item.pendingEvents && (
          <span class="muted small block">{t('centre.devices.pending', { types: typeWords(item.pendingEvents) })}</span>
        )}
      </td>
    </tr>
  );
}
