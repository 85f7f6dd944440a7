import type { Recording } from '../../../protocol/wire/video.ts';
import { api } from '../session.ts';

export interface Span {
  fromMs: number;
  toMs: number;
  kind: Recording['kind'];
}
/** Something to go to. */
export interface Marker {
  atMs: number;
  toMs: number;
  /** Of a clip in the cloud; null: an event without one. */
  clipId: string | null;
  type: string | null;
}

const MAX_PAGES = 5;
/** So near, one is there already. */
const HERE_MS = 1_500;

/** What the device recorded in that time, files that follow one another as one. */
export async function recordedSpans(
  deviceId: string,
  channel: number,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<Span[]> {
  const { items } = await api.get('/devices/{deviceId}/channels/{channel}/recordings', {
    params: { deviceId, channel: String(channel) },
    query: { from: iso(fromMs), to: iso(toMs) },
    signal,
  });
  return joined(items.map(({ from, to, kind }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to), kind })));
}

export function joined(spans: readonly Span[], nearMs = 2_000): Span[] {
  const out: Span[] = [];
  for (const span of spans) {
    const last = out.at(-1);
    if (last && last.kind === span.kind && span.fromMs - last.toMs <= nearMs)
      last.toMs = Math.max(last.toMs, span.toMs);
    else out.push({ ...span });
  }
  return out;
}

/** Clips of events that the cloud has of this channel, each at its first event. */
export async function cloudMarkers(
  siteId: string,
  deviceId: string,
  channel: number,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<Marker[]> {
  const markers: Marker[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await api.get('/sites/{siteId}/clips', {
      params: { siteId },
      query: { deviceId, channel, from: iso(fromMs), to: iso(toMs), cursor, limit: 200 },
      signal,
    });
    for (const clip of found.items) {
      if (clip.kind === 'continuous') continue;
      const startMs = Date.parse(clip.startedAt);
      const [event] = clip.events;
      const atMs = event ? Date.parse(event.occurredAt) : startMs;
      markers.push({ atMs, toMs: startMs + clip.durationMs, clipId: clip.id, type: event?.type ?? null });
    }
    if (!found.nextCursor) break;
    cursor = found.nextCursor;
  }
  return markers.sort((a, b) => a.atMs - b.atMs);
}

/** The next one after a moment, or the last one before it. */
export function nextMarker(markers: readonly Marker[], atMs: number, back: boolean): Marker | null {
  return back
    ? (markers.filter((marker) => marker.atMs < atMs - HERE_MS).at(-1) ?? null)
    : (markers.find((marker) => marker.atMs > atMs + HERE_MS) ?? null);
}

const iso = (ms: number): string => new Date(ms).toISOString();
