import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { DeskAlarm } from '../../../protocol/wire/arc-desk.ts';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { shortcutsOn, typesInto } from '../shortcuts.ts';
import { More } from '../site/more.tsx';
import { addressOf, DeskFilters, deskQuery, filtersOf } from './filters.tsx';
import { followAlarm, nextOpen } from './follow.ts';
import { mute, sound, unmute, useDesk } from './live.ts';
import { Connection, SoundState } from './sound-bar.tsx';
import { AlarmStory, type Look } from './story.tsx';
import { AlarmTable } from './table.tsx';
import { eventWords } from './words.tsx';

const WIDE = '(min-width: 80rem)';
const MAX_SHOWN = 1000;
/** After `g` a letter goes to another page. */
const GO_MS = 1_500;

/** The desk: what waits, most urgent first. Everything on it can be done by keyboard. */
export function Alarms() {
  const { query } = useLocation();
  const filters = filtersOf(query);
  const paged = api.paged('/arc-desk/alarms', { query: { limit: 100, ...deskQuery(filters) } });
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
  const [selected, setSelected] = useState<string | null>(null);
  const [look, setLook] = useState<{ at: Look; turn: number }>({ at: 'facts', turn: 0 });
  const [news, setNews] = useState('');
  const items = list.data?.items ?? [];
  const change = (alarm: DeskAlarm) =>
    list.set((page) => ({ ...page, items: followAlarm(page.items, alarm, filters).slice(0, MAX_SHOWN) }));
  useDesk((message) => {
    if (message.event === 'hello') return list.reload();
    if (message.event !== 'alarm') return;
    const { data } = message;
    // Another day is another list.
    if (filters.to === undefined) change(data);
    if (data.open && !items.some((one) => one.id === data.id)) {
      setNews(t('desk.new', { what: eventWords(data), account: data.account, site: data.site?.name ?? '' }));
    }
  });
  const take = useAction(async (id: string, note: string) => {
    const after = nextOpen(items, id);
    change(await api.post('/arc-desk/alarms/{alarmId}/acknowledge', { note }, { params: { alarmId: id } }));
    if (after && wide()) select(after);
  });
  const all = useAction(async () => {
    const alarmIds = items.filter((one) => one.open).map((one) => one.id);
    await api.post('/arc-desk/acknowledgements', { alarmIds: alarmIds.slice(0, 200) });
    list.reload();
  });
  const select = (id: string, at: Look = 'facts') => {
    setSelected(id);
    setLook((old) => ({ at, turn: old.turn + 1 }));
    document.getElementById(`alarm-${id}`)?.focus();
  };
  const beside = (id: string): boolean => {
    if (wide()) select(id);
    return wide();
  };
  const shown = items.some((one) => one.id === selected) ? selected : null;
  useKeys({
    move: (by) => {
      const at = items.findIndex((one) => one.id === shown);
      const next = items[Math.min(items.length - 1, Math.max(0, at + by))];
      if (next) select(next.id);
    },
    acknowledge: () => {
      const id = shown ?? items.find((one) => one.open)?.id;
      if (id && items.find((one) => one.id === id)?.open) void take.run(id, '');
    },
    show: (at) => {
      const id = shown ?? items[0]?.id;
      if (id) select(id, at);
    },
  });
  const open = items.filter((one) => one.open).length;
  return (
    <>
      <div class="flex flex-wrap items-center gap-x-6 gap-y-3">
        <Title>{open > 0 ? t('desk.titleOpen', { count: open }) : t('desk.title')}</Title>
        <Connection />
        <div class="md:ml-auto">
          <SoundState />
        </div>
      </div>
      <p class="sr-only" role="alert">
        {news}
      </p>
      <DeskFilters filters={filters} siteName={items.find((one) => one.site?.id === filters.siteId)?.site?.name} />
      <ProblemPanel error={list.error} what={t('desk.listFailed')} retry={list.reload} />
      <ProblemPanel error={take.error} what={t('desk.acknowledgeFailed')} />
      <ProblemPanel error={all.error} what={t('desk.acknowledgeFailed')} />
      {!list.data && !list.error && <Skeleton lines={9} />}
      {list.data && items.length === 0 && <Empty title={t(`desk.none.${filters.show}`)}>{t('desk.noneNext')}</Empty>}
      {items.length > 0 && (
        <div class={`grid items-start gap-6 ${shown ? 'xl:grid-cols-[2fr_1fr]' : ''}`}>
          <div class="flex flex-col gap-4">
            <div class="panel py-1 md:py-2">
              <AlarmTable
                items={items}
                selected={shown}
                busy={take.busy}
                onSelect={beside}
                onAcknowledge={(id) => void take.run(id, '')}
                siteAddress={(siteId) => `/alarms${addressOf({ ...filters, siteId })}`}
              />
            </div>
            <div class="flex flex-wrap items-center gap-4">
              {filters.show === 'open' && open > 1 && (
                <button type="button" class="btn" onClick={() => all.run()} aria-disabled={all.busy}>
                  {t('desk.acknowledgeAll', { count: Math.min(200, open) })}
                </button>
              )}
              <p class="muted small hidden md:block">{t('desk.keys')}</p>
            </div>
            <More list={list} paged={paged} failed={t('desk.listFailed')} />
          </div>
          {shown && (
            <aside class="desk-aside hidden xl:block" aria-label={t('desk.story')}>
              <AlarmStory key={shown} alarmId={shown} look={look} onChange={change} />
            </aside>
          )}
        </div>
      )}
    </>
  );
}

const wide = () => matchMedia(WIDE).matches;

interface Doings {
  move: (by: 1 | -1) => void;
  acknowledge: () => void;
  show: (at: Look) => void;
}

/** Single keys; those who type by voice switch them off with the others (shortcuts.ts). */
function useKeys(doings: Doings): void {
  const latest = useRef(doings);
  latest.current = doings;
  useEffect(() => {
    let wentAt = Number.NEGATIVE_INFINITY;
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typesInto(event.target)) return;
      if (!shortcutsOn()) return;
      const going = Date.now() - wentAt < GO_MS;
      wentAt = event.key === 'g' ? Date.now() : Number.NEGATIVE_INFINITY;
      if (going) return;
      const { move, acknowledge, show } = latest.current;
      const keys: Record<string, () => void> = {
        j: () => move(1),
        ArrowDown: () => move(1),
        k: () => move(-1),
        ArrowUp: () => move(-1),
        a: acknowledge,
        d: () => show('facts'),
        n: () => show('note'),
        v: () => show('clip'),
        p: () => show('picture'),
        m: () => (sound.value.state === 'muted' ? unmute() : mute()),
      };
      const doing = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
      if (!doing) return;
      event.preventDefault();
      doing();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
}
