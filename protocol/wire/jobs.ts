import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';

/*
 * Long work of a box on many devices. It survives a restart of the box and a closed browser; the box is the source of what is
 * known about it. The box's API, asked through the tunnel:
 *
 *   GET  /v1/jobs               → JobList
 *   POST /v1/jobs   CreateJob   → Job          `items` as the kind's runner wants them; the same id again changes nothing
 *   GET  /v1/jobs/{id}          → Job
 *   GET  /v1/jobs/{id}/events   → server-sent events, see JobMessage
 *
 * The portal's API has the same under `/api/v1/sites/{siteId}/jobs`.
 */

export const JOB_KINDS = ['initialise', 'upgrade', 'cloud'] as const;
export const JobKind = z.enum(JOB_KINDS);
export type JobKind = z.infer<typeof JobKind>;

/** Finished jobs beyond this number are forgotten, the oldest first. */
export const MAX_JOBS = 50;
export const MAX_JOB_ITEMS = 256;

/** `warning`: done, but a person should know something; `failed` ends in the item's failure, `skipped` does not apply. */
export const StepState = z.enum(['waiting', 'running', 'done', 'skipped', 'warning', 'failed']);
export type StepState = z.infer<typeof StepState>;
export const JobStep = z.object({
  /** Its name; pages tell it by `jobs.step.{step}`. */
  step: z.string().max(40),
  state: StepState,
  percent: z.number().min(0).max(100).nullable(),
  /** A stable word for what happened; where the device failed, the code of the problem. */
  code: z.string().max(40).nullable(),
  /** A sentence for a person: what happened and what to do. */
  text: z.string().max(400).nullable(),
  /** When it came into this state. */
  at: Instant.nullable(),
});
export type JobStep = z.infer<typeof JobStep>;

export const ItemState = z.enum(['waiting', 'running', 'done', 'failed']);
export type ItemState = z.infer<typeof ItemState>;
export const JobItem = z.object({
  /** MAC or device id; once in a job. */
  key: z.string().max(64),
  name: z.string().max(128),
  state: ItemState,
  steps: z.array(JobStep).max(32),
});
export type JobItem = z.infer<typeof JobItem>;

export const JobSummary = z.object({
  id: Uuid,
  kind: JobKind,
  /** Whatever its maker wanted to find it by; the relay's site id. */
  siteNote: z.string().max(64).nullable(),
  state: z.enum(['running', 'done']),
  createdAt: Instant,
  endedAt: Instant.nullable(),
  /** Items by their state. */
  counts: z.object({ waiting: z.int(), running: z.int(), done: z.int(), failed: z.int() }),
});
export type JobSummary = z.infer<typeof JobSummary>;
export const Job = JobSummary.omit({ counts: true }).extend({ items: z.array(JobItem).max(MAX_JOB_ITEMS) });
export type Job = z.infer<typeof Job>;
/** Newest first. */
export const JobList = z.object({ items: z.array(JobSummary).max(MAX_JOBS) });
export type JobList = z.infer<typeof JobList>;

export const CreateJob = z.object({
  id: Uuid.optional(),
  kind: JobKind,
  siteNote: z.string().max(64).nullable().default(null),
  items: z.array(z.unknown()).min(1).max(MAX_JOB_ITEMS),
});
export type CreateJob = z.input<typeof CreateJob>;

/**
 * `job` comes first, whole, and again when it ends (then the stream closes); `item` is the whole item whenever something about it
 * changed, at most a few times a second.
 */
export const JobMessage = z.discriminatedUnion('event', [
  z.object({ event: z.literal('job'), data: Job }),
  z.object({ event: z.literal('item'), data: JobItem }),
]);
export type JobMessage = z.infer<typeof JobMessage>;
