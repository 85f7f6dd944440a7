import type { Clock } from '../../protocol/clock.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { Ring } from '../video/ring.ts';
import type { TranscodedSource, TranscodedSourceOptions } from '../video/transcoded-source.ts';
import type { RecordedPicture } from './span-pull.ts';

type Base = TranscodedSourceOptions['base'];
/** Makes H.264 of pictures; null: the box converts as many streams as it can. */
export type Convert = (base: Base) => TranscodedSource | null;

/** Pictures on their way through the encoder. */
const MAX_UNDER_WAY = 300;
/** What the encoder still has comes within this time, or not at all. */
const DRAIN_MS = 3_000;
const DRAIN_STEP_MS = 100;

/** Recorded pictures that a viewer cannot decode, made into such as it can, with the times that they had. */
export class Converter {
  readonly #out: (picture: RecordedPicture) => void;
  readonly #underWay = new Map<number, RecordedPicture>();
  #take: ((unit: AccessUnit) => void) | null = null;
  #source: TranscodedSource | null = null;

  constructor(out: (picture: RecordedPicture) => void) {
    this.#out = out;
  }

  /** False: the box converts as many streams as it can. */
  start(convert: Convert): boolean {
    this.#source = convert({
      ring: new Ring(0),
      state: { video: 'streaming', codec: null, keyFrameIntervalMs: null },
      sound: null,
      acquire: (consumer) => {
        this.#take = (unit) => consumer.accessUnit(unit);
        return () => {
          this.#take = null;
        };
      },
    });
    this.#source?.acquire({ preRollMs: 0, accessUnit: (unit) => this.#made(unit), lost: () => {} });
    return this.#source !== null;
  }

  push(picture: RecordedPicture): void {
    const { unit, shown } = picture;
    // Sessions have times of their own; what is shown is one row.
    this.#underWay.set(shown + unit.compositionOffset, picture);
    for (const time of this.#underWay.keys()) {
      if (this.#underWay.size <= MAX_UNDER_WAY) break;
      this.#underWay.delete(time);
    }
    this.#take?.({ ...unit, time: shown, epoch: 0 });
  }

  /** Nothing more comes in: waits for what is on its way. */
  async drain(clock: Clock): Promise<void> {
    for (let passed = 0; this.#underWay.size > 0 && passed < DRAIN_MS; passed += DRAIN_STEP_MS)
      await clock.sleep(DRAIN_STEP_MS);
  }

  stop(): void {
    this.#source?.stop();
    this.#source = null;
  }

  #made(unit: AccessUnit): void {
    const picture = this.#underWay.get(unit.time);
    if (!picture) return;
    for (const time of this.#underWay.keys()) {
      this.#underWay.delete(time);
      if (time === unit.time) break;
    }
    const { time, epoch, compositionOffset } = picture.unit;
    this.#out({
      unit: { ...unit, time: time + compositionOffset, epoch },
      recordedMs: picture.recordedMs,
      shown: unit.time,
    });
  }
}
