import { useLocation } from 'preact-iso';
import type { ClipDays } from '../../../protocol/wire/clips.ts';
import { Calendar, monthOf } from '../../components/calendar.tsx';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { formatBytes } from '../../components/time.ts';
import { Time } from '../../components/time.tsx';
import { dayAfter, dayOf, startOf } from '../playback/day.ts';
import { api } from '../session.ts';
import { useLive, useSite } from '../site/context.ts';
import { DEVICE_EVENT_TYPES } from '../site/event-types.ts';
import { More } from '../site/more.tsx';
import { ClipCard, leaving } from './card.tsx';

const LIMIT = 24;
/** On a phone the clips come first. */
const WIDE = matchMedia('(min-width: 1024px)');
const KINDS = ['event', 'continuous'] as const;

/** A site's clips: by day, device, kind and what happened. All of that stands in the address. */
export function ClipLibraryPage() {
  const { base, site, siteId, zone, devices } = useSite();
  const { query, route } = useLocation();
  const today = dayOf(Date.now(), zone);
  const day = query.day && startOf(query.day, zone) !== null ? query.day : null;
  const month = /^20\d\d-(0[1-9]|1[0-2])$/.test(query.month ?? '') ? (query.month as string) : monthOf(day ?? today);
  const kind = KINDS.find((known) => known === query.kind);
  const type = DEVICE_EVENT_TYPES.find((known) => known === query.type);
  const deviceId = devices.data?.items.find((one) => one.id === query.device)?.id;
  const go = (change: Record<string, string | null>) => {
    const next = { day, month, kind: kind ?? null, type: type ?? null, device: query.device ?? null, ...change };
    const kept = Object.entries(next).filter((pair): pair is [string, string] => !!pair[1]);
    route(`${base}/clips${kept.length > 0 ? `?${new URLSearchParams(kept)}` : ''}`, true);
  };
  const [from, to] = day ? [startOf(day, zone), startOf(dayAfter(day, 1), zone)] : [null, null];
  const iso = (ms: number | null) => (ms === null ? undefined : new Date(ms).toISOString());
  const paged = api.paged('/sites/{siteId}/clips', {
    params: { siteId },
    query: { limit: LIMIT, kind, type, deviceId, from: iso(from), to: iso(to) },
  });
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
  const days = useResource(
    (signal) => api.get('/sites/{siteId}/clips/days', { params: { siteId }, query: { month, deviceId }, signal }),
    [siteId, month, deviceId],
  );
  const storage = useResource(
    (signal) => api.get('/sites/{siteId}/clips/storage', { params: { siteId }, signal }),
    [siteId],
  );
  useLive((message) => {
    if (message.event === 'hello') return list.reload();
    if (message.event !== 'clip') return;
    const { eventIds: _, ...clip } = message.data;
    if (!list.data?.items.some((one) => one.id === clip.id)) {
      // A new one stands on top where it belongs: asked for, not guessed.
      if (message.data.state === 'recording' && (!day || day === today)) list.reload();
      return;
    }
    list.set((page) => ({ ...page, items: page.items.map((one) => (one.id === clip.id ? { ...one, ...clip } : one)) }));
  });
  const recorders = devices.data?.items.filter((one) => one.channelCount > 0) ?? [];
  const filtered = kind ?? type ?? deviceId ?? day;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('clips.title')}</Title>
      <div class="grid items-start gap-6 lg:grid-cols-[20rem_1fr]">
        <details class="panel lg:sticky lg:top-4" open={WIDE.matches || !!filtered}>
          <summary class="cursor-pointer font-semibold lg:hidden">{t('clips.filters')}</summary>
          <div class="mt-3 flex flex-col gap-4 lg:mt-0">
            <Calendar
              month={month}
              day={day}
              today={today}
              days={days.data && marksOf(days.data.days)}
              words={{
                label: t('clips.calendar'),
                none: t('clips.noneThen'),
                before: t('clips.monthBefore'),
                after: t('clips.monthAfter'),
              }}
              choose={(chosen) => go({ day: chosen, month: chosen ? monthOf(chosen) : month })}
              turn={(next) => go({ month: next })}
            />
            <ProblemPanel error={days.error} what={t('clips.daysFailed')} retry={days.reload} />
            <Choice
              label={t('clips.device')}
              name="device"
              value={deviceId ?? ''}
              options={[['', t('clips.allDevices')], ...recorders.map((one) => [one.id, one.name] as const)]}
              onChange={(value) => go({ device: value })}
            />
            <Choice
              label={t('clips.kindLabel')}
              name="kind"
              value={kind ?? ''}
              options={[['', t('clips.allKinds')], ...KINDS.map((one) => [one, t(`clips.kind.${one}`)] as const)]}
              onChange={(value) => go({ kind: value })}
            />
            <Choice
              label={t('clips.type')}
              name="type"
              value={type ?? ''}
              options={[
                ['', t('clips.allTypes')],
                ...DEVICE_EVENT_TYPES.map((key) => [key, t(`eventType.${key}`)] as const),
              ]}
              onChange={(value) => go({ type: value })}
            />
            {storage.data && (
              <p class="muted small">
                {t('clips.storage', { size: formatBytes(storage.data.bytes) })}
                {storage.data.oldestAt && (
                  <>
                    {' '}
                    {t('clips.oldest')} <Time at={storage.data.oldestAt} />
                  </>
                )}
              </p>
            )}
          </div>
        </details>
        <div class="flex min-w-0 flex-col gap-4">
          <ProblemPanel error={list.error} what={t('clips.failed')} retry={list.reload} />
          {!list.data && !list.error && <Skeletons />}
          {list.data?.items.length === 0 && (
            <Empty title={t(filtered ? 'clips.noneFiltered' : 'clips.none')}>
              {filtered ? (
                <button type="button" class="btn" onClick={() => route(`${base}/clips`, true)}>
                  {t('clips.showAll')}
                </button>
              ) : (
                t('clips.noneNext')
              )}
            </Empty>
          )}
          {list.data && list.data.items.length > 0 && (
            <ul class="grid gap-4 sm:grid-cols-2 2xl:grid-cols-3">
              {list.data.items
                .filter(({ id }) => !leaving.value.includes(id))
                .map((clip) => (
                  <ClipCard key={clip.id} clip={clip} href={`${base}/clips/${clip.id}`} />
                ))}
            </ul>
          )}
          <More list={list} paged={paged} failed={t('clips.moreFailed')} />
        </div>
      </div>
    </>
  );
}

const marksOf = (days: ClipDays['days']) =>
  new Map(
    days.map(({ day, events, continuous }) => {
      const words = [events > 0 && t('clips.count', { count: events }), continuous && t('clips.continuousToo')];
      return [day, { mark: events > 0 ? String(events) : '–', words: words.filter(Boolean).join(', ') }];
    }),
  );

function Skeletons() {
  return (
    <div role="status" class="grid gap-4 sm:grid-cols-2 2xl:grid-cols-3">
      <span class="sr-only">{t('state.loading')}</span>
      {Array.from({ length: 6 }, (_, i) => (
        <div key={String(i)} aria-hidden="true" class="skeleton aspect-[4/3] rounded-box" />
      ))}
    </div>
  );
}
