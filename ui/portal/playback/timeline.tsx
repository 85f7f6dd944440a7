import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../components/i18n.ts';
import { clockOf, linesOf } from './day.ts';
import type { Marker, Span } from './footage.ts';

export interface Row {
  key: string;
  name: string;
  /** Null: being listed. */
  spans: readonly Span[] | null;
  markers: readonly Marker[];
}
export interface Range {
  fromMs: number;
  toMs: number;
}
interface Props {
  rows: readonly Row[];
  day: Range;
  /** What is seen of it. */
  view: Range;
  headMs: number;
  cut: Range | null;
  zone: string | undefined;
  onSeek: (ms: number) => void;
  onView: (view: Range) => void;
}

const MIN_VIEW_MS = 5 * 60_000;
/** Narrower ones are drawn as wide as this, and near ones as one. */
const MIN_WIDTH = 0.15;
const DRAG_PX = 6;
/** A time needs so much room. */
const LINE_PX = 64;

/** The time line of a day: what was recorded, a row for each window, and what happened. */
export function Timeline({ rows, day, view, headMs, cut, zone, onSeek, onView }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const drag = useRef<{ x: number; view: Range; moved: boolean } | null>(null);
  const length = view.toMs - view.fromMs;
  const left = (ms: number) => ((ms - view.fromMs) / length) * 100;
  const [width, setWidth] = useState(320);
  useEffect(() => {
    const seen = new ResizeObserver(() => setWidth(box.current?.clientWidth ?? 0));
    seen.observe(box.current!);
    return () => seen.disconnect();
  }, []);
  const latest = useRef({ view, day, onView });
  latest.current = { view, day, onView };
  useEffect(() => {
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { view, day, onView } = latest.current;
      const rect = box.current!.getBoundingClientRect();
      const part = (event.clientX - rect.left) / rect.width;
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY))
        onView(moved(view, day, (event.deltaX / rect.width) * (view.toMs - view.fromMs)));
      else onView(zoomed(view, day, event.deltaY > 0 ? 1.25 : 0.8, view.fromMs + part * (view.toMs - view.fromMs)));
    };
    const element = box.current;
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, []);
  const at = (clientX: number) => {
    const rect = box.current!.getBoundingClientRect();
    return view.fromMs + ((clientX - rect.left) / rect.width) * length;
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.shiftKey ? 60_000 : 10_000;
    const to = {
      ArrowLeft: headMs - step,
      ArrowRight: headMs + step,
      PageUp: headMs - 600_000,
      PageDown: headMs + 600_000,
      Home: day.fromMs,
      End: day.toMs - 10_000,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onSeek(to);
  };
  return (
    <div class="timeline">
      <div
        ref={box}
        class="timeline-box"
        role="slider"
        tabIndex={0}
        aria-label={t('playback.timeline.label')}
        aria-valuemin={0}
        aria-valuemax={Math.round((day.toMs - day.fromMs) / 1000)}
        aria-valuenow={Math.round((headMs - day.fromMs) / 1000)}
        aria-valuetext={clockOf(headMs, zone)}
        onKeyDown={onKey}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          drag.current = { x: event.clientX, view, moved: false };
          box.current!.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          const from = drag.current;
          if (!from) return;
          const by = from.x - event.clientX;
          if (!from.moved && Math.abs(by) < DRAG_PX) return;
          from.moved = true;
          onView(moved(from.view, day, (by / box.current!.clientWidth) * (from.view.toMs - from.view.fromMs)));
        }}
        onPointerUp={(event) => {
          const from = drag.current;
          drag.current = null;
          if (from && !from.moved) onSeek(at(event.clientX));
        }}
        onPointerCancel={() => {
          drag.current = null;
        }}
      >
        <div class="timeline-lines" aria-hidden="true">
          {linesOf(view.fromMs, view.toMs, zone, Math.max(2, Math.floor(width / LINE_PX))).map((ms) => (
            <span key={ms} style={{ left: `${left(ms)}%` }}>
              {clockOf(ms, zone).slice(0, 5)}
            </span>
          ))}
        </div>
        {rows.map((row) => (
          <div key={row.key} class="timeline-row" data-loading={row.spans === null} title={row.name}>
            {drawn(row.spans ?? [], view).map((span) => (
              <span
                key={span.fromMs}
                class="timeline-span"
                data-kind={span.kind === 'continuous' ? 'continuous' : 'event'}
                style={{
                  left: `${left(span.fromMs)}%`,
                  width: `${Math.max(MIN_WIDTH, left(span.toMs) - left(span.fromMs))}%`,
                }}
              />
            ))}
            {row.markers
              .filter((marker) => marker.atMs >= view.fromMs && marker.atMs < view.toMs)
              .map((marker) => (
                <span
                  key={marker.eventId ?? `${marker.clipId}-${marker.atMs}`}
                  class="timeline-marker"
                  data-clip={marker.clipId !== null}
                  style={{ left: `${left(marker.atMs)}%` }}
                />
              ))}
          </div>
        ))}
        {cut && (
          <span
            class="timeline-cut"
            style={{
              left: `${left(cut.fromMs)}%`,
              width: `${Math.max(MIN_WIDTH, left(cut.toMs) - left(cut.fromMs))}%`,
            }}
          />
        )}
        <span class="timeline-head" style={{ left: `${left(headMs)}%` }} data-ms={Math.round(headMs)} />
      </div>
    </div>
  );
}

/** Of hundreds of short spans those that would be one pixel are one. */
function drawn(spans: readonly Span[], view: Range): Span[] {
  const near = ((view.toMs - view.fromMs) * MIN_WIDTH) / 100;
  const out: Span[] = [];
  for (const span of spans) {
    if (span.toMs <= view.fromMs || span.fromMs >= view.toMs) continue;
    const last = out.at(-1);
    if (last && last.kind === span.kind && span.fromMs - last.toMs < near) last.toMs = Math.max(last.toMs, span.toMs);
    else out.push({ ...span });
  }
  return out;
}

/** Moved within the day. */
export function moved(view: Range, day: Range, byMs: number): Range {
  const length = view.toMs - view.fromMs;
  const fromMs = Math.min(Math.max(day.fromMs, view.fromMs + byMs), day.toMs - length);
  return { fromMs, toMs: fromMs + length };
}

/** More of it or less, with one moment staying where it is. */
export function zoomed(view: Range, day: Range, factor: number, aroundMs: number): Range {
  const length = view.toMs - view.fromMs;
  const wanted = Math.min(day.toMs - day.fromMs, Math.max(MIN_VIEW_MS, length * factor));
  const part = Math.min(1, Math.max(0, (aroundMs - view.fromMs) / length));
  return moved({ fromMs: aroundMs - part * wanted, toMs: aroundMs + (1 - part) * wanted }, day, 0);
}
