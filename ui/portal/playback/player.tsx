import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { MAX_PLAYBACK_WINDOWS } from '../../../protocol/wire/video.ts';
import { t } from '../../components/i18n.ts';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import type { LiveTarget } from '../live/targets.ts';
import { Cut } from './cut.tsx';
import { clockOf, DAY_MS, dayAfter, dayOf, namedClockOf, sameTime, startOf } from './day.ts';
import { DayChoice } from './day-choice.tsx';
import { cloudClips, eventMarkers, mergedMarkers, nextMarker, recordedSpans } from './footage.ts';
import { InStep } from './in-step.ts';
import { BEFORE_MS } from './link.ts';
import { Moment } from './moment.tsx';
import { RecordedWindow } from './recorded-window.tsx';
import { type Range, Timeline, zoomed } from './timeline.tsx';
import { Transport } from './transport.tsx';

interface Props {
  targets: readonly LiveTarget[];
  zone: string | undefined;
  siteId: string;
  /** Address of the site's pages. */
  base: string;
}

/** Up to four windows in step, and the time line of a day under them. Where it stands, stands in the page's address. */
export function Player({ targets, zone, siteId, base }: Props) {
  const { path, query, route } = useLocation();
  const asked = (query.show ?? '').split(',');
  const wanted = targets.filter((target) => asked.includes(target.key)).slice(0, MAX_PLAYBACK_WINDOWS);
  const shown = wanted.length > 0 ? wanted : targets.filter((target) => target.may).slice(0, 1);
  const [nowMs] = useState(() => Date.now());
  const at = Date.parse(query.at ?? '');
  const startMs = at > 0 && at < nowMs ? at : nowMs - 10 * 60_000;
  const [day, setDay] = useState(() => dayOf(startMs, zone));
  const dayRange = useMemo<Range>(
    () => ({ fromMs: startOf(day, zone) ?? nowMs, toMs: startOf(dayAfter(day, 1), zone) ?? nowMs }),
    [day, zone],
  );
  const [view, setView] = useState<Range>(() => zoomed(dayRange, dayRange, 1 / 8, startMs));
  const [cut, setCut] = useState<Range | null>(null);
  const [sound, setSound] = useState(false);
  const [chosenKey, setChosen] = useState(shown[0]?.key ?? '');
  const chosen = shown.find((target) => target.key === chosenKey) ?? shown[0];
  const [, setTurn] = useState(0);
  const group = useMemo(
    () =>
      new InStep({
        headMs: startMs,
        range: { fromMs: dayRange.fromMs, toMs: endOf(dayRange) },
        onChange: () => setTurn((n) => n + 1),
        onEnd: () => goOn.current(),
      }),
    [],
  );
  const goOn = useRef<() => boolean>(() => false);
  const video = useRef<HTMLVideoElement | null>(null);
  useEffect(() => {
    group.start();
    return () => group.stop();
  }, []);
  const { headMs, playing, speed, skipped } = group.state;

  const keys = shown.map((target) => target.key).join();
  const footage = useResource(
    async (signal) => {
      const range = [dayRange.fromMs, endOf(dayRange)] as const;
      // What the relay has is there for convenience: a device that cannot be asked is what counts.
      const [elsewhere, ...rows] = await Promise.all([
        eventMarkers(siteId, ...range, null, signal).catch(() => []),
        ...shown.map(async ({ device, channel, may }) => {
          const of = { deviceId: device.id, channel };
          const [events, cloud] = await Promise.all([
            eventMarkers(siteId, ...range, of, signal).catch(() => []),
            cloudClips(siteId, device.id, channel, ...range, signal).catch(() => ({ clips: [], markers: [] })),
          ]);
          const own = events.map((marker) => ({ ...marker, name: null }));
          return { clips: may ? cloud.clips : [], markers: mergedMarkers(own, cloud.markers) };
        }),
      ]);
      return { rows, elsewhere: elsewhere.filter(({ key }) => !shown.some((target) => target.key === key)) };
    },
    [keys, day],
  );
  const recorded = useResource(
    (signal) =>
      Promise.all(
        shown.map(({ device, channel, may }) =>
          may ? recordedSpans(device.id, channel, dayRange.fromMs, endOf(dayRange), signal) : [],
        ),
      ),
    [keys, day],
  );
  const rows = shown.map(({ key, name }, i) => ({
    key,
    name,
    spans: recorded.data?.[i] ?? (recorded.error ? [] : null),
    markers: footage.data?.rows[i]?.markers ?? [],
  }));
  const elsewhere = footage.data?.elsewhere ?? [];
  const chosenAt = shown.findIndex(({ key }) => key === chosen?.key);
  const markers = useMemo(
    () => mergedMarkers([...(footage.data?.rows[chosenAt]?.markers ?? []), ...elsewhere], []),
    [footage.data, chosenAt],
  );
  const site = { key: 'site', name: t('playback.siteEvents'), spans: [], markers: elsewhere };
  const address = (change: Record<string, string>) => `${path}?${new URLSearchParams({ ...query, ...change })}`;
  const remember = (ms: number) => route(address({ show: keys, at: new Date(ms).toISOString() }), true);

  const seek = (ms: number) => {
    const to = Math.min(Math.max(ms, dayRange.fromMs), endOf(dayRange) - 1_000);
    group.seek(to, { fromMs: dayRange.fromMs, toMs: endOf(dayRange) });
    if (to < view.fromMs || to > view.toMs) setView(zoomed(view, dayRange, 1, to));
    remember(to);
  };
  const goTo = (next: string, ms?: number) => {
    const fromMs = startOf(next, zone);
    if (fromMs === null || fromMs > Date.now()) return;
    const range = { fromMs, toMs: startOf(dayAfter(next, 1), zone)! };
    const wanted = ms ?? Math.min(sameTime(headMs, day, next, zone) ?? fromMs, endOf(range) - 60_000);
    const to = Math.max(fromMs, Math.min(wanted, endOf(range)));
    setDay(next);
    setCut(null);
    setView(zoomed(range, range, (view.toMs - view.fromMs) / (range.toMs - range.fromMs), to));
    group.seek(to, { fromMs, toMs: endOf(range) });
    remember(to);
  };
  // At the end of what was asked for it goes on with what there is by now, or with the day beside it.
  goOn.current = () => {
    const now = Date.now();
    if (speed < 0) goTo(dayAfter(day, -1), dayRange.fromMs);
    else if (group.range.toMs < dayRange.toMs) {
      if (now - group.range.toMs < MORE_MS) return false;
      seek(group.range.toMs);
    } else {
      if (now - dayRange.toMs < MORE_MS) return false;
      goTo(dayAfter(day, 1), dayRange.toMs);
    }
    return true;
  };
  const jump = (back: boolean) => {
    // It stands a little before the one that it was brought to.
    const marker = nextMarker(markers, headMs + BEFORE_MS, back);
    if (marker) seek(marker.atMs - BEFORE_MS);
  };
  const toggle = (target: LiveTarget) => {
    const has = shown.some(({ key }) => key === target.key);
    const next = has ? shown.filter(({ key }) => key !== target.key) : [...shown, target].slice(-MAX_PLAYBACK_WINDOWS);
    if (next.length > 0) route(address({ show: next.map(({ key }) => key).join() }), true);
  };
  return (
    <div class="flex flex-col gap-4">
      {targets.length > 1 && (
        <fieldset class="min-w-0">
          <legend class="label">{t('playback.channels', { count: MAX_PLAYBACK_WINDOWS })}</legend>
          {/* On a phone one row, or those of a recorder push the picture out of sight. */}
          <div class="-m-1 flex flex-wrap gap-2 p-1 max-sm:flex-nowrap max-sm:overflow-x-auto">
            {targets.map((target) => (
              <button
                key={target.key}
                type="button"
                class="btn max-w-full shrink-0 py-2 whitespace-normal break-words text-left max-sm:max-w-64 sm:shrink"
                aria-pressed={shown.some(({ key }) => key === target.key)}
                onClick={() => toggle(target)}
              >
                {target.name}
              </button>
            ))}
          </div>
        </fieldset>
      )}
      <ul class="live-grid playback-grid" data-grid={shown.length > 1 ? 4 : 1}>
        {shown.map((target) => (
          <li key={target.key}>
            <RecordedWindow
              target={target}
              may={target.may}
              group={group}
              headMs={headMs}
              sound={sound && target === chosen}
              poster={
                footage.data?.rows[shown.indexOf(target)]?.clips.find(
                  ({ fromMs, toMs }) => headMs >= fromMs && headMs < toMs,
                )?.id ?? null
              }
              chosen={shown.length > 1 && target === chosen}
              onChosen={() => setChosen(target.key)}
              onVideo={(element) => {
                if (element || shown.length > 1) video.current = element;
              }}
            />
          </li>
        ))}
      </ul>
      <p role="status" class="muted empty:hidden">
        {skipped && t('playback.skipped', { from: clockOf(skipped.fromMs, zone), to: clockOf(skipped.toMs, zone) })}
      </p>
      <ProblemPanel error={recorded.error} what={t('playback.listFailed')} retry={recorded.reload} />
      <Timeline
        rows={elsewhere.length > 0 ? [...rows, site] : rows}
        day={dayRange}
        view={view}
        headMs={headMs}
        cut={cut}
        zone={zone}
        onSeek={seek}
        onView={setView}
      />
      <Transport
        playing={playing}
        speed={speed}
        sound={sound}
        clock={dayRange.toMs - dayRange.fromMs === DAY_MS ? clockOf(headMs, zone) : namedClockOf(headMs, zone)}
        name={chosen?.name ?? ''}
        headMs={headMs}
        video={() => video.current ?? document.querySelector(`video[data-key="${chosen?.key}"]`)}
        onPlay={() => (playing ? group.pause() : group.play())}
        onSpeed={(wanted) => group.setSpeed(wanted)}
        onStep={(ms) => seek(headMs + ms)}
        onPicture={(back) => group.step(back)}
        onSound={setSound}
        onMarker={markers.length > 0 ? jump : null}
      />
      <div class="flex flex-wrap items-end gap-2">
        <DayChoice day={day} zone={zone} targets={shown} choose={goTo} />
        <span class="grow" />
        <button type="button" class="btn" onClick={() => setView(zoomed(view, dayRange, 0.5, headMs))}>
          {t('playback.zoom.in')}
        </button>
        <button type="button" class="btn" onClick={() => setView(zoomed(view, dayRange, 2, headMs))}>
          {t('playback.zoom.out')}
        </button>
      </div>
      <Moment
        markers={markers}
        clips={footage.data?.rows[chosenAt]?.clips ?? []}
        headMs={headMs}
        base={base}
        zone={zone}
        onSeek={seek}
      />
      <details>
        <summary class="cursor-pointer">{t('playback.legendTitle')}</summary>
        <p class="muted small mt-1 max-w-prose">
          {t('playback.legend')} <span class="pointer-coarse:hidden">{t('playback.keys')}</span>
        </p>
      </details>
      {chosen?.may && <Cut target={chosen} headMs={headMs} cut={cut} zone={zone} onCut={setCut} />}
    </div>
  );
}

/** So much is worth to be asked for anew. */
const MORE_MS = 60_000;

/** The end of what can be there. */
const endOf = (day: Range): number => Math.min(day.toMs, Date.now());
