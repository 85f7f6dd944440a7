import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import { MEDIA_CONTENT_TYPE } from '../../protocol/wire/media.ts';
import { PlaybackQuery, RecordingDays, RecordingQuery } from '../../protocol/wire/video.ts';
import { invalidRequest, problemResponse } from '../problem-response.ts';
import type { Playback } from './playback.ts';

/** Recordings of devices, for the relay: `/v1/playback` of the box's API. */
export function playbackRoutes(playback: Pick<Playback, 'search' | 'days' | 'stream' | 'file'>): Hono {
  const app = new Hono();
  const body = (c: Context) => c.req.json().catch(() => null);

  app.post('/search', async (c) => {
    const query = RecordingQuery.safeParse(await body(c));
    if (!query.success) return invalidRequest(query.error);
    const found = await playback.search(query.data, c.req.raw.signal);
    return found.ok ? c.json(found.value) : problemResponse(found.code, found.detail);
  });
  app.post('/days', async (c) => {
    const query = RecordingDays.safeParse(await body(c));
    if (!query.success) return invalidRequest(query.error);
    const { deviceId, channel, month } = query.data;
    const [year, of] = month.split('-').map(Number);
    const days = await playback.days({ deviceId, channel, year: year!, month: of! }, c.req.raw.signal);
    return days.ok ? c.json({ days: days.value }) : problemResponse(days.code, days.detail);
  });
  for (const [path, type] of [
    ['stream', MEDIA_CONTENT_TYPE],
    ['file', 'video/mp4'],
  ] as const) {
    app.get(`/${path}`, async (c) => {
      const query = PlaybackQuery.safeParse(c.req.query());
      if (!query.success) return invalidRequest(query.error as z.ZodError);
      const played = await playback[path](query.data, c.req.raw.signal);
      if (!played.ok) return problemResponse(played.code, played.detail);
      return new Response(played.value, { headers: { 'content-type': type, 'cache-control': 'no-store' } });
    });
  }
  return app;
}
