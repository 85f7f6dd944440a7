import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { PullError } from '../video/pull.ts';
import type { Pull, SpanWays } from './span-download.ts';
import type { RecordedPicture } from './span-pull.ts';

/** Times of files are whole seconds; of fast play, the next group would be behind the end. */
const LAST_MS = 1_200;
/** A file is asked once more rather than ended without its last second. */
const LAST_OF_FILE_MS = 400;
/** Of fast play, until two key frames tell how far they are apart. */
const UNKNOWN_GROUP_MS = 5_000;
const LAST_GROUP_MS = 10_000;
/** Less is none: the same group again. */
const PROGRESS_MS = 1_000;
/** Until it is asked again, after it brought nothing new. */
const WAITS_MS = [300, 1_000, 3_000] as const;
/** Pictures further apart have something missing between them. */
const GAP_MS = 10_000;
const PICTURE_TICKS = 3_600;
/** Another session may bring what this one did not. */
const PASSING: readonly string[] = ['closed', 'stalled', 'timeout', 'unreachable', 'busy', 'protocol'];

export interface LastingPullOptions {
  ways: SpanWays;
  /** One session of it. */
  make: (ways: SpanWays) => Pull;
  clock: Clock;
  log: Logger;
  /** Of a file: what is missing takes as long as it was. */
  file: boolean;
  onGap: (toMs: number) => void;
}

/**
 * Plays one span in as many sessions as it takes: recorders end them in the middle (a BYE, TEARDOWN, a connection that is
 * reset, silence), and the next one begins at the key frame before where the last one broke off. What was shown already
 * is decoded again and not seen. Nothing new three times in a row ends it.
 */
export class LastingPull implements Pull {
  readonly #o: LastingPullOptions;
  #pull: Pull | null = null;
  #held = false;
  #speed: number;
  #last: RecordedPicture | null = null;
  /** From the session's own place to the one that is shown; null: it shows again what was shown. */
  #shift: number | null = 0;
  #soundMs = Number.NEGATIVE_INFINITY;
  /** Between the last two pictures. */
  #stepMs = 0;

  constructor(options: LastingPullOptions) {
    this.#o = options;
    this.#speed = options.ways.speed;
  }

  get shownTo(): number | null {
    return this.#last ? this.#last.shown + PICTURE_TICKS : null;
  }

  hold(): void {
    this.#held = true;
    this.#pull?.hold();
  }
  release(): void {
    this.#held = false;
    this.#pull?.release();
  }

  /** null: it was played to its end, or the device has no more of it. */
  async run(signal: AbortSignal): Promise<PullError | null> {
    const { ways, clock, log } = this.#o;
    let { span } = ways;
    for (let idle = 0; ; ) {
      const before = this.#last?.recordedMs ?? Number.NEGATIVE_INFINITY;
      const end = await this.#once({ ...ways, span }, signal);
      if (signal.aborted) return end ?? new PullError('stopped', 'nobody waits for it any more');
      const last = this.#last;
      if (!last) {
        const again = this.#otherwise(end, span.uri !== undefined);
        if (!again) return end;
        if (again === 'by time') span = { ...span, uri: undefined };
        continue;
      }
      const most = this.#lastMs;
      if (last.recordedMs > span.toMs - most && (end === null || PASSING.includes(end.code))) return null;
      if (end && !PASSING.includes(end.code) && end.code !== 'not-found') return end;
      const moved = last.recordedMs - before >= PROGRESS_MS;
      // It says twice that this was all of it; fast, some say it by silence.
      const over = end === null || end.code === 'not-found' || (end.code === 'stalled' && this.#speed > 1);
      if (!moved && over) return null;
      idle = moved ? 0 : idle + 1;
      const waitMs = WAITS_MS[idle];
      if (waitMs === undefined) return end;
      log.info(
        { code: end?.code ?? 'ended', reason: end?.message, atMs: last.recordedMs },
        'playback goes on after a break',
      );
      await clock.sleep(waitMs, signal);
      if (signal.aborted) return new PullError('stopped', 'nobody waits for it any more');
      span = { ...span, fromMs: last.recordedMs };
      this.#shift = null;
    }
  }

  /** So near to the end a last picture may be. */
  get #lastMs(): number {
    const least = this.#o.file ? LAST_OF_FILE_MS : this.#speed > 1 && this.#stepMs === 0 ? UNKNOWN_GROUP_MS : LAST_MS;
    return Math.min(LAST_GROUP_MS, Math.max(least, this.#stepMs * 1.2));
  }

  /** A device that gives nothing at all may give it in another way. */
  #otherwise(end: PullError | null, told: boolean): 'by time' | 'at its own speed' | null {
    // 404, 400 or 454: it does not play what it told itself, and may by time alone.
    if (told && (end?.code === 'not-found' || end?.code === 'protocol')) return 'by time';
    if (this.#speed === 1 || !end || !['protocol', 'closed', 'stalled', 'timeout'].includes(end.code)) return null;
    this.#granted(1);
    return 'at its own speed';
  }

  #granted(speed: number): void {
    this.#speed = speed;
    this.#o.ways.onSpeed(speed);
  }

  #once(ways: SpanWays, signal: AbortSignal): Promise<PullError | null> {
    const pull = this.#o.make({
      ...ways,
      speed: this.#speed,
      shown: this.shownTo ?? ways.shown,
      onPicture: (picture) => this.#picture(picture),
      onSpeed: (speed) => this.#granted(speed),
      onSound: (frame, recordedMs) => {
        if (this.#shift === null || recordedMs <= this.#soundMs) return;
        this.#soundMs = recordedMs;
        ways.onSound(frame, recordedMs);
      },
    });
    this.#pull = pull;
    if (this.#held) pull.hold();
    return pull.run(signal);
  }

  #picture(picture: RecordedPicture): void {
    const last = this.#last;
    const { ways, file, onGap } = this.#o;
    if (this.#shift === null && last) {
      const aheadMs = picture.recordedMs - last.recordedMs;
      if (aheadMs <= 0) {
        // One tick is no time to be seen in, and those that follow need it.
        const unit = { ...picture.unit, compositionOffset: 0 };
        const again = { recordedMs: last.recordedMs, shown: last.shown + 1, unit };
        this.#last = again;
        ways.onPicture(again);
        return;
      }
      const gap = aheadMs > GAP_MS * Math.max(1, this.#speed);
      if (gap) onGap(picture.recordedMs);
      const step = gap && !file ? PICTURE_TICKS : (aheadMs * 90) / this.#speed;
      this.#shift = Math.round(last.shown + Math.max(1, step) - picture.shown);
    }
    if (last) this.#stepMs = picture.recordedMs - last.recordedMs;
    this.#last = { ...picture, shown: picture.shown + (this.#shift ?? 0) };
    ways.onPicture(this.#last);
  }
}
