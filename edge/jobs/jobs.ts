import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import {
  type CreateJob,
  type Job,
  type JobItem,
  type JobKind,
  type JobStep,
  type JobSummary,
  MAX_JOB_ITEMS,
  MAX_JOBS,
  type StepState,
} from '../../protocol/wire/jobs.ts';
import type { Problem, ProblemCode } from '../../protocol/wire/problem.ts';
import { type ItemRow, JobStore } from './store.ts';
import type { ItemProgress, JobRunner, StepMore } from './types.ts';

/** An item that was under way at so many ends of the box is not begun again: it may be what ends it. */
const MAX_RUNS = 5;
const MAX_TEXT = 400;
const MAX_STEPS = 32;

type Refused = { ok: false; code: ProblemCode; detail: string; errors?: Problem['errors'] };
export type JobChange = { jobId: string; item: JobItem; ended: boolean };

/**
 * Durable jobs: many devices, so many at a time, each with a list of steps. Every step is on disk before the next begins, so
 * that a box that is killed goes on where it was.
 */
export class Jobs {
  readonly #store: JobStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  // biome-ignore lint/suspicious/noExplicitAny: each runner checks what its own items are made of
  readonly #runners = new Map<JobKind, JobRunner<any>>();
  readonly #running = new Map<number, { jobId: string; kind: JobKind; item: JobItem; end: Promise<void> }>();
  readonly #listeners = new Set<(change: JobChange) => void>();
  #abort = new AbortController();
  #started = false;

