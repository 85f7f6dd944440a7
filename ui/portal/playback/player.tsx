import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { MAX_PLAYBACK_WINDOWS } from '../../../protocol/wire/video.ts';
import { t } from '../../components/i18n.ts';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import type { LiveTarget } from '../live/targets.ts';
import { Cut } from './cut.tsx';
import { clockOf, dayAfter, dayOf, startOf } from './day.ts';
import { cloudMarkers, nextMarker, recordedSpans } from './footage.ts';
import { InStep } from './in-step.ts';
import { RecordedWindow } from './recorded-window.tsx';
import { type Range, Timeline, zoomed } from './timeline.tsx';
import { Transport } from './transport.tsx';

interface Props {
  targets: readonly LiveTarget[];
  zone: string | undefined;
}

/** Up to four windows in step, and the time line of a day under them. Where it stands, stands in the page's address. */
export function Player({ targets, zone }: Props) {
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
    () => new InStep({ headMs: startMs, toMs: endOf(dayRange), onChange: () => setTurn((n) => n + 1) }),
    [],
  );
  const video = useRef<HTMLVideoElement | null>(null);
  useEffect(() => {
    group.start();
    return () => group.stop();
  }, []);
  const { headMs, playing, speed } = group.state;

  const keys = shown.map((target) => target.key).join();
  const footage = useResource(
    (signal) =>
      Promise.all(
        shown.map(async ({ device, channel, site, may }) => {
          if (!may) return { spans: [], markers: [] };
          const of = [device.id, channel, dayRange.fromMs, endOf(dayRange), signal] as const;
          const none = () => [];
          // What the cloud has is there for convenience: a device that cannot be asked is what counts.
          const [spans, markers] = await Promise.all([recordedSpans(...of), cloudMarkers(site.id, ...of).catch(none)]);
          return { spans, markers };
        }),
      ),
    [keys, day],
  );
  const rows = shown.map(({ key, name }, i) => ({
    ...{ key, name, spans: footage.data?.[i]?.spans ?? null, markers: footage.data?.[i]?.markers ?? [] },
  }));
  const address = (change: Record<string, string>) => `${path}?${new URLSearchParams({ ...query, ...change })}`;
  const remember = (ms: number) => route(address({ show: keys, at: new Date(ms).toISOString() }), true);

  const seek = (ms: number) => {
    const to = Math.min(Math.max(ms, dayRange.fromMs), endOf(dayRange) - 1_000);
    group.seek(to, endOf(dayRange));
    if (to < view.fromMs || to > view.toMs) setView(zoomed(view, dayRange, 1, to));
    remember(to);
  };
  const goTo = (next: string, ms?: number) => {
    const fromMs = startOf(next, zone);
    if (fromMs === null || fromMs > Date.now()) return;
    const range = { fromMs, toMs: startOf(dayAfter(next, 1), zone)! };
    const to = Math.min(ms ?? fromMs + (headMs - dayRange.fromMs), endOf(range) - 60_000);
    setDay(next);
    setCut(null);
    setView(zoomed(range, range, (view.toMs - view.fromMs) / (range.toMs - range.fromMs), to));
    group.seek(to, endOf(range));
    remember(to);
  };
  const jump = (back: boolean) => {
    const row = rows.find(({ key }) => key === chosen?.key);
    const marker = nextMarker(row?.markers ?? [], headMs, back);
    if (marker) seek(marker.atMs - 5_000);
  };
  const toggle = (target: LiveTarget) => {
    const has = shown.some(({ key }) => key === target.key);
    const next = has ? shown.filter(({ key }) => key !== target.key) : [...shown, target].slice(-MAX_PLAYBACK_WINDOWS);
    if (next.length > 0) route(address({ show: next.map(({ key }) => key).join() }), true);
  };
  return (
    <div class="flex flex-col gap-4">
      {targets.length > 1 && (
        <fieldset class="flex flex-wrap gap-2">
          <legend class="label">{t('playback.channels', { count: MAX_PLAYBACK_WINDOWS })}</legend>
          {targets.map((target) => (
            <button
              key={target.key}
              type="button"
              class="btn"
              aria-pressed={shown.some(({ key }) => key === target.key)}
              onClick={() => toggle(target)}
            >
              {target.name}
            </button>
          ))}
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
              chosen={shown.length > 1 && target === chosen}
              onChosen={() => setChosen(target.key)}
              onVideo={(element) => {
                if (element || shown.length > 1) video.current = element;
              }}
            />
          </li>
        ))}
      </ul>
      <Transport
        playing={playing}
        speed={speed}
        sound={sound}
        clock={clockOf(headMs, zone)}
        name={chosen?.name ?? ''}
        headMs={headMs}
        video={() => video.current ?? document.querySelector(`video[data-key="${chosen?.key}"]`)}
        onPlay={() => (playing ? group.pause() : group.play())}
        onSpeed={(wanted) => group.setSpeed(wanted)}
        onStep={(ms) => seek(headMs + ms)}
        onSound={setSound}
        onMarker={rows.some(({ markers }) => markers.length > 0) ? jump : null}
      />
      <div class="flex flex-wrap items-end gap-2">
        <button type="button" class="btn" onClick={() => goTo(dayAfter(day, -1))}>
          {t('playback.day.before')}
        </button>
        <label class="flex flex-col gap-1">
          <span class="label">{t('playback.day.label')}</span>
          <input
            class="input w-44"
            type="date"
            value={day}
            max={dayOf(Date.now(), zone)}
            onChange={(event) => goTo(event.currentTarget.value)}
          />
        </label>
        <button
          type="button"
          class="btn"
          disabled={day === dayOf(Date.now(), zone)}
          onClick={() => goTo(dayAfter(day, 1))}
        >
          {t('playback.day.after')}
        </button>
        <span class="grow" />
        <button type="button" class="btn" onClick={() => setView(zoomed(view, dayRange, 0.5, headMs))}>
          {t('playback.zoom.in')}
        </button>
        <button type="button" class="btn" onClick={() => setView(zoomed(view, dayRange, 2, headMs))}>
          {t('playback.zoom.out')}
        </button>
      </div>
      <ProblemPanel error={footage.error} what={t('playback.listFailed')} retry={footage.reload} />
      <Timeline
        rows={rows}
        day={dayRange}
        view={view}
        headMs={headMs}
        cut={cut}
        zone={zone}
        onSeek={seek}
        onView={setView}
      />
      <p class="muted small">{t('playback.legend')}</p>
      {chosen?.may && <Cut target={chosen} headMs={headMs} cut={cut} zone={zone} onCut={setCut} />}
    </div>
  );
}

/** The end of what can be there. */
const endOf = (day: Range): number => Math.min(day.toMs, Date.now());
