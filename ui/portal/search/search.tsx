import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { assess, glanceText } from '../site/assess.ts';

const SHOWN = 10;
/** Typing pauses that long before it is searched. */
const PAUSE_MS = 250;

/** Sites and devices by the beginnings of words, and by the end of a serial; what is searched stands in the address. */
export function Search() {
  const { query, route } = useLocation();
  const q = (query.q ?? '').trim();
  const [text, setText] = useState(q);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if (text.trim() === q) return;
    const timer = setTimeout(
      () => route(text.trim() ? `/search?q=${encodeURIComponent(text.trim())}` : '/search', true),
      PAUSE_MS,
    );
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <>
      <Title>{t('search.title')}</Title>
      <search>
        <input
          ref={field}
          type="search"
          class="input max-w-xl"
          aria-label={t('search.label')}
          placeholder={t('search.label')}
          value={text}
          maxLength={100}
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <p class="muted small mt-1">{t('search.hint')}</p>
      </search>
      {q && <Results key={q} q={q} />}
    </>
  );
}

function Results({ q }: { q: string }) {
  const query = { q, limit: SHOWN };
  const sites = useResource((signal) => api.get('/sites', { query, signal }), [q]);
  const devices = useResource((signal) => api.get('/devices', { query, signal }), [q]);
  const done = sites.data && devices.data;
  const found = (sites.data?.items.length ?? 0) + (devices.data?.items.length ?? 0);
  return (
    <>
      <ProblemPanel error={sites.error} what={t('search.sitesFailed')} retry={sites.reload} />
      <ProblemPanel error={devices.error} what={t('search.devicesFailed')} retry={devices.reload} />
      <p role="status" class="sr-only">
        {done && t('search.found', { count: found })}
      </p>
      {!done && !sites.error && !devices.error && <Skeleton />}
      {done && found === 0 && <Empty title={t('search.none', { q })}>{t('search.noneNext')}</Empty>}
      {sites.data && sites.data.items.length > 0 && (
        <Panel
          title={t('search.sites')}
          action={
            sites.data.nextCursor !== null && (
              <a class="link" href={`/sites?q=${encodeURIComponent(q)}`}>
                {t('search.all')}
              </a>
            )
          }
        >
          <ul class="flex flex-col gap-3">
            {sites.data.items.map((site) => {
              const state = assess(site, null);
              return (
                <li key={site.id} class="flex flex-wrap items-baseline gap-x-4">
                  <a class="link py-1" href={`/sites/${site.id}`}>
                    {site.name}
                  </a>
                  <State level={state.level}>{glanceText(state)}</State>
                </li>
              );
            })}
          </ul>
        </Panel>
      )}
      {devices.data && devices.data.items.length > 0 && (
        <Panel title={t('search.devices')}>
          <ul class="flex flex-col gap-3">
            {devices.data.items.map((device) => (
              <li key={device.id} class="flex flex-wrap items-baseline gap-x-4">
                <a class="link py-1" href={`/sites/${device.siteId}/devices/${device.id}`}>
                  {device.name}
                </a>
                <span class="muted">{[device.siteName, device.model, device.serial].filter(Boolean).join(' · ')}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