  constructor(o: { path: string; key: Buffer; clock: Clock; log: Logger }) {
    this.#store = new JobStore({ path: o.path, key: o.key });
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'jobs' });
  }

  /** Before {@link start}. */
  register<I>(runner: JobRunner<I>): void {
    this.#runners.set(runner.kind, runner);
  }

  /** Takes up what was not finished. */
  start(signal?: AbortSignal): void {
    if (!this.#store.open()) this.#log.error('the jobs on disk were damaged: they are set aside and forgotten');
    this.#started = true;
    this.#abort = new AbortController();
    signal?.addEventListener('abort', () => void this.stop());
    this.#fill();
  }

  /** What is under way is left as it is, for the next start. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    this.#abort.abort();
    await Promise.all([...this.#running.values()].map(({ end }) => end));
    this.#store.close();
  }

  create(wanted: CreateJob): { ok: true; job: Job } | Refused {
    const refuse = (code: ProblemCode, detail: string, errors?: Problem['errors']): Refused => ({
      ok: false,
      code,
      detail,
      ...(errors && { errors }),
    });
    const known = wanted.id ? this.#store.get(wanted.id) : null;
    if (known) return { ok: true, job: known };
    const runner = this.#runners.get(wanted.kind);
    if (!runner) return refuse('invalid-request', `This box does not do “${wanted.kind}”.`);
    if (wanted.items.length > MAX_JOB_ITEMS)
      return refuse('limit-reached', `One job takes ${MAX_JOB_ITEMS} devices: make several.`);
    const items = new Map<string, { key: string; name: string; steps: JobStep[]; secret: unknown }>();
    for (const [i, raw] of wanted.items.entries()) {
      const read = runner.item.safeParse(raw);
      if (!read.success) {
        const errors = read.error.issues.map((e) => ({ path: ['items', i, ...e.path].join('.'), message: e.message }));
        return refuse('invalid-request', `Device ${i + 1} of the job is not valid.`, errors);
      }
      const { key, name, steps } = runner.describe(read.data);
      if (items.has(key)) return refuse('invalid-request', `${name} stands twice in the job.`);
      items.set(key, { key, name: name.slice(0, 128), steps: steps.map(waiting), secret: read.data });
    }
    const busy = this.#store.busy([...items.keys()]).map((key) => items.get(key)?.name);
    if (busy.length > 0)
      return refuse('conflict', `Another job is at work on ${busy.slice(0, 5).join(', ')}: wait until it has ended.`);
    if (this.#store.running() >= MAX_JOBS)
      return refuse('limit-reached', `${MAX_JOBS} jobs are under way: wait until one has ended.`);
    const id = wanted.id ?? uuidv7(this.#clock.now());
    try {
      const job = { id, kind: wanted.kind, siteNote: wanted.siteNote ?? null, createdMs: this.#clock.now() };
      this.#store.insert(job, [...items.values()], MAX_JOBS);
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_FULL') throw error;
      return refuse('storage-full', 'The disk of the box is full: make room first.');
    }
    this.#log.info({ job: id, kind: wanted.kind, items: items.size }, 'job made');
    this.#fill();
    return { ok: true, job: this.get(id) as Job };
  }

  get(id: string): Job | null {
    const job = this.#store.get(id);
    if (!job) return null;
    // What runs is known better here: percentages are not written to disk.
    const live = new Map([...this.#running.values()].flatMap((r) => (r.jobId === id ? [[r.item.key, r.item]] : [])));
    return { ...job, items: job.items.map((item) => structuredClone(live.get(item.key) ?? item)) };
  }

  list(): JobSummary[] {
    return this.#store.list();
  }

  onChange(fn: (change: JobChange) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  #fill(): void {
    for (const [kind, runner] of this.#runners) {
      let running = [...this.#running.values()].filter((one) => one.kind === kind).length;
      while (this.#started && running < runner.atOnce) {
        const row = this.#store.take(kind);
        if (!row) break;
        running++;
        this.#begin(row, runner);
      }
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above
  #begin(row: ItemRow, runner: JobRunner<any>): void {
    const item: JobItem = { key: row.key, name: row.name, state: 'running', steps: JSON.parse(row.steps) };
    const entry = { jobId: row.jobId, kind: row.kind, item, end: Promise.resolve() };
    this.#running.set(row.seq, entry);
    this.#tell(row.jobId, item, false);
    entry.end = this.#run(row, runner, item).finally(() => {
      this.#running.delete(row.seq);
      this.#fill();
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above
  async #run(row: ItemRow, runner: JobRunner<any>, item: JobItem): Promise<void> {
    const log = { job: row.jobId, kind: row.kind, item: row.key };
    let result: 'done' | 'failed' = 'failed';
    const { signal } = this.#abort;
    const progress = this.#progress(row, item);
    try {
      if (row.runs > MAX_RUNS) {
        const text = `The box went down ${MAX_RUNS} times while it worked on this device, so it leaves it alone now.`;
        progress.step(current(item), 'failed', { code: 'interrupted', text });
      } else result = await runner.run(this.#store.secretOf(row), progress, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#log.error({ ...log, err: error }, 'a bug ended the work on a device');
      const text = 'Something broke inside the box while it worked on this device. Try again.';
      progress.step(current(item), 'failed', { code: 'internal-error', text });
      for (const { step, state } of progress.steps()) if (state === 'waiting') progress.step(step, 'skipped');
    }
    // The box stops: this is no end, the item is taken up at the next start.
    if (signal.aborted) return;
    item.state = result;
    let ended = false;
    this.#write(() => {
      ended = this.#store.endItem(row, result, item.steps, this.#clock.now());
    });
    this.#log.info({ ...log, result }, 'work on a device ended');
    this.#tell(row.jobId, item, ended);
  }

  #progress(row: ItemRow, item: JobItem): ItemProgress {
    const save = () => {
      this.#write(() => this.#store.saveItem(row.seq, item));
      this.#tell(row.jobId, item, false);
    };
    let note: { of: unknown } | null = null;
    return {
      steps: () => structuredClone(item.steps),
      step: (name: string, state: StepState, more: StepMore = {}) => {
        if (this.#abort.signal.aborted) return;
        let step = item.steps.find((one) => one.step === name);
        if (!step) {
          if (item.steps.length >= MAX_STEPS) return;
          step = waiting(name);
          item.steps.push(step);
        }
        const { percent = null, code = null, text = null } = more;
        const cut = text === null || text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
        const same = step.state === state && step.code === code && step.text === cut;
        Object.assign(step, { state, percent, code, text: cut });
        if (same) return this.#tell(row.jobId, item, false);
        step.at = iso(this.#clock.now());
        save();
      },
      rename: (name) => {
        item.name = name.slice(0, 128);
        save();
      },
      note: <T>() => {
        note ??= { of: this.#store.noteOf(row) };
        return note.of as T | undefined;
      },
      remember: (value) => {
        note = { of: value };
        this.#write(() => this.#store.saveNote(row, value));
      },
    };
  }

  /** On a full disk the work goes on: a restart then repeats more of it, and every step may be repeated. */
  #write(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_FULL') throw error;
      this.#log.warn('the disk is full: the progress of a job could not be written');
    }
  }

  #tell(jobId: string, item: JobItem, ended: boolean): void {
    for (const fn of this.#listeners) fn({ jobId, item, ended });
  }
}

const waiting = (step: string): JobStep => ({
  step,
  state: 'waiting',
  percent: null,
  code: null,
  text: null,
  at: null,
});

/** The step in which the item is. */
function current(item: JobItem): string {
  const open = item.steps.find((s) => s.state === 'running') ?? item.steps.find((s) => s.state === 'waiting');
  return open?.step ?? 'end';
}
