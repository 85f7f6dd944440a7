import { Hono } from 'hono';
import { Uuid } from '../../protocol/wire/ids.ts';
import { invalidRequest, problemResponse } from '../problem-response.ts';
import type { Recorder } from './recorder.ts';

/**
 * `POST /{clipId}/send` → `{fragments}`: a clip whose report says `held` goes to the relay. Its report says `ended` from then
 * on, or `incomplete`.
 */
export function clipRoutes(recorder: Pick<Recorder, 'send'>): Hono {
  const app = new Hono();
  app.post('/:clipId/send', (c) => {
    const clipId = Uuid.safeParse(c.req.param('clipId'));
    if (!clipId.success) return invalidRequest(clipId.error);
    const sent = recorder.send(clipId.data);
    return sent.ok ? c.json({ fragments: sent.fragments }) : problemResponse(sent.code, sent.text);
  });
  return app;
}
