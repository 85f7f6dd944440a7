import type { z } from 'zod';
import type { JobKind, JobStep, StepState } from '../../protocol/wire/jobs.ts';

export interface StepMore {
  percent?: number | null;
  code?: string | null;
  text?: string | null;
}

/** What a runner tells of one item, and what is remembered of it over a restart. */
export interface ItemProgress {
  /** On disk when it returns, unless only the percentage is new. An unknown step is added at the end. */
  step(name: string, state: StepState, more?: StepMore): void;
  /** As kept: at a second run after a restart, a step that still says `running` is the one in which the box went down. */
  steps(): readonly JobStep[];
  /** A better name became known. */
  rename(name: string): void;
  /** Small facts for a second run, encrypted on disk; undefined until set. */
  note<T>(): T | undefined;
  remember(note: unknown): void;
}

/**
 * Work of one kind. `I` is what comes with each item, passwords included; it is kept encrypted until the item has ended.
 * An item that was not finished when the box went down is run again: steps that are done must not be done twice, and
 * whatever a step does must be safe to do again.
 */
export interface JobRunner<I> {
  readonly kind: JobKind;
  /** Checks what a job is made of. */
  readonly item: z.ZodType<I>;
  /** Items under way at a time, over all jobs of this kind. */
  readonly atOnce: number;
  /** `key`: no two jobs work on the same one at a time. */
  describe(item: I): { key: string; name: string; steps: string[] };
  run(item: I, progress: ItemProgress, signal: AbortSignal): Promise<'done' | 'failed'>;
}
