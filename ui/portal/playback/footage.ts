import type { EventType } from '../../../protocol/wire/event.ts';
import type { Recording } from '../../../protocol/wire/video.ts';
import { keyOf } from '../live/targets.ts';
import { api } from '../session.ts';

export interface Span {
  fromMs: number;
  toMs: number;
  kind: Recording['kind'];
}
/** Something to go to. */
export interface Marker {
  atMs: number;
  type: EventType | null;
  /** Null: a clip of something that is in no list of events. */
  eventId: string | null;
  clipId: string | null;
  /** Of the device, where it is not the one of the row. */
  name: string | null;
}
/** Of any device of the site. */
export interface SiteMarker extends Marker {
  /** Of its channel; empty: the site's. */
  key: string;
}
/** What the cloud has of a channel. */
export interface CloudClip {
  id: string;
  fromMs: number;
  toMs: number;
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

/** What happened in that time: of a site, or of one channel of it. */
export async function eventMarkers(
  siteId: string,
  fromMs: number,
  toMs: number,
  of: { deviceId: string; channel: number } | null,
  signal: AbortSignal,
): Promise<SiteMarker[]> {
  const found = await pages((cursor) =>
    api.get('/sites/{siteId}/events', {
      params: { siteId },
      query: { ...of, from: iso(fromMs), to: iso(toMs), cursor, limit: 200 },
      signal,
    }),
  );
  return found.map(({ id, occurredAt, type, clip, deviceId, deviceName, channel }) => ({
    atMs: Date.parse(occurredAt),
    type,
    eventId: id,
    clipId: clip?.id ?? null,
    name: deviceName,
    key: deviceId === null ? '' : keyOf(deviceId, channel ?? 1),
  }));
}

/** Clips that the cloud has of this channel. */
export async function cloudClips(
  siteId: string,
  deviceId: string,
  channel: number,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<{ clips: CloudClip[]; markers: Marker[] }> {
  const found = await pages((cursor) =>
    api.get('/sites/{siteId}/clips', {
      params: { siteId },
      query: { deviceId, channel, from: iso(fromMs), to: iso(toMs), cursor, limit: 200 },
      signal,
    }),
  );
  const clips: CloudClip[] = [];
  const markers: Marker[] = [];
  for (const { id, startedAt, durationMs, storedFragments, events, kind } of found) {
    const startMs = Date.parse(startedAt);
    if (storedFragments > 0) clips.push({ id, fromMs: startMs, toMs: startMs + durationMs });
    const none = kind === 'continuous' ? [] : [{ id: null, type: null, occurredAt: startedAt }];
    for (const event of events.length > 0 ? events : none)
      markers.push({
        atMs: Date.parse(event.occurredAt),
        type: event.type,
        eventId: event.id,
        clipId: id,
        name: null,
      });
  }
  return { clips, markers };
}

async function pages<T>(get: (cursor?: string) => Promise<{ items: T[]; nextCursor: string | null }>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await get(cursor);
    items.push(...found.items);
    if (!found.nextCursor) break;
    cursor = found.nextCursor;
  }
  return items;
}

/** Both lists as one, in order of time; what stands in both, once and with its clip. */
export function mergedMarkers(events: readonly Marker[], clips: readonly Marker[]): Marker[] {
  const known = new Map(events.map((marker) => [marker.eventId, marker]));
  const further = clips.filter(({ eventId }) => eventId === null || !known.has(eventId));
  const clipOf = new Map(clips.map(({ eventId, clipId }) => [eventId, clipId]));
  const own = events.map((marker) => ({ ...marker, clipId: marker.clipId ?? clipOf.get(marker.eventId) ?? null }));
  return [...own, ...further].sort((a, b) => a.atMs - b.atMs);
}

/** Days of a month on which any of these channels was recorded; null: no device says. */
export async function recordedDays(
  channels: readonly { device: { id: string }; channel: number; may: boolean }[],
  month: string,
  signal: AbortSignal,
): Promise<Set<number> | null> {
  const answers = await Promise.all(
    channels
      .filter(({ may }) => may)
      .map(({ device, channel }) =>
        api
          .get('/devices/{deviceId}/channels/{channel}/recordings/days', {
            params: { deviceId: device.id, channel: String(channel) },
            query: { month },
            signal,
          })
          .catch(() => null),
      ),
  );
  const told = answers.filter((answer) => answer !== null);
  return told.length > 0 ? new Set(told.flatMap(({ days }) => days)) : null;
}

/** The next one after a moment, or the last one before it. */
export function nextMarker(markers: readonly Marker[], atMs: number, back: boolean): Marker | null {
  return back
    ? (markers.filter((marker) => marker.atMs < atMs - HERE_MS).at(-1) ?? null)
    : (markers.find((marker) => marker.atMs > atMs + HERE_MS) ?? null);
}

const iso = (ms: number): string => new Date(ms).toISOString();
