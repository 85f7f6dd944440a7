import type { Clock } from '../../protocol/clock.ts';
import type { ClipReport } from '../../protocol/wire/event.ts';
import type { AudioCodec } from '../video/audio.ts';
import type { Consumer } from '../video/channel-source.ts';
import type { Ring } from '../video/ring.ts';
import type { ClipRow } from './clip-row.ts';
import type { MakeEncoder } from './clip-sound.ts';
import type { Uploads } from './clip-writer.ts';

/** A stream's pictures and sound: those of the last seconds, and those to come. */
export interface Source {
  readonly ring: Ring;
  /** Of the sound beside the pictures; null: there is none. */
  readonly sound: AudioCodec | null;
  acquire(consumer: Consumer): () => void;
}

/** What a channel's recorder needs of the recorder. */
export interface RecorderPort {
  clock: Clock;
  dir: string;
  uploads: Uploads;
  makeEncoder: MakeEncoder;
  /** Makes the row durable; storage trouble is the recorder's to report. */
  save(row: ClipRow): void;
  remove(id: string): void;
  /** Whether an event is still under way. */
  lasts(eventId: string): boolean;
  /** {@link Uploads.prefer} */
  prefer(id: string): void;
  /** Journals a report that is not final. */
  report(report: ClipReport): void;
  /** Saves and journals the final report. */
  finish(row: ClipRow): void;
  trouble(error: Error | null): void;
}
