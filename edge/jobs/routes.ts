import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Clock } from '../../protocol/clock.ts';
import { CreateJob, type JobItem, type JobMessage } from '../../protocol/wire/jobs.ts';
import { invalidRequest, problemResponse } from '../problem-response.ts';
import type { Jobs } from './jobs.ts';

/** Between two messages of a stream; what changes meanwhile is told once. */
const TELL_EVERY_MS = 200;
const HEARTBEAT_MS = 15_000;
const MAX_STREAMS = 32;

/** The part of the box's API that is about jobs (protocol/wire/jobs.ts), under `/v1/jobs`. */
export function jobRoutes({ jobs, clock }: { jobs: Jobs; clock: Clock }): Hono {
  const app = new Hono();
  let streams = 0;

  app.get('/', (c) => c.json({ items: jobs.list() }));
  app.post('/', async (c) => {
    const wanted = CreateJob.safeParse(await c.req.json().catch(() => null));
    if (!wanted.success) return invalidRequest(wanted.error);
    const made = jobs.create(wanted.data);
    return made.ok ? c.json(made.job) : problemResponse(made.code, made.detail, made.errors);
  });
  app.get('/:id', (c) => {
    const job = jobs.get(c.req.param('id'));
    return job ? c.json(job) : problemResponse('not-found', 'This box has no such job.');
  });
  app.get('/:id/events', (c) => {
    const id = c.req.param('id');
    if (!jobs.get(id)) return problemResponse('not-found', 'This box has no such job.');
    if (streams >= MAX_STREAMS) return problemResponse('too-many-requests', 'Too many pages look at jobs of this box.');
    streams++;
    return streamSSE(c, async (stream) => {
      const changed = new Map<string, JobItem>();
      let ended = jobs.get(id)?.state === 'done';
      let wake = () => {};
      let tick: Promise<void> = Promise.resolve();
      let beat = false;
      const off = [
        jobs.onChange((change) => {
          if (change.jobId !== id) return;
          changed.set(change.item.key, structuredClone(change.item));
          ended ||= change.ended;
          wake();
        }),
        clock.every(HEARTBEAT_MS, () => {
          beat = true;
          wake();
        }),
      ];
      stream.onAbort(() => wake());
      const send = ({ event, data }: JobMessage) => stream.writeSSE({ event, data: JSON.stringify(data) });
      const whole = async () => {
        const job = jobs.get(id);
        if (job) await send({ event: 'job', data: job });
      };
      try {
        await whole();
        while (!ended && !stream.aborted) {
          if (changed.size === 0 && !beat) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
            continue;
          }
          await tick;
          if (beat) await stream.write(':\n\n');
          beat = false;
          for (const [key, item] of changed) {
            changed.delete(key);
            await send({ event: 'item', data: item });
          }
          tick = clock.sleep(TELL_EVERY_MS);
        }
        if (!stream.aborted && changed.size + Number(ended) > 0) await whole();
      } finally {
        for (const release of off) release();
        streams--;
      }
    });
  });
  return app;
}
